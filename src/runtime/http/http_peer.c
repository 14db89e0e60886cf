/*
 * http_peer: the open connections of a pool's server, each with the time by which it must be done
 * with what it does. libmicrohttpd's own timeout counts inactivity only, so a steady drip would
 * never end.
 */
#include "runtime/http/http_internal.h"

#include "core/clock.h"

#include <microhttpd.h>

#include <stdlib.h>
#include <sys/socket.h>

struct peer {
	struct peer *previous, *next;
	int fd;
	struct exchange *exchange; /* under way */
	_Atomic int64_t deadline_ms;
};

static void peer_add(struct http_server *s, struct peer *p)
{
	pthread_mutex_lock(&s->peers_lock);
	p->next = s->peers;
	if (p->next != NULL)
		p->next->previous = p;
	s->peers = p;
	pthread_mutex_unlock(&s->peers_lock);
}

static void peer_remove(struct http_server *s, struct peer *p)
{
	pthread_mutex_lock(&s->peers_lock);
	if (p->next != NULL)
		p->next->previous = p->previous;
	if (p->previous != NULL)
		p->previous->next = p->next;
	else
		s->peers = p->next;
	pthread_mutex_unlock(&s->peers_lock);
	free(p);
}

void peer_notify(void *context, struct MHD_Connection *connection, void **peer, int code)
{
	struct http_server *s = context;
	struct peer *p = *peer;

	if (code != MHD_CONNECTION_NOTIFY_STARTED) {
		*peer = NULL;
		if (p != NULL && p->exchange != NULL)
			exchange_end(p->exchange);
		if (p != NULL)
			peer_remove(s, p);
		atomic_fetch_sub(&s->connections, 1);
		return;
	}
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	p = info == NULL ? NULL : calloc(1, sizeof *p);
	*peer = p;
	if (p == NULL)
		return;
	p->fd = info->connect_fd;
	p->deadline_ms = clock_coarse_ms() + s->options.header_timeout_ms;
	peer_add(s, p);
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info == NULL ? NULL : info->socket_context;
}

void peer_hurry(struct MHD_Connection *connection, int64_t limit_ms)
{
	struct peer *p = peer_of(connection);
	int64_t deadline_ms = clock_coarse_ms() + limit_ms;
	if (p != NULL && deadline_ms < atomic_load_explicit(&p->deadline_ms, memory_order_relaxed))
		atomic_store_explicit(&p->deadline_ms, deadline_ms, memory_order_relaxed);
}

void peer_limit(struct MHD_Connection *connection, int64_t limit_ms)
{
	struct peer *p = peer_of(connection);
	if (p == NULL)
		return;
	int64_t deadline_ms = limit_ms == PEER_FOR_EVER ? PEER_FOR_EVER : clock_coarse_ms() + limit_ms;
	atomic_store_explicit(&p->deadline_ms, deadline_ms, memory_order_relaxed);
}

void peer_serves(struct MHD_Connection *connection, struct exchange *x)
{
	struct peer *p = peer_of(connection);
	if (p != NULL)
		p->exchange = x;
}

void http_reap(struct http_server *s)
{
	int64_t now_ms = clock_coarse_ms();

	pthread_mutex_lock(&s->peers_lock);
	for (struct peer *p = s->peers; p != NULL; p = p->next)
		if (now_ms > atomic_load_explicit(&p->deadline_ms, memory_order_relaxed))
			shutdown(p->fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->peers_lock);
}
