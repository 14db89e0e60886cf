/*
 * benchmark: what pairs of launches say about two versions: is the new one slower, larger, slow to load?
 *
 * Plain values; any thread; the routines of core/stat decide. One value is one process launch, and one pair a launch of
 * either version beside each other in time, in a random order: what the machine does in those seconds is in both.
 *
 * Of every batch size: Wilcoxon's signed ranks of the logarithms of new / old, the Hodges-Lehmann ratio with Tukey's
 * interval, and Holm over the batch sizes. It is a REGRESSION when the adjusted p is below alpha and the whole interval
 * lies above the threshold. It passes when the whole interval lies below it, or when the estimate does and the interval
 * is narrow enough to have shown more. Anything else is INCONCLUSIVE: more pairs, or a quieter machine, would tell.
 *
 * Looks: judged after plan.pairs[0], [1] ... pairs, and ended by the first verdict that is one. Every look has
 * alpha / looks (Bonferroni), so that all of them together keep alpha. docs/TESTS.md has the formulas and the measured
 * rates. Not here: launching (bench_run), measuring (runtime/measure).
 */
#ifndef CORE_TEST_BENCHMARK_H
#define CORE_TEST_BENCHMARK_H

#include "core/finding.h"
#include "core/stat/stat.h"

#define BENCHMARK_BATCHES_MAX 8
#define BENCHMARK_PAIRS_MAX 200
#define BENCHMARK_PAIRS_MIN 8 /* with fewer Holm over three batch sizes cannot reach 0.05 */
#define BENCHMARK_LOOKS_MAX 3
#define BENCHMARK_ALPHA 0.05
#define BENCHMARK_NAME_SIZE 24

#define BENCHMARK_VERDICTS(X)       \
	X(PASS, "pass")             \
	X(REGRESSION, "regression") \
	X(INCONCLUSIVE, "inconclusive")

enum benchmark_verdict {
#define X(name, text) BENCHMARK_##name,
	BENCHMARK_VERDICTS(X)
#undef X
};

/* What one launch measured. */
struct benchmark_launch {
	double ns_per_row[BENCHMARK_BATCHES_MAX]; /* > 0, in the order of the batch sizes */
	double peak_bytes;                        /* resident */
	double load_ns;
};

/* One figure of both versions over all pairs, and what it says. */
struct benchmark_measure {
	double old_values[BENCHMARK_PAIRS_MAX], new_values[BENCHMARK_PAIRS_MAX];
	double old_median, new_median;
	double ratio; /* new / old */
	struct stat_interval interval;
	double p, p_adjusted; /* adjusted: Holm over the batch sizes; the p itself for the others */
	bool noisy;           /* the interval is too wide to tell the threshold from 1 */
	enum benchmark_verdict verdict;
};

/* When it is judged. */
struct benchmark_plan {
	size_t look_count;
	size_t pairs[BENCHMARK_LOOKS_MAX]; /* ascending */
};

struct benchmark {
	size_t batch_count;
	size_t batches[BENCHMARK_BATCHES_MAX]; /* rows of a call */
	double ratio_max, memory_max;          /* thresholds; > 1 */
	struct benchmark_plan plan;
	size_t pair_count, looks_done;
	struct benchmark_measure times[BENCHMARK_BATCHES_MAX]; /* ns a row */
	struct benchmark_measure memory;                       /* bytes */
	struct benchmark_measure load;                         /* ns; informs, and is never a regression */
	enum benchmark_verdict verdict;                        /* of all */
};

const char *benchmark_verdict_name(enum benchmark_verdict verdict);
/* 12, then 24, then 48 pairs; quick: 8; pairs > 0: so many, and one look. */
struct benchmark_plan benchmark_plan_make(bool quick, size_t pairs);
/* At most BENCHMARK_PAIRS_MAX; ERR_INPUT for a figure that is not a positive number. */
int benchmark_add(struct benchmark *b, const struct benchmark_launch *old_launch,
		  const struct benchmark_launch *new_launch, struct err *e);
/* The verdict on one ratio of new to old by its interval and (adjusted) p; *noisy: see benchmark_measure. */
enum benchmark_verdict benchmark_judge_ratio(double ratio, struct stat_interval interval, double p, double threshold,
					     double alpha, bool *noisy);
/* Whether the next look is due. */
bool benchmark_due(const struct benchmark *b);
/* Ratios, intervals and verdicts of the figures by the pairs so far, at least one, as a look would have them; it is
 * none: what runs is shown by it. */
int benchmark_estimate(struct benchmark *b, struct err *e);
/* The next look at all pairs so far. *done: the verdict stands, for it is one or there is no look left. */
int benchmark_judge(struct benchmark *b, bool *done, struct err *e);
/* A finding a batch size ("batch_16"), and one of memory and load; returns how many. INCONCLUSIVE is WAIT. */
size_t benchmark_findings(const struct benchmark *b, struct finding findings[FINDINGS_MAX]);
/* "at 16 rows a call v3 takes 1.12 times as long as v2 (1.10 to 1.14), more than 1.05" */
void benchmark_summary(const struct benchmark *b, const char *new_name, const char *old_name, char *text, size_t size);

#endif
