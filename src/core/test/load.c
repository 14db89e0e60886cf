#include "core/test/load_internal.h"

#include "core/clock.h"
#include "core/text.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONNECT_MS 5000
#define DESCRIPTORS_SPARE 64

static const char *const error_names[] = {
#define X(name, text) text,
    LOAD_ERRORS(X)
#undef X
};

const char *load_error_name(enum load_error error)
{
	return error_names[error];
}

uint64_t load_errors_total(const struct load_counts *counts)
{
	uint64_t total = 0;

	for (size_t i = 0; i < LOAD_ERROR_COUNT; i++)
		total += counts->errors[i];
	return total;
}

/* --- the target --- */

/* "host:port" or "[::1]:port" into both; the port is 80 where none is named. */
static bool split_host(const char *text, char host[256], char port[8])
{
	size_t size = strcspn(text, "/"), name = size;
	const char *bracket = text[0] == '[' ? memchr(text, ']', size) : NULL;
	const char *colon =
	    memchr(bracket != NULL ? bracket : text, ':', size - (size_t)((bracket != NULL ? bracket : text) - text));
	long long number = 80;

	if (colon != NULL) {
		char digits[8] = "";
		size_t count = size - (size_t)(colon + 1 - text);
		name = (size_t)(colon - text);
		if (count >= sizeof digits)
			return false;
		memcpy(digits, colon + 1, count);
		if (!text_integer(digits, 1, 65535, &number))
			return false;
	}
	if (bracket != NULL) {
		if (bracket + 1 != text + name)
			return false;
		text++;
		name -= 2;
	}
	if (name == 0 || name >= 256)
		return false;
	memcpy(host, text, name);
	host[name] = '\0';
	snprintf(port, 8, "%lld", number);
	return true;
}

static bool takes_connection(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof error;

	if (fd < 0)
		return false;
	bool taken = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
		     (errno == EINPROGRESS && poll(&ready, 1, CONNECT_MS) == 1 &&
		      getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
	close(fd);
	return taken;
}

/* Of several addresses, the first that takes a connection, else the first: localhost is ::1 and 127.0.0.1, and a server
 * may listen on one. */
static const struct addrinfo *choose(const struct addrinfo *found)
{
	if (found->ai_next == NULL)
		return found;
	for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
		if (takes_connection(a))
			return a;
	}
	return found;
}

int load_target_read(struct load_target *target, const char *url, struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
	char host[256], port[8];
	const char *rest = strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;

	if (rest == NULL)
		return err_set(e, ERR_USAGE,
			       "the load goes over plain HTTP: name the target as http://host:port, not `%.200s`", url);
	const char *slash = strchr(rest, '/');
	if (strpbrk(rest, " \t\r\n?#@") != NULL || (slash != NULL && slash[1] != '\0') || !split_host(rest, host, port))
		return err_set(e, ERR_USAGE, "`%.200s` is not of the form http://host:port", url);
	int status = getaddrinfo(host, port, &hints, &found);
	/* RFC 6761, 6.3: it is the loopback address, also where no resolver knows it. */
	if (status != 0 && strcmp(host, "localhost") == 0)
		status = getaddrinfo("127.0.0.1", port, &hints, &found);
	if (status != 0)
		return err_set(e, ERR_NOT_FOUND, "%s has no address: %s", host, gai_strerror(status));
	const struct addrinfo *chosen = choose(found);
	memcpy(&target->address, chosen->ai_addr, chosen->ai_addrlen);
	target->address_size = chosen->ai_addrlen;
	freeaddrinfo(found);
	snprintf(target->host, sizeof target->host, "%.*s", (int)strcspn(rest, "/"), rest);
	return 0;
}

/* --- opening --- */

/* A connection is a descriptor, and most shells let a process have 1024. */
static int allow_descriptors(size_t connections, struct err *e)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_errno(e, errno, "the limit of open files cannot be read");
	if (limit.rlim_cur >= connections + DESCRIPTORS_SPARE)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_cur < connections + DESCRIPTORS_SPARE || setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_set(e, ERR_INPUT,
			       "%zu connections are more than this system's limit of open files allows (%llu)",
			       connections, (unsigned long long)limit.rlim_max);
	return 0;
}

static int refused(const struct load *l, int error, struct err *e)
{
	return err_set(e, ERR_UNREACHABLE, "%s takes no connection: %s", l->options.target->host,
		       error != 0 ? strerror(error) : "it ended it at once");
}

/* Waits until every connection is there. */
static int await_connections(struct load *l, struct err *e)
{
	int64_t deadline_ms = clock_ms() + CONNECT_MS;
	struct epoll_event events[64];

	while (l->counts.connects < l->options.connections) {
		int64_t left_ms = deadline_ms - clock_ms();
		int count = left_ms <= 0 ? 0 : epoll_wait(l->epoll, events, 64, (int)left_ms);
		if (left_ms <= 0)
			return err_set(e, ERR_TIMEOUT, "%s took %llu of %zu connections in %d s",
				       l->options.target->host, (unsigned long long)l->counts.connects,
				       l->options.connections, CONNECT_MS / 1000);
		for (int i = 0; i < count; i++) {
			errno = 0;
			load_event(l, events[i].data.ptr, events[i].events);
			if (l->connects_failed > 0)
				return refused(l, errno, e);
		}
	}
	return 0;
}

static int connect_all(struct load *l, struct err *e)
{
	for (size_t i = 0; i < l->options.connections; i++) {
		struct load_connection *c = &l->connections[i];
		c->fd = -1;
		l->ring[i] = i;
		if (!load_connect(l, c, 0))
			return refused(l, errno, e);
	}
	l->ring_count = l->options.connections;
	return await_connections(l, e);
}

int load_open(const struct load_options *options, struct load **load, struct err *e)
{
	struct load *l;

	*load = NULL;
	if (allow_descriptors(options->connections, e) != 0)
		return -1;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for a load");
	l->options = *options;
	l->delay_fd = -1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->connections = calloc(options->connections, sizeof *l->connections);
	l->ring = calloc(options->connections, sizeof *l->ring);
	l->scratch = malloc(LOAD_READ_SIZE);
	for (size_t i = 0; l->connections != NULL && i < options->connections; i++)
		l->connections[i].fd = -1;
	if (l->epoll < 0)
		err_errno(e, errno, "no epoll set can be made");
	else if (l->connections == NULL || l->ring == NULL || l->scratch == NULL)
		err_set(e, ERR_MEMORY, "memory is out for %zu connections", options->connections);
	else if (connect_all(l, e) == 0) {
		*load = l;
		return 0;
	}
	load_close(l);
	return -1;
}

/* --- running --- */

int load_start(struct load *l, struct err *e)
{
	int error = pthread_create(&l->thread, NULL, load_run, l);

	if (error != 0)
		return err_errno(e, error, "no thread can be started");
	l->started = true;
	return 0;
}

void load_stop(struct load *l)
{
	atomic_store(&l->stopping, true);
}

bool load_ended(struct load *l)
{
	return atomic_load(&l->ended);
}

bool load_target_gone(struct load *l)
{
	return atomic_load(&l->gone);
}

void load_read(const struct load *l, struct load_counts *counts)
{
	_Static_assert(sizeof *counts % sizeof(uint64_t) == 0, "counters alone");
	const uint64_t *from = (const uint64_t *)&l->counts;
	uint64_t *to = (uint64_t *)counts;

	for (size_t i = 0; i < sizeof *counts / sizeof(uint64_t); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void load_close(struct load *l)
{
	if (l == NULL)
		return;
	if (l->started) {
		load_stop(l);
		pthread_join(l->thread, NULL);
	}
	for (size_t i = 0; l->connections != NULL && i < l->options.connections; i++)
		load_hang_up(l, &l->connections[i]);
	if (l->epoll >= 0)
		close(l->epoll);
	free(l->connections);
	free(l->ring);
	free(l->scratch);
	free(l);
}
