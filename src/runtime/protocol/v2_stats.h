/*
 * v2_stats: the statistics extension of V2: what a version did since the runtime started.
 *
 * Pure but for the telemetry that it reads; any thread, between router_enter() and router_leave().
 * Source: Triton's statistics extension. Requests are not batched together, so that every answered one is one
 * execution, and batch_stats is empty. A refused request is in none of the counts: `fail` are the version's own.
 */
#ifndef RUNTIME_V2_STATS_H
#define RUNTIME_V2_STATS_H

#include "core/buf.h"
#include "runtime/router/router.h"

/* {"name","version","last_inference",...}: one of "model_stats". */
void v2_stats_write(struct buf *out, const struct served_model *m, const struct served_version *v);

#endif
