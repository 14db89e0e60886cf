/*
 * router_load: models in and out of memory while they stay registered.
 *
 * A version is constant once published, so a change of what is loaded is another version in its place. The two
 * share manifest and telemetry; the old one keeps its model until its last prediction has ended.
 */
#include "runtime/router/router_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stands in for old: the same version, nothing loaded. NULL when memory is out. */
static struct served_version *make_twin(const struct served_version *old)
{
	struct served_version *v = calloc(1, sizeof *v);
	if (v == NULL)
		return NULL;
	v->version = old->version;
	v->manifest = old->manifest;
	v->telemetry = old->telemetry;
	v->created_ms = old->created_ms;
	memcpy(v->created_by, old->created_by, sizeof v->created_by);
	return v;
}

/* A published version that is loaded, or is not, as wanted; to be replaced by its twin. */
static bool is_wanted(const struct served_version *v, bool loaded)
{
	return (v->engine != NULL) == loaded;
}

/* Twins of the versions that are loaded (or are not): twins[version_count], NULL where there is none. */
static struct served_version **make_twins(const struct served_model *m, bool loaded, struct err *e)
{
	struct served_version **twins = calloc(m->version_count + 1, sizeof(struct served_version *));
	for (size_t i = 0; twins != NULL && i < m->version_count; i++) {
		if (!is_wanted(m->versions[i], loaded))
			continue;
		twins[i] = make_twin(m->versions[i]);
		if (twins[i] == NULL) {
			while (i-- > 0)
				free(twins[i]);
			free(twins);
			twins = NULL;
		}
	}
	if (twins == NULL)
		err_set(e, ERR_MEMORY, "memory is out while changing what is loaded of %s", m->name);
	return twins;
}

/* The heir takes the place of the old version, which is to be dropped. */
static void inherit(struct served_version **dropped, struct served_version *old, struct served_version *heir)
{
	old->heir = heir;
	served_version_pin(heir);
	*dropped = old;
}

static void disinherit(struct served_version **dropped)
{
	struct served_version *old = *dropped;

	*dropped = old->heir;
	old->heir = NULL;
	served_version_unpin(*dropped);
}

/* Puts the twins into the routing and leaves in `twins` what they replaced. */
static int swap_twins(struct router *r, const char *model, struct served_version **twins, size_t count, struct err *e)
{
	int result = -1;

	pthread_mutex_lock(&r->change);
	const struct served_model *old = routing_find(router_current(r), model, NULL);
	struct served_model *m = served_model_copy(old, model, 0);
	if (m == NULL) {
		err_set(e, ERR_MEMORY, "memory is out while changing what is loaded of %s", model);
		goto out;
	}
	for (size_t i = 0; i < count; i++)
		if (twins[i] != NULL)
			m->versions[i] = twins[i];
	/* What was published is freed by router_publish(): keep its versions. */
	for (size_t i = 0; i < count; i++)
		if (twins[i] != NULL)
			inherit(&twins[i], old->versions[i], m->versions[i]);
	result = router_publish(r, m, e);
	if (result != 0) {
		for (size_t i = 0; i < count; i++)
			if (twins[i] != NULL)
				disinherit(&twins[i]);
		served_model_free(m);
	}
out:
	pthread_mutex_unlock(&r->change);
	return result;
}

/* Unloads and frees what no routing names any more (or never did); manifest and telemetry live on. */
static void drop_twins(struct served_version **twins, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (twins[i] == NULL)
			continue;
		served_version_unload(twins[i]);
		if (twins[i]->heir != NULL)
			served_version_unpin(twins[i]->heir);
		free(twins[i]);
	}
	free(twins);
}

/* The model as it is; it stays as long as `loading` is held, but for route changes, which copy. */
static int find_model(struct router *r, const char *model, struct served_model **copy, struct err *e)
{
	pthread_mutex_lock(&r->change);
	const struct served_model *m = routing_find(router_current(r), model, e);
	*copy = m == NULL ? NULL : served_model_copy(m, model, 0);
	pthread_mutex_unlock(&r->change);
	if (m == NULL)
		return -1;
	if (*copy == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while changing what is loaded of %s", model);
	return 0;
}

static void mark_unloaded(struct served_version **twins, size_t count, const struct actor *actor)
{
	for (size_t i = 0; i < count; i++) {
		if (twins[i] == NULL)
			continue;
		twins[i]->unloaded = true;
		snprintf(twins[i]->note, sizeof twins[i]->note, "%s unloaded it", actor->name);
	}
}

/* Loads the twins; the first failure is said in e, and -1 returned. */
static int load_twins(struct router *r, struct served_version **twins, size_t count, struct err *e)
{
	int result = 0;
	for (size_t i = 0; i < count; i++) {
		if (twins[i] == NULL)
			continue;
		served_version_load(r, twins[i]);
		if (twins[i]->engine == NULL && result == 0)
			result =
			    err_set(e, ERR_SYSTEM, "v%u could not be loaded: %s", twins[i]->version, twins[i]->note);
	}
	return result;
}

/* Leaves in *twins, NULL or of *count, what is to be dropped. */
static int change_loaded(struct router *r, const char *model, bool load, const struct actor *actor,
			 struct served_version ***twins, size_t *count, struct err *e)
{
	struct served_model *m;
	int result = 0;

	if (find_model(r, model, &m, e) != 0)
		return -1;
	*count = m->version_count;
	*twins = make_twins(m, !load, e);
	served_model_free(m);
	if (*twins == NULL)
		return -1;
	if (load)
		result = load_twins(r, *twins, *count, e);
	else
		mark_unloaded(*twins, *count, actor);
	return swap_twins(r, model, *twins, *count, e) == 0 ? result : -1;
}

static int change_and_record(struct router *r, const char *model, bool load, const struct actor *actor, struct err *e)
{
	const char *action = load ? "load" : "unload";
	struct served_version **twins = NULL;
	size_t count = 0;

	pthread_mutex_lock(&r->loading);
	int result = change_loaded(r, model, load, actor, &twins, &count, e);
	pthread_mutex_unlock(&r->loading);
	/* Their last predictions may take long, and no other change has to wait for those. */
	drop_twins(twins, count);
	registry_audit(r->registry, actor, action, model, 0, result == 0 ? "done" : err_name(e->code), "",
		       result == 0 ? "" : e->text, NULL);
	return result;
}

int router_unload(struct router *r, const char *model, const struct actor *actor, struct err *e)
{
	return change_and_record(r, model, false, actor, e);
}

int router_load(struct router *r, const char *model, const struct actor *actor, struct err *e)
{
	return change_and_record(r, model, true, actor, e);
}
