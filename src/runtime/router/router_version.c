/*
 * router_version: one version: loaded from its artifact, stood in for by another, dropped.
 */
#include "runtime/router/router_internal.h"

#include "core/clock.h"
#include "runtime/gate/beside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* 256 rows in JSON through a sample forest, measured. */
#define TABULAR_NS_PER_BYTE 20
/* A version is asked a million times a second, and idle after minutes. */
#define ASKED_STEP_MS 250

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
	if (v->engine == NULL && atomic_load(&v->life->loading)) {
		err_set(e, ERR_UNREACHABLE, "it is being loaded");
		return SERVED_LOADING;
	}
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

void served_version_asked(struct served_version *v)
{
	int64_t now_ms = clock_coarse_ms();
	/* Written rarely, for all threads read it. */
	if (now_ms - atomic_load_explicit(&v->life->asked_ms, memory_order_relaxed) >= ASKED_STEP_MS)
		atomic_store_explicit(&v->life->asked_ms, now_ms, memory_order_relaxed);
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

bool served_version_same_outputs(const struct served_version *v, const struct served_version *other,
				 char difference[MANIFEST_DIFFERENCE_SIZE])
{
	return manifest_same_outputs(&v->manifest, &other->manifest, is_tabular(v) && is_tabular(other), difference);
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
	if (v->engine != NULL)
		v->engine->unload(v->model);
	v->engine = NULL;
	columns_free(v->columns);
	v->columns = NULL;
}

void served_version_fail(struct served_version *v, const struct err *e)
{
	served_version_unload(v);
	snprintf(v->note, sizeof v->note, "%.*s", (int)sizeof v->note - 1, e->text);
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
		served_version_fail(v, &e);
}

void served_version_note_unloaded(struct served_version *v, const char *model, const char *why)
{
	char now[32];
	time_t seconds = (time_t)(clock_unix_ms() / 1000);
	struct tm utc;

	strftime(now, sizeof now, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&seconds, &utc));
	v->unloaded = true;
	snprintf(v->note, sizeof v->note, "unloaded since %s (%.80s); `mldeck load %s %u` loads it", now, why, model,
		 (unsigned)v->version);
}

struct served_version *served_version_twin(const struct served_version *old)
{
	struct served_version *v = calloc(1, sizeof *v);
	if (v == NULL)
		return NULL;
	v->version = old->version;
	v->manifest = old->manifest;
	v->telemetry = old->telemetry;
	v->life = old->life;
	v->created_ms = old->created_ms;
	memcpy(v->created_by, old->created_by, sizeof v->created_by);
	return v;
}

void served_version_drop(struct served_version *v)
{
	if (v == NULL)
		return;
	served_version_unload(v);
	free(v);
}

void served_version_free(struct served_version *v)
{
	if (v == NULL)
		return;
	served_version_unload(v);
	manifest_release(&v->manifest);
	telemetry_free(v->telemetry);
	if (v->life != NULL)
		beside_free(v->life->beside);
	free(v->life);
	free(v);
}
