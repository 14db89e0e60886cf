/* What the statistics of two arms promise: how counts split, adjusted means, ratios by unit, ranks of counts. */
#include "core/stat/stat_anytime.h"
#include "core/stat/stat_mean.h"
#include "core/stat/stat_rank.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#define assert_near(got, expected, share)                                                 \
	do {                                                                              \
		double got_ = (got), expected_ = (expected);                              \
		if (!(fabs(got_ - expected_) <= (share)*fabs(expected_)))                 \
			fail_msg("%s: expected %.17g, got %.17g", #got, expected_, got_); \
	} while (0)

static double log_e_at(const uint64_t counts[2], double share)
{
	double log_e = NAN, weights[] = {1 - share, share};
	assert_int_equal(stat_counts_log_e(counts, weights, 2, 20, &log_e, NULL), 0);
	return log_e;
}

/* At its ends the evidence is what is asked for, inside less, outside more. */
static void a_split_is_what_the_evidence_leaves(void **state)
{
	(void)state;
	static const uint64_t counts[][2] = {{1, 0},  {0, 1},    {0, 40},        {40, 0},         {1, 1},
					     {3, 20}, {500, 20}, {90000, 91000}, {1000000000, 1}, {1, 1000000000}};
	static const double levels[] = {0.5, 0.05, 1e-6};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		for (size_t k = 0; k < sizeof levels / sizeof *levels; k++) {
			struct stat_interval s;
			double limit = -log(levels[k]);
			assert_int_equal(stat_anytime_split(counts[i], 20, levels[k], &s, NULL), 0);
			assert_true(s.low >= 0 && s.low < s.high && s.high <= 1);
			assert_true(counts[i][1] > 0 || s.low == 0);
			assert_true(counts[i][0] > 0 || s.high == 1);
			if (s.low > 0)
				assert_near(log_e_at(counts[i], s.low), limit, 1e-6);
			/* 1 - high has lost its digits where it is near 0. */
			if (s.high < 1)
				assert_near(log_e_at(counts[i], s.high), limit, s.high > 0.999999 ? 0.01 : 1e-6);
			for (int step = 1; step < 200; step++) {
				double share = step / 200.;
				bool inside = share > s.low && share < s.high;
				assert_true(inside == (log_e_at(counts[i], share) < limit));
			}
		}
	struct stat_interval none;
	struct err e = {.code = ERR_NONE};
	assert_int_equal(stat_anytime_split((uint64_t[]){0, 0}, 20, 0.05, &none, NULL), 0);
	assert_true(none.low == 0 && none.high == 1);
	assert_int_equal(stat_anytime_split(counts[0], 20, 1, &none, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_int_equal(stat_anytime_split(counts[0], 0, 0.05, &none, &e), -1);
}

/* Adjusted moments under Welch's test are what stat_cuped says. */
static void adjusted_moments_are_those_of_cuped(void **state)
{
	(void)state;
	struct stat_pairs a = {.c = 0}, b = {.c = 0};
	for (int i = 0; i < 40; i++) {
		stat_pairs_add(&a, i, 3 * i + i % 5);
		stat_pairs_add(&b, i + 1, 3 * i + 4 + i % 3);
	}
	struct stat_cuped cuped;
	struct stat_mean_test test;
	struct stat_moments of_a, of_b;
	assert_int_equal(stat_cuped(&a, &b, 0.05, &cuped, NULL), 0);
	assert_true(stat_cuped_adjust(&a, &b, &of_a, &of_b) == cuped.theta);
	assert_int_equal(stat_welch(&of_a, &of_b, 0.05, &test, NULL), 0);
	assert_true(test.p == cuped.test.p && test.difference == cuped.test.difference);
	assert_true(cuped.variance_ratio < 0.01);
}

/* Against the values that it stands for: (y - ratio x) / mean x + ratio, one by one. */
static void ratios_vary_by_unit(void **state)
{
	(void)state;
	enum { COUNT = 50 };
	struct stat_pairs p = {.c = 0};
	double x[COUNT], y[COUNT], values[COUNT], sum_x = 0, sum_y = 0;
	for (int i = 0; i < COUNT; i++) {
		x[i] = 1 + i % 7;
		y[i] = (i * 31) % 11 * x[i];
		sum_x += x[i];
		sum_y += y[i];
		stat_pairs_add(&p, x[i], y[i]);
	}
	for (int i = 0; i < COUNT; i++)
		values[i] = (y[i] - sum_y / sum_x * x[i]) / (sum_x / COUNT) + sum_y / sum_x;
	struct stat_moments ratio = stat_ratio_moments(&p), expected = stat_moments_of(values, COUNT);
	assert_int_equal(ratio.count, COUNT);
	assert_near(stat_moments_mean(&ratio), sum_y / sum_x, 1e-14);
	assert_near(stat_moments_variance(&ratio), stat_moments_variance(&expected), 1e-12);
	struct stat_pairs none = {.c = 0};
	stat_pairs_add(&none, 0, 1);
	stat_pairs_add(&none, 0, 2);
	ratio = stat_ratio_moments(&none);
	assert_true(!isfinite(stat_moments_mean(&ratio)));
}

/* The same values as counts and as a list with its ties. */
static void ranks_of_counts_are_those_of_values(void **state)
{
	(void)state;
	enum { BINS = 30, EACH = 400 };
	static double a[EACH], b[EACH];
	uint64_t count_a[BINS] = {0}, count_b[BINS] = {0}, none[BINS] = {0};
	for (size_t i = 0; i < EACH; i++) {
		size_t of_a = i * i % BINS, of_b = (i * 7 + i / 40) % (BINS - 4) + 4;
		count_a[of_a]++;
		count_b[of_b]++;
		a[i] = (double)of_a;
		b[i] = (double)of_b;
	}
	struct stat_mann_whitney values;
	struct stat_rank_counts counts;
	struct err e = {.code = ERR_NONE};
	assert_int_equal(stat_mann_whitney(a, EACH, b, EACH, &values, NULL), 0);
	assert_int_equal(stat_mann_whitney_counts(count_a, count_b, BINS, &counts, NULL), 0);
	assert_near(counts.superiority, values.superiority, 1e-14);
	assert_near(counts.p, values.p, 1e-12);
	assert_int_equal(stat_mann_whitney_counts(count_a, none, BINS, &counts, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	/* All alike. */
	none[3] = 5;
	assert_int_equal(stat_mann_whitney_counts(none, none, BINS, &counts, NULL), 0);
	assert_true(counts.superiority == 0.5 && counts.p == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_split_is_what_the_evidence_leaves),
	    cmocka_unit_test(adjusted_moments_are_those_of_cuped),
	    cmocka_unit_test(ratios_vary_by_unit),
	    cmocka_unit_test(ranks_of_counts_are_those_of_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
