/* What is pushed is popped once, in order; a full ring refuses; many threads lose and double nothing. */
#include "runtime/ring.h"
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define PRODUCERS 3
#define CONSUMERS 3
#define EACH 20000

/* An item of no round size: places are not to run into each other. */
struct item {
	uint32_t number;
	char mark[13];
};

static struct item item_of(uint32_t number)
{
	struct item i = {.number = number};
	memset(i.mark, (int)(number % 251), sizeof i.mark);
	return i;
}

static void first_in_first_out_and_bounded(void **state)
{
	struct ring *r = ring_new(3, sizeof(struct item));
	struct item got = item_of(99), want;
	(void)state;

	assert_false(ring_pop(r, &got));
	assert_int_equal(got.number, 99);
	/* More rounds than places: turns go on growing. */
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < 3; i++) {
			want = item_of(10 * round + i);
			assert_true(ring_push(r, &want));
		}
		assert_false(ring_push(r, &got));
		assert_int_equal(ring_count(r), 3);
		for (uint32_t i = 0; i < 3; i++) {
			want = item_of(10 * round + i);
			assert_true(ring_pop(r, &got));
			assert_int_equal(got.number, want.number);
			assert_memory_equal(got.mark, want.mark, sizeof got.mark);
		}
		assert_false(ring_pop(r, &got));
		assert_int_equal(ring_count(r), 0);
	}
	ring_free(r);
}

static void has_at_least_two_places(void **state)
{
	struct ring *r = ring_new(0, sizeof(int));
	int item = 1;
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
		_Atomic uint8_t *seen = &c->seen[number];
		while (!ring_push(c->ring, &seen))
			sched_yield();
	}
}

static void *consume(void *context)
{
	struct crowd *c = context;
	while (atomic_load(&c->popped) < PRODUCERS * EACH) {
		_Atomic uint8_t *seen;
		if (!ring_pop(c->ring, &seen)) {
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

	c.ring = ring_new(7, sizeof(_Atomic uint8_t *));
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
