/*
 * router_keep: the thread that unloads versions which nobody needs, and frees what was replaced. It also keeps the
 * registry's log short, which would otherwise hold up a change now and then.
 *
 * It looks once a second and whenever a version has left a route. A version goes when it is in no route, no change
 * counts on it, no prediction runs, and its times are over: see [routes] in docs/CONFIG.md. What was replaced is freed
 * after its last prediction, which nobody waits for.
 */
#include "runtime/router/router_internal.h"

#include "core/clock.h"

#include <errno.h>
#include <stdlib.h>

#define LOOK_MS 1000
#define RETIRED_LOOK_MS 5 /* while predictions with what was replaced are under way */

void router_wake(struct router *r)
{
	r->woken = true;
	pthread_cond_signal(&r->wake);
}

void router_retire(struct router *r, struct served_version *v)
{
	atomic_store(&v->leaving, true);
	v->retired_next = r->retired;
	r->retired = v;
	router_wake(r);
}

void router_left(const struct served_model *m, const struct route *next)
{
	int64_t now_ms = clock_ms();

	for (uint32_t i = 0; i < m->route.entry_count; i++) {
		const struct route_entry *entry = &m->route.entries[i];
		struct served_version *v = served_model_find(m, entry->version);
		if (v == NULL || route_find(next, entry->version) != NULL)
			continue;
		atomic_store(&v->life->asked_ms, now_ms);
		if (entry->role != ROUTE_SHADOW)
			v->life->left_ms = now_ms;
	}
}

static bool is_due(const struct router *r, const struct served_model *m, const struct served_version *v, int64_t now_ms)
{
	const struct config_routes *config = &r->config->routes;
	const struct served_life *life = v->life;
	int64_t asked_ms = atomic_load(&life->asked_ms);
	int64_t used_ms = asked_ms > life->loaded_ms ? asked_ms : life->loaded_ms;

	if (v->engine == NULL || life->holds > 0 || atomic_load(&v->pins) > 0 ||
	    route_find(&m->route, v->version) != NULL)
		return false;
	if (life->left_ms != INT64_MIN && now_ms - life->left_ms < (int64_t)config->keep_warm_s * 1000)
		return false;
	return now_ms - used_ms >= (int64_t)config->idle_unload_s * 1000;
}

/* The model with an unloaded twin in place of every version that is due; NULL when none is, or memory is out. */
static struct served_model *without_due(const struct router *r, const struct served_model *old, int64_t now_ms)
{
	struct served_model *m = NULL;

	for (size_t i = 0; i < old->version_count; i++) {
		if (!is_due(r, old, old->versions[i], now_ms))
			continue;
		if (m == NULL)
			m = served_model_copy(old, old->name, 0);
		struct served_version *twin = m == NULL ? NULL : served_version_twin(old->versions[i]);
		/* The rest goes another time. */
		if (twin == NULL)
			break;
		served_version_note_unloaded(twin, old->name, "it is in no route and was not asked");
		m->versions[i] = twin;
	}
	return m;
}

static void unload_due(struct router *r, const struct served_model *old, int64_t now_ms)
{
	struct served_model *m = without_due(r, old, now_ms);
	struct served_version *gone = NULL, *next;

	if (m == NULL)
		return;
	/* router_publish() frees the old model: what it alone has is noted here. */
	for (size_t i = 0; i < old->version_count; i++) {
		if (m->versions[i] == old->versions[i])
			continue;
		old->versions[i]->retired_next = gone;
		gone = old->versions[i];
	}
	if (router_publish(r, m, NULL) != 0) {
		for (size_t i = 0; i < old->version_count; i++)
			if (m->versions[i] != old->versions[i])
				served_version_drop(m->versions[i]);
		served_model_free(m);
		return;
	}
	for (; gone != NULL; gone = next) {
		next = gone->retired_next;
		router_retire(r, gone);
	}
}

/* Those of the retired whose last prediction has ended, taken off the list. */
static struct served_version *take_ended(struct router *r)
{
	struct served_version *ended = NULL, **at = &r->retired;

	while (*at != NULL) {
		struct served_version *v = *at;
		if (atomic_load_explicit(&v->pins, memory_order_acquire) > 0) {
			at = &v->retired_next;
			continue;
		}
		*at = v->retired_next;
		v->retired_next = ended;
		ended = v;
	}
	return ended;
}

static void drop_all(struct served_version *list)
{
	while (list != NULL) {
		struct served_version *next = list->retired_next;
		served_version_drop(list);
		list = next;
	}
}

static void *keep(void *context)
{
	struct router *r = context;

	pthread_mutex_lock(&r->change);
	while (!r->ending) {
		/* Each publishes a new routing; models only ever become more. */
		for (size_t i = 0; i < router_current(r)->model_count; i++)
			unload_due(r, router_current(r)->models[i], clock_ms());
		struct served_version *ended = take_ended(r);
		const struct timespec until =
		    clock_deadline(clock_ms() + (r->retired != NULL ? RETIRED_LOOK_MS : LOOK_MS));
		bool dropped = ended != NULL;
		pthread_mutex_unlock(&r->change);
		drop_all(ended);
		registry_checkpoint(r->registry, NULL);
		pthread_mutex_lock(&r->change);
		while (!r->woken && !dropped && pthread_cond_timedwait(&r->wake, &r->change, &until) != ETIMEDOUT)
			continue;
		r->woken = false;
	}
	pthread_mutex_unlock(&r->change);
	return NULL;
}

int router_keep_start(struct router *r, struct err *e)
{
	int error = pthread_create(&r->keeper, NULL, keep, r);
	if (error != 0)
		return err_errno(e, error, "the thread that unloads versions cannot be started");
	r->keeping = true;
	return 0;
}

void router_keep_stop(struct router *r)
{
	if (!r->keeping)
		return;
	pthread_mutex_lock(&r->change);
	r->ending = true;
	router_wake(r);
	pthread_mutex_unlock(&r->change);
	pthread_join(r->keeper, NULL);
	while (r->retired != NULL) {
		struct served_version *ended = take_ended(r);
		drop_all(ended);
		if (ended == NULL)
			clock_pause_ms(1);
	}
}
