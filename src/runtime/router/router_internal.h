/*
 * router_internal: what the router's files share. Nobody else includes it.
 *
 * router.c reads and publishes, router_start.c makes and frees, router_version.c is one version, router_deploy.c
 * registers one, router_change.c changes a route, router_load.c loads and unloads, router_keep.c is the thread that
 * unloads what nobody needs, router_capture.c what is kept of requests, router_tick.c the second's work.
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
	struct capture_pool captures;
	pthread_mutex_t change; /* held over a registry change and its publication, and of all below; never while a
				 * model is loaded or asked */
	pthread_cond_t settled; /* an attempt to load a version has ended */
	pthread_cond_t wake;    /* of the keeper: versions have left a route */
	struct served_version *retired; /* replaced, in no routing; their last predictions may be under way */
	bool woken;                     /* since the keeper last looked */
	bool ending;
	bool keeping; /* the keeper was started */
	pthread_t keeper;
};

/* --- router_version.c --- */

/* Loads v's artifact; where that fails, v->note says why. */
void served_version_load(struct router *r, struct served_version *v);
/* Notes that v->model was loaded by this engine. */
void served_version_loaded(struct served_version *v, const struct engine *engine);
/* Frees the model. Nobody may predict with it any more. */
void served_version_unload(struct served_version *v);
/* Unloads one that is no good, and notes why. */
void served_version_fail(struct served_version *v, const struct err *e);
/* Says since when it is unloaded, why, and how to load it. */
void served_version_note_unloaded(struct served_version *v, const char *model, const char *why);
/* Another one for the same version, with nothing loaded. NULL when memory is out. */
struct served_version *served_version_twin(const struct served_version *old);
/* Frees what a twin does not share. */
void served_version_drop(struct served_version *v);
/* Frees all of it: of the last one of a version. NULL is fine. */
void served_version_free(struct served_version *v);

/* --- router.c; `change` is held from here on --- */

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
/* The same from the revision that was just written. */
void served_model_revise(struct served_model *m, const struct revision_record *revision);
/* Puts m into the routing in place of the model of its name. Frees what it replaced when the last reader has passed.
 * -1 (m still the caller's) when memory is out. */
int router_publish(struct router *r, struct served_model *m, struct err *e);
/* The same in two parts, for what must not fail once the registry has the change. NULL when memory is out. */
struct routing *router_room(struct router *r, const char *model, struct err *e);
void router_room_free(struct routing *room); /* of one that was not used; NULL is fine */
/* Takes over m and the room, which was made under the same hold of `change`. */
void router_publish_in(struct router *r, struct served_model *m, struct routing *room);
/* The routing as the holder of `change` sees it. */
const struct routing *router_current(struct router *r);

/* --- router_capture.c --- */

/* What m is to hold by this policy: what it has where that is as many rows, else a new capture, or NULL for none. Held
 * once for the caller. ERR_TOO_LARGE: [capture] memory has no room. */
int router_capture(struct router *r, const struct served_model *m, const struct policy *policy, struct capture **result,
		   struct err *e);

/* --- router_load.c --- */

/* Loads and warms up a version unless it is loaded, or waits for whoever does, and keeps it loaded until
 * router_release(). *loaded says whether that took a load, and so some time. `change` is not held: this may take long.
 */
int router_hold(struct router *r, const char *model, uint32_t version, struct served_life **held, bool *loaded,
		struct err *e);
/* Keeps a version loaded until router_release() if it is; ERR_CONFLICT says why not. Waits for nothing. */
int router_hold_loaded(struct router *r, const char *model, uint32_t version, struct served_life **held, struct err *e);
/* held may be NULL. */
void router_release(struct router *r, struct served_life *held);
/* Asks a loaded version of a model its sample rows, briefly; fine where it is not loaded. `change` is not held. */
int router_check(struct router *r, const char *model, uint32_t version, struct err *e);
/* Warms up a loaded version that is in no routing yet. lender as in warm_up_find(). */
int router_warm_up(struct router *r, const char *model, const struct served_version *v, uint32_t lender, struct err *e);

/* --- router_keep.c --- */

/* Something may be there to unload. */
void router_wake(struct router *r);
/* Hands over a version that is in no routing any more: the keeper drops it after its last prediction. */
void router_retire(struct router *r, struct served_version *v);
int router_keep_start(struct router *r, struct err *e);
/* Ends the thread and drops what is retired, waiting for its predictions. `change` is not held. */
void router_keep_stop(struct router *r);
/* Versions that m's new route does not name any more are idle from now on. */
void router_left(const struct served_model *m, const struct route *next);

#endif
