/* snapshot_experiment: as JSON. Reading is in snapshot_experiment_read.c. */
#include "core/snapshot_experiment.h"

#include "core/json.h"

#include <stdlib.h>

void snapshot_experiment_release(struct snapshot_experiment *s)
{
	if (s->detail != NULL)
		free(s->detail->comparisons);
	free(s->detail);
	s->detail = NULL;
}

static bool add_pair(cJSON *o, const char *name, const uint64_t pair[2])
{
	return json_add(o, name, cJSON_CreateDoubleArray((double[]){(double)pair[0], (double)pair[1]}, 2));
}

static cJSON *comparison_json(const struct snapshot_comparison *c, const struct snapshot_experiment *s)
{
	const struct experiment_metric *m = &s->detail->plan.metrics[c->metric];
	cJSON *o = cJSON_CreateObject();
	bool done = o != NULL && json_add_number(o, "arm", c->arm + 1) &&
		    json_add_number(o, "version", s->arms[c->arm].version) && json_add_text(o, "metric", m->name) &&
		    json_add_text(o, "role", experiment_role_name(m->role)) &&
		    json_add_number(o, "margin", m->margin) &&
		    json_add_text(o, "verdict", experiment_verdict_name(c->verdict)) &&
		    json_add_text(o, "sentence", c->sentence) && json_add_text(o, "method", c->method) &&
		    json_add_boolean(o, "is_share", c->is_share) && add_pair(o, "units", c->units) &&
		    add_pair(o, "events", c->events) && json_add_number(o, "mean_control", c->mean[0]) &&
		    json_add_number(o, "mean", c->mean[1]) && json_add_number(o, "effect", c->effect) &&
		    json_add_number(o, "low", c->low) && json_add_number(o, "high", c->high) &&
		    json_add_number(o, "level", c->level) && json_add_number(o, "p", c->p);
	return json_whole(o, done);
}

static cJSON *report_json(const struct snapshot_experiment *s)
{
	const struct snapshot_experiment_detail *d = s->detail;
	cJSON *o = cJSON_CreateObject(), *list = NULL;
	bool done =
	    o != NULL && json_add_boolean(o, "is_over", d->is_over) && json_add_boolean(o, "is_early", d->is_early) &&
	    json_add_boolean(o, "is_ratio_broken", d->is_ratio_broken) &&
	    json_add_number(o, "ratio_log_e", d->ratio_log_e) && json_add_number(o, "units_per_s", d->units_per_s) &&
	    json_add_number(o, "decide_level", d->decide_level) && json_add_number(o, "other_level", d->other_level) &&
	    json_add_number(o, "units", (double)d->units) && (list = cJSON_AddArrayToObject(o, "comparisons")) != NULL;
	for (size_t i = 0; done && i < d->comparison_count; i++)
		done = json_append(list, comparison_json(&d->comparisons[i], s));
	return json_whole(o, done);
}

cJSON *snapshot_look_to_json(const struct snapshot_look *look)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, o != NULL && json_add_number(o, "at_ms", (double)look->at_ms) &&
				 json_add_number(o, "elapsed_s", (double)look->elapsed_s) &&
				 json_add_number(o, "exposed", (double)look->exposed) &&
				 json_add_text(o, "verdict", experiment_verdict_name(look->verdict)) &&
				 json_add_number(o, "effect", look->effect) && json_add_number(o, "low", look->low) &&
				 json_add_number(o, "high", look->high));
}

static bool add_detail(cJSON *o, const struct snapshot_experiment *s)
{
	const struct snapshot_experiment_detail *d = s->detail;
	cJSON *looks = NULL;
	bool done = json_add(o, "plan", experiment_to_json(&d->plan)) && json_add(o, "report", report_json(s)) &&
		    json_add(o, "counts", experiment_counts_to_json(&d->counts)) &&
		    (looks = cJSON_AddArrayToObject(o, "looks")) != NULL;
	for (size_t i = 0; done && i < d->look_count; i++)
		done = json_append(looks, snapshot_look_to_json(&d->looks[i]));
	return done;
}

static cJSON *arm_json(const struct snapshot_arm *a)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(
	    o, o != NULL && json_add_number(o, "version", a->version) && json_add_number(o, "share_bp", a->share_bp) &&
		   json_add_text(o, "verdict", experiment_verdict_name(a->verdict)) &&
		   json_add_text(o, "sentence", a->sentence) && json_add_number(o, "exposed", (double)a->exposed) &&
		   json_add_number(o, "outcomes", (double)a->outcomes) && json_add_number(o, "rate_rps", a->rate_rps) &&
		   json_add_number(o, "p50_ns", (double)a->p50_ns) && json_add_number(o, "p99_ns", (double)a->p99_ns) &&
		   json_add_number(o, "errors", (double)a->errors) &&
		   json_add_number(o, "queue_ns", (double)a->queue_ns));
}

static bool add_facts(cJSON *o, const struct snapshot_experiment *s)
{
	return json_add_number(o, "id", (double)s->id) && json_add_text(o, "model", s->model) &&
	       json_add_text(o, "name", s->name) && json_add_text(o, "state", s->state) &&
	       json_add_text(o, "sha256", s->sha256) && json_add_text(o, "who", s->who) &&
	       json_add_text(o, "reason", s->reason) && json_add_text(o, "ended", s->ended) &&
	       json_add_some(o, "revision", s->revision) && json_add_number(o, "started_ms", (double)s->started_ms) &&
	       json_add_some(o, "stopped_ms", (double)s->stopped_ms) &&
	       json_add_text(o, "verdict", experiment_verdict_name(s->verdict)) &&
	       json_add_number(o, "arm", s->arm + 1) && json_add_text(o, "sentence", s->sentence) &&
	       json_add_text(o, "note", s->note) && json_add_number(o, "elapsed_s", (double)s->elapsed_s) &&
	       json_add_number(o, "exposed", (double)s->exposed) &&
	       json_add_number(o, "planned_size", (double)s->planned_size) &&
	       json_add_number(o, "look_count", (double)s->looks) && json_add_number(o, "left_s", s->left_s);
}

static bool add_headline(cJSON *o, const struct snapshot_experiment *s)
{
	return s->metric[0] == '\0' ||
	       (json_add_text(o, "metric", s->metric) && json_add_boolean(o, "is_share", s->is_share) &&
		json_add_number(o, "effect", s->effect) && json_add_number(o, "low", s->low) &&
		json_add_number(o, "high", s->high));
}

cJSON *snapshot_experiment_to_json(const struct snapshot_experiment *s)
{
	cJSON *o = cJSON_CreateObject(), *arms = NULL;
	bool done =
	    o != NULL && add_facts(o, s) && add_headline(o, s) && (arms = cJSON_AddArrayToObject(o, "arms")) != NULL;
	for (size_t i = 0; done && i < s->arm_count; i++)
		done = json_append(arms, arm_json(&s->arms[i]));
	return json_whole(o, done && (s->detail == NULL || add_detail(o, s)));
}
