#include "core/test/stress_report.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINT_S 1.0

struct stress_report *stress_report_new(void)
{
	struct stress_report *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->counts = calloc(1, sizeof *r->counts);
	r->before = calloc(1, sizeof *r->before);
	r->point_s = POINT_S;
	r->waiting_max = (double)NAN;
	if (r->counts != NULL && r->before != NULL)
		return r;
	stress_report_free(r);
	return NULL;
}

void stress_report_free(struct stress_report *r)
{
	if (r == NULL)
		return;
	free(r->counts);
	free(r->before);
	free(r);
}

void stress_report_begin(struct stress_report *r)
{
	memset(r->before, 0, sizeof *r->before);
}

/* --- the series --- */

static uint64_t window_quantile(const uint64_t *now, const uint64_t *before, double quantile)
{
	uint64_t window[HISTOGRAM_BUCKETS];

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		window[i] = now[i] - before[i];
	return histogram_quantile_ns(window, quantile);
}

static void thin(struct stress_report *r)
{
	if (r->point_count < STRESS_POINTS_MAX)
		return;
	r->point_count /= 2;
	r->point_s *= 2;
	for (size_t i = 0; i < r->point_count; i++)
		r->points[i] = r->points[2 * i];
}

static void note_use(struct stress_report *r, struct stress_point *p, const struct machine_use *use, double seconds)
{
	p->cpu_percent = p->memory_bytes = (double)NAN;
	if (use == NULL)
		return;
	p->memory_bytes = use->resident_bytes;
	stress_memory_add(&r->memory, (uint64_t)(p->at_s * 1000), use->resident_bytes);
	r->memory_max_bytes = fmax(r->memory_max_bytes, use->resident_bytes);
	if (r->watched)
		p->cpu_percent = 100 * (use->cpu_s - r->before_cpu_s) / seconds;
	else
		r->memory_first_bytes = use->resident_bytes;
	r->cpu_max_percent = fmax(r->cpu_max_percent, p->cpu_percent);
	r->before_cpu_s = use->cpu_s;
	r->watched = true;
}

bool stress_report_point(struct stress_report *r, const struct load_counts *counts, double at_s, double rate_rps,
			 const struct machine_use *use, double waiting)
{
	const struct load_counts *before = r->before;
	double seconds = at_s - r->before_s;

	if (seconds < r->point_s)
		return false;
	thin(r);
	struct stress_point *p = &r->points[r->point_count++];
	*p = (struct stress_point){
	    .at_s = at_s,
	    .rate_rps = rate_rps,
	    .answered_rps = (double)(counts->answered - before->answered) / seconds,
	    .failed_rps = (double)(load_errors_total(counts) - load_errors_total(before)) / seconds,
	    .p50_ns = window_quantile(counts->intended, before->intended, 0.5),
	    .p99_ns = window_quantile(counts->intended, before->intended, 0.99),
	    .waiting = waiting,
	};
	note_use(r, p, use, seconds);
	if (!isnan(waiting))
		r->waiting_max = isnan(r->waiting_max) ? waiting : fmax(r->waiting_max, waiting);
	*r->before = *counts;
	r->before_s = at_s;
	return true;
}

void stress_report_step(struct stress_report *r, const struct stress_step *step)
{
	if (r->step_count < STRESS_STEPS_MAX)
		r->steps[r->step_count++] = *step;
}

/* --- the verdict --- */

static const struct stress_step *last_step(const struct stress_report *r)
{
	return r->step_count > 0 ? &r->steps[r->step_count - 1] : NULL;
}

static void add(struct stress_report *r, struct finding finding)
{
	if (r->finding_count < FINDINGS_MAX)
		r->findings[r->finding_count++] = finding;
}

/* Behind the point: rates that a search tells apart, 5%, must not look the same. */
static int digits(double rps)
{
	return rps < 10 ? 2 : rps < 100 ? 1 : 0;
}

/* What keeps a search from going on. */
static void limit_text(const struct stress_report *r, char *text, size_t size)
{
	const struct stress_search *s = &r->search;

	if (s->failed_rps == 0)
		snprintf(text, size,
			 s->cap_rps > 0 && s->passed_rps >= s->cap_rps ? "no more was allowed" : "no rate failed");
	else
		snprintf(text, size, "%.*f/s %s", digits(s->failed_rps), s->failed_rps,
			 s->limit == STRESS_GENERATOR ? "is more than this machine can offer"
			 : s->limit == STRESS_ERRORS  ? "gave too many errors"
			 : s->limit == STRESS_BACKLOG ? "was not answered in time"
						      : "was beyond the limit of p99");
}

static void judge_search(struct stress_report *r)
{
	const struct stress_search *s = &r->search;
	struct finding f = {.name = "maximum",
			    .verdict = s->passed_rps > 0 ? FINDING_PASS : FINDING_FAIL,
			    .value = s->passed_rps,
			    .threshold = (double)NAN,
			    .unit = "/s",
			    .n = r->step_count};
	char limit[80], text[FINDING_TEXT_SIZE];

	limit_text(r, limit, sizeof limit);
	if (s->passed_rps == 0)
		snprintf(text, sizeof text, "no rate passed; %s", limit);
	else
		snprintf(text, sizeof text, "%s %.*f/s; %s",
			 s->limit == STRESS_GENERATOR || s->failed_rps == 0 ? "at least" : "the maximum is",
			 digits(s->passed_rps), s->passed_rps, limit);
	snprintf(f.text, sizeof f.text, "%s", text);
	r->verdict = s->passed_rps > 0 ? STRESS_PASS : s->limit;
	add(r, f);
}

static void judge_run(struct stress_report *r)
{
	const struct stress_step *step = last_step(r);

	if (step == NULL)
		return;
	r->verdict = step->verdict;
	r->finding_count = stress_findings(step, &r->limits, r->findings);
}

static int judge_growth(struct stress_report *r, struct err *e)
{
	if (stress_growth(&r->memory, &r->growth, e) != 0)
		return -1;
	add(r, stress_growth_finding(&r->growth));
	/* Memory is no matter of how late the generator was. */
	if (r->growth.verdict == FINDING_FAIL && (r->verdict == STRESS_PASS || r->verdict == STRESS_GENERATOR))
		r->verdict = STRESS_GROWTH;
	if (r->growth.verdict == FINDING_WAIT && r->verdict == STRESS_PASS)
		r->verdict = STRESS_WAIT;
	return 0;
}

static void judge_live(struct stress_report *r)
{
	struct finding f = {
	    .name = "live_traffic", .verdict = FINDING_FAIL, .value = (double)NAN, .threshold = (double)NAN};

	if (r->live_reason[0] == '\0')
		return;
	snprintf(f.text, sizeof f.text, "%.190s", r->live_reason);
	add(r, f);
	r->verdict = STRESS_LIVE;
}

static void run_text(const struct stress_report *r, char *text, size_t size)
{
	const struct stress_step *s = last_step(r);
	char p50[16], p99[16];

	if (s == NULL) {
		snprintf(text, size, "nothing was sent");
		return;
	}
	text_duration(p50, sizeof p50, (double)s->p50_ns, true);
	text_duration(p99, sizeof p99, (double)s->p99_ns, true);
	snprintf(text, size, "%.0f of %.0f requests/s answered for %.0f s, p50 %s, p99 %s, %llu failed",
		 s->answered_rps, (double)s->due / fmax(fmin(s->seconds, r->duration_s), 1e-3), s->seconds, p50, p99,
		 (unsigned long long)s->failed);
}

static void summarise(struct stress_report *r)
{
	const struct finding *first = findings_first(r->findings, r->finding_count);
	char what[200], text[2 * REASON_SIZE];

	if (r->mode == STRESS_FIND_MAX && r->finding_count > 0)
		snprintf(what, sizeof what, "%.190s", r->findings[0].text);
	else
		run_text(r, what, sizeof what);
	if (r->verdict == STRESS_STOPPED)
		snprintf(text, sizeof text, "stopped by an operator: %s", what);
	else if (r->verdict == STRESS_LIVE)
		snprintf(text, sizeof text, "stopped, for %s: %s", r->live_reason, what);
	else if (r->verdict == STRESS_GONE)
		snprintf(text, sizeof text, "the target took no connections any more: %s", what);
	else if (r->verdict == STRESS_GROWTH)
		snprintf(text, sizeof text, "%s; %s", what, r->findings[r->finding_count - 1].text);
	else if (first != NULL && strcmp(first->text, what) != 0)
		snprintf(text, sizeof text, "%s; %s", what, first->text);
	else
		snprintf(text, sizeof text, "%s", what);
	text_clean(r->summary, sizeof r->summary, text);
}

int stress_report_judge(struct stress_report *r, bool stopped, struct err *e)
{
	enum stress_verdict before = r->verdict;

	r->finding_count = 0;
	if (r->mode == STRESS_FIND_MAX)
		judge_search(r);
	else
		judge_run(r);
	if (r->soak && judge_growth(r, e) != 0)
		return -1;
	judge_live(r);
	if (before == STRESS_GONE)
		r->verdict = before;
	if (stopped)
		r->verdict = STRESS_STOPPED;
	summarise(r);
	return 0;
}
