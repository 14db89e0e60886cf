#include "core/test/stress_plots.h"

#include "core/plot_track.h"

#include <math.h>
#include <stdio.h>

#define BINS_A_DECADE 20.0
#define SLO_REACH 10.0 /* an SLO so far beyond the latencies still is on their scale */

static void slo_mark(struct plot *p, const struct stress_report *r, enum plot_axis axis)
{
	if (r->limits.slo_p99_ns > 0)
		plot_mark(p, axis, (double)r->limits.slo_p99_ns, "SLO");
}

/* --- latencies --- */

/* Log10 of the least and the greatest latency, and of the SLO where it is not far off; false when there is none. */
static bool latency_range(const struct stress_report *r, const uint64_t *counts, double *from, double *to)
{
	double slo = (double)r->limits.slo_p99_ns;
	uint32_t low = 0, high = HISTOGRAM_BUCKETS - 1;

	while (low < high && counts[low] == 0)
		low++;
	while (high > low && counts[high] == 0)
		high--;
	if (counts[low] == 0)
		return false;
	*from = log10(fmax((double)histogram_value_ns(low), 1));
	*to = log10(fmax((double)histogram_value_ns(high), 1));
	if (slo > 0 && log10(slo) > *to && log10(slo) < *to + log10(SLO_REACH))
		*to = log10(slo);
	return true;
}

static void latency_plot(struct plot *p, const struct stress_report *r, const struct load_counts *counts)
{
	double from, to, width = 1 / BINS_A_DECADE;

	plot_begin(p, PLOT_HISTOGRAM, "latency", PLOT_IN_NS, PLOT_IN_COUNT);
	p->x_log = true;
	p->x_low = 1e5;
	p->x_high = 1e8;
	if (!latency_range(r, counts->intended, &from, &to))
		return;
	while ((to - from) / width > PLOT_POINTS_MAX - 2)
		width *= 2;
	from = floor(from / width);
	p->count = (size_t)fmin(floor(to / width) + 1 - from, PLOT_POINTS_MAX);
	p->x_low = pow(10, from * width);
	p->x_high = pow(10, (from + (double)p->count) * width);
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double at = floor(log10(fmax((double)histogram_value_ns(i), 1)) / width) - from;
		if (counts->intended[i] > 0)
			p->y[(size_t)fmin(fmax(at, 0), (double)p->count - 1)] += (double)counts->intended[i];
	}
	slo_mark(p, r, PLOT_AXIS_X);
}

/* --- over time --- */

static void begin_series(struct plot *p, const char *title, enum plot_unit unit)
{
	plot_begin(p, PLOT_SERIES, title, PLOT_IN_SECONDS, unit);
}

/* A figure of every point, over the time that it is of. */
static void track(const struct stress_report *r, double (*figure)(const struct stress_point *), bool greatest,
		  struct plot *p)
{
	struct plot_track t = {.step = 1, .greatest = greatest};

	for (size_t i = 0; i < r->point_count; i++) {
		double before_s = i > 0 ? r->points[i - 1].at_s : 0;
		plot_track_add(&t, before_s, r->points[i].at_s, figure(&r->points[i]));
	}
	plot_track_show(&t, 0, p);
}

static double p99_of(const struct stress_point *p)
{
	return (double)p->p99_ns;
}

static double answered_of(const struct stress_point *p)
{
	return p->answered_rps;
}

static double asked_of(const struct stress_point *p)
{
	return p->rate_rps;
}

static void p99_plot(struct plot *p, const struct stress_report *r)
{
	begin_series(p, "p99 over time", PLOT_IN_NS);
	track(r, p99_of, true, p);
	slo_mark(p, r, PLOT_AXIS_Y);
}

static void rate_plot(struct plot *p, const struct stress_report *r)
{
	struct plot asked;

	begin_series(p, "requests a second", PLOT_IN_RATE);
	begin_series(&asked, "", PLOT_IN_RATE);
	track(r, answered_of, false, p);
	track(r, asked_of, false, &asked);
	for (size_t i = 0; i < p->count; i++)
		p->y_other[i] = asked.y[i];
	snprintf(p->name, sizeof p->name, "answered");
	snprintf(p->other_name, sizeof p->other_name, "asked");
}

static void memory_plot(struct plot *p, const struct stress_report *r)
{
	struct plot_track t = {.step = 1};

	begin_series(p, "memory of the runtime", PLOT_IN_BYTES);
	for (size_t i = 0; i < r->memory.count; i++) {
		double before_s = i > 0 ? (double)r->memory.times_ms[i - 1] / 1000 : 0;
		plot_track_add(&t, before_s, (double)r->memory.times_ms[i] / 1000, r->memory.bytes[i]);
	}
	plot_track_show(&t, 0, p);
}

/* --- the search --- */

static void steps_plot(struct plot *p, const struct stress_report *r)
{
	size_t knee = stress_knee(r->steps, r->step_count);

	plot_begin(p, PLOT_POINTS, "p99 by rate", PLOT_IN_RATE, PLOT_IN_NS);
	p->x_log = true;
	for (size_t i = 0; i < r->step_count; i++)
		plot_point(p, r->steps[i].rate_rps, (double)r->steps[i].p99_ns, r->steps[i].verdict != STRESS_PASS);
	slo_mark(p, r, PLOT_AXIS_Y);
	if (knee < r->step_count)
		plot_mark(p, PLOT_AXIS_X, r->steps[knee].rate_rps, "knee");
}

size_t stress_plots(const struct stress_report *r, const struct load_counts *counts, struct plot plots[PLOTS_MAX])
{
	size_t count = 0;

	if (r->mode == STRESS_FIND_MAX)
		steps_plot(&plots[count++], r);
	latency_plot(&plots[count++], r, counts);
	if (r->soak)
		memory_plot(&plots[count++], r);
	p99_plot(&plots[count++], r);
	if (count < PLOTS_MAX)
		rate_plot(&plots[count++], r);
	return count;
}
