/*
 * experiment_judge: what an A/B test says, each time that somebody looks.
 *
 * Pure; any thread; no allocation. A verdict is a function of the plan, the state, what was remembered of the looks
 * before (struct experiment_history, {0} at the start, which the look brings up to date) and the time since the start.
 * The same exposures, outcomes and looks give the same verdicts, bit for bit. docs/EXPERIMENTS.md says what each
 * verdict means, how several metrics share alpha, and what is promised.
 * Not here: the comparison of two arms (experiment_compare); who looks, and the log of looks.
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_JUDGE_H
#define CORE_EXPERIMENT_EXPERIMENT_JUDGE_H

#include "core/experiment/experiment_compare.h"

#define EXPERIMENT_VERDICTS(X)          \
	X(CONTINUE, "CONTINUE")         \
	X(BETTER, "BETTER")             \
	X(WORSE, "WORSE")               \
	X(EQUIVALENT, "EQUIVALENT")     \
	X(INCONCLUSIVE, "INCONCLUSIVE") \
	X(INVALID, "INVALID")

enum experiment_verdict {
#define X(name, text) EXPERIMENT_##name,
	EXPERIMENT_VERDICTS(X)
#undef X
	    EXPERIMENT_VERDICT_COUNT
};

#define EXPERIMENT_RATIO_ALPHA 0.01 /* how often a sound sample ratio may be called off, ever */
#define EXPERIMENT_TEXT_SIZE 512
#define EXPERIMENT_SENTENCE_SIZE (EXPERIMENT_TEXT_SIZE + 64)
#define EXPERIMENT_COMPARISONS_MAX ((EXPERIMENT_ARMS_MAX - 1) * EXPERIMENT_METRICS_MAX)

/* What is remembered of one comparison. At any time: the greatest evidence, which way it pointed, and the part that
 * all intervals have in common. Once: the evidence of that look. */
struct experiment_track {
	double log_e;
	int sign; /* of the effect then: -1, 0, 1 */
	bool has_interval, is_share;
	struct stat_interval interval;
	double reports_log_e; /* that outcomes reach one arm less often */
	bool is_taken;        /* the one look at the planned size was; then: */
	struct experiment_evidence once;
};

struct experiment_history {
	uint64_t looks;
	double ratio_log_e; /* against the shares of the plan */
	struct experiment_track tracks[EXPERIMENT_ARMS_MAX][EXPERIMENT_METRICS_MAX]; /* of arm 0: not used */
};

struct experiment_look {
	int64_t elapsed_s; /* since the start; not below 0 */
	bool is_stopped;   /* no unit will be exposed any more */
};

struct experiment_comparison {
	size_t arm, metric;
	enum experiment_verdict verdict;
	struct experiment_evidence evidence; /* of this look, or of the one that counts */
	struct stat_interval interval;       /* of all looks so far */
	double level;                        /* 1 - level is what the interval covers */
	double p;                            /* with the correction; of others by e-BH: as for Bonferroni */
	bool is_rejected;                    /* "no difference" is, with the correction */
	bool is_safe;                        /* not worse than the margin, for sure */
	bool is_enough;                      /* the plan's minimum of events is reached */
	char sentence[EXPERIMENT_TEXT_SIZE];
};

struct experiment_arm_report {
	enum experiment_verdict verdict;
	int metric; /* the one that decides, -1: none */
	char sentence[EXPERIMENT_TEXT_SIZE];
};

struct experiment_report {
	enum experiment_verdict verdict;
	size_t arm;    /* the one of the verdict */
	bool is_over;  /* planned size or longest duration reached, or stopped */
	bool is_early; /* decided below the planned size */
	char sentence[EXPERIMENT_SENTENCE_SIZE];
	char note[EXPERIMENT_TEXT_SIZE];                        /* what to keep in mind; "" for nothing */
	struct experiment_arm_report arms[EXPERIMENT_ARMS_MAX]; /* [0] is not used */
	size_t comparison_count;
	struct experiment_comparison comparisons[EXPERIMENT_COMPARISONS_MAX]; /* arm by arm, metrics in order */
	uint64_t exposed[EXPERIMENT_ARMS_MAX];
	double decide_level, other_level; /* alpha by the number of comparisons */
	double ratio_log_e;
	bool is_ratio_broken;
	uint64_t units; /* with a value in every primary */
	double units_per_s;
	double left_s; /* until the planned size at this rate, or the longest duration; NaN: not known */
	uint64_t looks;
	int64_t elapsed_s;
};

const char *experiment_verdict_name(enum experiment_verdict verdict);

/* The state must be of the plan. */
void experiment_judge(const struct experiment *x, const struct experiment_state *s, const struct experiment_look *look,
		      struct experiment_history *history, struct experiment_report *report);

/* The history there and back, exactly. */
cJSON *experiment_history_to_json(const struct experiment *x, const struct experiment_history *h);
int experiment_history_from_json(const cJSON *json, const struct experiment *x, struct experiment_history *h,
				 struct err *e);
/* All of a report, for `--json` and for the log of looks: bounds that there are not are null. */
cJSON *experiment_report_to_json(const struct experiment *x, const struct experiment_report *r);

#endif
