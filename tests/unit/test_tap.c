/* Exposures on their way: arms, hashes, order, what is lost, and many threads at once. */
#include "unit.h"

#include "runtime/experiment/tap.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct experiment plan = {
    .model = "m",
    .name = "n",
    .salt = "s",
    .arm_count = 2,
    .arms = {{1, 3000}, {2, 3000}},
};

static void a_unit_has_its_arm(void **state)
{
	(void)state;
	struct tap *t = tap_new(&plan, 8);
	size_t counts[3] = {0};
	for (int i = 0; i < 10000; i++) {
		char unit[24];
		int size = snprintf(unit, sizeof unit, "u%d", i), arm = experiment_arm_of(&plan, unit, (size_t)size);
		struct experiment_exposure x;
		assert_int_equal(tap_begin(t, unit, (size_t)size, &x), arm >= 0);
		counts[arm + 1]++;
		if (arm < 0)
			continue;
		assert_int_equal(x.arm, arm);
		assert_true(isnan(x.prediction) && isnan(x.covariate) && !x.is_error);
		assert_true(experiment_hash_is_none(x.request) && !experiment_hash_is_none(x.unit));
	}
	assert_true(counts[0] > 3800 && counts[1] > 2800 && counts[2] > 2800);
	tap_release(t);
}

static void names_are_hashed(void **state)
{
	(void)state;
	struct tap *t = tap_new(&plan, 8);
	struct experiment_exposure x = {0}, y = {0};
	tap_name(t, "r1", &x);
	tap_name(t, "r2", &y);
	assert_false(experiment_hash_is_none(x.request));
	assert_int_not_equal(x.request.low, y.request.low);
	tap_release(t);
}

static void what_finds_no_room_is_counted(void **state)
{
	(void)state;
	struct tap *t = tap_new(&plan, 4);
	struct experiment_exposure x = {0}, taken[8];
	for (int i = 0; i < 7; i++)
		tap_offer(t, &x);
	assert_int_equal(tap_take(t, taken, 3), 3);
	assert_int_equal(tap_take(t, taken, 8), 1);
	assert_int_equal(tap_lost(t), 3);
	assert_int_equal(tap_lost(t), 0);
	tap_hold(t);
	tap_release(t);
	tap_offer(t, &x);
	assert_int_equal(tap_take(t, taken, 8), 1);
	tap_release(t);
	tap_release(NULL);
}

enum { THREADS = 4, EACH = 50000 };

static void *offer_many(void *argument)
{
	struct tap *t = argument;
	struct experiment_exposure x = {0};
	tap_hold(t);
	for (uint64_t i = 0; i < EACH; i++) {
		/* Whoever reads a record while it is written sees two that differ. */
		x.latency_ns = i;
		x.at_ms = (int64_t)i;
		x.unit.low = i;
		tap_offer(t, &x);
	}
	tap_release(t);
	return NULL;
}

static void many_threads_lose_nothing_uncounted(void **state)
{
	(void)state;
	struct tap *t = tap_new(&plan, 256);
	pthread_t threads[THREADS];
	struct experiment_exposure taken[64];
	uint64_t seen = 0, lost = 0;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, offer_many, t), 0);
	while (seen + lost < (uint64_t)THREADS * EACH) {
		size_t count = tap_take(t, taken, 64);
		for (size_t i = 0; i < count; i++)
			assert_true(taken[i].latency_ns == taken[i].unit.low &&
				    taken[i].at_ms == (int64_t)taken[i].latency_ns);
		seen += count;
		lost += tap_lost(t);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(seen + lost, THREADS * EACH);
	assert_int_equal(tap_take(t, taken, 64), 0);
	tap_release(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {

	    cmocka_unit_test(a_unit_has_its_arm),
	    cmocka_unit_test(names_are_hashed),
	    cmocka_unit_test(what_finds_no_room_is_counted),
	    cmocka_unit_test(many_threads_lose_nothing_uncounted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
