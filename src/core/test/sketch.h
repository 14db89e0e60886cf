/*
 * sketch: quantiles of any number of values in fixed memory, each within 0.2% of the true one.
 *
 * Owner: the caller, from sketch_new() to sketch_free(); one thread. 2 x SKETCH_BUCKETS counts by DDSketch's mapping
 * (core/stat/stat_quantile); magnitudes below 1e-30 count as 0, those above 1e30 as 1e30. Values that are not finite
 * must be left out. Not here: quantiles of samples that fit into memory (stat_quantile).
 */
#ifndef CORE_TEST_SKETCH_H
#define CORE_TEST_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#define SKETCH_ACCURACY 0.002

struct sketch;

struct sketch *sketch_new(void); /* NULL when memory is out */
void sketch_free(struct sketch *s);
void sketch_add(struct sketch *s, double value);
uint64_t sketch_count(const struct sketch *s);
/* Adds the counts of the values to even bins from low to high, the ends of which hold what lies beyond. */
void sketch_histogram(const struct sketch *s, double low, double high, double *bins, size_t bin_count);
/* The value of rank floor(q (count - 1)), ascending, as a bucket has it; NaN when empty. */
double sketch_quantile(const struct sketch *s, double q);

#endif
