/* What is pushed is popped once, in order; a full ring refuses; many threads lose and double nothing. */
#include "runtime/shadow/ring.h"
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define PRODUCERS 3
#define CONSUMERS 3
#define EACH 20000

static void first_in_first_out_and_bounded(void **state)
{
	struct ring *r = ring_new(3);
	int items[4];
	(void)state;

	assert_null(ring_pop(r));
	/* More rounds than places: turns go on growing. */
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 3; i++)
			assert_true(ring_push(r, &items[i]));
		assert_false(ring_push(r, &items[3]));
		assert_int_equal(ring_count(r), 3);
		for (int i = 0; i < 3; i++)
			assert_ptr_equal(ring_pop(r), &items[i]);
		assert_null(ring_pop(r));
		assert_int_equal(ring_count(r), 0);
	}
	ring_free(r);
}

static void has_at_least_two_places(void **state)
{
	struct ring *r = ring_new(0);
	int item;
	(void)state;

	assert_true(ring_push(r, &item));
	assert_true(ring_push(r, &item));
	assert_false(ring_push(r, &item));
	ring_free(r);
	ring_free(NULL);
}

struct crowd {
	struct ring *ring;
	_Atomic uint32_t next; /* of the numbers that are pushed */
	_Atomic uint32_t popped;
	_Atomic uint8_t seen[PRODUCERS * EACH]; /* how often each came out */
};

static void *produce(void *context)
{
	struct crowd *c = context;
	for (;;) {
		uint32_t number = atomic_fetch_add(&c->next, 1);
		if (number >= PRODUCERS * EACH)
			return NULL;
		while (!ring_push(c->ring, (void *)&c->seen[number]))
			sched_yield();
	}
}

static void *consume(void *context)
{
	struct crowd *c = context;
	while (atomic_load(&c->popped) < PRODUCERS * EACH) {
		_Atomic uint8_t *seen = ring_pop(c->ring);
		if (seen == NULL) {
			sched_yield();
			continue;
		}
		atomic_fetch_add(seen, 1);
		atomic_fetch_add(&c->popped, 1);
	}
	return NULL;
}

static void many_threads_lose_and_double_nothing(void **state)
{
	static struct crowd c;
	pthread_t threads[PRODUCERS + CONSUMERS];
	(void)state;

	c.ring = ring_new(7);
	for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume, &c), 0);
	for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < PRODUCERS * EACH; i++)
		assert_int_equal(atomic_load(&c.seen[i]), 1);
	assert_int_equal(ring_count(c.ring), 0);
	ring_free(c.ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_in_first_out_and_bounded),
	    cmocka_unit_test(has_at_least_two_places),
	    cmocka_unit_test(many_threads_lose_and_double_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
