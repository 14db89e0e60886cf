/* What the statistics promise beside their figures (tests/tools/statistics_cases.c holds those against SciPy's). */
#include "core/stat/stat_anytime.h"
#include "core/stat/stat_distance.h"
#include "core/stat/stat_distribution.h"
#include "core/stat/stat_proportion.h"
#include "unit.h"

#include <math.h>

#define assert_near(a, b, share) assert_true(fabs((a) - (b)) <= (share)*fabs(b))

static void tails_and_quantiles_agree(void **state)
{
	(void)state;
	static const double levels[] = {1e-300, 1e-20, 1e-3, 0.025, 0.3};
	static const double sizes[] = {0.7, 1, 3.5, 40, 1e4, 1e9};
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
			double p = levels[i], size = sizes[j];
			if (size > 1 || p > 1e-100)
				assert_near(stat_t_upper(stat_t_upper_quantile(p, size), size), p, 1e-9);
			assert_near(stat_chi2_upper(stat_chi2_upper_quantile(p, size), size), p, 1e-9);
			assert_near(stat_beta_lower(stat_beta_quantile(p, 3, size), 3, size), p, 1e-9);
		}
	assert_true(isnan(stat_t_upper(1, -1)) && isnan(stat_chi2_upper(1, 0)) && isnan(stat_beta_lower(NAN, 1, 1)) &&
		    isnan(stat_normal_quantile(1.5)));
}

static void counts_keep_their_digits(void **state)
{
	(void)state;
	struct err e;
	double log_e, weights[] = {0.5, 0.5}, unequal[] = {0.95, 0.05, 0};
	/* Of 2e15 that are split evenly the kernel is known: ln E is about half of ln((c + N) / c) below 0. */
	uint64_t even[] = {1000000000000000, 1000000000000000}, impossible[] = {3, 4, 1};
	assert_int_equal(stat_counts_log_e(even, weights, 2, 1000, &log_e, &e), 0);
	assert_near(log_e, -0.5 * log(2e12), 1e-4);
	uint64_t far[] = {200000, 400000};
	assert_int_equal(stat_counts_log_e(far, weights, 2, 1000, &log_e, &e), 0);
	assert_true(log_e > 3e4 && isfinite(log_e) && stat_anytime_p(log_e) == 0);
	assert_int_equal(stat_counts_log_e(impossible, unequal, 3, 20, &log_e, &e), 0);
	assert_true(isinf(log_e) && log_e > 0);
	weights[0] = 0.6;
	assert_int_equal(stat_counts_log_e(even, weights, 2, 1000, &log_e, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	weights[0] = NAN;
	assert_int_equal(stat_counts_log_e(even, weights, 2, 1000, &log_e, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tails_and_quantiles_agree),
	    cmocka_unit_test(counts_keep_their_digits),
	};
	return cmocka_run_group_tests_name("stat", tests, NULL, NULL);
}
