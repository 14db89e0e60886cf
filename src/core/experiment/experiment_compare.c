#include "core/experiment/experiment_compare.h"

#include "core/histogram.h"
#include "core/stat/stat_anytime.h"
#include "core/stat/stat_mean.h"
#include "core/stat/stat_proportion.h"
#include "core/stat/stat_rank.h"

#include <math.h>

static const struct {
	const char *name, *sentence;
} methods[] = {
#define X(name, text, sentence) {text, sentence},
    EXPERIMENT_METHODS(X)
#undef X
};

const char *experiment_method_name(enum experiment_method method)
{
	return methods[method].name;
}

const char *experiment_method_sentence(enum experiment_method method)
{
	return methods[method].sentence;
}

bool experiment_is_share(const struct experiment_metric *m, enum experiment_method method)
{
	return m->kind == EXPERIMENT_BINARY || m->kind == EXPERIMENT_LATENCY || m->kind == EXPERIMENT_ERROR_RATE ||
	       method == EXPERIMENT_BY_COUNTS_ANY;
}

/* Both arms of a comparison. */
struct pair {
	const struct experiment *x;
	const struct experiment_metric *metric;
	const struct experiment_sums *sums[2];
	double weights[2];          /* their shares of the traffic of both */
	struct stat_share units[2]; /* with an event, of all */
	bool is_single;             /* every unit is one yes or no */
};

static struct pair pair_of(const struct experiment *x, const struct experiment_state *s, size_t arm, size_t metric)
{
	struct pair p = {.x = x, .metric = &x->metrics[metric], .sums = {&s->sums[0][metric], &s->sums[arm][metric]}};
	double both = experiment_share(x, 0) + experiment_share(x, arm);
	bool is_ratio = experiment_kind_is_ratio(p.metric->kind);
	p.weights[0] = experiment_share(x, 0) / both;
	p.weights[1] = experiment_share(x, arm) / both;
	p.is_single = p.metric->kind == EXPERIMENT_BINARY || p.metric->kind == EXPERIMENT_LATENCY ||
		      p.metric->kind == EXPERIMENT_ERROR_RATE;
	for (size_t i = 0; i < 2; i++) {
		const struct experiment_sums *sums = p.sums[i];
		p.units[i] = (struct stat_share){sums->not_zero, sums->count};
		/* Requests are units of their own where none has a second one. */
		if (is_ratio && sums->x != (experiment_wide)sums->count)
			p.is_single = false;
	}
	return p;
}

/* The rate of both arms together: it says nothing of their difference. */
static double pooled_rate(const struct pair *p)
{
	double events = (double)p->units[0].events + (double)p->units[1].events;
	return events / ((double)p->units[0].trials + (double)p->units[1].trials);
}

static bool is_unequal(const struct pair *p)
{
	return fmin(p->weights[0], p->weights[1]) < EXPERIMENT_UNEQUAL;
}

/* Whether means are near enough to normal in both arms. Zeros do not count: of a thousand units that spent nothing and
 * five that did, the mean is as good as one of five. */
static bool has_enough_values(const struct pair *p)
{
	uint64_t least = is_unequal(p) ? EXPERIMENT_MEAN_LEAST_UNEQUAL : EXPERIMENT_MEAN_LEAST;
	return p->units[0].events >= least && p->units[1].events >= least;
}

static bool is_frequent(const struct pair *p)
{
	if (!p->is_single)
		return pooled_rate(p) >= EXPERIMENT_RARE && has_enough_values(p);
	double rate = pooled_rate(p);
	return fmin(rate, 1 - rate) >= EXPERIMENT_RARE && stat_anytime_is_frequent(p->units[0], p->units[1]);
}

static enum experiment_method method_of_means(const struct pair *p)
{
	if (experiment_kind_is_ratio(p->metric->kind) && !p->is_single)
		return EXPERIMENT_BY_CLUSTERED;
	return p->x->covariate != EXPERIMENT_COVARIATE_NONE && !experiment_kind_is_ratio(p->metric->kind)
		   ? EXPERIMENT_BY_ADJUSTED
		   : EXPERIMENT_BY_MIXTURE;
}

static enum experiment_method method_of(const struct pair *p)
{
	if (p->units[0].trials == 0 || p->units[1].trials == 0)
		return EXPERIMENT_BY_NOTHING;
	if (!experiment_kind_has_events(p->metric->kind))
		return has_enough_values(p) ? method_of_means(p) : EXPERIMENT_BY_NOTHING;
	if (p->is_single)
		return is_frequent(p) && !is_unequal(p) ? method_of_means(p) : EXPERIMENT_BY_COUNTS;
	return is_frequent(p) ? method_of_means(p) : EXPERIMENT_BY_COUNTS_ANY;
}

/* Both arms' moments as means are compared: adjusted, or of ratios. Returns what is left of the squared error. */
static double moments_of(const struct pair *p, struct stat_moments m[2])
{
	bool is_ratio = experiment_kind_is_ratio(p->metric->kind);
	double scale_x = is_ratio ? 1 : experiment_covariate_scale(p->x), scale_y = experiment_scale(p->metric);
	struct stat_pairs a = experiment_sums_pairs(p->sums[0], scale_x, scale_y);
	struct stat_pairs b = experiment_sums_pairs(p->sums[1], scale_x, scale_y);
	m[0] = is_ratio ? stat_ratio_moments(&a) : a.y;
	m[1] = is_ratio ? stat_ratio_moments(&b) : b.y;
	if (is_ratio || p->x->covariate == EXPERIMENT_COVARIATE_NONE)
		return 1;
	stat_cuped_adjust(&a, &b, &m[0], &m[1]);
	double before =
	    stat_moments_variance(&a.y) / (double)a.y.count + stat_moments_variance(&b.y) / (double)b.y.count;
	double after =
	    stat_moments_variance(&m[0]) / (double)a.y.count + stat_moments_variance(&m[1]) / (double)b.y.count;
	return before > 0 ? after / before : 1;
}

/* What is the same whatever the method. */
static void describe(const struct pair *p, struct experiment_evidence *v)
{
	*v = (struct experiment_evidence){.effect = NAN, .p = 1, .variance_ratio = 1, .faster = NAN, .faster_p = NAN};
	v->interval = (struct stat_interval){-INFINITY, INFINITY};
	for (size_t i = 0; i < 2; i++) {
		v->units[i] = p->units[i].trials;
		v->events[i] = p->units[i].events;
		v->mean[i] = NAN;
	}
	v->events_needed = v->events[0] + v->events[1];
	/* Of a yes or no, the rarer one is what says something. */
	uint64_t others = v->units[0] + v->units[1] - v->events_needed;
	if (p->is_single && others < v->events_needed)
		v->events_needed = others;
}

/* --- events --- */

/* Where a difference of rates may lie: rate of both x (share of the arm's events / its weight - the control's). */
static struct stat_interval rate_differences(const struct pair *p, struct stat_interval share,
					     struct stat_interval rate)
{
	double low = share.low / p->weights[1] - (1 - share.low) / p->weights[0];
	double high = share.high / p->weights[1] - (1 - share.high) / p->weights[0];
	low *= low < 0 ? rate.high : rate.low;
	high *= high < 0 ? rate.low : rate.high;
	return (struct stat_interval){fmax(low, -1), fmin(high, 1)};
}

/* Given an event, its arm is a draw by the shares if there is no difference, whatever the rate and however it drifts.
 * The rarer of event and none is counted. A part of the level is for the rate of both, which makes a difference of the
 * share; the evidence is charged for it, so that it suffices exactly where the interval leaves 0 out. */
static void compare_counts(const struct pair *p, double level, struct experiment_evidence *v)
{
	bool is_inverse = p->is_single && pooled_rate(p) > 0.5;
	uint64_t counts[2];
	for (size_t i = 0; i < 2; i++)
		counts[i] = is_inverse ? p->units[i].trials - p->units[i].events : p->units[i].events;
	struct stat_share both = {counts[0] + counts[1], p->units[0].trials + p->units[1].trials};
	struct stat_interval share = {0, 1}, rate = {0, 1};
	/* None of these can refuse what is asked here. */
	stat_counts_log_e(counts, p->weights, 2, STAT_EVENT_CONCENTRATION, &v->log_e, NULL);
	stat_anytime_split(counts, STAT_EVENT_CONCENTRATION, EXPERIMENT_SPLIT_LEVEL * level, &share, NULL);
	stat_anytime_rate(both, (1 - EXPERIMENT_SPLIT_LEVEL) * level, &rate, NULL);
	v->log_e += log(EXPERIMENT_SPLIT_LEVEL);
	v->p = stat_anytime_p(v->log_e);
	v->interval = rate_differences(p, share, rate);
	if (is_inverse)
		v->interval = (struct stat_interval){-v->interval.high, -v->interval.low};
	for (size_t i = 0; i < 2; i++)
		v->mean[i] = (double)p->units[i].events / (double)p->units[i].trials;
	v->effect = v->mean[1] - v->mean[0];
	v->is_flat = both.events == 0;
}

/* --- means --- */

/* Where the sequence is narrowest: at the planned size, of which these arms have their part. */
static double rho_of(const struct experiment *x, size_t arm, double level)
{
	double part = experiment_share(x, 0) + experiment_share(x, arm);
	return stat_mixture_rho(level, (double)x->planned_size * part);
}

static void take_means(const struct stat_moments m[2], struct experiment_evidence *v)
{
	v->mean[0] = stat_moments_mean(&m[0]);
	v->mean[1] = stat_moments_mean(&m[1]);
	v->effect = stat_moments_difference(&m[0], &m[1]);
}

static void compare_means(const struct pair *p, double rho, double level, struct experiment_evidence *v)
{
	struct stat_moments m[2];
	struct stat_sequence sequence;
	v->variance_ratio = moments_of(p, m);
	take_means(m, v);
	if (stat_anytime_means(&m[0], &m[1], level, rho, &sequence, NULL) != 0) {
		v->method = EXPERIMENT_BY_NOTHING;
		return;
	}
	v->is_flat = !(sequence.error > 0);
	v->interval = sequence.interval;
	v->log_e = sequence.log_e;
	v->p = sequence.p;
}

void experiment_compare(const struct experiment *x, const struct experiment_state *s, size_t arm, size_t metric,
			double level, struct experiment_evidence *v)
{
	struct pair p = pair_of(x, s, arm, metric);
	describe(&p, v);
	v->method = method_of(&p);
	if (v->method == EXPERIMENT_BY_COUNTS || v->method == EXPERIMENT_BY_COUNTS_ANY)
		compare_counts(&p, level, v);
	else if (v->method != EXPERIMENT_BY_NOTHING)
		compare_means(&p, rho_of(x, arm, level), level, v);
}

/* --- once --- */

static void compare_rates(const struct pair *p, double level, struct experiment_evidence *v)
{
	struct stat_two_rates rates;
	struct stat_poisson_rates counts;
	v->method = EXPERIMENT_BY_RATES;
	stat_two_rates(p->units[0], p->units[1], level, &rates, NULL);
	stat_poisson_rates(p->units[0].events, (double)p->units[0].trials, p->units[1].events,
			   (double)p->units[1].trials, &counts, NULL);
	v->p = is_frequent(p) ? rates.p_pooled : counts.p;
	v->interval = rates.newcombe;
	v->effect = rates.difference;
	for (size_t i = 0; i < 2; i++)
		v->mean[i] = (double)p->units[i].events / (double)p->units[i].trials;
}

static void compare_ranks(const uint64_t *a, const uint64_t *b, struct experiment_evidence *v)
{
	struct stat_rank_counts ranks;
	if (a == NULL || stat_mann_whitney_counts(a, b, HISTOGRAM_BUCKETS, &ranks, NULL) != 0)
		return;
	v->faster = ranks.superiority;
	v->faster_p = ranks.p;
}

static void compare_welch(const struct pair *p, double level, struct experiment_evidence *v)
{
	struct stat_moments m[2];
	struct stat_mean_test test;
	double variance_ratio = moments_of(p, m);
	if (stat_welch(&m[0], &m[1], level, &test, NULL) != 0)
		return;
	take_means(m, v);
	v->method = EXPERIMENT_BY_WELCH;
	v->variance_ratio = variance_ratio;
	v->is_flat = !(test.error > 0);
	v->interval = v->is_flat ? (struct stat_interval){-INFINITY, INFINITY} : test.interval;
	v->p = v->is_flat ? 1 : test.p;
}

void experiment_compare_once(const struct experiment *x, const struct experiment_state *s, size_t arm, size_t metric,
			     double level, struct experiment_evidence *v)
{
	struct pair p = pair_of(x, s, arm, metric);
	describe(&p, v);
	if (p.units[0].trials == 0 || p.units[1].trials == 0)
		return;
	if (p.is_single)
		compare_rates(&p, level, v);
	else
		compare_welch(&p, level, v);
	compare_ranks(s->latencies[0][metric], s->latencies[arm][metric], v);
}
