#include "core/plot_track.h"

#include "core/plot_internal.h"

static void put(struct plot_track *t, size_t i, double value, double weight)
{
	if (t->weights[i] == 0)
		t->values[i] = value;
	else if (t->greatest)
		t->values[i] = fmax(t->values[i], value);
	else
		t->values[i] += (value - t->values[i]) * weight / (t->weights[i] + weight);
	t->weights[i] += weight;
}

static void halve(struct plot_track *t)
{
	for (size_t i = 0; i < PLOT_POINTS_MAX; i++) {
		double value = t->values[i], weight = t->weights[i];
		t->weights[i] = 0;
		if (weight > 0)
			put(t, i / 2, value, weight);
	}
	t->count = (t->count + 1) / 2;
	t->step *= 2;
}

void plot_track_add(struct plot_track *t, double from, double to, double value)
{
	if (!(from >= 0) || !(to > from) || !plot_fits(to) || !plot_fits(value))
		return;
	while (to / t->step > PLOT_POINTS_MAX)
		halve(t);
	for (size_t i = (size_t)(from / t->step); i < PLOT_POINTS_MAX && (double)i * t->step < to; i++) {
		double overlap = fmin(to, (double)(i + 1) * t->step) - fmax(from, (double)i * t->step);
		if (overlap <= 0)
			continue;
		put(t, i, value, overlap);
		t->count = i + 1 > t->count ? i + 1 : t->count;
	}
}

void plot_rate_end(struct plot_rate *r, double x, double total)
{
	if (!(x > r->x))
		return;
	if (total >= r->total)
		plot_track_add(&r->track, r->x, x, (total - r->total) / (x - r->x));
	r->x = x;
	r->total = total;
}

void plot_rate_add(struct plot_rate *r, double x, double total)
{
	if (x - r->x >= r->track.step / 2)
		plot_rate_end(r, x, total);
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
		plot->y[i] = i < t.count && t.weights[i] > 0 ? t.values[i] : (double)NAN;
}
