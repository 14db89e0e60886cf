#include "core/baseline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A span narrower than this, relative to the values, could not be cut into bins that 15 digits tell
 * apart. */
#define SPAN_RELATIVE_MIN 1e-9
#define SPAN_MIN 1e-300
/* Beyond it, a number cut to 15 digits can read as infinite: treated as infinite from the start. */
#define VALUE_MAX 1e308

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The number as its 15 significant digits read: what JSON keeps, so that bins are the same for
 * ever. */
static double stored(double value)
{
	char text[32];
	snprintf(text, sizeof text, "%.15g", value);
	return strtod(text, NULL);
}

/* Of sorted values; linear between the two nearest (type 7 of Hyndman and Fan, 1996). */
static double quantile(const double *values, size_t count, double p)
{
	double position = p * (double)(count - 1);
	size_t i = (size_t)position;
	double fraction = position - (double)i;
	if (i + 1 >= count || values[i] == values[i + 1])
		return values[i];
	return values[i] * (1 - fraction) + values[i + 1] * fraction;
}

static void set_edges(struct baseline *b, double low, double high, uint32_t bin_count)
{
	double width = (high - low) / bin_count;
	b->bin_count = bin_count;
	for (uint32_t i = 0; i <= bin_count; i++) {
		double t = (double)i / bin_count;
		/* The span of the greatest doubles overflows; their weighted mean does not. */
		double edge = isfinite(width) ? low + i * width : low * (1 - t) + high * t;
		b->edges[i] = stored(edge);
	}
}

/* The least and the greatest value lie in the middle of the outer bins, so that equal ones later,
 * and a little beyond, are inside. */
static void span_values(struct baseline *b)
{
	double size = fmax(fabs(b->minimum), fabs(b->maximum));
	double middle = b->minimum / 2 + b->maximum / 2;
	/* Half of the span: the whole one can overflow. */
	double half = b->maximum / 2 - b->minimum / 2;
	if (half == 0)
		half = fmax(1, size * 1e-3) / 2;
	half = fmax(half, fmax(size * SPAN_RELATIVE_MIN, SPAN_MIN));
	half += half / (BASELINE_BINS_MAX - 1);
	set_edges(b, middle - half, middle + half, BASELINE_BINS_MAX);
}

/* Moves the finite values to the front and counts them; counts NaN into the baseline. */
static size_t take_finite(struct baseline *b, double *values, size_t count)
{
	size_t finite = 0;
	for (size_t i = 0; i < count; i++) {
		if (isnan(values[i]))
			b->nan++;
		else if (fabs(values[i]) <= VALUE_MAX)
			values[finite++] = values[i];
	}
	return finite;
}

int baseline_make(struct baseline *b, double *values, size_t count, size_t class_count, bool probability,
		  const char *source, struct err *e)
{
	struct baseline result = {.count = count};
	snprintf(result.source, sizeof result.source, "%s", source);
	size_t finite = take_finite(&result, values, count);
	if (finite == 0)
		return err_set(e, ERR_INPUT, "none of the %zu predictions is a finite number, so there is no baseline",
			       count);
	qsort(values, finite, sizeof *values, ascending);
	result.minimum = stored(values[0]);
	result.maximum = stored(values[finite - 1]);
	for (int i = 0; i < BASELINE_QUANTILES; i++)
		result.quantiles[i] = stored(quantile(values, finite, (i + 1) / (double)(BASELINE_QUANTILES + 1)));
	if (class_count > 1)
		set_edges(&result, -0.5, (double)class_count - 0.5,
			  class_count < BASELINE_BINS_MAX ? (uint32_t)class_count : BASELINE_BINS_MAX);
	else if (probability)
		set_edges(&result, 0, 1, BASELINE_BINS_MAX);
	else
		span_values(&result);
	for (size_t i = 0; i < finite; i++) {
		int bin = baseline_bin(&result, values[i]);
		if (bin >= 0)
			result.counts[bin]++;
	}
	*b = result;
	return 0;
}

int baseline_bin(const struct baseline *b, double value)
{
	uint32_t count = b->bin_count;
	if (isnan(value) || count == 0)
		return BASELINE_NAN;
	double low = b->edges[0], high = b->edges[count];
	if (value < low)
		return BASELINE_BELOW;
	if (value > high)
		return BASELINE_ABOVE;
	/* Halves, for a span of the greatest doubles overflows. The guess is at most one bin off by
	 * rounding. */
	double place = (value / 2 - low / 2) / (high / 2 - low / 2) * count;
	uint32_t bin = place < count ? (uint32_t)place : count - 1;
	while (bin > 0 && value < b->edges[bin])
		bin--;
	while (bin + 1 < count && value >= b->edges[bin + 1])
		bin++;
	return (int)bin;
}
