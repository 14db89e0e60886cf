/*
 * scheduler: the one thread that does what is due from time to time: telemetry's windows, rollouts, later rules.
 *
 * Owner: the server, from scheduler_new() to scheduler_free(). Its work may wait for the disk and for a route's change;
 * what is late is done once, not as often as it was missed. A drain asks it to stop and waits for it only at the end.
 * Not here: signals and slow clients (server), children (jobs).
 */
#ifndef RUNTIME_SCHEDULER_H
#define RUNTIME_SCHEDULER_H

#include "core/err.h"

struct router;
struct rollouts;
struct scheduler;

/* Starts it. Both are borrowed until scheduler_free(). */
int scheduler_new(struct router *router, struct rollouts *rollouts, struct scheduler **result, struct err *e);
/* Nothing new begins; returns at once. */
void scheduler_stop(struct scheduler *s);
/* Stops it, waits for what it does now, and has the rollouts written. */
void scheduler_free(struct scheduler *s);

#endif
