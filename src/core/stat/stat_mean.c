#include "core/stat/stat_mean.h"

#include "core/stat/stat_distribution.h"

#include <math.h>

static int check(const struct stat_moments *m, double alpha, struct err *e)
{
	if (m->count < 2)
		return err_set(e, ERR_INPUT, "a mean needs two values in each arm at least");
	if (!isfinite(m->above) || !isfinite(m->m2) || !isfinite(m->origin))
		return err_set(e, ERR_INPUT, "the values of an arm must be finite");
	if (!(alpha > 0 && alpha < 1))
		return err_set(e, ERR_INPUT, "alpha must lie between 0 and 1, got %g", alpha);
	return 0;
}

/* 0 for 0 / 0: no difference where nothing varied is no evidence. */
static double in_errors(double difference, double error)
{
	return difference == 0 ? 0 : difference / error;
}

static void finish(struct stat_mean_test *test, double alpha)
{
	double radius = stat_t_upper_quantile(alpha / 2, test->df) * test->error;
	test->t = in_errors(test->difference, test->error);
	test->p = stat_t_two_sided(test->t, test->df);
	test->interval = (struct stat_interval){test->difference - radius, test->difference + radius};
}

static double squared_error(const struct stat_moments *m)
{
	return stat_moments_variance(m) / (double)m->count;
}

int stat_welch(const struct stat_moments *a, const struct stat_moments *b, double alpha, struct stat_mean_test *test,
	       struct err *e)
{
	if (check(a, alpha, e) != 0 || check(b, alpha, e) != 0)
		return -1;
	double of_a = squared_error(a), of_b = squared_error(b);
	double share = of_a + of_b > 0 ? of_a / (of_a + of_b) : 0.5;
	test->difference = stat_moments_difference(a, b);
	test->error = sqrt(of_a + of_b);
	test->df = 1 / (share * share / (double)(a->count - 1) + (1 - share) * (1 - share) / (double)(b->count - 1));
	finish(test, alpha);
	return 0;
}

int stat_paired(const struct stat_moments *differences, double alpha, struct stat_mean_test *test, struct err *e)
{
	if (check(differences, alpha, e) != 0)
		return -1;
	test->difference = stat_moments_mean(differences);
	test->error = sqrt(squared_error(differences));
	test->df = (double)(differences->count - 1);
	finish(test, alpha);
	return 0;
}

struct stat_equivalence stat_equivalence(const struct stat_mean_test *test, double margin)
{
	struct stat_equivalence result;
	result.p_lower = stat_t_upper(in_errors(test->difference + margin, test->error), test->df);
	result.p_upper = stat_t_upper(in_errors(margin - test->difference, test->error), test->df);
	result.p = result.p_lower > result.p_upper ? result.p_lower : result.p_upper;
	return result;
}

/* An arm's moments of y - theta (x - x_mean). */
static struct stat_moments adjusted(const struct stat_pairs *p, double theta, double x_mean)
{
	struct stat_moments m = p->y;
	double m2 = p->y.m2 - 2 * theta * p->c + theta * theta * p->x.m2;
	m.m2 = m2 > 0 ? m2 : 0;
	m.above -= theta * (p->x.origin - x_mean + p->x.above);
	return m;
}

double stat_cuped_adjust(const struct stat_pairs *a, const struct stat_pairs *b, struct stat_moments *of_a,
			 struct stat_moments *of_b)
{
	struct stat_pairs both = *a;
	stat_pairs_merge(&both, b);
	double theta = both.x.m2 > 0 ? both.c / both.x.m2 : 0;
	*of_a = adjusted(a, theta, stat_moments_mean(&both.x));
	*of_b = adjusted(b, theta, stat_moments_mean(&both.x));
	return theta;
}

struct stat_moments stat_ratio_moments(const struct stat_pairs *p)
{
	double mean_x = stat_moments_mean(&p->x), ratio = stat_moments_mean(&p->y) / mean_x;
	double m2 = p->y.m2 - 2 * ratio * p->c + ratio * ratio * p->x.m2;
	return (struct stat_moments){p->y.count, ratio, 0, (m2 > 0 ? m2 : 0) / (mean_x * mean_x)};
}

int stat_cuped(const struct stat_pairs *a, const struct stat_pairs *b, double alpha, struct stat_cuped *cuped,
	       struct err *e)
{
	struct stat_pairs both = *a;
	if (check(&a->x, alpha, e) != 0 || check(&b->x, alpha, e) != 0)
		return -1;
	stat_pairs_merge(&both, b);
	struct stat_moments of_a, of_b;
	cuped->theta = stat_cuped_adjust(a, b, &of_a, &of_b);
	cuped->correlation = stat_pairs_correlation(&both);
	cuped->mean_a = stat_moments_mean(&of_a);
	cuped->mean_b = stat_moments_mean(&of_b);
	if (stat_welch(&a->y, &b->y, alpha, &cuped->unadjusted, e) != 0 ||
	    stat_welch(&of_a, &of_b, alpha, &cuped->test, e) != 0)
		return -1;
	double ratio = cuped->test.error / cuped->unadjusted.error;
	cuped->variance_ratio = ratio * ratio;
	return 0;
}

/* The ratios r with (mean_b - r mean_a)^2 <= z^2 (var_b + r^2 var_a), less 1. */
static struct stat_interval fieller(double mean_a, double var_a, double mean_b, double var_b, double difference,
				    double z)
{
	double square = mean_a * mean_a - z * z * var_a;
	if (!(square > 0))
		return (struct stat_interval){-INFINITY, INFINITY};
	double middle = mean_a * difference + z * z * var_a;
	double radius = z * sqrt(mean_a * mean_a * var_b + mean_b * mean_b * var_a - z * z * var_a * var_b);
	return (struct stat_interval){(middle - radius) / square, (middle + radius) / square};
}

int stat_lift(const struct stat_moments *a, const struct stat_moments *b, double alpha, struct stat_lift *lift,
	      struct err *e)
{
	double mean_a = stat_moments_mean(a), mean_b = stat_moments_mean(b);
	if (check(a, alpha, e) != 0 || check(b, alpha, e) != 0)
		return -1;
	if (mean_a == 0)
		return err_set(e, ERR_INPUT, "a lift over a mean of 0 is not defined");
	double var_a = squared_error(a), var_b = squared_error(b);
	double difference = stat_moments_difference(a, b), z = stat_normal_upper_quantile(alpha / 2);
	lift->lift = difference / mean_a;
	lift->error = hypot(sqrt(var_b), mean_b / mean_a * sqrt(var_a)) / fabs(mean_a);
	lift->delta = (struct stat_interval){lift->lift - z * lift->error, lift->lift + z * lift->error};
	lift->fieller = fieller(mean_a, var_a, mean_b, var_b, difference, z);
	return 0;
}
