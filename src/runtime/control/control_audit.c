/* control: the audit: reading and verifying it, and recording the refusals that no handler recorded. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/json.h"
#include "core/registry/registry_verify.h"

#include <stdlib.h>
#include <string.h>

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
	cJSON_AddBoolToObject(json, "forced", record->forced);
	/* Text, not a tree: the hash is over these very bytes. */
	cJSON_AddStringToObject(json, "data", record->data);
	cJSON_AddStringToObject(json, "hash", record->hash);
	return json;
}

static int read_filter(const struct http_request *request, struct audit_filter *filter, long long *limit, struct err *e)
{
	long long before, since_ms, forced;
	if (control_query(request, "limit", 1, 100000, 100, limit, e) != 0 ||
	    control_query(request, "before", 0, INT64_MAX, 0, &before, e) != 0 ||
	    control_query(request, "since_ms", 0, INT64_MAX, 0, &since_ms, e) != 0 ||
	    control_query(request, "forced", 0, 1, 0, &forced, e) != 0)
		return -1;
	*filter = (struct audit_filter){
	    .model = http_query(request, "model"),
	    .who = http_query(request, "who"),
	    .action = http_query(request, "action"),
	    .since_ms = since_ms,
	    .before = before,
	    .forced = forced != 0,
	};
	return 0;
}

void control_get_audit(void *context, const struct http_request *request, const struct http_segments *segments,
		       struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	struct err e;
	struct audit_filter filter;
	struct audit_record *records;
	size_t count;
	long long limit;
	if (read_filter(request, &filter, &limit, &e) != 0 ||
	    registry_find_audits(s->registry, &filter, (size_t)limit, &records, &count, &e) != 0) {
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

void control_get_audit_head(void *context, const struct http_request *request, const struct http_segments *segments,
			    struct http_response *response)
{
	(void)request;
	(void)segments;
	struct server *s = context;
	struct audit_head head;
	struct err e;
	if (registry_audit_head(s->registry, &head, &e) != 0)
		control_refuse(response, &e);
	else
		control_answer(response, audit_head_to_json(&head));
}

void control_get_audit_verify(void *context, const struct http_request *request, const struct http_segments *segments,
			      struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	const char *text = http_query(request, "head");
	struct audit_verdict verdict;
	struct audit_head kept;
	struct err e;
	/* Not the registry's own connection: changes go on while this takes its time. */
	if ((text != NULL && audit_head_read(text, &kept, &e) != 0) ||
	    registry_verify(s->state, text != NULL ? &kept : NULL, &verdict, &e) != 0)
		control_refuse(response, &e);
	else
		control_answer(response, audit_verdict_to_json(&verdict));
}

/* --- refusals --- */

/* "/control/v1/models/M/route" tells the model, and the action by its last part. */
static void read_path(const char *path, char model[TEXT_NAME_MAX + 1], char action[16])
{
	static const char models[] = "/control/v1/models/";
	const char *last = strrchr(path, '/');
	model[0] = '\0';
	text_clean(action, 16, last != NULL ? last + 1 : path);
	if (strncmp(path, models, strlen(models)) != 0)
		return;
	char name[TEXT_NAME_MAX + 1];
	size_t size = strcspn(path + strlen(models), "/");
	if (size >= sizeof name)
		size = sizeof name - 1;
	memcpy(name, path + strlen(models), size);
	name[size] = '\0';
	text_clean(model, TEXT_NAME_MAX + 1, name);
}

/* A job that says how far it is tells the runtime, it changes nothing that an operator asked for. */
static bool is_report(const char *path)
{
	const char *last = strrchr(path, '/');
	return strncmp(path, "/control/v1/jobs/", 17) == 0 && last != NULL &&
	       (strcmp(last, "/progress") == 0 || strcmp(last, "/end") == 0);
}

void control_record_refusal(struct server *s, const struct http_request *request, const struct http_response *response)
{
	struct actor actor;
	char model[TEXT_NAME_MAX + 1], action[16];
	const char *reason = "", *given = NULL;
	int64_t version = 0;
	bool dry_run = false;

	if (strcmp(request->method, "GET") == 0 || response->status < 400 || is_report(request->path))
		return;
	cJSON *body = cJSON_ParseWithLength(request->body, request->body_size);
	cJSON *answer = cJSON_ParseWithLength(response->body.data, response->body.size);
	read_path(request->path, model, action);
	/* What cannot be read is left out: that is why it was refused. */
	json_optional_boolean(body, "dry_run", &dry_run, NULL);
	json_optional_text(body, "reason", &reason, NULL);
	json_optional_integer(body, "version", 1, VERSIONS_MAX, &version, NULL);
	if (strcmp(action, "route") == 0 && json_optional_text(body, "action", &given, NULL) == 0 && given != NULL)
		text_clean(action, sizeof action, given);
	control_actor(request, &actor);
	if (!dry_run)
		registry_audit(s->registry, &actor, action, model, (uint32_t)version, json_find_text(answer, "code"),
			       reason, json_find_text(answer, "error"), NULL);
	cJSON_Delete(answer);
	cJSON_Delete(body);
}
