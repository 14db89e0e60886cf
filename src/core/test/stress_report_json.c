/* stress_report: its JSON. */
#include "core/test/stress_report.h"

#include "core/json.h"
#include "core/test/stress_plots.h"

#include <math.h>
#include <stdio.h>

/* Bins of the latency histogram a decade, from 1 microsecond to 1000 s. */
#define BINS_A_DECADE 10
#define BINS 90
#define BIN_LEAST_NS 1e3

static const char *const modes[] = {"rate", "ramp", "find_max"};

/* The rate that was held, or tried; 0 of a search that found none. */
static double rate_of(const struct stress_report *r)
{
	if (r->mode == STRESS_FIND_MAX)
		return r->search.passed_rps;
	return r->from_rps > r->to_rps ? r->from_rps : r->to_rps;
}

/* In the policy's words and units (core/test/strictness). */
static bool add_policy_settings(cJSON *s, const struct stress_report *r)
{
	uint64_t slo_ns = r->limits.slo_p99_ns;

	return json_add_number(s, "stress_rate", rate_of(r)) && json_add_number(s, "stress_duration", r->duration_s) &&
	       json_add_number(s, "stress_slo_p99", slo_ns > 0 ? (double)slo_ns / 1e3 : (double)NAN) &&
	       json_add_number(s, "stress_errors_max", r->limits.errors_percent);
}

static bool add_settings(cJSON *o, const struct stress_report *r)
{
	cJSON *s = cJSON_CreateObject();
	bool whole = json_add_text(s, "url", r->url) && json_add_text(s, "mode", modes[r->mode]) &&
		     json_add_number(s, "from_rps", r->from_rps) && json_add_number(s, "to_rps", r->to_rps) &&
		     json_add_number(s, "duration_s", r->duration_s) &&
		     json_add_text(s, "arrivals", load_arrivals_name(r->arrivals)) &&
		     json_add_number(s, "seed", (double)r->seed) &&
		     json_add_number(s, "connections", (double)r->connections) &&
		     json_add_text(s, "rows_from", r->rows_from) && json_add_number(s, "rows", (double)r->rows) &&
		     json_add_number(s, "rows_a_request", (double)r->batch) &&
		     json_add_number(s, "slo_p99_ms",
				     r->limits.slo_p99_ns > 0 ? (double)r->limits.slo_p99_ns / 1e6 : (double)NAN) &&
		     json_add_number(s, "errors_max_percent", r->limits.errors_percent) && add_policy_settings(s, r);

	return json_add(o, "settings", s) && whole;
}

/* In microseconds, as people compare them. */
static cJSON *quantiles(const uint64_t counts[HISTOGRAM_BUCKETS])
{
	static const struct {
		const char *name;
		double quantile;
	} list[] = {{"p50_us", 0.5},  {"p75_us", 0.75},    {"p90_us", 0.9},       {"p95_us", 0.95},
		    {"p99_us", 0.99}, {"p99_9_us", 0.999}, {"p99_99_us", 0.9999}, {"max_us", 1}};
	cJSON *o = cJSON_CreateObject();
	bool whole = o != NULL;

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		whole = whole &&
			json_add_number(o, list[i].name, (double)histogram_quantile_ns(counts, list[i].quantile) / 1e3);
	return json_whole(o, whole);
}

/* [[from_us, count], ...] of the bins that are not empty; a bin ends where ten a decade do. */
static cJSON *bins(const uint64_t counts[HISTOGRAM_BUCKETS])
{
	uint64_t merged[BINS] = {0};
	cJSON *list = cJSON_CreateArray();
	bool whole = list != NULL;

	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double at = BINS_A_DECADE * log10(fmax((double)histogram_value_ns(i), BIN_LEAST_NS) / BIN_LEAST_NS);
		merged[at < BINS ? (size_t)at : BINS - 1] += counts[i];
	}
	for (size_t i = 0; i < BINS && whole; i++) {
		const double pair[2] = {pow(10, (double)i / BINS_A_DECADE) * BIN_LEAST_NS / 1e3, (double)merged[i]};
		whole = merged[i] == 0 || json_append(list, cJSON_CreateDoubleArray(pair, 2));
	}
	return json_whole(list, whole);
}

static bool add_latency(cJSON *o, const struct load_counts *c)
{
	return json_add(o, "latency", quantiles(c->intended)) &&
	       json_add(o, "latency_from_send", quantiles(c->service)) &&
	       json_add(o, "generator_lag", quantiles(c->lag)) && json_add(o, "histogram_us", bins(c->intended));
}

static bool add_counts(cJSON *o, const struct load_counts *c)
{
	cJSON *counts = cJSON_CreateObject(), *errors = cJSON_CreateObject();
	bool whole = json_add_number(counts, "due", (double)c->due) &&
		     json_add_number(counts, "sent", (double)c->sent) &&
		     json_add_number(counts, "answered", (double)c->answered) &&
		     json_add_number(counts, "unsent", (double)c->unsent) &&
		     json_add_number(counts, "unanswered", (double)c->unanswered) &&
		     json_add_number(counts, "connections_made", (double)c->connects);

	for (int i = 0; i < LOAD_ERROR_COUNT; i++)
		whole = whole && json_add_number(errors, load_error_name((enum load_error)i), (double)c->errors[i]);
	return json_add(o, "requests", counts) && json_add(o, "errors", errors) && whole;
}

static cJSON *step_json(const struct stress_step *s)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, json_add_number(o, "rate_rps", s->rate_rps) && json_add_number(o, "seconds", s->seconds) &&
				 json_add_number(o, "offered_rps", s->offered_rps) &&
				 json_add_number(o, "answered_rps", s->answered_rps) &&
				 json_add_number(o, "failed", (double)s->failed) &&
				 json_add_number(o, "unsent", (double)s->unsent) &&
				 json_add_number(o, "unanswered", (double)s->unanswered) &&
				 json_add_number(o, "p50_us", (double)s->p50_ns / 1e3) &&
				 json_add_number(o, "p99_us", (double)s->p99_ns / 1e3) &&
				 json_add_number(o, "p50_from_send_us", (double)s->service_p50_ns / 1e3) &&
				 json_add_number(o, "lag_p99_us", (double)s->lag_p99_ns / 1e3) &&
				 json_add_number(o, "generator_busy", s->busy) &&
				 json_add_text(o, "verdict", stress_verdict_name(s->verdict)));
}

static bool add_steps(cJSON *o, const struct stress_report *r)
{
	cJSON *list = cJSON_CreateArray();
	bool whole = list != NULL;

	for (size_t i = 0; i < r->step_count && whole; i++)
		whole = json_append(list, step_json(&r->steps[i]));
	if (!json_add(o, "steps", list) || !whole)
		return false;
	if (r->mode != STRESS_FIND_MAX)
		return true;
	size_t knee = stress_knee(r->steps, r->step_count);
	return json_add_some(o, "maximum_rps", r->search.passed_rps) &&
	       json_add_some(o, "failed_rps", r->search.failed_rps) &&
	       json_add_some(o, "knee_rps", knee < r->step_count ? r->steps[knee].rate_rps : 0);
}

static cJSON *point_json(const struct stress_point *p)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, json_add_number(o, "at_s", p->at_s) && json_add_number(o, "rate_rps", p->rate_rps) &&
				 json_add_number(o, "answered_rps", p->answered_rps) &&
				 json_add_number(o, "failed_rps", p->failed_rps) &&
				 json_add_number(o, "p50_us", (double)p->p50_ns / 1e3) &&
				 json_add_number(o, "p99_us", (double)p->p99_ns / 1e3) &&
				 json_add_number(o, "cpu_percent", p->cpu_percent) &&
				 json_add_number(o, "memory_bytes", p->memory_bytes) &&
				 json_add_number(o, "waiting", p->waiting));
}

static bool add_series(cJSON *o, const struct stress_report *r)
{
	cJSON *list = cJSON_CreateArray();
	bool whole = list != NULL;

	for (size_t i = 0; i < r->point_count && whole; i++)
		whole = json_append(list, point_json(&r->points[i]));
	return json_add(o, "series", list) && whole;
}

/* Of the runtime's process; null where it is another machine's. */
static bool add_resources(cJSON *o, const struct stress_report *r)
{
	cJSON *u = cJSON_CreateObject();

	if (!r->watched) {
		cJSON_Delete(u);
		return json_add(o, "runtime", cJSON_CreateNull());
	}
	bool whole = json_add_number(u, "cpu_max_percent", r->cpu_max_percent) &&
		     json_add_number(u, "memory_first_bytes", r->memory_first_bytes) &&
		     json_add_number(u, "memory_max_bytes", r->memory_max_bytes) &&
		     json_add_number(u, "waiting_max", r->waiting_max);
	return json_add(o, "runtime", u) && whole;
}

static bool add_growth(cJSON *o, const struct stress_report *r)
{
	const struct stress_growth *g = &r->growth;
	cJSON *j;

	if (!r->soak)
		return true;
	j = cJSON_CreateObject();
	bool whole = json_add_number(j, "samples", (double)g->samples) && json_add_number(j, "hours", g->hours) &&
		     json_add_number(j, "first_bytes", g->first_bytes) &&
		     json_add_number(j, "last_bytes", g->last_bytes) &&
		     json_add_number(j, "bytes_an_hour", g->slope_bytes_h) &&
		     json_add_number(j, "low", g->interval.low) && json_add_number(j, "high", g->interval.high);
	return json_add(o, "growth", j) && whole;
}

static bool add_plots(cJSON *o, const struct stress_report *r)
{
	struct plot plots[PLOTS_MAX];
	size_t count = stress_plots(r, r->counts, plots);

	return json_add(o, "plots", plots_to_json(plots, count));
}

char *stress_report_text(const struct stress_report *r)
{
	cJSON *o = cJSON_CreateObject();
	bool whole =
	    json_add_text(o, "kind", "stress") && json_add_text(o, "model", r->model) &&
	    json_add_some(o, "version", r->version) && json_add(o, "against", cJSON_CreateNull()) &&
	    json_add_text(o, "verdict", stress_verdict_name(r->verdict)) &&
	    json_add_boolean(o, "passed", r->verdict == STRESS_PASS) && json_add_text(o, "summary", r->summary) &&
	    json_add(o, "findings", findings_to_json(r->findings, r->finding_count)) && add_settings(o, r) &&
	    add_counts(o, r->counts) && add_latency(o, r->counts) && add_steps(o, r) && add_resources(o, r) &&
	    add_growth(o, r) && json_add_text(o, "blast_radius", r->blast) && add_series(o, r) && add_plots(o, r);
	char *text = whole ? cJSON_Print(o) : NULL;

	cJSON_Delete(o);
	return text;
}
