/*
 * telemetry: what a version did: latencies, predictions, errors, in windows of one second.
 *
 * One a version, from telemetry_new() to telemetry_free(). Recording: any thread, no lock, no allocation
 * after a thread's first record; each thread writes only its own counters. telemetry_tick(): one thread,
 * once a second; it turns the counters into a window. Reading: any thread, under an internal lock that
 * recording never takes.
 * Limits: TELEMETRY_THREADS recording threads (more: the sample is counted as lost); windows are kept for
 * SNAPSHOT_WINDOW_MAX_S seconds.
 * Not here: longer history.
 */
#ifndef RUNTIME_TELEMETRY_H
#define RUNTIME_TELEMETRY_H

#include "core/baseline.h"
#include "core/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TELEMETRY_THREADS 256

struct telemetry;

/* baseline (copied) may be NULL: one is then gathered from the first live predictions. */
struct telemetry *telemetry_new(const struct baseline *baseline);
void telemetry_free(struct telemetry *t);

/* One request: its latency, and its predictions (one value a row) when it succeeded. */
void telemetry_record_ok(struct telemetry *t, uint64_t latency_ns, const double *predictions,
			 size_t count);
void telemetry_record_error(struct telemetry *t);

/* Closes the window that ends at second now_s (monotonic, increasing by one or more). */
void telemetry_tick(struct telemetry *t, int64_t now_s);

/* Takes the predictions gathered for a baseline, once BASELINE_LEARN_COUNT are there: copies them into
 * values and returns true; only once. */
bool telemetry_gathered(struct telemetry *t, double values[BASELINE_LEARN_COUNT]);
/* From now on predictions are counted into this baseline's bins (only where there was none). */
void telemetry_set_baseline(struct telemetry *t, const struct baseline *baseline);

/* The last window_s closed seconds, as a snapshot shows them. ok_counts, when not NULL, gets the merged
 * latency histogram added to it, for a model's total. */
void telemetry_read(struct telemetry *t, int64_t now_s, uint32_t window_s,
		    struct snapshot_version_stats *stats, uint64_t *ok_counts);
/* Fills latency from merged counts of histogram.h. */
void telemetry_latency(const uint64_t *counts, struct snapshot_latency *latency);

/* Samples that found no room, of all versions, since the start. */
uint64_t telemetry_lost(void);

#endif
