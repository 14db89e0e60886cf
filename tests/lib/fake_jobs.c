/* fake_jobs: what the fake runtime says to requests about jobs. */
#include "lib/fake_runtime_internal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fact_add(cJSON *facts, const char *name, bool warning, const char *text)
{
	cJSON *fact = cJSON_CreateObject();

	cJSON_AddStringToObject(fact, "name", name);
	cJSON_AddStringToObject(fact, "text", text);
	cJSON_AddBoolToObject(fact, "warning", warning);
	cJSON_AddItemToArray(facts, fact);
}

/* As a runtime that has 6000 requests a minute says it. */
static void facts_add(cJSON *facts, const char *kind, bool live)
{
	if (strcmp(kind, "stress") == 0) {
		fact_add(facts, "live traffic", live,
			 live ? "v1 has 100% of the requests of flight-delay, now 100/s" : "v3 has no live traffic");
		fact_add(facts, "beside", true, "1 other model with 100/s on this machine: churn");
		fact_add(facts, "limit", false, "at most 100/s more; it stops by itself when live requests suffer");
	} else if (strcmp(kind, "predict") != 0) {
		fact_add(facts, "compared", false, "v3 with v1, which is live");
	}
	if (strcmp(kind, "predict") != 0)
		fact_add(facts, "takes", false, "about 12 s, by 3 earlier runs");
	fact_add(facts, strcmp(kind, "predict") == 0 ? "input" : "data", false, "96.7 kB, 2001 lines");
}

static void job_keep(struct fake_runtime *f, const cJSON *body, const char *kind)
{
	struct fake_job *job = &f->jobs[f->job_count++];
	const cJSON *start = cJSON_GetObjectItem(body, "start");

	snprintf(job->state, sizeof(job->state), "running");
	snprintf(job->kind, sizeof(job->kind), "%s", kind);
	snprintf(job->input, sizeof(job->input), "%s", fake_string(start, "input"));
	snprintf(job->output, sizeof(job->output), "%s", fake_string(start, "output"));
	cJSON_PrintPreallocated((cJSON *)(uintptr_t)start, job->start, sizeof(job->start), false);
	job->version = (int)fake_number(body, "version", 0);
}

/* Only /data/rows.csv can be read; live traffic is touched with consent only. */
static cJSON *start_answer(struct fake_runtime *f, const cJSON *body, int *status)
{
	const cJSON *start = cJSON_GetObjectItem(body, "start");
	const char *kind = fake_string(body, "kind");
	const char *file = fake_string(start, strcmp(kind, "predict") == 0 ? "input" : "data");
	bool dry_run = cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run"));
	int version = (int)fake_number(body, "version", f->live);
	bool asks = strcmp(kind, "stress") == 0 && version == f->live && strcmp(fake_string(start, "yes"), "yes") != 0;

	if (strcmp(file, "/data/rows.csv") != 0 && (file[0] != '\0' || strcmp(kind, "bench") != 0))
		return fake_refusal(status, 404, "not_found", "the runtime cannot read that file");
	if (asks && !dry_run)
		return fake_refusal(status, 403, "denied", "it has live traffic");
	cJSON *answer = cJSON_CreateObject();

	facts_add(cJSON_AddArrayToObject(answer, "facts"), kind, version == f->live);
	cJSON_AddStringToObject(answer, "title",
				strcmp(kind, "predict") == 0 ? "rows.csv to somewhere.csv" : "v3 against v1");
	cJSON_AddNumberToObject(answer, "version", version);
	cJSON_AddBoolToObject(answer, "asks_consent", asks);
	cJSON_AddNumberToObject(answer, "waits", f->waits);
	if (dry_run || f->job_count == FAKE_JOBS_MAX)
		return answer;
	job_keep(f, body, kind);
	cJSON_AddNumberToObject(answer, "id", f->job_count);
	return answer;
}

cJSON *fake_job_start(struct fake_runtime *f, const cJSON *body, int *status)
{
	return start_answer(f, body, status);
}

/* ".../ID/cancel" and ".../ID/again" */
cJSON *fake_job_post(struct fake_runtime *f, const char *path, const cJSON *body, int *status)
{
	char *verb;
	long id = strtol(path, &verb, 10);
	cJSON *start, *request, *answer;

	if (id < 1 || id > f->job_count)
		return fake_refusal(status, 404, "not_found", "there is no such job");
	if (strncmp(verb, "/cancel ", 8) == 0) {
		answer = cJSON_CreateObject();
		snprintf(f->jobs[id - 1].state, sizeof(f->jobs[0].state), "cancelled");
		snprintf(f->reason, sizeof(f->reason), "%s", fake_string(body, "reason"));
		cJSON_AddNumberToObject(answer, "id", (double)id);
		return answer;
	}
	request = cJSON_CreateObject();
	start = cJSON_Parse(f->jobs[id - 1].start);
	cJSON_DeleteItemFromObject(start, "yes");
	if (cJSON_IsTrue(cJSON_GetObjectItem(body, "consent")))
		cJSON_AddStringToObject(start, "yes", "yes");
	cJSON_AddItemToObject(request, "start", start);
	cJSON_AddStringToObject(request, "kind", f->jobs[id - 1].kind);
	cJSON_AddNumberToObject(request, "version", f->jobs[id - 1].version);
	cJSON_AddBoolToObject(request, "dry_run", cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run")));
	answer = start_answer(f, request, status);
	cJSON_Delete(request);
	return answer;
}

cJSON *fake_job_last(const struct fake_runtime *f)
{
	cJSON *answer = cJSON_CreateObject(), *job = f->last[0] ? cJSON_CreateObject() : cJSON_CreateNull();

	if (f->last[0]) {
		cJSON_AddNumberToObject(job, "id", 7);
		cJSON_AddItemToObject(answer, "start", cJSON_Parse(f->last));
	}
	cJSON_AddItemToObject(answer, "job", job);
	return answer;
}
