#include "ui/command/work_meter.h"

#include "core/clock.h"
#include "core/text.h"
#include "ui/command/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDRAW_MS 200
#define PLAIN_MS 10000

void work_meter_begin(struct work_meter *m, const char *unit)
{
	const char *term = getenv("TERM");

	*m = (struct work_meter){.left_s = (double)NAN, .unit = unit};
	m->terminal = output_width(stderr) > 0 && term != NULL && strcmp(term, "dumb") != 0;
	m->begun_ms = m->drawn_ms = clock_ms();
}

double work_meter_seconds(const struct work_meter *m)
{
	return (double)(clock_ms() - m->begun_ms) / 1000;
}

void work_meter_update(struct work_meter *m, size_t done, size_t total)
{
	double seconds = work_meter_seconds(m);
	char left[16] = "?";
	int64_t now = clock_ms();

	m->rate = seconds > 0 ? (double)done / seconds : 0;
	m->left_s = m->rate > 0 ? (double)(total - done) / m->rate : (double)NAN;
	if (now - m->drawn_ms < (m->terminal ? REDRAW_MS : PLAIN_MS))
		return;
	m->drawn_ms = now;
	m->drawn = m->terminal;
	if (!isnan(m->left_s))
		text_uptime(left, sizeof left, (long long)ceil(m->left_s));
	fprintf(stderr, "%s%zu of %zu %s, %.1f a second, %s left%s", m->terminal ? "\r" : "", done, total, m->unit,
		m->rate, left, m->terminal ? "\033[K" : "\n");
}

void work_meter_end(struct work_meter *m)
{
	if (m->drawn)
		fputs("\r\033[K", stderr);
	m->drawn = false;
}
