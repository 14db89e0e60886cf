/*
 * statistics_methods: which routine answers which case of reference values.
 *
 * To add a method: a function that puts its answers by the names of the case's expected values, and a row below.
 */
#ifndef TESTS_UNIT_STATISTICS_METHODS_H
#define TESTS_UNIT_STATISTICS_METHODS_H

#include "core/hash.h"
#include "core/route.h"
#include "core/stat/stat_burn.h"
#include "core/stat/stat_diff.h"
#include "core/stat/stat_distance.h"
#include "core/stat/stat_distribution.h"
#include "core/stat/stat_mean.h"
#include "core/stat/stat_multiple.h"
#include "core/stat/stat_proportion.h"
#include "core/stat/stat_quantile.h"
#include "core/stat/stat_rank.h"
#include "core/stat/stat_sample.h"
#include "core/stat/stat_size.h"
#include "statistics_anytime.h"

#include <inttypes.h>
#include <stdio.h>

static void put_mean_test(struct statistics_case *c, const struct stat_mean_test *test)
{
	put(c, "se", test->error);
	put(c, "t", test->t);
	put(c, "df", test->df);
	put(c, "p_two_sided", test->p);
	put_interval(c, "ci_lo", "ci_hi", test->interval);
}

static void method_welch(struct statistics_case *c)
{
	struct numbers a = case_numbers(c, "a"), b = case_numbers(c, "b");
	struct stat_moments of_a = stat_moments_of(a.at, a.count), of_b = stat_moments_of(b.at, b.count);
	struct stat_mean_test test;
	if (answered(c, stat_welch(&of_a, &of_b, alpha_of(c), &test, &c->e))) {
		put(c, "diff", test.difference);
		put_mean_test(c, &test);
	}
}

static void method_welch_summary(struct statistics_case *c)
{
	struct stat_moments a = summary(c, "na", "ma", "sa"), b = summary(c, "nb", "mb", "sb");
	struct stat_mean_test test;
	if (answered(c, stat_welch(&a, &b, alpha_of(c), &test, &c->e))) {
		put(c, "diff", test.difference);
		put_mean_test(c, &test);
	}
}

static bool paired(struct statistics_case *c, struct stat_mean_test *test)
{
	struct numbers a = case_numbers(c, "a"), b = case_numbers(c, "b");
	struct stat_moments differences = {0};
	if (!case_is_even(c, a.count, b.count))
		return false;
	for (size_t i = 0; i < a.count; i++)
		stat_moments_add(&differences, b.at[i] - a.at[i]);
	return answered(c, stat_paired(&differences, alpha_of(c), test, &c->e));
}

static void method_paired(struct statistics_case *c)
{
	struct stat_mean_test test;
	if (paired(c, &test)) {
		put(c, "mean_diff", test.difference);
		put_mean_test(c, &test);
	}
}

static void method_tost(struct statistics_case *c)
{
	struct stat_mean_test test;
	if (!paired(c, &test))
		return;
	struct stat_equivalence result = stat_equivalence(&test, case_number(c, "margin"));
	put(c, "p_lower", result.p_lower);
	put(c, "p_upper", result.p_upper);
	put(c, "p_tost", result.p);
}

static void method_two_rates(struct statistics_case *c)
{
	struct stat_two_rates t;
	if (!answered(c, stat_two_rates(share_of(c, "xa", "na"), share_of(c, "xb", "nb"), alpha_of(c), &t, &c->e)))
		return;
	put(c, "diff", t.difference);
	put(c, "z_pooled", t.z_pooled);
	put(c, "se_pooled", t.error_pooled);
	put(c, "p_two_sided_pooled", t.p_pooled);
	put(c, "se_unpooled", t.error);
	put(c, "z_unpooled", t.z);
	put_interval(c, "wald_ci_lo", "wald_ci_hi", t.wald);
	put_interval(c, "newcombe_ci_lo", "newcombe_ci_hi", t.newcombe);
	put_interval(c, "agresti_caffo_ci_lo", "agresti_caffo_ci_hi", t.agresti_caffo);
}

static void method_one_rate(struct statistics_case *c)
{
	struct stat_share share = share_of(c, "x", "n");
	put_interval(c, "wilson_lo", "wilson_hi", stat_wilson(share, alpha_of(c)));
	put_interval(c, "clopper_pearson_lo", "clopper_pearson_hi", stat_clopper_pearson(share, alpha_of(c)));
	put_interval(c, "jeffreys_lo", "jeffreys_hi", stat_jeffreys(share, alpha_of(c)));
}

static void method_fisher(struct statistics_case *c)
{
	put(c, "p_two_sided",
	    stat_fisher(case_count(c, "a"), case_count(c, "b"), case_count(c, "c"), case_count(c, "d")));
}

static void method_mcnemar(struct statistics_case *c)
{
	struct stat_mcnemar m = stat_mcnemar(case_count(c, "b"), case_count(c, "c"));
	put(c, "p_exact", m.p_exact);
	put(c, "p_midp", m.p_mid);
	put(c, "chi2", m.chi2);
	put(c, "p_chi2", m.p_chi2);
	put(c, "chi2_cc", m.chi2_continuity);
	put(c, "p_chi2_cc", m.p_chi2_continuity);
}

static void method_mann_whitney(struct statistics_case *c)
{
	struct numbers a = case_numbers(c, "a"), b = case_numbers(c, "b");
	struct stat_mann_whitney r;
	if (!answered(c, stat_mann_whitney(a.at, a.count, b.at, b.count, &r, &c->e)))
		return;
	put(c, "U_a", r.u_a);
	put(c, "U_b", r.u_b);
	put(c, "p_exact", r.p_exact);
	put(c, "p_asymptotic_tie_corrected_continuity", r.p_continuity);
	put(c, "p_asymptotic_no_continuity", r.p_plain);
	put(c, "A12_a_over_b", r.superiority);
	put(c, "cliffs_delta_a_minus_b", r.cliffs_delta);
	put(c, "hodges_lehmann_b_minus_a", r.shift);
}

static void method_wilcoxon(struct statistics_case *c)
{
	struct numbers d = case_numbers(c, "d");
	struct stat_wilcoxon r;
	if (!answered(c, stat_wilcoxon(d.at, d.count, alpha_of(c), &r, &c->e)))
		return;
	put(c, "W_min", r.w_min);
	put(c, "W_plus", r.w_plus);
	put(c, "W_minus", r.w_minus);
	put(c, "p_exact", r.is_exact ? r.p : NAN);
	put(c, "hodges_lehmann", r.shift);
	put(c, "k", (double)r.k);
	put_interval(c, "ci_lo", "ci_hi", r.interval);
}

static void put_chi2(struct statistics_case *c, const struct stat_chi2 *r)
{
	put(c, "chi2", r->chi2);
	put(c, "df", r->df);
	put(c, "p", r->p);
	put(c, "cramers_v", r->cramers_v);
}

static void method_chi2_fit(struct statistics_case *c)
{
	struct counts obs = case_counts(c, "obs");
	struct numbers w = case_numbers(c, "w");
	struct stat_chi2 r;
	if (case_is_even(c, obs.count, w.count) && answered(c, stat_chi2_fit(obs.at, w.at, obs.count, &r, &c->e)))
		put_chi2(c, &r);
}

static void method_ks(struct statistics_case *c)
{
	struct numbers a = case_numbers(c, "a"), b = case_numbers(c, "b");
	struct stat_ks r;
	if (!answered(c, stat_ks(a.at, a.count, b.at, b.count, &r, &c->e)))
		return;
	put(c, "D", r.distance);
	put(c, "p_exact", r.p_exact);
	put(c, "p_kolmogorov_limit", r.p_limit);
}

static void method_psi(struct statistics_case *c)
{
	struct counts ref = case_counts(c, "ref"), cur = case_counts(c, "cur");
	struct stat_psi r;
	if (!case_is_even(c, ref.count, cur.count) ||
	    !answered(c, stat_psi(ref.at, cur.at, ref.count, case_number(c, "smooth"), alpha_of(c), &r, &c->e)))
		return;
	put(c, "psi", r.psi);
	put(c, "null_critical_value", r.critical);
	put(c, "p_null", r.p);
}

static void method_wasserstein(struct statistics_case *c)
{
	struct numbers a = case_numbers(c, "a"), b = case_numbers(c, "b");
	struct stat_wasserstein r;
	if (!answered(c, stat_wasserstein(a.at, a.count, b.at, b.count, &r, &c->e)))
		return;
	put(c, "w1", r.distance);
	put(c, "w1_over_ref_sd_ddof0", r.by_sd);
	put(c, "w1_over_ref_iqr_type7", r.by_iqr);
}

static void method_distances(struct statistics_case *c)
{
	struct counts p = case_counts(c, "p"), q = case_counts(c, "q");
	struct stat_distances d;
	if (!case_is_even(c, p.count, q.count) || !answered(c, stat_distances(p.at, q.at, p.count, &d, &c->e)))
		return;
	put(c, "js_distance_base2", sqrt(d.jensen_shannon / M_LN2));
	put(c, "js_divergence_base2", d.jensen_shannon / M_LN2);
	put(c, "js_distance_nat", sqrt(d.jensen_shannon));
	put(c, "hellinger", d.hellinger);
	put(c, "tvd", d.total_variation);
	put(c, "linf", d.greatest);
}

static void method_homogeneity(struct statistics_case *c)
{
	struct counts ref = case_counts(c, "ref"), cur = case_counts(c, "cur");
	struct stat_chi2 r;
	if (case_is_even(c, ref.count, cur.count) &&
	    answered(c, stat_chi2_homogeneity(ref.at, cur.at, ref.count, &r, &c->e)))
		put_chi2(c, &r);
}

static struct stat_pairs pairs_of(struct statistics_case *c, const char *x_key, const char *y_key)
{
	struct numbers x = case_numbers(c, x_key), y = case_numbers(c, y_key);
	struct stat_pairs pairs = {0};
	if (!case_is_even(c, x.count, y.count))
		return pairs;
	for (size_t i = 0; i < x.count; i++)
		stat_pairs_add(&pairs, x.at[i], y.at[i]);
	return pairs;
}

static void method_cuped(struct statistics_case *c)
{
	struct stat_pairs a = pairs_of(c, "xa", "ya"), b = pairs_of(c, "xb", "yb");
	struct stat_cuped r;
	if (!answered(c, stat_cuped(&a, &b, alpha_of(c), &r, &c->e)))
		return;
	put(c, "theta_pooled", r.theta);
	put(c, "adj_mean_a", r.mean_a);
	put(c, "adj_mean_b", r.mean_b);
	put(c, "adj_diff", r.test.difference);
	put(c, "adj_se", r.test.error);
	put(c, "adj_t", r.test.t);
	put(c, "adj_df", r.test.df);
	put(c, "adj_p", r.test.p);
	put(c, "unadj_diff", r.unadjusted.difference);
	put(c, "unadj_se", r.unadjusted.error);
	put(c, "pooled_corr", r.correlation);
	put(c, "variance_ratio", r.variance_ratio);
}

static void method_size_means(struct statistics_case *c)
{
	double ratio = case_number(c, "ratio");
	double n = stat_size_means(case_number(c, "delta"), case_number(c, "sa"), case_number(c, "sb"), ratio,
				   alpha_of(c), case_number(c, "power"));
	put(c, "n_a", n);
	put(c, "n_a_ceil", ceil(n));
	put(c, "n_b_ceil", ceil(n * ratio));
}

static void method_size_rates(struct statistics_case *c)
{
	double p1 = case_number(c, "p1"), p2 = case_number(c, "p2"), power = case_number(c, "power");
	put(c, "n_per_arm_unpooled", stat_size_rates(p1, p2, alpha_of(c), power));
	put(c, "n_per_arm_pooled_null", stat_size_rates_pooled(p1, p2, alpha_of(c), power));
	put(c, "n_per_arm_arcsine", stat_size_rate_arcsine(p1, p2, alpha_of(c), power));
	put(c, "cohens_h", stat_cohens_h(p1, p2));
}

static void method_size_t(struct statistics_case *c)
{
	double d = case_number(c, "d"), n = stat_size_t(d, alpha_of(c), case_number(c, "power"));
	put(c, "n_per_arm", n);
	put(c, "power_at_ceil", stat_power_t(d, ceil(n), alpha_of(c)));
}

static void method_least_rise(struct statistics_case *c)
{
	double p1 = case_number(c, "p1");
	double rise = stat_least_rise(p1, case_number(c, "n"), alpha_of(c), case_number(c, "power"));
	put(c, "mde_abs", rise);
	put(c, "mde_rel", rise / p1);
}

static void method_multiple(struct statistics_case *c)
{
	struct numbers p = case_numbers(c, "p");
	size_t *order = case_allocate(c, p.count * sizeof *order);
	double *adjusted = case_allocate(c, p.count * sizeof *adjusted);
	if (answered(c, stat_holm(p.at, p.count, order, adjusted, &c->e)))
		put_numbers(c, "holm", adjusted, p.count);
	if (answered(c, stat_benjamini_hochberg(p.at, p.count, order, adjusted, &c->e)))
		put_numbers(c, "bh", adjusted, p.count);
	if (answered(c, stat_bonferroni(p.at, p.count, adjusted, &c->e)))
		put_numbers(c, "bonferroni", adjusted, p.count);
}

static void method_e_bh(struct statistics_case *c)
{
	struct numbers e = case_numbers(c, "e");
	size_t *order = case_allocate(c, e.count * sizeof *order), rejected;
	double *indices = case_allocate(c, e.count * sizeof *indices);
	for (size_t i = 0; i < e.count; i++)
		e.at[i] = log(e.at[i]);
	if (!answered(c, stat_e_benjamini_hochberg(e.at, e.count, alpha_of(c), order, &rejected, &c->e)))
		return;
	for (size_t i = 0; i < rejected; i++)
		indices[i] = (double)order[i];
	stat_sample_sort(indices, rejected);
	put(c, "n_rejected", (double)rejected);
	put_numbers(c, "rejected_indices", indices, rejected);
}

static void method_time_ratio(struct statistics_case *c)
{
	struct numbers a = case_numbers(c, "a"), b = case_numbers(c, "b");
	struct stat_time_ratio r;
	if (!answered(c, stat_time_ratio(a.at, a.count, b.at, b.count, alpha_of(c), &r, &c->e)))
		return;
	put(c, "ratio_hodges_lehmann", r.ratio);
	put_interval(c, "ratio_ci_lo", "ratio_ci_hi", r.interval);
	put(c, "k", (double)r.k);
}

static void method_row_diff(struct statistics_case *c)
{
	struct numbers old = case_numbers(c, "old"), new = case_numbers(c, "new");
	struct stat_row_diff d = {0};
	if (!case_is_even(c, old.count, new.count))
		return;
	put_numbers(c, "indices", NULL, 0);
	for (size_t i = 0; i < old.count; i++)
		if (stat_row_diff_add(&d, old.at[i], new.at[i], case_number(c, "atol"), case_number(c, "rtol")))
			put_next(c, "indices", (double)i);
	put(c, "n_violations", (double)d.violations);
	put(c, "max_abs", d.greatest);
	put(c, "mean_signed", stat_moments_mean(&d.differences));
	put(c, "rmse", stat_row_diff_rmse(&d));
	put_bool(c, "numpy_allclose", d.violations == 0);
}

static double nth(const cJSON *array, int i)
{
	const cJSON *item = cJSON_GetArrayItem(array, i);
	return item != NULL ? item->valuedouble : NAN;
}

static void method_ulp(struct statistics_case *c)
{
	const cJSON *pair;
	put_numbers(c, "ulp", NULL, 0);
	cJSON_ArrayForEach(pair, case_item(c, "pairs")) put_next(
	    c, "ulp",
	    stat_ulp((float)cJSON_GetArrayItem(pair, 0)->valuedouble, (float)cJSON_GetArrayItem(pair, 1)->valuedouble));
}

static void method_flips(struct statistics_case *c)
{
	struct numbers y = case_numbers(c, "y"), old = case_numbers(c, "old"), new = case_numbers(c, "new");
	struct stat_flips f = {0};
	if (!case_is_even(c, y.count, old.count) || !case_is_even(c, y.count, new.count))
		return;
	for (size_t i = 0; i < y.count; i++)
		stat_flips_add(&f, (int64_t)y.at[i], (int64_t)old.at[i], (int64_t) new.at[i]);
	double rows = (double)f.rows;
	put(c, "negative_flips", (double)f.negative);
	put(c, "positive_flips", (double)f.positive);
	put(c, "churn", (double)f.churn);
	put(c, "acc_old", (double)f.old_right / rows);
	put(c, "acc_new", (double)f.new_right / rows);
	put(c, "negative_flip_rate", (double)f.negative / rows);
	put(c, "mcnemar_p_exact", stat_mcnemar(f.negative, f.positive).p_exact);
}

static void method_lift(struct statistics_case *c)
{
	struct stat_moments a = summary(c, "na", "ma", "sa"), b = summary(c, "nb", "mb", "sb");
	struct stat_lift r;
	if (!answered(c, stat_lift(&a, &b, alpha_of(c), &r, &c->e)))
		return;
	put(c, "lift", r.lift);
	put(c, "delta_se", r.error);
	put_interval(c, "delta_ci_lo", "delta_ci_hi", r.delta);
	put_interval(c, "fieller_ci_lo", "fieller_ci_hi", r.fieller);
}

static void method_poisson(struct statistics_case *c)
{
	struct stat_poisson_rates r;
	if (!answered(c, stat_poisson_rates(case_count(c, "x1"), case_number(c, "t1"), case_count(c, "x2"),
					    case_number(c, "t2"), &r, &c->e)))
		return;
	put(c, "p_two_sided_exact_binomial", r.p);
	put(c, "rate_ratio_2_over_1", r.ratio);
}

static void method_burn_thresholds(struct statistics_case *c)
{
	double budget = 1 - case_number(c, "slo");
	const cJSON *row;
	put(c, "error_budget", budget);
	cJSON_ArrayForEach(row, case_item(c, "rows"))
	{
		double hours = nth(row, 0);
		double percent = nth(row, 1);
		double threshold = stat_burn_threshold(percent, 3600 * case_number(c, "period_h"), 3600 * hours);
		put_next(c, "thresholds", threshold);
		put_next(c, "error_ratio_thresholds", threshold * budget);
	}
}

static void method_burn(struct statistics_case *c)
{
	struct stat_burn burn;
	if (!answered(c, stat_burn(share_of(c, "errors", "total"), case_number(c, "slo"), alpha_of(c), &burn, &c->e)))
		return;
	put(c, "burn_point", burn.rate);
	put(c, "burn_lower_cp_one_sided", burn.lower);
}

static void method_moments(struct statistics_case *c)
{
	struct numbers x = case_numbers(c, "x");
	struct stat_moments m = stat_moments_of(x.at, x.count);
	put(c, "mean", stat_moments_mean(&m));
	put(c, "var_ddof1", stat_moments_variance(&m));
}

static void method_quantiles(struct statistics_case *c)
{
	struct numbers x = case_numbers(c, "x"), q = case_numbers(c, "qs");
	stat_sample_sort(x.at, x.count);
	for (size_t i = 0; i < q.count; i++)
		put_next(c, "quantiles", stat_quantile_sorted(x.at, x.count, q.at[i]));
}

static void method_sketch(struct statistics_case *c)
{
	struct numbers x = case_numbers(c, "x");
	for (size_t i = 0; i < x.count; i++) {
		int64_t index = stat_sketch_index(x.at[i], case_number(c, "alpha"));
		put_next(c, "index", (double)index);
		put_next(c, "value", stat_sketch_value(index, case_number(c, "alpha")));
	}
}

static void method_special(struct statistics_case *c)
{
	static const double alphas[] = {0.05, 0.01, 0.001};
	const cJSON *item;
	cJSON_ArrayForEach(item, case_item(c, "zs"))
	{
		put_next(c, "norm_ppf", stat_normal_quantile(item->valuedouble));
		put_next(c, "norm_sf_of_3_plus", stat_normal_upper(3 + item->valuedouble));
	}
	cJSON_ArrayForEach(item, case_item(c, "ts"))
	{
		put_next(c, "t_sf", stat_t_upper(nth(item, 0), nth(item, 1)));
		put_next(c, "t_ppf_0975", stat_t_upper_quantile(0.025, nth(item, 1)));
	}
	cJSON_ArrayForEach(item, case_item(c, "chis"))
	    put_next(c, "chi2_sf", stat_chi2_upper(nth(item, 0), nth(item, 1)));
	cJSON_ArrayForEach(item, case_item(c, "betas"))
	    put_next(c, "betainc", stat_beta_lower(nth(item, 2), nth(item, 0), nth(item, 1)));
	cJSON_ArrayForEach(item, case_item(c, "lams")) put_next(c, "lgamma", stat_log_gamma(item->valuedouble));
	for (size_t i = 0; i < sizeof alphas / sizeof *alphas; i++)
		put_next(c, "lambertw_m1_of_minus_alpha2_over_e", stat_lambert_lower(2 * log(alphas[i]) - 1));
}

static void method_hash(struct statistics_case *c)
{
	const char *text = cJSON_GetStringValue(case_item(c, "s"));
	if (text == NULL)
		return;
	uint64_t hash = hash_seeded(case_count(c, "seed"), NULL, text, strlen(text));
	char hex[17];
	snprintf(hex, sizeof hex, "%016" PRIx64, hash);
	put_text(c, "xxh64", hex);
	put(c, "bucket10000_xxh64_mulhi", hash_bucket(hash, ROUTE_BUCKETS));
}

#endif
