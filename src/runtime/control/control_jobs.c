/* Jobs that there are: listing, looking, their own reports, cancelling. */
#include "runtime/control/control_routes.h"

#include "core/job_kind.h"
#include "core/json.h"
#include "core/registry/registry_jobs.h"
#include "runtime/control/control_request.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX 1000 /* records are large: some ten kilobytes */

int control_job_id(const struct http_segments *segments, int64_t *id, struct err *e)
{
	long long number;
	if (!text_integer(segments->values[0], 1, INT64_MAX, &number))
		return err_set(e, ERR_INPUT, "`%s` is no number of a job", segments->values[0]);
	*id = number;
	return 0;
}

/* --- reading them --- */

static cJSON *list_json(struct job_record *records, size_t count, struct server *s)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *list = json == NULL ? NULL : cJSON_AddArrayToObject(json, "jobs");
	bool whole = list != NULL;
	for (size_t i = 0; whole && i < count; i++) {
		/* In memory its progress is the newest. */
		jobs_find(s->jobs, records[i].id, &records[i], NULL);
		whole = cJSON_AddItemToArray(list, job_to_json(&records[i]));
	}
	if (whole)
		return json;
	cJSON_Delete(json);
	return NULL;
}

void control_get_jobs(void *context, const struct http_request *request, const struct http_segments *segments,
		      struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	struct job_record *records;
	size_t count;
	long long limit, before;
	struct err e;
	if (control_query(request, "limit", 1, LIST_MAX, 50, &limit, &e) != 0 ||
	    control_query(request, "before", 0, INT64_MAX, 0, &before, &e) != 0 ||
	    registry_jobs(s->registry, before, (size_t)limit, &records, &count, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	control_answer(response, list_json(records, count, s));
	free(records);
}

static int read_job(struct server *s, int64_t id, struct job_record *record, char **output, struct err *e)
{
	struct job_details details;
	if (registry_job(s->registry, id, record, &details, e) != 0)
		return -1;
	*output = details.output;
	free(details.start);
	/* What it prints until it has ended, and its plots, are in memory only. */
	char *newest = NULL;
	if (jobs_find(s->jobs, id, record, &newest) && newest != NULL) {
		free(*output);
		*output = newest;
	}
	return 0;
}

void control_get_job(void *context, const struct http_request *request, const struct http_segments *segments,
		     struct http_response *response)
{
	(void)request;
	struct server *s = context;
	struct job_record record;
	char *output = NULL;
	int64_t id = 0;
	struct err e;
	if (control_job_id(segments, &id, &e) != 0 || read_job(s, id, &record, &output, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = job_to_json(&record);
	if (json != NULL && cJSON_AddStringToObject(json, "output_tail", output) == NULL) {
		cJSON_Delete(json);
		json = NULL;
	}
	free(output);
	control_answer(response, json);
}

/* {"job": null} when there was none. */
void control_get_job_last(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	(void)request;
	struct server *s = context;
	struct job_record record;
	struct job_details details;
	bool found;
	struct err e;
	if (job_kind_find(segments->values[0]) == NULL) {
		err_set(&e, ERR_NOT_FOUND, "there is no kind of job `%.32s`", segments->values[0]);
		control_refuse(response, &e);
		return;
	}
	if (registry_job_last(s->registry, segments->values[0], segments->values[1], &record, &details, &found, &e) !=
	    0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = cJSON_CreateObject();
	bool whole = json != NULL && json_add(json, "job", found ? job_to_json(&record) : cJSON_CreateNull());
	if (found && whole)
		whole = json_add(json, "start", cJSON_Parse(details.start));
	if (found)
		job_details_release(&details);
	control_answer(response, json_whole(json, whole));
}

/* --- a running one --- */

void control_post_job_progress(void *context, const struct http_request *request, const struct http_segments *segments,
			       struct http_response *response)
{
	struct server *s = context;
	struct job_progress progress;
	bool cancel;
	int64_t id = 0;
	struct err e;
	cJSON *body = control_body(request, &e);
	if (body == NULL || control_job_id(segments, &id, &e) != 0 ||
	    job_progress_from_json(body, &progress, &e) != 0 ||
	    jobs_progress(s->jobs, id, &progress, &cancel, &e) != 0) {
		control_refuse(response, &e);
	} else {
		cJSON *json = cJSON_CreateObject();
		cJSON_AddBoolToObject(json, "cancel", cancel);
		control_answer(response, json);
	}
	cJSON_Delete(body);
}

static int read_outcome(const cJSON *body, enum job_state *outcome, struct err *e)
{
	const char *name = json_text(body, "outcome", e);
	if (name == NULL)
		return -1;
	*outcome = job_state_by_name(name);
	if (*outcome != JOB_DONE && *outcome != JOB_FAILED && *outcome != JOB_CANCELLED)
		return err_set(e, ERR_INPUT, "field `outcome` must be done, failed or cancelled, got \"%.32s\"", name);
	return 0;
}

static void answer_id(struct http_response *response, int64_t id)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "id", (double)id);
	control_answer(response, json);
}

void control_post_job_end(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	struct server *s = context;
	enum job_state outcome;
	const char *summary = "";
	int64_t id = 0;
	struct err e;
	cJSON *body = control_body(request, &e);
	if (body == NULL || control_job_id(segments, &id, &e) != 0 || read_outcome(body, &outcome, &e) != 0 ||
	    json_optional_text(body, "summary", &summary, &e) != 0 || jobs_end(s->jobs, id, outcome, summary, &e) != 0)
		control_refuse(response, &e);
	else
		answer_id(response, id);
	cJSON_Delete(body);
}

void control_post_job_cancel(void *context, const struct http_request *request, const struct http_segments *segments,
			     struct http_response *response)
{
	struct server *s = context;
	struct actor actor;
	const char *reason = "";
	int64_t id = 0;
	struct err e;
	cJSON *body = control_body(request, &e);
	control_actor(request, &actor);
	if (body == NULL || control_job_id(segments, &id, &e) != 0 ||
	    json_optional_text(body, "reason", &reason, &e) != 0 || jobs_cancel(s->jobs, id, reason, &actor, &e) != 0)
		control_refuse(response, &e);
	else
		answer_id(response, id);
	cJSON_Delete(body);
}
