/*
 * registry_rollouts: rollouts in the database: one open a model, and what became of the others.
 *
 * Thread-safe like the registry. A step, and every end that changes the route, is written by registry_change_route()
 * in one transaction with its revision (route_change.rollout); here is the rest. An ended rollout is never rewritten.
 */
#ifndef CORE_REGISTRY_ROLLOUTS_H
#define CORE_REGISTRY_ROLLOUTS_H

#include "core/registry/registry.h"
#include "core/rollout.h"

/* The open ones of all models; free(). */
int registry_open_rollouts(struct registry *r, struct rollout **rollouts, size_t *count, struct err *e);
/* Newest first, at most limit, of one model; free(). */
int registry_rollouts(struct registry *r, const char *model, size_t limit, struct rollout **rollouts, size_t *count,
		      struct err *e);
/* Writes state, held time, findings and note of an open one, with an audit record of `action` ("pause", "resume")
 * unless it is NULL (a checkpoint). ERR_CONFLICT when it has ended meanwhile. */
int registry_update_rollout(struct registry *r, const struct rollout *rollout, const struct actor *actor,
			    const char *action, const char *reason, struct err *e);

#endif
