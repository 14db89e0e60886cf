#include "core/stat/stat_distribution.h"

#include "core/stat/stat_root.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdbool.h>

#define LN_2PI 1.8378770664093454836
/* Steps grow with the square root of the parameters: this is enough for 1e15. */
#define STEPS_MAX 100000000

enum { LOWER, UPPER };

/* ln P and ln(1 - P) of one of them. */
static void both_tails(double log_tail[2], int which, double value)
{
	if (value > 0)
		value = 0; /* one, but for rounding */
	log_tail[which] = value;
	log_tail[!which] = value > -M_LN2 ? log(-expm1(value)) : log1p(-exp(value));
}

double stat_log_gamma(double x)
{
	int sign;
	return x > 0 ? lgamma_r(x, &sign) : NAN;
}

double stat_stirling_error(double x)
{
	if (x < 16)
		return stat_log_gamma(x + 1) - (x + 0.5) * log(x) + x - LN_2PI / 2;
	/* Abramowitz and Stegun 6.1.41; the first term left out is below 2e-16. */
	double r = 1 / (x * x);
	return (1. / 12 - r * (1. / 360 - r * (1. / 1260 - r * (1. / 1680 - r / 1188)))) / x;
}

double stat_deviance(double x, double m)
{
	if (x == 0)
		return m;
	if (fabs(x - m) >= 0.1 * (x + m))
		return x * log(x / m) + m - x;
	/* ln(x / m) = 2 atanh(v): its first terms cancel with m - x exactly, the rest is summed. */
	double v = (x - m) / (x + m);
	double sum = (x - m) * v, term = 2 * x * v;
	for (int j = 1; j < 100; j++) {
		term *= v * v;
		double next = sum + term / (2 * j + 1);
		if (next == sum)
			break;
		sum = next;
	}
	return sum;
}

/* ln P of k events and `rest` others. With p and q = 1 - p both given, and both counts, so that none loses digits. */
static double log_mass(double k, double rest, double p, double q)
{
	double n = k + rest;
	if (k == 0)
		return n == 0 ? 0 : n * (p < 0.5 ? log1p(-p) : log(q));
	if (rest == 0)
		return n * (q < 0.5 ? log1p(-q) : log(p));
	if (p == 0 || q == 0)
		return -INFINITY;
	return stat_stirling_error(n) - stat_stirling_error(k) - stat_stirling_error(rest) - stat_deviance(k, n * p) -
	       stat_deviance(rest, n * q) - 0.5 * (LN_2PI + log(k) + log(rest / n));
}

double stat_binomial_log_mass(double k, double n, double p)
{
	if (!(p >= 0 && p <= 1 && k >= 0 && k <= n))
		return NAN;
	return log_mass(k, n - k, p, 1 - p);
}

/* x^a y^b / B(a, b) divided by this is P(X <= x): the continued fraction of DiDonato and Morris, ACM Transactions on
 * Mathematical Software 18 (1992), equation 9, by Lentz's method. Its terms are positive for x up to the mean, and
 * both x and y are used, so that none is lost near 0 or 1. */
static double beta_fraction(double a, double b, double x, double y)
{
	double excess = a * y - b * x + 1;
	double value = a * excess / (a + 1), c = value, d = 0;
	for (double m = 1; m < STEPS_MAX; m++) {
		double over = a + 2 * m - 1;
		double numerator = (a + m - 1) / over * (a + b + m - 1) / over * m * (b - m) * x * x;
		double denominator = m + m * (b - m) * x / over + (a + m) / (over + 2) * (excess + m * (1 + y));
		d = 1 / (denominator + numerator * d);
		c = denominator + numerator / c;
		value *= c * d;
		if (fabs(c * d - 1) < DBL_EPSILON)
			break;
	}
	return value;
}

/* ln P(X <= x) and ln P(X > x) of Beta(a, b); y = 1 - x. */
static void beta_log_tails(double a, double b, double x, double y, double log_tail[2])
{
	if (x <= 0 || y <= 0) {
		both_tails(log_tail, x <= 0 ? LOWER : UPPER, -INFINITY);
		return;
	}
	/* x^a y^b / B(a, b), by way of a binomial mass. */
	double front = log(a) + log(b / (a + b)) + log_mass(a, b, x, y);
	if (x <= (a + 1) / (a + b + 2))
		both_tails(log_tail, LOWER, front - log(beta_fraction(a, b, x, y)));
	else
		both_tails(log_tail, UPPER, front - log(beta_fraction(b, a, y, x)));
}

/* ln P(X <= x) and ln P(X > x) of the gamma distribution of shape a: a series below the mean (DLMF 8.11.4), a
 * continued fraction above (8.9.2). */
static void gamma_log_tails(double a, double x, double log_tail[2])
{
	if (x <= 0 || isinf(x)) {
		both_tails(log_tail, x <= 0 ? LOWER : UPPER, -INFINITY);
		return;
	}
	/* x^a exp(-x) / Gamma(a + 1) */
	double front = -stat_stirling_error(a) - stat_deviance(a, x) - 0.5 * (LN_2PI + log(a));
	if (x < a + 1) {
		double sum = 1, term = 1;
		for (double n = 1; n < STEPS_MAX && term > sum * DBL_EPSILON / 4; n++) {
			term *= x / (a + n);
			sum += term;
		}
		both_tails(log_tail, LOWER, front + log(sum));
		return;
	}
	double b = x + 1 - a, c = 1 / DBL_MIN, d = 1 / b, value = d;
	for (double n = 1; n < STEPS_MAX; n++) {
		double an = -n * (n - a);
		b += 2;
		d = an * d + b;
		c = b + an / c;
		d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
		c = fabs(c) < DBL_MIN ? DBL_MIN : c;
		value *= d * c;
		if (fabs(d * c - 1) < DBL_EPSILON)
			break;
	}
	both_tails(log_tail, UPPER, front + log(a * value));
}

double stat_normal_upper(double z)
{
	return gsl_cdf_ugaussian_Q(z);
}

double stat_normal_quantile(double p)
{
	return p >= 0 && p <= 1 ? gsl_cdf_ugaussian_Pinv(p) : NAN;
}

double stat_normal_upper_quantile(double p)
{
	return p >= 0 && p <= 1 ? gsl_cdf_ugaussian_Qinv(p) : NAN;
}

/* ln P(T > t) for t >= 0. */
static double t_log_upper(double t, double df)
{
	double log_tail[2];
	/* x = df / (df + t^2) and y = 1 - x, without squaring what might overflow. */
	double root = t / sqrt(df);
	double ratio = root > 1 ? 1 / root / root : root * root;
	double small = ratio / (1 + ratio), large = 1 / (1 + ratio);
	beta_log_tails(df / 2, 0.5, root > 1 ? small : large, root > 1 ? large : small, log_tail);
	return log_tail[LOWER] - M_LN2;
}

double stat_t_upper(double t, double df)
{
	if (!(df > 0) || isnan(t))
		return NAN;
	if (isinf(df))
		return stat_normal_upper(t);
	double tail = exp(t_log_upper(fabs(t), df));
	return t < 0 ? 1 - tail : tail;
}

double stat_t_two_sided(double t, double df)
{
	return 2 * stat_t_upper(fabs(t), df);
}

/* What a quantile's equation needs: the distribution's parameters, which tail, and the logarithm it should have. */
struct quantile {
	double a, b, log_p;
	int tail;
};

/* t's tail against its logarithm; falls with it, so the sign is turned. */
static double t_equation(double log_t, const void *context)
{
	const struct quantile *q = context;
	return q->log_p - t_log_upper(exp(log_t), q->a);
}

double stat_t_upper_quantile(double p, double df)
{
	if (!(df > 0 && p >= 0 && p <= 1))
		return NAN;
	if (isinf(df) || p == 0 || p == 1)
		return stat_normal_upper_quantile(p);
	if (p >= 0.5)
		return p == 0.5 ? 0 : -stat_t_upper_quantile(1 - p, df);
	struct quantile q = {.a = df, .log_p = log(p)};
	return exp(stat_root_rising(t_equation, &q, log(stat_normal_upper_quantile(p)), 0.1, 1500));
}

/* Benton and Krishnamoorthy, Computational Statistics & Data Analysis 43 (2003), written for the upper tail:
 * sum over i of Poisson weights times beta tails, all of them positive for delta > 0. */
double stat_t_noncentral_upper(double t, double df, double delta)
{
	if (!(df > 0 && t >= 0 && fabs(delta) <= 37))
		return NAN;
	double half = delta * delta / 2;
	double x = t * t / (df + t * t), y = df / (df + t * t);
	double sum = 0;
	double even = exp(-half), odd = delta / sqrt(M_PI_2) * exp(-half);
	for (int i = 0; i < 5000; i++) {
		double first[2], second[2];
		beta_log_tails(i + 0.5, df / 2, x, y, first);
		beta_log_tails(i + 1, df / 2, x, y, second);
		sum += even * exp(first[UPPER]) + odd * exp(second[UPPER]);
		if (i > half && even + fabs(odd) < 1e-18)
			break;
		even *= half / (i + 1);
		odd *= half / (i + 1.5);
	}
	return sum / 2;
}

double stat_chi2_upper(double x, double df)
{
	double log_tail[2];
	if (!(df > 0) || isnan(x))
		return NAN;
	gamma_log_tails(df / 2, x / 2, log_tail);
	return exp(log_tail[UPPER]);
}

static double gamma_equation(double log_x, const void *context)
{
	const struct quantile *q = context;
	double log_tail[2];
	gamma_log_tails(q->a, exp(log_x), log_tail);
	return q->tail == LOWER ? log_tail[LOWER] - q->log_p : q->log_p - log_tail[UPPER];
}

double stat_chi2_upper_quantile(double p, double df)
{
	if (!(df > 0 && p >= 0 && p <= 1))
		return NAN;
	if (p == 0 || p == 1)
		return p == 0 ? INFINITY : 0;
	struct quantile q = {.a = df / 2, .log_p = p < 0.5 ? log(p) : log1p(-p)};
	q.tail = p < 0.5 ? UPPER : LOWER;
	return 2 * exp(stat_root_rising(gamma_equation, &q, log(q.a), 1 / sqrt(q.a + 1), 1500));
}

static bool is_beta(double x, double a, double b)
{
	return a > 0 && b > 0 && isfinite(a) && isfinite(b) && !isnan(x);
}

double stat_beta_lower(double x, double a, double b)
{
	double log_tail[2];
	if (!is_beta(x, a, b))
		return NAN;
	beta_log_tails(a, b, x, 1 - x, log_tail);
	return exp(log_tail[LOWER]);
}

double stat_beta_upper(double x, double a, double b)
{
	double log_tail[2];
	if (!is_beta(x, a, b))
		return NAN;
	beta_log_tails(a, b, x, 1 - x, log_tail);
	return exp(log_tail[UPPER]);
}

/* In the logit of x, so that both x and 1 - x keep their digits. */
static double beta_equation(double logit, const void *context)
{
	const struct quantile *q = context;
	double log_tail[2];
	beta_log_tails(q->a, q->b, 1 / (1 + exp(-logit)), 1 / (1 + exp(logit)), log_tail);
	return q->tail == LOWER ? log_tail[LOWER] - q->log_p : q->log_p - log_tail[UPPER];
}

static double beta_quantile(double a, double b, int tail, double log_p)
{
	struct quantile q = {a, b, log_p, tail};
	double step = sqrt(1 / a + 1 / b);
	double logit = stat_root_rising(beta_equation, &q, log(a / b), step < 1 ? step : 1, 1500);
	return 1 / (1 + exp(-logit));
}

double stat_beta_quantile(double p, double a, double b)
{
	if (!is_beta(p, a, b) || p < 0 || p > 1)
		return NAN;
	if (p == 0 || p == 1)
		return p;
	return p <= 0.5 ? beta_quantile(a, b, LOWER, log(p)) : beta_quantile(a, b, UPPER, log1p(-p));
}

double stat_beta_upper_quantile(double p, double a, double b)
{
	if (!is_beta(p, a, b) || p < 0 || p > 1)
		return NAN;
	if (p == 0 || p == 1)
		return 1 - p;
	return p <= 0.5 ? beta_quantile(a, b, UPPER, log(p)) : beta_quantile(a, b, LOWER, log1p(-p));
}

double stat_binomial_lower(uint64_t k, uint64_t n, double p)
{
	if (!(p >= 0 && p <= 1))
		return NAN;
	return k >= n ? 1 : stat_beta_upper(p, (double)k + 1, (double)(n - k));
}

double stat_binomial_upper(uint64_t k, uint64_t n, double p)
{
	if (!(p >= 0 && p <= 1))
		return NAN;
	if (k == 0 || k > n)
		return k == 0;
	return stat_beta_lower(p, (double)k, (double)(n - k) + 1);
}

double stat_kolmogorov_upper(double x)
{
	double sum = 0;
	if (isnan(x))
		return NAN;
	if (x <= 0)
		return 1;
	if (x < 1) { /* the other series of the theta function, which converges fast here */
		for (int k = 1; k < 20; k += 2)
			sum += exp(-k * k * M_PI * M_PI / (8 * x * x));
		return 1 - sqrt(2 * M_PI) / x * sum;
	}
	for (int k = 19; k >= 1; k--)
		sum += (k % 2 == 1 ? 2 : -2) * exp(-2. * k * k * x * x);
	return sum;
}

double stat_lambert_lower(double log_minus_x)
{
	double l = -log_minus_x;
	if (!(l >= 1))
		return NAN;
	/* u = -w solves u - ln u = l, u >= 1: a convex function, and the start is to the right of its zero but for l
	 * next to 1, where the first step goes there. */
	double u = l + log(l);
	for (int i = 0; i < 100 && u > 1; i++) {
		double step = (u - log(u) - l) * u / (u - 1);
		u -= step;
		if (fabs(step) < 1e-15 * u)
			break;
	}
	return -(u < 1 ? 1 : u);
}
