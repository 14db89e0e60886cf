/*
 * experiment_sums: exact sums of pairs of whole numbers, from which single pairs can be taken out again.
 *
 * A plain value, {0} is empty; one writer. The sums are 128-bit integers: no update loses anything, so the same pairs
 * in any order, added, taken out and added again, leave the same bits, after 1e8 updates as after two. Values are made
 * whole numbers by who knows their range (experiment_state).
 * Limits: |x| and |y| up to EXPERIMENT_STEPS_MAX, 2^40 pairs; within them nothing overflows (2^40 x 2^80 < 2^127).
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_SUMS_H
#define CORE_EXPERIMENT_EXPERIMENT_SUMS_H

#include "core/err.h"
#include "core/stat/stat_moments.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define EXPERIMENT_STEPS_MAX (INT64_C(1) << 40)

__extension__ typedef __int128 experiment_wide;
__extension__ typedef unsigned __int128 experiment_unsigned_wide;

struct experiment_sums {
	uint64_t count;    /* pairs */
	uint64_t not_zero; /* of them with y other than 0 */
	experiment_wide x, y, xx, yy, xy;
};

void experiment_sums_add(struct experiment_sums *s, int64_t x, int64_t y);
/* One that was added; the caller vouches for it. */
void experiment_sums_remove(struct experiment_sums *s, int64_t x, int64_t y);
void experiment_sums_merge(struct experiment_sums *into, const struct experiment_sums *from);
bool experiment_sums_equal(const struct experiment_sums *a, const struct experiment_sums *b);

/* Means, variances and covariance of x and y times these scales; no digits are lost to a common offset. */
struct stat_pairs experiment_sums_pairs(const struct experiment_sums *s, double scale_x, double scale_y);

/* {"count","not_zero","x","y","xx","yy","xy"}: whole numbers as texts of decimal digits. What no pairs can have summed
 * up to is ERR_INPUT. */
cJSON *experiment_sums_to_json(const struct experiment_sums *s);
int experiment_sums_from_json(const cJSON *json, struct experiment_sums *s, struct err *e);

#endif
