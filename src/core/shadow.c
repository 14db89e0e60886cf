#include "core/shadow.h"

#include <math.h>
#include <stdbool.h>

static const double edges[SHADOW_BINS] = {0,    1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2,
					  1e-1, 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  INFINITY};

double shadow_bin_edge(size_t bin)
{
	return edges[bin];
}

static size_t bin_of(double absolute)
{
	size_t bin = 0;

	if (absolute > 0)
		for (bin = 1; absolute >= edges[bin];)
			bin++;
	return bin;
}

static void add_difference(struct shadow_stats *stats, double difference)
{
	double absolute = fabs(difference);

	stats->differing += absolute > 0;
	stats->difference_sum += difference;
	stats->absolute_sum += absolute;
	stats->absolute_max = fmax(stats->absolute_max, absolute);
	stats->bins[bin_of(absolute)]++;
}

static void add_incomparable(struct shadow_stats *stats)
{
	stats->differing++;
	stats->incomparable++;
}

static bool is_flip(enum shadow_sense sense, double live, double shadow)
{
	if (sense == SHADOW_CLASSES)
		return live != shadow;
	return sense == SHADOW_PROBABILITIES && (live >= 0.5) != (shadow >= 0.5);
}

static void add_row(struct shadow_stats *stats, enum shadow_sense sense, double live, double shadow)
{
	double difference = shadow - live;

	/* Equal infinities have a difference of NaN. */
	if ((isnan(live) && isnan(shadow)) || live == shadow) {
		add_difference(stats, 0);
	} else if (!isfinite(difference)) {
		add_incomparable(stats);
	} else {
		add_difference(stats, difference);
		stats->flips += is_flip(sense, live, shadow);
	}
}

void shadow_compare(struct shadow_stats *stats, const struct shadow_answer *live, const struct shadow_answer *shadow)
{
	size_t rows = live->count > shadow->count ? live->count : shadow->count;
	bool alike = (live->sense == SHADOW_CLASSES) == (shadow->sense == SHADOW_CLASSES);
	enum shadow_sense sense = live->sense == shadow->sense ? live->sense : SHADOW_NUMBERS;

	stats->rows += rows;
	for (size_t i = 0; i < rows; i++)
		if (alike && i < live->count && i < shadow->count)
			add_row(stats, sense, live->values[i], shadow->values[i]);
		else
			add_incomparable(stats);
}

double shadow_flip_percent(const struct shadow_stats *stats)
{
	return 100 * (double)stats->flips / (double)stats->rows;
}

double shadow_difference_mean(const struct shadow_stats *stats)
{
	return stats->difference_sum / (double)(stats->rows - stats->incomparable);
}

double shadow_absolute_mean(const struct shadow_stats *stats)
{
	return stats->absolute_sum / (double)(stats->rows - stats->incomparable);
}

double shadow_latency_ratio(const struct shadow_stats *stats)
{
	return stats->live_ns_sum == 0 ? NAN : (double)stats->shadow_ns_sum / (double)stats->live_ns_sum;
}
