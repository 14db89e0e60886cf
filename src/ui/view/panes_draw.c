/* panes_draw: the charts of a model's versions, on shared axes. */
#include "ui/view/history.h"
#include "ui/view/panes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GAP 3                 /* blank columns between panes */
#define PANE_COLUMNS_MIN 34   /* a pane narrower than this says nothing */
#define SERIES_COLUMNS_MIN 44 /* of each pane, before the third one is added */
#define LINE_LABEL 4          /* "v12 " before a chart of one line */
#define LINE_FIGURES 23       /* "p50 120µs p99 410µs" behind it */
#define OUTSIDE_SHARE 1000    /* one prediction in so many out of range is pointed out */
/* A tail of this share of the predictions may be left off the axis at either end ... */
#define TAIL_SHARE 0.01
#define TAIL_WIDTH 0.75 /* ... where what remains is less of the axis than this */
#define P99_WORSE 1.10  /* a p99 so much above the live one's is pointed out */
#define BLOCK_ROWS_MAX 18
#define NOW_SECONDS 3       /* "now" is their mean: one second alone jumps */
#define LATENCY_BINS_MIN 16 /* an axis shows at least 1.6 decades */

/* Where one version's chart goes: below its label, or beside it where there is only one line. */
struct block {
	struct area chart;
	int label_row, label_column, label_columns;
	bool line;
};

static int fitting(int rows, size_t count)
{
	int room = rows - 2;
	return (int)count < room ? (int)count : room > 0 ? room : 0;
}

static struct block block_at(struct area pane, int index, int blocks)
{
	int each = (pane.rows - 2) / blocks;
	each = each > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : each;
	int top = pane.row + 1 + index * each;
	struct block b = {.label_row = top, .line = each == 1};
	if (b.line) {
		b.chart = (struct area){top, pane.column + LINE_LABEL, 1, pane.columns - LINE_LABEL - LINE_FIGURES};
		b.label_column = b.chart.column + b.chart.columns + 1;
		b.label_columns = LINE_FIGURES - 1;
		return b;
	}
	int blank = each >= 5 ? 1 : 0; /* air between tall charts */
	b.chart = (struct area){top + 1, pane.column, each - 1 - blank, pane.columns};
	b.label_column = pane.column;
	b.label_columns = pane.columns;
	return b;
}

static int axis_row(struct area pane, int blocks)
{
	struct block last = block_at(pane, blocks - 1, blocks);
	return last.chart.row + last.chart.rows;
}

/* "█ v2 live 80%"; returns the column after it. */
static int draw_name(struct canvas *c, const struct block *b, int column, const struct shown *s)
{
	enum canvas_role role = panes_role(s->entry);
	if (b->line) {
		canvas_format(c, b->label_row, column, LINE_LABEL - 1, role, "v%u", s->version);
		return b->label_column;
	}
	int end = b->label_column + b->label_columns;
	canvas_cell(c, b->label_row, column, panes_role_glyph(s->entry), role);
	int name = column + 2;
	column = canvas_format(c, b->label_row, name, end - name, role, "v%u", s->version);
	canvas_bold(c, b->label_row, name, column - name);
	if (s->entry != NULL && b->label_columns >= 50)
		column = canvas_format(c, b->label_row, column, end - column, role, " %s %.4g%%",
				       route_role_name(s->entry->role), s->entry->weight_bp / 100.0);
	return column + 2;
}

/* A figure with its dim label, only if it fits whole; returns the next column. */
static int draw_figure(struct canvas *c, const struct block *b, int column, const char *label, enum canvas_role role,
		       const char *value)
{
	int room = b->label_column + b->label_columns - column;
	if (canvas_width(label) + 1 + canvas_width(value) > room)
		return column;
	column = canvas_put(c, b->label_row, column, -1, ROLE_DIM, label);
	column = canvas_put(c, b->label_row, column + (label[0] != '\0'), -1, role, value);
	return column + (b->line ? 1 : 2);
}

static void draw_latency_figures(struct canvas *c, const struct block *b, int column, const struct shown *s,
				 const struct shown *live)
{
	const struct snapshot_latency *l = &s->stats->stats.latency;
	char text[32];
	panes_duration(c, l->p50_ns, text, sizeof(text));
	column = draw_figure(c, b, column, "p50", ROLE_TEXT, text);
	panes_duration(c, l->p99_ns, text, sizeof(text));
	uint64_t live_p99 = live->stats->stats.latency.p99_ns;
	bool worse = s != live && live_p99 > 0 && (double)l->p99_ns > (double)live_p99 * P99_WORSE;
	column = draw_figure(c, b, column, "p99", worse ? ROLE_WARNING : ROLE_TEXT, text);
	if (worse) {
		snprintf(text, sizeof(text), "%s +%.0f%%", canvas_glyph(c, "▲", "!"),
			 fmin(((double)l->p99_ns / (double)live_p99 - 1) * 100, 99999));
		column = draw_figure(c, b, column, "", ROLE_WARNING, text);
	}
	panes_duration(c, l->max_ns, text, sizeof(text));
	column = draw_figure(c, b, column, "max", ROLE_TEXT, text);
	text_count(text, sizeof(text), (double)s->stats->stats.requests);
	draw_figure(c, b, column, "requests", ROLE_TEXT, text);
}

/* The bins that any version fills, with a margin; at least LATENCY_BINS_MIN of them. */
static void latency_range(const struct shown *shown, int count, int *from, int *to)
{
	int low = SNAPSHOT_LATENCY_BINS, high = 0;
	for (int i = 0; i < count; i++) {
		for (int bin = 0; bin < SNAPSHOT_LATENCY_BINS; bin++) {
			if (shown[i].stats->stats.latency.counts[bin] == 0)
				continue;
			low = bin < low ? bin : low;
			high = bin > high ? bin : high;
		}
	}
	if (low > high) {
		low = 10;
		high = 29; /* nothing yet: 10 µs to 1 ms */
	}
	low = low > 0 ? low - 1 : 0;
	high = high + 2;
	if (high - low < LATENCY_BINS_MIN) {
		low -= (LATENCY_BINS_MIN - (high - low)) / 2;
		low = low < 0 ? 0 : low;
		high = low + LATENCY_BINS_MIN;
	}
	*from = low;
	*to = high > SNAPSHOT_LATENCY_BINS ? SNAPSHOT_LATENCY_BINS : high;
}

static double greatest(const double *values, int count)
{
	double max = 0;
	for (int i = 0; i < count; i++)
		max = fmax(max, values[i]);
	return max;
}

static void draw_latency(struct canvas *c, struct area pane, const struct snapshot_model *m, const struct shown *shown,
			 int count)
{
	double bins[SNAPSHOT_LATENCY_BINS], columns[CANVAS_COLUMNS_MAX];
	int from, to;
	canvas_format(c, pane.row, pane.column, pane.columns, ROLE_HEADER, "latency, last %u s", m->window_s);
	latency_range(shown, count, &from, &to);
	for (int i = 0; i < count; i++) {
		struct block b = block_at(pane, i, count);
		const struct snapshot_stats *stats = &shown[i].stats->stats;
		int column = draw_name(c, &b, pane.column, &shown[i]);
		draw_latency_figures(c, &b, column, &shown[i], &shown[0]);
		if (stats->requests == 0) {
			canvas_format(c, b.chart.row, b.chart.column, b.chart.columns, ROLE_DIM,
				      "none in the last %u s", m->window_s);
			continue;
		}
		for (int bin = 0; bin < SNAPSHOT_LATENCY_BINS; bin++)
			bins[bin] = (double)stats->latency.counts[bin];
		chart_resample(bins, SNAPSHOT_LATENCY_BINS, from, to, columns, b.chart.columns);
		chart_bars(c, b.chart, columns, NULL, greatest(columns, b.chart.columns), panes_role(shown[i].entry));
	}
	struct block first = block_at(pane, 0, count);
	chart_log_axis(c, axis_row(pane, count), first.chart.column, first.chart.columns, 3 + from / 10.0,
		       3 + to / 10.0);
}

static void draw_prediction_figures(struct canvas *c, const struct block *b, int column,
				    const struct snapshot_version_stats *s)
{
	const struct snapshot_predictions *p = &s->predictions;
	char text[32];
	uint64_t outside = p->below + p->above;
	bool many = (double)outside * OUTSIDE_SHARE > (double)s->stats.requests;
	enum canvas_role role = many ? ROLE_WARNING : ROLE_TEXT;
	if (isfinite(p->mean)) {
		snprintf(text, sizeof(text), "%.3g", p->mean);
		column = draw_figure(c, b, column, "mean", ROLE_TEXT, text);
	}
	if (p->bin_count > 0 && b->label_columns >= 50) {
		text_count(text, sizeof(text), (double)p->below);
		column = draw_figure(c, b, column, "below", p->below ? role : ROLE_TEXT, text);
		text_count(text, sizeof(text), (double)p->above);
		column = draw_figure(c, b, column, "above", p->above ? role : ROLE_TEXT, text);
	} else if (p->bin_count > 0) {
		text_count(text, sizeof(text), (double)outside);
		column = draw_figure(c, b, column, b->line ? "out" : "out of range", role, text);
	}
	text_count(text, sizeof(text), (double)p->nan);
	draw_figure(c, b, column, "NaN", p->nan ? ROLE_WARNING : ROLE_TEXT, text);
}

/* A horizontal scale; more: something lies beyond that end. */
struct scale {
	double from, to;
	bool more_below, more_above;
};

/* The edges between which all but a tail of the counts lies; false when there are none. */
static bool body_of(const struct snapshot_predictions *p, const uint64_t *counts, double *from, double *to)
{
	double sum = 0, tail = 0;
	uint32_t low = 0, high = p->bin_count;
	for (uint32_t i = 0; i < p->bin_count; i++)
		sum += (double)counts[i];
	for (; low < high && tail + (double)counts[low] <= sum * TAIL_SHARE; low++)
		tail += (double)counts[low];
	for (tail = 0; high > low && tail + (double)counts[high - 1] <= sum * TAIL_SHARE; high--)
		tail += (double)counts[high - 1];
	*from = p->edges[low];
	*to = p->edges[high];
	return sum > 0 && high > low;
}

static void widen(double *low, double *high, double from, double to)
{
	*low = fmin(*low, from);
	*high = fmax(*high, to);
}

/* All bins of all versions; where that leaves most of the width to a thin tail, without the tail.
 */
static bool prediction_scale(const struct shown *shown, int count, struct scale *scale)
{
	double low = INFINITY, high = -INFINITY, body_low = INFINITY, body_high = -INFINITY, from, to;
	for (int i = 0; i < count; i++) {
		const struct snapshot_predictions *p = &shown[i].stats->predictions;
		if (p->bin_count == 0)
			continue;
		widen(&low, &high, p->edges[0], p->edges[p->bin_count]);
		if (body_of(p, p->counts, &from, &to))
			widen(&body_low, &body_high, from, to);
		if (body_of(p, p->baseline, &from, &to))
			widen(&body_low, &body_high, from, to);
	}
	if (!isfinite(high - low) || high <= low)
		return false;
	*scale = (struct scale){low, high, false, false};
	if (body_high > body_low && body_high - body_low < (high - low) * TAIL_WIDTH)
		*scale = (struct scale){body_low, body_high, body_low > low, body_high < high};
	return true;
}

/* Counts as shares of their sum, on the shared axis. */
static void spread(const struct snapshot_predictions *p, const uint64_t *counts, double from, double to,
		   double *columns, int column_count)
{
	double bins[BASELINE_BINS_MAX], sum = 0;
	for (uint32_t i = 0; i < p->bin_count; i++)
		sum += (double)counts[i];
	for (uint32_t i = 0; i < p->bin_count; i++)
		bins[i] = sum > 0 ? (double)counts[i] / sum : 0;
	double width = (p->edges[p->bin_count] - p->edges[0]) / p->bin_count;
	double low = (from - p->edges[0]) / width, high = (to - p->edges[0]) / width;
	chart_resample(bins, p->bin_count, low, high, columns, column_count);
	/* Wide bins hold more; heights are densities, so that versions with other bins compare. */
	for (int i = 0; i < column_count; i++)
		columns[i] /= width;
}

static void draw_prediction_chart(struct canvas *c, const struct block *b, const struct shown *s, double from,
				  double to)
{
	const struct snapshot_predictions *p = &s->stats->predictions;
	double now[CANVAS_COLUMNS_MAX], baseline[CANVAS_COLUMNS_MAX];
	double width = p->bin_count > 0 ? (p->edges[p->bin_count] - p->edges[0]) / p->bin_count : 0;
	if (p->bin_count == 0) {
		canvas_format(c, b->chart.row, b->chart.column, b->chart.columns, ROLE_DIM,
			      "no baseline yet: %llu of %d", (unsigned long long)p->baseline_count,
			      BASELINE_LEARN_COUNT);
		return;
	}
	/* Bins that vanish beside the shared range would need columns beyond any number. */
	if (!isfinite(1 / width) || (to - from) / width > 1e6)
		return;
	spread(p, p->counts, from, to, now, b->chart.columns);
	spread(p, p->baseline, from, to, baseline, b->chart.columns);
	double max = fmax(greatest(now, b->chart.columns), greatest(baseline, b->chart.columns));
	chart_bars(c, b->chart, now, baseline, max, panes_role(s->entry));
}

static void draw_predictions(struct canvas *c, struct area pane, const struct snapshot_model *m,
			     const struct shown *shown, int count)
{
	struct scale scale = {0, 1, false, false};
	int column =
	    canvas_format(c, pane.row, pane.column, pane.columns, ROLE_HEADER, "predictions, last %u s", m->window_s);
	if (pane.column + pane.columns - column >= 12) {
		canvas_cell(c, pane.row, column + 2, c->charset == CHARSET_ASCII ? '\'' : 0x2591, ROLE_BASELINE);
		canvas_put(c, pane.row, column + 4, -1, ROLE_DIM, "baseline");
	}
	bool range = prediction_scale(shown, count, &scale);
	for (int i = 0; i < count; i++) {
		struct block b = block_at(pane, i, count);
		column = draw_name(c, &b, pane.column, &shown[i]);
		draw_prediction_figures(c, &b, column, shown[i].stats);
		draw_prediction_chart(c, &b, &shown[i], scale.from, scale.to);
	}
	struct block first = block_at(pane, 0, count);
	if (range)
		chart_linear_axis(c, axis_row(pane, count), first.chart.column, first.chart.columns, scale.from,
				  scale.to, scale.more_below, scale.more_above);
}

/* What comes in at present, not the mean of the window, which lags a promotion by a minute. */
static double rate_now(const double *values)
{
	double sum = 0;
	for (int i = SNAPSHOT_SERIES - NOW_SECONDS; i < SNAPSHOT_SERIES; i++)
		sum += values[i];
	return sum / NOW_SECONDS;
}

/* Where the route changed in the seconds that are drawn: a tick on the axis, and a line through what is blank above. */
static void draw_marks(struct canvas *c, struct area chart, int axis, int top, const struct snapshot_model *m,
		       int64_t now_ms)
{
	const struct history h = {m->history, m->history_count};
	int64_t from_ms = now_ms - SNAPSHOT_SERIES * 1000;
	for (size_t i = 0; i < h.count; i++) {
		int64_t at_ms = h.list[i].at_ms;
		int at = (int)((at_ms - from_ms) * chart.columns / (SNAPSHOT_SERIES * 1000));
		if (at_ms < from_ms || at < 0 || at >= chart.columns)
			continue;
		for (int row = top; row < axis; row++) {
			const struct cell *cell = &c->cells[row * c->columns + chart.column + at];
			if (cell->glyph == ' ')
				canvas_cell(c, row, chart.column + at, c->charset == CHARSET_ASCII ? ':' : 0x250a,
					    history_role(&h.list[i]));
		}
	}
	history_marks(c, axis, chart.column, chart.columns, &h, from_ms, now_ms);
}

/* A word of the axis, unless a mark is where it would be or would touch it. */
static void draw_axis_word(struct canvas *c, int row, int column, int columns, const char *word)
{
	for (int i = -1; i <= columns; i++) {
		int at = column + i;
		if (at >= 0 && at < c->columns && c->cells[row * c->columns + at].glyph != ' ')
			return;
	}
	canvas_put(c, row, column, columns, ROLE_DIM, word);
}

static void draw_series(struct canvas *c, struct area pane, const struct snapshot_model *m, const struct shown *shown,
			int count, int64_t now_ms)
{
	double values[PANES_VERSIONS_MAX][SNAPSHOT_SERIES], max = 0;
	char text[32];
	canvas_put(c, pane.row, pane.column, pane.columns, ROLE_HEADER, "requests a second, last 60 s");
	for (int i = 0; i < count; i++) {
		for (int j = 0; j < SNAPSHOT_SERIES; j++)
			values[i][j] = (double)shown[i].stats->series_rps[j];
		max = fmax(max, greatest(values[i], SNAPSHOT_SERIES));
	}
	for (int i = 0; i < count; i++) {
		struct block b = block_at(pane, i, count);
		int column = draw_name(c, &b, pane.column, &shown[i]);
		text_count(text, sizeof(text), rate_now(values[i]));
		column = draw_figure(c, &b, column, "now", ROLE_TEXT, text);
		text_count(text, sizeof(text), greatest(values[i], SNAPSHOT_SERIES));
		draw_figure(c, &b, column, "peak", ROLE_TEXT, text);
		chart_series(c, b.chart, values[i], SNAPSHOT_SERIES, max, panes_role(shown[i].entry));
	}
	struct block first = block_at(pane, 0, count);
	int row = axis_row(pane, count);
	if (row >= c->rows || first.chart.column + first.chart.columns > c->columns)
		return;
	draw_marks(c, first.chart, row, pane.row + 1, m, now_ms);
	if (first.chart.columns > 8)
		draw_axis_word(c, row, first.chart.column, 8, "60 s ago");
	if (first.chart.columns > 3)
		draw_axis_word(c, row, first.chart.column + first.chart.columns - 3, 3, "now");
}

int panes_rows_min(size_t shown_count)
{
	return 2 + (shown_count > 0 ? (int)shown_count : 1);
}

void panes_draw(struct canvas *c, struct area area, const struct snapshot_model *m, const struct shown *shown,
		size_t count, int64_t now_ms)
{
	int blocks = fitting(area.rows, count > PANES_VERSIONS_MAX ? PANES_VERSIONS_MAX : count);
	if (blocks == 0) {
		canvas_format(c, area.row, area.column, area.columns, ROLE_DIM, "no requests in the last %u s",
			      m->window_s);
		return;
	}
	int panes = area.columns >= 3 * SERIES_COLUMNS_MIN + 2 * GAP ? 3
		    : area.columns >= 2 * PANE_COLUMNS_MIN + GAP     ? 2
								     : 1;
	int width = (area.columns - (panes - 1) * GAP) / panes;
	struct area pane = {area.row, area.column, area.rows, width};
	draw_latency(c, pane, m, shown, blocks);
	pane.column += width + GAP;
	if (panes >= 2)
		draw_predictions(c, pane, m, shown, blocks);
	pane.column += width + GAP;
	if (panes >= 3)
		draw_series(c, pane, m, shown, blocks, now_ms);
}
