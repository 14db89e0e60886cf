/*
 * load: an open-loop load over real HTTP/1.1: requests start when their schedule says, whatever the answers do.
 *
 * Owner: the caller's thread, from load_open() to load_close(); the load itself is one thread of its own with an epoll
 * set and non-blocking sockets, which nothing else can hold up. load_read() may be called at any time. Connections are
 * kept; each carries one request at a time (no pipelining), and they take turns. A request that is due while all of
 * them are busy waits, and that wait is in its latency from the intended start.
 * Latencies are of answers 2xx. From the intended start also those count that were given up or never sent, with the
 * time that they had waited by then: leaving them out would hide exactly the worst (coordinated omission: Tene, "How
 * NOT to measure latency", 2013). Not here: when requests start (load_schedule), what is sent (load_requests), what it
 * means (stress).
 */
#ifndef CORE_TEST_LOAD_H
#define CORE_TEST_LOAD_H

#include "core/err.h"
#include "core/histogram.h"
#include "core/test/load_requests.h"
#include "core/test/load_schedule.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LOAD_CONNECTIONS_MAX 10000

/* What went wrong with a request; the name in reports. */
#define LOAD_ERRORS(X)                                                                    \
	X(CONNECT, "connect")     /* no connection came about */                          \
	X(RESET, "reset")         /* the connection ended before anything of an answer */ \
	X(SHORT, "short")         /* it ended within the answer */                        \
	X(MALFORMED, "malformed") /* what came is no HTTP/1 */                            \
	X(TIMEOUT, "timeout")                                                             \
	X(STATUS_3XX, "status_3xx")                                                       \
	X(STATUS_4XX, "status_4xx")                                                       \
	X(STATUS_5XX, "status_5xx")

enum load_error {
#define X(name, text) LOAD_ERROR_##name,
	LOAD_ERRORS(X)
#undef X
	    LOAD_ERROR_COUNT
};

struct load_target {
	char host[300]; /* as the Host header has it: "127.0.0.1:8080" */
	struct sockaddr_storage address;
	socklen_t address_size;
};

struct load_options {
	const struct load_target *target; /* borrowed, as are the requests */
	const struct load_requests *requests;
	struct load_schedule schedule;
	size_t connections;  /* 1 to LOAD_CONNECTIONS_MAX */
	uint64_t timeout_ns; /* of a request, from its send */
	uint64_t grace_ns;   /* at the end: so long for what is under way */
};

/* Of the whole load so far. Counters only grow. */
struct load_counts {
	uint64_t due;      /* requests whose start has come; at the end all of the schedule */
	uint64_t sent;     /* of them; a connection that failed counts as one sent */
	uint64_t answered; /* with 2xx */
	uint64_t errors[LOAD_ERROR_COUNT];
	uint64_t unsent, unanswered;          /* at the end */
	uint64_t connects;                    /* connections made */
	uint64_t intended[HISTOGRAM_BUCKETS]; /* ns from the intended start to the answer's last byte */
	uint64_t service[HISTOGRAM_BUCKETS];  /* ns from the send */
	/* ns that the generator itself was late: from when a request was due and a connection free, to its send. */
	uint64_t lag[HISTOGRAM_BUCKETS];
	uint64_t elapsed_ns;
	uint64_t cpu_ns;     /* of the generator's thread */
	uint64_t delayed_ns; /* that it could have run and got no processor; 0 where the system does not tell */
};

struct load;

const char *load_error_name(enum load_error error);
uint64_t load_errors_total(const struct load_counts *counts);

/* "http://host:port", with or without a / behind; resolves the host; of several addresses it is the first that takes a
 * connection. Both may block. ERR_USAGE for another form, ERR_NOT_FOUND for a name without an address. */
int load_target_read(struct load_target *target, const char *url, struct err *e);

/* Makes all connections; ERR_UNREACHABLE when the target takes none, ERR_TIMEOUT when it is silent. Options are copied.
 * Nothing is sent yet. */
int load_open(const struct load_options *options, struct load **load, struct err *e);
int load_start(struct load *l, struct err *e);
/* Ends the schedule now; what is under way may still be answered. */
void load_stop(struct load *l);
bool load_ended(struct load *l);
/* Whether it ended itself because the target takes no connections any more. */
bool load_target_gone(struct load *l);
void load_read(const struct load *l, struct load_counts *counts);
/* Stops it if need be, waits for its thread, and frees. */
void load_close(struct load *l);

#endif
