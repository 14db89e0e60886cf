/*
 * load_requests: requests made ready beforehand: whole HTTP/1.1 messages, so that sending one is a single write.
 *
 * Owner: the caller; constant once made, any thread. Limits: LOAD_BYTES_MAX of all of them. Bodies are V2 requests in
 * JSON, as most callers send them. Not here: when they are sent (load).
 */
#ifndef CORE_TEST_LOAD_REQUESTS_H
#define CORE_TEST_LOAD_REQUESTS_H

#include "core/columns.h"
#include "core/err.h"
#include "core/manifest.h"

#define LOAD_BYTES_MAX ((size_t)512 << 20)

struct load_requests {
	size_t count; /* at least 1 */
	size_t rows;  /* different ones */
	char *bytes;
	size_t *ends; /* [count]: request i ends before ends[i] */
};

/* Requests of `batch` rows each out of the rows of a text, to a path: "/v2/models/M/infer". A rest that fills no batch
 * is left out, unless there is nothing else. ERR_INPUT names line and column. */
int load_requests_make(struct load_requests *r, const struct manifest *manifest, const char *model, const char *host,
		       const char *path, const char *text, size_t size, bool json_lines, size_t batch, struct err *e);
void load_requests_release(struct load_requests *r);
/* Request i % count. */
const char *load_requests_at(const struct load_requests *r, uint64_t i, size_t *size);

#endif
