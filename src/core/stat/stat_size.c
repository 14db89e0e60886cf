#include "core/stat/stat_size.h"

#include "core/stat/stat_anytime.h"
#include "core/stat/stat_distribution.h"
#include "core/stat/stat_root.h"

#include <math.h>

/* z_(1 - alpha/2) + z_power */
static double both_quantiles(double alpha, double power)
{
	if (!(alpha > 0 && alpha < 1 && power < 1 && alpha / 2 < power))
		return NAN;
	return stat_normal_upper_quantile(alpha / 2) + stat_normal_quantile(power);
}

/* (effect is how many standard deviations of a difference of single values) */
static double size_of(double effect, double z)
{
	return effect != 0 ? z / effect * (z / effect) : NAN;
}

double stat_size_means(double difference, double sd_a, double sd_b, double ratio, double alpha, double power)
{
	if (!(ratio > 0))
		return NAN;
	return size_of(difference / hypot(sd_a, sd_b / sqrt(ratio)), both_quantiles(alpha, power));
}

static double variances(double rate_a, double rate_b)
{
	return rate_a * (1 - rate_a) + rate_b * (1 - rate_b);
}

double stat_size_rates(double rate_a, double rate_b, double alpha, double power)
{
	return size_of((rate_b - rate_a) / sqrt(variances(rate_a, rate_b)), both_quantiles(alpha, power));
}

double stat_size_rates_pooled(double rate_a, double rate_b, double alpha, double power)
{
	double pooled = (rate_a + rate_b) / 2;
	if (isnan(both_quantiles(alpha, power)))
		return NAN;
	double z = stat_normal_upper_quantile(alpha / 2) * sqrt(2 * pooled * (1 - pooled)) +
		   stat_normal_quantile(power) * sqrt(variances(rate_a, rate_b));
	return size_of(rate_b - rate_a, z);
}

double stat_cohens_h(double rate_a, double rate_b)
{
	return 2 * asin(sqrt(rate_b)) - 2 * asin(sqrt(rate_a));
}

double stat_size_rate_arcsine(double rate_a, double rate_b, double alpha, double power)
{
	return size_of(stat_cohens_h(rate_a, rate_b), both_quantiles(alpha, power));
}

double stat_power_t(double d, double n, double alpha)
{
	if (!(n > 1 && alpha > 0 && alpha < 1))
		return NAN;
	double df = 2 * n - 2, shift = fabs(d) * sqrt(n / 2);
	double limit = stat_t_upper_quantile(alpha / 2, df);
	return stat_t_noncentral_upper(limit, df, shift) + stat_t_noncentral_upper(limit, df, -shift);
}

struct power_equation {
	double d, alpha, power;
};

/* Beyond a shift of 30 the power is 1 but for 1e-100. */
static double power_equation(double log_df, const void *context)
{
	const struct power_equation *q = context;
	double n = 1 + exp(log_df) / 2;
	double power = fabs(q->d) * sqrt(n / 2) < 30 ? stat_power_t(q->d, n, q->alpha) : 1;
	return power - q->power;
}

double stat_size_t(double d, double alpha, double power)
{
	struct power_equation equation = {d, alpha, power};
	double about = size_of(d / M_SQRT2, both_quantiles(alpha, power));
	if (isnan(about))
		return NAN;
	double start = log(2 * about);
	return 1 + exp(stat_root_rising(power_equation, &equation, start, 0.05, 100)) / 2;
}

double stat_least_difference(double sd_a, double sd_b, double n, double alpha, double power)
{
	return n > 0 ? both_quantiles(alpha, power) * hypot(sd_a, sd_b) / sqrt(n) : NAN;
}

double stat_least_rise(double rate_a, double n, double alpha, double power)
{
	double z = both_quantiles(alpha, power);
	if (!(n > 0 && rate_a >= 0 && rate_a <= 1))
		return NAN;
	/* d^2 = c (p q + (p + d)(q - d)) with c = z^2 / n, a quadratic equation in d. */
	double c = z * z / n, linear = c * (1 - 2 * rate_a);
	double rise = (linear + sqrt(linear * linear + 8 * c * (1 + c) * rate_a * (1 - rate_a))) / (2 * (1 + c));
	return rate_a + rise <= 1 ? rise : NAN;
}

struct stat_anytime_cost stat_anytime_cost(double alpha, double power)
{
	double rho = stat_mixture_rho_exact(alpha, 1), z = both_quantiles(alpha, power);
	double fixed = stat_normal_upper_quantile(alpha / 2);
	struct stat_anytime_cost cost = {.k = rho * rho};
	cost.multiplier = stat_mixture_multiplier(cost.k, alpha);
	cost.width_ratio = cost.multiplier / fixed;
	double size = (cost.multiplier + z - fixed) / z;
	cost.size_ratio = size * size;
	return cost;
}
