#include "core/stat/stat_rank.h"

#include "core/stat/stat_distribution.h"
#include "core/stat/stat_sample.h"

#include <math.h>
#include <stdlib.h>

static int sort_both(double *a, size_t na, double *b, size_t nb, struct err *e)
{
	if (na == 0 || nb == 0)
		return err_set(e, ERR_INPUT, "a comparison by rank needs values on both sides");
	if (!stat_sample_is_finite(a, na) || !stat_sample_is_finite(b, nb))
		return err_set(e, ERR_INPUT, "a comparison by rank needs finite values");
	stat_sample_sort(a, na);
	stat_sample_sort(b, nb);
	return 0;
}

/* P(U <= u) for u = 0 .. size - 1, into cumulative. The number of orders with U = u is a coefficient of the Gaussian
 * binomial, the product over i of (1 - q^(larger + i)) / (1 - q^i): factor by factor, each kept a probability. */
static void rank_sum_cumulative(size_t smaller, size_t larger, double *cumulative, size_t size)
{
	cumulative[0] = 1;
	for (size_t u = 1; u < size; u++)
		cumulative[u] = 0;
	for (size_t i = 1; i <= smaller; i++) {
		for (size_t u = size; u-- > larger + i;)
			cumulative[u] -= cumulative[u - larger - i];
		for (size_t u = i; u < size; u++)
			cumulative[u] += cumulative[u - i];
		for (size_t u = 0; u < size; u++)
			cumulative[u] *= (double)i / (double)(larger + i);
	}
	for (size_t u = 1; u < size; u++)
		cumulative[u] += cumulative[u - 1];
}

/* The same on the heap; the caller frees it. */
static double *rank_sum_distribution(size_t na, size_t nb, size_t size, struct err *e)
{
	double *cumulative = malloc(size * sizeof *cumulative);
	if (cumulative == NULL)
		err_set(e, ERR_MEMORY, "no memory to compare %zu with %zu values", na, nb);
	else
		rank_sum_cumulative(na < nb ? na : nb, na < nb ? nb : na, cumulative, size);
	return cumulative;
}

static bool is_small(size_t na, size_t nb)
{
	return (double)na * (double)nb <= STAT_RANK_EXACT_PAIRS;
}

/* Walks along both samples: U of a, and the sum of t^3 - t over groups of ties. */
static double count_wins(const double *a, size_t na, const double *b, size_t nb, double *ties)
{
	size_t i = 0, j = 0;
	double wins = 0;
	*ties = 0;
	while (i < na || j < nb) {
		double value = j == nb || (i < na && a[i] < b[j]) ? a[i] : b[j];
		double of_a = i < na && a[i] == value ? (double)stat_sample_run(a, na, i) : 0;
		double of_b = j < nb && b[j] == value ? (double)stat_sample_run(b, nb, j) : 0;
		wins += of_a * ((double)j + of_b / 2);
		*ties += (of_a + of_b) * (of_a + of_b - 1) * (of_a + of_b + 1);
		i += (size_t)of_a;
		j += (size_t)of_b;
	}
	return wins;
}

static double two_sided(double distance, double sd)
{
	double p = sd > 0 ? 2 * stat_normal_upper(distance / sd) : 1;
	return p < 1 ? p : 1;
}

static int exact_p(size_t na, size_t nb, double least, double *p, struct err *e)
{
	size_t size = (size_t)least + 1;
	double *cumulative = rank_sum_distribution(na, nb, size, e);
	if (cumulative == NULL)
		return -1;
	*p = fmin(1, 2 * cumulative[size - 1]);
	free(cumulative);
	return 0;
}

/* The median of all pairs: of an even number, the mean of the middle two, of ratios the geometric one. */
static double median_pair(const double *a, size_t na, const double *b, size_t nb, enum stat_pairing pairing)
{
	uint64_t pairs = (uint64_t)na * nb;
	double middle = stat_sample_pair(a, na, b, nb, pairing, (pairs + 1) / 2);
	if (pairs % 2 == 1)
		return middle;
	double next = stat_sample_pair(a, na, b, nb, pairing, pairs / 2 + 1);
	return pairing == STAT_RATIO ? sqrt(middle) * sqrt(next) : middle + (next - middle) / 2;
}

int stat_mann_whitney(double *a, size_t na, double *b, size_t nb, struct stat_mann_whitney *r, struct err *e)
{
	if (sort_both(a, na, b, nb, e) != 0)
		return -1;
	double m = (double)na, n = (double)nb, ties;
	double u = count_wins(a, na, b, nb, &ties), least = fmin(u, m * n - u);
	double sd = sqrt(m * n / 12 * (m + n + 1 - ties / (m + n) / (m + n - 1)));
	*r = (struct stat_mann_whitney){.u_a = u, .u_b = m * n - u, .p_exact = NAN};
	r->p_plain = two_sided(m * n / 2 - least, sd);
	r->p_continuity = two_sided(m * n / 2 - least - 0.5, sd);
	r->superiority = u / m / n;
	r->cliffs_delta = (2 * u - m * n) / m / n;
	r->shift = median_pair(a, na, b, nb, STAT_DIFFERENCE);
	r->is_exact = ties == 0 && is_small(na, nb);
	if (r->is_exact && exact_p(na, nb, least, &r->p_exact, e) != 0)
		return -1;
	r->p = r->is_exact ? r->p_exact : r->p_continuity;
	return 0;
}

int stat_mann_whitney_counts(const uint64_t *a, const uint64_t *b, size_t bins, struct stat_rank_counts *r,
			     struct err *e)
{
	double m = 0, n = 0, wins = 0, ties = 0;
	for (size_t i = 0; i < bins; i++) {
		double of_a = (double)a[i], of_b = (double)b[i], both = of_a + of_b;
		wins += of_a * (n + of_b / 2);
		ties += both * (both - 1) * (both + 1);
		m += of_a;
		n += of_b;
	}
	if (m == 0 || n == 0)
		return err_set(e, ERR_INPUT, "a comparison by rank needs values on both sides");
	double sd = sqrt(m * n / 12 * (m + n + 1 - ties / (m + n) / (m + n - 1)));
	r->superiority = wins / m / n;
	r->p = two_sided(m * n / 2 - fmin(wins, m * n - wins) - 0.5, sd);
	return 0;
}

/* The least u with P(U <= u) >= alpha / 2, at least 1, and what the interval that it makes reaches. */
static int moses_rank(size_t na, size_t nb, double alpha, struct stat_time_ratio *result, struct err *e)
{
	double m = (double)na, n = (double)nb;
	result->is_exact = is_small(na, nb);
	if (!result->is_exact) {
		double sd = sqrt(m * n * (m + n + 1) / 12);
		double rank = floor(m * n / 2 + 0.5 - stat_normal_upper_quantile(alpha / 2) * sd);
		result->k = rank > 1 ? (uint64_t)rank : 1;
		result->coverage = 1 - two_sided(m * n / 2 + 0.5 - (double)result->k, sd);
		return 0;
	}
	size_t size = na * nb / 2 + 1;
	double *cumulative = rank_sum_distribution(na, nb, size, e);
	if (cumulative == NULL)
		return -1;
	result->k = 0;
	while (result->k + 1 < size && cumulative[result->k] < alpha / 2)
		result->k++;
	if (result->k == 0)
		result->k = 1;
	result->coverage = 1 - 2 * cumulative[result->k - 1];
	free(cumulative);
	return 0;
}

int stat_time_ratio(double *a, size_t na, double *b, size_t nb, double alpha, struct stat_time_ratio *result,
		    struct err *e)
{
	if (sort_both(a, na, b, nb, e) != 0)
		return -1;
	if (!(a[0] > 0) || !(b[0] > 0))
		return err_set(e, ERR_INPUT, "a ratio of times needs times above 0");
	if (!(alpha > 0 && alpha < 1))
		return err_set(e, ERR_INPUT, "alpha must lie between 0 and 1, got %g", alpha);
	if (moses_rank(na, nb, alpha, result, e) != 0)
		return -1;
	uint64_t pairs = (uint64_t)na * nb;
	result->ratio = median_pair(a, na, b, nb, STAT_RATIO);
	result->interval.low = stat_sample_pair(a, na, b, nb, STAT_RATIO, result->k);
	result->interval.high = stat_sample_pair(a, na, b, nb, STAT_RATIO, pairs + 1 - result->k);
	return 0;
}
