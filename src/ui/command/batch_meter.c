#include "ui/command/batch_meter.h"

#include "core/clock.h"
#include "core/text.h"
#include "ui/command/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDRAW_MS 200
#define PLAIN_MS 10000
#define MEASURE_MS 500
#define MEMORY_S 5.0 /* over which the rate is averaged */
#define BAR_LEAST 8
#define BAR_MOST 40
#define PARTS_MAX 6

void batch_meter_begin(struct batch_meter *m, const char *name)
{
	const char *term = getenv("TERM");

	*m = (struct batch_meter){.left_s = (double)NAN, .name = name, .ascii = output_ascii()};
	m->terminal = output_width(stderr) > 0 && term != NULL && strcmp(term, "dumb") != 0;
	m->begun_ms = m->drawn_ms = clock_ms();
}

double batch_meter_seconds(const struct batch_meter *m)
{
	return (double)(clock_ms() - m->begun_ms) / 1000;
}

/* The new measure weighs as much as the time that it took. */
static double average(double old, double new, double seconds)
{
	return old == 0 ? new : old + (new - old) * (1 - exp(-seconds / MEMORY_S));
}

static void measure(struct batch_meter *m, const struct batch_progress *p)
{
	int64_t now = clock_ms();
	double seconds = (double)(now - m->measured_ms) / 1000;

	if (m->measured_ms == 0) {
		m->measured_ms = now;
		m->rows = p->rows;
		m->bytes = p->bytes;
		return;
	}
	if (now - m->measured_ms < MEASURE_MS)
		return;
	m->rate = average(m->rate, (double)(p->rows - m->rows) / seconds, seconds);
	m->byte_rate = average(m->byte_rate, (double)(p->bytes - m->bytes) / seconds, seconds);
	m->measured_ms = now;
	m->rows = p->rows;
	m->bytes = p->bytes;
	m->left_s = (double)NAN;
	if (p->bytes_total > 0 && m->byte_rate > 0)
		m->left_s = p->bytes >= p->bytes_total ? 0 : (double)(p->bytes_total - p->bytes) / m->byte_rate;
}

static double fraction(const struct batch_progress *p)
{
	if (p->bytes_total == 0)
		return -1;
	return p->bytes >= p->bytes_total ? 1 : (double)p->bytes / (double)p->bytes_total;
}

static size_t add_bar(char *text, size_t size, int columns, double part, bool ascii)
{
	int full = (int)(part * columns + 0.5);
	size_t used = 0;

	for (int i = 0; i < columns && used + 4 < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s",
					 i < full ? (ascii ? "#" : "█") : (ascii ? "-" : "░"));
	return used;
}

/* The parts behind the bar, the most important first; returns how many. */
static int make_parts(char parts[PARTS_MAX][32], const struct batch_progress *p, double rate, double left_s)
{
	char number[16];
	int count = 0;

	if (p->bytes_total > 0)
		snprintf(parts[count++], 32, "%3.0f%%", floor(fraction(p) * 100));
	text_count(number, sizeof number, (double)p->rows);
	snprintf(parts[count++], 32, "%s rows", number);
	if (p->rejected > 0) {
		text_count(number, sizeof number, (double)p->rejected);
		snprintf(parts[count++], 32, "%s rejected", number);
	}
	if (rate > 0) {
		text_count(number, sizeof number, rate);
		snprintf(parts[count++], 32, "%s rows/s", number);
	}
	if (!isnan(left_s)) {
		text_uptime(number, sizeof number, (long long)ceil(left_s));
		snprintf(parts[count++], 32, "%s left", number);
	}
	return count;
}

/* How many of the parts fit into the width; *columns is what they take. */
static int fit_parts(char parts[PARTS_MAX][32], int count, int width, int *columns)
{
	int shown = 0;

	*columns = 0;
	for (; shown < count; shown++) {
		int more = (int)strlen(parts[shown]) + 2 * (shown > 0);
		if (*columns + more > width)
			break;
		*columns += more;
	}
	return shown;
}

static size_t add_parts(char *text, size_t size, char parts[PARTS_MAX][32], int shown)
{
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < shown && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "  " : "", parts[i]);
	return used;
}

void batch_meter_line(char *text, size_t size, int width, bool ascii, const char *name,
		      const struct batch_progress *progress, double rate, double left_s)
{
	char parts[PARTS_MAX][32];
	int count = make_parts(parts, progress, rate, left_s), columns;
	int shown = fit_parts(parts, count, width, &columns);
	int left = width - columns, named = (int)strlen(name) + 2;
	size_t used = 0;

	if (shown == count && left >= named + BAR_LEAST + 2) {
		used += (size_t)snprintf(text, size, "%s  ", name);
		left -= named;
	}
	if (progress->bytes_total > 0 && left >= BAR_LEAST + 2) {
		int bar = left - 2 > BAR_MOST ? BAR_MOST : left - 2;
		used += add_bar(text + used, size - used, bar, fraction(progress), ascii);
		used += (size_t)snprintf(text + used, size - used, "  ");
	}
	add_parts(text + used, size - used, parts, shown);
}

/* For a log: no bar, and nothing that is cut. */
static void plain_line(char *text, size_t size, const struct batch_meter *m, const char *name,
		       const struct batch_progress *progress)
{
	char parts[PARTS_MAX][32];
	int count = make_parts(parts, progress, m->rate, m->left_s);
	size_t used = (size_t)snprintf(text, size, "%s: ", name);

	add_parts(text + used, size - used, parts, count);
}

void batch_meter_update(struct batch_meter *m, const struct batch_progress *progress)
{
	int64_t now = clock_ms();
	char line[1024], name[256];

	measure(m, progress);
	if (now - m->drawn_ms < (m->terminal ? REDRAW_MS : PLAIN_MS))
		return;
	m->drawn_ms = now;
	text_clean(name, sizeof name, m->name);
	if (!m->terminal) {
		plain_line(line, sizeof line, m, name, progress);
		fprintf(stderr, "%s\n", line);
		return;
	}
	/* The last column stays free: some terminals wrap there. */
	batch_meter_line(line, sizeof line, output_width(stderr) - 1, m->ascii, name, progress, m->rate, m->left_s);
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	m->drawn = true;
}

void batch_meter_end(struct batch_meter *m)
{
	if (!m->drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	m->drawn = false;
}
