/*
 * fetch: one HTTP request and its answer, over TCP or a Unix socket.
 *
 * Owner: the caller; a struct fetch keeps its connection alive between requests and is used by one thread
 * at a time. Calls block, at most for the timeout given. Only fetch*.c know libcurl.
 * Limit: an answer longer than answer_max is an error. Redirects are not followed. A server's certificate and
 * its name are always verified.
 * Not here: answers that come later (fetch_pool), JSON and the control API (client).
 */
#ifndef CORE_FETCH_H
#define CORE_FETCH_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct fetch;

struct fetch_request {
	const char *socket_path;    /* a Unix socket, or NULL for TCP */
	const char *url;            /* "http://localhost/path" also for a Unix socket */
	const char *const *headers; /* "Name: value" lines, ends with NULL; may be NULL */
	const void *body;           /* NULL: a GET, unless file_path is set */
	size_t body_size;
	const char *file_path;  /* streamed as the body of a POST */
	int timeout_ms;         /* of the whole exchange; with file_path: of a stall */
	int connect_timeout_ms; /* until there is a connection; 0: timeout_ms alone counts */
	size_t answer_max;
	bool direct;         /* never through a proxy of the environment */
	const char *ca_file; /* PEM of who is trusted instead of the system's authorities, or NULL */
	bool http2;          /* where a server offers it over TLS; needs a fetch_pool to be of use */
	bool keep_headers;   /* for fetch_header() */
	bool head;           /* a HEAD: the status alone */
	/* Takes the body of an answer 200 as it comes, instead of answer->body; then timeout_ms is of a stall and
	 * answer_max counts for other answers only. -1 ends the exchange: the reason is the callee's to keep. NULL:
	 * none. */
	int (*write)(void *context, const void *data, size_t size);
	void *write_context;
};

/* Why there is no answer. */
enum fetch_fault {
	FETCH_NONE,        /* there is one */
	FETCH_UNCONNECTED, /* no connection came about: nothing was sent */
	FETCH_UNTRUSTED,   /* TLS failed, or the certificate is not to be trusted: nothing was sent */
	FETCH_TIMEOUT,
	FETCH_BROKEN, /* reset, ended too early, or no HTTP */
	FETCH_TOO_LARGE,
	FETCH_CANCELLED,
	FETCH_LOCAL, /* memory, a file: nothing of the server's */
};

struct fetch_answer {
	int status;
	enum fetch_fault fault;
	bool reused;        /* an earlier request's connection was used */
	struct buf body;    /* the caller releases it, also after an error */
	struct buf headers; /* with keep_headers: initialised and released by the caller too */
};

/* NULL when memory is out. */
struct fetch *fetch_new(void);
void fetch_free(struct fetch *f);
/* 0 for any complete answer, whatever its status. ERR_UNREACHABLE: nobody there, or too slow; ERR_DENIED: the
 * socket may not be opened; ERR_TOO_LARGE: an answer past answer_max. answer->body must be initialised; it
 * is emptied first. */
int fetch_perform(struct fetch *f, const struct fetch_request *request, struct fetch_answer *answer, struct err *e);
/* The value of a header of the answer (the last of that name, white space around it cut) into text; false where
 * there is none or it does not fit. */
bool fetch_header(const struct fetch_answer *answer, const char *name, char *text, size_t size);

#endif
