/*
 * telemetry: what a version did: latencies, predictions, failures, in windows of one second and since the start.
 *
 * One a version, from telemetry_new() to telemetry_free(). Recording: any thread, no lock, no allocation
 * after a thread's first record; each thread writes only its own counters. telemetry_tick(): one thread,
 * once a second; it turns the counters into a window. Reading: any thread, under an internal lock that
 * recording never takes.
 * What a version is asked as a shadow is recorded in a telemetry of its own, telemetry_copies(): nobody who counts a
 * model's requests may count a request twice. Both learn one baseline, and one tick closes the windows of both.
 * Limits: TELEMETRY_THREADS recording threads (more: the sample is counted as lost); windows are kept for
 * SNAPSHOT_WINDOW_MAX_S seconds; no bucket may count more than 2^32 - 1 between two ticks.
 * Not here: longer history.
 */
#ifndef RUNTIME_TELEMETRY_H
#define RUNTIME_TELEMETRY_H

#include "core/baseline.h"
#include "core/err.h"
#include "core/histogram.h"
#include "core/snapshot.h"
#include "runtime/telemetry/comparison.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TELEMETRY_THREADS 256

struct telemetry;

/* One answered request. What was not measured is 0. */
struct telemetry_sample {
	uint64_t latency_ns; /* from the whole body to the written answer */
	uint64_t queue_ns;   /* waiting for a worker */
	uint64_t input_ns;   /* reading the body into tensors */
	uint64_t infer_ns;   /* in the engine */
	uint64_t output_ns;  /* writing the answer */
	uint64_t rows;
};

/* Everything since telemetry_new(). Nothing here ever falls, but the sum of negative predictions. */
struct telemetry_totals {
	uint64_t ok, refused, errors; /* requests: answered; the caller's fault; the version's */
	uint64_t latency_ns, refused_ns, error_ns;
	uint64_t queue_ns, input_ns, infer_ns, output_ns;
	uint64_t rows;
	int64_t last_ms; /* Unix time of the last answered one, some ms coarse; 0: none */
	/* Predictions since the baseline is there, in its bins; NaN is counted from the start. */
	uint32_t bin_count; /* 0: no baseline yet */
	double edges[BASELINE_BINS_MAX + 1];
	uint64_t predictions[BASELINE_BINS_MAX], below, above, nan;
	double prediction_sum; /* of the finite ones in bins, below and above */
};

/* baseline (copied) may be NULL: one is then gathered from the first live predictions. */
struct telemetry *telemetry_new(const struct baseline *baseline);
void telemetry_free(struct telemetry *t);

/* One request that was answered, with its predictions (one value a row; none where nothing of it is a number). */
void telemetry_record_ok(struct telemetry *t, const struct telemetry_sample *sample, const double *predictions,
			 size_t count);
/* Whether a refusal with this code is the caller's fault. */
bool telemetry_blames_caller(enum err_code code);
/* One request that failed on this version: `refused` for the codes that blame the caller, else an error. */
void telemetry_record_error(struct telemetry *t, enum err_code code, uint64_t latency_ns);

/* --- a version as a shadow --- */

/* A comparison with the answers of another version begins. Leaves in *ended what is to be released when nobody can have
 * it from telemetry_comparison() any more, or NULL. -1 when memory is out: nothing is compared then. One thread at a
 * time. */
int telemetry_begin_shadow(struct telemetry *t, uint32_t against, struct comparison **ended);
/* The latest one, ended or not; NULL: there was none. Hold it to keep it. */
struct comparison *telemetry_comparison(struct telemetry *t);
/* Where requests that were copied to the version are recorded; NULL before it was a shadow. */
struct telemetry *telemetry_copies(struct telemetry *t);
/* The latest comparison; all 0, and false, when there was none. What is read may be released meanwhile, so only where
 * router_enter() or the routing's lock keeps it. */
bool telemetry_read_shadow(struct telemetry *t, struct shadow_stats *stats);
/* Of all its comparisons since telemetry_new(): `copied` is those that have ended; no quantiles. */
bool telemetry_read_shadow_totals(struct telemetry *t, struct shadow_stats *stats);

/* Closes the window that ends at second now_s (monotonic, increasing by one or more). */
void telemetry_tick(struct telemetry *t, int64_t now_s);

/* Takes the predictions gathered for a baseline, once BASELINE_LEARN_COUNT are there: copies them into
 * values and returns true; only once. */
bool telemetry_gathered(struct telemetry *t, double values[BASELINE_LEARN_COUNT]);
/* From now on predictions are counted into this baseline's bins (only where there was none). */
void telemetry_set_baseline(struct telemetry *t, const struct baseline *baseline);

/* From now on predictions are counted into these bins as well, which are another version's: so that the two can be
 * compared however their own bins lie. Copied, kept until telemetry_free(); the same bins again change nothing, NULL
 * ends it. -1 when memory is out. Any one thread at a time. */
int telemetry_compare(struct telemetry *t, const struct baseline *bins);

/* What was ever counted so, in whatever bins; nothing here ever falls, so a difference is of the bins of that time. */
struct telemetry_compared {
	uint32_t bin_count; /* 0: none are set now */
	double edges[BASELINE_BINS_MAX + 1];
	uint64_t counts[BASELINE_BINS_MAX], below, above, nan;
};
void telemetry_read_compared(struct telemetry *t, struct telemetry_compared *compared);

/* The last window_s closed seconds, as a snapshot shows them; the rate is over what of them the version has served.
 * ok_counts, when not NULL, gets the merged
 * latency histogram added to it, for a model's total. */
void telemetry_read(struct telemetry *t, int64_t now_s, uint32_t window_s, struct snapshot_version_stats *stats,
		    uint64_t *ok_counts);
/* The same with what it was asked as a shadow. */
void telemetry_read_with_copies(struct telemetry *t, int64_t now_s, uint32_t window_s,
				struct snapshot_version_stats *stats);
/* Until this moment: it waits for no tick. latency, which may be NULL, gets the histogram of the answered ones;
 * its counts sum up to totals->ok. */
void telemetry_read_totals(struct telemetry *t, struct telemetry_totals *totals, uint64_t latency[HISTOGRAM_BUCKETS]);
/* Fills latency from merged counts of histogram.h. */
void telemetry_latency(const uint64_t *counts, struct snapshot_latency *latency);

/* Samples that found no room, of all versions, since the start. */
uint64_t telemetry_lost(void);

#endif
