#include "core/stat/stat_anytime.h"

#include "core/stat/stat_distribution.h"
#include "core/stat/stat_root.h"

#include <math.h>

static bool is_level(double alpha)
{
	return alpha > 0 && alpha < 1;
}

double stat_anytime_p(double log_e)
{
	return log_e > 0 ? exp(-log_e) : isnan(log_e) ? NAN : 1;
}

double stat_mixture_log_e(double k, double z)
{
	return k / (1 + k) * z * z / 2 - log1p(k) / 2;
}

double stat_mixture_multiplier(double k, double alpha)
{
	return sqrt((k + 1) / k * (log1p(k) - 2 * log(alpha)));
}

double stat_mixture_multiplier_one_sided(double k, double alpha)
{
	return sqrt(2 * (k + 1) / k * log1p(sqrt(k + 1) / (2 * alpha)));
}

double stat_mixture_rho(double alpha, double n_star)
{
	double evidence = -2 * log(alpha);
	return sqrt((evidence + log1p(evidence)) / n_star);
}

double stat_mixture_rho_exact(double alpha, double n_star)
{
	/* W_-1(-alpha^2 / e) */
	return sqrt((-stat_lambert_lower(2 * log(alpha) - 1) - 1) / n_star);
}

double stat_mixture_bound(double v, double rho, double alpha)
{
	return sqrt((v + rho) * (log1p(v / rho) - 2 * log(alpha)));
}

static int means(const struct stat_moments *a, const struct stat_moments *b, double alpha, double rho,
		 struct stat_sequence *s, struct err *e)
{
	if (a->count < 2 || b->count < 2)
		return err_set(e, ERR_INPUT, "a mean needs two values in each arm at least");
	if (!is_level(alpha) || !(rho > 0) || isinf(rho))
		return err_set(e, ERR_INPUT, "alpha must lie between 0 and 1, and rho be positive");
	s->difference = stat_moments_difference(a, b);
	s->error = sqrt(stat_moments_variance(a) / (double)a->count + stat_moments_variance(b) / (double)b->count);
	if (!isfinite(s->difference) || !isfinite(s->error))
		return err_set(e, ERR_INPUT, "the values of both arms must be finite");
	s->k = ((double)a->count + (double)b->count) * rho * rho;
	s->z = s->error > 0 ? s->difference / s->error : 0;
	s->log_e = s->error > 0 ? stat_mixture_log_e(s->k, s->z) : 0;
	s->p = stat_anytime_p(s->log_e);
	return 0;
}

int stat_anytime_means(const struct stat_moments *a, const struct stat_moments *b, double alpha, double rho,
		       struct stat_sequence *s, struct err *e)
{
	if (means(a, b, alpha, rho, s, e) != 0)
		return -1;
	s->multiplier = stat_mixture_multiplier(s->k, alpha);
	s->radius = s->error > 0 ? s->error * s->multiplier : INFINITY;
	s->interval = (struct stat_interval){s->difference - s->radius, s->difference + s->radius};
	return 0;
}

int stat_anytime_means_above(const struct stat_moments *a, const struct stat_moments *b, double alpha, double rho,
			     struct stat_sequence *s, struct err *e)
{
	if (means(a, b, alpha, rho, s, e) != 0)
		return -1;
	s->multiplier = stat_mixture_multiplier_one_sided(s->k, alpha);
	s->radius = s->error > 0 ? s->error * s->multiplier : INFINITY;
	s->interval = (struct stat_interval){s->difference - s->radius, INFINITY};
	return 0;
}

bool stat_anytime_is_frequent(struct stat_share a, struct stat_share b)
{
	return a.events >= STAT_FREQUENT_MIN && b.events >= STAT_FREQUENT_MIN &&
	       a.trials - a.events >= STAT_FREQUENT_MIN && b.trials - b.events >= STAT_FREQUENT_MIN;
}

double stat_msprt_log_e(double difference, double error, double tau)
{
	return stat_mixture_log_e(tau / error * (tau / error), difference / error);
}

/* One cell's part of the kernel. With Stirling's formula in each ln Gamma, all that is large is the deviance of the
 * posterior count from its expectation, and the rest are ratios; so nothing large cancels, at counts of 1e15 either.
 * total is c + N. */
static double cell_log_e(double count, double weight, double concentration, double total)
{
	double prior = concentration * weight, posterior = prior + count;
	return stat_deviance(posterior, total * weight) - 0.5 * log1p(count / prior) + stat_stirling_error(posterior) -
	       stat_stirling_error(prior);
}

/* What is left beside the cells. */
static double total_log_e(double concentration, double total)
{
	return 0.5 * log(total / concentration) + stat_stirling_error(concentration) - stat_stirling_error(total);
}

int stat_counts_log_e(const uint64_t *counts, const double *weights, size_t cells, double concentration, double *log_e,
		      struct err *e)
{
	double weight_sum = 0, total = concentration;
	for (size_t i = 0; i < cells; i++) {
		if (!(weights[i] >= 0))
			return err_set(e, ERR_INPUT, "weights must not be negative");
		weight_sum += weights[i];
		total += (double)counts[i];
	}
	if (!(fabs(weight_sum - 1) <= 1e-9))
		return err_set(e, ERR_INPUT, "weights must sum to 1, got %g", weight_sum);
	if (!(concentration > 0) || isinf(concentration))
		return err_set(e, ERR_INPUT, "the concentration must be positive, got %g", concentration);
	*log_e = total_log_e(concentration, total);
	for (size_t i = 0; i < cells; i++) {
		if (weights[i] > 0)
			*log_e += cell_log_e((double)counts[i], weights[i] / weight_sum, concentration, total);
		else if (counts[i] > 0)
			*log_e = INFINITY;
	}
	return 0;
}

double stat_anytime_rate_log_e(struct stat_share share, double p)
{
	return -log1p((double)share.trials) - stat_binomial_log_mass((double)share.events, (double)share.trials, p);
}

struct rate_equation {
	struct stat_share share;
	double log_limit; /* ln(1 / alpha) */
};

/* Rises with p above the observed rate. */
static double rate_equation(double logit, const void *context)
{
	const struct rate_equation *r = context;
	/* The smaller of p and 1 - p is given, for 1 - p would lose its digits. */
	struct stat_share share = r->share;
	if (logit > 0)
		share.events = share.trials - share.events;
	return stat_anytime_rate_log_e(share, 1 / (1 + exp(fabs(logit)))) - r->log_limit;
}

int stat_anytime_rate(struct stat_share share, double alpha, struct stat_interval *interval, struct err *e)
{
	double n = (double)share.trials, x = (double)share.events;
	if (share.events > share.trials || !is_level(alpha))
		return err_set(e, ERR_INPUT, "a rate needs no more events than trials, and alpha between 0 and 1");
	*interval = (struct stat_interval){0, 1};
	if (share.trials == 0)
		return 0;
	/* Of no events, or nothing else, the equation (1 - p)^n = alpha / (n + 1) is solved at once. */
	double all = -expm1((log(alpha) - log1p(n)) / n);
	struct rate_equation equation = {share, -log(alpha)};
	double logit = log(x) - log(n - x), step = sqrt(n / x / (n - x));
	if (share.events == 0)
		interval->high = all;
	else if (share.events == share.trials)
		interval->low = 1 - all;
	if (share.events == 0 || share.events == share.trials)
		return 0;
	/* At the rate itself the evidence is negative; the zeros are on either side of it. */
	double low = stat_root(rate_equation, &equation, logit - 1500, logit);
	double near = logit + step;
	while (rate_equation(near, &equation) < 0)
		near += step *= 2;
	double high = stat_root(rate_equation, &equation, logit, near);
	interval->low = 1 / (1 + exp(-low));
	interval->high = 1 / (1 + exp(-high));
	return 0;
}

struct split_equation {
	double counts[2], concentration, log_limit;
};

/* Falls with the share below the observed one, rises above it. Both weights are made of the logit, so that neither
 * loses its digits. */
static double split_equation(double logit, const void *context)
{
	const struct split_equation *s = context;
	double total = s->concentration + s->counts[0] + s->counts[1];
	return total_log_e(s->concentration, total) +
	       cell_log_e(s->counts[0], 1 / (1 + exp(logit)), s->concentration, total) +
	       cell_log_e(s->counts[1], 1 / (1 + exp(-logit)), s->concentration, total) - s->log_limit;
}

/* Where a weight is still far from the least double. */
#define SPLIT_LOGIT_MAX 600

/* The zero on one side of the middle, as a logit: there is no evidence against the middle itself. Few counts in a cell
 * (a single one, say) may not be evidence against any share of it, however small. */
static double split_bound(const struct split_equation *s, double middle, double direction)
{
	double step = direction / 8, at = middle + step;
	while (fabs(at) < SPLIT_LOGIT_MAX && split_equation(at, s) < 0)
		at += step *= 2;
	at = fmax(fmin(at, SPLIT_LOGIT_MAX), -SPLIT_LOGIT_MAX);
	if (split_equation(at, s) < 0)
		return direction * INFINITY;
	return direction < 0 ? stat_root(split_equation, s, at, middle) : stat_root(split_equation, s, middle, at);
}

int stat_anytime_split(const uint64_t counts[2], double concentration, double alpha, struct stat_interval *share,
		       struct err *e)
{
	if (!is_level(alpha) || !(concentration > 0) || isinf(concentration))
		return err_set(e, ERR_INPUT, "alpha must lie between 0 and 1, and the concentration be positive");
	struct split_equation s = {{(double)counts[0], (double)counts[1]}, concentration, -log(alpha)};
	*share = (struct stat_interval){0, 1};
	if (counts[0] == 0 && counts[1] == 0)
		return 0;
	/* Where a cell is empty, its share may be 0, and the search begins where it nearly is. */
	double middle = counts[0] == 0   ? SPLIT_LOGIT_MAX
			: counts[1] == 0 ? -SPLIT_LOGIT_MAX
					 : log(s.counts[1]) - log(s.counts[0]);
	if (counts[1] > 0)
		share->low = 1 / (1 + exp(-split_bound(&s, middle, -1)));
	if (counts[0] > 0)
		share->high = 1 / (1 + exp(-split_bound(&s, middle, 1)));
	return 0;
}

struct quantile_equation {
	double p, n, concentration, log_limit;
	double direction; /* 1: more below the quantile than expected, -1: fewer */
};

/* The kernel of counts in two cells, real numbers here; rises with the excess. */
static double quantile_equation(double excess, const void *context)
{
	const struct quantile_equation *q = context;
	double total = q->concentration + q->n, below = q->n * q->p + q->direction * excess;
	double above = q->n * (1 - q->p) - q->direction * excess;
	return total_log_e(q->concentration, total) + cell_log_e(below < 0 ? 0 : below, q->p, q->concentration, total) +
	       cell_log_e(above < 0 ? 0 : above, 1 - q->p, q->concentration, total) - q->log_limit;
}

/* The excess, as a share of n, at which the evidence suffices; most is the greatest possible one. */
static double quantile_radius(const struct quantile_equation *q, double most)
{
	if (!(quantile_equation(most * q->n, q) > 0))
		return INFINITY;
	return stat_root(quantile_equation, q, 0, most * q->n) / q->n;
}

int stat_anytime_quantile(double p, uint64_t n, double n_star, double alpha, struct stat_ranks *ranks, struct err *e)
{
	if (!is_level(p) || !is_level(alpha) || !(n_star > 0))
		return err_set(e, ERR_INPUT, "the quantile and alpha must lie between 0 and 1, and n_star be positive");
	double variance = p * (1 - p), evidence = -2 * log(alpha);
	double r = variance * n_star / (evidence + log1p(evidence)) - variance;
	r = r > 0.001 * variance ? r : 0.001 * variance;
	struct quantile_equation q = {p, (double)n, r / variance, -log(alpha), -1};
	ranks->lower_radius = n > 0 ? quantile_radius(&q, p) : INFINITY;
	q.direction = 1;
	ranks->upper_radius = n > 0 ? quantile_radius(&q, 1 - p) : INFINITY;
	double lower = floor((double)n * (p - ranks->lower_radius)) + 1;
	double upper = ceil((double)n * (p + ranks->upper_radius));
	ranks->lower = isinf(ranks->lower_radius) || lower < 1 ? 0 : (uint64_t)lower;
	ranks->upper = isinf(ranks->upper_radius) ? n + 1 : (uint64_t)upper;
	return 0;
}
