/*
 * stress_plots: the charts of a stress test, while it runs and in its report: latencies with the SLO, p99 and rate
 * over time, the steps of a search with its knee, memory of a soak.
 *
 * Pure; any thread. The figures are those of the report. Not here: drawing (ui/view/plot_pane).
 */
#ifndef CORE_TEST_STRESS_PLOTS_H
#define CORE_TEST_STRESS_PLOTS_H

#include "core/plot.h"
#include "core/test/stress_report.h"

/* counts: of the load that the latencies are of. Returns how many plots there are. */
size_t stress_plots(const struct stress_report *r, const struct load_counts *counts, struct plot plots[PLOTS_MAX]);

#endif
