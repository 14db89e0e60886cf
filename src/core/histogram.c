#include "core/histogram.h"

#include <math.h>

uint64_t histogram_value_ns(uint32_t bucket)
{
	if (bucket < (2u << HISTOGRAM_SUB_BITS))
		return bucket;
	uint32_t shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
	uint64_t low = (uint64_t)(bucket - (shift << HISTOGRAM_SUB_BITS)) << shift;
	return low + ((UINT64_C(1) << shift) >> 1);
}

uint64_t histogram_quantile_ns(const uint64_t counts[HISTOGRAM_BUCKETS], double quantile)
{
	uint64_t total = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += counts[i];
	if (total == 0)
		return 0;

	uint64_t rank = (uint64_t)ceil(quantile * (double)total), seen = 0;
	if (rank < 1)
		rank = 1;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += counts[i];
		if (seen >= rank)
			return histogram_value_ns(i);
	}
	return histogram_value_ns(HISTOGRAM_BUCKETS - 1);
}
