#include "core/clock.h"
#include "unit.h"

#include <errno.h>

static void a_deadline_is_seconds_and_the_rest(void **state)
{
	(void)state;
	assert_int_equal(clock_deadline(1999).tv_sec, 1);
	assert_int_equal(clock_deadline(1999).tv_nsec, 999000000);
	assert_int_equal(clock_deadline(2000).tv_nsec, 0);
}

static void clocks_agree(void **state)
{
	(void)state;
	int64_t before_ms = clock_ms();
	int64_t between_ms = (int64_t)(clock_ns() / 1000000);
	assert_in_range(between_ms, before_ms, clock_ms());
	/* One tick of the slowest kernels, and room for a machine that is busy. */
	assert_in_range(clock_coarse_ms(), before_ms - 20, clock_ms());
	assert_true(clock_unix_coarse_ms() <= clock_unix_ms());
}

/* With another clock's condition it would be over at once. */
static void a_condition_waits_until_its_deadline(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t condition;
	int64_t at_ms = clock_ms() + 30;
	const struct timespec deadline = clock_deadline(at_ms);
	(void)state;
	clock_cond_init(&condition);
	pthread_mutex_lock(&lock);
	while (pthread_cond_timedwait(&condition, &lock, &deadline) != ETIMEDOUT)
		;
	assert_true(clock_ms() >= at_ms);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&condition);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_deadline_is_seconds_and_the_rest),
	    cmocka_unit_test(clocks_agree),
	    cmocka_unit_test(a_condition_waits_until_its_deadline),
	};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
