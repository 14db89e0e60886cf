#include "core/plot_track.h"

#include <math.h>

/* Value b with its count onto a step. */
static void put(struct plot_track *t, size_t i, double value, uint32_t count)
{
	if (t->counts[i] == 0)
		t->values[i] = value;
	else if (t->greatest)
		t->values[i] = fmax(t->values[i], value);
	else
		t->values[i] += (value - t->values[i]) * count / ((double)t->counts[i] + count);
	t->counts[i] += count;
}

static void halve(struct plot_track *t)
{
	size_t count = (t->count + 1) / 2;
	for (size_t i = 0; i < PLOT_POINTS_MAX; i++) {
		double value = t->values[i];
		uint32_t values = t->counts[i];
		t->counts[i] = 0;
		if (values > 0)
			put(t, i / 2, value, values);
	}
	t->count = count;
	t->step *= 2;
}

void plot_track_add(struct plot_track *t, double x, double value)
{
	if (!(x >= 0) || x > PLOT_VALUE_MAX || !(fabs(value) <= PLOT_VALUE_MAX))
		return;
	while (x / t->step >= PLOT_POINTS_MAX)
		halve(t);
	size_t at = (size_t)(x / t->step);
	put(t, at, value, 1);
	t->count = at + 1 > t->count ? at + 1 : t->count;
}

void plot_rate_add(struct plot_rate *r, double x, double total)
{
	double passed = x - r->x;
	if (!(passed >= r->track.step / 2))
		return;
	if (total >= r->total)
		plot_track_add(&r->track, r->x + passed / 2, (total - r->total) / passed);
	r->x = x;
	r->total = total;
}

void plot_track_show(const struct plot_track *track, double x_high, struct plot *plot)
{
	struct plot_track t = *track;
	double most = fmax((double)t.count * t.step, fmin(x_high, PLOT_VALUE_MAX));
	while (ceil(most / t.step) > PLOT_POINTS_MAX)
		halve(&t);
	plot->count = (size_t)ceil(most / t.step);
	plot->x_low = 0;
	plot->x_high = fmax((double)plot->count, 1) * t.step;
	for (size_t i = 0; i < plot->count; i++)
		plot->y[i] = i < t.count && t.counts[i] > 0 ? t.values[i] : (double)NAN;
}
