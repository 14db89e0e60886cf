/* The comparison of two answers, against values worked out by hand. */
#include "core/shadow.h"
#include "unit.h"

#include <math.h>

#define COUNT(values) (sizeof(values) / sizeof *(values))

static struct shadow_stats compare(enum shadow_sense live_sense, const double *live, size_t live_count,
				   enum shadow_sense shadow_sense, const double *shadow, size_t shadow_count)
{
	struct shadow_stats stats = {0};
	const struct shadow_answer a = {live_sense, live, live_count}, b = {shadow_sense, shadow, shadow_count};

	shadow_compare(&stats, &a, &b);
	return stats;
}

static void differences_of_numbers(void **state)
{
	(void)state;
	static const double live[] = {1, 2, 3, -4}, shadow[] = {1, 2.5, 1, -4};
	struct shadow_stats stats = compare(SHADOW_NUMBERS, live, 4, SHADOW_NUMBERS, shadow, 4);

	assert_int_equal(stats.rows, 4);
	assert_int_equal(stats.differing, 2);
	assert_int_equal(stats.flips, 0);
	assert_int_equal(stats.incomparable, 0);
	assert_true(stats.difference_sum == -1.5);
	assert_true(stats.absolute_sum == 2.5);
	assert_true(stats.absolute_max == 2);
	assert_true(shadow_difference_mean(&stats) == -0.375);
	assert_true(shadow_absolute_mean(&stats) == 0.625);
	assert_int_equal(stats.bins[0], 2);
	assert_int_equal(stats.bins[9], 1);  /* [0.1, 1) */
	assert_int_equal(stats.bins[10], 1); /* [1, 10) */
}

static void sums_grow_from_request_to_request(void **state)
{
	(void)state;
	static const double live[] = {0.25}, shadow[] = {0.75};
	struct shadow_stats stats = {0};
	const struct shadow_answer a = {SHADOW_NUMBERS, live, 1}, b = {SHADOW_NUMBERS, shadow, 1};

	shadow_compare(&stats, &a, &b);
	shadow_compare(&stats, &b, &a);
	assert_int_equal(stats.rows, 2);
	assert_true(stats.difference_sum == 0);
	assert_true(stats.absolute_sum == 1);
	assert_true(stats.absolute_max == 0.5);
}

static void probabilities_flip_at_one_half(void **state)
{
	(void)state;
	static const double live[] = {0.4, 0.5, 0.6, 0.49}, shadow[] = {0.6, 0.49, 0.5, 0.1};
	struct shadow_stats stats = compare(SHADOW_PROBABILITIES, live, 4, SHADOW_PROBABILITIES, shadow, 4);

	assert_int_equal(stats.flips, 2);
	assert_true(shadow_flip_percent(&stats) == 50);
	stats = compare(SHADOW_NUMBERS, live, 4, SHADOW_PROBABILITIES, shadow, 4);
	assert_int_equal(stats.flips, 0);
	assert_int_equal(stats.incomparable, 0);
}

static void classes_flip_when_they_differ(void **state)
{
	(void)state;
	static const double live[] = {0, 1, 2}, shadow[] = {0, 2, 0};
	struct shadow_stats stats = compare(SHADOW_CLASSES, live, 3, SHADOW_CLASSES, shadow, 3);

	assert_int_equal(stats.flips, 2);
	assert_int_equal(stats.differing, 2);
	stats = compare(SHADOW_CLASSES, live, 3, SHADOW_NUMBERS, shadow, 3);
	assert_int_equal(stats.incomparable, 3);
	assert_int_equal(stats.differing, 3);
	assert_int_equal(stats.flips, 0);
}

static void what_is_no_number_has_no_difference(void **state)
{
	(void)state;
	static const double live[] = {NAN, NAN, 0.1, INFINITY, INFINITY, -1e308, 1};
	static const double shadow[] = {NAN, 0.9, NAN, INFINITY, -INFINITY, 1e308, 1};
	struct shadow_stats stats = compare(SHADOW_PROBABILITIES, live, 7, SHADOW_PROBABILITIES, shadow, 7);

	assert_int_equal(stats.rows, 7);
	assert_int_equal(stats.incomparable, 4);
	assert_int_equal(stats.differing, 4);
	assert_int_equal(stats.flips, 0);
	assert_int_equal(stats.bins[0], 3);
	assert_true(stats.absolute_sum == 0 && stats.absolute_max == 0 && stats.difference_sum == 0);
}

static void rows_of_one_side_alone(void **state)
{
	(void)state;
	static const double live[] = {1, 2, 3}, shadow[] = {1};
	struct shadow_stats stats = compare(SHADOW_NUMBERS, live, 3, SHADOW_NUMBERS, shadow, 1);

	assert_int_equal(stats.rows, 3);
	assert_int_equal(stats.incomparable, 2);
	assert_int_equal(stats.bins[0], 1);
	stats = compare(SHADOW_NUMBERS, NULL, 0, SHADOW_NUMBERS, NULL, 0);
	assert_int_equal(stats.rows, 0);
	assert_true(isnan(shadow_flip_percent(&stats)) && isnan(shadow_absolute_mean(&stats)) &&
		    isnan(shadow_latency_ratio(&stats)));
}

/* Bin i spans [10^(i-10), 10^(i-9)). */
static void bins_have_decimal_edges(void **state)
{
	(void)state;
	static const struct {
		double difference;
		size_t bin;
	} cases[] = {{0, 0},    {5e-324, 1}, {9.9e-9, 1}, {1e-8, 2}, {0.001, 7}, {0.0099, 7},
		     {0.01, 8}, {1, 10},     {9.99, 10},  {1e5, 15}, {1e300, 15}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		static const double zero = 0;
		struct shadow_stats stats = compare(SHADOW_NUMBERS, &zero, 1, SHADOW_NUMBERS, &cases[i].difference, 1);
		assert_int_equal(stats.bins[cases[i].bin], 1);
	}
	assert_true(shadow_bin_edge(0) == 0 && shadow_bin_edge(9) == 1 && isinf(shadow_bin_edge(15)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(differences_of_numbers),
	    cmocka_unit_test(sums_grow_from_request_to_request),
	    cmocka_unit_test(probabilities_flip_at_one_half),
	    cmocka_unit_test(classes_flip_when_they_differ),
	    cmocka_unit_test(what_is_no_number_has_no_difference),
	    cmocka_unit_test(rows_of_one_side_alone),
	    cmocka_unit_test(bins_have_decimal_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
