/*
 * fetch_pool: HTTP requests whose answers come later, any number at once, all carried by one
 * thread.
 *
 * Owner: whoever holds a share of it; one pool a process, started by the first share and ended with
 * the last. Any thread may submit. Connections are kept and used again; over TLS, HTTP/2 where the
 * server offers it. With nothing under way the thread sleeps and is not woken. Proxies are those of
 * the environment (https_proxy, http_proxy, no_proxy), as with every program that uses libcurl,
 * unless a request is `direct`. A name is resolved beside the thread, so one that resolves slowly
 * delays no other request. Not here: what is safe to ask again (remote).
 */
#ifndef CORE_FETCH_POOL_H
#define CORE_FETCH_POOL_H

#include "core/fetch.h"

struct fetch_pool;

struct fetch_job {
	/* The body is borrowed until `done`; everything else is copied. file_path is not taken
	 * here. */
	struct fetch_request request;
	int delay_ms; /* it is begun that much later; timeout_ms counts from then */
	/* Called once, on the pool's thread, which must not be held up. result, e: as of
	 * fetch_perform(). The answer is there for the call; the body may be taken out of it. May
	 * submit, and give back shares. */
	void (*done)(void *context, int result, struct fetch_answer *answer, const struct err *e);
	void *context;
};

/* The process's pool; NULL when its thread cannot be started. */
struct fetch_pool *fetch_pool_share(struct err *e);
/* Gives the share back. With the last one everything under way is cancelled and called back, and
 * the thread ends, before this returns; from a `done`, soon after. */
void fetch_pool_unshare(struct fetch_pool *p);

/* -1: it was not taken, and `done` is not called. */
int fetch_pool_submit(struct fetch_pool *p, const struct fetch_job *job, struct err *e);

/* Ends everything that is under way in the process's pool, if there is one, with FETCH_CANCELLED,
 * and refuses what is submitted from now on. Returns when all have been called back. For the end of
 * a runtime's drain. */
void fetch_pool_cancel(void);

/* How often the thread woke up so far. */
unsigned long fetch_pool_wakeups(struct fetch_pool *p);

#endif
