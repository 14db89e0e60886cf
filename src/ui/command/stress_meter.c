#include "ui/command/stress_meter.h"

#include "core/text.h"
#include "ui/command/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_A_DECADE 3
#define LEAST_NS 1e4
#define HEIGHTS 8

void stress_meter_begin(struct stress_meter *m)
{
	const char *term = getenv("TERM");

	*m = (struct stress_meter){.ascii = output_ascii()};
	m->terminal = output_width(stderr) > 0 && term != NULL && strcmp(term, "dumb") != 0;
}

void stress_meter_chart(char *text, size_t size, const uint64_t counts[HISTOGRAM_BUCKETS], bool ascii)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const marks[] = {" ", ".", ":", "-", "=", "+", "*", "#", "#"};
	double columns[STRESS_CHART_COLUMNS] = {0}, most = 0;
	size_t used = 0;

	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double at = COLUMNS_A_DECADE * log10(fmax((double)histogram_value_ns(i), LEAST_NS) / LEAST_NS);
		columns[at < STRESS_CHART_COLUMNS ? (size_t)at : STRESS_CHART_COLUMNS - 1] += (double)counts[i];
	}
	for (size_t i = 0; i < STRESS_CHART_COLUMNS; i++)
		most = fmax(most, columns[i]);
	text[0] = '\0';
	for (size_t i = 0; i < STRESS_CHART_COLUMNS && used + 4 < size; i++) {
		size_t height = most == 0 ? 0 : (size_t)ceil(HEIGHTS * sqrt(columns[i] / most));
		used += (size_t)snprintf(text + used, size - used, "%s", (ascii ? marks : blocks)[height]);
	}
}

void stress_meter_show(struct stress_meter *m, const struct stress_point *p, const struct load_counts *counts,
		       double left_s)
{
	char chart[4 * STRESS_CHART_COLUMNS + 1], rate[16], asked[16], p50[16], p99[16], left[32];
	uint64_t failed = load_errors_total(counts);

	stress_meter_chart(chart, sizeof chart, counts->intended, m->ascii);
	text_count(rate, sizeof rate, p->answered_rps);
	text_count(asked, sizeof asked, p->rate_rps);
	text_duration(p50, sizeof p50, (double)p->p50_ns, m->ascii);
	text_duration(p99, sizeof p99, (double)p->p99_ns, m->ascii);
	text_uptime(left, sizeof left, (long long)ceil(fmax(left_s, 0)));
	fprintf(stderr, "%s%4.0f s  %s of %s/s  p50 %s  p99 %s  10us [%s] 10s  failed %llu  %s left%s",
		m->terminal ? "\r" : "", p->at_s, rate, asked, p50, p99, chart, (unsigned long long)failed, left,
		m->terminal ? "\033[K" : "\n");
	fflush(stderr);
	m->drawn = m->terminal;
}

void stress_meter_end(struct stress_meter *m)
{
	if (!m->drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	m->drawn = false;
}
