/* control: changes: model files that are uploaded, versions that are deployed, routes. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/json.h"
#include "runtime/gate/gates.h"

#include <stdlib.h>
#include <string.h>

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

int control_open_sink(void *context, const struct http_request *request, struct http_sink *sink, struct err *e)
{
	struct server *s = context;
	if (strcmp(request->path, "/control/v1/artifacts") != 0 || strcmp(request->method, "POST") != 0)
		return 0;
	if (control_check_peer(s, request, e) != 0)
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

void control_post_artifact(void *context, const struct http_request *request, const struct http_segments *segments,
			   struct http_response *response)
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
				return err_set(e, ERR_INPUT, "two features are named `%.64s`", item->valuestring);
		(*names)[deploy->feature_count++] = item->valuestring;
	}
	deploy->feature_names = *names;
	return 0;
}

/* One that was frozen before, of another runtime say; free(). */
static int read_baseline(const cJSON *body, struct deploy_request *deploy, struct baseline **baseline, struct err *e)
{
	if (!json_has(body, "baseline"))
		return 0;
	if (deploy->baseline_csv != NULL)
		return err_set(e, ERR_INPUT, "fields `baseline` and `baseline_csv` are both there; give one");
	const cJSON *json = json_object(body, "baseline", e);
	*baseline = calloc(1, sizeof **baseline);
	if (*baseline == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	if (json == NULL || baseline_from_json(*baseline, json, e) != 0)
		return -1;
	deploy->baseline = *baseline;
	return 0;
}

static int read_deploy(const cJSON *body, struct deploy_request *deploy, struct baseline **baseline,
		       const char ***names, struct err *e)
{
	int64_t version = 0;

	if (check_name(deploy->model, e) != 0 || read_features(body, deploy, names, e) != 0 ||
	    json_optional_text(body, "sha256", &deploy->sha256, e) != 0 ||
	    json_optional_text(body, "file_name", &deploy->file_name, e) != 0 ||
	    json_optional_text(body, "reason", &deploy->reason, e) != 0 ||
	    json_optional_text(body, "baseline_csv", &deploy->baseline_csv, e) != 0 ||
	    json_optional_text(body, "samples_csv", &deploy->samples_csv, e) != 0 ||
	    json_optional_boolean(body, "no_live", &deploy->no_live, e) != 0 ||
	    json_optional_integer(body, "expect_version", 1, VERSIONS_MAX, &version, e) != 0 ||
	    read_baseline(body, deploy, baseline, e) != 0)
		return -1;
	deploy->expect_version = (uint32_t)version;
	return deploy->sha256 != NULL ? 0 : err_set(e, ERR_INPUT, "field `sha256` is missing: upload the file first");
}

void control_post_deploy(void *context, const struct http_request *request, const struct http_segments *segments,
			 struct http_response *response)
{
	struct server *s = context;
	struct deploy_request deploy = {.model = segments->values[0], .file_name = "the file", .reason = ""};
	struct deploy_result result;
	struct actor actor;
	uint64_t baseline_count;
	struct baseline *baseline = NULL;
	const char **names = NULL;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body == NULL || read_deploy(body, &deploy, &baseline, &names, &e) != 0)
		goto refuse;
	if (router_deploy(s->router, &deploy, &actor, &result, &baseline_count, &e) != 0) {
		registry_audit(s->registry, &actor, "deploy", deploy.model, 0, err_name(e.code), deploy.reason, e.text,
			       NULL);
		artifact_discard(s->registry, deploy.sha256);
		goto refuse;
	}
	control_answer(response, deploy_json(s, deploy.model, &result, baseline_count));
	goto out;
refuse:
	control_refuse(response, &e);
out:
	free(baseline);
	free(names);
	cJSON_Delete(body);
}

static int read_weights(const cJSON *body, struct route_entry weights[ROUTE_ENTRIES_MAX], size_t *count, struct err *e)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "weights"), *item;
	*count = 0;
	if (!cJSON_IsArray(list))
		return err_set(e, ERR_INPUT, "field `weights` must be a list of {version, weight_bp}");
	cJSON_ArrayForEach(item, list)
	{
		struct route_entry weight = {0};
		if (*count == ROUTE_ENTRIES_MAX)
			return err_set(e, ERR_INPUT, "a route has at most %d versions", ROUTE_ENTRIES_MAX);
		if (!cJSON_IsObject(item))
			return err_set(e, ERR_INPUT, "field `weights` must be a list of {version, weight_bp}");
		if (json_uint32(item, "version", 1, VERSIONS_MAX, &weight.version, e) != 0 ||
		    json_uint32(item, "weight_bp", 0, ROUTE_BUCKETS, &weight.weight_bp, e) != 0)
			return -1;
		weights[(*count)++] = weight;
	}
	return 0;
}

static int read_role(const cJSON *item, enum route_role *role, struct err *e)
{
	const char *name = json_text(item, "role", e);
	if (name == NULL)
		return -1;
	for (int i = 0; i < ROUTE_ROLE_COUNT; i++)
		if (strcmp(name, route_role_name((enum route_role)i)) == 0) {
			*role = (enum route_role)i;
			return 0;
		}
	return err_set(e, ERR_INPUT, "field `role` must be live, canary or shadow, got \"%.32s\"", name);
}

/* A whole route: weights with their roles. */
static int read_entries(const cJSON *body, struct route_entry entries[ROUTE_ENTRIES_MAX], size_t *count, struct err *e)
{
	const cJSON *list = json_array(body, "entries", ROUTE_ENTRIES_MAX, e), *item;
	*count = 0;
	if (list == NULL)
		return -1;
	cJSON_ArrayForEach(item, list)
	{
		struct route_entry entry = {0};
		if (!cJSON_IsObject(item))
			return err_set(e, ERR_INPUT, "field `entries` must be a list of {version, role, weight_bp}");
		if (json_uint32(item, "version", 1, VERSIONS_MAX, &entry.version, e) != 0 ||
		    read_role(item, &entry.role, e) != 0 ||
		    json_uint32(item, "weight_bp", 0, ROUTE_BUCKETS, &entry.weight_bp, e) != 0)
			return -1;
		entries[(*count)++] = entry;
	}
	return 0;
}

static int read_change(const cJSON *body, struct route_change *change, struct route_entry weights[ROUTE_ENTRIES_MAX],
		       struct err *e)
{
	int64_t version = 0, to_revision = 0;

	change->action = change->reason = "";
	change->expect_revision = -1;
	if (json_optional_text(body, "action", &change->action, e) != 0 ||
	    json_optional_text(body, "reason", &change->reason, e) != 0 ||
	    json_optional_boolean(body, "dry_run", &change->dry_run, e) != 0 ||
	    json_optional_boolean(body, "force", &change->forced, e) != 0 ||
	    json_optional_integer(body, "version", 1, VERSIONS_MAX, &version, e) != 0 ||
	    json_optional_integer(body, "to_revision", 1, UINT32_MAX, &to_revision, e) != 0 ||
	    json_optional_integer(body, "expect_revision", 0, UINT32_MAX, &change->expect_revision, e) != 0)
		return -1;
	change->version = (uint32_t)version;
	change->to_revision = (uint32_t)to_revision;
	if (strcmp(change->action, "promote") == 0)
		return version > 0 ? 0 : err_set(e, ERR_INPUT, "field `version` is missing");
	if (strcmp(change->action, "rollback") == 0)
		return 0;
	if (strcmp(change->action, "apply") == 0) {
		change->weights = weights;
		return read_entries(body, weights, &change->weight_count, e);
	}
	if (strcmp(change->action, "split") != 0 && strcmp(change->action, "shadow") != 0)
		return err_set(e, ERR_INPUT, "field `action` must be promote, rollback, split, shadow or apply");
	change->weights = weights;
	return read_weights(body, weights, &change->weight_count, e);
}

static cJSON *change_json(const struct route_change *change, const struct change_outcome *outcome)
{
	const struct revision_record *revision = &outcome->revision;
	char after[128];
	cJSON *json = cJSON_CreateObject();

	route_text(&revision->route, after, sizeof after);
	cJSON_AddStringToObject(json, "model", change->model);
	cJSON_AddStringToObject(json, "action", change->action);
	cJSON_AddBoolToObject(json, "dry_run", change->dry_run);
	cJSON_AddNumberToObject(json, "revision", revision->revision);
	cJSON_AddNumberToObject(json, "based_on", revision->based_on);
	cJSON_AddNumberToObject(json, "live", route_live(&revision->route));
	cJSON_AddStringToObject(json, "before", outcome->before);
	cJSON_AddStringToObject(json, "after", after);
	cJSON_AddItemToObject(json, "route", route_to_json(&revision->route));
	cJSON_AddBoolToObject(json, "forced", gates_overridden(outcome->findings, outcome->finding_count));
	cJSON_AddItemToObject(json, "gates", findings_to_json(outcome->findings, outcome->finding_count));
	return json;
}

void control_post_route(void *context, const struct http_request *request, const struct http_segments *segments,
			struct http_response *response)
{
	struct server *s = context;
	struct route_change change = {.model = segments->values[0]};
	struct route_entry weights[ROUTE_ENTRIES_MAX];
	/* On the heap: a route and its findings are much for a thread's stack. */
	struct change_outcome *outcome = calloc(1, sizeof *outcome);
	struct actor actor;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (outcome == NULL)
		err_set(&e, ERR_MEMORY, "memory is out while changing the route");
	if (outcome == NULL || body == NULL || read_change(body, &change, weights, &e) != 0)
		control_refuse(response, &e);
	else if (router_change(s->router, &change, &actor, outcome, &e) == 0)
		control_answer(response, change_json(&change, outcome));
	else
		control_refuse_with(response, &e, outcome->finding_count > 0 ? change_json(&change, outcome) : NULL);
	free(outcome);
	cJSON_Delete(body);
}
