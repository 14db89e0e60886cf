/*
 * work_meter: how far a test is, in a line on stderr: redrawn on a terminal, else now and then.
 *
 * Owner: the caller; one thread. Not here: batches of rows (batch_meter), the job list (job_report).
 */
#ifndef UI_WORK_METER_H
#define UI_WORK_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct work_meter {
	double rate;   /* a second, since the start; 0: not known yet */
	double left_s; /* NaN: not known */

	const char *unit; /* private, as is the rest; borrowed: "launches" */
	bool terminal, drawn;
	int64_t begun_ms, drawn_ms;
};

void work_meter_begin(struct work_meter *m, const char *unit);
void work_meter_update(struct work_meter *m, size_t done, size_t total);
/* Removes the line; the cursor is at a line's start. */
void work_meter_end(struct work_meter *m);
double work_meter_seconds(const struct work_meter *m);

#endif
