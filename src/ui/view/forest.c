#include "ui/view/forest.h"

#include "core/text.h"
#include "ui/view/experiment_text.h"
#include "ui/view/grid.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NARROW 70 /* columns; below, a metric takes two rows, the bar on the second */
#define ROOM 1.08 /* of a scale, beyond the largest number on it */

enum { METRIC, ROLE, CONTROL, ARM, EFFECT, INTERVAL, BAR, VERDICT, UNITS, MARGIN, CHANCE, COLUMN_COUNT };

static const struct grid_column columns_all[COLUMN_COUNT] = {
    [METRIC] = {"METRIC", 0, 12, 20, false, 0}, [ROLE] = {"ROLE", 4, 9, 9, false, 0},
    [CONTROL] = {"CONTROL", 6, 8, 9, true, 0},  [ARM] = {"ARM", 7, 8, 9, true, 0},
    [EFFECT] = {"EFFECT", 2, 10, 10, true, 0},  [INTERVAL] = {"INTERVAL", 5, 16, 19, false, 0},
    [BAR] = {"", 3, 23, 61, false, 0},          [VERDICT] = {"VERDICT", 1, 14, 14, false, 0},
    [UNITS] = {"UNITS", 8, 13, 15, true, 0},    [MARGIN] = {"MARGIN", 9, 8, 9, true, 0},
    [CHANCE] = {"P", 10, 7, 8, true, 0},
};

/* --- the bar --- */

/* Where values lie: zero in the middle, the better side on the right. */
struct bar {
	struct canvas *c;
	int row, column, half;
	double most;
	bool flip;
};

static int bar_at(const struct bar *b, double value)
{
	double part = value / b->most * (b->flip ? -1 : 1);
	part = part < -1 ? -1 : part > 1 ? 1 : part;
	return b->column + b->half + (int)lround(part * b->half);
}

static double bar_most(const struct snapshot_comparison *v, double margin)
{
	const double all[] = {v->low, v->high, v->effect, margin};
	double most = 0;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		most = isfinite(all[i]) && fabs(all[i]) > most ? fabs(all[i]) : most;
	return most > 0 ? most * ROOM : 1;
}

static void bar_marks(const struct bar *b, double margin)
{
	const uint32_t line = b->c->charset == CHARSET_ASCII ? ':' : 0x250a;
	if (margin > 0) {
		canvas_cell(b->c, b->row, bar_at(b, -margin), line, ROLE_WARNING);
		canvas_cell(b->c, b->row, bar_at(b, margin), line, ROLE_WARNING);
	}
	canvas_cell(b->c, b->row, b->column + b->half, b->c->charset == CHARSET_ASCII ? '|' : 0x2502, ROLE_TEXT);
}

/* An end of the interval on the screen: where, and whether there is none on that side. */
struct bar_end {
	int at;
	bool open;
};

static struct bar_end bar_end(const struct bar *b, double bound, bool right)
{
	bool open = !isfinite(bound);
	return (struct bar_end){open ? b->column + (right ? 2 * b->half : 0) : bar_at(b, bound), open};
}

static void bar_interval(const struct bar *b, const struct snapshot_comparison *v, double margin, enum canvas_role role)
{
	bool ascii = b->c->charset == CHARSET_ASCII;
	struct bar_end left = bar_end(b, b->flip ? v->high : v->low, false);
	struct bar_end right = bar_end(b, b->flip ? v->low : v->high, true);
	for (int at = left.at; at <= right.at; at++) {
		bool marked = margin > 0 && (at == bar_at(b, margin) || at == bar_at(b, -margin));
		if (at == b->column + b->half)
			canvas_cell(b->c, b->row, at, ascii ? '|' : 0x253c, role);
		else if (!marked)
			canvas_cell(b->c, b->row, at, ascii ? '-' : 0x2500, role);
	}
	canvas_cell(b->c, b->row, left.at, left.open ? (ascii ? '<' : 0x25c2) : (ascii ? '[' : 0x251c), role);
	canvas_cell(b->c, b->row, right.at, right.open ? (ascii ? '>' : 0x25b8) : (ascii ? ']' : 0x2524), role);
}

void forest_bar(struct canvas *c, int row, int column, int columns, const struct snapshot_comparison *v,
		const struct experiment_metric *metric)
{
	char word[32];
	struct bar b = {
	    c, row, column, (columns - 1) / 2, bar_most(v, metric->margin), metric->direction == EXPERIMENT_LOWER};
	enum canvas_role role = experiment_verdict_text(c, v->verdict, word, sizeof word);
	if (columns < 3)
		return;
	bar_marks(&b, metric->margin);
	/* Looks that exclude each other leave no interval. */
	if ((isfinite(v->low) || isfinite(v->high)) && !(v->low > v->high))
		bar_interval(&b, v, metric->margin, role);
	if (isfinite(v->effect))
		canvas_cell(c, row, bar_at(&b, v->effect), c->charset == CHARSET_ASCII ? 'o' : 0x25cf, role);
}

/* --- rows --- */

/* "late ↓": with which way is better. */
static void metric_text(const struct canvas *c, const struct experiment_metric *m, int width, char *text, size_t size)
{
	const char *way = m->direction == EXPERIMENT_LOWER    ? canvas_glyph(c, "↓", "-")
			  : m->direction == EXPERIMENT_HIGHER ? canvas_glyph(c, "↑", "+")
							      : canvas_glyph(c, "=", "=");
	int room = width - 2, length = (int)strlen(m->name); /* names are ASCII */
	snprintf(text, size, "%.*s%s %s", length > room ? room - 1 : room, m->name,
		 length > room ? canvas_glyph(c, "…", "~") : "", way);
}

static void counts_text(const uint64_t counts[2], char *text, size_t size)
{
	char control[16], arm[16];
	text_count(control, sizeof control, (double)counts[0]);
	text_count(arm, sizeof arm, (double)counts[1]);
	snprintf(text, size, "%s : %s", control, arm);
}

static enum canvas_role cell_text(const struct canvas *c, int column, int width, const struct snapshot_comparison *v,
				  const struct experiment_metric *m, char *text, size_t size)
{
	switch (column) {
	case METRIC:
		metric_text(c, m, width, text, size);
		return m->role == EXPERIMENT_PRIMARY ? ROLE_TITLE : ROLE_TEXT;
	case ROLE:
		snprintf(text, size, "%s", experiment_role_name(m->role));
		return ROLE_DIM;
	case CONTROL:
	case ARM:
		experiment_value_text(v->mean[column == ARM], v->is_share, text);
		return ROLE_TEXT;
	case EFFECT:
		experiment_effect_text(v->effect, v->is_share, text);
		return ROLE_TEXT;
	case INTERVAL:
		experiment_interval_text(v->low, v->high, v->is_share, text, size);
		return ROLE_TEXT;
	case UNITS:
		counts_text(v->units, text, size);
		return ROLE_DIM;
	case MARGIN:
		experiment_value_text(m->margin > 0 ? m->margin : (double)NAN, v->is_share, text);
		return ROLE_DIM;
	case CHANCE:
		snprintf(text, size, v->p < 0.001 ? "<0.001" : "%.3f", v->p);
		return ROLE_DIM;
	default:
		return experiment_verdict_text(c, v->verdict, text, size);
	}
}

static void draw_row(struct canvas *c, int row, int at, const struct grid_column *columns,
		     const struct snapshot_comparison *v, const struct experiment_metric *m)
{
	for (int i = 0; i < COLUMN_COUNT; i++) {
		char text[64];
		if (columns[i].width == 0)
			continue;
		if (i == BAR) {
			forest_bar(c, row, at, columns[i].width, v, m);
		} else {
			enum canvas_role role = cell_text(c, i, columns[i].width, v, m, text, sizeof text);
			if (columns[i].right)
				canvas_put_right(c, row, at, columns[i].width, role, text);
			else
				canvas_put(c, row, at, columns[i].width, role, text);
		}
		at += columns[i].width + GRID_GAP;
	}
}

/* "◂ worse   0   better ▸" over the bars. */
static void draw_scale(struct canvas *c, int row, int column, int columns)
{
	canvas_put(c, row, column, columns, ROLE_HEADER, canvas_glyph(c, "◂ worse", "< worse"));
	canvas_put_right(c, row, column, columns, ROLE_HEADER, canvas_glyph(c, "better ▸", "better >"));
	canvas_cell(c, row, column + (columns - 1) / 2, '0', ROLE_HEADER);
}

static int draw_headings(struct canvas *c, int row, int at, const struct grid_column *columns,
			 const struct snapshot_experiment *s, size_t arm)
{
	for (int i = 0; i < COLUMN_COUNT; i++) {
		char label[40];
		snprintf(label, sizeof label, "%s", columns[i].heading);
		if (i == CONTROL || i == ARM)
			snprintf(label, sizeof label, "v%u", s->arms[i == ARM ? arm : 0].version);
		if (columns[i].width == 0)
			continue;
		if (i == BAR)
			draw_scale(c, row, at, columns[i].width);
		else if (columns[i].right)
			canvas_put_right(c, row, at, columns[i].width, ROLE_HEADER, label);
		else
			canvas_put(c, row, at, columns[i].width, ROLE_HEADER, label);
		at += columns[i].width + GRID_GAP;
	}
	return row + 1;
}

static int draw_two_rows(struct canvas *c, int row, int column, int columns, const struct snapshot_comparison *v,
			 const struct experiment_metric *m)
{
	char text[64], verdict[32];
	enum canvas_role role = experiment_verdict_text(c, v->verdict, verdict, sizeof verdict);
	int right = canvas_width(verdict), room = columns - right - 2;
	cell_text(c, METRIC, room > 22 ? room - 11 : room, v, m, text, sizeof text);
	int end = canvas_put(c, row, column, room, ROLE_TEXT, text);
	canvas_put(c, row, column + columns - right, right, role, verdict);
	experiment_effect_text(v->effect, v->is_share, text);
	if (end + canvas_width(text) + 2 <= column + room)
		canvas_put_right(c, row, end + 1, column + room - end - 1, ROLE_TEXT, text);
	forest_bar(c, row + 1, column, columns, v, m);
	return row + 2;
}

static int draw_legend(struct canvas *c, int row, int column, int columns, const struct snapshot_experiment *s)
{
	double all = 100 * (1 - s->detail->plan.alpha);
	if (columns < NARROW) {
		canvas_format(c, row, column, columns, ROLE_DIM, "right is better; all cover at %.3g%%", all);
		return row + 1;
	}
	canvas_format(c, row, column, columns, ROLE_DIM,
		      "right is better; %s zero, %s margin; all intervals together cover at %.3g%%",
		      canvas_glyph(c, "│", "|"), canvas_glyph(c, "┊", ":"), all);
	return row + 1;
}

int forest_draw(struct canvas *c, int row, int column, int columns, const struct snapshot_experiment *s, size_t arm)
{
	const struct snapshot_experiment_detail *d = s->detail;
	struct grid_column grid[COLUMN_COUNT];
	bool narrow = columns < NARROW, any = false;
	memcpy(grid, columns_all, sizeof grid);
	grid_lay_out(grid, COLUMN_COUNT, columns);
	for (size_t i = 0; i < d->comparison_count; i++) {
		const struct snapshot_comparison *v = &d->comparisons[i];
		if (v->arm != arm)
			continue;
		if (!any && !narrow)
			row = draw_headings(c, row, column, grid, s, arm);
		any = true;
		if (narrow)
			row = draw_two_rows(c, row, column, columns, v, &d->plan.metrics[v->metric]);
		else
			draw_row(c, row++, column, grid, v, &d->plan.metrics[v->metric]);
	}
	if (any)
		return draw_legend(c, row, column, columns, s);
	canvas_put(c, row, column, columns, ROLE_DIM, "nobody has looked at it yet");
	return row + 1;
}
