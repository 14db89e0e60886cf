#include "runtime/router/router_internal.h"

#include "core/clock.h"
#include "runtime/router/epoch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 256 rows in JSON through a sample forest, measured. */
#define TABULAR_NS_PER_BYTE 20

const char *served_state_name(enum served_state state)
{
	static const char *const names[] = {
#define X(state, name) name,
	    SERVED_STATES(X)
#undef X
	};
	return names[state];
}

enum served_state served_version_state(const struct served_version *v, struct err *e)
{
	if (v->engine == NULL) {
		err_set(e, ERR_UNREACHABLE, "%s", v->note);
		return v->unloaded ? SERVED_UNLOADED : SERVED_FAILED;
	}
	if (v->engine->ready != NULL && v->engine->ready(v->model, e) != 0)
		return SERVED_AWAY;
	return SERVED_READY;
}

void served_version_pin(struct served_version *v)
{
	atomic_fetch_add_explicit(&v->pins, 1, memory_order_relaxed);
}

void served_version_unpin(struct served_version *v)
{
	atomic_fetch_sub_explicit(&v->pins, 1, memory_order_release);
}

static bool is_tabular(const struct served_version *v)
{
	const struct engine *engine = engine_find(v->manifest.engine);
	return engine != NULL && engine->tabular;
}

bool served_version_same_inputs(const struct served_version *v, const struct served_version *other,
				char difference[MANIFEST_DIFFERENCE_SIZE])
{
	return manifest_same_inputs(&v->manifest, &other->manifest, is_tabular(v) && is_tabular(other), difference);
}

void served_version_loaded(struct served_version *v, const struct engine *engine)
{
	v->engine = engine;
	/* Whoever needs them and finds none says why, by asking columns_new() again. */
	v->columns = columns_new(&v->manifest, "", NULL);
	/* What a forest takes is known well enough to send a first huge request to a worker; of any other model the
	 * first request tells, there. */
	atomic_store(&v->ns_per_byte, engine->tabular ? TABULAR_NS_PER_BYTE : INFINITY);
}

void served_version_unload(struct served_version *v)
{
	while (atomic_load_explicit(&v->pins, memory_order_acquire) > 0)
		clock_pause_ms(1);
	if (v->engine != NULL)
		v->engine->unload(v->model);
	v->engine = NULL;
	columns_free(v->columns);
	v->columns = NULL;
}

void served_version_free(struct served_version *v)
{
	if (v == NULL)
		return;
	served_version_unload(v);
	manifest_release(&v->manifest);
	telemetry_free(v->telemetry);
	free(v);
}

struct served_model *served_model_copy(const struct served_model *old, const char *name, size_t extra_versions)
{
	struct served_model *m = calloc(1, sizeof *m);
	if (m == NULL)
		return NULL;
	if (old != NULL)
		*m = *old;
	else
		snprintf(m->name, sizeof m->name, "%s", name);
	m->versions = calloc(m->version_count + extra_versions + 1, sizeof(struct served_version *));
	if (m->versions == NULL) {
		free(m);
		return NULL;
	}
	if (m->version_count > 0)
		memcpy(m->versions, old->versions, m->version_count * sizeof(struct served_version *));
	return m;
}

void served_model_free(struct served_model *m)
{
	if (m == NULL)
		return;
	free(m->versions);
	free(m);
}

static void history_entry(struct snapshot_revision *to, const struct revision_record *from)
{
	to->revision = from->revision;
	to->based_on = from->based_on;
	to->at_ms = from->at_ms;
	memcpy(to->action, from->action, sizeof to->action);
	memcpy(to->who, from->who, sizeof to->who);
	memcpy(to->reason, from->reason, sizeof to->reason);
	route_text(&from->route, to->route, sizeof to->route);
}

int served_model_refresh(struct served_model *m, struct registry *registry, struct err *e)
{
	struct revision_record *records;
	size_t count;
	if (registry_revisions(registry, m->name, SNAPSHOT_HISTORY, &records, &count, e) != 0)
		return -1;
	m->history_count = count;
	for (size_t i = 0; i < count; i++)
		history_entry(&m->history[i], &records[i]);
	if (count > 0) {
		m->revision = records[0].revision;
		m->route = records[0].route;
	}
	free(records);
	return 0;
}

/* Takes over what the record owns. NULL when memory is out. */
static struct served_version *version_from_record(struct version_record *record)
{
	struct served_version *v = calloc(1, sizeof *v);
	if (v == NULL)
		return NULL;
	v->telemetry = telemetry_new(&record->baseline);
	if (v->telemetry == NULL) {
		free(v);
		return NULL;
	}
	v->version = record->version;
	v->created_ms = record->created_ms;
	memcpy(v->created_by, record->created_by, sizeof v->created_by);
	v->manifest = record->manifest;
	manifest_init(&record->manifest);
	return v;
}

static int load_engine(struct router *r, struct served_version *v, const void *data, size_t size, struct err *e)
{
	const struct engine_source source = {data, size, r->config, &v->manifest};
	const struct engine *engine = engine_find(v->manifest.engine);
	if (engine == NULL)
		return err_set(e, ERR_UNSUPPORTED, "this mldeck has no engine `%s`", v->manifest.engine);
	if (engine->load(&source, NULL, &v->kind, &v->model, e) != 0)
		return -1;
	served_version_loaded(v, engine);
	return 0;
}

void served_version_load(struct router *r, struct served_version *v)
{
	const void *data;
	size_t size;
	struct err e = {0};
	if (artifact_map(r->registry, v->manifest.sha256, &data, &size, &e) == 0) {
		load_engine(r, v, data, size, &e);
		artifact_unmap(data, size);
	}
	if (v->engine == NULL)
		snprintf(v->note, sizeof v->note, "%.*s", (int)sizeof v->note - 1, e.text);
}

static int load_model(struct router *r, const char *name, struct served_model **result, struct err *e)
{
	struct version_record *records;
	size_t count;
	if (registry_versions(r->registry, name, &records, &count, e) != 0)
		return -1;

	struct served_model *m = served_model_copy(NULL, name, count);
	bool complete = m != NULL;
	for (size_t i = 0; complete && i < count; i++) {
		struct served_version *v = version_from_record(&records[i]);
		complete = v != NULL;
		if (!complete)
			break;
		served_version_load(r, v);
		m->versions[m->version_count++] = v;
	}
	version_records_free(records, count);
	if (!complete)
		err_set(e, ERR_MEMORY, "memory is out while loading %s", name);
	if (!complete || served_model_refresh(m, r->registry, e) != 0) {
		for (size_t i = 0; m != NULL && i < m->version_count; i++)
			served_version_free(m->versions[i]);
		served_model_free(m);
		return -1;
	}
	*result = m;
	return 0;
}

int router_new(struct registry *registry, const struct config *config, struct router **result, struct err *e)
{
	struct router *r = calloc(1, sizeof *r);
	struct routing *routing = calloc(1, sizeof *routing);
	char(*names)[TEXT_NAME_MAX + 1] = NULL;
	size_t count = 0;

	if (r == NULL || routing == NULL) {
		free(r);
		free(routing);
		return err_set(e, ERR_MEMORY, "memory is out at start");
	}
	r->registry = registry;
	r->config = config;
	atomic_store(&r->routing, routing);
	pthread_mutex_init(&r->loading, NULL);
	pthread_mutex_init(&r->change, NULL);
	if (registry_models(registry, &names, &count, e) != 0)
		goto fail;
	routing->models = calloc(count + 1, sizeof(struct served_model *));
	if (routing->models == NULL) {
		err_set(e, ERR_MEMORY, "memory is out at start");
		goto fail;
	}
	for (size_t i = 0; i < count; i++) {
		if (load_model(r, names[i], &routing->models[i], e) != 0)
			goto fail;
		routing->model_count++;
	}
	free(names);
	*result = r;
	return 0;
fail:
	free(names);
	router_free(r);
	return -1;
}

void router_free(struct router *r)
{
	if (r == NULL)
		return;
	struct routing *routing = atomic_load(&r->routing);
	for (size_t i = 0; i < routing->model_count; i++) {
		struct served_model *m = routing->models[i];
		for (size_t k = 0; k < m->version_count; k++)
			served_version_free(m->versions[k]);
		served_model_free(m);
	}
	free(routing->models);
	free(routing);
	pthread_mutex_destroy(&r->loading);
	pthread_mutex_destroy(&r->change);
	free(r);
}

const struct routing *router_enter(struct router *r)
{
	epoch_enter();
	return atomic_load(&r->routing);
}

void router_leave(struct router *r)
{
	(void)r;
	epoch_leave();
}

const struct routing *router_current(struct router *r)
{
	return atomic_load(&r->routing);
}

/* The place of a name: where it is, or where it would be. */
static size_t routing_place(const struct routing *routing, const char *name, bool *found)
{
	size_t low = 0, high = routing->model_count;
	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(routing->models[middle]->name, name);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct served_model *routing_find(const struct routing *routing, const char *name, struct err *e)
{
	bool found;
	size_t place = routing_place(routing, name, &found);
	if (!found)
		err_set(e, ERR_NOT_FOUND, "there is no model `%s`", name);
	return found ? routing->models[place] : NULL;
}

int router_publish(struct router *r, struct served_model *m, struct err *e)
{
	struct routing *old = atomic_load(&r->routing);
	bool replaces;
	size_t place = routing_place(old, m->name, &replaces);
	struct routing *new = calloc(1, sizeof *new);
	if (new != NULL)
		new->models = calloc(old->model_count + 1, sizeof(struct served_model *));
	if (new == NULL || new->models == NULL) {
		free(new);
		return err_set(e, ERR_MEMORY, "memory is out while changing %s", m->name);
	}

	struct served_model *replaced = replaces ? old->models[place] : NULL;
	size_t after = place + (replaces ? 1 : 0);
	for (size_t i = 0; i < place; i++)
		new->models[i] = old->models[i];
	new->models[place] = m;
	for (size_t i = after; i < old->model_count; i++)
		new->models[place + 1 + i - after] = old->models[i];
	new->model_count = old->model_count + (replaces ? 0 : 1);

	atomic_store(&r->routing, new);
	epoch_wait();
	free(old->models);
	free(old);
	served_model_free(replaced);
	return 0;
}

struct served_version *served_model_find(const struct served_model *m, uint32_t version)
{
	/* Versions are numbered 1, 2, 3 ... without gaps. */
	if (version == 0 || version > m->version_count)
		return NULL;
	return m->versions[version - 1];
}

struct served_version *served_model_version(const struct served_model *m, const char *number, struct err *e)
{
	long long version;
	struct served_version *v =
	    text_integer(number, 1, VERSIONS_MAX, &version) ? served_model_find(m, (uint32_t)version) : NULL;
	if (v == NULL)
		err_set(e, ERR_NOT_FOUND, "%s has no version `%s`; it has 1 to %zu", m->name, number, m->version_count);
	return v;
}

/* xorshift64*, seeded a thread from the clock: which request goes where needs no better. */
static uint32_t random_bucket(void)
{
	static _Thread_local uint64_t seed;
	if (seed == 0) {
		seed = clock_ns() * UINT64_C(0x9e3779b97f4a7c15) ^ (uintptr_t)&seed;
		seed |= 1;
	}
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	uint64_t number = seed * UINT64_C(0x2545f4914f6cdd1d);
	return (uint32_t)(((number >> 32) * ROUTE_BUCKETS) >> 32);
}

struct served_version *served_model_pick(const struct served_model *m, const char *unit, size_t unit_size)
{
	if (m->route.entry_count == 0)
		return NULL;
	uint32_t bucket = 0;
	if (m->route.entry_count > 1)
		bucket = unit_size > 0 ? route_bucket(m->name, unit, unit_size) : random_bucket();
	return served_model_find(m, m->route.entries[m->route.owner[bucket]].version);
}
