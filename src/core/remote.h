/*
 * remote: the artifact of a version that is a model on another server: a small JSON text that says
 * where.
 *
 * A plain value; whoever holds it owns its signature, from remote_read() or remote_init() to
 * remote_release(). Kept by its SHA-256 like every artifact, so it holds no secret: of a token only
 * the file's name. Source of the paths: Open Inference Protocol, REST. Not here: asking the server
 * (runtime/engine).
 */
#ifndef CORE_REMOTE_H
#define CORE_REMOTE_H

#include "core/buf.h"
#include "core/config.h"
#include "core/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define REMOTE_URL_SIZE 1024
/* Larger is no descriptor; a signature of MANIFEST_TENSORS_MAX tensors fits. */
#define REMOTE_DESCRIPTOR_MAX ((size_t)256 << 10)
#define REMOTE_TIMEOUT_MAX_MS 3600000
#define REMOTE_RETRIES_MAX 10

struct remote {
	char url[REMOTE_URL_SIZE];          /* "https://host/v2/models/NAME" or ".../versions/V" behind it */
	char token_file[CONFIG_PATH_SIZE];  /* absolute; "": none */
	char ca_file[CONFIG_PATH_SIZE];     /* absolute; "": the configuration's */
	int timeout_ms, connect_timeout_ms; /* 0: the configuration's */
	int retries;                        /* -1: the configuration's */
	bool free_rows;                     /* an output may have another number of rows than the inputs */
	cJSON *signature;                   /* {"inputs": [...], "outputs": [...]}, in place of what the server says;
					       or NULL */
};

/* Whether a word of a command line is meant as a URL: it has a scheme. */
bool remote_is_url(const char *text);
/* Checks a model's URL and copies it without a slash at its end. Refused: other schemes than http
 * and https, a user or password, a query or fragment, and a path that does not end with
 * /v2/models/NAME[/versions/V]. */
int remote_url_read(const char *text, char url[REMOTE_URL_SIZE], struct err *e);
/* Bytes of a checked URL down to "/v2". */
size_t remote_url_base(const char *url);

void remote_init(struct remote *r);
void remote_release(struct remote *r);
/* Whether the content is meant as a descriptor. */
bool remote_detect(const void *data, size_t size);
/* Fills r (initialised by the callee); every field is checked. ERR_INPUT names the field. */
int remote_read(const void *data, size_t size, struct remote *r, struct err *e);
/* Appends the text; the same values give the same bytes. */
int remote_write(const struct remote *r, struct buf *out, struct err *e);

#endif
