#include "ui/view/plot_pane.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GUTTER_FROM 30    /* columns, before the scale of y has a place */
#define MARK_ROW_FROM 5   /* rows, before labels of marks have a row of their own */
#define COLUMNS_MIN 34    /* of one among several */
#define ROWS_MAX 24       /* more make nothing clearer */
#define COLUMNS_A_ROW 5.0 /* of a chart that is as wide as it is high to the eye, times two */
#define GAP_COLUMNS 3

void plot_mark_text(const struct plot_frame *f, const struct plot_mark *mark, char text[PLOT_MARK_TEXT_SIZE])
{
	char value[PLOT_VALUE_SIZE];
	bool x = mark->axis == PLOT_AXIS_X && f->plot->kind != PLOT_INTERVALS;
	plot_value_text(x ? f->plot->x_unit : f->plot->y_unit, mark->value, f->c->charset == CHARSET_ASCII, value);
	snprintf(text, PLOT_MARK_TEXT_SIZE, "%s%s%s", mark->label, mark->label[0] != '\0' ? " " : "", value);
}

/* --- marks --- */

/* A label beside its column, flush with an end of the row where it would run over it; not over another label. */
static bool label_across(const struct plot_frame *f, int row, int at, const char *text)
{
	const struct canvas *c = f->c;
	int width = canvas_width(text), end = f->chart.columns - width;
	at = at > end ? end : at;
	if (at < 0 || row < 0 || row >= c->rows)
		return false;
	for (int i = at > 0 ? at - 1 : 0; i <= at + width && i < f->chart.columns; i++) {
		int column = f->chart.column + i;
		if (column >= c->columns || c->cells[row * c->columns + column].glyph != ' ')
			return false;
	}
	canvas_put(f->c, row, f->chart.column + at, width, ROLE_WARNING, text);
	return true;
}

void plot_marks_across(const struct plot_frame *f, enum plot_axis axis, int label_row)
{
	char text[PLOT_MARK_TEXT_SIZE + 4], bare[PLOT_MARK_TEXT_SIZE];
	bool ascii = f->c->charset == CHARSET_ASCII;
	for (size_t i = 0; i < f->plot->mark_count; i++) {
		const struct plot_mark *mark = &f->plot->marks[i];
		double part = chart_place(&f->x, mark->value);
		if (mark->axis != axis || isnan(part))
			continue;
		bool beyond = part < 0 || part > 1;
		int at = (int)lround(fmin(fmax(part, 0), 1) * (f->chart.columns - 1));
		plot_mark_text(f, mark, bare);
		snprintf(text, sizeof text, "%s%s%s", beyond && part < 0 ? "< " : "", bare,
			 beyond && part > 1 ? " >" : "");
		if (!beyond)
			canvas_fill(f->c, f->chart.row, f->chart.column + at, f->chart.rows, 1, ascii ? ':' : 0x250a,
				    ROLE_WARNING);
		/* Where its name has no room its number may. */
		if (label_row >= 0 && !label_across(f, label_row, at, text) && !beyond && mark->label[0] != '\0')
			label_across(f, label_row, at, bare + strlen(mark->label) + 1);
	}
}

/* The row of a level mark; false where it has no place on the scale. */
static bool level_row(const struct plot_frame *f, const struct plot_mark *mark, int *row, bool *beyond)
{
	double part = chart_place(&f->y, mark->value);
	if (mark->axis != PLOT_AXIS_Y || isnan(part))
		return false;
	*beyond = part < 0 || part > 1;
	*row = f->chart.row + f->chart.rows - 1 -
	       (int)fmin(floor(fmin(fmax(part, 0), 1) * f->chart.rows), f->chart.rows - 1);
	return true;
}

static void lines_level(const struct plot_frame *f)
{
	int row;
	bool beyond;
	for (size_t i = 0; i < f->plot->mark_count; i++) {
		if (level_row(f, &f->plot->marks[i], &row, &beyond) && !beyond)
			canvas_fill(f->c, row, f->chart.column, 1, f->chart.columns,
				    f->c->charset == CHARSET_ASCII ? '-' : 0x2504, ROLE_WARNING);
	}
}

/* Whether nothing but the lines of marks is in these cells. */
static bool free_cells(const struct plot_frame *f, int row, int column, int columns)
{
	const struct canvas *c = f->c;
	for (int i = column; i < column + columns; i++) {
		if (row < 0 || row >= c->rows || i < 0 || i >= c->columns)
			return false;
		const struct cell *cell = &c->cells[row * c->columns + i];
		if (cell->glyph != ' ' && (cell->role != ROLE_WARNING || (cell->glyph != 0x2504 && cell->glyph != '-')))
			return false;
	}
	return true;
}

/* After the data: where the line has room for its label, from the oldest end on. */
static void labels_level(const struct plot_frame *f)
{
	char text[PLOT_MARK_TEXT_SIZE + 4], bare[PLOT_MARK_TEXT_SIZE];
	bool beyond, ascii = f->c->charset == CHARSET_ASCII;
	int row;
	for (size_t i = 0; i < f->plot->mark_count; i++) {
		const struct plot_mark *mark = &f->plot->marks[i];
		if (!level_row(f, mark, &row, &beyond))
			continue;
		plot_mark_text(f, mark, bare);
		snprintf(text, sizeof text, "%s%s", bare,
			 !beyond                               ? ""
			 : chart_place(&f->y, mark->value) > 1 ? (ascii ? " ^" : " ↑")
							       : " v");
		int width = canvas_width(text), at = 0;
		while (at + width <= f->chart.columns && !free_cells(f, row, f->chart.column + at, width))
			at++;
		/* Within a filled series it hides none of its edge but at one place; a point it would hide. */
		if (at + width > f->chart.columns && f->plot->kind == PLOT_SERIES && width <= f->chart.columns)
			at = 0;
		if (at + width <= f->chart.columns)
			canvas_put(f->c, row, f->chart.column + at, width, ROLE_WARNING, text);
	}
}

/* --- the frame --- */

/* "n 12.3k", "last 412k/s", "9 points, 2 bad": what the title ends with. */
static void figure_text(const struct plot *p, bool ascii, char *text, size_t size)
{
	char value[PLOT_VALUE_SIZE];
	double sum = 0, last = (double)NAN;
	size_t bad = 0;
	for (size_t i = 0; i < p->count; i++) {
		sum += p->y[i];
		last = isnan(p->y[i]) ? last : p->y[i];
		bad += p->bad[i];
	}
	text[0] = '\0';
	if (p->kind == PLOT_HISTOGRAM) {
		plot_value_text(PLOT_IN_COUNT, sum, ascii, value);
		snprintf(text, size, "n %s", value);
	} else if (p->kind == PLOT_SERIES && !isnan(last)) {
		plot_value_text(p->y_unit, last, ascii, value);
		snprintf(text, size, "last %s", value);
	} else if (p->kind == PLOT_POINTS && bad > 0) {
		snprintf(text, size, "%zu points, %s %zu bad", p->count, ascii ? "x" : "✕", bad);
	}
}

/* "█ v3  ░ v2": the columns that it takes; 0: there is none. */
static int legend_width(const struct plot *p)
{
	return plot_has_other(p) && p->name[0] != '\0' ? canvas_width(p->name) + canvas_width(p->other_name) + 6 : 0;
}

/* Each in the role that its bars have. */
static void draw_legend(struct canvas *c, int row, int column, const struct plot *p)
{
	bool ascii = c->charset == CHARSET_ASCII;
	int end = canvas_put(c, row, column, 1, ROLE_LIVE, ascii ? "#" : "█");
	end = canvas_put(c, row, end + 1, -1, ROLE_DIM, p->name);
	end = canvas_put(c, row, end + 2, 1, ROLE_BASELINE, ascii ? "'" : "░");
	canvas_put(c, row, end + 1, -1, ROLE_DIM, p->other_name);
}

static void draw_title(struct canvas *c, struct area area, const struct plot *p, const char *more, bool with_mark)
{
	char figure[64], mark[PLOT_MARK_TEXT_SIZE];
	struct plot_frame f = {.c = c, .plot = p};
	bool ascii = c->charset == CHARSET_ASCII;
	figure_text(p, ascii, figure, sizeof figure);
	if (with_mark && p->mark_count > 0) {
		plot_mark_text(&f, &p->marks[0], mark);
		snprintf(figure, sizeof figure, "%s%s", ascii ? ": " : "┊ ", mark);
	}
	int right = canvas_width(figure), room = area.columns - (right > 0 ? right + 2 : 0);
	/* What it is of matters more than the figure. */
	if (canvas_width(p->title) + canvas_width(more) > room) {
		room = area.columns;
		right = 0;
	}
	int end = canvas_format(c, area.row, area.column, room, ROLE_HEADER, "%s%s", p->title, more);
	if (legend_width(p) > 0 && end + 3 + legend_width(p) <= area.column + room)
		draw_legend(c, area.row, end + 3, p);
	if (right > 0)
		canvas_put_right(c, area.row, area.column, area.columns, with_mark ? ROLE_WARNING : ROLE_TEXT, figure);
}

static void x_text(const void *plot, double value, bool ascii, char *text)
{
	plot_value_text(((const struct plot *)plot)->x_unit, value, ascii, text);
}

/* The ends of y at the left, and its middle where it is high; gives the columns that they take. */
static int draw_gutter(const struct plot_frame *f)
{
	char top[PLOT_VALUE_SIZE], middle[PLOT_VALUE_SIZE], bottom[PLOT_VALUE_SIZE];
	bool ascii = f->c->charset == CHARSET_ASCII;
	const struct area *a = &f->chart;
	plot_value_text(f->plot->y_unit, f->y.high, ascii, top);
	plot_value_text(f->plot->y_unit, f->y.low, ascii, bottom);
	plot_value_text(f->plot->y_unit, f->y.log ? sqrt(f->y.low * f->y.high) : f->y.low / 2 + f->y.high / 2, ascii,
			middle);
	int width = (int)fmax(fmax(canvas_width(top), canvas_width(bottom)), a->rows >= 7 ? canvas_width(middle) : 0);
	canvas_put_right(f->c, a->row, a->column, width, ROLE_DIM, top);
	canvas_put_right(f->c, a->row + a->rows - 1, a->column, width, ROLE_DIM, bottom);
	if (a->rows >= 7 && a->rows % 2 == 1)
		canvas_put_right(f->c, a->row + a->rows / 2, a->column, width, ROLE_DIM, middle);
	return width + 1;
}

static bool has_marks(const struct plot *p, enum plot_axis axis)
{
	for (size_t i = 0; i < p->mark_count; i++) {
		if (p->marks[i].axis == axis)
			return true;
	}
	return false;
}

/* By x and y: title, labels of the marks, the chart with the scale of y to its left, the scale of x. */
static void draw_xy(struct canvas *c, struct area area, const struct plot *p, const char *more)
{
	struct plot_frame f = {.c = c, .plot = p, .chart = area};
	bool marks = has_marks(p, PLOT_AXIS_X), mark_row = marks && area.rows >= MARK_ROW_FROM;
	draw_title(c, area, p, more, marks && !mark_row);
	f.chart.row += 1 + mark_row;
	f.chart.rows -= 1 + mark_row + (area.rows >= 3);
	if (f.chart.rows <= 0)
		return;
	plot_shape_scales(&f);
	if (area.columns >= GUTTER_FROM && f.chart.rows >= 2) {
		int gutter = draw_gutter(&f);
		f.chart.column += gutter;
		f.chart.columns -= gutter;
	}
	plot_marks_across(&f, PLOT_AXIS_X, mark_row ? f.chart.row - 1 : -1);
	lines_level(&f);
	plot_shape_draw(&f);
	labels_level(&f);
	if (area.rows >= 3)
		chart_axis(c, area.row + area.rows - 1, f.chart.column, f.chart.columns, &f.x, x_text, p);
}

static bool has_values(const struct plot *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (isfinite(p->y[i]))
			return true;
	}
	return false;
}

static void draw_one(struct canvas *c, struct area area, const struct plot *p, const char *more)
{
	if (area.rows <= 0 || area.columns <= 0)
		return;
	if (!has_values(p)) {
		draw_title(c, area, p, more, false);
		if (area.rows > 1)
			canvas_put(c, area.row + 1, area.column, area.columns, ROLE_DIM, "nothing yet");
	} else if (p->kind == PLOT_INTERVALS) {
		draw_title(c, area, p, more, false);
		plot_intervals_draw(c, (struct area){area.row + 1, area.column, area.rows - 1, area.columns}, p);
	} else {
		draw_xy(c, area, p, more);
	}
}

void plot_pane_draw(struct canvas *c, struct area area, const struct plot *plot)
{
	draw_one(c, area, plot, "");
}

/* --- several --- */

struct grid_shape {
	int across, down, columns, rows; /* cells, and the size of one */
};

static struct grid_shape shape_of(struct area area, int count, int across)
{
	struct grid_shape g = {.across = across, .down = (count + across - 1) / across};
	g.columns = (area.columns - GAP_COLUMNS * (across - 1)) / across;
	g.rows = area.rows / g.down;
	return g;
}

/* The shape in which the least one is largest to the eye. */
static struct grid_shape choose(struct area area, int count)
{
	struct grid_shape best = shape_of(area, count, 1);
	for (int across = 2; across <= count; across++) {
		struct grid_shape g = shape_of(area, count, across);
		if (g.columns >= COLUMNS_MIN &&
		    fmin(g.columns / COLUMNS_A_ROW, g.rows) > fmin(best.columns / COLUMNS_A_ROW, best.rows))
			best = g;
	}
	return best;
}

void plot_panes_draw(struct canvas *c, struct area area, const struct plot *plots, size_t count)
{
	char more[32] = "";
	int shown = (int)count;
	if (count == 0 || area.rows <= 0)
		return;
	struct grid_shape g = choose(area, shown);
	while (shown > 1 && g.rows < PLOT_PANE_ROWS_MIN)
		g = choose(area, --shown);
	g.rows = g.rows < ROWS_MAX ? g.rows : ROWS_MAX;
	for (int i = 0; i < shown; i++) {
		struct area cell = {area.row + i / g.across * g.rows,
				    area.column + i % g.across * (g.columns + GAP_COLUMNS),
				    g.rows - (g.rows > 8 && g.down > 1), g.columns};
		/* The last one has the rest of its line. */
		if (i == shown - 1)
			cell.columns = area.column + area.columns - cell.column;
		if (i == shown - 1 && shown < (int)count)
			snprintf(more, sizeof more, " (%d of %d)", shown, (int)count);
		draw_one(c, cell, &plots[i], more);
	}
}
