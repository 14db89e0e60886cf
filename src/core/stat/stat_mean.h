/*
 * stat_mean: differences of means at a planned sample size: Welch, paired t, equivalence, CUPED, relative lift.
 *
 * Pure functions of moments that were gathered before; any thread; no allocation. Means are nearly normal from some
 * hundred values on, or earlier without heavy tails; rates below 10% and anything looked at again and again belong to
 * stat_proportion and stat_anytime. alpha is two-sided. Fewer than two values an arm, values that are not finite or
 * alpha outside (0, 1): ERR_INPUT.
 */
#ifndef CORE_STAT_STAT_MEAN_H
#define CORE_STAT_STAT_MEAN_H

#include "core/stat/stat.h"
#include "core/stat/stat_moments.h"

/* Where nothing varied error is 0, t is 0 or infinite, and the interval is a point. */
struct stat_mean_test {
	double difference; /* of b less a */
	double error, t, df, p;
	struct stat_interval interval;
};

/* Unequal variances, Satterthwaite's degrees of freedom (Welch, Biometrika 34, 1947). */
int stat_welch(const struct stat_moments *a, const struct stat_moments *b, double alpha, struct stat_mean_test *test,
	       struct err *e);
/* Of pairs: the moments are those of b - a, pair by pair. */
int stat_paired(const struct stat_moments *differences, double alpha, struct stat_mean_test *test, struct err *e);

/* Two one-sided tests that the difference of either test lies within -margin .. margin (Schuirmann 1987): equivalent
 * when p < alpha. margin > 0, in the values' unit. */
struct stat_equivalence {
	double p_lower, p_upper; /* against "below -margin" and "above margin" */
	double p;                /* the greater one */
};
struct stat_equivalence stat_equivalence(const struct stat_mean_test *test, double margin);

/* CUPED (Deng et al., WSDM 2013): x is a covariate from before the treatment, y the metric; theta = cov / var over
 * both arms together. test is Welch's of y - theta (x - mean of x). variance_ratio: what is left of the squared
 * standard error. theta is 0 for a covariate that does not vary. */
struct stat_cuped {
	double theta, correlation, mean_a, mean_b, variance_ratio;
	struct stat_mean_test test, unadjusted;
};
int stat_cuped(const struct stat_pairs *a, const struct stat_pairs *b, double alpha, struct stat_cuped *cuped,
	       struct err *e);

/* The moments of both arms after that adjustment, for other tests of them; returns theta. Two pairs an arm at least,
 * else they are NaN. */
double stat_cuped_adjust(const struct stat_pairs *a, const struct stat_pairs *b, struct stat_moments *of_a,
			 struct stat_moments *of_b);

/* The ratio of two means, mean y over mean x, as if it were the mean of so many independent values: variance of
 * (y - ratio x) / mean x (the delta method; Deng, Knoblich, Lu, KDD 2018). A pair is what was independent: the sum over
 * a user's requests, and their number. NaN when the mean of x is 0. */
struct stat_moments stat_ratio_moments(const struct stat_pairs *p);

/* b over a, less 1: by the delta method, and by Fieller (1954), which holds for small means of a too and is unbounded
 * when that mean may be 0. The mean of a must not be 0. */
struct stat_lift {
	double lift, error;
	struct stat_interval delta, fieller;
};
int stat_lift(const struct stat_moments *a, const struct stat_moments *b, double alpha, struct stat_lift *lift,
	      struct err *e);

#endif
