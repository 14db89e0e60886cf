#include "core/stat/stat_proportion.h"

#include "core/stat/stat_distribution.h"

#include <float.h>
#include <math.h>

/* Probabilities that differ by less are the same: R's and SciPy's tolerance. */
#define LOG_SAME 1e-7

static bool is_level(double alpha)
{
	return alpha > 0 && alpha < 1;
}

static bool is_interval(struct stat_share share, double alpha, struct stat_interval *interval)
{
	bool valid = share.events <= share.trials && is_level(alpha);
	*interval = valid ? (struct stat_interval){0, 1} : (struct stat_interval){NAN, NAN};
	return valid && share.trials > 0;
}

static double wilson_high(double x, double n, double z)
{
	return (x + z * z / 2 + z * sqrt(x * (n - x) / n + z * z / 4)) / (n + z * z);
}

struct stat_interval stat_wilson(struct stat_share share, double alpha)
{
	struct stat_interval interval;
	double x = (double)share.events, n = (double)share.trials;
	if (!is_interval(share, alpha, &interval))
		return interval;
	double z = stat_normal_upper_quantile(alpha / 2);
	/* Both ends solve one quadratic equation: the product of its roots gives the lower one without a
	 * difference of nearly equal numbers. */
	interval.high = share.events == share.trials ? 1 : wilson_high(x, n, z);
	interval.low = x / n * x / (n + z * z) / interval.high;
	return interval;
}

struct stat_interval stat_clopper_pearson(struct stat_share share, double alpha)
{
	struct stat_interval interval;
	double x = (double)share.events, rest = (double)(share.trials - share.events);
	if (!is_interval(share, alpha, &interval))
		return interval;
	if (x > 0)
		interval.low = stat_beta_quantile(alpha / 2, x, rest + 1);
	if (rest > 0)
		interval.high = stat_beta_upper_quantile(alpha / 2, x + 1, rest);
	return interval;
}

struct stat_interval stat_jeffreys(struct stat_share share, double alpha)
{
	struct stat_interval interval;
	double x = (double)share.events, rest = (double)(share.trials - share.events);
	if (!is_interval(share, alpha, &interval))
		return interval;
	interval.low = stat_beta_quantile(alpha / 2, x + 0.5, rest + 0.5);
	interval.high = stat_beta_upper_quantile(alpha / 2, x + 0.5, rest + 0.5);
	return interval;
}

double stat_clopper_pearson_lower(struct stat_share share, double alpha)
{
	if (share.events > share.trials || !is_level(alpha))
		return NAN;
	if (share.events == 0)
		return 0;
	return stat_beta_quantile(alpha, (double)share.events, (double)(share.trials - share.events) + 1);
}

static double rate(struct stat_share share)
{
	return (double)share.events / (double)share.trials;
}

/* p (1 - p) / n of an arm, from counts that may have been added to. */
static double variance(double events, double trials)
{
	return events / trials * ((trials - events) / trials) / trials;
}

static struct stat_interval around(double middle, double radius)
{
	return (struct stat_interval){middle - radius, middle + radius};
}

static struct stat_interval newcombe(struct stat_share a, struct stat_share b, double alpha, double difference)
{
	struct stat_interval of_a = stat_wilson(a, alpha), of_b = stat_wilson(b, alpha);
	return (struct stat_interval){
	    difference - hypot(rate(b) - of_b.low, of_a.high - rate(a)),
	    difference + hypot(of_b.high - rate(b), rate(a) - of_a.low),
	};
}

static struct stat_interval agresti_caffo(struct stat_share a, struct stat_share b, double z)
{
	/* One event and one other are added to each arm. */
	double xa = (double)a.events + 1, na = (double)a.trials + 2;
	double xb = (double)b.events + 1, nb = (double)b.trials + 2;
	return around(xb / nb - xa / na, z * sqrt(variance(xa, na) + variance(xb, nb)));
}

int stat_two_rates(struct stat_share a, struct stat_share b, double alpha, struct stat_two_rates *t, struct err *e)
{
	double xa = (double)a.events, na = (double)a.trials;
	double xb = (double)b.events, nb = (double)b.trials;
	if (a.trials == 0 || b.trials == 0 || a.events > a.trials || b.events > b.trials)
		return err_set(e, ERR_INPUT, "a rate needs trials, and no more events than trials");
	if (!is_level(alpha))
		return err_set(e, ERR_INPUT, "alpha must lie between 0 and 1, got %g", alpha);
	double z = stat_normal_upper_quantile(alpha / 2);
	double pooled = (xa + xb) / (na + nb), other = ((na - xa) + (nb - xb)) / (na + nb);
	t->difference = xb / nb - xa / na;
	t->error_pooled = sqrt(pooled * other * (1 / na + 1 / nb));
	t->z_pooled = t->error_pooled > 0 ? t->difference / t->error_pooled : 0;
	t->p_pooled = 2 * stat_normal_upper(fabs(t->z_pooled));
	t->error = sqrt(variance(xa, na) + variance(xb, nb));
	t->z = t->error > 0 ? t->difference / t->error : t->difference == 0 ? 0 : copysign(INFINITY, t->difference);
	t->wald = around(t->difference, z * t->error);
	t->newcombe = newcombe(a, b, alpha, t->difference);
	t->agresti_caffo = agresti_caffo(a, b, z);
	return 0;
}

/* A distribution over whole numbers that rises to its mode and then falls. */
struct lattice {
	double (*log_mass)(const struct lattice *l, double k);
	double first, last;  /* what is possible */
	double n, rate;      /* of the binomial; the hypergeometric draws n */
	double marked, rest; /* of the hypergeometric: what it draws from */
};

/* The value farthest from the end, on the other side of the mode, that is no more probable than log_limit; one past
 * the end (direction -1: first - 1, 1: last + 1) when there is none. */
static double opposite_start(const struct lattice *l, double mode, int direction, double log_limit)
{
	/* Always: not at "inner", which may be the mode itself; at "outer", or it is past the end. */
	double inner = mode, outer = direction > 0 ? l->last + 1 : l->first - 1;
	while (fabs(outer - inner) > 1) {
		double middle = floor((inner + outer) / 2);
		if (l->log_mass(l, middle) <= log_limit)
			outer = middle;
		else
			inner = middle;
	}
	return outer;
}

static double binomial_log_mass(const struct lattice *l, double k)
{
	return stat_binomial_log_mass(k, l->n, l->rate);
}

double stat_binomial_two_sided(uint64_t k, uint64_t n, double p)
{
	if (k > n || !(p >= 0 && p <= 1))
		return NAN;
	struct lattice l = {.log_mass = binomial_log_mass, .last = (double)n, .n = (double)n, .rate = p};
	double mean = (double)n * p, limit = binomial_log_mass(&l, (double)k) + LOG_SAME;
	if ((double)k == mean)
		return 1;
	double sum;
	if ((double)k < mean) {
		double other = opposite_start(&l, ceil(mean) - 1, 1, limit);
		sum = stat_binomial_lower(k, n, p) + stat_binomial_upper((uint64_t)other, n, p);
	} else {
		double other = opposite_start(&l, floor(mean) + 1, -1, limit);
		sum = stat_binomial_upper(k, n, p) + (other < 0 ? 0 : stat_binomial_lower((uint64_t)other, n, p));
	}
	return sum < 1 ? sum : 1;
}

/* Of n that are drawn out of marked + rest, k are marked: three binomial masses (Loader 2000). */
static double hypergeometric_log_mass(const struct lattice *l, double k)
{
	return stat_binomial_log_mass(k, l->marked, l->rate) + stat_binomial_log_mass(l->n - k, l->rest, l->rate) -
	       stat_binomial_log_mass(l->n, l->marked + l->rest, l->rate);
}

/* The sum from k outwards, away from the mode, where each term is the last one times a ratio below 1. */
static double hypergeometric_tail(const struct lattice *l, double k, int direction)
{
	double sum = 0, term = 1;
	if (k < l->first || k > l->last)
		return 0;
	double scale = exp(hypergeometric_log_mass(l, k));
	for (; k >= l->first && k <= l->last && term > sum * DBL_EPSILON / 8; k += direction) {
		sum += term;
		if (direction < 0)
			term *= k / (l->marked - k + 1) * ((l->rest - l->n + k) / (l->n - k + 1));
		else
			term *= (l->marked - k) / (k + 1) * ((l->n - k) / (l->rest - l->n + k + 1));
	}
	return scale * sum;
}

double stat_fisher(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	double marked = (double)a + (double)b, rest = (double)c + (double)d;
	double n = (double)a + (double)c, k = (double)a;
	if (marked == 0 || rest == 0 || n == 0 || (double)b + (double)d == 0)
		return 1;
	struct lattice l = {
	    hypergeometric_log_mass, fmax(0, n - rest), fmin(n, marked), n, n / (marked + rest), marked, rest};
	double mode = floor((n + 1) * ((marked + 1) / (marked + rest + 2)));
	double limit = hypergeometric_log_mass(&l, k) + LOG_SAME;
	if (hypergeometric_log_mass(&l, mode) <= limit)
		return 1;
	int direction = k < mode ? 1 : -1;
	double sum = hypergeometric_tail(&l, k, -direction) +
		     hypergeometric_tail(&l, opposite_start(&l, mode, direction, limit), direction);
	return sum < 1 ? sum : 1;
}

struct stat_mcnemar stat_mcnemar(uint64_t b, uint64_t c)
{
	double n = (double)b + (double)c, distance = fabs((double)b - (double)c);
	uint64_t least = b < c ? b : c;
	struct stat_mcnemar m = {1, 1, 0, 1, 0, 1};
	if (n == 0)
		return m;
	double below = 2 * stat_binomial_lower(least, b + c, 0.5);
	m.p_exact = below < 1 ? below : 1;
	m.p_mid = below - exp(stat_binomial_log_mass((double)least, n, 0.5));
	m.chi2 = distance * distance / n;
	m.p_chi2 = stat_chi2_upper(m.chi2, 1);
	m.chi2_continuity = (distance - 1) * (distance - 1) / n;
	m.p_chi2_continuity = stat_chi2_upper(m.chi2_continuity, 1);
	return m;
}

int stat_poisson_rates(uint64_t x1, double t1, uint64_t x2, double t2, struct stat_poisson_rates *rates, struct err *e)
{
	if (!(t1 > 0 && t2 > 0) || isinf(t1) || isinf(t2))
		return err_set(e, ERR_INPUT, "the exposures of two rates must be positive, got %g and %g", t1, t2);
	rates->ratio = (double)x2 / t2 / ((double)x1 / t1);
	rates->p = stat_binomial_two_sided(x1, x1 + x2, t1 / (t1 + t2));
	return 0;
}
