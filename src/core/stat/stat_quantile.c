#include "core/stat/stat_quantile.h"

#include "core/stat/stat_distribution.h"

#include <math.h>

double stat_quantile_sorted(const double *values, size_t count, double q)
{
	if (count == 0 || !(q >= 0 && q <= 1))
		return NAN;
	double place = (double)(count - 1) * q;
	size_t below = (size_t)place;
	double share = place - (double)below;
	if (share == 0 || below + 1 >= count)
		return values[below];
	return values[below] + share * (values[below + 1] - values[below]);
}

int stat_quantile_ranks(uint64_t n, double q, double alpha, struct stat_quantile_ranks *ranks, struct err *e)
{
	if (n == 0 || !(q > 0 && q < 1) || !(alpha > 0 && alpha < 1))
		return err_set(e, ERR_INPUT,
			       "an interval of a quantile needs values, and a quantile and alpha between 0 and 1");
	/* Both conditions change once over the ranks: halve. */
	uint64_t low = 0, high = n;
	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		if (stat_binomial_lower(middle - 1, n, q) <= alpha / 2)
			low = middle;
		else
			high = middle - 1;
	}
	ranks->lower = low;
	low = 0, high = n + 1;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (stat_binomial_upper(middle, n, q) <= alpha / 2)
			high = middle;
		else
			low = middle + 1;
	}
	ranks->upper = low;
	double below = ranks->lower > 0 ? stat_binomial_lower(ranks->lower - 1, n, q) : 0;
	ranks->coverage = 1 - below - stat_binomial_upper(ranks->upper, n, q);
	return 0;
}

int64_t stat_sketch_index(double x, double accuracy)
{
	/* ln gamma = 2 atanh(accuracy) */
	return (int64_t)ceil(log(x) / (2 * atanh(accuracy)));
}

double stat_sketch_value(int64_t index, double accuracy)
{
	/* 2 gamma^i / (gamma + 1), and gamma + 1 = 2 / (1 - accuracy) */
	return (1 - accuracy) * exp(2 * atanh(accuracy) * (double)index);
}
