/*
 * telemetry_internal: what telemetry.c, which records, and telemetry_read.c, which reads, share.
 */
#ifndef RUNTIME_TELEMETRY_INTERNAL_H
#define RUNTIME_TELEMETRY_INTERNAL_H

#include "runtime/telemetry/telemetry.h"

#include <pthread.h>
#include <stdatomic.h>

/* Places for predictions behind the bins of the baseline. */
enum { PLACE_BELOW = BASELINE_BINS_MAX, PLACE_ABOVE, PLACE_NAN, PLACE_COUNT };

/* Whole numbers that only grow. FINITE: how many predictions are behind the VALUES of the same place. */
enum {
	SUM_REFUSED,
	SUM_ERRORS,
	SUM_REFUSED_NS,
	SUM_ERROR_NS,
	SUM_ROWS,
	SUM_LATENCY_NS,
	SUM_QUEUE_NS,
	SUM_INPUT_NS,
	SUM_INFER_NS,
	SUM_OUTPUT_NS,
	SUM_FINITE_GATHERED,
	SUM_FINITE_BINNED,
	SUM_COUNT
};

/* Sums of predictions: of those before there was a baseline, and of those that fell into its bins: the sum of
 * a histogram must not hold what its buckets do not. */
enum { VALUES_GATHERED, VALUES_BINNED, VALUES_COUNT };

/* What one thread counted since the start. Only that thread writes. */
struct recorder {
	_Atomic uint64_t sums[SUM_COUNT];
	_Atomic uint64_t values[VALUES_COUNT]; /* bits of doubles */
	_Atomic int64_t last_ms;               /* of the last prediction, Unix; 0: none */
	_Atomic uint32_t latency[HISTOGRAM_BUCKETS];
	_Atomic uint32_t predictions[PLACE_COUNT];
	_Atomic uint64_t compared[PLACE_COUNT]; /* in another version's bins */
};

/* Another version's bins; those that were set before stay, for a thread may still be counting into them. */
struct compared {
	struct baseline bins;
	struct compared *before;
};

/* All threads' counts at one moment. The 32-bit ones wrap: only differences of them mean something. */
struct counts {
	uint64_t sums[SUM_COUNT];
	double values[VALUES_COUNT];
	int64_t last_ms;
	uint32_t latency[HISTOGRAM_BUCKETS];
	uint32_t predictions[PLACE_COUNT];
};

/* What happened in one second. Latencies are kept sparse: most buckets are empty. */
struct window {
	int64_t second; /* the one that it ended; 0: never used */
	uint64_t requests, refused, errors, finite;
	double sum;
	uint32_t predictions[PLACE_COUNT];
	size_t latency_count;
	struct {
		uint16_t bucket;
		uint32_t count;
	} * latency;
};

struct telemetry {
	_Atomic(struct recorder *) recorders[TELEMETRY_THREADS];
	_Atomic(struct baseline *) baseline;
	_Atomic(struct compared *) compared; /* NULL: none now */
	struct compared *compared_all;       /* the newest first; of telemetry_compare()'s thread */
	/* Gathering towards a baseline. */
	_Atomic uint32_t gather_next, gather_done;
	bool gather_taken; /* the tick's thread only */
	double *gather;

	struct telemetry *parent; /* of copies: whose baseline is learned */
	_Atomic(struct telemetry *) copies;
	_Atomic(struct comparison *) comparison;
	struct tally shadow_total;

	pthread_mutex_t lock; /* of all below */
	int64_t first_s;      /* of the first tick; 0: none yet */
	struct counts before; /* at the last tick */
	/* Since the start until then, where `before` has wrapped. */
	uint64_t latency_total[HISTOGRAM_BUCKETS];
	uint64_t predictions_total[PLACE_COUNT];
	struct window windows[SNAPSHOT_WINDOW_MAX_S];
};

/* All recorders together, now. Each count is at least what an earlier call of the same thread saw. */
void telemetry_sum(struct telemetry *t, struct counts *counts);

#endif
