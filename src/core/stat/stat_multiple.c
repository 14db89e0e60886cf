#include "core/stat/stat_multiple.h"

#include <math.h>

/* Indices by ascending sign * value, equal ones in their own order: heap sort, for it needs no memory. */
static bool is_before(const double *values, double sign, size_t i, size_t j)
{
	double left = sign * values[i], right = sign * values[j];
	return left < right || (left == right && i < j);
}

static void sift(const double *values, double sign, size_t *heap, size_t size, size_t at)
{
	for (size_t child; (child = 2 * at + 1) < size; at = child) {
		if (child + 1 < size && is_before(values, sign, heap[child], heap[child + 1]))
			child++;
		if (!is_before(values, sign, heap[at], heap[child]))
			return;
		size_t swap = heap[at];
		heap[at] = heap[child];
		heap[child] = swap;
	}
}

static void sort_indices(const double *values, double sign, size_t *order, size_t count)
{
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (size_t i = count / 2; i-- > 0;)
		sift(values, sign, order, count, i);
	for (size_t end = count; end > 1;) {
		end--;
		size_t swap = order[0];
		order[0] = order[end];
		order[end] = swap;
		sift(values, sign, order, end, 0);
	}
}

static int check(const double *p, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (!(p[i] >= 0 && p[i] <= 1))
			return err_set(e, ERR_INPUT, "a p value must lie between 0 and 1, got %g", p[i]);
	return 0;
}

int stat_holm(const double *p, size_t count, size_t *order, double *adjusted, struct err *e)
{
	double greatest = 0;
	if (check(p, count, e) != 0)
		return -1;
	sort_indices(p, 1, order, count);
	for (size_t i = 0; i < count; i++) {
		greatest = fmax(greatest, fmin(1, (double)(count - i) * p[order[i]]));
		adjusted[order[i]] = greatest;
	}
	return 0;
}

int stat_bonferroni(const double *p, size_t count, double *adjusted, struct err *e)
{
	if (check(p, count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		adjusted[i] = fmin(1, (double)count * p[i]);
	return 0;
}

int stat_benjamini_hochberg(const double *p, size_t count, size_t *order, double *adjusted, struct err *e)
{
	double least = 1;
	if (check(p, count, e) != 0)
		return -1;
	sort_indices(p, 1, order, count);
	for (size_t i = count; i-- > 0;) {
		least = fmin(least, (double)count / (double)(i + 1) * p[order[i]]);
		adjusted[order[i]] = least;
	}
	return 0;
}

int stat_e_benjamini_hochberg(const double *log_e, size_t count, double alpha, size_t *order, size_t *rejected,
			      struct err *e)
{
	if (!(alpha > 0 && alpha < 1))
		return err_set(e, ERR_INPUT, "alpha must lie between 0 and 1, got %g", alpha);
	for (size_t i = 0; i < count; i++)
		if (isnan(log_e[i]))
			return err_set(e, ERR_INPUT, "an e-value is not a number");
	sort_indices(log_e, -1, order, count);
	*rejected = 0;
	for (size_t i = 0; i < count; i++)
		if (log_e[order[i]] + 1e-12 >= log((double)count / alpha / (double)(i + 1)))
			*rejected = i + 1;
	return 0;
}
