/*
 * alerts: what is wrong now: raised, acknowledged and resolved here, so that everybody who shows them need not ask the
 * database.
 *
 * Owner: the server, from alerts_new() to alerts_free(). Thread-safe: changes wait for the disk, one after the other;
 * reading takes a mutex for the time of a copy.
 * Not here: what survives (registry_alerts), what finds that something is wrong (rollouts, rules).
 */
#ifndef RUNTIME_ALERTS_H
#define RUNTIME_ALERTS_H

#include "core/alert.h"
#include "core/registry/registry.h"

#include <stddef.h>

struct alerts;

/* Reads those that there are. The registry is borrowed. */
int alerts_new(struct registry *registry, struct alerts **result, struct err *e);
void alerts_free(struct alerts *a);

/* Fires alert->rule of its model and version, or renews what it says; fills id, state and since_ms. */
int alerts_fire(struct alerts *a, struct alert *alert, struct err *e);
/* *before is as it was, perhaps acknowledged by somebody else. ERR_NOT_FOUND; ERR_CONFLICT when it is resolved.
 * Audited. */
int alerts_acknowledge(struct alerts *a, int64_t id, const char *note, const struct actor *actor, struct alert *before,
		       struct alert *result, struct err *e);
/* All open ones of the rule and model (version 0: of any version); nothing is written when there are none. */
int alerts_resolve(struct alerts *a, const char *rule, const char *model, uint32_t version, struct err *e);

/* The first `max` of them: firing, acknowledged, then the latest resolved. Returns how many were copied. */
size_t alerts_list(struct alerts *a, struct alert *list, size_t max);
/* How many are in a state, of a model, or of all when model is NULL. */
size_t alerts_count(struct alerts *a, enum alert_state state, const char *model);

#endif
