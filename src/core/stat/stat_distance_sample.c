/* stat_distance, of samples: Kolmogorov-Smirnov and Wasserstein. */
#include "core/stat/stat_distance.h"

#include "core/stat/stat_distribution.h"
#include "core/stat/stat_moments.h"
#include "core/stat/stat_quantile.h"
#include "core/stat/stat_sample.h"

#include <math.h>
#include <stdlib.h>

static int sort_both(double *a, size_t na, double *b, size_t nb, struct err *e)
{
	if (na == 0 || nb == 0)
		return err_set(e, ERR_INPUT, "a distance needs values on both sides");
	if (!stat_sample_is_finite(a, na) || !stat_sample_is_finite(b, nb))
		return err_set(e, ERR_INPUT, "a distance needs finite values");
	stat_sample_sort(a, na);
	stat_sample_sort(b, nb);
	return 0;
}

/* The greatest distance of the distribution functions, times na nb: a whole number, so nothing is rounded. */
static uint64_t greatest_distance(const double *a, size_t na, const double *b, size_t nb)
{
	size_t i = 0, j = 0;
	uint64_t greatest = 0;
	while (i < na && j < nb) {
		double value = a[i] < b[j] ? a[i] : b[j];
		if (a[i] == value)
			i += stat_sample_run(a, na, i);
		if (b[j] == value)
			j += stat_sample_run(b, nb, j);
		uint64_t of_a = (uint64_t)i * nb, of_b = (uint64_t)j * na;
		uint64_t distance = of_a > of_b ? of_a - of_b : of_b - of_a;
		greatest = distance > greatest ? distance : greatest;
	}
	return greatest;
}

/* P(distance >= this) under no difference. A path from (0, 0) to (na, nb), one step a value in their common order;
 * all orders are equally likely. touched[j]: the probability that a path to (i, j) has been that far from the
 * diagonal. Its last step was along a with probability i / (i + j). Only sums of positive numbers, so a small
 * probability keeps its digits. */
static double exact_p(size_t na, size_t nb, uint64_t distance, double *touched)
{
	for (size_t i = 0; i <= na; i++) {
		for (size_t j = 0; j <= nb; j++) {
			uint64_t of_a = (uint64_t)i * nb, of_b = (uint64_t)j * na;
			if ((of_a > of_b ? of_a - of_b : of_b - of_a) >= distance)
				touched[j] = 1;
			else if (i == 0 || j == 0)
				touched[j] = i == 0 && j == 0 ? 0 : i == 0 ? touched[j - 1] : touched[j];
			else
				touched[j] = ((double)i * touched[j] + (double)j * touched[j - 1]) / (double)(i + j);
		}
	}
	return touched[nb];
}

int stat_ks(double *a, size_t na, double *b, size_t nb, struct stat_ks *result, struct err *e)
{
	if (sort_both(a, na, b, nb, e) != 0)
		return -1;
	double m = (double)na, n = (double)nb;
	uint64_t greatest = greatest_distance(a, na, b, nb);
	*result = (struct stat_ks){.distance = (double)greatest / m / n, .p_exact = NAN};
	result->p_limit = stat_kolmogorov_upper(sqrt(m * n / (m + n)) * result->distance);
	if (m * n <= STAT_KS_EXACT_PAIRS) {
		double *touched = calloc(nb + 1, sizeof *touched);
		if (touched == NULL)
			return err_set(e, ERR_MEMORY, "no memory to compare %zu with %zu values", na, nb);
		result->p_exact = exact_p(na, nb, greatest, touched);
		free(touched);
	}
	result->p = isnan(result->p_exact) ? result->p_limit : result->p_exact;
	return 0;
}

static double area_between(const double *a, size_t na, const double *b, size_t nb)
{
	size_t i = 0, j = 0;
	double area = 0, value = a[0] < b[0] ? a[0] : b[0];
	while (i < na || j < nb) {
		double next = j == nb || (i < na && a[i] < b[j]) ? a[i] : b[j];
		area += (next - value) * fabs((double)i / (double)na - (double)j / (double)nb);
		value = next;
		if (i < na && a[i] == next)
			i += stat_sample_run(a, na, i);
		if (j < nb && b[j] == next)
			j += stat_sample_run(b, nb, j);
	}
	return area;
}

int stat_wasserstein(double *a, size_t na, double *b, size_t nb, struct stat_wasserstein *result, struct err *e)
{
	if (sort_both(a, na, b, nb, e) != 0)
		return -1;
	struct stat_moments moments = stat_moments_of(a, na);
	double iqr = stat_quantile_sorted(a, na, 0.75) - stat_quantile_sorted(a, na, 0.25);
	result->distance = area_between(a, na, b, nb);
	result->by_sd = result->distance / sqrt(stat_moments_population_variance(&moments));
	result->by_iqr = result->distance / iqr;
	return 0;
}
