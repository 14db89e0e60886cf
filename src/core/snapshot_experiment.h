/*
 * snapshot_experiment: one A/B test as a console and a script see it: who, since when, what the latest look said.
 *
 * A plain value that owns its detail; constant once made, so threads may share it. The same JSON is what the control
 * API answers; docs/CONTROL-API.md has its fields. A snapshot never looks by itself: what it shows is the latest look,
 * and looks are logged (docs/EXPERIMENTS.md).
 * Limits: SNAPSHOT_EXPERIMENTS_MAX tests in a list, SNAPSHOT_LOOKS_MAX looks of one.
 */
#ifndef CORE_SNAPSHOT_EXPERIMENT_H
#define CORE_SNAPSHOT_EXPERIMENT_H

#include "core/experiment/experiment_judge.h"
#include "core/registry/registry_experiments.h"

#include <cjson/cJSON.h>

#define SNAPSHOT_EXPERIMENTS_MAX 50
#define SNAPSHOT_LOOKS_MAX 80

struct snapshot_arm {
	uint32_t version, share_bp;
	enum experiment_verdict verdict; /* of the control: CONTINUE */
	char sentence[EXPERIMENT_TEXT_SIZE];
	uint64_t exposed;  /* units */
	uint64_t outcomes; /* units with a value in the first metric that waits for one; 0 when none does */
	/* Of its version, in the snapshot's window, whoever asked it: whether one arm starves the other. */
	double rate_rps;
	uint64_t p50_ns, p99_ns, errors, queue_ns; /* queue_ns: the mean wait for a worker since the runtime started */
};

/* One metric of one arm against the control. */
struct snapshot_comparison {
	uint32_t arm;    /* 1 or more: index of the arms */
	uint32_t metric; /* index of the plan's metrics */
	enum experiment_verdict verdict;
	char sentence[EXPERIMENT_TEXT_SIZE];
	char method[32];
	bool is_share; /* for people, in percent */
	uint64_t units[2], events[2];
	double mean[2], effect;  /* NaN: not known; [0] is of the control */
	double low, high, level; /* the interval of all looks; NaN: open on that side; it covers 1 - level */
	double p;
};

struct snapshot_look {
	int64_t at_ms, elapsed_s;
	uint64_t exposed;
	enum experiment_verdict verdict;
	double effect, low, high; /* of the first primary of the first arm beside the control; NaN: not known */
};

/* Only of the test that was asked for with `experiment`. */
struct snapshot_experiment_detail {
	struct experiment plan;
	bool is_over, is_early, is_ratio_broken;
	double ratio_log_e, units_per_s, decide_level, other_level;
	uint64_t units;                  /* with a value in every primary */
	struct experiment_counts counts; /* what was taken in, and what became of outcomes */
	size_t comparison_count;
	struct snapshot_comparison *comparisons;
	size_t look_count; /* newest first */
	struct snapshot_look looks[SNAPSHOT_LOOKS_MAX];
};

struct snapshot_experiment {
	int64_t id;
	char model[TEXT_NAME_MAX + 1], name[TEXT_NAME_MAX + 1];
	char state[16]; /* "running", "stopped", "invalid" */
	char sha256[DIGEST_SIZE];
	char who[WHO_SIZE];
	char reason[REASON_SIZE];
	char ended[REASON_SIZE]; /* how it ended, in words; "" while it runs */
	uint32_t revision;       /* of the route that it started with */
	int64_t started_ms, stopped_ms;
	/* Of the latest look; CONTINUE and "" before the first. */
	enum experiment_verdict verdict;
	uint32_t arm; /* index: the one of the verdict */
	char sentence[EXPERIMENT_SENTENCE_SIZE];
	char note[EXPERIMENT_TEXT_SIZE];
	int64_t elapsed_s; /* of that look */
	uint64_t exposed, planned_size, looks;
	double left_s; /* NaN: not known */
	/* What decided, or the first primary of that arm: its metric ("": no look yet) and its difference from the
	 * control; NaN: not known, of a bound open on that side. */
	char metric[EXPERIMENT_NAME_SIZE];
	bool is_share; /* for people, in percent */
	double effect, low, high;
	size_t arm_count;
	struct snapshot_arm arms[EXPERIMENT_ARMS_MAX];
	struct snapshot_experiment_detail *detail; /* NULL in a list */
};

/* Gives back what it owns. */
void snapshot_experiment_release(struct snapshot_experiment *s);
/* s, of zeros, as of a look: its report as experiment_report_to_json() has it, NULL for none so far. whole: with a
 * detail, of which counts and looks are the caller's to fill. To be released also when it fails. */
int snapshot_experiment_fill(struct snapshot_experiment *s, const struct experiment_record *record, const cJSON *report,
			     bool whole, struct err *e);

/* NULL when memory is out. Of a detail: "plan", "report", "counts" and "looks". */
cJSON *snapshot_experiment_to_json(const struct snapshot_experiment *s);
/* s is of zeros, and to be released also when it fails. Texts are cleaned. */
int snapshot_experiment_from_json(const cJSON *json, struct snapshot_experiment *s, struct err *e);

/* {"at_ms","elapsed_s","exposed","verdict","effect","low","high"}. */
cJSON *snapshot_look_to_json(const struct snapshot_look *look);
/* What of a look is shown, out of the report that was logged with it. */
void snapshot_look_of_report(const cJSON *report, struct snapshot_look *look);

#endif
