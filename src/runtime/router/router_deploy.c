/*
 * router_deploy: a file becomes a version: detected, loaded, warmed up, registered, and put into the routing.
 */
#include "runtime/router/router_internal.h"

#include "core/clock.h"
#include "core/rows.h"
#include "runtime/router/warm_up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Predicts rows with the new version and freezes the bins over what is counted of them. */
static int baseline_from_rows(const struct served_version *v, const struct columns_rows *rows,
			      struct baseline *baseline, struct err *e)
{
	struct inference inference;
	size_t value_count = 0;

	if (inference_begin(&inference, &v->manifest, rows->arena, e) != 0)
		return -1;
	columns_rows_tensors(rows, 0, rows->count, inference.inputs);
	if (v->kind.output != PREDICTION_NONE)
		inference_want(&inference, v->kind.output);
	if (engine_predict(v->engine, v->model, &inference, e) != 0)
		return -1;
	const double *values = prediction_values(&v->kind, &inference, &value_count);
	double *copy = arena_array(rows->arena, value_count + 1, sizeof *copy);
	if (values == NULL || copy == NULL)
		return err_set(e, copy == NULL ? ERR_MEMORY : ERR_INPUT,
			       "this model's predictions are no numbers that a baseline could hold");
	memcpy(copy, values, value_count * sizeof *copy);
	return baseline_make(baseline, copy, value_count, v->kind.class_count, v->kind.probability, "rows", e);
}

static int baseline_from_csv(const struct served_version *v, const char *model, const char *csv,
			     struct baseline *baseline, struct err *e)
{
	struct columns *columns = columns_new(&v->manifest, model, e);
	struct columns_rows rows;
	struct arena arena = {0};
	int result = -1;

	if (columns == NULL)
		return -1;
	if (columns_rows_init(&rows, columns, &arena, 256, e) != 0)
		goto out;
	if (rows_read(csv, strlen(csv), ROWS_CSV, &rows, e) != 0)
		err_set(e, e->code, "baseline rows: %s", e->text);
	else
		result = baseline_from_rows(v, &rows, baseline, e);
out:
	arena_release(&arena);
	columns_free(columns);
	return result;
}

/* Whether no person chose the names: LightGBM writes Column_0 for arrays, XGBoost's features without names are f0. */
static bool names_are_numbers(const struct manifest *m)
{
	static const char *const forms[] = {"Column_%zu", "f%zu"};
	char name[32];

	for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
		size_t i = 0;
		while (i < m->feature_count && snprintf(name, sizeof name, forms[k], i) > 0 &&
		       strcmp(m->feature_names[i], name) == 0)
			i++;
		if (i == m->feature_count)
			return true;
	}
	return false;
}

/* Gives the features of a model the names that its file does not have. */
static int name_features(struct manifest *m, const struct deploy_request *request, struct err *e)
{
	size_t count = request->feature_count;

	if (count == 0)
		return 0;
	if (m->feature_names != NULL && !names_are_numbers(m))
		return err_set(e, ERR_INPUT, "%s names its features itself; deploy it without names",
			       request->file_name);
	if (m->input_count != 1 || m->feature_count == 0)
		return err_set(e, ERR_INPUT, "%s has no input of rows of features, which could have names",
			       request->file_name);
	if (m->feature_count != count)
		return err_set(e, ERR_INPUT, "%s takes %zu features, got %zu names", request->file_name,
			       m->feature_count, count);
	for (size_t i = 0; m->feature_names != NULL && i < count; i++)
		free(m->feature_names[i]);
	free(m->feature_names);
	m->feature_names = calloc(count, sizeof *m->feature_names);
	for (size_t i = 0; m->feature_names != NULL && i < count; i++) {
		m->feature_names[i] = strdup(request->feature_names[i]);
		if (m->feature_names[i] == NULL)
			return err_set(e, ERR_MEMORY, "memory is out");
	}
	m->features_given = true;
	return m->feature_names != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

/* Loads the artifact as a version that is not yet registered. */
static int load_new(struct router *r, const struct deploy_request *request, struct served_version *v, struct err *e)
{
	const void *data;
	size_t size;
	if (artifact_map(r->registry, request->sha256, &data, &size, e) != 0)
		return -1;

	int result = -1;
	char formats[256];
	const struct engine_source source = {data, size, r->config, NULL};
	const struct engine *engine = engine_detect(data, size);
	if (engine == NULL) {
		engine_formats(formats, sizeof formats);
		err_set(e, ERR_UNSUPPORTED,
			"%s is no model that mldeck knows; it reads %s; others can be exported to ONNX",
			request->file_name, formats);
	} else if (engine->load(&source, &v->manifest, &v->kind, &v->model, e) == 0) {
		snprintf(v->manifest.sha256, sizeof v->manifest.sha256, "%s", request->sha256);
		v->manifest.size_bytes = size;
		v->manifest.file_name = strdup(request->file_name);
		result = v->manifest.file_name == NULL ? err_set(e, ERR_MEMORY, "memory is out")
						       : name_features(&v->manifest, request, e);
		/* Even where that is refused, for it must be unloaded; not before, for columns have the names. */
		served_version_loaded(v, engine);
	}
	artifact_unmap(data, size);
	return result;
}

/* --- sample rows --- */

/* What it is to be warmed up with: the rows given, else the first of the baseline, else what warm_up_find() has. */
static int find_samples(struct router *r, const struct deploy_request *request, const struct served_version *v,
			struct warm_up_rows *rows, struct err *e)
{
	const char *csv = request->samples_csv != NULL ? request->samples_csv : request->baseline_csv;

	if (csv == NULL) {
		pthread_mutex_lock(&r->change);
		uint32_t lender = warm_up_lender(routing_find(router_current(r), request->model, NULL), v);
		pthread_mutex_unlock(&r->change);
		return warm_up_find(r->registry, request->model, 0, lender, rows, e);
	}
	*rows = (struct warm_up_rows){.origin = WARM_UP_OWN, .samples.csv = warm_up_cut(csv)};
	return rows->samples.csv != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

/* Another server was just asked what the model takes; it is asked rows only when there are some to ask. */
static int warm_up_new(const struct deploy_request *request, const struct served_version *v, struct warm_up_rows *rows,
		       struct err *e)
{
	char finite[SAMPLE_ROWS_MAX + 1];

	if (v->engine->start != NULL && rows->origin != WARM_UP_OWN)
		return 0;
	if (warm_up(v, request->model, rows, WARM_UP_DEPLOY, finite, e) != 0) {
		/* To whoever deploys, the file is at fault. */
		enum err_code code = e->code == ERR_SYSTEM ? ERR_INPUT : e->code;
		if (rows->origin == WARM_UP_BORROWED)
			return err_set(e, code, "%s cannot follow v%u: %s (deploy it with --samples of its own)",
				       request->file_name, (unsigned)rows->lender, e->text);
		return err_set(e, code, "%s: %s", request->file_name, e->text);
	}
	if (rows->origin == WARM_UP_OWN)
		memcpy(rows->samples.finite, finite, sizeof finite);
	return 0;
}

/* --- into the routing; `change` is held --- */

/* What a new version is put into, made before it is registered: from then on it must get its place, or the next one
 * would be taken for it. */
struct berth {
	struct served_model *m;
	struct routing *room;
};

static int berth_make(struct router *r, const char *model, struct berth *berth, struct err *e)
{
	berth->m = served_model_copy(routing_find(router_current(r), model, NULL), model, 1);
	berth->room = router_room(r, model, e);
	if (berth->m != NULL && berth->room != NULL)
		return 0;
	return err_set(e, ERR_MEMORY, "memory is out while deploying to %s", model);
}

static void berth_free(struct berth *berth)
{
	served_model_free(berth->m);
	router_room_free(berth->room);
}

/* When and by whom the registry says that it was deployed. */
static int read_record(struct router *r, const char *model, struct served_version *v, struct err *e)
{
	struct version_record *records;
	size_t count;
	if (registry_versions(r->registry, model, &records, &count, e) != 0)
		return -1;
	v->created_ms = records[v->version - 1].created_ms;
	memcpy(v->created_by, records[v->version - 1].created_by, sizeof v->created_by);
	version_records_free(records, count);
	return 0;
}

/* Appends the registered version and publishes the model, also where its route cannot be read, which is then told. */
static int serve_version(struct router *r, struct berth *berth, struct served_version *v, struct err *e)
{
	struct served_model *m = berth->m;
	int result = read_record(r, m->name, v, e);

	m->versions[m->version_count++] = v;
	if (served_model_refresh(m, r->registry, e) != 0)
		result = -1;
	router_publish_in(r, m, berth->room);
	*berth = (struct berth){0};
	return result;
}

/* What stands for a version that is not loaded takes over the model that v loaded from the same file. */
static int heal_version(struct router *r, const struct served_model *current, struct served_version *old,
			struct served_version *v, struct err *e)
{
	struct served_model *m = served_model_copy(current, current->name, 0);
	struct served_version *twin = served_version_twin(old);

	if (m == NULL || twin == NULL)
		goto failed;
	twin->engine = v->engine;
	twin->model = v->model;
	twin->kind = v->kind;
	twin->columns = v->columns;
	atomic_store(&twin->ns_per_byte, atomic_load(&v->ns_per_byte));
	m->versions[old->version - 1] = twin;
	if (router_publish(r, m, NULL) != 0)
		goto failed;
	v->engine = NULL;
	v->columns = NULL;
	old->life->loaded_ms = clock_ms();
	router_retire(r, old);
	return 0;
failed:
	served_model_free(m);
	free(twin);
	return err_set(e, ERR_MEMORY, "memory is out while deploying to %s", current->name);
}

/* The same file was deployed again: it is loaded, if it was not, and nothing else. */
static int serve_again(struct router *r, const char *model, uint32_t number, struct served_version *v, struct err *e)
{
	const struct served_model *current = routing_find(router_current(r), model, NULL);
	struct served_version *old = current == NULL ? NULL : served_model_find(current, number);

	if (old == NULL)
		return 0;
	atomic_store(&old->life->asked_ms, clock_ms());
	return old->engine != NULL ? 0 : heal_version(r, current, old, v, e);
}

/* Names for a file that is a version already must be the ones that it has: a version is never changed. */
static int check_names(struct router *r, const struct deploy_request *request, uint32_t number, struct err *e)
{
	const struct served_model *current = routing_find(router_current(r), request->model, NULL);
	const struct served_version *old = current == NULL ? NULL : served_model_find(current, number);
	size_t i = 0;

	if (request->feature_count == 0 || old == NULL)
		return 0;
	const struct manifest *m = &old->manifest;
	while (m->feature_names != NULL && i < m->feature_count && i < request->feature_count &&
	       strcmp(m->feature_names[i], request->feature_names[i]) == 0)
		i++;
	if (i == request->feature_count)
		return 0;
	return err_set(e, ERR_CONFLICT,
		       "v%u of %s is this file already, without these names of features, and a version is never "
		       "changed; deploy it as another model",
		       number, request->model);
}

/* Who named the number that a version is to get learns here that it is somebody else's by now. */
static int check_number(struct router *r, const struct deploy_request *request, struct err *e)
{
	const struct served_model *current = routing_find(router_current(r), request->model, NULL);
	size_t next = (current == NULL ? 0 : current->version_count) + 1;

	if (request->expect_version == 0 || request->expect_version == next)
		return 0;
	return err_set(e, ERR_CONFLICT, "the next version of %s is %zu, not %u as expected", request->model, next,
		       (unsigned)request->expect_version);
}

static int register_at(struct router *r, const struct deploy_request *request, const struct baseline *baseline,
		       const struct sample_rows *samples, const struct actor *actor, struct served_version *v,
		       struct berth *berth, struct deploy_result *result, bool *taken, struct err *e)
{
	if (check_number(r, request, e) != 0)
		return -1;
	if (registry_deploy(r->registry, request->model, &v->manifest, baseline, samples, request->no_live,
			    request->reason, actor, result, e) != 0)
		return -1;
	if (!result->created)
		return check_names(r, request, result->version, e) != 0
			   ? -1
			   : serve_again(r, request->model, result->version, v, e);
	v->version = result->version;
	*taken = true;
	return serve_version(r, berth, v, e);
}

static int register_and_serve(struct router *r, const struct deploy_request *request, const struct baseline *baseline,
			      const struct sample_rows *samples, const struct actor *actor, struct served_version *v,
			      struct deploy_result *result, bool *taken, struct err *e)
{
	struct berth berth = {0};
	int status = berth_make(r, request->model, &berth, e);

	if (status == 0)
		status = register_at(r, request, baseline, samples, actor, v, &berth, result, taken, e);
	berth_free(&berth);
	return status;
}

/* Everything that needs no lock: v is loaded, its baseline made, its sample rows answered. */
static int prepare(struct router *r, const struct deploy_request *request, struct served_version *v,
		   struct baseline *baseline, struct warm_up_rows *rows, struct err *e)
{
	if (load_new(r, request, v, e) != 0)
		return -1;
	if (request->baseline != NULL)
		*baseline = *request->baseline;
	else if (request->baseline_csv != NULL &&
		 baseline_from_csv(v, request->model, request->baseline_csv, baseline, e) != 0)
		return -1;
	if (find_samples(r, request, v, rows, e) != 0 || warm_up_new(request, v, rows, e) != 0)
		return -1;
	v->telemetry = telemetry_new(baseline->bin_count > 0 ? baseline : NULL);
	v->life = calloc(1, sizeof *v->life);
	if (v->telemetry == NULL || v->life == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while deploying to %s", request->model);
	v->life->left_ms = INT64_MIN;
	v->life->loaded_ms = clock_ms();
	return 0;
}

int router_deploy(struct router *r, const struct deploy_request *request, const struct actor *actor,
		  struct deploy_result *result, uint64_t *baseline_count, struct err *e)
{
	struct baseline *baseline = calloc(1, sizeof *baseline);
	struct served_version *v = calloc(1, sizeof *v);
	struct warm_up_rows rows = {0};
	bool taken = false;
	int status = -1;

	*result = (struct deploy_result){0};
	if (baseline == NULL || v == NULL) {
		err_set(e, ERR_MEMORY, "memory is out while deploying to %s", request->model);
		goto out;
	}
	manifest_init(&v->manifest);
	if (prepare(r, request, v, baseline, &rows, e) != 0)
		goto out;
	pthread_mutex_lock(&r->change);
	status = register_and_serve(r, request, baseline->bin_count > 0 ? baseline : NULL,
				    rows.origin == WARM_UP_OWN ? &rows.samples : NULL, actor, v, result, &taken, e);
	pthread_mutex_unlock(&r->change);
	*baseline_count = baseline->count;
out:
	if (!taken)
		served_version_free(v);
	sample_rows_release(&rows.samples);
	free(baseline);
	return status;
}
