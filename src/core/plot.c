#include "core/plot_internal.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>

static const char *const kinds[] = {
#define X(name, text) text,
    PLOT_KINDS(X)
#undef X
};

static const char *const units[] = {
#define X(name, text) text,
    PLOT_UNITS(X)
#undef X
};

const char *plot_kind_name(enum plot_kind kind)
{
	return kinds[kind];
}

const char *plot_unit_name(enum plot_unit unit)
{
	return units[unit];
}

bool plot_has_other(const struct plot *p)
{
	return p->other_name[0] != '\0';
}

/* "40s", "5m", "2.5h", "3d" */
static void seconds_text(double s, char *text, size_t size)
{
	static const struct {
		double from, factor;
		const char *unit;
	} units[] = {{172800, 86400, "d"}, {7200, 3600, "h"}, {120, 60, "m"}};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (fabs(s) >= units[i].from) {
			snprintf(text, size, "%.3g%s", s / units[i].factor, units[i].unit);
			return;
		}
	}
	snprintf(text, size, "%.3gs", s);
}

void plot_value_text(enum plot_unit unit, double value, bool ascii, char text[PLOT_VALUE_SIZE])
{
	char count[16];
	if (value == 0) {
		snprintf(text, PLOT_VALUE_SIZE, "0");
		return;
	}
	bool counted = value >= 0 && value < 1e15; /* what text_count() and its like have letters for */
	text_count(count, sizeof count, counted ? value : 0);
	if (unit == PLOT_IN_NS && counted)
		text_duration(text, PLOT_VALUE_SIZE, value, ascii);
	else if (unit == PLOT_IN_BYTES && counted)
		text_bytes(text, PLOT_VALUE_SIZE, value);
	else if (unit == PLOT_IN_SECONDS)
		seconds_text(value, text, PLOT_VALUE_SIZE);
	else if (unit == PLOT_IN_COUNT && counted)
		snprintf(text, PLOT_VALUE_SIZE, "%s", count);
	else if (unit == PLOT_IN_RATE && counted)
		snprintf(text, PLOT_VALUE_SIZE, "%s/s", count);
	else
		snprintf(text, PLOT_VALUE_SIZE, "%.3g%s", value,
			 unit == PLOT_IN_RATIO     ? "x"
			 : unit == PLOT_IN_PERCENT ? "%"
			 : unit == PLOT_IN_RATE    ? "/s"
						   : "");
}

void plot_begin(struct plot *p, enum plot_kind kind, const char *title, enum plot_unit x_unit, enum plot_unit y_unit)
{
	*p = (struct plot){.kind = kind, .x_unit = x_unit, .y_unit = y_unit};
	snprintf(p->title, sizeof p->title, "%s", title);
}

void plot_mark(struct plot *p, enum plot_axis axis, double value, const char *label)
{
	if (p->mark_count == PLOT_MARKS_MAX || !plot_fits(value))
		return;
	struct plot_mark *mark = &p->marks[p->mark_count++];
	*mark = (struct plot_mark){.axis = axis, .value = value};
	snprintf(mark->label, sizeof mark->label, "%s", label);
}

void plot_point(struct plot *p, double x, double y, bool bad)
{
	if (p->count == PLOT_POINTS_MAX || !plot_fits(x) || !plot_fits(y) || (p->x_log && x <= 0))
		return;
	p->x[p->count] = x;
	p->y[p->count] = y;
	p->bad[p->count++] = bad;
}

void plot_interval(struct plot *p, const char *label, double low, double middle, double high, bool bad)
{
	if (p->count == PLOT_INTERVALS_MAX || !plot_fits(middle))
		return;
	bool whole = plot_fits(low) && plot_fits(high) && low <= high;
	p->low[p->count] = whole ? low : NAN;
	p->high[p->count] = whole ? high : NAN;
	p->y[p->count] = middle;
	p->bad[p->count] = bad;
	snprintf(p->labels[p->count++], PLOT_LABEL_SIZE, "%s", label);
}

void plot_count(struct plot *p, double value, bool other)
{
	double low = p->x_log ? log(p->x_low) : p->x_low, high = p->x_log ? log(p->x_high) : p->x_high;
	double at = p->x_log ? log(value) : value; /* of 0 and below: the first bin */
	if (isnan(value) || p->count == 0)
		return;
	double part = isnan(at) ? 0 : fmin(fmax((at - low) / (high - low), 0), 1);
	size_t bin = (size_t)(part * (double)p->count);
	bin = bin < p->count ? bin : p->count - 1;
	(other ? p->y_other : p->y)[bin]++;
}
