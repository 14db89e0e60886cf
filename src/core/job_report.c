#include "core/job_report.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define INTERVAL_MS 1000
#define TIMEOUT_MS 1000
/* The end is said once, and nothing waits behind it: unheard, a job that is done would be called interrupted. */
#define END_TIMEOUT_MS 10000
/* A runtime that does not answer is asked less and less often, so that it does not hold up the work. */
#define PAUSE_MOST_MS 30000

static cJSON *registration(const char *kind, const char *model, uint32_t version, const char *title,
			   const char *const *words, size_t count)
{
	cJSON *json = cJSON_CreateObject(), *command = cJSON_AddArrayToObject(json, "command");
	bool done = command != NULL && cJSON_AddStringToObject(json, "kind", kind) != NULL &&
		    cJSON_AddStringToObject(json, "model", model) != NULL &&
		    (version == 0 || cJSON_AddNumberToObject(json, "version", version) != NULL) &&
		    cJSON_AddStringToObject(json, "title", title) != NULL &&
		    cJSON_AddNumberToObject(json, "pid", (double)getpid()) != NULL;

	for (size_t i = 0; done && i < count; i++)
		done = cJSON_AddItemToArray(command, cJSON_CreateString(words[i]));
	if (done)
		return json;
	cJSON_Delete(json);
	return NULL;
}

/* The number of the job that the runtime started us as; 0: none. */
static int64_t given_job(void)
{
	const char *given = getenv("MLDECK_JOB");
	long long number;

	return given != NULL && text_integer(given, 1, INT64_MAX, &number) ? number : 0;
}

/* Only a job that is open and the same is a refusal. */
static int enlist(struct client *client, const cJSON *body, int64_t *id, struct err *e)
{
	cJSON *answer = NULL;
	struct err refused = {0};
	int result = 0;

	if (client_post(client, "/control/v1/jobs", body, TIMEOUT_MS, &answer, &refused) != 0)
		result = refused.code == ERR_CONFLICT ? err_set(e, refused.code, "%s", refused.text) : 0;
	else if (json_has(answer, "id") && json_integer(answer, "id", 1, INT64_C(1) << 53, id, &refused) != 0)
		*id = 0;
	cJSON_Delete(answer);
	return result;
}

int job_report_begin(struct job_report *r, struct client *client, const char *kind, const char *model, uint32_t version,
		     const char *title, const char *const *words, size_t count, struct err *e)
{
	*r = (struct job_report){.client = client, .id = given_job()};
	if (r->id != 0)
		return 0;
	r->registration = registration(kind, model, version, title, words, count);
	if (r->registration == NULL || enlist(client, r->registration, &r->id, e) == 0)
		return 0;
	cJSON_Delete(r->registration);
	r->registration = NULL;
	return -1;
}

int job_report_check(struct client *client, const char *kind, const char *model, uint32_t version,
		     const char *const *words, size_t count, struct err *e)
{
	int64_t ignored = 0;
	int result = 0;
	cJSON *body = given_job() != 0 ? NULL : registration(kind, model, version, "", words, count);

	if (body != NULL && cJSON_AddTrueToObject(body, "dry_run") != NULL)
		result = enlist(client, body, &ignored, e);
	cJSON_Delete(body);
	return result;
}

static cJSON *post(const struct job_report *r, const char *what, const cJSON *body, int timeout_ms, struct err *e)
{
	char path[64];
	cJSON *answer = NULL;

	snprintf(path, sizeof path, "/control/v1/jobs/%" PRId64 "/%s", r->id, what);
	if (body != NULL && client_post(r->client, path, body, timeout_ms, &answer, e) == 0)
		return answer;
	return NULL;
}

bool job_report_due(const struct job_report *r)
{
	return r->id != 0 && clock_ms() >= r->next_ms;
}

bool job_report_progress(struct job_report *r, const struct job_progress *progress)
{
	int64_t begun_ms = clock_ms(), pause_ms = INTERVAL_MS;
	cJSON *body, *answer;
	struct err e = {0};

	if (r->id == 0 || begun_ms < r->next_ms)
		return true;
	body = job_progress_to_json(progress);
	answer = post(r, "progress", body, TIMEOUT_MS, &e);
	r->failures = answer == NULL ? r->failures + 1 : 0;
	/* The runtime that knew us is gone, and with it our number. */
	if (answer == NULL && (e.code == ERR_CONFLICT || e.code == ERR_NOT_FOUND) && r->registration != NULL &&
	    enlist(r->client, r->registration, &r->id, &e) == 0)
		r->failures = 0;
	for (int i = 0; i < r->failures && pause_ms < PAUSE_MOST_MS; i++)
		pause_ms *= 2;
	r->next_ms = clock_ms() + pause_ms;
	bool go_on = !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "cancel"));
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return go_on;
}

void job_report_end(struct job_report *r, enum job_state outcome, const struct job_progress *last, const char *summary)
{
	cJSON *body;
	struct err e;

	if (r->id != 0) {
		r->next_ms = 0;
		job_report_progress(r, last);
		body = cJSON_CreateObject();
		if (cJSON_AddStringToObject(body, "outcome", job_state_name(outcome)) != NULL &&
		    cJSON_AddStringToObject(body, "summary", summary) != NULL)
			cJSON_Delete(post(r, "end", body, END_TIMEOUT_MS, &e));
		cJSON_Delete(body);
	}
	cJSON_Delete(r->registration);
	r->registration = NULL;
	r->id = 0;
}
