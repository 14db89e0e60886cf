#include "core/test/benchmark_plots.h"

#include <stdio.h>

static void begin(struct plot *p, double limit, const char *label, const char *format, const char *new_name,
		  const char *old_name)
{
	char title[2 * PLOT_TITLE_SIZE];

	snprintf(title, sizeof title, "%s, %.20s to %.20s", format, new_name, old_name);
	plot_begin(p, PLOT_INTERVALS, title, PLOT_IN_VALUE, PLOT_IN_RATIO);
	plot_mark(p, PLOT_AXIS_Y, limit, label);
	plot_mark(p, PLOT_AXIS_Y, 1, "");
}

static void add(struct plot *p, const char *label, const struct benchmark_measure *m)
{
	plot_interval(p, label, m->interval.low, m->ratio, m->interval.high, m->verdict == BENCHMARK_REGRESSION);
}

size_t benchmark_plots(const struct benchmark *b, const char *new_name, const char *old_name,
		       struct plot plots[PLOTS_MAX])
{
	char label[PLOT_LABEL_SIZE];

	if (b->pair_count == 0)
		return 0;
	begin(&plots[0], b->ratio_max, "limit", "time of a row", new_name, old_name);
	for (size_t i = 0; i < b->batch_count; i++) {
		snprintf(label, sizeof label, "%zu a call", b->batches[i]);
		add(&plots[0], label, &b->times[i]);
	}
	begin(&plots[1], b->memory_max, "limit", "memory and load", new_name, old_name);
	add(&plots[1], "memory", &b->memory);
	add(&plots[1], "load time", &b->load);
	return 2;
}
