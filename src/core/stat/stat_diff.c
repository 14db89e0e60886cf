#include "core/stat/stat_diff.h"

#include <math.h>
#include <string.h>

bool stat_row_diff_add(struct stat_row_diff *d, double old_value, double new_value, double atol, double rtol)
{
	bool same = old_value == new_value || (isnan(old_value) && isnan(new_value));
	double distance = same ? 0 : new_value - old_value;
	d->rows++;
	if (!isfinite(distance)) {
		d->not_finite++;
		d->violations++;
		return true;
	}
	stat_moments_add(&d->differences, distance);
	d->greatest = fmax(d->greatest, fabs(distance));
	bool violates = !same && fabs(distance) > atol + rtol * fabs(old_value);
	d->violations += violates;
	return violates;
}

void stat_row_diff_merge(struct stat_row_diff *into, const struct stat_row_diff *from)
{
	into->rows += from->rows;
	into->violations += from->violations;
	into->not_finite += from->not_finite;
	into->greatest = fmax(into->greatest, from->greatest);
	stat_moments_merge(&into->differences, &from->differences);
}

double stat_row_diff_rmse(const struct stat_row_diff *d)
{
	return hypot(stat_moments_mean(&d->differences), sqrt(stat_moments_population_variance(&d->differences)));
}

/* Floats as whole numbers in their order, with one zero. */
static int64_t order_of(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	int64_t size = bits & 0x7fffffff;
	return bits >> 31 ? -size : size;
}

uint32_t stat_ulp(float a, float b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b) ? 0 : UINT32_MAX;
	int64_t distance = order_of(b) - order_of(a);
	return (uint32_t)(distance < 0 ? -distance : distance);
}

void stat_flips_add(struct stat_flips *f, int64_t label, int64_t old_class, int64_t new_class)
{
	bool old_right = old_class == label, new_right = new_class == label;
	f->rows++;
	f->negative += old_right && !new_right;
	f->positive += !old_right && new_right;
	f->churn += old_class != new_class;
	f->old_right += old_right;
	f->new_right += new_right;
}

void stat_flips_merge(struct stat_flips *into, const struct stat_flips *from)
{
	into->rows += from->rows;
	into->negative += from->negative;
	into->positive += from->positive;
	into->churn += from->churn;
	into->old_right += from->old_right;
	into->new_right += from->new_right;
}
