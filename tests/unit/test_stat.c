/* What the statistics promise beside their figures, which test_statistics holds against reference values. */
#include "core/stat/stat_anytime.h"
#include "core/stat/stat_burn.h"
#include "core/stat/stat_diff.h"
#include "core/stat/stat_distance.h"
#include "core/stat/stat_distribution.h"
#include "core/stat/stat_mean.h"
#include "core/stat/stat_multiple.h"
#include "core/stat/stat_proportion.h"
#include "core/stat/stat_quantile.h"
#include "core/stat/stat_rank.h"
#include "core/stat/stat_root.h"
#include "core/stat/stat_size.h"
#include "unit.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define assert_near(got, expected, share)                                                 \
	do {                                                                              \
		double got_ = (got), expected_ = (expected);                              \
		if (!(fabs(got_ - expected_) <= (share)*fabs(expected_)))                 \
			fail_msg("%s: expected %.17g, got %.17g", #got, expected_, got_); \
	} while (0)

/* A refusal: ERR_INPUT and a sentence. */
#define assert_refused(call)                         \
	do {                                         \
		struct err e = {0};                  \
		assert_int_equal((call), -1);        \
		assert_int_equal(e.code, ERR_INPUT); \
		assert_true(e.text[0] != '\0');      \
	} while (0)

/* Uniform in (0, 1), the same numbers in every run (splitmix64). */
static double next_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.;
}

static void tails_and_quantiles_agree(void **state)
{
	(void)state;
	static const double levels[] = {1e-300, 1e-20, 1e-3, 0.025, 0.3};
	static const double sizes[] = {0.7, 1, 3.5, 40, 1e4, 1e9};
	for (size_t i = 0; i < COUNT(levels); i++)
		for (size_t j = 0; j < COUNT(sizes); j++) {
			double p = levels[i], size = sizes[j];
			if (size > 1 || p > 1e-100)
				assert_near(stat_t_upper(stat_t_upper_quantile(p, size), size), p, 1e-9);
			assert_near(stat_chi2_upper(stat_chi2_upper_quantile(p, size), size), p, 1e-9);
			assert_near(stat_beta_lower(stat_beta_quantile(p, 3, size), 3, size), p, 1e-9);
		}
	assert_true(isnan(stat_t_upper(1, -1)) && isnan(stat_chi2_upper(1, 0)) && isnan(stat_beta_lower(NAN, 1, 1)) &&
		    isnan(stat_normal_quantile(1.5)) && isnan(stat_binomial_upper(1, 2, NAN)));
	assert_true(stat_kolmogorov_upper(0.05) == 1 && stat_kolmogorov_upper(-1) == 1 && stat_lambert_lower(-1) == -1);
	assert_true(stat_t_upper_quantile(0.5, 3) == 0 && stat_t_upper(-INFINITY, 3) == 1);
	assert_near(stat_t_upper_quantile(0.975, 7), -stat_t_upper_quantile(0.025, 7), 1e-14);
}

/* Series in 30 digits; here a library was 1% off, and a difference of two large counts lost eight digits. */
static void hard_tails(void **state)
{
	(void)state;
	assert_near(1 - stat_chi2_upper(9887034.511470584, 9907395.161075115), 2.35851374211788985e-6, 1e-9);
	assert_near(stat_beta_lower(0.9999999748902033, 9905288.52871036, 0.05728018719249901), 0.0601214831439158767,
		    1e-11);
	assert_near(stat_beta_upper(0.9999996698316563, 9297059.77543718, 9.979046407094934), 0.00133889251882316648,
		    1e-11);
}

static double cubic(double x, const void *context)
{
	return x * x * x - *(const double *)context;
}

static void roots(void **state)
{
	(void)state;
	double eight = 8, tiny = 1e-30;
	assert_near(stat_root(cubic, &eight, -1e6, 1e9), 2, 1e-15);
	assert_near(stat_root(cubic, &tiny, -1, 1), 1e-10, 1e-14);
	assert_near(stat_root_rising(cubic, &eight, 1e5, 1, 1e9), 2, 1e-15);
	assert_true(isnan(stat_root(cubic, &eight, 3, 4)));
	assert_true(stat_root_rising(cubic, &eight, 0, 0.1, 1) == INFINITY);
}

static void moments_merge(void **state)
{
	(void)state;
	double values[100];
	uint64_t seed = 7;
	for (size_t i = 0; i < COUNT(values); i++)
		values[i] = 1e12 + floor(1000 * next_random(&seed));
	struct stat_moments whole = stat_moments_of(values, COUNT(values));
	for (size_t cut = 0; cut <= COUNT(values); cut += 25) {
		struct stat_moments left = stat_moments_of(values, cut);
		struct stat_moments right = stat_moments_of(values + cut, COUNT(values) - cut);
		stat_moments_merge(&left, &right);
		assert_int_equal(left.count, whole.count);
		assert_near(stat_moments_mean(&left), stat_moments_mean(&whole), 1e-15);
		assert_near(stat_moments_variance(&left), stat_moments_variance(&whole), 1e-12);
	}
	struct stat_moments empty = {0};
	assert_true(isnan(stat_moments_mean(&empty)) && isnan(stat_moments_variance(&empty)));
	stat_moments_add(&whole, NAN);
	assert_true(isnan(stat_moments_mean(&whole)) && isnan(stat_moments_variance(&whole)));
}

static void pairs_merge(void **state)
{
	(void)state;
	struct stat_pairs whole = {0}, left = {0}, right = {0}, empty = {0};
	uint64_t seed = 8;
	for (int i = 0; i < 200; i++) {
		double x = 1e6 + next_random(&seed), y = 3 * x + next_random(&seed);
		stat_pairs_add(&whole, x, y);
		stat_pairs_add(i < 70 ? &left : &right, x, y);
	}
	stat_pairs_merge(&empty, &left);
	stat_pairs_merge(&empty, &right);
	assert_near(stat_pairs_covariance(&empty), stat_pairs_covariance(&whole), 1e-11);
	assert_near(stat_pairs_correlation(&empty), stat_pairs_correlation(&whole), 1e-12);
}

static void means_without_variance(void **state)
{
	(void)state;
	struct err e;
	struct stat_moments five = stat_moments_from(10, 5, 0), six = stat_moments_from(10, 6, 0);
	struct stat_mean_test test;
	assert_int_equal(stat_welch(&five, &five, 0.05, &test, &e), 0);
	assert_true(test.t == 0 && test.p == 1);
	assert_int_equal(stat_welch(&five, &six, 0.05, &test, &e), 0);
	assert_true(isinf(test.t) && test.p == 0 && test.interval.low == 1 && test.interval.high == 1);
	/* At any time nothing is known before something varied. */
	struct stat_sequence s;
	assert_int_equal(stat_anytime_means(&five, &six, 0.05, 0.01, &s, &e), 0);
	assert_true(s.log_e == 0 && s.p == 1 && s.interval.low == -INFINITY && s.interval.high == INFINITY);
	struct stat_moments one = stat_moments_from(1, 5, 0), nan = stat_moments_from(9, NAN, 1);
	struct stat_lift lift;
	assert_refused(stat_welch(&one, &six, 0.05, &test, &e));
	assert_refused(stat_welch(&nan, &six, 0.05, &test, &e));
	assert_refused(stat_welch(&five, &six, 1, &test, &e));
	assert_refused(stat_paired(&one, 0.05, &test, &e));
	assert_refused(stat_anytime_means(&one, &six, 0.05, 0.01, &s, &e));
	assert_refused(stat_anytime_means(&five, &six, 0.05, 0, &s, &e));
	struct stat_moments zero = stat_moments_from(10, 0, 1);
	assert_refused(stat_lift(&zero, &six, 0.05, &lift, &e));
}

static void rates_at_their_limits(void **state)
{
	(void)state;
	struct err e;
	struct stat_two_rates t;
	struct stat_share none = {0, 50}, all = {50, 50}, empty = {0, 0}, wrong = {3, 2};
	assert_int_equal(stat_two_rates(none, none, 0.05, &t, &e), 0);
	assert_true(t.z_pooled == 0 && t.p_pooled == 1 && t.newcombe.low < 0 && t.newcombe.high > 0);
	assert_int_equal(stat_two_rates(none, all, 0.05, &t, &e), 0);
	assert_true(t.difference == 1 && isinf(t.z) && t.newcombe.high == 1 && t.newcombe.low > 0.8);
	assert_refused(stat_two_rates(empty, all, 0.05, &t, &e));
	assert_refused(stat_two_rates(wrong, all, 0.05, &t, &e));
	struct stat_interval i = stat_clopper_pearson(empty, 0.05);
	assert_true(i.low == 0 && i.high == 1);
	i = stat_wilson(all, 0.05);
	assert_true(i.high == 1 && i.low > 0.9);
	assert_true(isnan(stat_jeffreys(wrong, 0.05).low) && isnan(stat_clopper_pearson_lower(all, 2)));
	assert_true(stat_clopper_pearson_lower(none, 0.05) == 0);
	struct stat_poisson_rates rates;
	assert_int_equal(stat_poisson_rates(0, 1, 0, 1, &rates, &e), 0);
	assert_true(rates.p == 1 && isnan(rates.ratio));
	assert_refused(stat_poisson_rates(1, 0, 1, 1, &rates, &e));
	assert_true(stat_mcnemar(0, 0).p_exact == 1 && isnan(stat_binomial_two_sided(3, 2, 0.5)));
	assert_true(stat_binomial_two_sided(0, 9, 0) == 1 && stat_binomial_two_sided(1, 9, 0) == 0);
	assert_false(stat_anytime_is_frequent((struct stat_share){29, 1000}, (struct stat_share){300, 1000}));
	assert_false(stat_anytime_is_frequent((struct stat_share){500, 1000}, (struct stat_share){990, 1000}));
	assert_false(stat_anytime_is_frequent((struct stat_share){990, 1000}, (struct stat_share){500, 1000}));
	assert_true(stat_anytime_is_frequent((struct stat_share){30, 1000}, (struct stat_share){970, 1000}));
}

static void more_confidence_is_wider(void **state)
{
	(void)state;
	struct err e;
	struct stat_share share = {7, 400};
	struct stat_interval last[4] = {{1, 0}, {1, 0}, {1, 0}, {1, 0}};
	for (double alpha = 0.5; alpha > 1e-12; alpha /= 10) {
		struct stat_interval now[4] = {stat_wilson(share, alpha), stat_clopper_pearson(share, alpha),
					       stat_jeffreys(share, alpha)};
		assert_int_equal(stat_anytime_rate(share, alpha, &now[3], &e), 0);
		for (size_t i = 0; i < 4; i++) {
			assert_true(now[i].low < 7. / 400 && now[i].high > 7. / 400);
			assert_true(now[i].low < last[i].low && now[i].high > last[i].high);
			last[i] = now[i];
		}
		/* To be looked at any time costs width. */
		assert_true(now[3].low < now[1].low && now[3].high > now[1].high);
	}
	struct stat_ranks any;
	struct stat_quantile_ranks once;
	assert_int_equal(stat_anytime_quantile(0.9, 2000, 2000, 0.05, &any, &e), 0);
	assert_int_equal(stat_quantile_ranks(2000, 0.9, 0.05, &once, &e), 0);
	assert_true(any.lower < once.lower && any.upper > once.upper && once.coverage >= 0.95);
	assert_int_equal(stat_anytime_quantile(0.99, 3, 2000, 0.05, &any, &e), 0);
	assert_true(any.upper == 4 && any.upper_radius == INFINITY);
	assert_int_equal(stat_anytime_quantile(0.99, 0, 2000, 0.05, &any, &e), 0);
	assert_true(any.lower == 0 && any.upper == 1);
	assert_refused(stat_anytime_quantile(1, 3, 2000, 0.05, &any, &e));
	assert_refused(stat_quantile_ranks(0, 0.5, 0.05, &once, &e));
	assert_refused(stat_anytime_rate((struct stat_share){2, 1}, 0.05, &last[0], &e));
}

static void counts_keep_their_digits(void **state)
{
	(void)state;
	struct err e;
	double log_e, weights[] = {0.5, 0.5}, unequal[] = {0.95, 0.05, 0};
	/* Of 2e15 that are split evenly ln E is nearly -ln((c + N) / c) / 2. */
	uint64_t even[] = {1000000000000000, 1000000000000000}, impossible[] = {3, 4, 1};
	assert_int_equal(stat_counts_log_e(even, weights, 2, 1000, &log_e, &e), 0);
	assert_near(log_e, -0.5 * log(2e12), 1e-4);
	/* Weights that were written with nine digits are no evidence. */
	weights[0] = 0.5 + 5e-10;
	assert_int_equal(stat_counts_log_e(even, weights, 2, 1e15, &log_e, &e), 0);
	assert_true(fabs(log_e) < 2);
	weights[0] = 0.5;
	uint64_t far[] = {200000, 400000};
	assert_int_equal(stat_counts_log_e(far, weights, 2, 1000, &log_e, &e), 0);
	assert_true(log_e > 3e4 && isfinite(log_e) && stat_anytime_p(log_e) == 0);
	assert_int_equal(stat_counts_log_e(impossible, unequal, 3, 20, &log_e, &e), 0);
	assert_true(isinf(log_e) && log_e > 0);
	assert_refused(stat_counts_log_e(even, weights, 2, 0, &log_e, &e));
	assert_refused(stat_counts_log_e(even, weights, 0, 20, &log_e, &e));
	weights[0] = 0.6;
	assert_refused(stat_counts_log_e(even, weights, 2, 1000, &log_e, &e));
	weights[0] = NAN;
	assert_refused(stat_counts_log_e(even, weights, 2, 1000, &log_e, &e));
	assert_true(isnan(stat_anytime_p(NAN)) && stat_anytime_p(-3) == 1 && stat_anytime_p(INFINITY) == 0);
}

/* The promise itself: a canary of 5% with as many errors as the live version, looked at after every error, alarms in
 * at most alpha of all runs, however long it goes on. */
static void looking_again_does_not_alarm(void **state)
{
	(void)state;
	const double shares[] = {0.95, 0.05}, alpha = 0.05;
	const int runs = 2000;
	int alarms = 0, misses = 0;
	uint64_t seed = 2024;
	for (int run = 0; run < runs; run++) {
		uint64_t errors[2] = {0, 0}, worse[2] = {0, 0};
		double log_e = 0, greatest = 0, found = 0;
		for (int i = 0; i < 300; i++) {
			errors[next_random(&seed) < shares[1]]++;
			/* Five times the rate: 5 of 24 errors are the canary's. */
			worse[next_random(&seed) < 5 * 0.05 / (0.95 + 5 * 0.05)]++;
			assert_int_equal(stat_counts_log_e(errors, shares, 2, STAT_EVENT_CONCENTRATION, &log_e, NULL),
					 0);
			greatest = fmax(greatest, log_e);
			assert_int_equal(stat_counts_log_e(worse, shares, 2, STAT_EVENT_CONCENTRATION, &log_e, NULL),
					 0);
			found = fmax(found, log_e);
		}
		alarms += stat_anytime_p(greatest) <= alpha;
		misses += stat_anytime_p(found) > alpha;
	}
	assert_true(alarms <= runs * alpha);
	assert_true(misses <= runs / 50);
}

static void intervals_hold_at_any_time(void **state)
{
	(void)state;
	const double rate = 0.1, alpha = 0.1;
	const int runs = 400;
	int left = 0;
	uint64_t seed = 99;
	for (int run = 0; run < runs; run++) {
		struct stat_share share = {0, 0};
		double greatest = 0;
		for (int i = 0; i < 500; i++) {
			struct stat_interval interval;
			share.trials++;
			share.events += next_random(&seed) < rate;
			assert_int_equal(stat_anytime_rate(share, alpha, &interval, NULL), 0);
			double log_e = stat_anytime_rate_log_e(share, rate);
			/* The interval is what the evidence does not speak against. */
			assert_true((rate < interval.low || rate > interval.high) == (log_e > -log(alpha)));
			greatest = fmax(greatest, log_e);
		}
		left += greatest > -log(alpha);
	}
	assert_true(left <= runs * alpha);
}

static void distances_refuse_nothing_else(void **state)
{
	(void)state;
	struct err e;
	uint64_t counts[] = {5, 0, 7}, none[] = {0, 0, 0};
	double weights[] = {0.5, 0.25, 0.25}, a[] = {3, 1, 2}, b[] = {NAN, 1};
	struct stat_psi psi;
	struct stat_distances d;
	struct stat_chi2 chi2;
	struct stat_ks ks;
	struct stat_wasserstein w;
	assert_refused(stat_psi(counts, none, 3, 0.5, 0.05, &psi, &e));
	assert_refused(stat_psi(counts, counts, 1, 0.5, 0.05, &psi, &e));
	assert_refused(stat_psi(counts, counts, 3, -1, 0.05, &psi, &e));
	assert_refused(stat_distances(none, counts, 3, &d, &e));
	assert_refused(stat_chi2_homogeneity(counts, none, 3, &chi2, &e));
	assert_refused(stat_chi2_fit(none, weights, 3, &chi2, &e));
	assert_refused(stat_chi2_fit(counts, weights, 2, &chi2, &e));
	assert_refused(stat_ks(a, 3, b, 2, &ks, &e));
	assert_refused(stat_wasserstein(a, 3, b, 0, &w, &e));
	assert_int_equal(stat_psi(counts, counts, 3, 0, 0.05, &psi, &e), 0);
	assert_true(psi.psi == 0 && psi.p == 1);
	assert_int_equal(stat_distances(counts, counts, 3, &d, &e), 0);
	assert_true(d.jensen_shannon == 0 && d.hellinger == 0 && d.total_variation == 0);
	assert_int_equal(stat_ks(a, 3, a, 3, &ks, &e), 0);
	assert_true(ks.distance == 0 && ks.p == 1 && a[0] == 1 && a[2] == 3);
}

/* Normal quantiles in order, and shifted: the same in every run. */
static void spread(double *values, size_t count, double shift)
{
	for (size_t i = 0; i < count; i++)
		values[i] = shift + stat_normal_quantile(((double)i + 0.5) / (double)count);
}

static void exact_and_asymptotic_ranks_meet(void **state)
{
	(void)state;
	struct err e;
	static double a[220], b[220];
	struct stat_mann_whitney small, large;
	spread(a, 200, 0);
	spread(b, 200, 0.2);
	assert_int_equal(stat_mann_whitney(a, 200, b, 200, &small, &e), 0);
	assert_true(small.is_exact && small.p == small.p_exact);
	assert_near(small.p_exact, small.p_continuity, 0.002);
	assert_near(small.shift, 0.2, 1e-9);
	spread(a, 220, 0);
	spread(b, 220, 0.2);
	assert_int_equal(stat_mann_whitney(a, 220, b, 220, &large, &e), 0);
	assert_true(!large.is_exact && large.p == large.p_continuity && isnan(large.p_exact));
	struct stat_wilcoxon w, longer;
	assert_int_equal(stat_wilcoxon(b, 200, 0.05, &w, &e), 0);
	assert_int_equal(stat_wilcoxon(b, 201, 0.05, &longer, &e), 0);
	assert_true(w.is_exact && !longer.is_exact && longer.k >= w.k && longer.k < w.k + 150);
	assert_true(w.interval.low < w.shift && w.shift < w.interval.high);
	struct stat_time_ratio ratio, wide;
	for (size_t i = 0; i < 220; i++)
		a[i] = exp(a[i] / 9), b[i] = a[i] * 1.25;
	assert_int_equal(stat_time_ratio(a, 200, b, 200, 0.05, &ratio, &e), 0);
	assert_int_equal(stat_time_ratio(a, 220, b, 220, 0.05, &wide, &e), 0);
	assert_true(ratio.is_exact && !wide.is_exact);
	assert_near(ratio.ratio, 1.25, 1e-12);
	assert_near(wide.ratio, 1.25, 1e-12);
	assert_near(wide.interval.low, ratio.interval.low, 0.01);
	assert_near(wide.coverage, 0.95, 0.001);
	/* One more value moves both the middle (by 100) and the width (by 4.2). */
	uint64_t exact_k = ratio.k;
	assert_int_equal(stat_time_ratio(a, 200, b, 201, 0.05, &ratio, &e), 0);
	assert_true(!ratio.is_exact && ratio.k >= exact_k + 90 && ratio.k <= exact_k + 97);
	/* Two against two can never reach 95%, and it says so. */
	assert_int_equal(stat_time_ratio(a, 2, b, 2, 0.05, &ratio, &e), 0);
	assert_true(ratio.k == 1 && ratio.coverage < 0.7);
}

static void ranks_refuse(void **state)
{
	(void)state;
	struct err e;
	double a[] = {1, 2}, b[] = {0, 3}, nan[] = {NAN};
	struct stat_mann_whitney m;
	struct stat_time_ratio ratio;
	struct stat_wilcoxon w;
	assert_refused(stat_mann_whitney(a, 2, nan, 1, &m, &e));
	assert_refused(stat_mann_whitney(a, 0, b, 2, &m, &e));
	assert_refused(stat_time_ratio(a, 2, b, 2, 0.05, &ratio, &e));
	assert_refused(stat_time_ratio(a, 2, a, 2, 0, &ratio, &e));
	assert_refused(stat_wilcoxon(a, 0, 0.05, &w, &e));
	/* SciPy's p of as many values with ties and zeros, with continuity. */
	double ties[300];
	for (int i = 0; i < 300; i++)
		ties[i] = i * 7 % 9 - 3;
	assert_int_equal(stat_wilcoxon(ties, 300, 0.05, &w, &e), 0);
	assert_true(!w.is_exact && w.w_min == 10083.5);
	assert_near(w.p, 4.99903516308265e-10, 1e-9);
	double zeros[] = {0, 0, 0};
	assert_int_equal(stat_wilcoxon(zeros, 3, 0.05, &w, &e), 0);
	assert_true(w.p == 1 && w.w_min == 0 && w.shift == 0);
	double same[] = {4, 4, 4};
	assert_int_equal(stat_mann_whitney(same, 3, same, 3, &m, &e), 0);
	assert_true(m.p == 1 && m.superiority == 0.5 && m.cliffs_delta == 0 && m.shift == 0);
}

static void sizes_reach_their_power(void **state)
{
	(void)state;
	for (double d = 0.05; d < 3; d *= 2)
		assert_near(stat_power_t(d, stat_size_t(d, 0.01, 0.9), 0.01), 0.9, 1e-12);
	double n = stat_size_means(0.3, 1, 2, 1, 0.05, 0.8);
	assert_near(stat_least_difference(1, 2, n, 0.05, 0.8), 0.3, 1e-14);
	double rise = stat_least_rise(0.2, 5000, 0.05, 0.8);
	assert_near(stat_size_rates(0.2, 0.2 + rise, 0.05, 0.8), 5000, 1e-12);
	assert_true(stat_power_t(1, 1000, 0.05) == 1 || stat_power_t(1, 1000, 0.05) > 0.999999);
	assert_true(isnan(stat_size_means(0, 1, 1, 1, 0.05, 0.8)) && isnan(stat_size_t(0.1, 0.05, 0.01)));
	assert_true(isnan(stat_size_rates(0.1, 0.2, 0, 0.8)) && isnan(stat_least_rise(0.999, 3, 0.05, 0.8)));
	/* The factor of planning lies below what deciding only at the end would cost. */
	assert_true(stat_anytime_cost(0.05, 0.8).size_ratio > STAT_SIZE_ANYTIME);
}

static void several_at_once(void **state)
{
	(void)state;
	struct err e;
	double p[] = {0.04, 0.001, 0.03}, adjusted[3], bonferroni[3], log_e[] = {0.1, 9, 1e5};
	size_t order[3], rejected;
	assert_int_equal(stat_holm(p, 3, order, adjusted, &e), 0);
	assert_int_equal(stat_bonferroni(p, 3, bonferroni, &e), 0);
	assert_true(order[0] == 1 && order[1] == 2 && order[2] == 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(adjusted[i] >= p[i] && adjusted[i] <= bonferroni[i]);
	assert_int_equal(stat_e_benjamini_hochberg(log_e, 3, 0.05, order, &rejected, &e), 0);
	assert_true(rejected == 2 && order[0] == 2 && order[1] == 1);
	log_e[0] = log(20) - 1e-13; /* rounding does not count */
	assert_int_equal(stat_e_benjamini_hochberg(log_e, 1, 0.05, order, &rejected, &e), 0);
	assert_int_equal(rejected, 1);
	assert_int_equal(stat_holm(p, 0, order, adjusted, &e), 0);
	p[1] = NAN;
	assert_refused(stat_holm(p, 3, order, adjusted, &e));
	assert_refused(stat_benjamini_hochberg(p, 3, order, adjusted, &e));
	assert_refused(stat_bonferroni(p, 3, adjusted, &e));
	log_e[1] = NAN;
	assert_refused(stat_e_benjamini_hochberg(log_e, 3, 0.05, order, &rejected, &e));
}

static void burn_rates(void **state)
{
	(void)state;
	struct err e;
	for (size_t i = 0; i < STAT_BURN_RULES; i++) {
		const struct stat_burn_rule *rule = &stat_burn_rules[i];
		assert_near(stat_burn_threshold(rule->budget_percent, 30 * 24 * 3600, (double)rule->long_s),
			    rule->threshold, 1e-12);
		assert_true(rule->short_s < rule->long_s);
	}
	struct stat_burn quiet, busy, calm;
	/* Two errors of 60 requests burn 33 times the budget, which at so little traffic is chance. */
	assert_int_equal(stat_burn((struct stat_share){2, 60}, 0.999, 0.05, &quiet, &e), 0);
	assert_true(quiet.rate > 30 && !stat_burn_fires(&quiet, &quiet, 14.4));
	assert_int_equal(stat_burn((struct stat_share){200, 6000}, 0.999, 0.05, &busy, &e), 0);
	assert_true(stat_burn_fires(&busy, &busy, 14.4) && busy.lower > 14.4);
	assert_int_equal(stat_burn((struct stat_share){0, 500}, 0.999, 0.05, &calm, &e), 0);
	assert_true(calm.p == 1 && calm.lower == 0 && !stat_burn_fires(&busy, &calm, 14.4));
	assert_int_equal(stat_burn((struct stat_share){0, 0}, 0.999, 0.05, &calm, &e), 0);
	assert_true(calm.rate == 0 && calm.p == 1);
	assert_refused(stat_burn((struct stat_share){2, 1}, 0.999, 0.05, &calm, &e));
	assert_refused(stat_burn((struct stat_share){1, 2}, 1, 0.05, &calm, &e));
}

static void rows_that_are_not_numbers(void **state)
{
	(void)state;
	struct stat_row_diff d = {0}, other = {0};
	assert_false(stat_row_diff_add(&d, NAN, NAN, 0, 0));
	assert_false(stat_row_diff_add(&d, INFINITY, INFINITY, 0, 0));
	assert_false(stat_row_diff_add(&d, 1, 1.5, 0.25, 0.25));
	assert_true(stat_row_diff_add(&other, 1, NAN, 10, 0));
	assert_true(stat_row_diff_add(&other, INFINITY, -INFINITY, 10, 0));
	assert_true(stat_row_diff_add(&other, 1, 2, 0.5, 0));
	stat_row_diff_merge(&d, &other);
	assert_true(d.rows == 6 && d.violations == 3 && d.not_finite == 2 && d.greatest == 1);
	assert_near(stat_row_diff_rmse(&d), sqrt(1.25 / 4), 1e-15);
	assert_true(stat_ulp(NAN, NAN) == 0 && stat_ulp(NAN, 1) == UINT32_MAX && stat_ulp(-0.f, 0.f) == 0);
	assert_true(stat_ulp(-INFINITY, INFINITY) == 2 * 0x7f800000u);
	struct stat_flips f = {0}, more = {0};
	stat_flips_add(&f, 1, 1, 2);
	stat_flips_add(&more, 1, 3, 1);
	stat_flips_add(&more, 1, 2, 3);
	stat_flips_merge(&f, &more);
	assert_true(f.rows == 3 && f.negative == 1 && f.positive == 1 && f.churn == 3);
}

static void sketches_are_as_accurate_as_they_say(void **state)
{
	(void)state;
	for (double x = 1e-9; x < 1e15; x *= 1.0137)
		assert_near(stat_sketch_value(stat_sketch_index(x, 0.01), 0.01), x, 0.01 + 1e-12);
	double values[] = {1, 3};
	assert_true(stat_quantile_sorted(values, 2, 0.5) == 2 && isnan(stat_quantile_sorted(values, 0, 0.5)) &&
		    isnan(stat_quantile_sorted(values, 2, NAN)));
}

static void equivalence_and_lift(void **state)
{
	(void)state;
	struct err e;
	struct stat_moments a = stat_moments_from(1000, 10, 1), b = stat_moments_from(1000, 10.01, 1);
	struct stat_mean_test test;
	assert_int_equal(stat_welch(&a, &b, 0.05, &test, &e), 0);
	double last = 1;
	for (double margin = 0.02; margin < 1; margin *= 2) {
		double p = stat_equivalence(&test, margin).p;
		assert_true(p < last);
		last = p;
	}
	/* A mean that may be 0 has no bounded lift. */
	struct stat_moments near_zero = stat_moments_from(4, 0.1, 1);
	struct stat_lift lift;
	assert_int_equal(stat_lift(&near_zero, &b, 0.05, &lift, &e), 0);
	assert_true(lift.fieller.low == -INFINITY && lift.fieller.high == INFINITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tails_and_quantiles_agree),
	    cmocka_unit_test(hard_tails),
	    cmocka_unit_test(roots),
	    cmocka_unit_test(moments_merge),
	    cmocka_unit_test(pairs_merge),
	    cmocka_unit_test(means_without_variance),
	    cmocka_unit_test(equivalence_and_lift),
	    cmocka_unit_test(rates_at_their_limits),
	    cmocka_unit_test(more_confidence_is_wider),
	    cmocka_unit_test(counts_keep_their_digits),
	    cmocka_unit_test(looking_again_does_not_alarm),
	    cmocka_unit_test(intervals_hold_at_any_time),
	    cmocka_unit_test(distances_refuse_nothing_else),
	    cmocka_unit_test(exact_and_asymptotic_ranks_meet),
	    cmocka_unit_test(ranks_refuse),
	    cmocka_unit_test(sizes_reach_their_power),
	    cmocka_unit_test(several_at_once),
	    cmocka_unit_test(burn_rates),
	    cmocka_unit_test(rows_that_are_not_numbers),
	    cmocka_unit_test(sketches_are_as_accurate_as_they_say),
	};
	return cmocka_run_group_tests_name("stat", tests, NULL, NULL);
}
