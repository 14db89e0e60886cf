/*
 * shadow: how the answers of a shadow version differ from those that were given.
 *
 * Plain values and pure functions; any thread. Counts are of the comparison of one pair of versions, since it began.
 * Not here: sending copies (runtime/shadow/shadows), counting by many threads (runtime/telemetry/comparison).
 */
#ifndef CORE_SHADOW_H
#define CORE_SHADOW_H

#include <stddef.h>
#include <stdint.h>

/* |difference| of predictions: bin 0 is exactly equal, bin i >= 1 spans [10^(i-10), 10^(i-9)); bin 1 also holds what
 * is less, the last what is more. */
#define SHADOW_BINS 16

struct shadow_stats {
	uint32_t against;   /* the version whose answers are given; 0: it was never a shadow since the runtime began */
	int64_t since_ms;   /* Unix; when this comparison began */
	uint64_t copied;    /* requests that were to be copied = compared + failed + dropped + those under way */
	uint64_t dropped;   /* no room: too many, or too large; or the route changed before their turn came */
	uint64_t failed;    /* the shadow gave no answer */
	uint64_t compared;  /* requests whose two answers were compared */
	uint64_t rows;      /* predictions in them */
	uint64_t differing; /* rows whose predictions are not equal; the incomparable ones too */
	uint64_t flips;     /* rows that fall into another class (a probability: to the other side of 1/2) */
	uint64_t incomparable; /* rows that have no difference: see shadow_compare() */
	double difference_sum; /* of shadow - live, over the rows that have one; of classes, of their numbers */
	double absolute_sum;   /* of |shadow - live| */
	double absolute_max;
	uint64_t bins[SHADOW_BINS];
	/* Time in the engine, of the compared requests: the two versions on the same inputs. */
	uint64_t live_ns_sum, shadow_ns_sum;
	uint64_t live_p50_ns, live_p99_ns, shadow_p50_ns, shadow_p99_ns;
};

/* What the predictions of a version are. */
enum shadow_sense { SHADOW_NUMBERS, SHADOW_PROBABILITIES, SHADOW_CLASSES };

/* One answer: a number a row. */
struct shadow_answer {
	enum shadow_sense sense;
	const double *values; /* [count] */
	size_t count;
};

/* Compares the answers of one request and adds to `rows` and all below it but the latencies. Two NaN are equal. A row
 * is incomparable when it is NaN on one side, only one side has it, the difference is no finite number, or one side is
 * a class and the other is none. Flips are of classes, and of probabilities on both sides; 1/2 is with those above. */
void shadow_compare(struct shadow_stats *stats, const struct shadow_answer *live, const struct shadow_answer *shadow);

/* 10^(bin - 9), the upper edge of a bin; of the last one infinity, of the first 0. */
double shadow_bin_edge(size_t bin);

/* For people; NaN where nothing was compared. Rows with a difference are those that are not incomparable. */
double shadow_flip_percent(const struct shadow_stats *stats);
double shadow_difference_mean(const struct shadow_stats *stats);
double shadow_absolute_mean(const struct shadow_stats *stats);
/* Mean time of the shadow by that of the live version. */
double shadow_latency_ratio(const struct shadow_stats *stats);

#endif
