#include "core/test/sketch.h"

#include "core/stat/stat_quantile.h"

#include <math.h>
#include <stdlib.h>

#define MAGNITUDE_LEAST 1e-30
#define MAGNITUDE_MOST 1e30

struct sketch {
	int64_t first;  /* index of the least magnitude */
	size_t buckets; /* of one sign */
	uint64_t count, zeros;
	uint64_t *negative, *positive; /* [buckets] */
};

struct sketch *sketch_new(void)
{
	struct sketch *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->first = stat_sketch_index(MAGNITUDE_LEAST, SKETCH_ACCURACY);
	s->buckets = (size_t)(stat_sketch_index(MAGNITUDE_MOST, SKETCH_ACCURACY) - s->first) + 1;
	s->negative = calloc(s->buckets, sizeof *s->negative);
	s->positive = calloc(s->buckets, sizeof *s->positive);
	if (s->negative != NULL && s->positive != NULL)
		return s;
	sketch_free(s);
	return NULL;
}

void sketch_free(struct sketch *s)
{
	if (s == NULL)
		return;
	free(s->negative);
	free(s->positive);
	free(s);
}

void sketch_add(struct sketch *s, double value)
{
	double magnitude = fabs(value);

	s->count++;
	if (magnitude < MAGNITUDE_LEAST) {
		s->zeros++;
		return;
	}
	int64_t index = stat_sketch_index(fmin(magnitude, MAGNITUDE_MOST), SKETCH_ACCURACY) - s->first;
	(value < 0 ? s->negative : s->positive)[index]++;
}

uint64_t sketch_count(const struct sketch *s)
{
	return s->count;
}

static void into_bin(double value, uint64_t count, double low, double high, double *bins, size_t bin_count)
{
	double part = fmin(fmax((value - low) / (high - low), 0), 1);
	size_t bin = (size_t)(part * (double)bin_count);

	bins[bin < bin_count ? bin : bin_count - 1] += (double)count;
}

void sketch_histogram(const struct sketch *s, double low, double high, double *bins, size_t bin_count)
{
	if (s->zeros > 0)
		into_bin(0, s->zeros, low, high, bins, bin_count);
	for (size_t i = 0; i < s->buckets; i++) {
		if (s->negative[i] == 0 && s->positive[i] == 0)
			continue;
		double value = stat_sketch_value(s->first + (int64_t)i, SKETCH_ACCURACY);
		if (s->negative[i] > 0)
			into_bin(-value, s->negative[i], low, high, bins, bin_count);
		if (s->positive[i] > 0)
			into_bin(value, s->positive[i], low, high, bins, bin_count);
	}
}

double sketch_quantile(const struct sketch *s, double q)
{
	if (s->count == 0)
		return (double)NAN;
	uint64_t rank = (uint64_t)(q * (double)(s->count - 1)), seen = 0;

	for (size_t i = s->buckets; i-- > 0;) {
		seen += s->negative[i];
		if (seen > rank)
			return -stat_sketch_value(s->first + (int64_t)i, SKETCH_ACCURACY);
	}
	seen += s->zeros;
	if (seen > rank)
		return 0;
	for (size_t i = 0; i < s->buckets; i++) {
		seen += s->positive[i];
		if (seen > rank)
			return stat_sketch_value(s->first + (int64_t)i, SKETCH_ACCURACY);
	}
	return stat_sketch_value(s->first + (int64_t)s->buckets - 1, SKETCH_ACCURACY);
}
