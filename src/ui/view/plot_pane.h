/*
 * plot_pane: draws any plot in any area, alone or beside others.
 *
 * Pure drawing. A title with what is drawn and its newest figure, the chart with the ends of its scales and their
 * units, marks as lines with labels. Without colour it says the same: bad points have their own glyph, second values
 * their own shade. What there is no room for is left out from the least: the scales first, then lines, then all but
 * the title and one line. Not here: the numbers (core/plot), charts out of cells (chart).
 */
#ifndef UI_PLOT_PANE_H
#define UI_PLOT_PANE_H

#include "core/plot.h"
#include "ui/view/chart.h"

#define PLOT_PANE_ROWS_MIN 4 /* a title, two lines of chart and the scale below */

void plot_pane_draw(struct canvas *c, struct area area, const struct plot *plot);
/* All of them in a grid that suits the area, the first ones first; where not all fit the last title says how many
 * there are. */
void plot_panes_draw(struct canvas *c, struct area area, const struct plot *plots, size_t count);

/* A frame with its scales, for plot_shapes.c. */
struct plot_frame {
	struct canvas *c;
	const struct plot *plot;
	struct area chart; /* the cells of the data */
	struct chart_scale x, y;
};
/* "SLO 5.0ms" */
#define PLOT_MARK_TEXT_SIZE (PLOT_LABEL_SIZE + PLOT_VALUE_SIZE)
void plot_mark_text(const struct plot_frame *f, const struct plot_mark *mark, char text[PLOT_MARK_TEXT_SIZE]);
/* What is drawn by its x and y; the scales that suit its numbers and marks. */
void plot_shape_scales(struct plot_frame *f);
void plot_shape_draw(const struct plot_frame *f);
/* A line an interval, with its numbers. */
void plot_intervals_draw(struct canvas *c, struct area area, const struct plot *plot);
/* Vertical marks with their labels in the row above the chart, where there is one (label_row -1: none). */
void plot_marks_across(const struct plot_frame *f, enum plot_axis axis, int label_row);

#endif
