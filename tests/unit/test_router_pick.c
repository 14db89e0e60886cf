/* Which version a request gets: exact shares at random and by unit, and never a shadow. */
#include "core/stat/stat_proportion.h"
#include "runtime/router/router.h"
#include "unit.h"

#include <stdio.h>

#define REQUESTS 1000000

static struct served_version first = {.version = 1}, second = {.version = 2}, third = {.version = 3};
static struct served_version *versions[] = {&first, &second, &third};
static struct served_model model = {.name = "m", .versions = versions, .version_count = 3};

static void split(uint32_t second_bp)
{
	static struct route before;
	const struct route_entry weights[] = {
	    {1, ROUTE_LIVE, ROUTE_BUCKETS - second_bp}, {2, ROUTE_CANARY, second_bp}, {3, ROUTE_SHADOW, 5000}};
	route_single(&before, 1);
	assert_int_equal(route_split(&model.route, &before, weights, 3, NULL), 0);
}

/* Of that many requests, those that v2 got. */
static uint64_t count_second(bool by_unit)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i < REQUESTS; i++) {
		char unit[32];
		size_t size = by_unit ? (size_t)snprintf(unit, sizeof unit, "user-%u", i) : 0;
		const struct served_version *v = served_model_pick(&model, unit, size);
		assert_true(v == &first || v == &second);
		count += v == &second;
	}
	return count;
}

static void shares_are_exact(void **state)
{
	(void)state;
	static const uint32_t shares_bp[] = {10, 1000, 5000};
	for (size_t i = 0; i < sizeof shares_bp / sizeof *shares_bp; i++) {
		split(shares_bp[i]);
		double share = shares_bp[i] / (double)ROUTE_BUCKETS;
		assert_true(stat_binomial_two_sided(count_second(true), REQUESTS, share) > 1e-6);
		/* Seeded from the clock: it is another one each time, and wrong once in 10^12. */
		assert_true(stat_binomial_two_sided(count_second(false), REQUESTS, share) > 1e-12);
	}
}

static void the_same_unit_gets_the_same_version(void **state)
{
	(void)state;
	split(5000);
	for (uint32_t i = 0; i < 1000; i++) {
		char unit[32];
		size_t size = (size_t)snprintf(unit, sizeof unit, "user-%u", i);
		const struct served_version *v = served_model_pick(&model, unit, size);
		for (int again = 0; again < 10; again++)
			assert_ptr_equal(served_model_pick(&model, unit, size), v);
	}
}

static void nothing_live_is_nobody(void **state)
{
	(void)state;
	route_init(&model.route);
	assert_null(served_model_pick(&model, "u", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shares_are_exact),
	    cmocka_unit_test(the_same_unit_gets_the_same_version),
	    cmocka_unit_test(nothing_live_is_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
