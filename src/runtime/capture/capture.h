/*
 * capture: a sample of the rows that live requests of one model asked, in memory alone.
 *
 * Every row of the last half to whole window ([capture] window) is in it with the same chance, whatever came how fast:
 * two reservoirs (Vitter, "Random sampling with a reservoir", ACM TOMS 11, 1985, algorithm R) take turns, each for half
 * a window; the older one is emptied when it is its turn again, and who reads draws from both as many as each has seen
 * rows (hypergeometric). The draw of row n is a hash of n and a seed (Steele, Lea and Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014), so that threads share one counter and nothing else.
 * Owner: the model in the routing, which holds it, and requests that outlive their stay there. Offering takes no lock
 * and waits for nobody; a row that takes a place takes its memory too, so that steady traffic needs none from the
 * system. Limits: `limit` rows a reservoir, CAPTURE_ROW_MAX bytes a row, and the pool's bytes for all models. A row
 * without room is counted as dropped; a reservoir that finds none while it fills is from then on as large as it is, for
 * a half window, so that its rows stay a fair sample. Not here: whose requests are offered (router/infer), rows as text
 * (capture_text), who may read (control).
 */
#ifndef RUNTIME_CAPTURE_H
#define RUNTIME_CAPTURE_H

#include "core/err.h"
#include "runtime/capture/capture_row.h"

#include <stdatomic.h>
#include <stdbool.h>

#define CAPTURE_ROWS_MAX 100000
#define CAPTURE_ROW_MAX ((size_t)64 << 10)

/* What all models share; of the caller, from before the first capture until after the last. */
struct capture_pool {
	size_t bytes_max;
	int64_t window_ms;
	_Atomic size_t bytes[2]; /* of first and second halves: each has half of it, so that the younger finds room */
};

struct capture;

struct capture_facts {
	size_t limit;       /* rows that are given at most */
	uint64_t rows;      /* in memory, of both halves */
	uint64_t bytes;     /* of memory, with that for the places */
	uint64_t seen;      /* rows of requests since it was switched on */
	uint64_t dropped;   /* chosen, but without room */
	uint64_t too_large; /* chosen, but above CAPTURE_ROW_MAX */
	int64_t since_ms;   /* Unix: the window's begin */
};

/* Held once. now_ms: clock_ms(); seed: any number. ERR_TOO_LARGE: the pool has no room even for its places. */
int capture_new(struct capture_pool *pool, size_t limit, int64_t now_ms, uint64_t seed, struct capture **result,
		struct err *e);
/* Keeps it until it is released; the last release forgets all rows. NULL is fine for both. */
void capture_hold(struct capture *c);
void capture_release(struct capture *c);

/* Takes what the draw chooses of an answered request's rows. Any thread. */
void capture_offer(struct capture *c, const struct capture_request *request);
/* Turns to the other half when this one's time is over. One thread, about once a second. now_ms: clock_ms(). */
void capture_tick(struct capture *c, int64_t now_ms);

/* Visits at most `limit` rows that are a uniform sample of the window, in random order, until there are no more. A row
 * that `visit` says false of does not count. The row is valid during the call only. Waits for another reader. */
int capture_read(struct capture *c, size_t limit, bool (*visit)(void *context, const struct capture_row *row),
		 void *context, struct err *e);

size_t capture_limit(const struct capture *c);
void capture_facts(const struct capture *c, struct capture_facts *facts);

#endif
