/*
 * shadow: how the answers of a shadow version differ from those that were given.
 *
 * A plain value; any thread. Counts are of the comparison of one pair of versions, since it began.
 * Not here: sending copies (runtime/router/shadows).
 */
#ifndef CORE_SHADOW_H
#define CORE_SHADOW_H

#include <stdint.h>

/* |difference| of predictions: bin 0 is exactly equal, bin i >= 1 spans [10^(i-10), 10^(i-9)); the first and last also
 * hold what lies beyond. */
#define SHADOW_BINS 16

struct shadow_stats {
	uint32_t against;      /* the version whose answers were given; 0: nothing compared yet */
	int64_t since_ms;      /* Unix; when this comparison began */
	uint64_t copied;       /* requests that were to be copied = compared + failed + dropped + those under way */
	uint64_t dropped;      /* no room: too many, or too large */
	uint64_t failed;       /* the shadow gave no answer */
	uint64_t compared;     /* requests whose two answers were compared */
	uint64_t rows;         /* predictions in them */
	uint64_t differing;    /* rows whose predictions are not equal */
	uint64_t flips;        /* rows that fall into another class (a probability: to the other side of 1/2) */
	uint64_t incomparable; /* rows where one of the two is no number (NaN), and not both */
	double difference_sum; /* of shadow - live, over the rows with two numbers */
	double absolute_sum;   /* of |shadow - live| */
	double absolute_max;
	uint64_t bins[SHADOW_BINS];
	/* Time in the engine, of the compared requests: the two versions on the same inputs. */
	uint64_t live_ns_sum, shadow_ns_sum;
	uint64_t live_p50_ns, live_p99_ns, shadow_p50_ns, shadow_p99_ns;
};

#endif
