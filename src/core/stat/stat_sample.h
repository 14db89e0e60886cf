/*
 * stat_sample: what the statistics of ordered samples share: sorting, ties, the k-th least of all pairs.
 *
 * Pure; any thread; no allocation. Internal to this folder.
 */
#ifndef CORE_STAT_STAT_SAMPLE_H
#define CORE_STAT_STAT_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether every value is finite. */
bool stat_sample_is_finite(const double *values, size_t count);
/* Ascending; no NaN. */
void stat_sample_sort(double *values, size_t count);
/* How many values from `from` on are equal to it, in a sorted sample; at least 1. */
size_t stat_sample_run(const double *values, size_t count, size_t from);

/* Halving between two doubles through all doubles that lie between: at most 64 steps to the least one for which a
 * condition that changes once holds. `while (next(&b, &middle)) take(&b, condition of middle)`; then middle is it. */
struct stat_bisection {
	uint64_t low, high; /* the doubles as whole numbers in the same order */
};
struct stat_bisection stat_bisection(double low, double high);
bool stat_bisection_next(const struct stat_bisection *b, double *middle);
void stat_bisection_take(struct stat_bisection *b, bool holds);

/* The k-th least (1 is the least) of the na nb differences b - a, or ratios b / a of positive values, of two sorted
 * samples; 64 walks along both, whatever their sizes. k in 1 .. na nb. */
enum stat_pairing { STAT_DIFFERENCE, STAT_RATIO };
double stat_sample_pair(const double *a, size_t na, const double *b, size_t nb, enum stat_pairing pairing, uint64_t k);

#endif
