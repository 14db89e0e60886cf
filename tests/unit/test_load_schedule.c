/* When requests of a load are to start: counts, gaps and their distribution, without a clock. */
#include "core/test/load_schedule.h"

#include "unit.h"

#include <math.h>

static uint64_t count_before(struct load_schedule s, double at_s)
{
	uint64_t count = 0, at;

	while ((at = load_schedule_next(&s)) != LOAD_SCHEDULE_END && (double)at < at_s * 1e9)
		count++;
	return count;
}

static void test_constant_is_even(void **state)
{
	(void)state;
	struct load_schedule s = load_schedule_make(1000, 1000, 3, LOAD_CONSTANT, 1);

	for (uint64_t i = 0; i < 3000; i++)
		assert_in_range(load_schedule_next(&s), i * 1000000 > 0 ? i * 1000000 - 1 : 0, i * 1000000 + 1);
	assert_true(load_schedule_next(&s) == LOAD_SCHEDULE_END);
	assert_true(load_schedule_next(&s) == LOAD_SCHEDULE_END);
}

/* A rate and a duration whose product is no whole number: 2.5 requests start 3, at 0, 0.4 and 0.8 s. */
static void test_a_part_of_a_request(void **state)
{
	(void)state;
	assert_int_equal(count_before(load_schedule_make(2.5, 2.5, 1, LOAD_CONSTANT, 1), 2), 3);
	assert_int_equal(count_before(load_schedule_make(0.1, 0.1, 1, LOAD_CONSTANT, 1), 2), 1);
}

/* 0 to 1000/s in 10 s are 5000 requests, a quarter of them in the first half. */
static void test_ramp(void **state)
{
	(void)state;
	struct load_schedule up = load_schedule_make(0, 1000, 10, LOAD_CONSTANT, 1);
	struct load_schedule down = load_schedule_make(1000, 0, 10, LOAD_CONSTANT, 1);

	assert_int_equal(count_before(up, 11), 5000);
	assert_in_range(count_before(up, 5), 1249, 1251);
	assert_int_equal(count_before(down, 11), 5000);
	assert_in_range(count_before(down, 5), 3749, 3751);
	assert_true(fabs(load_schedule_expected(&up, 5) - 1250) < 1e-9);
	assert_true(fabs(load_schedule_expected(&up, 99) - 5000) < 1e-9);
}

/* Ascending, and at every request as many as the line says. */
static void test_ramp_inverts_its_count(void **state)
{
	(void)state;
	struct load_schedule s = load_schedule_make(10, 4321.5, 7, LOAD_CONSTANT, 1);
	uint64_t before = 0, at;

	for (uint64_t i = 0; (at = load_schedule_next(&s)) != LOAD_SCHEDULE_END; i++) {
		assert_true(at >= before);
		assert_true(fabs(load_schedule_expected(&s, (double)at / 1e9) - (double)i) < 1e-4);
		before = at;
	}
}

/* Gaps of a Poisson process: mean 1/rate, and as many variances as means; in five standard errors. */
static void test_poisson(void **state)
{
	(void)state;
	const double rate = 2000, seconds = 100, n = rate * seconds;
	struct load_schedule s = load_schedule_make(rate, rate, seconds, LOAD_POISSON, 7);
	double sum = 0, squares = 0, before = 0, count = 0;
	uint64_t at;

	while ((at = load_schedule_next(&s)) != LOAD_SCHEDULE_END) {
		double gap = ((double)at - before) * rate / 1e9;
		sum += gap;
		squares += gap * gap;
		before = (double)at;
		count++;
	}
	assert_true(fabs(count - n) < 5 * sqrt(n));
	assert_true(fabs(sum / count - 1) < 5 / sqrt(n));
	assert_true(fabs(squares / count - 2) < 5 * sqrt(20 / n)); /* E gap^4 - (E gap^2)^2 = 24 - 4 */
}

static void test_seeds(void **state)
{
	(void)state;
	struct load_schedule a = load_schedule_make(100, 100, 1, LOAD_POISSON, 1), b = a;
	struct load_schedule other = load_schedule_make(100, 100, 1, LOAD_POISSON, 2);
	bool differs = false;

	for (int i = 0; i < 20; i++) {
		uint64_t at = load_schedule_next(&a);
		assert_true(load_schedule_next(&b) == at);
		differs = differs || load_schedule_next(&other) != at;
	}
	assert_true(differs);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < LOAD_ARRIVALS_COUNT; i++)
		assert_int_equal(load_arrivals_by_name(load_arrivals_name((enum load_arrivals)i)), i);
	assert_int_equal(load_arrivals_by_name("bursts"), LOAD_ARRIVALS_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_constant_is_even),
	    cmocka_unit_test(test_a_part_of_a_request),
	    cmocka_unit_test(test_ramp),
	    cmocka_unit_test(test_ramp_inverts_its_count),
	    cmocka_unit_test(test_poisson),
	    cmocka_unit_test(test_seeds),
	    cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
