/*
 * router_change: deploys and route changes: into the registry first, then into the routing.
 */
#include "runtime/router/router_internal.h"

#include "core/rows.h"

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

/* Appends the registered version and publishes the model (change is held). */
static int serve_version(struct router *r, const char *model, struct served_version *v, struct err *e)
{
	const struct served_model *old = routing_find(router_current(r), model, NULL);
	struct served_model *m = served_model_copy(old, model, 1);
	if (m == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while deploying to %s", model);
	m->versions[m->version_count++] = v;
	if (served_model_refresh(m, r->registry, e) != 0 || router_publish(r, m, e) != 0) {
		served_model_free(m);
		return -1;
	}
	return 0;
}

/* Predictions go on being counted into the bins that the registry froze for the version. */
static void keep_baseline(struct router *r, const char *model, struct served_version *v)
{
	struct version_record *records;
	size_t count;
	if (registry_versions(r->registry, model, &records, &count, NULL) != 0)
		return;
	if (v->version <= count && records[v->version - 1].baseline.bin_count > 0)
		telemetry_set_baseline(v->telemetry, &records[v->version - 1].baseline);
	version_records_free(records, count);
}

/* The same file deployed again replaces a version that could not be loaded (change is held). Takes v, and leaves what
 * it replaced, or NULL. */
static int heal_version(struct router *r, const char *model, uint32_t number, struct served_version *v,
			struct served_version **replaced, bool *taken, struct err *e)
{
	const struct served_model *current = routing_find(router_current(r), model, NULL);
	struct served_version *old = current == NULL ? NULL : served_model_find(current, number);
	if (old == NULL || old->engine != NULL)
		return 0;
	struct served_model *m = served_model_copy(current, model, 0);
	if (m == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while deploying to %s", model);
	v->version = number;
	v->created_ms = old->created_ms;
	memcpy(v->created_by, old->created_by, sizeof v->created_by);
	m->versions[number - 1] = v;
	keep_baseline(r, model, v);
	if (router_publish(r, m, e) != 0) {
		served_model_free(m);
		return -1;
	}
	*taken = true;
	*replaced = old;
	return 0;
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
		       request->expect_version);
}

static int register_and_serve(struct router *r, const struct deploy_request *request, const struct baseline *baseline,
			      const struct actor *actor, struct served_version *v, struct deploy_result *result,
			      struct served_version **replaced, bool *taken, struct err *e)
{
	if (check_number(r, request, e) != 0)
		return -1;
	v->telemetry = telemetry_new(baseline);
	if (v->telemetry == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while deploying to %s", request->model);
	if (registry_deploy(r->registry, request->model, &v->manifest, baseline, request->no_live, request->reason,
			    actor, result, e) != 0)
		return -1;
	if (!result->created)
		return check_names(r, request, result->version, e) != 0
			   ? -1
			   : heal_version(r, request->model, result->version, v, replaced, taken, e);

	struct version_record *records;
	size_t count;
	if (registry_versions(r->registry, request->model, &records, &count, e) != 0)
		return -1;
	v->version = result->version;
	v->created_ms = records[result->version - 1].created_ms;
	memcpy(v->created_by, records[result->version - 1].created_by, sizeof v->created_by);
	version_records_free(records, count);
	*taken = serve_version(r, request->model, v, e) == 0;
	return *taken ? 0 : -1;
}

int router_deploy(struct router *r, const struct deploy_request *request, const struct actor *actor,
		  struct deploy_result *result, uint64_t *baseline_count, struct err *e)
{
	struct baseline *baseline = calloc(1, sizeof *baseline);
	struct served_version *v = calloc(1, sizeof *v), *replaced = NULL;
	bool taken = false;
	int status = -1;

	*result = (struct deploy_result){0};
	if (baseline == NULL || v == NULL) {
		err_set(e, ERR_MEMORY, "memory is out while deploying to %s", request->model);
		goto out;
	}
	manifest_init(&v->manifest);
	if (load_new(r, request, v, e) != 0)
		goto out;
	if (request->baseline != NULL)
		*baseline = *request->baseline;
	else if (request->baseline_csv != NULL &&
		 baseline_from_csv(v, request->model, request->baseline_csv, baseline, e) != 0)
		goto out;

	pthread_mutex_lock(&r->loading);
	pthread_mutex_lock(&r->change);
	status = register_and_serve(r, request, baseline->bin_count > 0 ? baseline : NULL, actor, v, result, &replaced,
				    &taken, e);
	pthread_mutex_unlock(&r->change);
	pthread_mutex_unlock(&r->loading);
	/* It may share what it has with one whose predictions have not ended. */
	served_version_free(replaced);
	*baseline_count = baseline->count;
out:
	if (!taken)
		served_version_free(v);
	free(baseline);
	return status;
}

/* The version that a change would bring in must be loaded. */
static int check_loaded(const struct served_model *m, uint32_t version, struct err *e)
{
	const struct served_version *v = served_model_find(m, version);
	if (v != NULL && v->engine == NULL)
		return err_set(e, ERR_CONFLICT, "v%u of %s is not ready: %s", version, m->name, v->note);
	return 0;
}

/* Plans the change without writing it, and looks at every version that its route names. */
static int check_change(struct router *r, const struct served_model *m, const struct route_change *change,
			const struct actor *actor, struct err *e)
{
	struct route_change plan = *change;
	struct revision_record planned;
	struct err refused = {0};
	int result = 0;

	plan.dry_run = true;
	if (registry_change_route(r->registry, &plan, actor, &planned, &refused) != 0)
		return 0; /* the change itself is refused, and recorded, in the same words */
	for (uint32_t i = 0; result == 0 && i < planned.route.entry_count; i++)
		result = check_loaded(m, planned.route.entries[i].version, e);
	if (result != 0 && !change->dry_run)
		registry_audit(r->registry, actor, change->action, m->name, change->version, err_name(e->code),
			       change->reason, e->text, NULL);
	return result;
}

static int change_and_publish(struct router *r, const struct route_change *change, const struct actor *actor,
			      struct change_outcome *outcome, struct err *e)
{
	const struct served_model *old = routing_find(router_current(r), change->model, NULL);
	struct served_model *m = NULL;

	if (old != NULL) {
		route_text(&old->route, outcome->before, sizeof outcome->before);
		if (check_change(r, old, change, actor, e) != 0)
			return -1;
		/* Made first: once the registry has the change, nothing may fail for want of memory. */
		m = served_model_copy(old, old->name, 0);
		if (m == NULL)
			return err_set(e, ERR_MEMORY, "memory is out while changing %s", change->model);
	}
	if (registry_change_route(r->registry, change, actor, &outcome->revision, e) != 0 || change->dry_run ||
	    m == NULL) {
		served_model_free(m);
		return e->code == ERR_NONE ? 0 : -1;
	}
	if (served_model_refresh(m, r->registry, e) != 0 || router_publish(r, m, e) != 0) {
		served_model_free(m);
		return -1;
	}
	return 0;
}

int router_change(struct router *r, const struct route_change *change, const struct actor *actor,
		  struct change_outcome *outcome, struct err *e)
{
	e->code = ERR_NONE;
	outcome->before[0] = '\0';
	outcome->finding_count = 0;
	pthread_mutex_lock(&r->change);
	int status = change_and_publish(r, change, actor, outcome, e);
	pthread_mutex_unlock(&r->change);
	return status;
}

/* Freezes the baseline of a version once enough live predictions are there. */
static void freeze_baseline(struct router *r, const char *model, struct served_version *v)
{
	double values[BASELINE_LEARN_COUNT];
	struct baseline baseline;
	struct err e;
	if (!telemetry_gathered(v->telemetry, values))
		return;
	if (baseline_make(&baseline, values, BASELINE_LEARN_COUNT, v->kind.class_count, v->kind.probability, "live",
			  &e) != 0)
		return;
	if (registry_set_baseline(r->registry, model, v->version, &baseline, &e) == 0)
		telemetry_set_baseline(v->telemetry, &baseline);
}

void router_tick(struct router *r, int64_t now_s)
{
	/* Holding `change` keeps the routing; data plane threads never take it. */
	pthread_mutex_lock(&r->change);
	const struct routing *routing = router_current(r);
	for (size_t i = 0; i < routing->model_count; i++) {
		const struct served_model *m = routing->models[i];
		for (size_t k = 0; k < m->version_count; k++) {
			telemetry_tick(m->versions[k]->telemetry, now_s);
			freeze_baseline(r, m->name, m->versions[k]);
		}
	}
	pthread_mutex_unlock(&r->change);
}
