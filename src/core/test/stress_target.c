#include "core/test/stress_target.h"

#include "core/fetch.h"
#include "core/json.h"
#include "core/v2_client.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_TIMEOUT_MS 120000
#define FETCH_TIMEOUT_MS 5000
#define METRICS_TIMEOUT_MS 500
#define ANSWER_MAX ((size_t)16 << 20)

int stress_snapshot(struct client *c, uint32_t window_s, int timeout_ms, struct snapshot **snapshot, struct err *e)
{
	char path[64];
	cJSON *json = NULL;

	snprintf(path, sizeof path, "/control/v1/snapshot?window_s=%u", (unsigned)window_s);
	int result = client_get(c, path, timeout_ms, &json, e) != 0 ? -1 : snapshot_from_json(json, snapshot, e);
	cJSON_Delete(json);
	return result;
}

int stress_load_version(struct client *c, const char *model, uint32_t version, struct err *e)
{
	char path[160];
	cJSON *answer = NULL, *body = cJSON_CreateObject();

	snprintf(path, sizeof path, "/control/v1/models/%s/versions/%u/load", model, (unsigned)version);
	int result = body == NULL ? err_set(e, ERR_MEMORY, "memory is out")
				  : client_post(c, path, body, LOAD_TIMEOUT_MS, &answer, e);
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return result;
}

/* --- rows --- */

int stress_sample_rows(struct client *c, const char *model, uint32_t version, char **text, size_t *size, struct err *e)
{
	char path[160];
	cJSON *answer = NULL;
	int result = -1;

	snprintf(path, sizeof path, "/control/v1/models/%s/versions/%u/samples", model, (unsigned)version);
	if (client_get(c, path, CLIENT_TIMEOUT_MS, &answer, e) != 0)
		return -1;
	const char *csv = json_find_text(answer, "csv");
	if (*csv == '\0') {
		err_set(e, ERR_USAGE, "v%u of %s has no sample rows: name a file of rows with --data",
			(unsigned)version, model);
	} else if ((*text = strdup(csv)) == NULL) {
		err_set(e, ERR_MEMORY, "memory is out for the rows");
	} else {
		*size = strlen(*text);
		result = 0;
	}
	cJSON_Delete(answer);
	return result;
}

int stress_file_rows(const char *path, char **text, size_t *size, struct err *e)
{
	FILE *file = fopen(path, "re");
	struct buf all;
	char part[16384];
	size_t count;
	int result = -1;

	if (file == NULL)
		return err_errno(e, errno, "%s cannot be opened", path);
	buf_init(&all);
	while (!all.failed && all.size <= STRESS_FILE_MAX && (count = fread(part, 1, sizeof part, file)) > 0)
		buf_add(&all, part, count);
	if (ferror(file))
		err_errno(e, errno, "%s cannot be read", path);
	else if (all.failed)
		err_set(e, ERR_MEMORY, "memory is out for the rows of %s", path);
	else if (all.size > STRESS_FILE_MAX)
		err_set(e, ERR_TOO_LARGE, "%s has more than %zu MiB; a part of its rows is enough", path,
			STRESS_FILE_MAX >> 20);
	else if (all.size == 0)
		err_set(e, ERR_INPUT, "%s is empty", path);
	else {
		*size = all.size;
		*text = buf_take(&all);
		result = 0;
	}
	buf_release(&all);
	fclose(file);
	return result;
}

/* --- another server --- */

/* What a manifest of another server's model has, out of its metadata; takes what it moves. NULL when memory is out. */
static cJSON *manifest_form(cJSON *metadata)
{
	static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
	cJSON *form = cJSON_CreateObject();
	cJSON *inputs = cJSON_DetachItemFromObjectCaseSensitive(metadata, "inputs");
	cJSON *features = cJSON_DetachItemFromObjectCaseSensitive(metadata, "features");

	cJSON_AddStringToObject(form, "engine", "remote");
	cJSON_AddStringToObject(form, "format", "v2");
	cJSON_AddStringToObject(form, "sha256", zeros);
	cJSON_AddNumberToObject(form, "size_bytes", 0);
	if (inputs != NULL)
		cJSON_AddItemToObject(form, "inputs", inputs);
	cJSON_AddArrayToObject(form, "outputs");
	cJSON_AddNumberToObject(form, "feature_count", cJSON_IsArray(features) ? cJSON_GetArraySize(features) : 0);
	if (cJSON_IsArray(features))
		cJSON_AddItemToObject(form, "feature_names", features);
	else
		cJSON_Delete(features);
	cJSON_AddArrayToObject(form, "facts");
	return form;
}

static int read_signature(const struct fetch_answer *answer, const char *url, struct manifest *manifest, struct err *e)
{
	const struct buf *body = &answer->body;

	if (answer->status != 200) {
		v2_client_refused(body->data, body->size, answer->status, e);
		return err_set(e, e->code, "%s answered: %s", url, e->text);
	}
	cJSON *metadata = cJSON_ParseWithLength(body->data, body->size), *form = manifest_form(metadata);
	int result = manifest_from_json(manifest, form, e);
	if (result != 0)
		err_set(e, ERR_UPSTREAM, "%s is no metadata of the Open Inference Protocol: %s", url, e->text);
	cJSON_Delete(form);
	cJSON_Delete(metadata);
	return result;
}

static int get(const char *url, int timeout_ms, struct fetch_answer *answer, struct err *e)
{
	const struct fetch_request request = {
	    .url = url, .direct = true, .timeout_ms = timeout_ms, .answer_max = ANSWER_MAX};
	struct fetch *fetch = fetch_new();
	int result =
	    fetch == NULL ? err_set(e, ERR_MEMORY, "memory is out") : fetch_perform(fetch, &request, answer, e);

	fetch_free(fetch);
	return result;
}

int stress_signature(const char *url, const char *path, struct manifest *manifest, struct err *e)
{
	struct fetch_answer answer = {0};
	char whole[1024];
	size_t size = strlen(url);

	manifest_init(manifest);
	buf_init(&answer.body);
	while (size > 0 && url[size - 1] == '/')
		size--;
	snprintf(whole, sizeof whole, "%.*s%s", (int)size, url, path);
	int result = get(whole, FETCH_TIMEOUT_MS, &answer, e);
	if (result == 0)
		result = read_signature(&answer, whole, manifest, e);
	buf_release(&answer.body);
	return result;
}

/* A line of the Prometheus text format without labels: "name 3". */
double stress_gauge(const char *listen, const char *name)
{
	struct fetch_answer answer = {0};
	char url[128], line[128];
	double value = (double)NAN;

	buf_init(&answer.body);
	snprintf(url, sizeof url, "http://%.100s/metrics", listen);
	snprintf(line, sizeof line, "\n%.100s ", name);
	if (get(url, METRICS_TIMEOUT_MS, &answer, NULL) == 0 && answer.status == 200 && answer.body.data != NULL) {
		const char *found = strstr(answer.body.data, line);
		if (found != NULL)
			value = strtod(found + strlen(line), NULL);
	}
	buf_release(&answer.body);
	return value;
}

/* --- the result --- */

int stress_keep(struct client *c, const char *model, const char *report, int64_t job, int64_t *id, struct err *e)
{
	char path[160];
	cJSON *answer = NULL, *body = cJSON_CreateObject(), *json = cJSON_Parse(report);
	int result = -1;

	*id = 0;
	snprintf(path, sizeof path, "/control/v1/models/%s/tests", model);
	cJSON_AddStringToObject(body, "kind", "stress");
	cJSON_AddNumberToObject(body, "version", json_find_number(json, "version"));
	cJSON_AddBoolToObject(body, "passed", cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "passed")));
	cJSON_AddStringToObject(body, "summary", json_find_text(json, "summary"));
	if (job != 0)
		cJSON_AddNumberToObject(body, "job", (double)job);
	if (json == NULL || !cJSON_AddItemToObject(body, "report", json))
		err_set(e, ERR_MEMORY, "memory is out for the report");
	else if (client_post(c, path, body, CLIENT_TIMEOUT_MS, &answer, e) == 0)
		result = json_integer(answer, "id", 1, INT64_C(1) << 53, id, e);
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return result;
}
