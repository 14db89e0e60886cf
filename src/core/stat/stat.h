/*
 * stat: what the statistics share, and which file has what.
 *
 * Everything in this folder is a pure function of plain values: no allocation unless a header says so, no global
 * state, any thread. Inputs are borrowed; where an array must be ordered, it is sorted in place and the header says
 * so. An impossible input (no trials, weights that do not sum to one, a number that is not finite) is ERR_INPUT and a
 * sentence; where a function returns a double, it is NaN. Everything else has an answer, however extreme: tails are
 * computed as tails, evidence is kept as a logarithm. docs/STATISTICS.md has every formula with its source, and where
 * it may and may not be used.
 *
 *   stat_distribution  normal, t, chi-square, beta, binomial: tails and quantiles; the special functions behind them
 *   stat_root          where a monotone function is zero
 *   stat_moments       streaming mean, variance, covariance, that can be merged
 *   stat_mean          Welch, paired t, equivalence (TOST), CUPED, relative lift
 *   stat_proportion    one rate and two rates: intervals and tests, Fisher, McNemar, exact binomial, Poisson rates
 *   stat_rank          Mann-Whitney, Wilcoxon, Hodges-Lehmann, the interval of a ratio of times
 *   stat_distance      two distributions: PSI, Kolmogorov-Smirnov, Wasserstein and others; chi-square tests
 *   stat_anytime       what holds however often it is looked at: confidence sequences and e-values
 *   stat_quantile      quantiles, their intervals
 *   stat_size          how many are needed, and what can be seen with so many
 *   stat_multiple      several hypotheses at once
 *   stat_burn          error budgets
 *   stat_diff          two versions row by row
 */
#ifndef CORE_STAT_STAT_H
#define CORE_STAT_STAT_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What lies between, ends included; -INFINITY or INFINITY where there is no bound. */
struct stat_interval {
	double low, high;
};

/* Events among trials; one arm of a comparison. */
struct stat_share {
	uint64_t events, trials;
};

#endif
