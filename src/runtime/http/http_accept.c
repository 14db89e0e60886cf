/*
 * http_accept: one thread accepts connections and shares them out to the server's daemons in turn.
 *
 * libmicrohttpd can listen by itself, but taking the listening socket back from its pool, so that a drain loses no
 * connection, races with the pool's threads: it ends the process when both sides remove the socket from the same epoll
 * set (0.9.75, seen about once in 1,400 drains).
 */
#include "runtime/http/http_internal.h"

#include "core/clock.h"

#include <microhttpd.h>

#include <errno.h>
#ifdef __linux__
#include <linux/filter.h>
#endif
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP_MS 10
/* Of a drain: in all, and for handshakes under way to end. */
#define LAST_TRIES 100
#define HANDSHAKE_TRIES 2

struct acceptor {
	struct http_server *server;
	int listen_fd, stop_fd;
	size_t next; /* daemon */
	pthread_t thread;
};

/* Takes what has come until nothing is left; false where there is no room for more now. */
static bool accept_all(struct acceptor *a)
{
	struct http_server *s = a->server;

	for (;;) {
		struct sockaddr_storage address;
		socklen_t size = sizeof address;
		if (atomic_load(&s->connections) >= s->connections_max)
			return false;
		int fd = accept4(a->listen_fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
			return false;
		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (fd < 0)
			continue;                     /* the client went away before it was accepted, or a signal */
		atomic_fetch_add(&s->connections, 1); /* until peer_notify() */
		if (MHD_add_connection(s->daemons[a->next], fd, (struct sockaddr *)&address, size) != MHD_YES)
			atomic_fetch_sub(&s->connections, 1);
		a->next = (a->next + 1) % s->daemon_count;
	}
}

/* From here on the kernel begins no further connection: what came between our last accept and the close would be
 * reset. Its client asks again, and finds nobody. The filter sees a packet from its TCP header on: what has SYN among
 * its flags is dropped, so that handshakes under way can end. Where the system cannot do that, the gap is short. */
static void refuse_new(int listen_fd)
{
#ifdef SO_ATTACH_FILTER
	struct sock_filter drop_syn[] = {
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), /* the flags */
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {sizeof drop_syn / sizeof *drop_syn, drop_syn};
	setsockopt(listen_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
#else
	(void)listen_fd;
#endif
}

/* What the kernel has completed, and what it completes in a moment. */
static void accept_last(struct acceptor *a)
{
	refuse_new(a->listen_fd);
	for (int i = 0; i < LAST_TRIES; i++) {
		bool room = accept_all(a);
		if (room && i >= HANDSHAKE_TRIES)
			break;
		clock_pause_ms(STEP_MS); /* also for connections that end to make room */
	}
}

static void *accept_main(void *context)
{
	struct acceptor *a = context;
	struct pollfd events[] = {{a->listen_fd, POLLIN, 0}, {a->stop_fd, POLLIN, 0}};

	for (;;) {
		if (poll(events, 2, -1) < 0 && errno != EINTR)
			break;
		if (events[1].revents != 0)
			break;
		/* Without room the socket stays readable: come back a little later. */
		if (events[0].revents != 0 && !accept_all(a))
			clock_pause_ms(STEP_MS);
	}
	accept_last(a);
	close(a->listen_fd);
	a->listen_fd = -1;
	return NULL;
}

static void acceptor_free(struct acceptor *a)
{
	if (a->listen_fd >= 0)
		close(a->listen_fd);
	if (a->stop_fd >= 0)
		close(a->stop_fd);
	free(a);
}

int acceptor_start(struct http_server *s, int listen_fd, struct err *e)
{
	struct acceptor *a = calloc(1, sizeof *a);

	if (a == NULL) {
		close(listen_fd);
		return err_set(e, ERR_MEMORY, "memory is out while starting the HTTP server");
	}
	*a = (struct acceptor){.server = s, .listen_fd = listen_fd, .stop_fd = eventfd(0, EFD_CLOEXEC)};
	if (a->stop_fd < 0 || pthread_create(&a->thread, NULL, accept_main, a) != 0) {
		acceptor_free(a);
		return err_set(e, ERR_SYSTEM, "the HTTP server could not start a thread");
	}
	s->acceptor = a;
	return 0;
}

void acceptor_stop(struct acceptor *a)
{
	const uint64_t one = 1;

	if (write(a->stop_fd, &one, sizeof one) != sizeof one)
		return; /* cannot be: an eventfd takes a one */
	pthread_join(a->thread, NULL);
	acceptor_free(a);
}
