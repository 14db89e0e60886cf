/*
 * http: an HTTP server on a listening socket: whole requests in, whole answers out.
 *
 * Owner: the server. The handler runs on the server's own threads (an epoll pool, or a thread a connection)
 * with a request whose body is complete. It answers before it returns, or suspends the request and has it
 * resumed. Bodies are inflated, and answers deflated, as the headers ask; CORS is added. Only http.c and http_*.c
 * include libmicrohttpd.
 * Limits: the header (HTTP_HEADER_MAX), the body (body_max), idle connections and the time that a header or a
 * body may take; beyond them the answer is 413 or 431, or the connection is closed.
 * Not here: what paths mean.
 */
#ifndef RUNTIME_HTTP_H
#define RUNTIME_HTTP_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEADER_MAX 32768
#define HTTP_IDLE_S 75
#define HTTP_ANSWER_MS 120000
#define HTTP_BODIES_MAX ((size_t)512 << 20) /* bytes of unfinished bodies together */
#define HTTP_SEGMENTS_MAX 8

#define HTTP_RESPONSE_HEADERS_MAX 4

struct config_cors;
struct http_server;
struct http_ticket;

/* Constant, and valid until the handler returns; of a suspended request, until http_resume(). */
struct http_request {
	const char *method; /* "GET" */
	const char *path;   /* decoded */
	const char *body;   /* NUL-terminated behind its last byte; "" when there is none */
	size_t body_size;
	uint32_t peer_uid; /* Unix socket: from the kernel; UINT32_MAX on TCP */
	int32_t peer_pid;  /* the same; 0 on TCP */
	void *connection;  /* private */
};

/* An extra line of an answer's header. */
struct http_header {
	char name[48];
	char value[144];
};

struct http_response {
	int status;
	const char *content_type; /* NULL: no body */
	struct buf body;          /* taken over */
	bool from_file; /* the body is file_size bytes of file_fd instead, which is taken over: never compressed */
	int file_fd;
	uint64_t file_size;
	size_t json_size; /* not 0: sent as Inference-Header-Content-Length */
	/* Compressed for clients that accept it. Clients of V2 undo that for predictions, but not for errors or
	 * facts about models, although they say that they accept it. */
	bool compressible;
	char allow[64]; /* the path's methods, "GET, HEAD"; "": not said */
	bool close;
	size_t header_count;
	struct http_header headers[HTTP_RESPONSE_HEADERS_MAX]; /* see http_add_header() */
};

/* Adds a line to the answer's header; one too many is left out, a long value cut. */
void http_add_header(struct http_response *response, const char *name, const char *value);

/* A header of the request (any case), or a query argument; NULL when it is not there. */
const char *http_header(const struct http_request *request, const char *name);
const char *http_query(const struct http_request *request, const char *name);

/* Query arguments in order, value NULL for a bare name; `each` returns false to stop. Whether none
 * did. */
bool http_query_each(const struct http_request *request,
		     bool (*each)(void *context, const char *name, const char *value), void *context);

/* --- answering later --- */

/* The handler calls this once and returns without an answer; no server thread is held meanwhile
 * (but in a server with a thread a connection, whose thread waits). The request and its body stay
 * valid until http_resume(). NULL when memory is out: the handler just returns, and the answer is
 * 503. */
struct http_ticket *http_suspend(const struct http_request *request);
/* Answers a suspended request. Any thread, exactly once, even before the handler has returned, and
 * also after the request was cut off by a drain or its client hung up. Takes the body over, frees
 * the ticket. */
void http_resume(struct http_ticket *ticket, struct http_response *response);

/* Takes a body as it arrives, instead of gathering it in memory (uploads). */
struct http_sink {
	void *state;
	int (*write)(void *state, const void *data, size_t size, struct err *e);
	/* Always called once, after the handler or when the client went away. */
	void (*end)(void *state);
};

struct http_options {
	int listen_fd;         /* listening; taken over */
	unsigned thread_count; /* 0: a thread a connection (handlers may block) */
	size_t body_max;       /* of a body, also inflated */
	/* How long a header, and a body, may take, however steadily they drip; of a pool's server.
	 */
	int header_timeout_ms, body_timeout_ms;
	int answer_timeout_ms;          /* how long the client may take to read an answer, and again for each 4 MiB */
	const struct config_cors *cors; /* lives as long as the server; NULL: none */
	void *context;
	void (*handle)(void *context, const struct http_request *request, struct http_response *response);
	/* NULL, or: opens a sink for this request; sink->write stays NULL for an ordinary one. */
	int (*open_sink)(void *context, const struct http_request *request, struct http_sink *sink, struct err *e);
	/* NULL, or: called once by a drain whose deadline has passed: whatever is suspended should be resumed as soon
	 * as can be. It gets HTTP_DRAIN_REFUSE_MS for that, then it is answered 503. */
	void (*cut)(void *context);
	/* How a refusal that never reaches the handler is written (413, memory). */
	void (*refuse)(struct http_response *response, const struct err *e);
};

int http_start(const struct http_options *options, struct http_server **result, struct err *e);
/* The sink's state of the request that a handler is working on, or NULL. */
void *http_sink_state(const struct http_request *request);
/* A few times in the shortest timeout: closes connections that have been sending a header, or a
 * body, for too long, however steadily they drip. Only for a pool's server. */
void http_reap(struct http_server *s);
/* Stops accepting, lets every accepted connection finish its request (connections that stay idle
 * are closed), at most deadline_ms; then ends and frees the server. Suspended requests that are
 * left at the deadline are answered 503. Returns the requests that were cut off. */
unsigned http_drain(struct http_server *s, int deadline_ms);

/* --- one table of routes serves, answers 405, and describes --- */

struct http_segments {
	size_t count;
	char values[HTTP_SEGMENTS_MAX][128]; /* what {} in the pattern stood for */
};

typedef void http_handler(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response);

struct http_route {
	const char *method;
	const char *pattern; /* "/v2/models/{}/infer"; {} takes a segment, or its part before a colon */
	http_handler *handle;
	const char *summary;
};

/* Calls the route of the method with the first pattern that fits; else answers 404 or 405 through refuse. */
void http_dispatch(const struct http_route *routes, size_t count, void *context, const struct http_request *request,
		   struct http_response *response, void (*refuse)(struct http_response *response, const struct err *e));

#endif
