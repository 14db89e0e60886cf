#include "runtime/router/workers.h"

#include "core/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct task {
	void (*run)(void *context);
	void *context;
};

struct workers {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t filled, ended;
	struct task *queue; /* a ring of queue_max */
	size_t queue_max, first, waiting, running;
	bool ending;
	unsigned thread_count;
	pthread_t *threads;
};

/* False when there is nothing left to do for ever. */
static bool next_task(struct workers *w, struct task *task)
{
	pthread_mutex_lock(&w->lock);
	while (w->waiting == 0 && !w->ending)
		pthread_cond_wait(&w->filled, &w->lock);
	bool found = w->waiting > 0;
	if (found) {
		*task = w->queue[w->first];
		w->first = (w->first + 1) % w->queue_max;
		w->waiting--;
		w->running++;
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

static void task_ended(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	w->running--;
	pthread_cond_broadcast(&w->ended);
	pthread_mutex_unlock(&w->lock);
}

static void *work(void *context)
{
	struct task task;
	while (next_task(context, &task)) {
		task.run(task.context);
		task_ended(context);
	}
	return NULL;
}

int workers_new(unsigned thread_count, size_t queue_max, struct workers **result, struct err *e)
{
	struct workers *w = calloc(1, sizeof *w);
	if (w == NULL)
		return err_set(e, ERR_MEMORY, "memory is out at start");
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->filled, NULL);
	clock_cond_init(&w->ended);
	w->queue_max = queue_max;
	w->queue = calloc(queue_max, sizeof *w->queue);
	w->threads = calloc(thread_count, sizeof *w->threads);
	while (w->queue != NULL && w->threads != NULL && w->thread_count < thread_count &&
	       pthread_create(&w->threads[w->thread_count], NULL, work, w) == 0)
		w->thread_count++;
	if (w->thread_count == 0) {
		workers_free(w);
		return err_set(e, ERR_SYSTEM, "no worker thread could be started");
	}
	*result = w;
	return 0;
}

void workers_free(struct workers *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_broadcast(&w->filled);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->thread_count; i++)
		pthread_join(w->threads[i], NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->filled);
	pthread_cond_destroy(&w->ended);
	free(w->queue);
	free(w->threads);
	free(w);
}

int workers_submit(struct workers *w, void (*task)(void *context), void *context, struct err *e)
{
	int result = 0;

	pthread_mutex_lock(&w->lock);
	if (w->waiting == w->queue_max) {
		result = err_set(e, ERR_BUSY, "%zu requests are waiting already; try again", w->waiting);
	} else {
		w->queue[(w->first + w->waiting++) % w->queue_max] = (struct task){task, context};
		pthread_cond_signal(&w->filled);
	}
	pthread_mutex_unlock(&w->lock);
	return result;
}

bool workers_idle(struct workers *w, int timeout_ms)
{
	const struct timespec until = clock_deadline(clock_ms() + timeout_ms);
	int result = 0;

	pthread_mutex_lock(&w->lock);
	while (result == 0 && (w->waiting > 0 || w->running > 0))
		result = pthread_cond_timedwait(&w->ended, &w->lock, &until);
	bool idle = w->waiting == 0 && w->running == 0;
	pthread_mutex_unlock(&w->lock);
	return idle;
}

size_t workers_waiting(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	size_t waiting = w->waiting;
	pthread_mutex_unlock(&w->lock);
	return waiting;
}
