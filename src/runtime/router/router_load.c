/*
 * router_load: versions in and out of memory while they stay registered.
 *
 * Loading holds no lock: the version is marked as loading, which whoever wants it too waits for, its twin is loaded
 * and warmed up beside it, and takes its place.
 */
#include "runtime/router/router_internal.h"

#include "core/clock.h"
#include "runtime/router/warm_up.h"

#include <stdlib.h>
#include <string.h>

/* One attempt to load a version. */
struct attempt {
	const char *model;
	uint32_t version;
	struct served_version *twin; /* NULL: it is loaded already */
	struct served_life *life;
	uint32_t lender;
	bool waited; /* for somebody else's */
};

static int warm_up_with(struct router *r, const char *model, const struct served_version *v, uint32_t lender,
			enum warm_up_depth depth, struct err *e)
{
	struct warm_up_rows rows;
	int result = warm_up_find(r->registry, model, v->version, lender, &rows, e);
	if (result == 0)
		result = warm_up(v, model, &rows, depth, NULL, e);
	sample_rows_release(&rows.samples);
	return result;
}

int router_warm_up(struct router *r, const char *model, const struct served_version *v, uint32_t lender, struct err *e)
{
	return warm_up_with(r, model, v, lender, WARM_UP_LOAD, e);
}

static struct served_version *find_version(struct router *r, const char *model, uint32_t version,
					   const struct served_model **found, struct err *e)
{
	const struct served_model *m = *found = routing_find(router_current(r), model, e);
	struct served_version *v = m == NULL ? NULL : served_model_find(m, version);
	if (m != NULL && v == NULL)
		err_set(e, ERR_NOT_FOUND, "%s has no version %u; it has 1 to %zu", model, (unsigned)version,
			m->version_count);
	return v;
}

static int not_ready(const struct served_version *v, const char *model, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "v%u of %s is not ready: %s", (unsigned)v->version, model, v->note);
}

int router_check(struct router *r, const char *model, uint32_t version, struct err *e)
{
	const struct served_model *m;
	struct err why = {0};
	uint32_t lender = 0;

	pthread_mutex_lock(&r->change);
	struct served_version *v = find_version(r, model, version, &m, NULL);
	if (v != NULL && v->engine != NULL) {
		served_version_pin(v);
		lender = warm_up_lender(m, v);
	} else {
		v = NULL;
	}
	pthread_mutex_unlock(&r->change);
	if (v == NULL)
		return 0;
	int result = warm_up_with(r, model, v, lender, WARM_UP_CHECK, &why);
	served_version_unpin(v);
	if (result != 0)
		err_set(e, ERR_CONFLICT, "v%u of %s gets no requests: %s", (unsigned)version, model, why.text);
	return result;
}

/* --- loading --- */

/* Holds the version, and makes the attempt ours unless it is loaded: whoever loads it just now is waited for, and
 * where that fails it is our failure too (change is held). */
static int claim(struct router *r, struct attempt *a, struct err *e)
{
	const struct served_model *m;
	struct served_version *v = find_version(r, a->model, a->version, &m, e);

	if (v == NULL)
		return -1;
	a->life = v->life;
	a->life->holds++;
	if (atomic_load(&a->life->loading)) {
		uint32_t count = a->life->load_count;
		a->waited = true;
		while (a->life->load_count == count)
			pthread_cond_wait(&r->settled, &r->change);
		v = find_version(r, a->model, a->version, &m, e);
		return v->engine != NULL ? 0 : not_ready(v, a->model, e);
	}
	if (v->engine != NULL)
		return 0;
	a->twin = served_version_twin(v);
	if (a->twin == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while loading v%u of %s", (unsigned)a->version, a->model);
	a->lender = warm_up_lender(m, v);
	atomic_store(&a->life->loading, true);
	return 0;
}

static void load(struct router *r, struct attempt *a)
{
	struct err e;
	served_version_load(r, a->twin);
	if (a->twin->engine != NULL && router_warm_up(r, a->model, a->twin, a->lender, &e) != 0)
		served_version_fail(a->twin, &e);
}

/* Puts the twin into its place (change is held). Leaves in *dropped what found none. */
static int settle(struct router *r, struct attempt *a, struct served_version **dropped, struct err *e)
{
	const struct served_model *old;
	struct served_version *v = find_version(r, a->model, a->version, &old, e);
	int result = a->twin->engine != NULL ? 0 : not_ready(a->twin, a->model, e);

	*dropped = a->twin;
	atomic_store(&a->life->loading, false);
	a->life->load_count++;
	pthread_cond_broadcast(&r->settled);
	/* Its file was deployed again meanwhile. */
	if (v->engine != NULL)
		return 0;
	struct served_model *m = served_model_copy(old, a->model, 0);
	if (m == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while loading v%u of %s", (unsigned)a->version, a->model);
	m->versions[a->version - 1] = a->twin;
	if (router_publish(r, m, e) != 0) {
		served_model_free(m);
		return -1;
	}
	a->life->loaded_ms = clock_ms();
	*dropped = NULL;
	router_retire(r, v);
	return result;
}

int router_hold(struct router *r, const char *model, uint32_t version, struct served_life **held, bool *loaded,
		struct err *e)
{
	struct attempt a = {.model = model, .version = version};
	struct served_version *dropped = NULL;

	pthread_mutex_lock(&r->change);
	int result = claim(r, &a, e);
	*loaded = a.waited || a.twin != NULL;
	if (result == 0 && a.twin != NULL) {
		pthread_mutex_unlock(&r->change);
		load(r, &a);
		pthread_mutex_lock(&r->change);
		result = settle(r, &a, &dropped, e);
	}
	pthread_mutex_unlock(&r->change);
	served_version_drop(dropped);
	if (result != 0)
		router_release(r, a.life);
	*held = result == 0 ? a.life : NULL;
	return result;
}

int router_hold_loaded(struct router *r, const char *model, uint32_t version, struct served_life **held, struct err *e)
{
	const struct served_model *m;
	struct err why;
	int result = -1;

	*held = NULL;
	pthread_mutex_lock(&r->change);
	struct served_version *v = find_version(r, model, version, &m, e);
	if (v != NULL && v->engine != NULL) {
		*held = v->life;
		v->life->holds++;
		result = 0;
	} else if (v != NULL) {
		served_version_state(v, &why);
		err_set(e, ERR_CONFLICT, "v%u of %s is not ready: %s", (unsigned)version, model, why.text);
	}
	pthread_mutex_unlock(&r->change);
	return result;
}

void router_release(struct router *r, struct served_life *held)
{
	if (held == NULL)
		return;
	pthread_mutex_lock(&r->change);
	held->holds--;
	router_wake(r);
	pthread_mutex_unlock(&r->change);
}

int router_load_version(struct router *r, const char *model, uint32_t version, const char *reason,
			const struct actor *actor, struct err *e)
{
	struct served_life *held;
	bool loaded;
	struct err why = {0};
	int result = router_hold(r, model, version, &held, &loaded, &why);

	if (result == 0)
		atomic_store(&held->asked_ms, clock_ms());
	router_release(r, held);
	registry_audit(r->registry, actor, "load", model, version, result == 0 ? "done" : err_name(why.code), reason,
		       why.text, NULL);
	if (result != 0 && e != NULL)
		*e = why;
	return result;
}

static int count_versions(struct router *r, const char *model, uint32_t *count, struct err *e)
{
	pthread_mutex_lock(&r->change);
	const struct served_model *m = routing_find(router_current(r), model, e);
	*count = m == NULL ? 0 : (uint32_t)m->version_count;
	pthread_mutex_unlock(&r->change);
	return m == NULL ? -1 : 0;
}

int router_load(struct router *r, const char *model, const struct actor *actor, struct err *e)
{
	struct err first = {0};
	uint32_t count;

	if (count_versions(r, model, &count, &first) == 0) {
		for (uint32_t version = 1; version <= count; version++) {
			struct served_life *held;
			struct err why;
			bool loaded;
			if (router_hold(r, model, version, &held, &loaded, &why) != 0 && first.code == ERR_NONE)
				first = why;
			router_release(r, held);
		}
	}
	registry_audit(r->registry, actor, "load", model, 0, first.code == ERR_NONE ? "done" : err_name(first.code), "",
		       first.text, NULL);
	if (first.code == ERR_NONE)
		return 0;
	if (e != NULL)
		*e = first;
	return -1;
}

/* --- unloading --- */

static bool any_loading(const struct served_model *m)
{
	for (size_t i = 0; m != NULL && i < m->version_count; i++)
		if (atomic_load(&m->versions[i]->life->loading))
			return true;
	return false;
}

/* Puts unloaded twins in place of all that is loaded (change is held). gone[version_count] gets what they replaced;
 * the caller frees it. */
static int unload_all(struct router *r, const struct served_model *old, const char *why, struct served_version ***gone,
		      size_t *count, struct err *e)
{
	struct served_model *m = served_model_copy(old, old->name, 0);
	bool whole = m != NULL;

	*count = 0;
	*gone = calloc(old->version_count + 1, sizeof **gone);
	whole = whole && *gone != NULL;
	for (size_t i = 0; whole && i < old->version_count; i++) {
		if (old->versions[i]->engine == NULL)
			continue;
		struct served_version *twin = served_version_twin(old->versions[i]);
		whole = twin != NULL;
		if (!whole)
			break;
		served_version_note_unloaded(twin, old->name, why);
		m->versions[i] = twin;
		(*gone)[(*count)++] = old->versions[i];
	}
	if (!whole)
		err_set(e, ERR_MEMORY, "memory is out while unloading %s", old->name);
	if (whole && router_publish(r, m, e) == 0)
		return 0;
	for (size_t i = 0; m != NULL && i < old->version_count; i++)
		if (m->versions[i] != old->versions[i])
			served_version_drop(m->versions[i]);
	served_model_free(m);
	*count = 0;
	return -1;
}

/* Their last predictions may take long, and no other change has to wait for those. */
static void drop_after_use(struct served_version **gone, size_t count)
{
	for (size_t i = 0; i < count; i++)
		atomic_store(&gone[i]->leaving, true);
	for (size_t i = 0; i < count; i++) {
		while (atomic_load_explicit(&gone[i]->pins, memory_order_acquire) > 0)
			clock_pause_ms(1);
		served_version_drop(gone[i]);
	}
	free(gone);
}

int router_unload(struct router *r, const char *model, const struct actor *actor, struct err *e)
{
	struct served_version **gone = NULL;
	struct err why = {0};
	size_t count = 0;
	int result = -1;

	pthread_mutex_lock(&r->change);
	while (any_loading(routing_find(router_current(r), model, NULL)))
		pthread_cond_wait(&r->settled, &r->change);
	const struct served_model *m = routing_find(router_current(r), model, &why);
	if (m != NULL)
		result = unload_all(r, m, actor->name, &gone, &count, &why);
	pthread_mutex_unlock(&r->change);
	drop_after_use(gone, count);
	registry_audit(r->registry, actor, "unload", model, 0, result == 0 ? "done" : err_name(why.code), "", why.text,
		       NULL);
	if (result != 0 && e != NULL)
		*e = why;
	return result;
}
