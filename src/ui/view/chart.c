#include "ui/view/chart.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EIGHTHS 8
#define LABEL_SIZE 24

void chart_resample(const double *bins, size_t bin_count, double from, double to, double *columns, int column_count)
{
	double width = (to - from) / column_count;
	for (int i = 0; i < column_count; i++) {
		double low = fmax(from + i * width, 0), high = fmin(from + (i + 1) * width, (double)bin_count);
		double sum = 0;
		for (double bin = floor(low); bin < high; bin++) {
			double share = fmin(high, bin + 1) - fmax(low, bin);
			if (share > 0)
				sum += bins[(size_t)bin] * share;
		}
		columns[i] = width > 0 ? sum / width : 0;
	}
}

/* What one cell shows that is filled by so many eighths from below. */
static uint32_t bar_glyph(const struct canvas *c, int eighths)
{
	static const char levels[] = " ..::-=+#";
	if (eighths <= 0)
		return ' ';
	if (eighths > EIGHTHS)
		eighths = EIGHTHS;
	return c->charset == CHARSET_ASCII ? (uint32_t)levels[eighths] : 0x2580 + (uint32_t)eighths;
}

static int height_of(double value, double max, int rows)
{
	if (!(value > 0) || !(max > 0))
		return 0;
	int height = (int)lround(fmin(value / max, 1) * rows * EIGHTHS);
	return height > 0 ? height : 1;
}

void chart_bars(struct canvas *c, struct area area, const double *values, const double *behind, double max,
		enum canvas_role role)
{
	for (int i = 0; i < area.columns; i++) {
		int height = height_of(values[i], max, area.rows);
		int shade = behind != NULL ? height_of(behind[i], max, area.rows) : 0;
		for (int j = 0; j < area.rows; j++) {
			int row = area.row + area.rows - 1 - j, eighths = height - j * EIGHTHS;
			/* A silhouette has no eighths: a cell is shaded when at least half of it is
			 * covered. Inside a bar only its crest shows. */
			if (shade >= EIGHTHS && shade / EIGHTHS == j && height >= shade + EIGHTHS * 3 / 2)
				canvas_cell(c, row, area.column + i, c->charset == CHARSET_ASCII ? '-' : 0x2501,
					    ROLE_BASELINE);
			else if (eighths > 0)
				canvas_cell(c, row, area.column + i, bar_glyph(c, eighths), role);
			else if (shade - j * EIGHTHS >= EIGHTHS / 2 || (j == 0 && shade > 0))
				canvas_cell(c, row, area.column + i, c->charset == CHARSET_ASCII ? '\'' : 0x2591,
					    ROLE_BASELINE);
		}
	}
}

/* Dots of a braille cell whose left and right columns are filled this high (0 to 4) from below. */
static uint32_t braille_glyph(int left, int right)
{
	static const unsigned char left_dots[] = {0x00, 0x40, 0x44, 0x46, 0x47};
	static const unsigned char right_dots[] = {0x00, 0x80, 0xa0, 0xb0, 0xb8};
	return 0x2800u | left_dots[left] | right_dots[right];
}

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

static int dots_of(double value, double max, int rows)
{
	if (!(value > 0) || !(max > 0))
		return 0;
	int dots = (int)lround(fmin(value / max, 1) * rows * 4);
	return dots > 0 ? dots : 1;
}

void chart_series(struct canvas *c, struct area area, const double *values, size_t count, double max,
		  enum canvas_role role)
{
	double samples[2 * CANVAS_COLUMNS_MAX];
	if (area.columns <= 0 || area.columns > CANVAS_COLUMNS_MAX)
		return;
	if (c->charset != CHARSET_BRAILLE) {
		chart_resample(values, count, 0, (double)count, samples, area.columns);
		chart_bars(c, area, samples, NULL, max, role);
		return;
	}
	chart_resample(values, count, 0, (double)count, samples, 2 * area.columns);
	for (int i = 0; i < area.columns; i++) {
		int left = dots_of(samples[2 * i], max, area.rows);
		int right = dots_of(samples[2 * i + 1], max, area.rows);
		for (int j = 0; j < area.rows; j++) {
			uint32_t glyph = braille_glyph(clamp(left - 4 * j, 0, 4), clamp(right - 4 * j, 0, 4));
			if (glyph != 0x2800)
				canvas_cell(c, area.row + area.rows - 1 - j, area.column + i, glyph, role);
		}
	}
}

double chart_place(const struct chart_scale *scale, double value)
{
	if (scale->log)
		return (log(value) - log(scale->low)) / (log(scale->high) - log(scale->low));
	return (value - scale->low) / (scale->high - scale->low);
}

/* The dot of a value from below, -1 for none. */
static int dot_of(const struct chart_scale *scale, double value, int dots)
{
	double part = chart_place(scale, value);
	return isfinite(part) ? clamp((int)floor(part * dots), 0, dots - 1) : -1;
}

/* One column of dots of a braille line: from the dot before, which lies beside it, to its own. */
static void line_dots(struct canvas *c, struct area area, int x, int before, int dot, enum canvas_role role)
{
	static const unsigned char dots[2][4] = {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}};
	int from = before < 0 || before == dot ? dot : before < dot ? before + 1 : before - 1;
	for (int i = from < dot ? from : dot; i <= (from < dot ? dot : from); i++) {
		int row = area.row + area.rows - 1 - i / 4, column = area.column + x / 2;
		if (row < 0 || row >= c->rows || column < 0 || column >= c->columns)
			continue;
		uint32_t glyph = c->cells[row * c->columns + column].glyph;
		glyph = glyph >= 0x2800 && glyph <= 0x28ff ? glyph : 0x2800;
		canvas_cell(c, row, column, glyph | dots[x % 2][i % 4], role);
	}
}

void chart_line(struct canvas *c, struct area area, const double *values, size_t count, const struct chart_scale *scale,
		enum canvas_role role)
{
	bool braille = c->charset == CHARSET_BRAILLE;
	int columns = braille ? 2 * area.columns : area.columns, before = -1;
	if (count == 0)
		return;
	for (int x = 0; x < columns; x++) {
		int dot = dot_of(scale, values[(size_t)x * count / (size_t)columns], area.rows * (braille ? 4 : 1));
		if (dot >= 0 && braille)
			line_dots(c, area, x, before, dot, role);
		else if (dot >= 0)
			canvas_cell(c, area.row + area.rows - 1 - dot, area.column + x,
				    c->charset == CHARSET_ASCII ? '-' : 0x2500, role);
		before = dot;
	}
}

/* Ticks with labels at whole powers of ten. */
static void decades(struct canvas *c, int row, int column, int columns, double from, double to,
		    void (*text)(const void *context, double value, bool ascii, char *text), const void *context)
{
	char label[LABEL_SIZE];
	int next = 0;
	for (int decade = (int)ceil(from - 1e-9); decade <= (int)floor(to); decade++) {
		int at = (int)lround((decade - from) / (to - from) * columns);
		text(context, pow(10, decade), c->charset == CHARSET_ASCII, label);
		/* 1.0ms is 1ms on an axis, but 0.01 is 0.01. */
		char *zero = strstr(label, ".0");
		if (zero != NULL && (zero[2] < '0' || zero[2] > '9'))
			memmove(zero, zero + 2, strlen(zero + 2) + 1);
		int width = 1 + canvas_width(label);
		if (at < next || at + width > columns)
			continue;
		canvas_cell(c, row, column + at, 0x2575, ROLE_BORDER);
		canvas_put(c, row, column + at + 1, width - 1, ROLE_DIM, label);
		next = at + width + 1;
	}
}

static void duration_label(const void *context, double value, bool ascii, char *text)
{
	(void)context;
	text_duration(text, LABEL_SIZE, value, ascii);
}

void chart_log_axis(struct canvas *c, int row, int column, int columns, double from, double to)
{
	decades(c, row, column, columns, from, to, duration_label, NULL);
}

/* The two ends, and the middle where there is room. */
static void ends(struct canvas *c, int row, int column, int columns, const char *left, const char *middle,
		 const char *right)
{
	int a = canvas_width(left), b = canvas_width(middle), d = canvas_width(right);
	if (a + d + 1 > columns)
		return;
	canvas_put(c, row, column, a, ROLE_DIM, left);
	canvas_put(c, row, column + columns - d, d, ROLE_DIM, right);
	if (a + b + d + 4 <= columns)
		canvas_put(c, row, column + columns / 2 - b / 2, b, ROLE_DIM, middle);
}

void chart_axis(struct canvas *c, int row, int column, int columns, const struct chart_scale *scale,
		void (*text)(const void *context, double value, bool ascii, char *text), const void *context)
{
	char left[LABEL_SIZE], middle[LABEL_SIZE], right[LABEL_SIZE];
	bool ascii = c->charset == CHARSET_ASCII;
	double from = scale->log ? log10(scale->low) : 0, to = scale->log ? log10(scale->high) : 0;
	if (floor(to) - ceil(from - 1e-9) >= 1) {
		decades(c, row, column, columns, from, to, text, context);
		return;
	}
	text(context, scale->low, ascii, left);
	text(context, scale->log ? pow(10, (from + to) / 2) : scale->low / 2 + scale->high / 2, ascii, middle);
	text(context, scale->high, ascii, right);
	ends(c, row, column, columns, left, middle, right);
}

void chart_linear_axis(struct canvas *c, int row, int column, int columns, double from, double to, bool more_below,
		       bool more_above)
{
	char left[24], middle[24], right[24];
	snprintf(left, sizeof(left), "%s%.3g", more_below ? "< " : "", from);
	snprintf(middle, sizeof(middle), "%.3g", from / 2 + to / 2);
	snprintf(right, sizeof(right), "%.3g%s", to, more_above ? " >" : "");
	ends(c, row, column, columns, left, middle, right);
}

void chart_split(struct canvas *c, int row, int column, int columns, const struct route_entry *route, size_t count)
{
	int cells[ROUTE_ENTRIES_MAX] = {0}, used = 0;
	size_t largest = 0;
	for (size_t i = 0; i < count && i < ROUTE_ENTRIES_MAX; i++) {
		if (route[i].role == ROUTE_SHADOW || route[i].weight_bp == 0)
			continue;
		cells[i] = (int)lround(route[i].weight_bp * (double)columns / ROUTE_BUCKETS);
		cells[i] = cells[i] > 0 ? cells[i] : 1;
		used += cells[i];
		if (cells[i] > cells[largest])
			largest = i;
	}
	if (used == 0)
		return;
	cells[largest] += columns - used; /* the rounding is the largest one's */
	int at = column;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < count && i < ROUTE_ENTRIES_MAX; i++) {
			bool live = route[i].role == ROUTE_LIVE;
			if (live != (pass == 0) || cells[i] <= 0)
				continue;
			/* Seven eighths: bars of neighbouring rows do not run into each other. */
			canvas_fill(c, row, at, 1, cells[i], live ? 0x2587 : 0x2592, live ? ROLE_LIVE : ROLE_CANARY);
			at += cells[i];
		}
	}
}

void chart_progress(struct canvas *c, int row, int column, int columns, double part, enum canvas_role role)
{
	int whole = columns * EIGHTHS, filled = (int)(fmax(part, 0) * whole);
	if (part > 0 && filled == 0)
		filled = 1;
	if (part >= 1)
		filled = whole;
	for (int i = 0; i < columns; i++) {
		int eighths = filled - i * EIGHTHS;
		/* The left blocks go down from the full one. */
		if (eighths > 0 && c->charset != CHARSET_ASCII)
			canvas_cell(c, row, column + i, 0x2590 - (uint32_t)(eighths < EIGHTHS ? eighths : EIGHTHS),
				    role);
		else if (eighths >= EIGHTHS / 2)
			canvas_cell(c, row, column + i, '#', role);
		else
			canvas_cell(c, row, column + i, c->charset == CHARSET_ASCII ? '.' : 0xb7, ROLE_DIM);
	}
}
