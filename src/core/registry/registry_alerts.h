/*
 * registry_alerts: alerts in the database. Thread-safe like the registry.
 *
 * At most one alert of a rule, model and version is not resolved: firing it again only renews its sentence.
 */
#ifndef CORE_REGISTRY_ALERTS_H
#define CORE_REGISTRY_ALERTS_H

#include "core/alert.h"
#include "core/registry/registry.h"

/* Fires alert->rule of its model and version; fills id, state and since_ms. */
int registry_fire_alert(struct registry *r, struct alert *alert, struct err *e);
/* With its audit record. It may be acknowledged again, by whoever takes it over: the audit keeps who had it, and
 * *before, unless that is NULL, is as it was. ERR_NOT_FOUND; ERR_CONFLICT when it is resolved. */
int registry_acknowledge_alert(struct registry *r, int64_t id, const char *note, const struct actor *actor,
			       struct alert *before, struct alert *result, struct err *e);
/* All of the rule that are open for the model (version 0: of any version). */
int registry_resolve_alerts(struct registry *r, const char *rule, const char *model, uint32_t version, struct err *e);
/* Open ones, then the latest resolved, at most limit; free(). */
int registry_alerts(struct registry *r, size_t limit, struct alert **alerts, size_t *count, struct err *e);

#endif
