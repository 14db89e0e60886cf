/*
 * stat_size: how many are needed to see an effect, and what effect so many can show.
 *
 * Pure; any thread; no allocation. alpha is two-sided; sizes are real numbers an arm, to be rounded up. NaN for what
 * makes no sense: no effect, alpha or power outside (0, 1), alpha / 2 >= power.
 */
#ifndef CORE_STAT_STAT_SIZE_H
#define CORE_STAT_STAT_SIZE_H

/* A test that is looked at at any time needs this much more (at the size it is tuned for, by simulation). */
#define STAT_SIZE_ANYTIME 1.75

/* Of arm a, for a difference of means; arm b has ratio times as many:
 * (z_(1 - alpha/2) + z_power)^2 (sd_a^2 + sd_b^2 / ratio) / difference^2. */
double stat_size_means(double difference, double sd_a, double sd_b, double ratio, double alpha, double power);
/* An arm, for a difference of rates: by both variances; by the pooled one under no difference (Fleiss 1981). */
double stat_size_rates(double rate_a, double rate_b, double alpha, double power);
double stat_size_rates_pooled(double rate_a, double rate_b, double alpha, double power);
/* Cohen's h, 2 asin(sqrt(b)) - 2 asin(sqrt(a)), and ((z + z) / h)^2: the size of ONE arm against a known rate. Two
 * arms need twice as many each. */
double stat_cohens_h(double rate_a, double rate_b);
double stat_size_rate_arcsine(double rate_a, double rate_b, double alpha, double power);

/* The power of the two-sample t test with n an arm for a difference of d standard deviations, and the n that reaches a
 * power, exactly, by the noncentral t. n > 1; |d| sqrt(n / 2) <= 37. */
double stat_power_t(double d, double n, double alpha);
double stat_size_t(double d, double alpha, double power);

/* The least effects that n an arm show with this power: of means, and of a rate that rises from rate_a (NaN when it
 * would have to exceed 1). */
double stat_least_difference(double sd_a, double sd_b, double n, double alpha, double power);
double stat_least_rise(double rate_a, double n, double alpha, double power);

/* What the anytime promise costs at the size that the sequence is tuned for (exact rho). */
struct stat_anytime_cost {
	double k, multiplier; /* of the normal mixture there */
	double width_ratio;   /* of the interval to the fixed one */
	double size_ratio;    /* for the same power, if decided there only */
};
struct stat_anytime_cost stat_anytime_cost(double alpha, double power);

#endif
