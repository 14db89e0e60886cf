#include "core/stat/stat_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool stat_sample_is_finite(const double *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!isfinite(values[i]))
			return false;
	return true;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

void stat_sample_sort(double *values, size_t count)
{
	if (count > 1)
		qsort(values, count, sizeof *values, compare);
}

size_t stat_sample_run(const double *values, size_t count, size_t from)
{
	size_t end = from + 1;
	while (end < count && values[end] == values[from])
		end++;
	return end - from;
}

/* Doubles in the order of their values, as whole numbers, and back: the bits of a positive one are in order already,
 * those of a negative one in the opposite order. */
static double from_order(uint64_t order)
{
	const uint64_t sign = UINT64_C(1) << 63;
	uint64_t bits = order & sign ? order & ~sign : ~order;
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static uint64_t to_order(double value)
{
	const uint64_t sign = UINT64_C(1) << 63;
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits & sign ? ~bits : bits | sign;
}

struct stat_bisection stat_bisection(double low, double high)
{
	return (struct stat_bisection){to_order(low), to_order(high)};
}

static uint64_t middle_of(const struct stat_bisection *b)
{
	return b->low + (b->high - b->low) / 2;
}

bool stat_bisection_next(const struct stat_bisection *b, double *middle)
{
	*middle = from_order(middle_of(b));
	return b->low < b->high;
}

void stat_bisection_take(struct stat_bisection *b, bool holds)
{
	if (holds)
		b->high = middle_of(b);
	else
		b->low = middle_of(b) + 1;
}

static double pair(double a, double b, enum stat_pairing pairing)
{
	return pairing == STAT_DIFFERENCE ? b - a : b / a;
}

/* How many pairs are at most limit. A pair rises with b and falls with a, so one walk along both suffices. */
static uint64_t count_pairs(const double *a, size_t na, const double *b, size_t nb, enum stat_pairing pairing,
			    double limit)
{
	uint64_t count = 0;
	size_t within = 0;
	for (size_t i = 0; i < na; i++) {
		while (within < nb && pair(a[i], b[within], pairing) <= limit)
			within++;
		count += within;
	}
	return count;
}

double stat_sample_pair(const double *a, size_t na, const double *b, size_t nb, enum stat_pairing pairing, uint64_t k)
{
	/* The least double that k pairs do not exceed is one of the pairs. */
	struct stat_bisection bisection =
	    stat_bisection(pair(a[na - 1], b[0], pairing), pair(a[0], b[nb - 1], pairing));
	double middle;
	while (stat_bisection_next(&bisection, &middle))
		stat_bisection_take(&bisection, count_pairs(a, na, b, nb, pairing, middle) >= k);
	return middle;
}
