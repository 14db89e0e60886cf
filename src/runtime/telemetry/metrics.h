/*
 * metrics: what a monitor reads of a runtime, in Prometheus' text format, version 0.0.4.
 *
 * metrics_write() takes one picture of the routing and its telemetry and writes every family of it: HELP and
 * TYPE once, then all samples of the family. SQLite is not asked, and of the locks that a prediction may take only
 * the workers' queue's and a remote version's health's, for one number each. Within one answer, counts that belong
 * together agree: the last bucket of a histogram is its _count.
 * Counters start at 0 with the runtime. A version is counted once it is in the route or has been asked; from then
 * on until the runtime ends, so that no series vanishes between two scrapes.
 * Any thread, between router_enter() and router_leave().
 */
#ifndef RUNTIME_METRICS_H
#define RUNTIME_METRICS_H

#include "core/buf.h"
#include "runtime/server.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* To add families: write `void metrics_<name>(struct metrics *m)` in metrics_<name>.c, then one line here. Each
 * calls metrics_family(), and for every sample metrics_series() and then metrics_count() or metrics_number(). */
#define METRICS(X) X(models) X(requests) X(predictions) X(shadows) X(captures) X(remote) X(rollouts) X(process)

#define METRICS_LATENCY_EDGES 19 /* 1, 2.5 and 5 of every decade from 10 µs to 10 s */

struct metrics_version {
	const char *model;
	char number[11]; /* the version, as a label */
	const struct served_version *version;
	const struct route_entry *entry; /* NULL: not in the route */
	bool counted;                    /* else the following are all 0 */
	struct telemetry_totals totals;
	bool shadowed;                           /* it was a shadow since the runtime began */
	struct shadow_stats shadow;              /* of all its comparisons */
	uint64_t latency[METRICS_LATENCY_EDGES]; /* answered within the edge, cumulative */
};

struct metrics {
	const struct server *server;
	const struct routing *routing;
	size_t version_count;
	struct metrics_version *versions; /* of all models, in their order */
	/* private */
	struct buf *out;
	const char *name, *type, *help;
	bool begun;
};

/* out->failed when memory is out. */
void metrics_write(const struct server *s, const struct routing *routing, struct buf *out);

/* The edges as nanoseconds and as their label. */
struct metrics_edge {
	uint64_t ns;
	const char *label;
};
extern const struct metrics_edge metrics_latency_edges[METRICS_LATENCY_EDGES];

/* --- for the parts --- */

/* What follows is of this family: "counter", "gauge" or "histogram". Nothing is written before a first sample. */
void metrics_family(struct metrics *m, const char *name, const char *type, const char *help);
/* Begins a sample of the family: suffix "", "_bucket", "_sum" or "_count"; pairs of label and value, then NULL.
 * Values may hold anything: what the format cannot carry, or a terminal must not see, becomes U+FFFD. */
void metrics_series(struct metrics *m, const char *suffix, ...) __attribute__((sentinel));
/* Ends it with its value. */
void metrics_count(struct metrics *m, uint64_t value);
void metrics_number(struct metrics *m, double value);

#define X(name) void metrics_##name(struct metrics *m);
METRICS(X)
#undef X

#endif
