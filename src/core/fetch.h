/*
 * fetch: one HTTP request and its answer, over TCP or a Unix socket.
 *
 * Owner: the caller; a struct fetch keeps its connection alive between requests and is used by one thread
 * at a time. Calls block, at most for the timeout given. The only file that knows libcurl.
 * Limit: an answer longer than answer_max is an error. Redirects are not followed.
 * Not here: JSON and the control API (client).
 */
#ifndef CORE_FETCH_H
#define CORE_FETCH_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct fetch;

struct fetch_request {
	const char *socket_path;       /* a Unix socket, or NULL for TCP */
	const char *url;	       /* "http://localhost/path" also for a Unix socket */
	const char *const *headers;    /* "Name: value" lines, ends with NULL; may be NULL */
	const void *body;	       /* NULL: a GET, unless file_path is set */
	size_t body_size;
	const char *file_path;	       /* streamed as the body of a POST */
	int timeout_ms;		       /* of the whole exchange; with file_path: of a stall */
	size_t answer_max;
	bool direct;		       /* never through a proxy of the environment */
};

struct fetch_answer {
	int status;
	struct buf body; /* the caller releases it, also after an error */
};

/* NULL when memory is out. */
struct fetch *fetch_new(void);
void fetch_free(struct fetch *f);
/* 0 for any complete answer, whatever its status. ERR_UNREACHABLE: nobody there, or too slow; ERR_DENIED: the
 * socket may not be opened; ERR_TOO_LARGE: an answer past answer_max. answer->body must be initialised; it
 * is emptied first. */
int fetch_perform(struct fetch *f, const struct fetch_request *request, struct fetch_answer *answer,
		  struct err *e);

#endif
