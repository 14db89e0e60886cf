/*
 * stat_proportion: one rate and two rates: intervals, tests at a planned sample size, exact tests of small counts.
 *
 * Pure; any thread; no allocation. alpha is the two-sided level: 0.05 for 95% intervals. What is not exact here (the
 * pooled z, Wald) must not be used below 30 events or 30 others an arm, and none of it may be looked at again and
 * again: that is stat_anytime. Functions that return a value give NaN for impossible counts or levels.
 */
#ifndef CORE_STAT_STAT_PROPORTION_H
#define CORE_STAT_STAT_PROPORTION_H

#include "core/stat/stat.h"

/* Intervals of one rate. Wilson (1927): the score test turned round; the one to show. Clopper-Pearson (1934): never
 * covers less than 1 - alpha; the one to alarm by. Jeffreys: equal tails of the posterior Beta(x + 1/2, n - x + 1/2).
 * No trials: [0, 1]. */
struct stat_interval stat_wilson(struct stat_share share, double alpha);
struct stat_interval stat_clopper_pearson(struct stat_share share, double alpha);
struct stat_interval stat_jeffreys(struct stat_share share, double alpha);
/* The rate is above this with a confidence of 1 - alpha, one-sided; 0 when there were no events. */
double stat_clopper_pearson_lower(struct stat_share share, double alpha);

struct stat_two_rates {
	double difference;                       /* of b less a */
	double error_pooled, z_pooled, p_pooled; /* under no difference; z 0 and p 1 when neither arm varies */
	double error, z;                         /* unpooled */
	struct stat_interval wald;
	struct stat_interval newcombe;      /* Statistics in Medicine 17 (1998), method 10: the one to show */
	struct stat_interval agresti_caffo; /* The American Statistician 54 (2000) */
};

/* An arm without trials, more events than trials, alpha outside (0, 1): ERR_INPUT. */
int stat_two_rates(struct stat_share a, struct stat_share b, double alpha, struct stat_two_rates *t, struct err *e);

/* Fisher's exact test of the table [[a, b], [c, d]], two-sided: all tables with the same margins that are no more
 * probable than this one (within 1e-7, for rounding). 1 for a margin of 0. Takes about the standard deviation of a,
 * in steps of 5 ns. Each margin at most 2^53. */
double stat_fisher(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* Pairs that changed: b one way, c the other. (McNemar 1947; mid-p: Fagerland et al. 2013.) */
struct stat_mcnemar {
	double p_exact, p_mid;
	double chi2, p_chi2;                       /* asymptotic: 25 changed pairs at least */
	double chi2_continuity, p_chi2_continuity; /* (|b - c| - 1)^2 / (b + c) */
};
struct stat_mcnemar stat_mcnemar(uint64_t b, uint64_t c);

/* k events of n against the rate p, exact and two-sided: all counts no more probable than k. */
double stat_binomial_two_sided(uint64_t k, uint64_t n, double p);

/* Two counts over two exposures (time, requests): given their sum, the first is binomial(t1 / (t1 + t2)).
 * (Przyborowski and Wilenski 1940.) ratio is rate 2 over rate 1: INFINITY when there was no event 1, NaN when none
 * at all. Exposures must be positive, else ERR_INPUT. */
struct stat_poisson_rates {
	double ratio, p;
};
int stat_poisson_rates(uint64_t x1, double t1, uint64_t x2, double t2, struct stat_poisson_rates *rates, struct err *e);

#endif
