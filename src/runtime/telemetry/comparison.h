/*
 * comparison: the answers of a shadow beside those of the live version, counted by several threads.
 *
 * One a pair of versions, from the change of the route that made the pair to the next that unmakes it. It is counted
 * by reference: its version's telemetry holds it, and so does every copy that is under way, whose result counts here
 * even when the comparison was ended meanwhile. Counting: any thread, no lock, no allocation. Numbers that belong
 * together may be a request apart while they are read.
 * Not here: what is compared (core/shadow), when one begins (router_shadow).
 */
#ifndef RUNTIME_COMPARISON_H
#define RUNTIME_COMPARISON_H

#include "core/shadow.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum tally_count {
	TALLY_DROPPED,
	TALLY_FAILED,
	TALLY_COMPARED,
	TALLY_ROWS,
	TALLY_DIFFERING,
	TALLY_FLIPS,
	TALLY_INCOMPARABLE,
	TALLY_LIVE_NS,
	TALLY_SHADOW_NS,
	TALLY_COUNTS
};

/* Sums that only grow; zeroed at first. */
struct tally {
	_Atomic uint64_t counts[TALLY_COUNTS];
	_Atomic uint64_t bins[SHADOW_BINS];
	_Atomic double difference_sum, absolute_sum, absolute_max;
};

/* Adds it to what stats has: all but against, since_ms, copied and the quantiles. */
void tally_read(struct tally *t, struct shadow_stats *stats);

struct comparison;

/* With one reference, the caller's. total outlives it and is counted into as well. NULL when memory is out. */
struct comparison *comparison_new(uint32_t against, struct tally *total);
void comparison_hold(struct comparison *c);
void comparison_release(struct comparison *c); /* NULL is fine */

/* Nothing more is to be compared: what waits is to be dropped. */
void comparison_end(struct comparison *c);
bool comparison_ended(struct comparison *c);
uint32_t comparison_against(const struct comparison *c);

/* One request is to be copied; then exactly one of the others follows. */
void comparison_copied(struct comparison *c);
void comparison_dropped(struct comparison *c);
void comparison_failed(struct comparison *c);
void comparison_add(struct comparison *c, const struct shadow_answer *live, uint64_t live_ns,
		    const struct shadow_answer *shadow, uint64_t shadow_ns);

/* All of it. */
void comparison_read(struct comparison *c, struct shadow_stats *stats);

#endif
