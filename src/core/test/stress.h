/*
 * stress: what a load showed, and whether that passes: verdicts of a run or a step, the search for the greatest rate,
 * its knee, and growth of memory.
 *
 * Pure functions of plain values; any thread. A verdict is honest about its own machine: where the generator was late
 * or had no processor left, what looks like a slow target is not blamed on it. Formulas and sources: docs/TESTS.md. Not
 * here: sending (load), watching live traffic (stress_watch).
 */
#ifndef CORE_TEST_STRESS_H
#define CORE_TEST_STRESS_H

#include "core/finding.h"
#include "core/stat/stat.h"
#include "core/test/load.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRESS_STEPS_MAX 48
/* The generator has no processor left: of its time it runs, or waits to run, at the rate that was asked for. */
#define STRESS_BUSY_MAX 0.95
#define STRESS_SAMPLES_MAX 1024
#define STRESS_SAMPLES_MIN 16 /* to tell whether memory grows */

#define STRESS_VERDICTS(X)                                                                                    \
	X(PASS, "pass")                                                                                       \
	X(ERRORS, "errors")       /* too many requests failed */                                              \
	X(BACKLOG, "backlog")     /* the target answered fewer than there were */                             \
	X(SLO, "slo")             /* its p99 was beyond the limit */                                          \
	X(GENERATOR, "generator") /* this machine could not offer the rate: nothing is known of the target */ \
	X(WAIT, "wait")           /* too short to tell whether memory grows, or for a single request */       \
	X(GROWTH, "growth")       /* memory grew */                                                           \
	X(LIVE, "live")           /* stopped, because live traffic suffered */                                \
	X(GONE, "gone")           /* the target took no connections any more */                               \
	X(STOPPED, "stopped")     /* by an operator: no result */

enum stress_verdict {
#define X(name, text) STRESS_##name,
	STRESS_VERDICTS(X)
#undef X
	    STRESS_VERDICT_COUNT
};

const char *stress_verdict_name(enum stress_verdict verdict);

/* What must hold. */
struct stress_limits {
	uint64_t slo_p99_ns;   /* from the intended start; 0: none */
	double errors_percent; /* at most, of the requests sent */
};

/* One run, or one step of a search. */
struct stress_step {
	double rate_rps; /* asked for; of a ramp its greatest */
	double seconds;
	uint64_t due, sent, answered, failed, unsent, unanswered;
	double offered_rps, answered_rps;
	uint64_t p50_ns, p99_ns; /* from the intended start */
	uint64_t service_p50_ns; /* from the send */
	uint64_t lag_p99_ns;
	double busy; /* of the generator, 0 to 1 */
	enum stress_verdict verdict;
};

/* The figures of a load and their verdict. */
void stress_step_make(struct stress_step *step, const struct load_counts *counts, double rate_rps,
		      const struct stress_limits *limits);
/* The generator may be so late: half of the SLO, at least 1 ms; 10 ms without one. */
uint64_t stress_lag_limit_ns(const struct stress_limits *limits);
/* The same as findings: offered_rate, answered, error_rate, and latency_p99 with an SLO. Returns how many. */
size_t stress_findings(const struct stress_step *step, const struct stress_limits *limits,
		       struct finding findings[FINDINGS_MAX]);

/* The greatest rate that passes: doubled until one fails, then halved between in the logarithm, to within 5%. A step
 * that failed is run once more, and where the generator was the limit twice more, and counts as failed only when it
 * fails each time: other work on a machine fails steps too. */
struct stress_search {
	double passed_rps, failed_rps; /* 0: none did */
	double cap_rps;                /* never beyond; 0: no limit */
	double next_rps;               /* to be tried */
	unsigned tries;                /* of that, which failed */
	bool done;
	unsigned steps;
	enum stress_verdict limit; /* of the lowest step that failed */
};
struct stress_search stress_search_make(double start_rps, double cap_rps);
void stress_search_add(struct stress_search *s, enum stress_verdict verdict);

/* The step at which throughput over response time, Kleinrock's power (ICC 1979), is greatest: beyond it the latency
 * grows faster than the rate. Response time is the median from the intended start. count for no steps. Steps in which
 * the generator was the limit are left out. */
size_t stress_knee(const struct stress_step *steps, size_t count);

/* Memory over time, at most STRESS_SAMPLES_MAX evenly spaced samples. */
struct stress_memory {
	size_t count;
	uint64_t interval_ms; /* a sample that comes earlier is passed over; doubles when they are full */
	uint64_t times_ms[STRESS_SAMPLES_MAX];
	double bytes[STRESS_SAMPLES_MAX];
};
void stress_memory_add(struct stress_memory *m, uint64_t time_ms, double bytes);

/* Growth in bytes an hour, of the last three quarters of the samples (the first warms up): the Hodges-Lehmann estimate
 * of the slopes of the pairs (i, i + n / 2), Theil's incomplete method (1950), and Tukey's 95% interval of them.
 * It grows when the interval is above 0 and its lower end makes more than 1 MiB and 1% in the time that was watched. */
struct stress_growth {
	size_t samples;
	double hours, first_bytes, last_bytes; /* medians of the first and last tenth */
	double slope_bytes_h;
	struct stat_interval interval;
	enum finding_verdict verdict; /* WAIT: too few samples */
};
int stress_growth(const struct stress_memory *m, struct stress_growth *growth, struct err *e);
struct finding stress_growth_finding(const struct stress_growth *growth);

#endif
