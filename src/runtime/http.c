#include "runtime/http.h"

#include <microhttpd.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HTTP_CONNECTIONS_MAX 8192
#define HTTP_DESCRIPTORS_KEPT 128 /* for the control plane, the database, files */
#define HTTP_DRAIN_QUIET_MS 250

struct http_server {
	struct http_options options;
	struct MHD_Daemon *daemon;
	atomic_bool draining;
	atomic_uint in_flight; /* requests whose header was read and whose answer is not sent */
	atomic_size_t held;    /* bytes of bodies in memory */
	pthread_mutex_t lock;  /* of the list */
	struct peer *peers;
};

/* One open connection of a pool's server, for http_reap(). */
struct peer {
	struct peer *previous, *next;
	int fd;
	_Atomic int64_t since_ms; /* when it began what it is doing */
	atomic_bool in_body;
};

/* One request on its way. */
struct exchange {
	struct http_server *server;
	struct http_request request;
	struct buf body;
	size_t held; /* bytes of it that count in the server's sum */
	struct http_sink sink;
	struct err refused; /* code ERR_NONE while all is well */
	int64_t started_ms;
};

static int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_query(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static void peer_read(struct MHD_Connection *connection, struct http_request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (info == NULL || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
	    peer.pid == 0)
		return;
	request->peer_uid = peer.uid;
	request->peer_pid = peer.pid;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info == NULL ? NULL : info->socket_context;
}

static void peer_mark(struct MHD_Connection *connection, bool in_body)
{
	struct peer *p = peer_of(connection);
	if (p == NULL)
		return;
	atomic_store_explicit(&p->in_body, in_body, memory_order_relaxed);
	atomic_store_explicit(&p->since_ms, clock_ms(), memory_order_relaxed);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = context;
	struct peer *p = *socket_context;
	const union MHD_ConnectionInfo *info;

	pthread_mutex_lock(&s->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		p = info == NULL ? NULL : calloc(1, sizeof *p);
		if (p != NULL) {
			p->fd = info->connect_fd;
			p->since_ms = clock_ms();
			p->next = s->peers;
			if (p->next != NULL)
				p->next->previous = p;
			s->peers = p;
		}
		*socket_context = p;
	} else if (p != NULL) {
		if (p->next != NULL)
			p->next->previous = p->previous;
		if (p->previous != NULL)
			p->previous->next = p->next;
		else
			s->peers = p->next;
		free(p);
		*socket_context = NULL;
	}
	pthread_mutex_unlock(&s->lock);
}

void http_reap(struct http_server *s)
{
	int64_t now_ms = clock_ms();

	pthread_mutex_lock(&s->lock);
	for (struct peer *p = s->peers; p != NULL; p = p->next) {
		int64_t limit_s = atomic_load(&p->in_body) ? HTTP_BODY_S : HTTP_HEADER_S;
		if (now_ms - atomic_load(&p->since_ms) > limit_s * 1000)
			shutdown(p->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&s->lock);
}

static struct MHD_Response *make_response(struct http_response *response)
{
	size_t size = response->body.size;
	char *data = buf_take(&response->body);
	struct MHD_Response *made =
		data == NULL ? MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT)
			     : MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
	if (made == NULL) {
		free(data);
		return NULL;
	}
	if (response->content_type != NULL)
		MHD_add_response_header(made, "Content-Type", response->content_type);
	if (response->allow != NULL)
		MHD_add_response_header(made, "Allow", response->allow);
	if (response->json_size > 0) {
		char number[24];
		snprintf(number, sizeof number, "%zu", response->json_size);
		MHD_add_response_header(made, "Inference-Header-Content-Length", number);
	}
	if (response->close)
		MHD_add_response_header(made, "Connection", "close");
	return made;
}

static enum MHD_Result answer(struct exchange *x, struct MHD_Connection *connection)
{
	struct http_response response = {.status = 200};

	buf_init(&response.body);
	if (x->refused.code != ERR_NONE) {
		x->server->options.refuse(&response, &x->refused);
		response.close = true;
	} else {
		x->server->options.handle(x->server->options.context, &x->request, &response);
	}
	if (response.body.failed) {
		buf_release(&response.body);
		struct err e;
		err_set(&e, ERR_MEMORY, "memory is out while answering");
		x->server->options.refuse(&response, &e);
	}
	if (atomic_load_explicit(&x->server->draining, memory_order_relaxed))
		response.close = true;

	struct MHD_Response *made = make_response(&response);
	if (made == NULL)
		return MHD_NO;
	enum MHD_Result queued = MHD_queue_response(connection, (unsigned)response.status, made);
	MHD_destroy_response(made);
	return queued;
}

/* The announced length, or 0. Malformed ones are refused by libmicrohttpd itself. */
static unsigned long long announced_size(const struct http_request *request)
{
	const char *length = http_header(request, "Content-Length");
	return length == NULL ? 0 : strtoull(length, NULL, 10);
}

static int begin_body(struct exchange *x)
{
	const struct http_options *options = &x->server->options;
	unsigned long long size = announced_size(&x->request);

	if (size > options->body_max)
		return err_set(&x->refused, ERR_TOO_LARGE,
			       "the body announces %llu bytes, the limit is %zu", size,
			       options->body_max);
	if (options->open_sink != NULL &&
	    options->open_sink(options->context, &x->request, &x->sink, &x->refused) != 0)
		return -1;
	/* Reserve at most 1 MiB on an announcement alone; more as it arrives. */
	if (x->sink.write == NULL && size > 0 &&
	    buf_reserve(&x->body, size < 1048576 ? (size_t)size : 1048576) != 0)
		return err_set(&x->refused, ERR_MEMORY, "memory is out while reading the body");
	return 0;
}

static enum MHD_Result begin(struct http_server *s, struct MHD_Connection *connection, const char *path,
			     const char *method, void **state)
{
	struct exchange *x = calloc(1, sizeof *x);
	if (x == NULL)
		return MHD_NO;
	atomic_fetch_add(&s->in_flight, 1);
	peer_mark(connection, true);
	*state = x;
	x->server = s;
	x->started_ms = clock_ms();
	x->request = (struct http_request){.method = method,
					   .path = path,
					   .body = "",
					   .peer_uid = UINT32_MAX,
					   .connection = connection};
	if (s->options.thread_count == 0)
		peer_read(connection, &x->request);
	/* A refusal now, before the body, spares the client sending it. */
	if (begin_body(x) != 0)
		return answer(x, connection);
	return MHD_YES;
}

static enum MHD_Result take_body(struct exchange *x, const char *data, size_t size)
{
	struct err *e = &x->refused;

	if (clock_ms() - x->started_ms > HTTP_BODY_S * 1000 && x->sink.write == NULL)
		return MHD_NO;
	if (e->code != ERR_NONE)
		return MHD_YES; /* drop the rest; the answer follows at the end */
	if (x->sink.write != NULL) {
		x->sink.write(x->sink.state, data, size, e);
		return MHD_YES;
	}
	if (x->body.size + size > x->server->options.body_max) {
		err_set(e, ERR_TOO_LARGE, "the body is larger than the limit of %zu bytes",
			x->server->options.body_max);
		buf_release(&x->body);
		return MHD_YES;
	}
	if (atomic_fetch_add(&x->server->held, size) + size > HTTP_BODIES_MAX) {
		atomic_fetch_sub(&x->server->held, size);
		err_set(e, ERR_MEMORY, "too many large bodies arrive at once; try again");
		return MHD_YES;
	}
	x->held += size;
	buf_add(&x->body, data, size);
	if (x->body.failed)
		err_set(e, ERR_MEMORY, "memory is out while reading the body");
	return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *data, size_t *size,
				  void **state)
{
	(void)version;
	if (*state == NULL)
		return begin(context, connection, path, method, state);

	struct exchange *x = *state;
	if (*size > 0) {
		size_t taken = *size;
		*size = 0;
		return take_body(x, data, taken);
	}
	if (x->body.data != NULL) {
		x->request.body = x->body.data;
		x->request.body_size = x->body.size;
	}
	return answer(x, connection);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	(void)code;
	struct http_server *s = context;
	struct exchange *x = *state;
	if (x == NULL)
		return;
	peer_mark(connection, false);
	atomic_fetch_sub(&s->held, x->held);
	if (x->sink.end != NULL)
		x->sink.end(x->sink.state);
	buf_release(&x->body);
	free(x);
	*state = NULL;
	atomic_fetch_sub(&s->in_flight, 1);
}

void *http_sink_state(const struct http_request *request)
{
	const struct exchange *x =
		(const struct exchange *)((const char *)request - offsetof(struct exchange, request));
	return x->sink.state;
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
	return limit.rlim_cur <= 2 * HTTP_DESCRIPTORS_KEPT
		       ? (unsigned)limit.rlim_cur / 2
		       : (unsigned)limit.rlim_cur - HTTP_DESCRIPTORS_KEPT;
}

int http_start(const struct http_options *options, struct http_server **result, struct err *e)
{
	struct http_server *s = calloc(1, sizeof *s);
	if (s == NULL) {
		close(options->listen_fd);
		return err_set(e, ERR_MEMORY, "memory is out while starting the HTTP server");
	}
	s->options = *options;
	pthread_mutex_init(&s->lock, NULL);

	bool pool = options->thread_count > 0;
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG | MHD_USE_ITC;
	flags |= pool ? MHD_USE_EPOLL | MHD_USE_TURBO
		      : MHD_USE_POLL | MHD_USE_THREAD_PER_CONNECTION;
	struct MHD_OptionItem items[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_nothing, NULL},
		{MHD_OPTION_LISTEN_SOCKET, options->listen_fd, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEADER_MAX, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_S, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, pool ? connections_max() : 64, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
		{pool ? MHD_OPTION_NOTIFY_CONNECTION : MHD_OPTION_NOTIFY_COMPLETED,
		 pool ? (intptr_t)on_connection : (intptr_t)on_completed, s},
		{pool && options->thread_count > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
		 options->thread_count, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_ARRAY, items,
				     MHD_OPTION_END);
	if (s->daemon == NULL) {
		close(options->listen_fd);
		free(s);
		return err_set(e, ERR_SYSTEM, "the HTTP server could not start");
	}
	*result = s;
	return 0;
}

static unsigned open_connections(struct http_server *s)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
	return info == NULL ? 0 : info->num_connections;
}

/* Hands connections that the kernel accepted, and nobody took yet, to the server. */
static void take_backlog(struct http_server *s, int listen_fd)
{
	for (;;) {
		struct sockaddr_storage address;
		socklen_t size = sizeof address;
		int fd = accept4(listen_fd, (struct sockaddr *)&address, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && errno == EINTR)
			continue;
		if (fd < 0)
			return;
		if (MHD_add_connection(s->daemon, fd, (struct sockaddr *)&address, size) != MHD_YES)
			return;
	}
}

unsigned http_drain(struct http_server *s, int deadline_ms)
{
	int64_t end_ms = clock_ms() + deadline_ms, quiet_since_ms = clock_ms();

	atomic_store(&s->draining, true);
	int listen_fd = MHD_quiesce_daemon(s->daemon);
	if (listen_fd >= 0) {
		take_backlog(s, listen_fd);
		close(listen_fd);
	}
	/* Connections that answer with `close` go away by themselves; idle ones get a moment of quiet. */
	while (clock_ms() < end_ms && open_connections(s) > 0) {
		if (atomic_load(&s->in_flight) > 0)
			quiet_since_ms = clock_ms();
		if (clock_ms() - quiet_since_ms > HTTP_DRAIN_QUIET_MS)
			break;
		const struct timespec pause = {.tv_nsec = 2000000};
		nanosleep(&pause, NULL);
	}
	unsigned cut = atomic_load(&s->in_flight);
	MHD_stop_daemon(s->daemon);
	free(s);
	return cut;
}
