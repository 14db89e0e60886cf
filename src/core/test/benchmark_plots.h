/*
 * benchmark_plots: the charts of a benchmark, while it runs and in its report: the ratio of every batch size with its
 * interval, and those of memory and load time.
 *
 * Pure; any thread. The figures are those of the last benchmark_estimate() or benchmark_judge(). Not here: drawing
 * (ui/view/plot_pane).
 */
#ifndef CORE_TEST_BENCHMARK_PLOTS_H
#define CORE_TEST_BENCHMARK_PLOTS_H

#include "core/plot.h"
#include "core/test/benchmark.h"

/* Names of the versions: "v3". Returns how many plots there are; none before the first pair. */
size_t benchmark_plots(const struct benchmark *b, const char *new_name, const char *old_name,
		       struct plot plots[PLOTS_MAX]);

#endif
