/*
 * router_start: the router made from the registry, and freed.
 *
 * Loaded at start is what a route names, and what one named so shortly ago that a rollback must not wait for it.
 */
#include "runtime/router/router_internal.h"

#include "core/clock.h"
#include "runtime/router/warm_up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Revisions that are looked at for what was live a short time ago. */
#define REVISIONS_MAX 200

/* Takes over what the record owns. NULL when memory is out. */
static struct served_version *version_from_record(struct version_record *record)
{
	struct served_version *v = calloc(1, sizeof *v);
	if (v == NULL)
		return NULL;
	v->telemetry = telemetry_new(&record->baseline);
	v->life = calloc(1, sizeof *v->life);
	if (v->telemetry == NULL || v->life == NULL) {
		served_version_free(v);
		return NULL;
	}
	v->version = record->version;
	v->created_ms = record->created_ms;
	memcpy(v->created_by, record->created_by, sizeof v->created_by);
	v->life->left_ms = INT64_MIN;
	v->manifest = record->manifest;
	manifest_init(&record->manifest);
	return v;
}

/* Its versions, none loaded. NULL when memory is out. */
static struct served_model *make_model(const char *name, struct version_record *records, size_t count)
{
	struct served_model *m = served_model_copy(NULL, name, count);
	for (size_t i = 0; m != NULL && i < count; i++) {
		m->versions[i] = version_from_record(&records[i]);
		if (m->versions[i] == NULL) {
			while (i-- > 0)
				served_version_free(m->versions[i]);
			served_model_free(m);
			return NULL;
		}
		m->version_count++;
	}
	return m;
}

/* From the revisions, newest first: when each version was last live or a canary. */
static void find_left(struct served_model *m, const struct revision_record *records, size_t count)
{
	int64_t since_unix_ms = clock_ms() - clock_unix_ms(); /* what makes Unix time monotonic */

	for (size_t i = 1; i < count; i++) {
		const struct route *route = &records[i].route;
		for (uint32_t k = 0; k < route->entry_count; k++) {
			struct served_version *v = served_model_find(m, route->entries[k].version);
			int64_t left_ms = records[i - 1].at_ms + since_unix_ms;
			if (v != NULL && route->entries[k].role != ROUTE_SHADOW && left_ms > v->life->left_ms)
				v->life->left_ms = left_ms;
		}
	}
}

static int read_left(struct router *r, struct served_model *m, struct err *e)
{
	struct revision_record *records;
	size_t count;
	if (registry_revisions(r->registry, m->name, REVISIONS_MAX, &records, &count, e) != 0)
		return -1;
	find_left(m, records, count);
	free(records);
	return 0;
}

static bool is_needed(const struct router *r, const struct served_model *m, const struct served_version *v)
{
	int64_t keep_warm_ms = (int64_t)r->config->routes.keep_warm_s * 1000;
	return route_find(&m->route, v->version) != NULL ||
	       (v->life->left_ms != INT64_MIN && clock_ms() - v->life->left_ms < keep_warm_ms);
}

static void load_needed(struct router *r, struct served_model *m)
{
	for (size_t i = 0; i < m->version_count; i++) {
		struct served_version *v = m->versions[i];
		struct err e = {0};

		if (!is_needed(r, m, v)) {
			served_version_note_unloaded(v, m->name, "it was in no route when the runtime started");
			continue;
		}
		served_version_load(r, v);
		/* Another server may be away just now; that is no reason to give it up, and none to wait. */
		if (v->engine != NULL && v->engine->start == NULL)
			router_warm_up(r, m->name, v, warm_up_lender(m, v), &e);
		if (e.code != ERR_NONE)
			served_version_fail(v, &e);
		v->life->loaded_ms = clock_ms();
	}
}

static int load_model(struct router *r, const char *name, struct served_model **result, struct err *e)
{
	struct version_record *records;
	struct comparison *ended[ROUTE_ENTRIES_MAX]; /* there were none */
	size_t count;
	if (registry_versions(r->registry, name, &records, &count, e) != 0)
		return -1;
	*result = make_model(name, records, count);
	version_records_free(records, count);
	if (*result == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while loading %s", name);
	if (served_model_refresh(*result, r->registry, e) != 0 || read_left(r, *result, e) != 0)
		return -1;
	struct err none;
	if (router_capture(r, *result, &(*result)->policy, &(*result)->capture, &none) != 0)
		fprintf(stderr, "mldeck: requests of %s are not captured: %s\n", name, none.text);
	load_needed(r, *result);
	served_model_compare(NULL, *result, ended);
	return 0;
}

static int load_models(struct router *r, struct routing *routing, struct err *e)
{
	char(*names)[TEXT_NAME_MAX + 1] = NULL;
	size_t count = 0;
	int result = registry_models(r->registry, &names, &count, e);

	if (result == 0) {
		routing->models = calloc(count + 1, sizeof(struct served_model *));
		if (routing->models == NULL)
			result = err_set(e, ERR_MEMORY, "memory is out at start");
	}
	for (size_t i = 0; result == 0 && i < count; i++) {
		result = load_model(r, names[i], &routing->models[i], e);
		/* Freed with the router, whole or not. */
		routing->model_count += routing->models[i] != NULL;
	}
	free(names);
	return result;
}

int router_new(struct registry *registry, const struct config *config, struct router **result, struct err *e)
{
	struct router *r = calloc(1, sizeof *r);
	struct routing *routing = calloc(1, sizeof *routing);

	if (r == NULL || routing == NULL) {
		free(r);
		free(routing);
		return err_set(e, ERR_MEMORY, "memory is out at start");
	}
	r->registry = registry;
	r->config = config;
	r->captures.bytes_max = config->capture.memory_max;
	r->captures.window_ms = (int64_t)config->capture.window_s * 1000;
	atomic_store(&r->routing, routing);
	pthread_mutex_init(&r->change, NULL);
	pthread_cond_init(&r->settled, NULL);
	clock_cond_init(&r->wake);
	if (load_models(r, routing, e) != 0 || router_keep_start(r, e) != 0) {
		router_free(r);
		return -1;
	}
	*result = r;
	return 0;
}

void router_free(struct router *r)
{
	if (r == NULL)
		return;
	router_keep_stop(r);
	struct routing *routing = atomic_load(&r->routing);
	for (size_t i = 0; i < routing->model_count; i++) {
		struct served_model *m = routing->models[i];
		for (size_t k = 0; k < m->version_count; k++)
			served_version_free(m->versions[k]);
		served_model_free(m);
	}
	free(routing->models);
	free(routing);
	pthread_mutex_destroy(&r->change);
	pthread_cond_destroy(&r->settled);
	pthread_cond_destroy(&r->wake);
	free(r);
}
