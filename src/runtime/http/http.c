/*
 * http: the server on libmicrohttpd: a request from its header to its handler, and the drain.
 */
#include "runtime/http/http_internal.h"

#include "core/clock.h"

#include <microhttpd.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTP_CONNECTIONS_MAX 8192
#define HTTP_DESCRIPTORS_KEPT 128 /* for the control plane, the database, files */
#define HTTP_CONTROL_CONNECTIONS_MAX 64
#define HTTP_DRAIN_STEP_MS 2
#define HTTP_DRAIN_QUIET_MS 250
#define HTTP_DRAIN_REFUSE_MS 1000 /* to send the refusals of what was suspended */

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_query(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct each_argument {
	bool (*each)(void *context, const char *name, const char *value);
	void *context;
	bool stopped;
};

static enum MHD_Result on_argument(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct each_argument *walk = context;
	(void)kind;
	walk->stopped = !walk->each(walk->context, name, value);
	return walk->stopped ? MHD_NO : MHD_YES;
}

bool http_query_each(const struct http_request *request,
		     bool (*each)(void *context, const char *name, const char *value), void *context)
{
	struct each_argument walk = {.each = each, .context = context};
	MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, on_argument, &walk);
	return !walk.stopped;
}

static void peer_read(struct MHD_Connection *connection, struct http_request *request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (info == NULL || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid == 0)
		return;
	request->peer_uid = peer.uid;
	request->peer_pid = peer.pid;
}

static enum MHD_Result refuse(struct exchange *x)
{
	struct http_response response = {.status = 500, .close = true};
	x->server->options.refuse(&response, &x->refused);
	if (x->status != 0)
		response.status = x->status;
	return (enum MHD_Result)http_send(x, &response);
}

/* Answers what was suspended, once it is resumed or cut off. */
static enum MHD_Result answer_suspended(struct exchange *x)
{
	struct http_response response;
	switch (ticket_state(x)) {
	case TICKET_WAITING:
		return MHD_YES;
	case TICKET_CUT:
		err_set(&x->refused, ERR_UNREACHABLE, "the server ended before the prediction was done");
		return refuse(x);
	case TICKET_RESUMED:
		ticket_take(x, &response);
		return (enum MHD_Result)http_send(x, &response);
	}
	return MHD_NO;
}

static enum MHD_Result answer(struct exchange *x)
{
	if (x->refused.code != ERR_NONE)
		return refuse(x);

	struct http_response response = {.status = 200};
	x->server->options.handle(x->server->options.context, &x->request, &response);
	if (x->ticket != NULL) {
		buf_release(&response.body);
		if (x->suspended)
			return MHD_YES;
		ticket_wait(x);
		return answer_suspended(x);
	}
	if (x->refused.code != ERR_NONE) {
		buf_release(&response.body);
		return refuse(x);
	}
	return (enum MHD_Result)http_send(x, &response);
}

/* The request line is there: libmicrohttpd takes what this returns as the request's state. */
static void *on_line(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct http_server *s = context;
	struct exchange *x = calloc(1, sizeof *x);
	if (x == NULL)
		return NULL;
	peer_hurry(connection, s->options.header_timeout_ms);
	x->server = s;
	x->request = (struct http_request){.body = "", .peer_uid = UINT32_MAX, .connection = connection};
	x->line_end = uri + strlen(uri);
	http_check_uri(x, (char *)(uintptr_t)uri);
	peer_serves(connection, x);
	return x;
}

/* A proxy may ask for http://host/path; the host is of no matter here. */
static const char *without_authority(const char *path)
{
	if (strncasecmp(path, "http://", 7) != 0)
		return path;
	path = strchr(path + 7, '/');
	return path == NULL ? "/" : path;
}

/* The header is complete. A refusal now, before the body, spares the client sending it; but a client that sends
 * it without asking would find the connection reset, so a body of a sensible size is dropped first. */
static enum MHD_Result begin(struct exchange *x, const char *path, const char *method, const char *version)
{
	struct http_server *s = x->server;

	x->begun = true;
	atomic_fetch_add(&s->in_flight, 1);
	peer_limit(x->request.connection, s->options.body_timeout_ms);
	x->request.method = method;
	x->request.path = without_authority(path);
	if (s->options.thread_count == 0)
		peer_read(x->request.connection, &x->request);
	if (x->refused.code != ERR_NONE || http_check_header(x, version) != 0)
		return refuse(x);
	return body_begin(x) == 0 || body_droppable(x) ? MHD_YES : refuse(x);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *data, size_t *size, void **state)
{
	(void)context;
	(void)connection;
	struct exchange *x = *state;
	if (x == NULL)
		return MHD_NO; /* memory was out */
	if (!x->begun)
		return begin(x, path, method, version);
	if (*size > 0) {
		size_t taken = *size;
		*size = 0;
		body_take(x, data, taken);
		return MHD_YES;
	}
	if (x->ticket != NULL)
		return answer_suspended(x);
	body_end(x);
	return answer(x);
}

void exchange_end(struct exchange *x)
{
	struct http_server *s = x->server;
	bool begun = x->begun;
	atomic_uint *count = x->cut ? &s->cut_in_flight : &s->in_flight;

	body_leave(x);
	if (!ticket_end(x))
		exchange_free(x);
	if (begun)
		atomic_fetch_sub(count, 1);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	(void)context;
	(void)code;
	struct exchange *x = *state;
	if (x == NULL)
		return;
	peer_limit(connection, HTTP_IDLE_S * 1000);
	peer_serves(connection, NULL);
	*state = NULL;
	exchange_end(x);
}

struct exchange *exchange_of(const struct http_request *request)
{
	return (struct exchange *)((char *)(uintptr_t)request - offsetof(struct exchange, request));
}

void exchange_free(struct exchange *x)
{
	buf_release(&x->body);
	free(x);
}

void *http_sink_state(const struct http_request *request)
{
	return exchange_of(request)->sink.state;
}

static void log_nothing(void *context, const char *format, va_list arguments)
{
	/* libmicrohttpd reports every client that hangs up; that is no news. */
	(void)context;
	(void)format;
	(void)arguments;
}

/* Leaves descriptors for everything that is not a connection. */
static unsigned connections_max(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur >= HTTP_CONNECTIONS_MAX + HTTP_DESCRIPTORS_KEPT)
		return HTTP_CONNECTIONS_MAX;
	return limit.rlim_cur <= 2 * HTTP_DESCRIPTORS_KEPT ? (unsigned)limit.rlim_cur / 2
							   : (unsigned)limit.rlim_cur - HTTP_DESCRIPTORS_KEPT;
}

static struct MHD_Daemon *start_daemon(struct http_server *s)
{
	bool pool = http_pool(s);
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET;
	flags |= pool ? MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME
		      : MHD_USE_POLL | MHD_USE_THREAD_PER_CONNECTION;
	struct MHD_OptionItem items[] = {
	    {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_nothing, NULL},
	    {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEADER_MAX, NULL},
	    {MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_S, NULL},
	    {MHD_OPTION_CONNECTION_LIMIT, s->connections_max, NULL},
	    {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
	    {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_line, s},
	    {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
	    {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)peer_notify, s},
	    {MHD_OPTION_END, 0, NULL},
	};
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

static int start_daemons(struct http_server *s, struct err *e)
{
	size_t count = http_pool(s) ? s->options.thread_count : 1;

	s->connections_max = http_pool(s) ? connections_max() : HTTP_CONTROL_CONNECTIONS_MAX;
	s->daemons = calloc(count, sizeof(struct MHD_Daemon *));
	if (s->daemons == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while starting the HTTP server");
	while (s->daemon_count < count) {
		s->daemons[s->daemon_count] = start_daemon(s);
		if (s->daemons[s->daemon_count] == NULL)
			return err_set(e, ERR_SYSTEM, "the HTTP server could not start");
		s->daemon_count++;
	}
	return 0;
}

static void stop(struct http_server *s)
{
	for (size_t i = 0; i < s->daemon_count; i++)
		MHD_stop_daemon(s->daemons[i]);
	free(s->daemons);
	pthread_mutex_destroy(&s->peers_lock);
	pthread_mutex_destroy(&s->suspended_lock);
	free(s);
}

int http_start(const struct http_options *options, struct http_server **result, struct err *e)
{
	struct http_server *s = calloc(1, sizeof *s);
	if (s == NULL) {
		close(options->listen_fd);
		return err_set(e, ERR_MEMORY, "memory is out while starting the HTTP server");
	}
	s->options = *options;
	pthread_mutex_init(&s->peers_lock, NULL);
	pthread_mutex_init(&s->suspended_lock, NULL);
	if (start_daemons(s, e) != 0) {
		close(options->listen_fd);
		stop(s);
		return -1;
	}
	if (acceptor_start(s, options->listen_fd, e) != 0) {
		stop(s);
		return -1;
	}
	*result = s;
	return 0;
}

/* Answers whatever is still suspended: libmicrohttpd must not be stopped with suspended
 * connections. Returns the requests that get no answer of their own. */
static unsigned cut_off(struct http_server *s)
{
	int64_t end_ms = clock_coarse_ms() + HTTP_DRAIN_REFUSE_MS;

	if (s->options.cut != NULL && ticket_any(s)) {
		s->options.cut(s->options.context);
		while (ticket_any(s) && clock_coarse_ms() < end_ms)
			clock_pause_ms(HTTP_DRAIN_STEP_MS);
	}
	unsigned suspended = ticket_cut_all(s);
	end_ms = clock_coarse_ms() + HTTP_DRAIN_REFUSE_MS;

	while (atomic_load(&s->waking) > 0 || (atomic_load(&s->cut_in_flight) > 0 && clock_coarse_ms() < end_ms))
		clock_pause_ms(HTTP_DRAIN_STEP_MS);
	return suspended + atomic_load(&s->in_flight);
}

unsigned http_drain(struct http_server *s, int deadline_ms)
{
	int64_t end_ms = clock_coarse_ms() + deadline_ms, quiet_since_ms = clock_coarse_ms();

	atomic_store(&s->draining, true);
	acceptor_stop(s->acceptor);
	/* Connections that answer with `close` go away by themselves; idle ones get a moment of
	 * quiet. */
	while (clock_coarse_ms() < end_ms && atomic_load(&s->connections) > 0) {
		if (atomic_load(&s->in_flight) > 0)
			quiet_since_ms = clock_coarse_ms();
		if (clock_coarse_ms() - quiet_since_ms > HTTP_DRAIN_QUIET_MS)
			break;
		clock_pause_ms(HTTP_DRAIN_STEP_MS);
	}
	unsigned cut = cut_off(s);
	stop(s);
	return cut;
}
