/*
 * stat_diff: two versions' predictions of the same rows, one row at a time.
 *
 * Plain accumulators, {0} is empty; the caller owns them, one a thread. No allocation. The paired test of the mean
 * shift is stat_paired() of `differences`, the test of flips stat_mcnemar() of both kinds.
 */
#ifndef CORE_STAT_STAT_DIFF_H
#define CORE_STAT_STAT_DIFF_H

#include "core/stat/stat.h"
#include "core/stat/stat_moments.h"

/* A row violates when |new - old| > atol + rtol |old|. Two NaN are equal, and so are two infinities of one sign; NaN
 * or an infinity against anything else violates, and is counted in not_finite, not in the differences. */
struct stat_row_diff {
	uint64_t rows, violations, not_finite;
	double greatest;                 /* |new - old| */
	struct stat_moments differences; /* new - old */
};
/* Returns whether this row violates. */
bool stat_row_diff_add(struct stat_row_diff *d, double old_value, double new_value, double atol, double rtol);
void stat_row_diff_merge(struct stat_row_diff *into, const struct stat_row_diff *from);
/* The root of the mean squared difference; NaN without finite rows. */
double stat_row_diff_rmse(const struct stat_row_diff *d);

/* How many floats apart two are, in their order; 0 for 0 and -0, and for two NaN; UINT32_MAX when one is NaN. */
uint32_t stat_ulp(float a, float b);

/* Classes of labelled rows. A negative flip was right and is wrong now, a positive one the other way; churn is all
 * rows whose class changed. */
struct stat_flips {
	uint64_t rows, negative, positive, churn, old_right, new_right;
};
void stat_flips_add(struct stat_flips *f, int64_t label, int64_t old_class, int64_t new_class);
void stat_flips_merge(struct stat_flips *into, const struct stat_flips *from);

#endif
