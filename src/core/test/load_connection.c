/* load: one connection, from connecting to the last byte of an answer. */
#include "core/test/load_internal.h"

#include "core/clock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

static void set_free(struct load *l, struct load_connection *c, uint64_t now_ns)
{
	size_t at = (l->ring_first + l->ring_count++) % l->options.connections;

	l->ring[at] = (size_t)(c - l->connections);
	c->free_ns = now_ns;
	if (c->taken)
		l->under_way--;
	c->taken = false;
}

void load_hang_up(struct load *l, struct load_connection *c)
{
	if (c->fd < 0)
		return;
	close(c->fd);
	c->fd = -1;
	c->state = LOAD_CLOSED;
	l->open--;
}

void load_waited(struct load *l, uint64_t intended_ns, uint64_t now_ns)
{
	load_bump(&l->counts.intended[histogram_bucket(now_ns > intended_ns ? now_ns - intended_ns : 0)], 1);
}

void load_fail(struct load *l, struct load_connection *c, enum load_error error, uint64_t now_ns)
{
	load_hang_up(l, c);
	if (!c->taken)
		return;
	load_bump(&l->counts.errors[error], 1);
	if (error == LOAD_ERROR_TIMEOUT)
		load_waited(l, c->intended_ns, now_ns);
	set_free(l, c, now_ns);
}

static void refuse_connect(struct load *l, struct load_connection *c, uint64_t now_ns)
{
	l->connects_failed++;
	load_fail(l, c, LOAD_ERROR_CONNECT, now_ns);
}

bool load_connect(struct load *l, struct load_connection *c, uint64_t now_ns)
{
	const struct load_target *target = l->options.target;
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
	int yes = 1;

	c->fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd >= 0)
		l->open++;
	/* A request is one write: there is nothing to wait for with more. */
	if (c->fd < 0 || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
	    (connect(c->fd, (const struct sockaddr *)&target->address, target->address_size) != 0 &&
	     errno != EINPROGRESS) ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
		int error = errno;
		refuse_connect(l, c, now_ns);
		errno = error;
		return false;
	}
	c->state = LOAD_CONNECTING;
	return true;
}

/* Writes what is left; the kernel says when there is room again. */
static void send_on(struct load *l, struct load_connection *c, uint64_t now_ns)
{
	while (c->written < c->request_size) {
		ssize_t size = send(c->fd, c->request + c->written, c->request_size - c->written, MSG_NOSIGNAL);
		if (size >= 0) {
			c->written += (size_t)size;
		} else if (errno != EINTR) {
			/* What the target said before it closed is still to be read. */
			if (errno != EAGAIN && errno != EPIPE && errno != ECONNRESET)
				load_fail(l, c, LOAD_ERROR_RESET, now_ns);
			return;
		}
	}
}

static void send_first(struct load *l, struct load_connection *c, uint64_t now_ns)
{
	c->state = LOAD_BUSY;
	c->sent_ns = now_ns;
	c->written = 0;
	load_answer_begin(&c->answer);
	send_on(l, c, now_ns);
}

void load_begin(struct load *l, uint64_t intended_ns, uint64_t now_ns)
{
	struct load_connection *c = &l->connections[l->ring[l->ring_first]];
	uint64_t could_ns = intended_ns > c->free_ns ? intended_ns : c->free_ns;

	l->ring_first = (l->ring_first + 1) % l->options.connections;
	l->ring_count--;
	c->taken = true;
	l->under_way++;
	c->intended_ns = intended_ns;
	c->sent_ns = now_ns;
	c->request = load_requests_at(l->options.requests, l->next_request++, &c->request_size);
	load_bump(&l->counts.sent, 1);
	load_bump(&l->counts.lag[histogram_bucket(now_ns > could_ns ? now_ns - could_ns : 0)], 1);
	if (c->state == LOAD_IDLE)
		send_first(l, c, now_ns);
	else if (c->state == LOAD_CLOSED)
		load_connect(l, c, now_ns);
}

static void answered(struct load *l, struct load_connection *c, uint64_t now_ns)
{
	int status = c->answer.status;

	l->answered_ns = now_ns;
	if (status < 300) {
		load_bump(&l->counts.answered, 1);
		load_waited(l, c->intended_ns, now_ns);
		load_bump(&l->counts.service[histogram_bucket(now_ns - c->sent_ns)], 1);
	} else {
		load_bump(&l->counts.errors[status < 400   ? LOAD_ERROR_STATUS_3XX
					    : status < 500 ? LOAD_ERROR_STATUS_4XX
							   : LOAD_ERROR_STATUS_5XX],
			  1);
	}
	c->state = LOAD_IDLE;
	/* An answer before the whole request was read: the rest would be taken for the next one. */
	if (!c->answer.keep || c->written < c->request_size)
		load_hang_up(l, c);
	set_free(l, c, now_ns);
}

static void take(struct load *l, struct load_connection *c, size_t size)
{
	size_t used = 0;

	switch (load_answer_feed(&c->answer, l->scratch, size, &used)) {
	case LOAD_ANSWER_DONE:
		answered(l, c, clock_ns());
		/* Bytes that nobody asked for: this connection cannot be trusted any more. */
		if (used < size)
			load_hang_up(l, c);
		break;
	case LOAD_ANSWER_BAD:
		load_fail(l, c, LOAD_ERROR_MALFORMED, clock_ns());
		break;
	case LOAD_ANSWER_MORE:
		break;
	}
}

/* The other side is done with it. */
static void ended(struct load *l, struct load_connection *c)
{
	uint64_t now_ns = clock_ns();

	if (c->state != LOAD_BUSY)
		load_hang_up(l, c);
	else if (load_answer_end(&c->answer) == LOAD_ANSWER_DONE)
		answered(l, c, now_ns);
	else
		load_fail(l, c, c->answer.begun ? LOAD_ERROR_SHORT : LOAD_ERROR_RESET, now_ns);
}

static void receive(struct load *l, struct load_connection *c)
{
	while (c->fd >= 0) {
		ssize_t size = recv(c->fd, l->scratch, LOAD_READ_SIZE, 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return;
		if (size <= 0) {
			ended(l, c);
			return;
		}
		if (c->state != LOAD_BUSY) {
			load_hang_up(l, c);
			return;
		}
		take(l, c, (size_t)size);
		/* Less than there was room for: all of it was read, and what comes later is an event of its own. */
		if (size < LOAD_READ_SIZE)
			return;
	}
}

static void connected(struct load *l, struct load_connection *c)
{
	uint64_t now_ns = clock_ns();
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
		refuse_connect(l, c, now_ns);
		errno = error;
		return;
	}
	l->connects_failed = 0;
	load_bump(&l->counts.connects, 1);
	c->state = LOAD_IDLE;
	if (c->taken)
		send_first(l, c, now_ns);
}

void load_event(struct load *l, struct load_connection *c, uint32_t events)
{
	if (c->fd < 0)
		return;
	if (c->state == LOAD_CONNECTING && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
		connected(l, c);
	if (c->fd < 0)
		return;
	if (c->state == LOAD_BUSY && (events & EPOLLOUT) != 0 && c->written < c->request_size)
		send_on(l, c, clock_ns());
	if (c->fd >= 0 && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		receive(l, c);
	/* An end that came with the last bytes has no event of its own. */
	if (c->fd >= 0 && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		receive(l, c);
}
