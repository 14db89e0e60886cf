#include "ui/command/deploy.h"

#include "core/buf.h"
#include "core/csv.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Rows for a baseline travel inside a JSON body. */
#define BASELINE_FILE_MAX ((size_t)32 << 20)
/* Loading a large forest and running its baseline rows takes a while. */
#define DEPLOY_TIMEOUT_MS 120000

int deploy_read_file(const char *path, size_t size_max, struct buf *b, struct err *e)
{
	FILE *file = fopen(path, "rbe");
	char chunk[65536];
	size_t got;
	int result = 0;

	if (!file)
		return err_errno(e, errno, "%s cannot be opened", path);
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0 && b->size <= size_max)
		buf_add(b, chunk, got);
	if (ferror(file))
		result = err_errno(e, errno, "%s cannot be read", path);
	else if (b->size > size_max)
		result = err_set(e, ERR_TOO_LARGE, "%s is larger than %zu KiB", path, size_max >> 10);
	else if (b->failed)
		result = err_set(e, ERR_MEMORY, "memory is out");
	else if (b->size == 0 || memchr(b->data, '\0', b->size))
		result = err_set(e, ERR_INPUT, "%s is no text", path);
	fclose(file);
	return result;
}

static int rows_file_read(const char *path, const char *fewer, struct buf *b, struct err *e)
{
	if (!path || deploy_read_file(path, BASELINE_FILE_MAX, b, e) == 0)
		return 0;
	if (e->code == ERR_TOO_LARGE)
		err_set(e, ERR_TOO_LARGE, "%s is larger than %zu MiB; %s", path, BASELINE_FILE_MAX >> 20, fewer);
	return -1;
}

static int send_bytes(struct client *client, const struct deploy_request *r, cJSON **artifact, struct err *e)
{
	static const char path[] = "/control/v1/artifacts";
	struct buf text;
	int result;

	if (!r->remote)
		return client_upload(client, path, r->file_path, artifact, e);
	buf_init(&text);
	result = remote_write(r->remote, &text, e);
	if (result == 0)
		result = client_upload_bytes(client, path, text.data, text.size, artifact, e);
	buf_release(&text);
	return result;
}

/* The digest under which the runtime has the model. */
static int upload(struct client *client, const struct deploy_request *r, char sha256[DIGEST_SIZE], struct err *e)
{
	cJSON *artifact = NULL;
	int result;

	if (r->sha256) {
		snprintf(sha256, DIGEST_SIZE, "%s", r->sha256);
		return 0;
	}
	result = send_bytes(client, r, &artifact, e);
	if (result == 0) {
		snprintf(sha256, DIGEST_SIZE, "%s", json_find_text(artifact, "sha256"));
		if (!digest_valid(sha256))
			result = err_set(e, ERR_SYSTEM, "the runtime did not say under which digest it keeps the file");
		else if (r->file_digest && strcmp(sha256, r->file_digest) != 0)
			result = err_set(e, ERR_CONFLICT,
					 "%s was changed since it was looked at: it was %.12s, and is %.12s",
					 r->file_path, r->file_digest, sha256);
	}
	cJSON_Delete(artifact);
	return result;
}

static const char *name_of(const struct deploy_request *r)
{
	const char *slash = strrchr(r->file_path, '/');

	if (r->file_name)
		return r->file_name;
	if (r->remote)
		return r->remote->url;
	return slash ? slash + 1 : r->file_path;
}

/* The names in one line of CSV: the option's own, or the header of the file that it names. */
static int features_read(const char *option, cJSON **names, struct err *e)
{
	struct buf text;
	struct csv csv;
	int result = -1;

	if (!option)
		return 0;
	buf_init(&text);
	csv_init(&csv);
	if (access(option, F_OK) != 0)
		buf_add_string(&text, option);
	else if (deploy_read_file(option, BASELINE_FILE_MAX, &text, e) != 0)
		goto out;
	*names = cJSON_CreateArray();
	if (csv_feed(&csv, text.data, text.size, true, e) != 0)
		goto out;
	if (csv_next(&csv, e) != CSV_RECORD) {
		err_set(e, ERR_INPUT, "--features takes names with commas between them, or a CSV file with a header");
		goto out;
	}
	for (size_t i = 0; i < csv.field_count; i++) {
		char name[TENSOR_NAME_SIZE];
		snprintf(name, sizeof(name), "%.*s", (int)csv.fields[i].size, csv.fields[i].data);
		cJSON_AddItemToArray(*names, cJSON_CreateString(name));
	}
	result = 0;
out:
	csv_release(&csv);
	buf_release(&text);
	return result;
}

/* A text that begins as JSON does is a baseline itself; else it is rows. */
static bool baseline_add(cJSON *body, const struct buf *baseline)
{
	cJSON *json = baseline->data[0] == '{' ? cJSON_ParseWithLength(baseline->data, baseline->size) : NULL;

	if (json)
		return cJSON_AddItemToObject(body, "baseline", json);
	return cJSON_AddStringToObject(body, "baseline_csv", baseline->data) != NULL;
}

static cJSON *body_make(const struct deploy_request *r, const char *sha256, const struct buf *baseline,
			const struct buf *samples)
{
	cJSON *body = cJSON_CreateObject();
	bool whole = cJSON_AddStringToObject(body, "sha256", sha256) &&
		     cJSON_AddStringToObject(body, "file_name", name_of(r)) &&
		     cJSON_AddBoolToObject(body, "no_live", r->no_live);

	if (whole && r->reason)
		whole = cJSON_AddStringToObject(body, "reason", r->reason) != NULL;
	if (whole && baseline->size > 0)
		whole = baseline_add(body, baseline);
	if (whole && r->expect_version > 0)
		whole = cJSON_AddNumberToObject(body, "expect_version", r->expect_version) != NULL;
	if (whole && samples->size > 0)
		whole = cJSON_AddStringToObject(body, "samples_csv", samples->data) != NULL;
	if (whole)
		return body;
	cJSON_Delete(body);
	return NULL;
}

int deploy_send(struct client *client, const struct deploy_request *r, cJSON **answer, struct err *e)
{
	cJSON *body = NULL, *names = NULL;
	char sha256[DIGEST_SIZE];
	struct buf baseline, samples;
	char path[128];
	int result = -1;

	*answer = NULL;
	buf_init(&baseline);
	buf_init(&samples);
	if (rows_file_read(r->baseline_path, "fewer rows give as good a baseline", &baseline, e) != 0 ||
	    rows_file_read(r->samples_path, "the first 64 rows are kept", &samples, e) != 0 ||
	    features_read(r->features, &names, e) != 0 || upload(client, r, sha256, e) != 0)
		goto out;
	body = body_make(r, sha256, &baseline, &samples);
	if (!body) {
		err_set(e, ERR_MEMORY, "memory is out");
		goto out;
	}
	if (names && cJSON_AddItemToObject(body, "feature_names", names))
		names = NULL;
	snprintf(path, sizeof(path), "/control/v1/models/%s/deploy", r->model);
	result = client_post(client, path, body, DEPLOY_TIMEOUT_MS, answer, e);
out:
	cJSON_Delete(names);
	cJSON_Delete(body);
	buf_release(&baseline);
	buf_release(&samples);
	return result;
}
