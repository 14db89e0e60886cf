/*
 * control: the control API on the Unix socket (docs/CONTROL-API.md).
 *
 * Runs on a thread a connection: handlers may wait for the disk. Only the owner of the socket, or root, is
 * let in; who asks is read from the socket, never from the request.
 */
#include "runtime/control_request.h"
#include "runtime/control_jobs.h"

#include "core/registry.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- who is let in --- */

static int check_peer(struct server *s, const struct http_request *request, struct err *e)
{
	if (request->peer_uid == geteuid() || request->peer_uid == 0)
		return 0;
	struct actor actor;
	control_actor(request, &actor);
	err_set(e, ERR_DENIED, "%s is neither the owner of this runtime nor root", actor.name);
	registry_audit(s->registry, &actor, "connect", "", 0, err_name(ERR_DENIED), "", e->text, NULL);
	return -1;
}

/* --- reading requests --- */

/* A string field; fallback (which may be NULL) when it is absent. -1 when it is no string. */
static int body_string(const cJSON *json, const char *name, const char *fallback, const char **value,
		       struct err *e)
{
	const cJSON *field = cJSON_GetObjectItemCaseSensitive(json, name);
	*value = fallback;
	if (field == NULL || cJSON_IsNull(field))
		return 0;
	if (!cJSON_IsString(field))
		return err_set(e, ERR_INPUT, "field `%s` must be a string", name);
	*value = field->valuestring;
	return 0;
}

static int body_whole(const cJSON *json, const char *name, double low, double high, double fallback,
		      double *value, struct err *e)
{
	const cJSON *field = cJSON_GetObjectItemCaseSensitive(json, name);
	*value = fallback;
	if (field == NULL || cJSON_IsNull(field))
		return 0;
	double number = cJSON_IsNumber(field) ? field->valuedouble : low - 1;
	if (!(number >= low && number <= high) || number != (double)(int64_t)number)
		return err_set(e, ERR_INPUT, "field `%s` must be a whole number from %.0f to %.0f", name, low,
			       high);
	*value = number;
	return 0;
}

static int body_flag(const cJSON *json, const char *name, bool *value, struct err *e)
{
	const cJSON *field = cJSON_GetObjectItemCaseSensitive(json, name);
	*value = cJSON_IsTrue(field);
	if (field != NULL && !cJSON_IsBool(field))
		return err_set(e, ERR_INPUT, "field `%s` must be true or false", name);
	return 0;
}

/* --- routes --- */

static void get_snapshot(void *context, const struct http_request *request,
			 const struct http_segments *segments, struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	struct err e;
	long long window_s;
	if (control_query(request, "window_s", 1, SNAPSHOT_WINDOW_MAX_S, 60, &window_s, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	const char *model = http_query(request, "model");
	struct snapshot *picture = picture_take(s, model, (uint32_t)window_s);
	if (picture != NULL && model != NULL && picture->model_count == 0) {
		err_set(&e, ERR_NOT_FOUND, "there is no model `%s`", model);
		control_refuse(response, &e);
	} else {
		control_answer(response, picture == NULL ? NULL : snapshot_to_json(picture));
	}
	snapshot_free(picture);
}

static cJSON *version_json(const struct version_record *record, const char *state)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "version", record->version);
	cJSON_AddNumberToObject(json, "created_ms", (double)record->created_ms);
	cJSON_AddStringToObject(json, "created_by", record->created_by);
	cJSON_AddStringToObject(json, "state", state);
	cJSON_AddItemToObject(json, "manifest", manifest_to_json(&record->manifest));
	cJSON *baseline = record->baseline.bin_count > 0 ? baseline_to_json(&record->baseline)
							 : cJSON_CreateNull();
	cJSON_AddItemToObject(json, "baseline", baseline);
	return json;
}

static const char *version_state(struct server *s, const char *model, uint32_t version)
{
	const struct served_model *m = routing_find(router_enter(s->router), model, NULL);
	const struct served_version *v = m == NULL ? NULL : served_model_find(m, version);
	const char *state = v == NULL ? "loading" : served_state_name(served_version_state(v, NULL));
	router_leave(s->router);
	return state;
}

static void get_versions(void *context, const struct http_request *request,
			 const struct http_segments *segments, struct http_response *response)
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
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, version_json(&records[i], version_state(s, model,
										    records[i].version)));
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
	cJSON_AddStringToObject(json, "text", text);
	cJSON_AddItemToObject(json, "route", route_to_json(&record->route));
	return json;
}

static void get_history(void *context, const struct http_request *request,
			const struct http_segments *segments, struct http_response *response)
{
	struct server *s = context;
	struct err e;
	struct revision_record *records;
	size_t count;
	long long limit;
	if (control_query(request, "limit", 1, 100000, 50, &limit, &e) != 0 ||
	    registry_revisions(s->registry, segments->values[0], (size_t)limit, &records, &count, &e) !=
		    0) {
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

static cJSON *audit_json(const struct audit_record *record)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "id", (double)record->id);
	cJSON_AddNumberToObject(json, "at_ms", (double)record->at_ms);
	cJSON_AddNumberToObject(json, "uid", record->uid);
	cJSON_AddStringToObject(json, "who", record->who);
	cJSON_AddStringToObject(json, "client", record->client);
	cJSON_AddStringToObject(json, "action", record->action);
	cJSON_AddStringToObject(json, "model", record->model);
	cJSON_AddNumberToObject(json, "version", record->version);
	cJSON_AddNumberToObject(json, "revision", record->revision);
	cJSON_AddNumberToObject(json, "based_on", record->based_on);
	cJSON_AddStringToObject(json, "outcome", record->outcome);
	cJSON_AddStringToObject(json, "reason", record->reason);
	cJSON_AddStringToObject(json, "detail", record->detail);
	return json;
}

static void get_audit(void *context, const struct http_request *request,
		      const struct http_segments *segments, struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	struct err e;
	struct audit_record *records;
	size_t count;
	long long limit, before;
	if (control_query(request, "limit", 1, 100000, 100, &limit, &e) != 0 ||
	    control_query(request, "before", 0, INT64_MAX, 0, &before, &e) != 0 ||
	    registry_audits(s->registry, http_query(request, "model"), before, (size_t)limit, &records,
			    &count, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(json, "records");
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, audit_json(&records[i]));
	free(records);
	control_answer(response, json);
}

/* --- uploads: the body goes to disk as it arrives --- */

static int sink_write(void *state, const void *data, size_t size, struct err *e)
{
	struct artifact **artifact = state;
	return artifact_write(*artifact, data, size, e);
}

static void sink_end(void *state)
{
	struct artifact **artifact = state;
	if (*artifact != NULL)
		artifact_abort(*artifact);
	free(artifact);
}

int control_open_sink(void *context, const struct http_request *request, struct http_sink *sink,
		      struct err *e)
{
	struct server *s = context;
	if (strcmp(request->path, "/control/v1/artifacts") != 0 || strcmp(request->method, "POST") != 0)
		return 0;
	if (check_peer(s, request, e) != 0)
		return -1;
	struct artifact **artifact = calloc(1, sizeof *artifact);
	if (artifact == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while receiving a file");
	if (artifact_begin(s->registry, artifact, e) != 0) {
		free(artifact);
		return -1;
	}
	*sink = (struct http_sink){.state = artifact, .write = sink_write, .end = sink_end};
	return 0;
}

static void post_artifact(void *context, const struct http_request *request,
			  const struct http_segments *segments, struct http_response *response)
{
	(void)context;
	(void)segments;
	struct artifact **artifact = http_sink_state(request);
	struct artifact *whole = *artifact;
	char sha256[65];
	uint64_t size_bytes;
	struct err e;

	*artifact = NULL; /* artifact_commit() frees it, also when it fails */
	if (artifact_commit(whole, sha256, &size_bytes, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "sha256", sha256);
	cJSON_AddNumberToObject(json, "size_bytes", (double)size_bytes);
	control_answer(response, json);
}

/* --- changes --- */

static cJSON *deploy_json(struct server *s, const char *model, const struct deploy_result *result,
			  uint64_t baseline_count)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddNumberToObject(json, "version", result->version);
	cJSON_AddBoolToObject(json, "created", result->created);
	cJSON_AddNumberToObject(json, "revision", result->revision);
	cJSON_AddNumberToObject(json, "baseline_count", (double)baseline_count);
	const struct served_model *m = routing_find(router_enter(s->router), model, NULL);
	const struct served_version *v = m == NULL ? NULL : served_model_find(m, result->version);
	cJSON_AddNumberToObject(json, "live", m == NULL ? 0 : route_live(&m->route));
	if (v != NULL)
		cJSON_AddItemToObject(json, "manifest", manifest_to_json(&v->manifest));
	router_leave(s->router);
	return json;
}

static int check_name(const char *model, struct err *e)
{
	if (!text_name_valid(model))
		return err_set(e, ERR_INPUT,
			       "`%s` is no name for a model: use a-z, 0-9, `.`, `_` and `-`, at most %d, "
			       "beginning with a letter or digit",
			       model, TEXT_NAME_MAX);
	return 0;
}

/* The names of features, borrowed from the body; free(). */
static int read_features(const cJSON *body, struct deploy_request *deploy, const char ***names, struct err *e)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "feature_names"), *item;

	*names = NULL;
	if (list == NULL)
		return 0;
	if (!cJSON_IsArray(list))
		return err_set(e, ERR_INPUT, "field `feature_names` must be a list of strings");
	*names = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof **names);
	if (*names == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item) || item->valuestring[0] == '\0')
			return err_set(e, ERR_INPUT, "field `feature_names` must be a list of strings");
		for (size_t i = 0; i < deploy->feature_count; i++)
			if (strcmp((*names)[i], item->valuestring) == 0)
				return err_set(e, ERR_INPUT, "two features are named `%.64s`",
					       item->valuestring);
		(*names)[deploy->feature_count++] = item->valuestring;
	}
	deploy->feature_names = *names;
	return 0;
}

static void post_deploy(void *context, const struct http_request *request,
			const struct http_segments *segments, struct http_response *response)
{
	struct server *s = context;
	struct deploy_request deploy = {.model = segments->values[0]};
	struct deploy_result result;
	struct actor actor;
	uint64_t baseline_count;
	const char **names = NULL;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body == NULL || check_name(deploy.model, &e) != 0 ||
	    read_features(body, &deploy, &names, &e) != 0 ||
	    body_string(body, "sha256", NULL, &deploy.sha256, &e) != 0 ||
	    body_string(body, "file_name", "the file", &deploy.file_name, &e) != 0 ||
	    body_string(body, "reason", "", &deploy.reason, &e) != 0 ||
	    body_string(body, "baseline_csv", NULL, &deploy.baseline_csv, &e) != 0 ||
	    body_flag(body, "no_live", &deploy.no_live, &e) != 0)
		goto refuse;
	if (deploy.sha256 == NULL) {
		err_set(&e, ERR_INPUT, "field `sha256` is missing: upload the file first");
		goto refuse;
	}
	if (router_deploy(s->router, &deploy, &actor, &result, &baseline_count, &e) != 0) {
		registry_audit(s->registry, &actor, "deploy", deploy.model, 0, err_name(e.code),
			       deploy.reason, e.text, NULL);
		artifact_discard(s->registry, deploy.sha256);
		goto refuse;
	}
	control_answer(response, deploy_json(s, deploy.model, &result, baseline_count));
	goto out;
refuse:
	control_refuse(response, &e);
out:
	free(names);
	cJSON_Delete(body);
}

static int read_weights(const cJSON *body, struct route_entry weights[ROUTE_ENTRIES_MAX], size_t *count,
			struct err *e)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "weights"), *item;
	*count = 0;
	if (!cJSON_IsArray(list))
		return err_set(e, ERR_INPUT, "field `weights` must be a list of {version, weight_bp}");
	cJSON_ArrayForEach(item, list) {
		double version, weight_bp;
		if (*count == ROUTE_ENTRIES_MAX)
			return err_set(e, ERR_INPUT, "a route has at most %d versions",
				       ROUTE_ENTRIES_MAX);
		if (!cJSON_IsObject(item))
			return err_set(e, ERR_INPUT, "field `weights` must be a list of {version, weight_bp}");
		if (body_whole(item, "version", 1, VERSIONS_MAX, 0, &version, e) != 0 ||
		    body_whole(item, "weight_bp", 0, ROUTE_BUCKETS, 0, &weight_bp, e) != 0)
			return -1;
		weights[(*count)++] = (struct route_entry){.version = (uint32_t)version,
							   .weight_bp = (uint32_t)weight_bp};
	}
	return 0;
}

static int read_change(const cJSON *body, struct route_change *change,
		       struct route_entry weights[ROUTE_ENTRIES_MAX], struct err *e)
{
	double version, to_revision, expect;
	if (body_string(body, "action", "", &change->action, e) != 0 ||
	    body_string(body, "reason", "", &change->reason, e) != 0 ||
	    body_flag(body, "dry_run", &change->dry_run, e) != 0 ||
	    body_whole(body, "version", 1, VERSIONS_MAX, 0, &version, e) != 0 ||
	    body_whole(body, "to_revision", 1, UINT32_MAX, 0, &to_revision, e) != 0 ||
	    body_whole(body, "expect_revision", 0, UINT32_MAX, -1, &expect, e) != 0)
		return -1;
	change->version = (uint32_t)version;
	change->to_revision = (uint32_t)to_revision;
	change->expect_revision = (int64_t)expect;
	if (strcmp(change->action, "promote") == 0)
		return version > 0 ? 0 : err_set(e, ERR_INPUT, "field `version` is missing");
	if (strcmp(change->action, "rollback") == 0)
		return 0;
	if (strcmp(change->action, "split") != 0)
		return err_set(e, ERR_INPUT, "field `action` must be promote, rollback or split");
	change->weights = weights;
	return read_weights(body, weights, &change->weight_count, e);
}

static void post_route(void *context, const struct http_request *request,
		       const struct http_segments *segments, struct http_response *response)
{
	struct server *s = context;
	struct route_change change = {.model = segments->values[0]};
	struct route_entry weights[ROUTE_ENTRIES_MAX];
	struct revision_record result;
	struct actor actor;
	char before[128], after[128];
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body == NULL || read_change(body, &change, weights, &e) != 0 ||
	    router_change(s->router, &change, &actor, &result, before, &e) != 0) {
		control_refuse(response, &e);
		cJSON_Delete(body);
		return;
	}
	route_text(&result.route, after, sizeof after);
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", change.model);
	cJSON_AddStringToObject(json, "action", change.action);
	cJSON_AddBoolToObject(json, "dry_run", change.dry_run);
	cJSON_AddNumberToObject(json, "revision", result.revision);
	cJSON_AddNumberToObject(json, "based_on", result.based_on);
	cJSON_AddNumberToObject(json, "live", route_live(&result.route));
	cJSON_AddStringToObject(json, "before", before);
	cJSON_AddStringToObject(json, "after", after);
	cJSON_AddItemToObject(json, "route", route_to_json(&result.route));
	control_answer(response, json);
	cJSON_Delete(body);
}

static void post_stop(void *context, const struct http_request *request,
		      const struct http_segments *segments, struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	struct actor actor;
	struct err e;
	const char *reason = "";
	const uint64_t one = 1;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body == NULL || body_string(body, "reason", "", &reason, &e) != 0 ||
	    registry_audit(s->registry, &actor, "stop", "", 0, "done", reason, "", &e) != 0) {
		control_refuse(response, &e);
	} else if (write(s->stop_fd, &one, sizeof one) != sizeof one) {
		err_set(&e, ERR_SYSTEM, "the runtime could not be told to stop");
		control_refuse(response, &e);
	} else {
		cJSON *json = cJSON_CreateObject();
		cJSON_AddTrueToObject(json, "stopping");
		control_answer(response, json);
	}
	cJSON_Delete(body);
}

static const struct http_route routes[] = {
	{"GET", "/control/v1/snapshot", get_snapshot, "what a console sees"},
	{"GET", "/control/v1/models/{}/versions", get_versions, "versions and their manifests"},
	{"GET", "/control/v1/models/{}/history", get_history, "revisions of the route"},
	{"GET", "/control/v1/audit", get_audit, "who did what"},
	{"POST", "/control/v1/artifacts", post_artifact, "upload a model file"},
	{"POST", "/control/v1/models/{}/deploy", post_deploy, "register a version"},
	{"POST", "/control/v1/models/{}/route", post_route, "promote, roll back or split"},
	{"GET", "/control/v1/jobs", control_get_jobs, "test and batch runs"},
	{"GET", "/control/v1/jobs/{}", control_get_job, "one of them, with its output"},
	{"POST", "/control/v1/jobs", control_post_job, "start a job, or register one"},
	{"POST", "/control/v1/jobs/{}/again", control_post_job_again, "start one as it was started"},
	{"POST", "/control/v1/jobs/{}/progress", control_post_job_progress, "how far a job is"},
	{"POST", "/control/v1/jobs/{}/end", control_post_job_end, "how a job ended"},
	{"POST", "/control/v1/jobs/{}/cancel", control_post_job_cancel, "ask a job to stop"},
	{"POST", "/control/v1/stop", post_stop, "drain and end"},
};

void control_handle(void *context, const struct http_request *request, struct http_response *response)
{
	struct err e;
	if (check_peer(context, request, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	/* The prediction API is here too: what is asked over this socket is an operator's own, and no traffic. */
	if (strncmp(request->path, "/control/", 9) == 0)
		http_dispatch(routes, sizeof routes / sizeof *routes, context, request, response,
			      control_refuse);
	else
		data_plane_handle(context, request, response);
}
