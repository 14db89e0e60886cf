/* stress: whether memory grows. */
#include "core/test/stress.h"

#include "core/stat/stat_quantile.h"
#include "core/stat/stat_rank.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_MS 500
#define GROWTH_BYTES 1048576.0
#define GROWTH_SHARE 0.01
#define MS_AN_HOUR 3600000.0
/* Neighbours are alike; medians of blocks are more nearly independent, and these so few that the test is exact. */
#define BLOCKS_MAX 80

void stress_memory_add(struct stress_memory *m, uint64_t time_ms, double bytes)
{
	if (m->interval_ms == 0)
		m->interval_ms = INTERVAL_MS;
	if (m->count > 0 && time_ms - m->times_ms[m->count - 1] < m->interval_ms)
		return;
	if (m->count == STRESS_SAMPLES_MAX) {
		m->count /= 2;
		m->interval_ms *= 2;
		for (size_t i = 0; i < m->count; i++) {
			m->times_ms[i] = m->times_ms[2 * i];
			m->bytes[i] = m->bytes[2 * i];
		}
	}
	m->times_ms[m->count] = time_ms;
	m->bytes[m->count++] = bytes;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(const double *values, size_t count)
{
	double sorted[STRESS_SAMPLES_MAX];

	memcpy(sorted, values, count * sizeof *values);
	qsort(sorted, count, sizeof *sorted, ascending);
	return stat_quantile_sorted(sorted, count, 0.5);
}

/* Medians of equal blocks and the middles of their times. */
static size_t make_blocks(const struct stress_memory *m, size_t first, double times_ms[BLOCKS_MAX],
			  double bytes[BLOCKS_MAX])
{
	size_t count = m->count - first, blocks = count < BLOCKS_MAX ? count : BLOCKS_MAX;

	for (size_t i = 0; i < blocks; i++) {
		size_t from = first + i * count / blocks, to = first + (i + 1) * count / blocks;
		bytes[i] = median(m->bytes + from, to - from);
		times_ms[i] = ((double)m->times_ms[from] + (double)m->times_ms[to - 1]) / 2;
	}
	return blocks;
}

int stress_growth(const struct stress_memory *m, struct stress_growth *g, struct err *e)
{
	double times_ms[BLOCKS_MAX], bytes[BLOCKS_MAX], slopes[BLOCKS_MAX / 2];
	size_t first = m->count / 4;
	struct stat_wilcoxon w;

	*g = (struct stress_growth){.samples = m->count - first, .verdict = FINDING_WAIT};
	g->slope_bytes_h = g->interval.low = g->interval.high = (double)NAN;
	if (g->samples < STRESS_SAMPLES_MIN)
		return 0;
	size_t blocks = make_blocks(m, first, times_ms, bytes), half = blocks / 2, tenth = (blocks + 9) / 10;
	for (size_t i = 0; i < half; i++)
		slopes[i] =
		    (bytes[i + blocks - half] - bytes[i]) / (times_ms[i + blocks - half] - times_ms[i]) * MS_AN_HOUR;
	if (stat_wilcoxon(slopes, half, 0.05, &w, e) != 0)
		return -1;
	g->hours = (times_ms[blocks - 1] - times_ms[0]) / MS_AN_HOUR;
	g->first_bytes = median(bytes, tenth);
	g->last_bytes = median(bytes + blocks - tenth, tenth);
	g->slope_bytes_h = w.shift;
	g->interval = w.interval;
	double least = g->interval.low * g->hours;
	g->verdict = least > GROWTH_BYTES && least > GROWTH_SHARE * g->first_bytes ? FINDING_FAIL : FINDING_PASS;
	return 0;
}

struct finding stress_growth_finding(const struct stress_growth *g)
{
	struct finding f = {.name = "memory_growth",
			    .verdict = g->verdict,
			    .value = g->slope_bytes_h / 1048576,
			    .threshold = (double)NAN,
			    .unit = "MiB/h",
			    .n = g->samples,
			    .n_needed = STRESS_SAMPLES_MIN};

	if (g->verdict == FINDING_WAIT)
		snprintf(f.text, sizeof f.text, "too short to tell whether memory grows");
	else
		snprintf(f.text, sizeof f.text,
			 "memory went from %.1f to %.1f MiB: %+.3g MiB an hour, 95%% interval %.3g to %.3g",
			 g->first_bytes / 1048576, g->last_bytes / 1048576, g->slope_bytes_h / 1048576,
			 g->interval.low / 1048576, g->interval.high / 1048576);
	return f;
}
