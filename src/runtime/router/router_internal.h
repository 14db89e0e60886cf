/*
 * router_internal: what router.c (reading, publishing) and router_change.c (deploy, route changes) share.
 */
#ifndef RUNTIME_ROUTER_INTERNAL_H
#define RUNTIME_ROUTER_INTERNAL_H

#include "runtime/router/router.h"

#include <pthread.h>
#include <stdatomic.h>

struct router {
	struct registry *registry;
	const struct config *config;
	_Atomic(struct routing *) routing;
	pthread_mutex_t loading; /* held while versions are loaded, unloaded or replaced; taken before `change` */
	pthread_mutex_t change;  /* held over a registry change and its publication */
};

void served_version_free(struct served_version *v);
/* Notes that v->model was loaded by this engine. */
void served_version_loaded(struct served_version *v, const struct engine *engine);
/* Waits for the last pinned prediction and unloads. No new one may come: v is in no routing any more. */
void served_version_unload(struct served_version *v);
/* Loads v's artifact; where that fails, v->note says why. */
void served_version_load(struct router *r, struct served_version *v);
/* A new model, the copy of old (shallow: versions are shared) or an empty one of that name. */
struct served_model *served_model_copy(const struct served_model *old, const char *name, size_t extra_versions);
void served_model_free(struct served_model *m);
/* Before `after` takes the place of `before` (may be NULL) in the routing: begins the comparison of every shadow that
 * is new or has another live version beside it, and ends those of shadows that leave. ended gets what is to be released
 * when the last reader of before has passed, else NULL. */
void served_model_compare(const struct served_model *before, const struct served_model *after,
			  struct comparison *ended[ROUTE_ENTRIES_MAX]);
/* Every shadow of this route must take what its live version takes; ERR_CONFLICT tells the first difference. */
int served_model_check_shadows(const struct served_model *m, const struct route *route, struct err *e);
/* Reads the newest revisions of m from the registry into its history, route and revision. */
int served_model_refresh(struct served_model *m, struct registry *registry, struct err *e);
/* Puts m into the routing in place of the model of its name (change is held). Frees what it replaced when
 * the last reader has passed. -1 (m still the caller's) when memory is out. */
int router_publish(struct router *r, struct served_model *m, struct err *e);
/* The routing as the holder of `change` sees it. */
const struct routing *router_current(struct router *r);

#endif
