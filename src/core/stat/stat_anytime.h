/*
 * stat_anytime: evidence and intervals that hold however often they are looked at.
 *
 * Pure; any thread; no allocation. An e-value E is what a bet against "no difference" has grown to from 1: under no
 * difference it exceeds 1 / alpha, ever, with a probability of at most alpha. It is kept as log_e = ln E, which may be
 * 1e5 and more. A p value that holds at any time is min(1, 1 / E); callers keep the greatest log_e seen, so that a
 * verdict does not waver.
 *
 * Two kernels. The normal mixture is for means and frequent rates: asymptotic, and wrong for rare events (measured
 * false alarms 0.19 to 0.57 at a nominal 0.05), so stat_anytime_is_frequent() must allow it. The Dirichlet-multinomial
 * one is for counts: exact at any number, so it is for errors, rare events and sample ratios.
 * Not here: the verdict (who asks decides), tests at a planned sample size (stat_mean, stat_proportion).
 */
#ifndef CORE_STAT_STAT_ANYTIME_H
#define CORE_STAT_STAT_ANYTIME_H

#include "core/stat/stat.h"
#include "core/stat/stat_moments.h"

/* min(1, exp(-log_e)): the p value that holds at any time. */
double stat_anytime_p(double log_e);

/* Normal mixture. k is how much is known, n rho^2 or tau^2 / error^2; z the difference in standard errors. */

/* ln E = k z^2 / (2 (1 + k)) - ln(1 + k) / 2. */
double stat_mixture_log_e(double k, double z);
/* The half width of the two-sided confidence sequence in standard errors: sqrt(2 (k + 1) / k ln(sqrt(k + 1) / alpha)).
 */
double stat_mixture_multiplier(double k, double alpha);
/* The same of a bound on one side: sqrt(2 (k + 1) / k ln(1 + sqrt(k + 1) / (2 alpha))), with rho made for 2 alpha. */
double stat_mixture_multiplier_one_sided(double k, double alpha);
/* The rho that makes the sequence narrowest at n_star observations, approximately, and exactly by Lambert's W; alpha in
 * (0, 1), n_star > 0. (Waudby-Smith et al., arXiv 2103.06476.) */
double stat_mixture_rho(double alpha, double n_star);
double stat_mixture_rho_exact(double alpha, double n_star);
/* sqrt((v + rho) (ln(1 + v / rho) + 2 ln(1 / alpha))): the boundary of a sum with variance v (Howard et al. 2021). */
double stat_mixture_bound(double v, double rho, double alpha);

struct stat_sequence {
	double difference, error, z; /* of b less a, its standard error, their ratio */
	double k, multiplier, radius;
	struct stat_interval interval;
	double log_e, p;
};

/* b less a, two-sided, at level 1 - alpha. Two values an arm at least, else ERR_INPUT; while neither arm has varied
 * nothing is known: z and log_e are 0 and the interval is unbounded. */
int stat_anytime_means(const struct stat_moments *a, const struct stat_moments *b, double alpha, double rho,
		       struct stat_sequence *s, struct err *e);
/* The same on one side: interval.high is INFINITY and log_e of the two-sided test; rho is made for 2 alpha. */
int stat_anytime_means_above(const struct stat_moments *a, const struct stat_moments *b, double alpha, double rho,
			     struct stat_sequence *s, struct err *e);

/* The normal mixture may be used on rates: at least STAT_FREQUENT_MIN events, and as many others, in both arms. */
#define STAT_FREQUENT_MIN 30
bool stat_anytime_is_frequent(struct stat_share a, struct stat_share b);

/* ln E of the sequential test of a normal mean (mSPRT; Johari et al. 2022): effects are N(0, tau^2) a priori. */
double stat_msprt_log_e(double difference, double error, double tau);

/* ln E of counts against the shares they should have, prior Dirichlet(concentration w):
 * ln G(c) - ln G(c + N) + sum(ln G(c w + n) - ln G(c w) - n ln w), without cancellation (Lindon and Malek 2022).
 * A count where the weight is 0 is impossible under no difference: INFINITY. Weights sum to 1 within 1e-9, are scaled
 * to do so exactly, and are not negative; concentration > 0; at least one cell. Else ERR_INPUT. No counts yet: 0.
 * Sample ratio: assignments against the shares, concentration 1000. Errors: events by arm against the arms' shares of
 * traffic, concentration 20; given an event, its arm is multinomial under no difference even when the rate drifts. */
#define STAT_RATIO_CONCENTRATION 1000
#define STAT_EVENT_CONCENTRATION 20
int stat_counts_log_e(const uint64_t *counts, const double *weights, size_t cells, double concentration, double *log_e,
		      struct err *e);

/* The confidence sequence of the second cell's share of counts in two cells: all shares against which the counts above
 * are no evidence of 1 / alpha. So it leaves a weight out exactly where stat_counts_log_e() passes ln(1 / alpha). No
 * counts yet: [0, 1]. alpha in (0, 1), concentration > 0, else ERR_INPUT. */
int stat_anytime_split(const uint64_t counts[2], double concentration, double alpha, struct stat_interval *share,
		       struct err *e);

/* The confidence sequence of one rate, mixture Beta(1, 1) (Robbins 1970): all p with P(events | p) > alpha / (n + 1).
 * No trials yet: [0, 1]. More events than trials, or alpha outside (0, 1): ERR_INPUT. */
int stat_anytime_rate(struct stat_share share, double alpha, struct stat_interval *interval, struct err *e);
/* ln E of the same against one rate, p in [0, 1]. */
double stat_anytime_rate_log_e(struct stat_share share, double p);

/* A quantile p at any time: the ranks (1 is the least value) whose order statistics enclose it, 0 and n + 1 where
 * there is no bound yet; radii in shares, INFINITY then. n_star: where it shall be narrowest. Howard and Ramdas,
 * Bernoulli 28 (2022), the beta-binomial mixture. p and alpha in (0, 1), else ERR_INPUT. */
struct stat_ranks {
	double lower_radius, upper_radius;
	uint64_t lower, upper;
};
int stat_anytime_quantile(double p, uint64_t n, double n_star, double alpha, struct stat_ranks *ranks, struct err *e);

#endif
