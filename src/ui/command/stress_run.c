#include "ui/command/stress_run.h"

#include "core/clock.h"
#include "core/test/stress_plots.h"
#include "core/test/stress_target.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 50
#define WATCH_WINDOW_S 2
#define WATCH_TIMEOUT_MS 1000
#define GRACE_NS UINT64_C(1000000000)
/* A first guess of the steps of a search, for the time that is left. */
#define STEPS_USUAL 12

/* One load: a step of a search, or all of it. */
struct step {
	struct load *load;
	double from_rps, to_rps;
	double begun_s; /* since the test began */
};

static double seconds(const struct stress_run *run)
{
	return (double)(clock_ms() - run->begun_ms) / 1000;
}

static bool stop_asked(const struct stress_run *run)
{
	return run->cancelled || *run->stop != 0;
}

static double left(const struct stress_run *run, const struct step *step)
{
	double of_step = step->begun_s + run->options->duration_s - seconds(run);
	size_t steps = run->report->step_count;

	if (run->options->mode != STRESS_FIND_MAX)
		return of_step;
	return of_step + (steps < STEPS_USUAL ? (double)(STEPS_USUAL - steps - 1) * run->options->duration_s : 0);
}

/* What live traffic shows: ends the load when it suffers. */
static void watch_live(struct stress_run *run, struct step *step)
{
	struct snapshot *now = NULL;

	if (run->client == NULL || run->report->live_reason[0] != '\0' || load_ended(step->load))
		return;
	if (stress_snapshot(run->client, WATCH_WINDOW_S, WATCH_TIMEOUT_MS, &now, NULL) != 0)
		now = NULL;
	if (stress_watch_check(&run->watch, now, run->report->live_reason))
		load_stop(step->load);
	else
		run->report->live_reason[0] = '\0';
	snapshot_free(now);
}

static void report_progress(struct stress_run *run, const struct stress_point *point, double left_s)
{
	const struct load_counts *c = run->counts;
	double expected = run->options->mode == STRESS_FIND_MAX
			      ? 0
			      : (run->options->from_rps + run->options->to_rps) / 2 * run->options->duration_s;
	struct job_progress progress = {.done = c->answered,
					.total = (uint64_t)expected,
					.rejected = load_errors_total(c),
					.rate = point->answered_rps,
					.left_s = fmax(left_s, 0)};

	progress.plot_count = stress_plots(run->report, c, progress.plots);
	if (!job_report_progress(&run->job, &progress))
		run->cancelled = true;
}

/* The rate of the schedule now. */
static double rate_now(const struct stress_run *run, const struct step *step)
{
	double part = (seconds(run) - step->begun_s) / run->options->duration_s;

	return step->from_rps + (step->to_rps - step->from_rps) * fmin(part, 1);
}

/* About once a second; everything in it may block, and the load does not mind. */
static void look_after(struct stress_run *run, struct step *step)
{
	struct machine_use use;
	double waiting = (double)NAN;
	struct stress_report *r = run->report;
	bool known = run->pid != 0 && machine_use_read(run->pid, &use);

	if (seconds(run) - r->before_s < r->point_s)
		return;
	if (run->listen != NULL)
		waiting = stress_gauge(run->listen, "mldeck_workers_waiting");
	load_read(step->load, run->counts);
	if (!stress_report_point(r, run->counts, seconds(run), rate_now(run, step), known ? &use : NULL, waiting))
		return;
	stress_meter_show(&run->meter, &r->points[r->point_count - 1], run->counts, left(run, step));
	report_progress(run, &r->points[r->point_count - 1], left(run, step));
	watch_live(run, step);
}

/* One load from its connections to its end; its figures go into result. */
static int run_step(struct stress_run *run, double from_rps, double to_rps, struct stress_step *result, struct err *e)
{
	const struct stress_options *o = run->options;
	struct step step = {.from_rps = from_rps, .to_rps = to_rps};
	const struct load_options options = {
	    .target = run->target,
	    .requests = run->requests,
	    .schedule = load_schedule_make(from_rps, to_rps, o->duration_s, o->arrivals, o->seed),
	    .connections = o->connections,
	    .timeout_ns = o->timeout_ns,
	    .grace_ns = GRACE_NS,
	};

	if (load_open(&options, &step.load, e) != 0)
		return -1;
	stress_report_begin(run->report);
	step.begun_s = seconds(run);
	if (load_start(step.load, e) != 0) {
		load_close(step.load);
		return -1;
	}
	while (!load_ended(step.load)) {
		clock_pause_ms(TICK_MS);
		look_after(run, &step);
		if (stop_asked(run))
			load_stop(step.load);
	}
	load_read(step.load, run->counts);
	if (load_target_gone(step.load))
		run->report->verdict = STRESS_GONE;
	load_close(step.load);
	stress_step_make(result, run->counts, fmax(from_rps, to_rps), &o->limits);
	return 0;
}

static bool ended_early(const struct stress_run *run)
{
	return stop_asked(run) || run->report->live_reason[0] != '\0' || run->report->verdict == STRESS_GONE;
}

static int search(struct stress_run *run, struct err *e)
{
	struct stress_report *r = run->report;
	struct stress_step step;

	r->search = stress_search_make(run->options->from_rps, run->cap_rps);
	while (!r->search.done) {
		if (run_step(run, r->search.next_rps, r->search.next_rps, &step, e) != 0)
			return -1;
		if (ended_early(run))
			break;
		stress_report_step(r, &step);
		if (step.verdict == STRESS_PASS || r->counts->sent == 0)
			*r->counts = *run->counts;
		stress_search_add(&r->search, step.verdict);
	}
	return 0;
}

static int carry_out(struct stress_run *run, struct err *e)
{
	const struct stress_options *o = run->options;
	struct stress_step step;

	if (o->mode == STRESS_FIND_MAX)
		return search(run, e);
	if (run_step(run, o->from_rps, o->to_rps, &step, e) != 0)
		return -1;
	stress_report_step(run->report, &step);
	*run->report->counts = *run->counts;
	return 0;
}

int stress_run(struct stress_run *run, bool *stopped, struct err *e)
{
	run->counts = calloc(1, sizeof *run->counts);
	if (run->counts == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	run->begun_ms = clock_ms();
	stress_meter_begin(&run->meter);
	int result = carry_out(run, e);
	stress_meter_end(&run->meter);
	*stopped = stop_asked(run);
	if (result == 0)
		result = stress_report_judge(run->report, *stopped, e);
	free(run->counts);
	return result;
}
