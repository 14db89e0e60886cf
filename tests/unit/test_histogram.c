/* Every value lands in a bucket whose middle is within 1% of it; quantiles match sorted values. */
#include "core/histogram.h"
#include "unit.h"

#include <stdlib.h>

static void buckets_are_within_one_percent(void **state)
{
	(void)state;
	uint32_t before = 0;
	for (uint64_t ns = 0; ns < HISTOGRAM_MAX_NS; ns += 1 + ns / 300) {
		uint32_t bucket = histogram_bucket(ns);
		assert_true(bucket >= before && bucket < HISTOGRAM_BUCKETS);
		before = bucket;
		double error = (double)histogram_value_ns(bucket) - (double)ns;
		assert_true(error <= 0.01 * (double)ns && -error <= 0.01 * (double)ns);
	}
}

static void values_beyond_the_range_count_as_the_last(void **state)
{
	(void)state;
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(HISTOGRAM_MAX_NS), HISTOGRAM_BUCKETS - 1);
}

static void middle_of_a_bucket_is_in_it(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		assert_int_equal(histogram_bucket(histogram_value_ns(i)), i);
}

static void quantiles_are_nearest_ranks(void **state)
{
	(void)state;
	static uint64_t counts[HISTOGRAM_BUCKETS];
	assert_int_equal(histogram_quantile_ns(counts, 0.5), 0);
	for (uint64_t ns = 1; ns <= 100; ns++)
		counts[histogram_bucket(ns)]++;
	assert_int_equal(histogram_quantile_ns(counts, 0.5), 50);
	assert_int_equal(histogram_quantile_ns(counts, 0.99), 99);
	assert_int_equal(histogram_quantile_ns(counts, 1), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buckets_are_within_one_percent),
	    cmocka_unit_test(values_beyond_the_range_count_as_the_last),
	    cmocka_unit_test(middle_of_a_bucket_is_in_it),
	    cmocka_unit_test(quantiles_are_nearest_ranks),
	};
	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
