/*
 * remote: what the rest of the runtime may ask of a version that is a model on another server.
 *
 * Any thread, while the version is loaded. Not here: predicting (engine_remote).
 */
#ifndef RUNTIME_REMOTE_H
#define RUNTIME_REMOTE_H

#include <stdint.h>

/* name, and the kind's name in JSON and metrics */
#define REMOTE_COUNTS(X)                                                         \
	X(OK, "ok")                                                              \
	X(INPUT, "input")           /* the server refused what it was asked */   \
	X(BUSY, "busy")             /* too much under way, here or there: 429 */ \
	X(UPSTREAM, "upstream")     /* no or no usable answer: 502 */            \
	X(TIMEOUT, "timeout")       /* none in time: 504 */                      \
	X(OTHER, "other")           /* memory */                                 \
	X(RETRY, "retry")           /* asked again; in no other kind */          \
	X(CONNECTION, "connection") /* made new for an exchange; in no other kind */

enum remote_count_kind {
#define X(name, text) REMOTE_COUNT_##name,
	REMOTE_COUNTS(X)
#undef X
	    REMOTE_COUNT_KINDS
};

struct remote_counts {
	uint64_t counts[REMOTE_COUNT_KINDS];
	unsigned in_flight;
};

const char *remote_count_name(enum remote_count_kind kind);
/* model: a loaded version's of engine_remote. */
void remote_counts(void *model, struct remote_counts *counts);

#endif
