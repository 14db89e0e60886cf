/* Jobs to be: started by the runtime, or registered by a process of a shell. */
#include "runtime/control/control_routes.h"

#include "core/json.h"
#include "core/registry/registry_jobs.h"
#include "runtime/control/control_request.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- started by the runtime --- */

/* The version asked for, or the live one for 0; it must be one that serves. A test loads what it compares itself. */
static int find_version(struct server *s, const struct job_kind *kind, const char *model, uint32_t *version,
			struct err *e)
{
	bool loads = kind->test, none = kind->version == JOB_VERSION_NONE;
	int result = 0;
	const struct served_model *m = routing_find(router_enter(s->router), model, e);
	uint32_t wanted = m != NULL && *version == 0 && !none ? route_live(&m->route) : *version;
	const struct served_version *v = m == NULL ? NULL : served_model_find(m, wanted);
	if (m == NULL)
		result = -1;
	else if (wanted == 0 && !none)
		result = err_set(e, ERR_CONFLICT, "%s has no live version: name one", model);
	else if (wanted == 0)
		result = 0;
	else if (v == NULL)
		result = err_set(e, ERR_NOT_FOUND, "%s has no version %u", model, wanted);
	else if (v->engine == NULL && !(loads && served_version_state(v, NULL) == SERVED_UNLOADED))
		result = err_set(e, ERR_CONFLICT, "v%u of %s cannot serve: %s", wanted, model, v->note);
	router_leave(s->router);
	*version = wanted;
	return result;
}

static int read_kind(const cJSON *body, const struct job_kind **kind, struct err *e)
{
	const char *name = json_text(body, "kind", e);
	*kind = name == NULL ? NULL : job_kind_find(name);
	if (name == NULL)
		return -1;
	return *kind != NULL ? 0 : err_set(e, ERR_INPUT, "there is no kind of job `%s`", name);
}

static int read_version(const cJSON *body, uint32_t *version, struct err *e)
{
	*version = 0;
	return json_has(body, "version") ? json_uint32(body, "version", 1, VERSIONS_MAX, version, e) : 0;
}

/* What the runtime starts runs as its own user, so it starts nothing of which somebody else says what it is. */
static int check_startable(const struct job_kind *kind, struct err *e)
{
	if (!kind->shell_only)
		return 0;
	return err_set(e, ERR_INPUT, "the runtime starts no job of the kind %s: run `mldeck %s` in a shell", kind->name,
		       kind->name);
}

/* A test names the version that it is of; the live one would be compared with itself. */
static int check_named(const struct job_kind *kind, uint32_t version, struct err *e)
{
	if (version != 0 || kind->version != JOB_VERSION_ARGUMENT)
		return 0;
	return err_set(e, ERR_INPUT, "field `version` is missing: which version is %s to test", kind->name);
}

static bool add_facts(cJSON *json, const struct job_plan *plan)
{
	cJSON *list = cJSON_AddArrayToObject(json, "facts");
	bool whole = list != NULL;
	for (size_t i = 0; whole && i < plan->fact_count; i++) {
		const struct job_fact *f = &plan->facts[i];
		cJSON *item = cJSON_CreateObject();
		whole = item != NULL && cJSON_AddItemToArray(list, item) &&
			cJSON_AddStringToObject(item, "name", f->name) != NULL &&
			cJSON_AddStringToObject(item, "text", f->text) != NULL &&
			cJSON_AddBoolToObject(item, "warning", f->warning) != NULL;
	}
	return whole;
}

/* What was started, or would be; id 0: a dry run. counts: of before it. */
static cJSON *plan_json(const struct job_plan *plan, struct jobs_counts counts, int64_t id)
{
	cJSON *json = cJSON_CreateObject();
	bool whole = json != NULL && json_add_some(json, "id", (double)id) &&
		     cJSON_AddStringToObject(json, "kind", plan->kind->name) != NULL &&
		     cJSON_AddStringToObject(json, "model", plan->model) != NULL &&
		     cJSON_AddNumberToObject(json, "version", plan->version) != NULL &&
		     cJSON_AddStringToObject(json, "title", plan->title) != NULL &&
		     cJSON_AddStringToObject(json, "command", plan->command) != NULL &&
		     (!plan->asks_consent || cJSON_AddTrueToObject(json, "asks_consent") != NULL) &&
		     cJSON_AddNumberToObject(json, "running", counts.running) != NULL &&
		     cJSON_AddNumberToObject(json, "queued", counts.queued) != NULL &&
		     cJSON_AddNumberToObject(json, "waits", counts.waits) != NULL && add_facts(json, plan);
	if (whole)
		return json;
	cJSON_Delete(json);
	return NULL;
}

/* What is wrong with it is told before anything is written. */
static int start_job(struct server *s, const struct http_request *request, const cJSON *body, cJSON **answer,
		     struct err *e)
{
	struct job_plan *plan = malloc(sizeof *plan);
	const struct job_kind *kind;
	const cJSON *start;
	struct actor actor;
	char model[TEXT_NAME_MAX + 1];
	uint32_t version;
	int64_t id = 0;
	bool dry_run = false;
	struct jobs_counts counts;
	size_t ignored;
	int result = -1;

	control_actor(request, &actor);
	if (plan == NULL) {
		err_set(e, ERR_MEMORY, "memory is out for starting a job");
	} else if (read_kind(body, &kind, e) == 0 && check_startable(kind, e) == 0 &&
		   json_string(body, "model", model, sizeof model, e) == 0 && read_version(body, &version, e) == 0 &&
		   check_named(kind, version, e) == 0 && json_optional_boolean(body, "dry_run", &dry_run, e) == 0 &&
		   (start = json_object(body, "start", e)) != NULL && find_version(s, kind, model, &version, e) == 0 &&
		   job_plan_make(kind, model, version, start, plan, e) == 0 &&
		   control_job_facts(s, plan, dry_run, e) == 0) {
		counts = jobs_list(s->jobs, NULL, 0, &ignored);
		result = dry_run ? jobs_check(s->jobs, plan, e) : jobs_start(s->jobs, plan, &actor, &id, e);
		*answer = result == 0 ? plan_json(plan, counts, id) : NULL;
	}
	free(plan);
	return result;
}

/* --- registering one of a shell --- */

/* The command as a shell reads it. */
static int read_command(const cJSON *list, struct job_record *record, struct err *e)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "field `command` must hold the words of a command");
		char clean[JOB_COMMAND_SIZE];
		text_clean(clean, sizeof clean, item->valuestring);
		if (!text_quote(record->command, sizeof record->command, clean))
			return err_set(e, ERR_TOO_LARGE, "field `command` is longer than %d bytes",
				       JOB_COMMAND_SIZE - 1);
	}
	return 0;
}

/* What follows --name, or --name=, among the words before a "--"; "" for a switch; NULL when it is not there. */
static const char *option_of(const cJSON *words, const char *name)
{
	size_t size = strlen(name);
	const cJSON *word;
	cJSON_ArrayForEach(word, words)
	{
		const char *text = word->valuestring;
		if (strcmp(text, "--") == 0)
			return NULL;
		if (strncmp(text, "--", 2) != 0 || strncmp(text + 2, name, size) != 0)
			continue;
		if (text[size + 2] == '=')
			return text + size + 3;
		if (text[size + 2] == '\0')
			return word->next != NULL && strncmp(word->next->valuestring, "--", 2) != 0
				   ? word->next->valuestring
				   : "";
	}
	return NULL;
}

/* A path made absolute by the folder that its process is in, cleaned; "" when that is not known. */
static void find_path(const char *path, int32_t pid, char *absolute, size_t size)
{
	char link[64], folder[PATH_MAX] = "", whole[2 * PATH_MAX];
	absolute[0] = '\0';
	snprintf(link, sizeof link, "/proc/%d/cwd", pid);
	ssize_t length = path[0] == '/' ? 0 : readlink(link, folder, sizeof folder - 1);
	if (length < 0)
		return;
	folder[length] = '\0';
	snprintf(whole, sizeof whole, "%s%s%.4000s", folder, folder[0] != '\0' ? "/" : "", path);
	text_clean(absolute, size, whole);
}

/* The file that it makes, by which it is known. */
static void find_target(const cJSON *words, int32_t pid, struct job_record *record)
{
	const char *output = option_of(words, strcmp(record->kind, "train") == 0 ? "produces" : "output");
	if (output != NULL && output[0] != '\0')
		find_path(output, pid, record->target, sizeof record->target);
}

/* The options as the fields that a dialog fills in the next time; free(). NULL when memory is out. */
static char *make_start(const struct job_kind *kind, const cJSON *words, int32_t pid)
{
	cJSON *start = cJSON_CreateObject();
	char path[JOB_PATH_SIZE];
	bool whole = start != NULL;
	for (size_t i = 0; whole && i < kind->field_count; i++) {
		const struct job_field *field = &kind->fields[i];
		const char *value = option_of(words, field->name);
		if (value == NULL)
			continue;
		if (field->type == JOB_FIELD_INPUT || field->type == JOB_FIELD_OUTPUT) {
			find_path(value, pid, path, sizeof path);
			value = path;
		} else if (field->type == JOB_FIELD_SWITCH || field->type == JOB_FIELD_CONSENT) {
			value = "yes";
		}
		whole = cJSON_AddStringToObject(start, field->name, value) != NULL;
	}
	char *text = whole ? cJSON_PrintUnformatted(start) : NULL;
	cJSON_Delete(start);
	return text;
}

static int add_shell_job(struct server *s, const struct http_request *request, const struct job_record *record,
			 const char *start, bool dry_run, cJSON **answer, struct err *e)
{
	struct actor actor;
	int64_t id = 0;
	control_actor(request, &actor);
	if (start == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for registering a job");
	if ((dry_run ? jobs_check_shell(s->jobs, record, e)
		     : jobs_register(s->jobs, record, start, request->peer_pid, &actor, &id, e)) != 0)
		return -1;
	*answer = cJSON_CreateObject();
	json_add_some(*answer, "id", (double)id);
	return 0;
}

/* A training may be the first of its model, of which nothing is deployed yet. */
static int find_subject(struct server *s, const struct job_kind *kind, struct job_record *record, struct err *e)
{
	if (!kind->shell_only || kind->version != JOB_VERSION_NONE)
		return find_version(s, kind, record->model, &record->version, e);
	return text_name_valid(record->model) ? 0 : err_set(e, ERR_INPUT, "`%.80s` is no model's name", record->model);
}

static int register_job(struct server *s, const struct http_request *request, const cJSON *body, cJSON **answer,
			struct err *e)
{
	struct job_record record = {0};
	const struct job_kind *kind;
	const cJSON *command;
	const char *title = "";
	bool dry_run = false;

	if (read_kind(body, &kind, e) != 0 || json_string(body, "model", record.model, sizeof record.model, e) != 0 ||
	    read_version(body, &record.version, e) != 0 || json_optional_text(body, "title", &title, e) != 0 ||
	    json_optional_boolean(body, "dry_run", &dry_run, e) != 0 ||
	    (command = json_array(body, "command", 256, e)) == NULL || read_command(command, &record, e) != 0 ||
	    find_subject(s, kind, &record, e) != 0)
		return -1;
	text_clean(record.kind, sizeof record.kind, kind->name);
	text_clean(record.title, sizeof record.title, title);
	find_target(command, request->peer_pid, &record);
	char *start = make_start(kind, command, request->peer_pid);
	int result = add_shell_job(s, request, &record, start, dry_run, answer, e);
	free(start);
	return result;
}

void control_post_job(void *context, const struct http_request *request, const struct http_segments *segments,
		      struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	struct err e;
	cJSON *answer = NULL, *body = control_body(request, &e);
	int result = body == NULL              ? -1
		     : json_has(body, "start") ? start_job(s, request, body, &answer, &e)
					       : register_job(s, request, body, &answer, &e);
	if (result == 0)
		control_answer(response, answer);
	else
		control_refuse(response, &e);
	cJSON_Delete(body);
}

/* The fields that it was started with; consent to what it does to others is asked anew. */
static cJSON *fields_again(const struct job_record *record, const char *start, bool consent)
{
	const struct job_kind *kind = job_kind_find(record->kind);
	cJSON *fields = cJSON_Parse(start);
	for (size_t i = 0; kind != NULL && i < kind->field_count; i++) {
		if (kind->fields[i].type != JOB_FIELD_CONSENT)
			continue;
		cJSON_DeleteItemFromObjectCaseSensitive(fields, kind->fields[i].name);
		if (consent)
			cJSON_AddStringToObject(fields, kind->fields[i].name, "yes");
	}
	return fields;
}

/* The request that started it, once more; asked may say that it is a dry run, and consent. */
static cJSON *request_again(struct server *s, const cJSON *asked, int64_t id, struct err *e)
{
	struct job_record record;
	struct job_details details;
	cJSON *body = NULL;
	bool dry_run = false, consent = false;
	if (json_optional_boolean(asked, "dry_run", &dry_run, e) != 0 ||
	    json_optional_boolean(asked, "consent", &consent, e) != 0 ||
	    registry_job(s->registry, id, &record, &details, e) != 0)
		return NULL;
	if (record.in_shell || details.start[0] == '\0') {
		err_set(e, ERR_CONFLICT, "this job was started in a shell; run its command there: %.300s",
			record.command);
	} else {
		body = cJSON_CreateObject();
		if (!cJSON_AddItemToObject(body, "start", fields_again(&record, details.start, consent)) ||
		    !cJSON_AddStringToObject(body, "kind", record.kind) ||
		    !cJSON_AddStringToObject(body, "model", record.model) ||
		    !cJSON_AddNumberToObject(body, "version", record.version) ||
		    !cJSON_AddBoolToObject(body, "dry_run", dry_run)) {
			err_set(e, ERR_MEMORY, "memory is out for starting a job");
			cJSON_Delete(body);
			body = NULL;
		}
	}
	job_details_release(&details);
	return body;
}

void control_post_job_again(void *context, const struct http_request *request, const struct http_segments *segments,
			    struct http_response *response)
{
	struct server *s = context;
	struct err e;
	cJSON *answer = NULL, *body = NULL, *asked = control_body(request, &e);
	int64_t id = 0;
	if (asked != NULL && control_job_id(segments, &id, &e) == 0 &&
	    (body = request_again(s, asked, id, &e)) != NULL && start_job(s, request, body, &answer, &e) == 0)
		control_answer(response, answer);
	else
		control_refuse(response, &e);
	cJSON_Delete(asked);
	cJSON_Delete(body);
}
