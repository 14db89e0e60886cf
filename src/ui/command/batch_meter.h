/*
 * batch_meter: how fast a batch is, and one line of it for people: a bar on a terminal, else a line now and then.
 *
 * Owner: the caller; one thread. On stderr only, without colours. A terminal's line is redrawn at most five times a
 * second; where there is none (or TERM=dumb) a plain line comes every ten seconds.
 */
#ifndef UI_BATCH_METER_H
#define UI_BATCH_METER_H

#include "core/batch.h"

struct batch_meter {
	double rate;   /* rows a second, of the last seconds; 0: not known yet */
	double left_s; /* NaN: not known */

	bool terminal, ascii, drawn; /* private, as is the rest */
	const char *name;
	int64_t begun_ms, measured_ms, drawn_ms;
	uint64_t rows, bytes; /* when it was measured */
	double byte_rate;
};

/* name: of the input, borrowed. */
void batch_meter_begin(struct batch_meter *m, const char *name);
/* Measures, and draws when it is time. */
void batch_meter_update(struct batch_meter *m, const struct batch_progress *progress);
/* Removes the bar; the cursor is at a line's start. */
void batch_meter_end(struct batch_meter *m);
double batch_meter_seconds(const struct batch_meter *m);

/* The line in at most width columns: what does not fit is left out, the least important first. */
void batch_meter_line(char *text, size_t size, int width, bool ascii, const char *name,
		      const struct batch_progress *progress, double rate, double left_s);

#endif
