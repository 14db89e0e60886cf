#include "core/test/training.h"

#include "core/stat/stat_distribution.h"
#include "core/stat/stat_moments.h"
#include "core/stat/stat_multiple.h"
#include "core/stat/stat_quantile.h"
#include "core/stat/stat_rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const figure_names[] = {
#define X(name, text) text,
    TRAINING_FIGURES(X)
#undef X
};

const char *training_figure_name(enum training_figure figure)
{
	return figure_names[figure];
}

double training_cost(const struct training_run *run)
{
	return run->rate_per_hour * run->took.wall_s / 3600;
}

/* What takes less than the clocks tell, or nothing at all, is one tick, so that it has a logarithm. */
static double figure_of(const struct training_run *run, enum training_figure figure)
{
	switch (figure) {
	case TRAINING_WALL:
		return fmax(run->took.wall_s, 1e-6);
	case TRAINING_CPU:
		return fmax(run->took.user_s + run->took.system_s, 1e-6);
	default:
		return fmax(run->took.peak_bytes, 1);
	}
}

/* Both sides of one figure. */
struct sides {
	double new_values[TRAINING_RUNS_MAX], old_values[TRAINING_RUNS_MAX];
	size_t new_count, old_count;
};

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median_of(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare_doubles);
	return stat_quantile_sorted(values, count, 0.5);
}

/* One value against n: t = (ln y - mean) / (s sqrt(1 + 1/n)), n - 1 degrees of freedom. */
static void predict_one(const struct sides *s, struct training_ratio *r)
{
	struct stat_moments logs = {0};
	double n = (double)s->old_count;

	for (size_t i = 0; i < s->old_count; i++)
		stat_moments_add(&logs, log(s->old_values[i]));
	double mean = stat_moments_mean(&logs);
	double error = sqrt(stat_moments_variance(&logs) * (1 + 1 / n));
	double above = log(s->new_values[0]) - mean;
	double reach = stat_t_upper_quantile(BENCHMARK_ALPHA / 2, n - 1) * error;

	r->ratio = exp(above);
	r->interval = (struct stat_interval){exp(above - reach), exp(above + reach)};
	/* Where the earlier ones are all the same anything else is new. */
	r->p = error > 0 ? stat_t_two_sided(above / error, n - 1) : above == 0 ? 1 : 0;
}

static int compare_ranks(struct sides *s, struct training_ratio *r, bool *too_few, struct err *e)
{
	struct stat_mann_whitney test;
	struct stat_time_ratio ratio;

	if (stat_mann_whitney(s->old_values, s->old_count, s->new_values, s->new_count, &test, e) != 0 ||
	    stat_time_ratio(s->old_values, s->old_count, s->new_values, s->new_count, BENCHMARK_ALPHA, &ratio, e) != 0)
		return -1;
	r->ratio = ratio.ratio;
	r->interval = ratio.interval;
	r->p = test.p;
	/* Rounding of an exact probability is no lack of runs. */
	*too_few = *too_few || ratio.coverage < 1 - BENCHMARK_ALPHA - 1e-9;
	return 0;
}

static int compare_figure(struct sides *s, struct training_comparison *c, struct training_ratio *r, struct err *e)
{
	r->new_median = median_of(s->new_values, s->new_count);
	r->old_median = median_of(s->old_values, s->old_count);
	if (c->by_rank)
		return compare_ranks(s, r, &c->too_few, e);
	if (s->old_count < TRAINING_EARLIER_MIN) {
		c->too_few = true;
		*r = (struct training_ratio){.old_median = r->old_median,
					     .new_median = r->new_median,
					     .ratio = r->new_median / r->old_median,
					     .interval = {0, (double)INFINITY},
					     .p = 1};
		return 0;
	}
	predict_one(s, r);
	return 0;
}

static int judge(struct training_comparison *c, struct err *e)
{
	double p[TRAINING_FIGURE_COUNT], adjusted[TRAINING_FIGURE_COUNT];
	size_t order[TRAINING_FIGURE_COUNT];

	for (size_t i = 0; i < TRAINING_FIGURE_COUNT; i++)
		p[i] = c->figures[i].p;
	if (stat_holm(p, TRAINING_FIGURE_COUNT, order, adjusted, e) != 0)
		return -1;
	c->verdict = BENCHMARK_PASS;
	for (size_t i = 0; i < TRAINING_FIGURE_COUNT; i++) {
		struct training_ratio *r = &c->figures[i];
		r->p_adjusted = adjusted[i];
		r->verdict = benchmark_judge_ratio(r->ratio, r->interval, r->p_adjusted,
						   i == TRAINING_MEMORY ? c->memory_max : c->ratio_max, BENCHMARK_ALPHA,
						   &r->noisy);
		if (c->too_few)
			r->verdict = BENCHMARK_INCONCLUSIVE;
		if (r->verdict == BENCHMARK_REGRESSION || c->verdict == BENCHMARK_PASS)
			c->verdict = r->verdict;
	}
	return 0;
}

/* Places of the runs that count: that ended well, on the host of the newest one. */
static size_t choose(const struct training_run *runs, size_t count, size_t *places)
{
	const char *host = NULL;
	size_t chosen = 0;

	for (size_t i = 0; i < count && chosen < TRAINING_RUNS_MAX; i++) {
		if (runs[i].took.exit_code != 0)
			continue;
		if (host == NULL)
			host = runs[i].host;
		if (strcmp(host, runs[i].host) == 0)
			places[chosen++] = i;
	}
	return chosen;
}

int training_compare(const struct training_run *runs, size_t count, size_t last, double ratio_max, double memory_max,
		     struct training_comparison *c, struct err *e)
{
	size_t places[TRAINING_RUNS_MAX], chosen = choose(runs, count, places);
	struct sides s;

	*c = (struct training_comparison){.last = last,
					  .left_out = count - chosen,
					  .newest = chosen > 0 ? places[0] : 0,
					  .by_rank = last > 1,
					  .ratio_max = ratio_max,
					  .memory_max = memory_max};
	if (chosen < last + 1)
		return err_set(e, ERR_INPUT,
			       "comparing the newest %zu with those before takes %zu training runs that ended well on "
			       "one host, and there are %zu; `mldeck train` makes them",
			       last, last + 1, chosen);
	c->earlier = chosen - last;
	for (size_t figure = 0; figure < TRAINING_FIGURE_COUNT; figure++) {
		s.new_count = s.old_count = 0;
		for (size_t i = 0; i < chosen; i++) {
			double value = figure_of(&runs[places[i]], (enum training_figure)figure);
			if (i < last)
				s.new_values[s.new_count++] = value;
			else
				s.old_values[s.old_count++] = value;
		}
		if (compare_figure(&s, c, &c->figures[figure], e) != 0)
			return -1;
	}
	return judge(c, e);
}
