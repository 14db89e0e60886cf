/*
 * plot: the numbers of one small chart: what a running job shows of itself, and what a test's report keeps.
 *
 * A plain value; any thread. It holds no more than a terminal can show, so that a snapshot with many of them stays
 * small; the exact figures are the report's own.
 * Not here: drawing (ui/view/plot_pane), series that go on without an end (plot_track).
 */
#ifndef CORE_PLOT_H
#define CORE_PLOT_H

#include "core/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define PLOTS_MAX 4        /* of a job, and of a report */
#define PLOT_POINTS_MAX 80 /* bins, steps or points */
#define PLOT_INTERVALS_MAX 12
#define PLOT_MARKS_MAX 4
#define PLOT_TITLE_SIZE 48
#define PLOT_LABEL_SIZE 24   /* of a mark, an interval, a name */
#define PLOT_VALUE_MAX 1e100 /* of every number, so that differences of them are finite */

/*
 * HISTOGRAM: y[count] counts of bins, evenly spaced from x_low to x_high, or in log x; y_other likewise.
 * SERIES:    y[count] at even steps of x from x_low (the oldest) to x_high (the newest); NaN: none. y_other likewise.
 * POINTS:    y[count] at x[count]; bad ones did not do.
 * INTERVALS: y[count] from low to high, each with a label; without an interval low and high are NaN.
 */
#define PLOT_KINDS(X)             \
	X(HISTOGRAM, "histogram") \
	X(SERIES, "series")       \
	X(POINTS, "points")       \
	X(INTERVALS, "intervals")

enum plot_kind {
#define X(name, text) PLOT_##name,
	PLOT_KINDS(X)
#undef X
	    PLOT_KIND_COUNT
};

#define PLOT_UNITS(X)         \
	X(VALUE, "value")     \
	X(COUNT, "count")     \
	X(NS, "ns")           \
	X(BYTES, "bytes")     \
	X(SECONDS, "seconds") \
	X(RATE, "rate")       \
	X(RATIO, "ratio")     \
	X(PERCENT, "percent")

/* RATE: a second; RATIO: 1 is no change; PERCENT: 0 to 100. */
enum plot_unit {
#define X(name, text) PLOT_IN_##name,
	PLOT_UNITS(X)
#undef X
	    PLOT_UNIT_COUNT
};

enum plot_axis { PLOT_AXIS_X, PLOT_AXIS_Y };

/* A line across the chart: an SLO, a threshold, the knee. Of INTERVALS the numbers are those of the axis y. */
struct plot_mark {
	enum plot_axis axis;
	double value;
	char label[PLOT_LABEL_SIZE];
};

struct plot {
	enum plot_kind kind;
	char title[PLOT_TITLE_SIZE];
	char name[PLOT_LABEL_SIZE], other_name[PLOT_LABEL_SIZE]; /* of y and y_other: "v3", "v2"; "" no y_other */
	enum plot_unit x_unit, y_unit;
	double x_low, x_high; /* of HISTOGRAM and SERIES, x_low < x_high */
	bool x_log;           /* HISTOGRAM and POINTS: x is above 0 and drawn by its logarithm */
	size_t count;
	double y[PLOT_POINTS_MAX], y_other[PLOT_POINTS_MAX], x[PLOT_POINTS_MAX];
	bool bad[PLOT_POINTS_MAX];
	double low[PLOT_INTERVALS_MAX], high[PLOT_INTERVALS_MAX];
	char labels[PLOT_INTERVALS_MAX][PLOT_LABEL_SIZE];
	size_t mark_count;
	struct plot_mark marks[PLOT_MARKS_MAX];
};

const char *plot_kind_name(enum plot_kind kind);
const char *plot_unit_name(enum plot_unit unit);
bool plot_has_other(const struct plot *p);
/* A value as its unit has it, in at most PLOT_VALUE_SIZE - 1 bytes: "1.2ms", "96.7 MB", "412k/s", "1.05x", "3%"; 0 is
 * "0" of any. */
#define PLOT_VALUE_SIZE 24
void plot_value_text(enum plot_unit unit, double value, bool ascii, char text[PLOT_VALUE_SIZE]);

/* For who fills one. An empty one of that kind; text longer than its place is cut. */
void plot_begin(struct plot *p, enum plot_kind kind, const char *title, enum plot_unit x_unit, enum plot_unit y_unit);
/* What there is no place for, and a value that is not finite, is left out. */
void plot_mark(struct plot *p, enum plot_axis axis, double value, const char *label);
void plot_point(struct plot *p, double x, double y, bool bad);
void plot_interval(struct plot *p, const char *label, double low, double middle, double high, bool bad);
/* Counts a value into its bin: the ends hold what lies beyond. The caller set count, x_low, x_high and x_log. */
void plot_count(struct plot *p, double value, bool other);

/* An array of plots: {"kind":"histogram","title","x_unit","y_unit","name","other_name","x_low","x_high","x_log",
 * "x","y","y_other","low","high":[numbers],"labels":[text],"bad":[places],"marks":[{"axis":"x","value","label"}]},
 * without what its kind has not. Numbers have six digits. NULL when memory is out. */
cJSON *plots_to_json(const struct plot *plots, size_t count);
/* At most PLOTS_MAX; a missing array is none. What is not as said above is ERR_INPUT with its name, and then count is
 * 0; strings are cleaned and cut. */
int plots_from_json(const cJSON *array, struct plot plots[PLOTS_MAX], size_t *count, struct err *e);

#endif
