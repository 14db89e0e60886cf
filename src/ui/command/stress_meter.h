/*
 * stress_meter: a running load in one line for people: time, rate, latencies, their histogram, errors.
 *
 * Owner: the caller; one thread. On stderr, without colours: redrawn in place on a terminal, else a line each second,
 * of which a job shows the last ones.
 */
#ifndef UI_STRESS_METER_H
#define UI_STRESS_METER_H

#include "core/test/stress_report.h"

struct stress_meter {
	bool terminal, ascii, drawn; /* private */
};

void stress_meter_begin(struct stress_meter *m);
void stress_meter_show(struct stress_meter *m, const struct stress_point *point, const struct load_counts *counts,
		       double left_s);
/* Removes the line; the cursor is at a line's start. */
void stress_meter_end(struct stress_meter *m);

/* The latencies so far in columns, three a decade from 10 microseconds to 10 s, in eighths of a line's height by the
 * root of the counts, so that tails show. ascii: of the characters " .:-=+*#". */
#define STRESS_CHART_COLUMNS 18
void stress_meter_chart(char *text, size_t size, const uint64_t counts[HISTOGRAM_BUCKETS], bool ascii);

#endif
