/*
 * workers: threads that run what would hold a data plane thread for too long.
 *
 * Owner: the server, from workers_new() to workers_free(). Thread-safe. Tasks start in the order they came.
 * Limit: queue_max waiting tasks; a full queue is an error, never a wait.
 * Not here: which predictions come here (infer).
 */
#ifndef RUNTIME_WORKERS_H
#define RUNTIME_WORKERS_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct workers;

int workers_new(unsigned thread_count, size_t queue_max, struct workers **result, struct err *e);
/* Runs what is queued, then ends the threads. */
void workers_free(struct workers *w);
/* ERR_BUSY when the queue is full: the task was not taken. */
int workers_submit(struct workers *w, void (*task)(void *context), void *context, struct err *e);
/* Whether all tasks have ended, waiting at most so long for it. */
bool workers_idle(struct workers *w, int timeout_ms);
/* Tasks that wait, for people. */
size_t workers_waiting(struct workers *w);

#endif
