/*
 * router: which versions are loaded and which of them answers a request.
 *
 * Owner: the server, from router_new() to router_free(). Data plane threads read one immutable `routing`
 * between router_enter() and router_leave(), without locks; changes build a new one, swap it in, and free
 * the old one when its last reader has passed. A change is in the registry before it is in the routing.
 * A version takes requests after it was loaded and warmed up, and is unloaded when it is in no route and nothing has
 * asked it for some time ([routes] in the configuration). What stands for a version is constant, so to load or unload
 * it is to put another one in its place; manifest, telemetry and life are shared and stay until the router is freed.
 * Not here: what is kept (registry), sample rows (warm_up), HTTP.
 */
#ifndef RUNTIME_ROUTER_H
#define RUNTIME_ROUTER_H

#include "core/columns.h"
#include "core/finding.h"
#include "core/registry/registry_policy.h"
#include "core/snapshot.h"
#include "runtime/capture/capture.h"
#include "runtime/engine/engine.h"
#include "runtime/experiment/tap.h"
#include "runtime/telemetry/telemetry.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of a version whatever is loaded of it. */
struct served_life {
	_Atomic int64_t asked_ms; /* when a request last named it, or it left the route: monotonic, some ms coarse */
	atomic_bool loading;      /* somebody loads it just now */
	/* Of who may change the routing; monotonic. */
	int64_t loaded_ms;
	int64_t left_ms;       /* when it was last live or a canary; INT64_MIN: never */
	unsigned holds;        /* changes that count on it: it stays loaded */
	uint32_t load_count;   /* attempts to load it that have ended */
	struct beside *beside; /* of a canary (beside.h); NULL: it counts from the start */
};

/* One loaded (or unloaded, or failed) version. Constant once published, but for the two atomics. */
struct served_version {
	uint32_t version;
	const struct engine *engine; /* NULL: it could not be loaded; note says why */
	void *model;
	struct prediction_kind kind;
	struct manifest manifest;
	struct columns *columns; /* of a loaded one; NULL where its inputs are no columns */
	struct telemetry *telemetry;
	int64_t created_ms;
	char created_by[WHO_SIZE];
	char note[REASON_SIZE];
	bool unloaded; /* nobody needed it: it is not that it failed */
	struct served_life *life;
	atomic_bool leaving;                 /* it is being unloaded: what waits to predict with it should give up */
	atomic_uint pins;                    /* predictions that outlive their reader's stay in the routing */
	_Atomic float ns_per_byte;           /* what its requests cost (infer); infinite: not known yet */
	struct served_version *retired_next; /* private */
};

/* One model at one revision. Immutable. */
struct served_model {
	char name[TEXT_NAME_MAX + 1];
	uint32_t revision;
	struct route route;
	size_t version_count; /* ascending */
	struct served_version **versions;
	size_t history_count;
	struct snapshot_revision history[SNAPSHOT_HISTORY]; /* newest first */
	bool policy_set;
	struct policy policy;    /* for who looks at it; the gates ask the registry */
	struct capture *capture; /* of its rows; held; NULL: its policy keeps none */
	struct tap *tap;         /* of the A/B test that runs on it; held; NULL: none does */
};

/* All models at one moment. Immutable; sorted by name. */
struct routing {
	size_t model_count;
	struct served_model **models;
};

struct router;

/* Loads and warms up what is in a route, or was live or a canary a short time ago, of every model of the registry; the
 * others stay unloaded until they are needed. A version that cannot be loaded is kept as failed, with the reason. The
 * configuration is borrowed until router_free(). */
int router_new(struct registry *registry, const struct config *config, struct router **result, struct err *e);
void router_free(struct router *r);

/* A reader must not block between the two. */
const struct routing *router_enter(struct router *r);
void router_leave(struct router *r);

/* The model of that name; NULL and, with e, ERR_NOT_FOUND when there is none. */
const struct served_model *routing_find(const struct routing *routing, const char *name, struct err *e);
/* The version of that number, or NULL. */
struct served_version *served_model_find(const struct served_model *m, uint32_t version);
/* The same by the text that a path has; ERR_NOT_FOUND says which there are. */
struct served_version *served_model_version(const struct served_model *m, const char *number, struct err *e);
/* The version that a request gets: by its unit when it has one (unit_size > 0), else at random. NULL when
 * the model has no live version. */
struct served_version *served_model_pick(const struct served_model *m, const char *unit, size_t unit_size);
/* The number in [0, ROUTE_BUCKETS) by which the shadows get a request, those of a greater weight: by its unit when it
 * has one, so that all requests of a unit are copied or none, else at random; independent of which version answers.
 * ROUTE_BUCKETS when no shadow would get it. */
uint32_t served_model_draw(const struct served_model *m, const char *unit, size_t unit_size);

/* AWAY: its remote server is. */
#define SERVED_STATES(X)        \
	X(READY, "ready")       \
	X(AWAY, "away")         \
	X(LOADING, "loading")   \
	X(UNLOADED, "unloaded") \
	X(FAILED, "failed")
enum served_state {
#define X(state, name) SERVED_##state,
	SERVED_STATES(X)
#undef X
};
const char *served_state_name(enum served_state state);
/* e, when not NULL, gets the reason of all but READY. Waits for nothing. */
enum served_state served_version_state(const struct served_version *v, struct err *e);

/* Keeps a version loaded past router_leave(), until it is unpinned. Between router_enter() and router_leave(). */
void served_version_pin(struct served_version *v);
void served_version_unpin(struct served_version *v);
/* A request names this version: it is not idle. Cheap. */
void served_version_asked(struct served_version *v);

/* manifest_same_inputs(): whether what v is asked can be asked of other as it is. */
bool served_version_same_inputs(const struct served_version *v, const struct served_version *other,
				char difference[MANIFEST_DIFFERENCE_SIZE]);
/* manifest_same_outputs(): whether who reads v's answers can read other's. */
bool served_version_same_outputs(const struct served_version *v, const struct served_version *other,
				 char difference[MANIFEST_DIFFERENCE_SIZE]);

/* What a deploy asks for, besides the file's bytes. */
struct deploy_request {
	const char *model;
	const char *sha256; /* of an artifact that the registry has */
	const char *file_name;
	const char *reason;
	bool no_live;
	const char *baseline_csv; /* rows with a header, or NULL */
	const char *samples_csv;  /* rows to warm it up with; NULL: the first of the baseline */
	/* Names of the columns of the model's only input [-1, feature_count], whose file has none. */
	const char *const *feature_names;
	size_t feature_count;            /* 0: none are given */
	const struct baseline *baseline; /* one that was frozen before, in place of rows; or NULL */
	uint32_t expect_version;         /* the number that it is to get, else ERR_CONFLICT; 0: any */
};

/* Detects, loads, warms up and registers a version, then serves it. On failure nothing changed. */
int router_deploy(struct router *r, const struct deploy_request *request, const struct actor *actor,
		  struct deploy_result *result, uint64_t *baseline_count, struct err *e);

/* What came, or for a dry run or one that the gates refuse would come, of a change. */
struct change_outcome {
	struct revision_record revision;
	char before[128];     /* route_text() of what it replaced */
	size_t finding_count; /* of the gates, also when they refuse */
	struct finding findings[FINDINGS_MAX];
};

/* Loads and warms up what the changed route names, then registry_change_route(), then the new route serves: when this
 * returns, no request that starts now is answered by the old route. Refuses a version that cannot be loaded or does not
 * answer its sample rows. Loading holds up no other change; who asked for one that takes it, and named no revision, is
 * refused when the route was changed meanwhile. A dry run loads nothing. */
int router_change(struct router *r, const struct route_change *change, const struct actor *actor,
		  struct change_outcome *outcome, struct err *e);

/* The same for the start of an A/B test: requests of the route that it makes are offered to the tap, which is held. Any
 * other change but that of a shadow ends what was offered to one. */
int router_change_tapped(struct router *r, const struct route_change *change, struct tap *tap,
			 const struct actor *actor, struct change_outcome *outcome, struct err *e);
/* Gives a model the tap of a test that goes on since an earlier runtime. */
int router_set_tap(struct router *r, const char *model, struct tap *tap, struct err *e);

/* registry_set_policy(), then consoles see it. No change of a route is judged by half of it. */
int router_set_policy(struct router *r, const char *model, const struct policy *policy, int64_t expect_number,
		      const char *reason, const struct actor *actor, struct policy_record *result, struct err *e);

/* Frees a model's versions from memory until they are loaded again, or the runtime starts anew: requests for them are
 * refused meanwhile. Returns when the last prediction with them has ended. The registry keeps everything; the audit
 * says who. May wait: not for a data plane thread. */
int router_unload(struct router *r, const char *model, const struct actor *actor, struct err *e);
/* Loads and warms up what is not loaded of a model; -1 with the first reason when a version could not be (the others
 * are). */
int router_load(struct router *r, const char *model, const struct actor *actor, struct err *e);
/* The same for one version, which may be in no route. */
int router_load_version(struct router *r, const char *model, uint32_t version, const char *reason,
			const struct actor *actor, struct err *e);

/* Once a second: closes the telemetry windows and freezes baselines that are complete. */
void router_tick(struct router *r, int64_t now_s);

#endif
