/* plot_pane: what each kind of plot looks like, and the scales that suit its numbers. */
#include "ui/view/plot_pane.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LOG_FROM 20.0  /* times its least: points are spread by their logarithm */
#define MARK_REACH 2.0 /* a mark so many times beyond the greatest value still widens the scale */
#define ZOOM_FROM 0.5  /* values that stay above this part of the greatest are shown without the 0 */
#define LABEL_COLUMNS_MAX 16
#define BRIEF_COLUMNS 56 /* below, an interval is in the chart alone */

/* --- scales --- */

struct range {
	double low, high;
};

static void widen(struct range *r, double value)
{
	if (!isfinite(value))
		return;
	r->low = fmin(r->low, value);
	r->high = fmax(r->high, value);
}

static struct range range_of(const double *values, size_t count)
{
	struct range r = {INFINITY, -INFINITY};
	for (size_t i = 0; i < count; i++)
		widen(&r, values[i]);
	if (r.low > r.high)
		r = (struct range){0, 1};
	return r;
}

/* Marks that are not far off are within the scale. */
static void widen_by_marks(struct range *r, const struct plot *p, enum plot_axis axis)
{
	struct range values = *r;
	for (size_t i = 0; i < p->mark_count; i++) {
		double value = p->marks[i].value;
		if (p->marks[i].axis == axis && value <= fmax(values.high, 0) * MARK_REACH &&
		    value >= fmin(values.low, 0) * MARK_REACH)
			widen(r, value + fabs(value) * 0.05);
	}
}

/* From 0 where that wastes no room, and never without an extent. */
static struct chart_scale linear(struct range r, bool zoom)
{
	struct chart_scale s = {r.low, r.high, false};
	double least = fmax(fabs(r.high), fabs(r.low)) * 0.02;
	if (!zoom && s.low >= 0)
		s.low = 0;
	if (!zoom && s.high <= 0 && s.low < 0)
		s.high = 0;
	if (s.high - s.low < least) {
		double middle = s.low / 2 + s.high / 2;
		s.low = middle - least / 2;
		s.high = middle + least / 2;
	}
	if (!(s.high > s.low))
		s.high = s.low + 1;
	return s;
}

static struct chart_scale spread(struct range r, bool log)
{
	if (log && r.low > 0)
		return (struct chart_scale){r.low / 1.2, r.high * 1.2, true};
	struct chart_scale s = linear(r, false);
	s.high += (s.high - s.low) * 0.05;
	return s;
}

static void scales_of_points(struct plot_frame *f)
{
	const struct plot *p = f->plot;
	struct range x = range_of(p->x, p->count), y = range_of(p->y, p->count);
	widen_by_marks(&x, p, PLOT_AXIS_X);
	widen_by_marks(&y, p, PLOT_AXIS_Y);
	f->x = spread(x, p->x_log || (x.low > 0 && x.high > LOG_FROM * x.low));
	f->y = spread(y, y.low > 0 && y.high > LOG_FROM * y.low);
}

/* Whether a line without the 0 says more: memory that grows by a part of itself. */
static bool zoomed(const struct plot *p, struct range y)
{
	return p->y_unit == PLOT_IN_BYTES ? y.low > ZOOM_FROM * y.high : y.low < 0;
}

void plot_shape_scales(struct plot_frame *f)
{
	const struct plot *p = f->plot;
	double columns[CANVAS_COLUMNS_MAX];
	if (p->kind == PLOT_POINTS) {
		scales_of_points(f);
		return;
	}
	f->x = (struct chart_scale){p->x_low, p->x_high, p->x_log && p->kind == PLOT_HISTOGRAM};
	struct range y = range_of(p->y, p->count);
	if (plot_has_other(p)) {
		struct range other = range_of(p->y_other, p->count);
		widen(&y, other.low);
		widen(&y, other.high);
	}
	if (p->kind == PLOT_HISTOGRAM && f->chart.columns > 0 && f->chart.columns <= CANVAS_COLUMNS_MAX) {
		/* Bins that share a column are as high as their mean. */
		chart_resample(p->y, p->count, 0, (double)p->count, columns, f->chart.columns);
		y = range_of(columns, (size_t)f->chart.columns);
		chart_resample(p->y_other, p->count, 0, (double)p->count, columns, f->chart.columns);
		struct range other = range_of(columns, (size_t)f->chart.columns);
		y.high = fmax(y.high, other.high);
		y.high = y.high < 10 ? y.high : round(y.high); /* they are counts */
	}
	widen_by_marks(&y, p, PLOT_AXIS_Y);
	f->y = linear(y, p->kind == PLOT_SERIES && zoomed(p, y));
}

/* --- shapes --- */

static void draw_histogram(const struct plot_frame *f)
{
	double values[CANVAS_COLUMNS_MAX], other[CANVAS_COLUMNS_MAX];
	const struct plot *p = f->plot;
	if (f->chart.columns <= 0 || f->chart.columns > CANVAS_COLUMNS_MAX)
		return;
	chart_resample(p->y, p->count, 0, (double)p->count, values, f->chart.columns);
	chart_resample(p->y_other, p->count, 0, (double)p->count, other, f->chart.columns);
	chart_bars(f->c, f->chart, values, plot_has_other(p) ? other : NULL, f->y.high, ROLE_LIVE);
}

/* The second values: a dashed line a column, over which the first ones are drawn. */
static void draw_other(const struct plot_frame *f)
{
	const struct plot *p = f->plot;
	for (int i = 0; i < f->chart.columns; i++) {
		double value = p->y_other[(size_t)i * p->count / (size_t)f->chart.columns];
		double part = chart_place(&f->y, value);
		if (!isfinite(part))
			continue;
		int up = (int)fmin(fmax(ceil(part * f->chart.rows) - 1, 0), f->chart.rows - 1);
		canvas_cell(f->c, f->chart.row + f->chart.rows - 1 - up, f->chart.column + i,
			    f->c->charset == CHARSET_ASCII ? '\'' : 0x2591, ROLE_BASELINE);
	}
}

static void draw_series(const struct plot_frame *f)
{
	const struct plot *p = f->plot;
	if (plot_has_other(p) && p->count > 0)
		draw_other(f);
	if (f->y.low == 0)
		chart_series(f->c, f->chart, p->y, p->count, f->y.high, ROLE_LIVE);
	else
		chart_line(f->c, f->chart, p->y, p->count, &f->y, ROLE_LIVE);
}

static void draw_point(const struct plot_frame *f, size_t i)
{
	const struct plot *p = f->plot;
	double x = chart_place(&f->x, p->x[i]), y = chart_place(&f->y, p->y[i]);
	bool ascii = f->c->charset == CHARSET_ASCII;
	if (!isfinite(x) || !isfinite(y))
		return;
	int column = (int)lround(fmin(fmax(x, 0), 1) * (f->chart.columns - 1));
	int row = (int)lround(fmin(fmax(y, 0), 1) * (f->chart.rows - 1));
	uint32_t glyph = p->bad[i] ? (ascii ? 'x' : 0x2715) : (ascii ? 'o' : 0x25cf);
	canvas_cell(f->c, f->chart.row + f->chart.rows - 1 - row, f->chart.column + column, glyph,
		    p->bad[i] ? ROLE_BAD : ROLE_LIVE);
}

/* Those that did not do are on top: what is wrong is never hidden. */
static void draw_points(const struct plot_frame *f)
{
	for (int bad = 0; bad < 2; bad++) {
		for (size_t i = 0; i < f->plot->count; i++) {
			if (f->plot->bad[i] == (bad == 1))
				draw_point(f, i);
		}
	}
}

void plot_shape_draw(const struct plot_frame *f)
{
	if (f->plot->kind == PLOT_HISTOGRAM)
		draw_histogram(f);
	else if (f->plot->kind == PLOT_SERIES)
		draw_series(f);
	else
		draw_points(f);
}

/* --- intervals --- */

static struct chart_scale scale_of_intervals(const struct plot *p)
{
	struct range r = range_of(p->y, p->count);
	for (size_t i = 0; i < p->count; i++) {
		widen(&r, p->low[i]);
		widen(&r, p->high[i]);
	}
	struct range values = r;
	for (size_t i = 0; i < p->mark_count; i++) {
		if (p->marks[i].value <= fmax(values.high, 0) * MARK_REACH)
			widen(&r, p->marks[i].value);
	}
	struct chart_scale s = linear(r, true);
	double margin = (s.high - s.low) * 0.04;
	return (struct chart_scale){s.low - margin, s.high + margin, false};
}

static int column_of(const struct plot_frame *f, double value)
{
	return f->chart.column + (int)lround(fmin(fmax(chart_place(&f->x, value), 0), 1) * (f->chart.columns - 1));
}

static void draw_interval(const struct plot_frame *f, int row, size_t i)
{
	const struct plot *p = f->plot;
	bool ascii = f->c->charset == CHARSET_ASCII;
	enum canvas_role role = p->bad[i] ? ROLE_BAD : ROLE_LIVE;
	if (!isnan(p->low[i])) {
		int from = column_of(f, p->low[i]), to = column_of(f, p->high[i]);
		canvas_fill(f->c, row, from, 1, to - from + 1, ascii ? '-' : 0x2500, role);
		canvas_cell(f->c, row, from, ascii ? '[' : 0x251c, role);
		canvas_cell(f->c, row, to, ascii ? ']' : 0x2524, role);
	}
	canvas_cell(f->c, row, column_of(f, p->y[i]), p->bad[i] ? (ascii ? 'x' : 0x2715) : (ascii ? 'o' : 0x25cf),
		    role);
}

/* "1.02x (0.98x to 1.06x)", or the first alone where it is narrow. */
static void interval_text(const struct plot_frame *f, size_t i, bool brief, char *text, size_t size)
{
	const struct plot *p = f->plot;
	char low[PLOT_VALUE_SIZE], middle[PLOT_VALUE_SIZE], high[PLOT_VALUE_SIZE];
	bool ascii = f->c->charset == CHARSET_ASCII;
	plot_value_text(p->y_unit, p->low[i], ascii, low);
	plot_value_text(p->y_unit, p->y[i], ascii, middle);
	plot_value_text(p->y_unit, p->high[i], ascii, high);
	if (brief || isnan(p->low[i]))
		snprintf(text, size, "%s", middle);
	else
		snprintf(text, size, "%s (%s to %s)", middle, low, high);
}

static int widest(const struct plot_frame *f, size_t count, bool brief)
{
	char text[4 * PLOT_VALUE_SIZE];
	int width = 0;
	for (size_t i = 0; i < count; i++) {
		interval_text(f, i, brief, text, sizeof text);
		width = canvas_width(text) > width ? canvas_width(text) : width;
	}
	return width;
}

static void y_text(const void *plot, double value, bool ascii, char *text)
{
	plot_value_text(((const struct plot *)plot)->y_unit, value, ascii, text);
}

/* Labels to the left of the chart, figures to its right; without a chart where there is no room for one. */
static int lay_out_intervals(struct plot_frame *f, struct area area, size_t shown)
{
	int label = 0;
	for (size_t i = 0; i < shown; i++) {
		int width = canvas_width(f->plot->labels[i]);
		label = width > label ? width : label;
	}
	label = label < LABEL_COLUMNS_MAX ? label : LABEL_COLUMNS_MAX;
	int figures = widest(f, shown, area.columns < BRIEF_COLUMNS);
	f->chart.column = area.column + label + 1;
	f->chart.columns = area.columns - label - figures - 3;
	return figures;
}

void plot_intervals_draw(struct canvas *c, struct area area, const struct plot *p)
{
	struct plot_frame f = {.c = c, .plot = p, .x = scale_of_intervals(p), .chart = area};
	char text[4 * PLOT_VALUE_SIZE];
	int rows = area.rows, count = (int)p->count;
	bool axis = rows > count + 1 || (rows > count && p->mark_count == 0);
	bool mark_row = p->mark_count > 0 && rows > count;
	int shown = rows - axis - mark_row < count ? rows - axis - mark_row : count;
	if (shown <= 0)
		return;
	int figures = lay_out_intervals(&f, area, (size_t)shown);
	bool chart = f.chart.columns >= 8;
	int step = (rows - axis - mark_row) / shown >= 2 ? 2 : 1;
	f.chart.row += mark_row;
	f.chart.rows = (shown - 1) * step + 1;
	if (chart)
		plot_marks_across(&f, PLOT_AXIS_Y, mark_row ? area.row : -1);
	for (int i = 0; i < shown; i++) {
		int row = f.chart.row + i * step;
		if (i == shown - 1 && shown < count) {
			canvas_format(c, row, area.column, area.columns, ROLE_DIM, "and %d more", count - i);
			break;
		}
		canvas_put(c, row, area.column, f.chart.column - area.column - 1, ROLE_TEXT, p->labels[i]);
		if (chart)
			draw_interval(&f, row, (size_t)i);
		interval_text(&f, (size_t)i, area.columns < BRIEF_COLUMNS, text, sizeof text);
		canvas_put(c, row, area.column + area.columns - figures, figures, p->bad[i] ? ROLE_BAD : ROLE_TEXT,
			   text);
	}
	if (axis && chart)
		chart_axis(c, f.chart.row + f.chart.rows, f.chart.column, f.chart.columns, &f.x, y_text, p);
}
