#include "core/client.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/fetch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A snapshot of a thousand models with all their bins stays far below this. */
#define ANSWER_MAX ((size_t)256 << 20)
#define UPLOAD_STALL_MS 120000

#define TYPE_JSON "Content-Type: application/json"
#define TYPE_BYTES "Content-Type: application/octet-stream"

struct client {
	struct fetch *fetch;
	char *socket_path;
	char program[64];
	cJSON *refusal; /* of the last call */
};

struct client *client_new(const char *socket_path, const char *program)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fetch = fetch_new();
	c->socket_path = strdup(socket_path);
	if (!c->fetch || !c->socket_path) {
		client_free(c);
		return NULL;
	}
	snprintf(c->program, sizeof(c->program), "%s", program ? program : "mldeck");
	return c;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	fetch_free(c->fetch);
	cJSON_Delete(c->refusal);
	free(c->socket_path);
	free(c);
}

const cJSON *client_refusal(const struct client *c)
{
	return c->refusal;
}

/* The runtime's own code and sentence. */
static int refused(const struct fetch_answer *answer, const cJSON *json, struct err *e)
{
	const char *sentence = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "error"));
	const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "code"));

	if (!sentence)
		return err_set(e, ERR_SYSTEM, "the runtime refused with HTTP status %d and no reason", answer->status);
	return err_set(e, code ? err_by_name(code) : ERR_SYSTEM, "%s", sentence);
}

static void unreachable(struct err *e)
{
	char text[ERR_TEXT_SIZE];

	snprintf(text, sizeof(text), "%s", e->text);
	err_set(e, ERR_UNREACHABLE,
		"%s; start a runtime with `mldeck serve`, or name its --socket or "
		"--state",
		text);
}

/* Any answer, whatever its status; got is initialised. */
static int ask(struct client *c, struct fetch_request *r, const char *path, const char *type, struct fetch_answer *got,
	       struct err *e)
{
	struct buf url;
	char program[128];
	const char *headers[] = {program, type, NULL};
	int result = -1;

	cJSON_Delete(c->refusal);
	c->refusal = NULL;
	buf_init(&url);
	buf_format(&url, "http://localhost%s", path);
	snprintf(program, sizeof(program), "Mldeck-Client: %s", c->program);
	if (url.failed) {
		err_set(e, ERR_MEMORY, "memory is out");
		goto out;
	}
	r->socket_path = c->socket_path;
	r->url = url.data;
	r->headers = headers;
	r->answer_max = ANSWER_MAX;
	result = fetch_perform(c->fetch, r, got, e);
	if (result != 0 && e && e->code == ERR_UNREACHABLE)
		unreachable(e);
out:
	buf_release(&url);
	return result;
}

static int exchange(struct client *c, struct fetch_request *r, const char *path, const char *type, cJSON **answer,
		    struct err *e)
{
	struct fetch_answer got = {0};
	cJSON *json = NULL;
	int result = -1;

	*answer = NULL;
	cJSON_Delete(c->refusal);
	c->refusal = NULL;
	buf_init(&got.body);
	if (ask(c, r, path, type, &got, e) != 0)
		goto out;
	json = cJSON_ParseWithLength(got.body.data ? got.body.data : "", got.body.size);
	if (got.status < 200 || got.status > 299)
		refused(&got, json, e);
	else if (!json)
		err_set(e, ERR_SYSTEM, "the runtime on %s answered with something that is not JSON", c->socket_path);
	else
		result = 0;
out:
	if (result == 0)
		*answer = json;
	else
		c->refusal = json;
	buf_release(&got.body);
	return result;
}

int client_get(struct client *c, const char *path, int timeout_ms, cJSON **answer, struct err *e)
{
	struct fetch_request r = {.timeout_ms = timeout_ms};

	return exchange(c, &r, path, TYPE_JSON, answer, e);
}

int client_post(struct client *c, const char *path, const cJSON *body, int timeout_ms, cJSON **answer, struct err *e)
{
	char *text = cJSON_PrintUnformatted(body);
	struct fetch_request r = {.timeout_ms = timeout_ms};
	int result;

	*answer = NULL;
	if (!text)
		return err_set(e, ERR_MEMORY, "memory is out");
	r.body = text;
	r.body_size = strlen(text);
	result = exchange(c, &r, path, TYPE_JSON, answer, e);
	cJSON_free(text);
	return result;
}

int client_upload(struct client *c, const char *path, const char *file_path, cJSON **answer, struct err *e)
{
	struct fetch_request r = {.timeout_ms = UPLOAD_STALL_MS, .file_path = file_path};

	return exchange(c, &r, path, TYPE_BYTES, answer, e);
}

int client_upload_bytes(struct client *c, const char *path, const void *data, size_t size, cJSON **answer,
			struct err *e)
{
	struct fetch_request r = {.timeout_ms = UPLOAD_STALL_MS, .body = data, .body_size = size};

	return exchange(c, &r, path, TYPE_BYTES, answer, e);
}

/* --- artifacts --- */

struct download {
	FILE *file;
	struct digest *digest;
	struct err *e;
	bool failed; /* e is set */
};

static int download_write(void *context, const void *data, size_t size)
{
	struct download *d = context;

	if (digest_add(d->digest, data, size, d->e) != 0)
		d->failed = true;
	else if (fwrite(data, 1, size, d->file) != size)
		d->failed = err_errno(d->e, errno, "the model file could not be written") != 0;
	return d->failed ? -1 : 0;
}

/* The status is known; the bytes must be those that were asked for. */
static int download_check(const struct fetch_answer *got, struct download *d, const char *sha256, struct err *e)
{
	char now[DIGEST_SIZE];
	cJSON *json = NULL;

	if (got->status != 200) {
		json = cJSON_ParseWithLength(got->body.data ? got->body.data : "", got->body.size);
		refused(got, json, e);
		cJSON_Delete(json);
		return -1;
	}
	if (digest_end(d->digest, now, e) != 0)
		return -1;
	if (strcmp(now, sha256) != 0)
		return err_set(
		    e, ERR_SYSTEM,
		    "the stored model file %.12s was altered on disk: the bytes that came have the SHA-256 %.12s",
		    sha256, now);
	return fflush(d->file) == 0 ? 0 : err_errno(e, errno, "the model file could not be written");
}

int client_download(struct client *c, const char *sha256, FILE *file, struct err *e)
{
	struct err own;
	struct download d = {.file = file, .digest = digest_new(e), .e = &own};
	struct fetch_request r = {.timeout_ms = UPLOAD_STALL_MS, .write = download_write, .write_context = &d};
	struct fetch_answer got = {0};
	char path[128];
	int result = -1;

	buf_init(&got.body);
	snprintf(path, sizeof(path), "/control/v1/artifacts/%.64s", sha256);
	if (!d.digest)
		goto out;
	result = ask(c, &r, path, TYPE_BYTES, &got, e);
	if (d.failed)
		result = err_set(e, own.code, "%s", own.text);
	else if (result == 0)
		result = download_check(&got, &d, sha256, e);
out:
	digest_free(d.digest);
	buf_release(&got.body);
	return result;
}

int client_has_artifact(struct client *c, const char *sha256, struct err *e)
{
	struct fetch_request r = {.timeout_ms = CLIENT_TIMEOUT_MS, .head = true};
	struct fetch_answer got = {0};
	char path[128];
	int result;

	buf_init(&got.body);
	snprintf(path, sizeof(path), "/control/v1/artifacts/%.64s", sha256);
	result = ask(c, &r, path, TYPE_BYTES, &got, e);
	buf_release(&got.body);
	if (result != 0)
		return -1;
	if (got.status != 200 && got.status != 404)
		return err_set(e, ERR_SYSTEM, "the runtime answered a question for an artifact with HTTP status %d",
			       got.status);
	return got.status == 200;
}
