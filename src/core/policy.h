/*
 * policy: what must hold before a version of a model gets traffic, and before it gets all of it.
 *
 * A plain value; any thread. One a model, kept by the registry with who set it and when; a model without one has the
 * default: a version must work, and be called like the live one. A setting has one row in one table (policy.c), which
 * reads, writes, checks and explains it; thresholds are shared by the gates and by the analyses of a rollout.
 * Not here: judging (runtime/gate/gates, core/analysis).
 */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include "core/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_NAMES_SIZE 256
#define POLICY_TESTS_MAX 8
#define POLICY_TEXT_SIZE 152 /* of a path or a column; with its name it fits into a line of a models file */
#define POLICY_REQUESTS_MAX 1000000000u
#define POLICY_CAPTURE_MAX 100000u
#define POLICY_AGE_MAX_S (INT64_C(3650) * 86400)

/* To add a kind of test that a policy can demand: a line here; registry_add_test_result() takes what it found. */
#define POLICY_TEST_KINDS(X) X(differential) X(benchmark) X(training) X(stress)

/* A test that must have passed for this pair of versions (the new one and the live one). */
struct policy_test {
	char kind[16];     /* "differential", "benchmark", "stress" */
	int64_t max_age_s; /* how long ago at most; 0: whenever */
};

struct policy {
	/* Who. */
	char promoters[POLICY_NAMES_SIZE]; /* promoters = alice bob @mlops: users, @groups; "": whoever is let in */
	bool second_person;                /* second_person = no: somebody else must approve the version first */
	int64_t approval_max_age_s;        /* approval_max_age = 24h */
	/* Before any traffic. */
	int64_t min_age_s;            /* min_age = 0: deployed at least so long ago */
	bool same_signature;          /* same_signature = yes: inputs and outputs as the live version's */
	uint64_t shadow_requests;     /* shadow_requests = 0: compared as a shadow of the live version */
	double shadow_flips_percent;  /* shadow_flips_max = 1% of rows */
	double shadow_difference_max; /* shadow_difference_max = none: mean |difference|; NaN: none */
	size_t test_count;            /* tests = differential:7d benchmark:30d */
	struct policy_test tests[POLICY_TESTS_MAX];
	/* Before all of the traffic. */
	uint64_t canary_requests; /* canary_requests = 0: answered as a canary */
	bool no_alerts;           /* no_alerts = no: no alert of the model may be firing */
	/* Thresholds of the analyses: of a rollout's steps, and of gates where the version serves. */
	double error_margin_percent; /* error_margin = 0.5%: its error rate may exceed the live one's by so much */
	double p99_ratio_max;        /* p99_ratio_max = 1.5 */
	uint64_t p99_margin_us;      /* p99_margin = 1ms: slower by less than this is never too slow */
	double drift_max;            /* drift_max = 0.2: PSI of its predictions against the live version's */
	uint64_t analysis_requests;  /* analysis_requests = 200: fewer and latency and drift wait */
	double analysis_alpha;       /* analysis_alpha = 0.01: how often an analysis may fail a good version */
	/* Thresholds of benchmarks: the new version against the old one. */
	double bench_ratio_max;  /* bench_ratio_max = 1.05: the time of a row */
	double bench_memory_max; /* bench_memory_max = 1.5: the memory that is resident at most */
	/* How much a differential test lets differ (docs/TESTS.md). */
	double diff_atol, diff_rtol; /* diff_atol = none: of a row, atol + rtol |old|; NaN: from the old one's noise */
	double diff_rows_percent;    /* diff_rows_max = 0.1%: rows that may differ more than that */
	double diff_flips_percent;   /* diff_flips_max = 0.1%: rows that may fall into another class */
	double diff_mean_max;     /* diff_mean_max = 0.02: shift of the mean, in standard deviations of the old one */
	double diff_quantile_max; /* diff_quantile_max = 0.1: shift of a quantile, in the same unit */
	double diff_alpha;        /* diff_alpha = 0.01: of its statistical tests */
	/* What tests run with (mldeck check); paths are absolute, and of the machine where it runs. "": none. */
	char diff_data[POLICY_TEXT_SIZE];    /* diff_data = /data/rows.csv */
	char diff_labels[POLICY_TEXT_SIZE];  /* diff_labels = late: a column */
	char diff_segment[POLICY_TEXT_SIZE]; /* diff_segment = carrier: a column */
	char bench_data[POLICY_TEXT_SIZE];
	char stress_data[POLICY_TEXT_SIZE];
	double stress_rate_rps;       /* stress_rate = none: requests a second, at least; NaN: none */
	int64_t stress_duration_s;    /* stress_duration = 1m: at least */
	uint64_t stress_slo_p99_us;   /* stress_slo_p99 = none: p99 at most; 0: none */
	double stress_errors_percent; /* stress_errors_max = 1%: requests that may fail */
	/* What the runtime keeps for tests, in memory. */
	uint64_t capture_rows; /* capture_rows = 0: of live requests, a sample */
};

/* Whether there is such a kind of test; e, which may be NULL, names those that there are. */
bool policy_test_known(const char *kind, struct err *e);

/* The default. */
void policy_init(struct policy *p);
/* One setting by its name and text, "p99_ratio_max" "1.5". ERR_INPUT names the setting and what it takes; p then is as
 * it was. */
int policy_set(struct policy *p, const char *name, const char *text, struct err *e);
/* Gives a setting its default again; ERR_INPUT for an unknown one. */
int policy_unset(struct policy *p, const char *name, struct err *e);
/* What can never hold, or demands nothing, whoever asks: refused with one sentence (second_person with a single
 * promoter, a promoter that the system does not know, a limit on what nothing counts). Asks the system. */
int policy_check(const struct policy *p, struct err *e);
/* The rows of the table, in order: name, its value as text ("" for none), one line of help; false past the end. */
bool policy_row(const struct policy *p, size_t i, const char **name, char value[POLICY_NAMES_SIZE], const char **help);
/* The number of a setting in the unit that it is kept in (percent, seconds, microseconds); NaN: none, or no number. */
double policy_value(const struct policy *p, const char *name);
/* Such a number as the setting has it in text: "0.5%", "5ms"; "none" for NaN. */
void policy_value_text(const char *name, double number, char text[POLICY_NAMES_SIZE]);
/* Whether a setting differs from the default. */
bool policy_is_default(const struct policy *p, size_t i);
/* Whether the user (by name, or by a group that the system says they are in) may promote. Asks the system. */
bool policy_may_promote(const struct policy *p, uint32_t uid, const char *name);
/* The i-th of the promoters, without its @; false past the end. */
bool policy_promoter(const struct policy *p, size_t i, char name[POLICY_NAMES_SIZE], bool *group);

/* {"p99_ratio_max":"1.5",...}: texts as policy_set() takes them; all settings. */
cJSON *policy_to_json(const struct policy *p);
/* Over the default; unknown names are ERR_INPUT. */
int policy_from_json(const cJSON *json, struct policy *p, struct err *e);

#endif
