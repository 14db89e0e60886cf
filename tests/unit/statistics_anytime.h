/* statistics_anytime: statistics_methods, of what holds at any time. */
#ifndef TESTS_UNIT_STATISTICS_ANYTIME_H
#define TESTS_UNIT_STATISTICS_ANYTIME_H

#include "core/stat/stat_anytime.h"
#include "core/stat/stat_quantile.h"
#include "core/stat/stat_size.h"
#include "statistics_case.h"

static void method_counts(struct statistics_case *c)
{
	struct counts obs = case_counts(c, "obs");
	struct numbers w = case_numbers(c, "w");
	double log_e;
	if (!case_is_even(c, obs.count, w.count) ||
	    !answered(c, stat_counts_log_e(obs.at, w.at, obs.count, case_number(c, "conc"), &log_e, &c->e)))
		return;
	put(c, "log_e_value", log_e);
	put(c, "p_always_valid", stat_anytime_p(log_e));
}

static void put_lambda(struct statistics_case *c, double log_e)
{
	put(c, "Lambda", exp(log_e));
	put(c, "log_Lambda", log_e);
	put(c, "log_e_value", log_e);
	put(c, "p_always_valid", stat_anytime_p(log_e));
}

static void method_msprt_normal(struct statistics_case *c)
{
	double error = case_number(c, "sigma") * sqrt(2 / case_number(c, "n_per_arm"));
	put_lambda(c, stat_msprt_log_e(case_number(c, "diff"), error, case_number(c, "tau")));
}

static void method_msprt_bernoulli(struct statistics_case *c)
{
	double pa = case_number(c, "pa"), pb = case_number(c, "pb");
	double error = sqrt((pa * (1 - pa) + pb * (1 - pb)) / case_number(c, "n_per_arm"));
	put_lambda(c, stat_msprt_log_e(pb - pa, error, case_number(c, "tau")));
}

static void put_sequence(struct statistics_case *c, const struct stat_sequence *s, double rho)
{
	put(c, "diff", s->difference);
	put(c, "se", s->error);
	put(c, "z", s->z);
	put(c, "rho", rho);
	put(c, "k", s->k);
	put(c, "multiplier", s->multiplier);
	put(c, "radius", s->radius);
	put_interval(c, "lower", "upper", s->interval);
	put(c, "log_e_value", s->log_e);
	put(c, "e_value", exp(s->log_e));
	put(c, "p_always_valid", s->p);
}

/* One name covers several: the method's text says which rho, and how many sides. */
static void method_sequence(struct statistics_case *c)
{
	struct stat_moments a = summary(c, "na", "ma", "sa"), b = summary(c, "nb", "mb", "sb");
	struct stat_sequence s;
	double alpha = alpha_of(c), n_star = case_number(c, "Nstar");
	bool exact = strstr(c->method, "W_{-1}") != NULL || strstr(c->name, "exact") != NULL;
	bool above = strstr(c->method, "2 alpha") != NULL || strstr(c->name, "one_sided") != NULL;
	double level = above ? 2 * alpha : alpha;
	double rho = exact ? stat_mixture_rho_exact(level, n_star) : stat_mixture_rho(level, n_star);
	int result = above ? stat_anytime_means_above(&a, &b, alpha, rho, &s, &c->e)
			   : stat_anytime_means(&a, &b, alpha, rho, &s, &c->e);
	if (answered(c, result))
		put_sequence(c, &s, rho);
}

static void method_mixture_bound(struct statistics_case *c)
{
	put(c, "bound", stat_mixture_bound(case_number(c, "v"), case_number(c, "rho"), alpha_of(c)));
}

static void method_anytime_quantile(struct statistics_case *c)
{
	struct stat_ranks r;
	if (!answered(c, stat_anytime_quantile(case_number(c, "p"), case_count(c, "t"), case_number(c, "t_opt"),
					       alpha_of(c), &r, &c->e)))
		return;
	put(c, "lower_radius", r.lower_radius);
	put(c, "upper_radius", r.upper_radius);
	put(c, "lower_rank", (double)r.lower);
	put(c, "upper_rank", (double)r.upper);
}

static void method_quantile_ranks(struct statistics_case *c)
{
	struct stat_quantile_ranks r;
	if (!answered(
		c, stat_quantile_ranks(case_count(c, "n"), case_number(c, "q"), 1 - case_number(c, "conf"), &r, &c->e)))
		return;
	put(c, "lower_rank", (double)r.lower);
	put(c, "upper_rank", (double)r.upper);
	put(c, "coverage", r.coverage);
}

static void method_anytime_rate(struct statistics_case *c)
{
	struct stat_interval interval;
	if (answered(c, stat_anytime_rate(share_of(c, "x", "n"), alpha_of(c), &interval, &c->e)))
		put_interval(c, "lower", "upper", interval);
}

static void method_anytime_cost(struct statistics_case *c)
{
	struct stat_anytime_cost cost = stat_anytime_cost(alpha_of(c), case_number(c, "power"));
	put(c, "k_at_Nstar", cost.k);
	put(c, "multiplier_at_Nstar", cost.multiplier);
	put(c, "ci_width_ratio", cost.width_ratio);
	put(c, "final_look_sample_inflation", cost.size_ratio);
}

#endif
