/*
 * stat_distance: how far two distributions are apart, and whether that is more than chance.
 *
 * Pure; any thread; no allocation but where said. A distance alone grows with noise, a p value alone with n: an alarm
 * needs both (no drift at N = M = 100 gives PSI > 0.1 in 80 of 100 cases). Counts are of the same bins, in the same
 * order, frozen beforehand; a side without any count is ERR_INPUT.
 */
#ifndef CORE_STAT_STAT_DISTANCE_H
#define CORE_STAT_STAT_DISTANCE_H

#include "core/stat/stat.h"

/* The population stability index, sum over bins of (p - q) ln(p / q), of counts to which smoothing (0.5) was added.
 * critical: what it exceeds by chance with probability alpha, (1/N + 1/M) times the quantile of chi-square with
 * bins - 1 degrees (Yurdakul 2018); p: of this value by the same. INFINITY for a bin that is empty on one side
 * only, without smoothing. Alarm at psi > max(0.1, critical). bins >= 2, smoothing >= 0, alpha in (0, 1). */
#define STAT_PSI_SMOOTHING 0.5
#define STAT_PSI_NOTICED 0.1
struct stat_psi {
	double psi, critical, p;
};
int stat_psi(const uint64_t *reference, const uint64_t *current, size_t bins, double smoothing, double alpha,
	     struct stat_psi *result, struct err *e);

/* Distances between shares: Jensen-Shannon divergence in nats (at most ln 2; the distance is its root), Hellinger and
 * total variation (at most 1), the greatest difference of one bin. */
struct stat_distances {
	double jensen_shannon, hellinger, total_variation, greatest;
};
int stat_distances(const uint64_t *p, const uint64_t *q, size_t bins, struct stat_distances *d, struct err *e);

/* Pearson's chi-square without continuity correction. Of counts against the shares they should have (weights as in
 * stat_counts_log_e; a fixed-horizon test of sample ratio). Of two rows of counts, where bins that are empty in both
 * do not count; cramers_v is the effect, sqrt(chi2 / N). Every expected count should be 5 or more. */
struct stat_chi2 {
	double chi2, df, p, cramers_v;
};
int stat_chi2_fit(const uint64_t *counts, const double *weights, size_t cells, struct stat_chi2 *result, struct err *e);
int stat_chi2_homogeneity(const uint64_t *reference, const uint64_t *current, size_t bins, struct stat_chi2 *result,
			  struct err *e);

/* Kolmogorov-Smirnov of two samples, both sorted in place. p_exact takes na nb steps of 2 ns and allocates nb + 1
 * doubles for the while; it is made for na nb up to STAT_KS_EXACT_PAIRS, as if there were no ties (with ties it is
 * too great). Beyond that it is NaN, and p_limit, Kolmogorov's, holds. p is the one to use. No values, or one that is
 * not finite: ERR_INPUT. */
#define STAT_KS_EXACT_PAIRS 4000000
struct stat_ks {
	double distance, p, p_exact, p_limit;
};
int stat_ks(double *a, size_t na, double *b, size_t nb, struct stat_ks *result, struct err *e);

/* The first Wasserstein distance of two samples, both sorted in place: the area between their distribution functions,
 * in the values' unit. Also as a share of a's standard deviation (n) and interquartile range (type 7), INFINITY or NaN
 * when that is 0. No values, or one that is not finite: ERR_INPUT. */
struct stat_wasserstein {
	double distance, by_sd, by_iqr;
};
int stat_wasserstein(double *a, size_t na, double *b, size_t nb, struct stat_wasserstein *result, struct err *e);

#endif
