/*
 * stat_quantile: quantiles of samples, the ranks that enclose a quantile, and the mapping of a sketch.
 *
 * Pure; any thread; no allocation. Not here: quantiles of latency histograms (core/histogram), intervals that hold at
 * any time (stat_anytime_quantile).
 */
#ifndef CORE_STAT_STAT_QUANTILE_H
#define CORE_STAT_STAT_QUANTILE_H

#include "core/stat/stat.h"

/* Type 7 of Hyndman and Fan (1996), linear between order statistics at (n - 1) q, of an ascending sample; NaN for no
 * values or q outside [0, 1]. */
double stat_quantile_sorted(const double *values, size_t count, double q);

/* The ranks (1 is the least value) whose order statistics enclose the quantile q with at least 1 - alpha, whatever
 * the distribution: the greatest lower one with P(K <= lower - 1) <= alpha / 2, the least upper one with
 * P(K >= upper) <= alpha / 2, K binomial(n, q). 0 and n + 1: no bound on that side. q and alpha in (0, 1), n > 0,
 * else ERR_INPUT. (David and Nagaraja, Order Statistics, 7.1.) */
struct stat_quantile_ranks {
	uint64_t lower, upper;
	double coverage;
};
int stat_quantile_ranks(uint64_t n, double q, double alpha, struct stat_quantile_ranks *ranks, struct err *e);

/* DDSketch (Masson et al., VLDB 2019): values fall into buckets ceil(log_gamma x), gamma = (1 + a) / (1 - a), and
 * every value of a bucket is within a share `accuracy` of the bucket's. x > 0, accuracy in (0, 1). */
int64_t stat_sketch_index(double x, double accuracy);
double stat_sketch_value(int64_t index, double accuracy);

#endif
