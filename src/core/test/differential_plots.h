/*
 * differential_plots: the charts of a differential test, while it runs and in its report: predictions of both versions,
 * and how many rows differ by how much of their tolerance.
 *
 * Pure; any thread. The figures are those of the report. Not here: drawing (ui/view/plot_pane).
 */
#ifndef CORE_TEST_DIFFERENTIAL_PLOTS_H
#define CORE_TEST_DIFFERENTIAL_PLOTS_H

#include "core/plot.h"
#include "core/test/differential.h"

/* Names of the versions: "v3". Returns how many plots there are. */
size_t differential_plots(const struct differential *d, const char *new_name, const char *old_name,
			  struct plot plots[PLOTS_MAX]);

#endif
