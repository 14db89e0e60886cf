#include "runtime/scheduler.h"

#include "core/clock.h"
#include "runtime/rollout/rollouts.h"
#include "runtime/router/router.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct scheduler {
	struct router *router;
	struct rollouts *rollouts;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool stopping;
};

static void tick_router(struct scheduler *s, int64_t now_ms)
{
	router_tick(s->router, now_ms / 1000);
}

static void tick_rollouts(struct scheduler *s, int64_t now_ms)
{
	rollouts_tick(s->rollouts, now_ms);
}

/* To add work that is due every period: its function above and a line here. It is due at whole multiples of the
 * monotonic clock, so that telemetry's windows are whole seconds. */
static const struct task {
	int period_ms;
	void (*run)(struct scheduler *s, int64_t now_ms);
} tasks[] = {
    {1000, tick_router},
    {250, tick_rollouts},
};
#define TASK_COUNT (sizeof tasks / sizeof *tasks)

/* Sleeps until then; false when it is to stop. */
static bool wait_until(struct scheduler *s, int64_t at_ms)
{
	const struct timespec deadline = clock_deadline(at_ms);
	pthread_mutex_lock(&s->mutex);
	while (!s->stopping && clock_ms() < at_ms)
		pthread_cond_timedwait(&s->wake, &s->mutex, &deadline);
	bool going = !s->stopping;
	pthread_mutex_unlock(&s->mutex);
	return going;
}

static int64_t next_multiple(int64_t now_ms, int period_ms)
{
	return (now_ms / period_ms + 1) * period_ms;
}

static void *work(void *argument)
{
	struct scheduler *s = argument;
	int64_t due_ms[TASK_COUNT], first_ms = clock_ms();
	for (size_t i = 0; i < TASK_COUNT; i++)
		due_ms[i] = next_multiple(first_ms, tasks[i].period_ms);
	for (;;) {
		int64_t next_ms = due_ms[0];
		for (size_t i = 1; i < TASK_COUNT; i++)
			if (due_ms[i] < next_ms)
				next_ms = due_ms[i];
		if (!wait_until(s, next_ms))
			return NULL;
		for (size_t i = 0; i < TASK_COUNT; i++) {
			int64_t now_ms = clock_ms();
			if (now_ms < due_ms[i])
				continue;
			tasks[i].run(s, now_ms);
			due_ms[i] = next_multiple(now_ms, tasks[i].period_ms);
		}
	}
}

int scheduler_new(struct router *router, struct rollouts *rollouts, struct scheduler **result, struct err *e)
{
	struct scheduler *s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_set(e, ERR_MEMORY, "memory is out at start");
	s->router = router;
	s->rollouts = rollouts;
	pthread_mutex_init(&s->mutex, NULL);
	clock_cond_init(&s->wake);
	int error = pthread_create(&s->thread, NULL, work, s);
	if (error != 0) {
		free(s);
		return err_errno(e, error, "cannot start the scheduler's thread");
	}
	*result = s;
	return 0;
}

void scheduler_stop(struct scheduler *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->mutex);
	s->stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->mutex);
}

void scheduler_free(struct scheduler *s)
{
	if (s == NULL)
		return;
	scheduler_stop(s);
	pthread_join(s->thread, NULL);
	rollouts_save(s->rollouts);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}
