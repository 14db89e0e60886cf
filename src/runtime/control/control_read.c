/* control: what a runtime knows: the snapshot, versions and history. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/json.h"

#include <stdlib.h>

/* What is asked for beyond the usual. */
struct extra {
	long long audits, tests, test, with, experiments;
	const char *detail, *experiment;
};

static int read_extra(const struct http_request *request, struct extra *x, struct err *e)
{
	x->detail = http_query(request, "detail");
	x->experiment = http_query(request, "experiment");
	if (control_query(request, "audit", 0, SNAPSHOT_AUDITS_MAX, 0, &x->audits, e) != 0 ||
	    control_query(request, "tests", 0, SNAPSHOT_TESTS_MAX, 0, &x->tests, e) != 0 ||
	    control_query(request, "experiments", 0, 1, 0, &x->experiments, e) != 0 ||
	    control_query(request, "test", 0, JSON_INTEGER_MAX, 0, &x->test, e) != 0 ||
	    control_query(request, "with", 0, JSON_INTEGER_MAX, 0, &x->with, e) != 0)
		return -1;
	if (x->with != 0 && x->test == 0)
		return err_set(e, ERR_INPUT, "`with` is a second test, and `test` names no first one");
	return 0;
}

static int add_extra(struct snapshot *picture, struct server *s, const struct extra *x, struct err *e)
{
	if (picture_add_audits(picture, s, (size_t)x->audits, e) != 0 ||
	    picture_add_tests(picture, s, (size_t)x->tests, x->detail, e) != 0 ||
	    picture_add_reports(picture, s, x->test, x->with, e) != 0 ||
	    picture_add_experiments(picture, s, x->experiments != 0, x->experiment, x->detail, e) != 0)
		return -1;
	/* The revisions are those of a model's own views; a list of its tests has no use for them. */
	return x->tests == 0 ? picture_add_revisions(picture, s, x->detail, e) : 0;
}

void control_get_snapshot(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	struct err e;
	long long window_s;
	struct extra extra;
	if (control_query(request, "window_s", 1, SNAPSHOT_WINDOW_MAX_S, 60, &window_s, &e) != 0 ||
	    read_extra(request, &extra, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	const char *model = http_query(request, "model");
	struct snapshot *picture = picture_take(s, model, (uint32_t)window_s);
	if (picture != NULL && model != NULL && picture->model_count == 0) {
		err_set(&e, ERR_NOT_FOUND, "there is no model `%s`", model);
		control_refuse(response, &e);
	} else if (picture != NULL && add_extra(picture, s, &extra, &e) != 0) {
		control_refuse(response, &e);
	} else {
		control_answer(response, picture == NULL ? NULL : snapshot_to_json(picture));
	}
	snapshot_free(picture);
}

/* What of its answers is counted and compared; null while that is not known, or nothing of it is a number. */
static cJSON *prediction_json(const struct served_version *v)
{
	const struct prediction_kind *kind = v == NULL ? NULL : &v->kind;
	if (kind == NULL || v->engine == NULL || kind->output >= v->manifest.output_count)
		return cJSON_CreateNull();
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "output", v->manifest.outputs[kind->output].name);
	if (kind->column == PREDICTION_ARGMAX)
		cJSON_AddNullToObject(json, "column");
	else
		cJSON_AddNumberToObject(json, "column", (double)kind->column);
	cJSON_AddNumberToObject(json, "class_count", (double)kind->class_count);
	cJSON_AddBoolToObject(json, "probability", kind->probability);
	return json;
}

static cJSON *version_json(const struct version_record *record, const char *state, cJSON *prediction)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "version", record->version);
	cJSON_AddNumberToObject(json, "created_ms", (double)record->created_ms);
	cJSON_AddStringToObject(json, "created_by", record->created_by);
	cJSON_AddStringToObject(json, "state", state);
	cJSON_AddItemToObject(json, "manifest", manifest_to_json(&record->manifest));
	cJSON *baseline = record->baseline.bin_count > 0 ? baseline_to_json(&record->baseline) : cJSON_CreateNull();
	cJSON_AddItemToObject(json, "baseline", baseline);
	cJSON_AddItemToObject(json, "prediction", prediction);
	return json;
}

static const char *version_state(struct server *s, const char *model, uint32_t version, cJSON **prediction)
{
	const struct served_model *m = routing_find(router_enter(s->router), model, NULL);
	const struct served_version *v = m == NULL ? NULL : served_model_find(m, version);
	const char *state = v == NULL ? "loading" : served_state_name(served_version_state(v, NULL));
	*prediction = prediction_json(v);
	router_leave(s->router);
	return state;
}

void control_get_versions(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	(void)request;
	struct server *s = context;
	struct err e;
	struct version_record *records;
	size_t count;
	const char *model = segments->values[0];
	if (registry_versions(s->registry, model, &records, &count, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", model);
	cJSON *list = cJSON_AddArrayToObject(json, "versions");
	for (size_t i = 0; i < count; i++) {
		cJSON *prediction;
		const char *state = version_state(s, model, records[i].version, &prediction);
		cJSON_AddItemToArray(list, version_json(&records[i], state, prediction));
	}
	version_records_free(records, count);
	control_answer(response, json);
}

static cJSON *revision_json(const struct revision_record *record)
{
	char text[128];
	cJSON *json = cJSON_CreateObject();
	route_text(&record->route, text, sizeof text);
	cJSON_AddNumberToObject(json, "revision", record->revision);
	cJSON_AddNumberToObject(json, "based_on", record->based_on);
	cJSON_AddNumberToObject(json, "at_ms", (double)record->at_ms);
	cJSON_AddStringToObject(json, "action", record->action);
	cJSON_AddStringToObject(json, "who", record->who);
	cJSON_AddStringToObject(json, "reason", record->reason);
	cJSON_AddBoolToObject(json, "forced", record->forced);
	cJSON_AddStringToObject(json, "text", text);
	cJSON_AddItemToObject(json, "route", route_to_json(&record->route));
	return json;
}

void control_get_history(void *context, const struct http_request *request, const struct http_segments *segments,
			 struct http_response *response)
{
	struct server *s = context;
	struct err e;
	struct revision_record *records;
	size_t count;
	long long limit;
	if (control_query(request, "limit", 1, 100000, 50, &limit, &e) != 0 ||
	    registry_revisions(s->registry, segments->values[0], (size_t)limit, &records, &count, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", segments->values[0]);
	cJSON *list = cJSON_AddArrayToObject(json, "revisions");
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, revision_json(&records[i]));
	free(records);
	control_answer(response, json);
}
