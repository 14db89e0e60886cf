/*
 * replay: recorded flights sent as inference requests, at the times they happened, sped up.
 *
 * Reads a CSV with the columns departed_s,known_s,unit,<features...>,late,arr_delay (empty: missing) and
 * sends every row to every model over one kept-alive connection, then starts over. When the runtime is slower
 * than the recording the clock waits for it: nothing is sent in a burst afterwards.
 * Owner: the caller; one thread.
 * Not here: outcomes are read with their rows but not sent; nothing takes them yet.
 */
#ifndef CORE_REPLAY_H
#define CORE_REPLAY_H

#include "core/err.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#define REPLAY_MODELS_MAX 8
#define REPLAY_ROWS_MAX 1000000

struct replay_row {
	int64_t departed_s; /* Unix seconds; rows are sorted by it */
	int64_t known_s;    /* when the outcome was known */
	char unit[32];
	double late, arr_delay; /* the outcome; NaN when it is missing */
	char *values;           /* the features as JSON numbers and nulls, "4,1,null" */
};

struct replay {
	size_t row_count, feature_count;
	struct replay_row *rows;
};

struct replay_options {
	const char *url; /* "http://127.0.0.1:8080" */
	size_t model_count;
	const char *models[REPLAY_MODELS_MAX];
	double speed;                      /* recorded seconds in one; 0: from the rate */
	double rate_rps;                   /* mean requests a second of all models together */
	const volatile sig_atomic_t *stop; /* ends the replay when it is not 0 */
};

struct replay_result {
	uint64_t sent, failed;
	char first_failure[256];
};

/* ERR_INPUT names the line and column at fault. */
int replay_read(const char *path, struct replay **result, struct err *e);
void replay_free(struct replay *r);
/* Recorded seconds that pass in one second under these options. */
double replay_speed(const struct replay *r, const struct replay_options *options);
/* The body of a V2 inference request for one row; text is cut never: -1 when it does not fit. */
int replay_body(const struct replay *r, size_t row, char *text, size_t size);
/* Runs until *stop, or until the runtime has not answered for some seconds: ERR_UNREACHABLE. */
int replay_run(const struct replay *r, const struct replay_options *options, struct replay_result *result,
	       struct err *e);

#endif
