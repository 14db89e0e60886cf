/*
 * experiments_internal: what experiments.c (the list, the thread), experiments_change.c (start and end),
 * experiments_feedback.c (outcomes) and experiments_view.c (what is seen) share.
 */
#ifndef RUNTIME_EXPERIMENT_EXPERIMENTS_INTERNAL_H
#define RUNTIME_EXPERIMENT_EXPERIMENTS_INTERNAL_H

#include "runtime/experiment/experiments.h"

#include <pthread.h>

#define EXPERIMENTS_BATCH 8192 /* records of one transaction */

/* A test that runs, or whose outcomes may still come. */
struct experiment_entry {
	pthread_mutex_t busy;            /* of whoever works on it, also over waits for the disk and the router */
	struct experiment_record record; /* but for id and plan, which are constant, with `busy` */
	size_t users;                    /* with the list's mutex: it stays while there are any */
	/* With `busy` only: */
	struct tap *tap; /* NULL: it has ended */
	size_t pending_count;
	struct experiment_exposure *pending; /* [EXPERIMENTS_BATCH], taken and not yet committed */
	uint64_t lost;
	uint64_t grown, total; /* requests and outcomes: since the latest look, and in all */
	int64_t looked_ms;     /* monotonic */
};

struct experiments {
	struct registry *registry;
	struct router *router;
	pthread_mutex_t lock; /* of the list; never held over a wait */
	size_t entry_count;
	struct experiment_entry *entries[EXPERIMENTS_OPEN_MAX];
	pthread_mutex_t sleep;
	pthread_cond_t wake;
	bool stopping, is_started;
	pthread_t thread;
	int64_t pruned_ms; /* of the thread */
};

/* --- experiments.c --- */

/* With a tap (taken over; may be NULL), or NULL when memory is out. */
struct experiment_entry *experiment_entry_new(const struct experiment_record *record, struct tap *tap);
void experiment_entry_free(struct experiment_entry *entry);
/* Takes the entry over; ERR_BUSY when there are too many. */
int experiments_add(struct experiments *es, struct experiment_entry *entry, struct err *e);
/* The open test of that id, or the open tests of a model, newest first, to be given back; they are not locked. */
struct experiment_entry *experiments_get(struct experiments *es, int64_t id);
size_t experiments_of(struct experiments *es, const char *model, struct experiment_entry *found[EXPERIMENTS_OPEN_MAX]);
void experiments_put(struct experiments *es, struct experiment_entry *entry);

/* With `busy`: commits what the data plane noted so far. On failure it is kept, and tried again. */
int experiment_entry_take(struct experiments *es, struct experiment_entry *entry, struct err *e);
/* With `busy`: looks, and logs it. */
int experiment_entry_look(struct experiments *es, struct experiment_entry *entry, struct err *e);
/* With `busy`: reads what became of it; an ended one notes no more. */
int experiment_entry_follow(struct experiments *es, struct experiment_entry *entry, struct err *e);

#endif
