/*
 * chart: histograms, axes, sparklines and split bars out of cells.
 *
 * Pure drawing on a canvas, clipped like everything there. Glyphs follow the canvas's charset;
 * every chart can be read without colour. Not here: which numbers are shown (panes, views).
 */
#ifndef UI_CHART_H
#define UI_CHART_H

#include "core/route.h"
#include "ui/view/canvas.h"

#include <stddef.h>

struct area {
	int row, column, rows, columns;
};

/* From its low end to its high one; log: both are above 0, and so is what is placed. */
struct chart_scale {
	double low, high;
	bool log;
};
/* The part of the way, 0 at the low end and 1 at the high one; NaN where the scale has no place for it. */
double chart_place(const struct chart_scale *scale, double value);

/*
 * Spreads bins over columns: column i gets the mean of the bins that lie under it, on the scale
 * where the columns together span [from, to) in units of bins. What lies outside the bins counts as
 * 0.
 */
void chart_resample(const double *bins, size_t bin_count, double from, double to, double *columns, int column_count);
/*
 * Vertical bars, one a column, as high as value / max of the area; a value above 0 always shows.
 * behind (may be NULL) is a silhouette: shaded where it rises above the bars, a crest line where it ends
 * inside them.
 */
void chart_bars(struct canvas *c, struct area area, const double *values, const double *behind, double max,
		enum canvas_role role);
/* A filled line over time, oldest first: braille dots where the charset has them, else bars. */
void chart_series(struct canvas *c, struct area area, const double *values, size_t count, double max,
		  enum canvas_role role);
/* A line over time, oldest first, between the ends of the scale; NaN is a gap. Braille dots where the charset has them,
 * else a dash a column. */
void chart_line(struct canvas *c, struct area area, const double *values, size_t count, const struct chart_scale *scale,
		enum canvas_role role);
/* Labels of a scale: at whole powers of ten where a logarithmic one has two of them, else at its ends and middle.
 * text: what a value is called, in less than 24 bytes. */
void chart_axis(struct canvas *c, int row, int column, int columns, const struct chart_scale *scale,
		void (*text)(const void *context, double value, bool ascii, char *text), const void *context);
/* Ticks at the whole powers of ten between 10^from and 10^to nanoseconds, labelled 10µs, 100µs, 1ms
 * ... */
void chart_log_axis(struct canvas *c, int row, int column, int columns, double from, double to);
/* The two ends and the middle of a linear scale; < and > at an end say that more lies beyond it. */
void chart_linear_axis(struct canvas *c, int row, int column, int columns, double from, double to, bool more_below,
		       bool more_above);
/* A part, 0 to 1, of a line of cells in eighths of a cell; what is missing is a dim track. A part above 0 always
 * shows, and only a whole fills the last cell. */
void chart_progress(struct canvas *c, int row, int column, int columns, double part, enum canvas_role role);
/* Shares of a route as a bar: live is solid, canaries are shaded. Every version with a share gets a
 * cell. */
void chart_split(struct canvas *c, int row, int column, int columns, const struct route_entry *route, size_t count);

#endif
