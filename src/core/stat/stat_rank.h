/*
 * stat_rank: comparisons by rank, which no outlier moves: for times of benchmarks and other heavy tails.
 *
 * Pure; any thread. Samples are sorted in place. Exact distributions are made by dynamic programming within the
 * limits below, which allocates at most 160 KB and takes about 10 ms; beyond them the normal approximation is used
 * and is_exact says so. Values must be independent: of a benchmark, one value a process launch (iterations pooled over
 * launches gave 0.84 false alarms). No values, or one that is not finite: ERR_INPUT.
 */
#ifndef CORE_STAT_STAT_RANK_H
#define CORE_STAT_STAT_RANK_H

#include "core/stat/stat.h"

#define STAT_RANK_EXACT_PAIRS 40000 /* na nb of two samples */
#define STAT_RANK_EXACT_VALUES 200  /* of one sample of differences */

/* Mann and Whitney (1947). u_a: pairs where a is greater, ties half. Two-sided; p is the exact one without ties and
 * within the limit, else the one with tie correction and continuity. shift: Hodges and Lehmann's estimate, the median
 * of all b - a. */
struct stat_mann_whitney {
	double u_a, u_b;
	double p;
	bool is_exact;
	double p_exact; /* NaN with ties, or beyond the limit */
	double p_continuity, p_plain;
	double superiority;  /* P(a > b) + P(a = b) / 2: Vargha and Delaney's A12 */
	double cliffs_delta; /* P(a > b) - P(a < b) */
	double shift;
};
int stat_mann_whitney(double *a, size_t na, double *b, size_t nb, struct stat_mann_whitney *result, struct err *e);

/* The same of values in the same bins, in ascending order: values of one bin are ties. p by the normal approximation
 * with ties and continuity, good from some tens of values an arm. A side without any: ERR_INPUT. */
struct stat_rank_counts {
	double superiority, p; /* P(a > b) + P(a = b) / 2 */
};
int stat_mann_whitney_counts(const uint64_t *a, const uint64_t *b, size_t bins, struct stat_rank_counts *result,
			     struct err *e);

/* How much longer b takes than a: exp of the Hodges-Lehmann shift of the logarithms, and Moses's interval (Hollander
 * and Wolfe, section 4.3) between the k-th least and the k-th greatest ratio of a pair, k = max(1, qwilcox(alpha / 2)).
 * coverage is what that reaches: less than 1 - alpha when the samples are too small for it. Values > 0. */
struct stat_time_ratio {
	double ratio;
	struct stat_interval interval;
	uint64_t k;
	double coverage;
	bool is_exact;
};
int stat_time_ratio(double *a, size_t na, double *b, size_t nb, double alpha, struct stat_time_ratio *result,
		    struct err *e);

/* Wilcoxon's signed ranks of differences (1945), two-sided. Differences of 0 are left out of the test; ties get their
 * mean rank, and the distribution is that of these ranks, so p is exact with ties too. shift: the median of the means
 * of all pairs (a value with itself too); interval: Tukey's, of the same, zeros included. Differences of logarithms
 * give a ratio: exp(shift). */
struct stat_wilcoxon {
	double w_plus, w_minus, w_min;
	double p;
	bool is_exact;
	double shift;
	struct stat_interval interval;
	uint64_t k;
};
int stat_wilcoxon(double *differences, size_t count, double alpha, struct stat_wilcoxon *result, struct err *e);

#endif
