/*
 * histogram: log-linear counts of nanoseconds, at most 0.8% off, mergeable by adding.
 *
 * Values below 128 ns have a bucket each; above, every power of two is cut into 64 equal buckets, so half a
 * bucket is at most 1/128 of its value. Pure functions on arrays of HISTOGRAM_BUCKETS counts; the caller owns
 * them. Values beyond HISTOGRAM_MAX_NS (18 minutes) count as it.
 */
#ifndef CORE_HISTOGRAM_H
#define CORE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_MAX_BITS 40
#define HISTOGRAM_BUCKETS ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)
#define HISTOGRAM_MAX_NS ((UINT64_C(1) << HISTOGRAM_MAX_BITS) - 1)

/* The bucket of a value. */
static inline uint32_t histogram_bucket(uint64_t ns)
{
	if (ns > HISTOGRAM_MAX_NS)
		ns = HISTOGRAM_MAX_NS;
	if (ns < (2u << HISTOGRAM_SUB_BITS))
		return (uint32_t)ns;
	uint32_t shift = 63u - (uint32_t)__builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
	return (shift << HISTOGRAM_SUB_BITS) + (uint32_t)(ns >> shift);
}

/* The middle of a bucket, its value for people. */
uint64_t histogram_value_ns(uint32_t bucket);

/* The value at or below which a share of the counts lies: quantile in (0, 1], nearest rank; 0 when all
 * counts are 0. quantile 1 is the greatest value seen. */
uint64_t histogram_quantile_ns(const uint64_t counts[HISTOGRAM_BUCKETS], double quantile);

#endif
