#include "core/test/differential_plots.h"

#include <math.h>
#include <stdio.h>

#define BINS 60
#define TAIL 0.001      /* of the rows at either end, left to the last bins where they would squeeze the others */
#define SQUEEZE 3       /* the whole range is so many times that of the others */
#define SIZES_LOW 0.001 /* see DIFFERENTIAL_SIZES */
#define SIZES_HIGH 1000

static void both(const struct differential *d, double q, double *low, double *high)
{
	double a = sketch_quantile(d->old_sketch, q), b = sketch_quantile(d->new_sketch, q);
	*low = fmin(a, b);
	*high = fmax(a, b);
}

static void prediction_range(const struct differential *d, double *low, double *high)
{
	double core_low, core_high, other;

	*low = fmin(d->old_least, d->new_least);
	*high = fmax(d->old_greatest, d->new_greatest);
	both(d, TAIL, &core_low, &other);
	both(d, 1 - TAIL, &other, &core_high);
	if (core_high > core_low && *high - *low > SQUEEZE * (core_high - core_low)) {
		*low = core_low;
		*high = core_high;
	}
	if (!(*high > *low)) {
		double reach = fmax(fabs(*low), 1e-6) / 2;
		*high = *low + reach;
		*low -= reach;
	}
}

static void predictions(const struct differential *d, const char *new_name, const char *old_name, struct plot *p)
{
	plot_begin(p, PLOT_HISTOGRAM, "predictions", PLOT_IN_VALUE, PLOT_IN_COUNT);
	snprintf(p->name, sizeof p->name, "%.20s", new_name);
	snprintf(p->other_name, sizeof p->other_name, "%.20s", old_name);
	p->x_high = 1;
	if (sketch_count(d->old_sketch) == 0)
		return;
	prediction_range(d, &p->x_low, &p->x_high);
	/* Bins that are narrower than what the sketch tells apart would be empty by turns. */
	double apart = 2 * SKETCH_ACCURACY * fmax(fabs(p->x_low), fabs(p->x_high));
	p->count = (size_t)fmax(fmin(BINS, floor((p->x_high - p->x_low) / apart / 2)), 1);
	sketch_histogram(d->new_sketch, p->x_low, p->x_high, p->y, p->count);
	sketch_histogram(d->old_sketch, p->x_low, p->x_high, p->y_other, p->count);
}

static void sizes(const struct differential *d, struct plot *p)
{
	double beyond = d->diff.rows > 0 ? 100 * (double)d->diff.violations / (double)d->diff.rows : 0;
	char title[PLOT_TITLE_SIZE];

	snprintf(title, sizeof title, "%.3g%% of rows beyond tolerance", beyond);
	plot_begin(p, PLOT_HISTOGRAM, title, PLOT_IN_RATIO, PLOT_IN_COUNT);
	p->x_log = true;
	p->x_low = SIZES_LOW;
	p->x_high = SIZES_HIGH;
	p->count = DIFFERENTIAL_SIZES;
	for (size_t i = 0; i < DIFFERENTIAL_SIZES; i++)
		p->y[i] = (double)d->size_bins[i];
	plot_mark(p, PLOT_AXIS_X, 1, "tolerance");
}

size_t differential_plots(const struct differential *d, const char *new_name, const char *old_name,
			  struct plot plots[PLOTS_MAX])
{
	predictions(d, new_name, old_name, &plots[0]);
	sizes(d, &plots[1]);
	return 2;
}
