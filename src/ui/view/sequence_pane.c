#include "ui/view/sequence_pane.h"

#include "core/text.h"
#include "ui/view/experiment_text.h"

#include <math.h>
#include <stdio.h>

#define SAMPLES_MAX (2 * CANVAS_COLUMNS_MAX)
#define GUTTER 10      /* columns for the numbers of the scale */
#define GUTTER_FROM 40 /* of the area, before there is one */
#define CUT 4.0        /* times the newest interval's farther bound */

/* The looks, sampled over the width of the chart; NaN: none. */
struct samples {
	size_t count;
	double low[SAMPLES_MAX], high[SAMPLES_MAX], effect[SAMPLES_MAX];
};

/* The newest look at or below so many units; looks are newest first. */
static const struct snapshot_look *look_at(const struct snapshot_experiment_detail *d, double units)
{
	for (size_t i = 0; i < d->look_count; i++) {
		if ((double)d->looks[i].exposed <= units)
			return &d->looks[i];
	}
	return NULL;
}

static double units_most(const struct snapshot_experiment *s)
{
	double seen = s->detail->look_count > 0 ? (double)s->detail->looks[0].exposed : 0;
	return fmax(fmax(seen, (double)s->planned_size), 1);
}

static double farther(const struct snapshot_look *look)
{
	double most = isfinite(look->effect) ? fabs(look->effect) : 0;
	most = isfinite(look->low) ? fmax(most, fabs(look->low)) : most;
	return isfinite(look->high) ? fmax(most, fabs(look->high)) : most;
}

/* From the least to the greatest of what is shown, zero among them. */
static struct chart_scale scale_of(const struct snapshot_experiment_detail *d)
{
	struct chart_scale scale = {0, 0, false};
	double newest = 0, cut;
	for (size_t i = 0; i < d->look_count && newest == 0; i++)
		newest = farther(&d->looks[i]);
	cut = CUT * (newest > 0 ? newest : 1);
	for (size_t i = 0; i < d->look_count; i++) {
		const double all[] = {d->looks[i].low, d->looks[i].high, d->looks[i].effect};
		for (size_t j = 0; j < sizeof all / sizeof *all; j++) {
			double value = all[j] > cut ? cut : all[j] < -cut ? -cut : all[j];
			scale.low = value < scale.low ? value : scale.low;
			scale.high = value > scale.high ? value : scale.high;
		}
	}
	if (scale.low == scale.high)
		scale = (struct chart_scale){-1, 1, false};
	return scale;
}

static void sample(struct samples *m, size_t count, const struct snapshot_experiment *s)
{
	double most = units_most(s), seen = (double)s->detail->looks[0].exposed;
	m->count = count;
	for (size_t i = 0; i < count; i++) {
		double units = most * (double)(i + 1) / (double)count;
		/* The newest look is drawn at least once. */
		const struct snapshot_look *look =
		    units - most / (double)count < seen || i == 0 ? look_at(s->detail, fmin(units, seen)) : NULL;
		m->low[i] = look != NULL ? look->low : (double)NAN;
		m->high[i] = look != NULL ? look->high : (double)NAN;
		m->effect[i] = look != NULL ? look->effect : (double)NAN;
	}
}

/* The row of a value from the top; open bounds are at the edge. */
static int row_of(const struct chart_scale *scale, double value, int rows)
{
	double part = chart_place(scale, value);
	int row = rows - 1 - (int)floor(part * rows);
	return row < 0 ? 0 : row >= rows ? rows - 1 : row;
}

static void draw_band(struct canvas *c, struct area chart, const struct samples *m, const struct chart_scale *scale)
{
	int zero = row_of(scale, 0, chart.rows);
	bool ascii = c->charset == CHARSET_ASCII;
	for (int x = 0; x < chart.columns; x++) {
		size_t i = (size_t)x * m->count / (size_t)chart.columns;
		int top = isfinite(m->high[i]) ? row_of(scale, m->high[i], chart.rows) : 0;
		int bottom = isfinite(m->low[i]) ? row_of(scale, m->low[i], chart.rows) : chart.rows - 1;
		for (int row = top; row <= bottom && isfinite(m->effect[i]); row++)
			canvas_cell(c, chart.row + row, chart.column + x, ascii ? ':' : 0x2591, ROLE_BASELINE);
		canvas_cell(c, chart.row + zero, chart.column + x, ascii ? '-' : 0x2504, ROLE_DIM);
		if (isfinite(m->effect[i]) && c->charset != CHARSET_BRAILLE)
			canvas_cell(c, chart.row + row_of(scale, m->effect[i], chart.rows), chart.column + x,
				    ascii ? '*' : 0x2022, ROLE_LIVE);
	}
}

static void draw_gutter(struct canvas *c, struct area area, struct area chart, const struct chart_scale *scale,
			bool is_share)
{
	const double values[] = {scale->high, 0, scale->low};
	for (size_t i = 0; i < 3; i++) {
		char text[EXPERIMENT_NUMBER_SIZE];
		int row = row_of(scale, values[i], chart.rows);
		if ((i == 1 && (scale->low == 0 || scale->high == 0)) ||
		    (i == 1 && (row == 0 || row == chart.rows - 1)))
			continue;
		experiment_effect_text(values[i], is_share, text);
		canvas_put_right(c, chart.row + row, area.column, GUTTER - 1, ROLE_DIM, values[i] == 0 ? "0" : text);
	}
}

static void units_text(const void *context, double value, bool ascii, char *text)
{
	char count[12];
	(void)ascii;
	text_count(count, sizeof count, value);
	snprintf(text, 24, "%s%s", count, value > 0 && value == *(const double *)context ? " units" : "");
}

static const struct experiment_metric *primary_of(const struct experiment *plan)
{
	for (size_t i = 0; i < plan->metric_count; i++) {
		if (plan->metrics[i].role == EXPERIMENT_PRIMARY)
			return &plan->metrics[i];
	}
	return &plan->metrics[0];
}

static bool is_share_of(const struct snapshot_experiment_detail *d, const struct experiment_metric *metric)
{
	for (size_t i = 0; i < d->comparison_count; i++) {
		if (d->comparisons[i].arm == 1 && &d->plan.metrics[d->comparisons[i].metric] == metric)
			return d->comparisons[i].is_share;
	}
	return false;
}

static void draw_title(struct canvas *c, struct area area, const struct snapshot_experiment *s,
		       const struct experiment_metric *metric)
{
	char control[32], arm[32];
	experiment_arm_text(s, 0, control, sizeof control);
	experiment_arm_text(s, 1, arm, sizeof arm);
	int end = canvas_format(c, area.row, area.column, area.columns, ROLE_TITLE, "%s, %s less %s", metric->name, arm,
				control);
	const char *way = metric->direction == EXPERIMENT_LOWER    ? "below 0 is better"
			  : metric->direction == EXPERIMENT_HIGHER ? "above 0 is better"
								   : "0 is best";
	canvas_format(c, area.row, end, area.column + area.columns - end, ROLE_DIM, "  %s; look %llu", way,
		      (unsigned long long)s->looks);
}

void sequence_pane_draw(struct canvas *c, struct area area, const struct snapshot_experiment *s)
{
	const struct snapshot_experiment_detail *d = s->detail;
	const struct experiment_metric *metric = primary_of(&d->plan);
	bool gutter = area.columns >= GUTTER_FROM, braille = c->charset == CHARSET_BRAILLE;
	if (area.rows < SEQUENCE_PANE_ROWS_MIN || area.columns < 4 || s->arm_count < 2)
		return;
	draw_title(c, area, s, metric);
	if (d->look_count == 0) {
		canvas_put(c, area.row + 1, area.column, area.columns, ROLE_DIM, "nobody has looked at it yet");
		return;
	}
	struct area chart = {area.row + 1, area.column + (gutter ? GUTTER : 0), area.rows - 2,
			     area.columns - (gutter ? GUTTER : 0)};
	struct chart_scale scale = scale_of(d), across = {0, units_most(s), false};
	struct samples m;
	sample(&m, (size_t)chart.columns * (braille ? 2 : 1), s);
	draw_band(c, chart, &m, &scale);
	if (braille)
		chart_line(c, chart, m.effect, m.count, &scale, ROLE_LIVE);
	if (gutter)
		draw_gutter(c, area, chart, &scale, is_share_of(d, metric));
	chart_axis(c, area.row + area.rows - 1, chart.column, chart.columns, &across, units_text, &across.high);
}
