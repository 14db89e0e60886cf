#include "core/test/training_plots.h"

#include <math.h>

void training_tracks_begin(struct training_tracks *t, double usual_s, double last_s)
{
	*t = (struct training_tracks){
	    .cpu = {.track = {.step = 1}}, .memory = {.step = 1}, .usual_s = usual_s, .last_s = last_s};
}

void training_tracks_add(struct training_tracks *t, const struct timed_run *now)
{
	plot_rate_add(&t->cpu, now->wall_s, now->user_s + now->system_s);
	plot_track_add(&t->memory, t->before_s, now->wall_s, now->group_bytes);
	t->before_s = now->wall_s;
}

/* The time so far, and that which earlier runs took. */
static void finish(struct plot *p, const struct training_tracks *t)
{
	plot_mark(p, PLOT_AXIS_X, t->usual_s, "median");
	if (t->last_s != t->usual_s)
		plot_mark(p, PLOT_AXIS_X, t->last_s, "last run");
}

static double reach(const struct training_tracks *t, const struct training_run *run)
{
	return fmax(fmax(isnan(t->usual_s) ? 0 : t->usual_s, isnan(t->last_s) ? 0 : t->last_s), run->took.wall_s);
}

static void cpu_plot(const struct training_tracks *t, const struct training_run *run, struct plot *p)
{
	plot_begin(p, PLOT_SERIES, "processors in use", PLOT_IN_SECONDS, PLOT_IN_PERCENT);
	plot_track_show(&t->cpu.track, reach(t, run), p);
	for (size_t i = 0; i < p->count; i++)
		p->y[i] *= 100;
	finish(p, t);
}

/* The cost grows with the time alone: a straight line that says what the rest will be. */
static void cost_plot(const struct training_tracks *t, const struct training_run *run, struct plot *p)
{
	plot_begin(p, PLOT_SERIES, "cost", PLOT_IN_SECONDS, PLOT_IN_VALUE);
	plot_track_show(&t->memory, reach(t, run), p);
	double step = (p->x_high - p->x_low) / (double)(p->count > 0 ? p->count : 1);
	for (size_t i = 0; i < p->count; i++) {
		double at_s = fmin(((double)i + 1) * step, run->took.wall_s);
		p->y[i] = (double)i * step <= run->took.wall_s ? at_s / 3600 * run->rate_per_hour : (double)NAN;
	}
	finish(p, t);
}

size_t training_plots(const struct training_tracks *t, const struct training_run *run, struct plot plots[PLOTS_MAX])
{
	size_t count = 2;

	cpu_plot(t, run, &plots[0]);
	plot_begin(&plots[1], PLOT_SERIES, "memory", PLOT_IN_SECONDS, PLOT_IN_BYTES);
	plot_track_show(&t->memory, reach(t, run), &plots[1]);
	finish(&plots[1], t);
	if (!isnan(run->rate_per_hour))
		cost_plot(t, run, &plots[count++]);
	return count;
}
