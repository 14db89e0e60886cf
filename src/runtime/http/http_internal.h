/*
 * http_internal: what the files of the HTTP server share. Only http.c and http_*.c include it.
 *
 * One struct exchange a request, from its header to the last byte of its answer; libmicrohttpd's
 * threads own it. A suspended request's struct http_ticket belongs to the exchange and to whoever
 * will resume it.
 */
#ifndef RUNTIME_HTTP_INTERNAL_H
#define RUNTIME_HTTP_INTERNAL_H

#include "runtime/http/http.h"

#include <pthread.h>
#include <stdatomic.h>

struct MHD_Connection;
struct MHD_Response;
struct peer;
struct acceptor;

struct http_server {
	struct http_options options;
	/* A pool has a daemon a thread, and the connections in turn; else there is one. None of them listens
	 * itself: see http_accept. */
	size_t daemon_count;
	struct MHD_Daemon **daemons;
	struct acceptor *acceptor;
	unsigned connections_max;
	atomic_uint connections; /* accepted and not closed */
	atomic_bool draining;
	atomic_uint in_flight; /* requests whose header was read and whose answer is not sent */
	atomic_size_t held;    /* bytes of bodies in memory */
	pthread_mutex_t peers_lock;
	struct peer *peers;

	pthread_mutex_t suspended_lock;
	struct exchange *suspended; /* of which each has a ticket */
	bool cutting;               /* nothing is suspended any more */
	atomic_uint waking;         /* tickets whose http_resume() may still touch this server */
	atomic_uint cut_in_flight;  /* requests that a drain cut off: no longer in in_flight */
};

/* One request on its way. */
struct exchange {
	struct http_server *server;
	struct http_request request;
	struct buf body;
	size_t held;  /* bytes of it that count in the server's sum */
	size_t taken; /* bytes of it, inflated, so far */
	struct inflater *inflater;
	struct http_sink sink;
	struct err refused;               /* code ERR_NONE while all is well */
	int status;                       /* of the refusal; 0: what the code says */
	const char *line_end;             /* of the path and query, in the buffer that was received */
	bool begun;                       /* the header is complete */
	struct http_ticket *ticket;       /* the handler suspended it */
	struct exchange *previous, *next; /* among the suspended */
	bool suspended;                   /* libmicrohttpd calls again once it is resumed */
	bool cut;
};

static inline bool http_pool(const struct http_server *s)
{
	return s->options.thread_count > 0;
}

struct exchange *exchange_of(const struct http_request *request);

/* --- http_peer: open connections and how long they may take --- */

#define PEER_FOR_EVER INT64_MAX

/* libmicrohttpd tells of connections that come and go; context is the struct http_server. */
void peer_notify(void *context, struct MHD_Connection *connection, void **peer, int started);
/* What the connection does now must end within limit_ms, however steadily it drips. */
void peer_limit(struct MHD_Connection *connection, int64_t limit_ms);

/* The same, unless less time is left. */
void peer_hurry(struct MHD_Connection *connection, int64_t limit_ms);

/* The request that is under way, or NULL: libmicrohttpd ends some connections whose header did not fit without
 * completing the request, which then ends with its peer. */
void peer_serves(struct MHD_Connection *connection, struct exchange *x);

/* --- http_check: before the body; -1 with the reason --- */

/* Of the path and query as they were sent, which it may cut. Fills x->refused, as the next one does. */
int http_check_uri(struct exchange *x, char *uri);
/* Fills x->refused, and x->status where the code does not say it. */
int http_check_header(struct exchange *x, const char *version);

/* Whether it is the name of a header, or a method. */
bool http_token_valid(const char *text, size_t size);

/* --- http_body --- */

/* Before the first byte; -1 with x->refused. */
int body_begin(struct exchange *x);
/* Whether a refused body is better read and dropped before its refusal is sent. */
bool body_droppable(const struct exchange *x);
/* Takes a piece as it was sent; what is wrong with it is in x->refused. */
void body_take(struct exchange *x, const char *data, size_t size);
/* All of it is there: fills the request. */
void body_end(struct exchange *x);
/* Gives back what it took of the server and its sink, but the bytes themselves. */
void body_leave(struct exchange *x);

/* --- http_cors --- */

/* Adds what a browser needs; methods of the path, "" where unknown. cors may be NULL. */
void cors_add(const struct config_cors *cors, const struct http_request *request, const char *methods,
	      struct MHD_Response *made);

/* Gives its place in the server back, and frees it unless whoever will call http_resume() still uses it. */
void exchange_end(struct exchange *x);
/* Frees an exchange whose place in the server was given back. */
void exchange_free(struct exchange *x);

/* --- http_accept: new connections, shared out to the daemons --- */

/* Takes listen_fd over, also when it fails. */
int acceptor_start(struct http_server *s, int listen_fd, struct err *e);
/* Shares out what the kernel has accepted already, and ends. */
void acceptor_stop(struct acceptor *a);

/* --- http_ticket: requests that are answered later --- */

enum ticket_state { TICKET_WAITING, TICKET_RESUMED, TICKET_CUT };

enum ticket_state ticket_state(const struct exchange *x);
/* Blocks until the answer is there. */
void ticket_wait(struct exchange *x);
/* Gives the answer of a resumed one away. */
void ticket_take(struct exchange *x, struct http_response *response);
/* The exchange's end of its ticket. True: whoever will call http_resume() still uses the request, which is freed
 * with the ticket. */
bool ticket_end(struct exchange *x);
/* Whether any waits for its answer. */
bool ticket_any(struct http_server *s);
/* Cuts all that wait off, and all that would; returns how many. */
unsigned ticket_cut_all(struct http_server *s);

/* --- http_answer --- */

/* Hands the answer to libmicrohttpd; takes the body over. An enum MHD_Result. */
int http_send(struct exchange *x, struct http_response *response);

#endif
