/*
 * load_internal: what load*.c share.
 *
 * Private to them. All of it is the load's thread once that runs, but for the counters, which are written by that
 * thread alone and read by others (relaxed: each counter is right by itself), and the flags.
 */
#ifndef CORE_TEST_LOAD_INTERNAL_H
#define CORE_TEST_LOAD_INTERNAL_H

#include "core/test/load.h"
#include "core/test/load_answer.h"

#include <pthread.h>
#include <stdatomic.h>

#define LOAD_READ_SIZE 65536

enum load_state { LOAD_CLOSED, LOAD_CONNECTING, LOAD_IDLE, LOAD_BUSY };

struct load_connection {
	int fd; /* -1: closed */
	enum load_state state;
	bool taken;                    /* it has a request; else it is in the ring of free ones */
	uint64_t free_ns;              /* when it became free */
	uint64_t intended_ns, sent_ns; /* of its request */
	const char *request;
	size_t request_size, written;
	struct load_answer answer;
};

struct load {
	struct load_options options;
	struct load_counts counts;
	int epoll;
	size_t open; /* connections that there are */
	struct load_connection *connections;
	/* Free connections, first in first out, so that all of them, and with them the threads of a server, have work
	 * at any rate. */
	size_t *ring, ring_first, ring_count;
	size_t under_way;
	uint64_t next_request;
	uint64_t start_ns, swept_ns;
	uint64_t connects_failed; /* in a row */
	uint64_t answered_ns;     /* when an answer last came */
	int delay_fd;             /* of /proc: how long the thread waited for a processor */
	char *scratch;            /* [LOAD_READ_SIZE] */
	pthread_t thread;
	bool started;
	atomic_bool stopping, ended, gone;
};

static inline void load_bump(uint64_t *counter, uint64_t by)
{
	__atomic_store_n(counter, *counter + by, __ATOMIC_RELAXED);
}

/* load_connection.c */

/* Begins to connect; false, and a request that it has is an error, when that fails at once. */
bool load_connect(struct load *l, struct load_connection *c, uint64_t now_ns);
/* Gives a free connection a request, and sends it or begins to connect for it. */
void load_begin(struct load *l, uint64_t intended_ns, uint64_t now_ns);
/* epoll said something of it. */
void load_event(struct load *l, struct load_connection *c, uint32_t events);
/* Ends its request as an error, and the connection. */
void load_fail(struct load *l, struct load_connection *c, enum load_error error, uint64_t now_ns);
/* Into the histogram of latencies from the intended start. */
void load_waited(struct load *l, uint64_t intended_ns, uint64_t now_ns);
void load_hang_up(struct load *l, struct load_connection *c);

/* load_run.c: the thread. */
void *load_run(void *load);

#endif
