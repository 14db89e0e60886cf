/*
 * client: one request over the control socket, and its JSON answer.
 *
 * A client is used by one thread at a time; make one a thread. Calls block, at most for the timeout given.
 * Errors of the runtime come back with their own code and sentence; no runtime on the socket, or one that
 * does not answer in time, is ERR_UNREACHABLE.
 */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "core/err.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdio.h>

struct client;

#define CLIENT_TIMEOUT_MS 5000

/* program is told to the runtime for its audit: "console", "promote". NULL when memory is out. */
struct client *client_new(const char *socket_path, const char *program);
void client_free(struct client *c);
/* path: "/control/v1/snapshot?window_s=60". The caller owns *answer (cJSON_Delete). */
int client_get(struct client *c, const char *path, int timeout_ms, cJSON **answer, struct err *e);
int client_post(struct client *c, const char *path, const cJSON *body, int timeout_ms, cJSON **answer, struct err *e);
/* What the last call of this client was refused with, as JSON (the gates that said no, say); NULL when it was not
 * refused, or without JSON. Valid until the next call. */
const cJSON *client_refusal(const struct client *c);
/* Streams a file as the body (deploy). */
int client_upload(struct client *c, const char *path, const char *file_path, cJSON **answer, struct err *e);
/* The same of bytes in memory; there is at least one. */
int client_upload_bytes(struct client *c, const char *path, const void *data, size_t size, cJSON **answer,
			struct err *e);
/* Streams an artifact into a stream, and checks that it is the one that was asked for: ERR_SYSTEM when not. */
int client_download(struct client *c, const char *sha256, FILE *file, struct err *e);
/* Whether the runtime has an artifact: 1, 0, or -1. */
int client_has_artifact(struct client *c, const char *sha256, struct err *e);

#endif
