/*
 * forest: the metrics of one arm of an A/B test against the control, a row each, as a forest plot.
 *
 * Pure drawing; nothing is left out, so the caller clips. Every row has a scale of its own around zero, which stands in
 * the middle of all of them, and right of it is better, whichever way the metric goes: so the eye finds what got worse.
 * Of metrics that are to stay the same, right is up. Zero and margin are marked; a bound that is not known is an arrow.
 */
#ifndef UI_FOREST_H
#define UI_FOREST_H

#include "core/snapshot.h"
#include "ui/view/canvas.h"

/* Headings, rows and what the marks mean, from a row on; returns the row after the last. s has its detail. */
int forest_draw(struct canvas *c, int row, int column, int columns, const struct snapshot_experiment *s, size_t arm);
/* One bar alone. */
void forest_bar(struct canvas *c, int row, int column, int columns, const struct snapshot_comparison *comparison,
		const struct experiment_metric *metric);

#endif
