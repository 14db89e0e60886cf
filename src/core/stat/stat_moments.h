/*
 * stat_moments: count, mean and variance of a stream of numbers, and the covariance of a stream of pairs.
 *
 * Plain values of fixed size, {0} is empty; the caller owns them and keeps threads apart: one accumulator a thread,
 * merged on reading. No allocation. Numbers are taken from the first one on, so a large offset (times since 1970)
 * costs no digits. A number that is not finite spoils the accumulator: mean and variance become NaN.
 * Welford, Technometrics 4 (1962); merging: Chan, Golub, LeVeque (1979).
 */
#ifndef CORE_STAT_STAT_MOMENTS_H
#define CORE_STAT_STAT_MOMENTS_H

#include <stddef.h>
#include <stdint.h>

struct stat_moments {
	uint64_t count;
	double origin; /* the first number */
	double above;  /* the mean, less the origin */
	double m2;     /* the sum of squared distances from the mean */
};

void stat_moments_add(struct stat_moments *m, double value);
void stat_moments_merge(struct stat_moments *into, const struct stat_moments *from);
/* Of an array; of a summary whose sd is the sample's (n - 1). */
struct stat_moments stat_moments_of(const double *values, size_t count);
struct stat_moments stat_moments_from(uint64_t count, double mean, double sd);

/* NaN when empty. */
double stat_moments_mean(const struct stat_moments *m);
/* Of the sample (n - 1): NaN below two numbers. Of the population (n): NaN when empty. */
double stat_moments_variance(const struct stat_moments *m);
double stat_moments_population_variance(const struct stat_moments *m);
/* The mean of b less the mean of a, without the digits that their common offset would cost. */
double stat_moments_difference(const struct stat_moments *a, const struct stat_moments *b);

/* Pairs (x, y): both moments, and c, the sum of the products of distances from the means. */
struct stat_pairs {
	struct stat_moments x, y;
	double c;
};

void stat_pairs_add(struct stat_pairs *p, double x, double y);
void stat_pairs_merge(struct stat_pairs *into, const struct stat_pairs *from);
/* Of the sample (n - 1); NaN below two pairs. The correlation is NaN when x or y never varied. */
double stat_pairs_covariance(const struct stat_pairs *p);
double stat_pairs_correlation(const struct stat_pairs *p);

#endif
