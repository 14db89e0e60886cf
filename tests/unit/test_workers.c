/* Tasks run once each, in bounded number, and all before the end. */
#include "runtime/router/workers.h"
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

static atomic_uint done;

static void count(void *context)
{
	atomic_fetch_add(&done, *(unsigned *)context);
}

/* Holds its thread until it is let go. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool entered, open;
};

static void pass(void *context)
{
	struct gate *g = context;
	pthread_mutex_lock(&g->lock);
	g->entered = true;
	pthread_cond_broadcast(&g->changed);
	while (!g->open)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void all_run_before_the_end(void **state)
{
	struct workers *w;
	struct err e;
	unsigned one = 1, taken = 0;
	(void)state;
	done = 0;
	assert_int_equal(workers_new(3, 10000, &w, &e), 0);
	for (size_t i = 0; i < 10000; i++)
		taken += workers_submit(w, count, &one, &e) == 0;
	workers_free(w);
	assert_int_equal(taken, 10000);
	assert_int_equal(done, 10000);
}

static void a_full_queue_refuses(void **state)
{
	struct gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
	struct workers *w;
	struct err e;
	unsigned one = 1;
	(void)state;
	done = 0;
	assert_int_equal(workers_new(1, 2, &w, &e), 0);
	assert_int_equal(workers_submit(w, pass, &g, &e), 0);
	pthread_mutex_lock(&g.lock);
	while (!g.entered)
		pthread_cond_wait(&g.changed, &g.lock);
	pthread_mutex_unlock(&g.lock);
	assert_int_equal(workers_submit(w, count, &one, &e), 0);
	assert_int_equal(workers_submit(w, count, &one, &e), 0);
	assert_int_equal(workers_waiting(w), 2);
	assert_false(workers_idle(w, 1));
	assert_int_equal(workers_submit(w, count, &one, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	pthread_mutex_lock(&g.lock);
	g.open = true;
	pthread_cond_broadcast(&g.changed);
	pthread_mutex_unlock(&g.lock);
	assert_true(workers_idle(w, 60000));
	assert_int_equal(done, 2);
	workers_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_run_before_the_end),
	    cmocka_unit_test(a_full_queue_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
