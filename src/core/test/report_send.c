#include "core/test/report_send.h"

#include "core/json.h"

#include <stdio.h>
#include <string.h>

static cJSON *body_of(const cJSON *report, int64_t job)
{
	double version = json_find_number(report, "version"), against = json_find_number(report, "against");
	cJSON *body = cJSON_CreateObject();
	/* Of a training 0 says that it was compared with nothing; else the live version is meant. */
	bool tell = against >= 1 || strcmp(json_find_text(report, "kind"), "training") == 0;
	bool whole = cJSON_AddStringToObject(body, "kind", json_find_text(report, "kind")) != NULL &&
		     (version < 1 || cJSON_AddNumberToObject(body, "version", version) != NULL) &&
		     (!tell || cJSON_AddNumberToObject(body, "against", against) != NULL) &&
		     cJSON_AddBoolToObject(body, "passed",
					   cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(report, "passed"))) != NULL &&
		     cJSON_AddStringToObject(body, "summary", json_find_text(report, "summary")) != NULL &&
		     (job == 0 || cJSON_AddNumberToObject(body, "job", (double)job) != NULL) &&
		     cJSON_AddItemReferenceToObject(body, "report", (cJSON *)(uintptr_t)report);

	if (whole)
		return body;
	cJSON_Delete(body);
	return NULL;
}

int report_send(struct client *client, const cJSON *report, int64_t job, int64_t *id, struct err *e)
{
	cJSON *body = body_of(report, job), *answer = NULL;
	char path[128];
	int result = -1;

	snprintf(path, sizeof path, "/control/v1/models/%s/tests", json_find_text(report, "model"));
	if (body == NULL)
		err_set(e, ERR_MEMORY, "memory is out for a report");
	else if (client_post(client, path, body, CLIENT_TIMEOUT_MS, &answer, e) == 0)
		result = json_integer(answer, "id", 1, INT64_C(1) << 53, id, e);
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return result;
}
