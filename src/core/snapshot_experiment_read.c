/* snapshot_experiment_read: A/B tests out of the JSON of a snapshot or of the control API. */
#include "core/snapshot_experiment.h"

#include "core/json.h"
#include "core/snapshot_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum experiment_verdict read_verdict(struct reader *r)
{
	char text[24];
	size_t i = 0;
	reader_string(r, "verdict", text, sizeof text);
	while (i < EXPERIMENT_VERDICT_COUNT && strcmp(text, experiment_verdict_name((enum experiment_verdict)i)) != 0)
		i++;
	if (i < EXPERIMENT_VERDICT_COUNT)
		return (enum experiment_verdict)i;
	if (text[0] != '\0')
		reader_fail(r, "verdict", "a verdict");
	return EXPERIMENT_CONTINUE;
}

static void read_arm(struct reader *r, struct snapshot_arm *a)
{
	a->version = reader_count32(r, "version");
	a->share_bp = reader_count32(r, "share_bp");
	a->verdict = read_verdict(r);
	reader_string(r, "sentence", a->sentence, sizeof a->sentence);
	a->exposed = reader_count(r, "exposed");
	a->outcomes = reader_count(r, "outcomes");
	a->rate_rps = reader_number(r, "rate_rps", 0);
	a->p50_ns = reader_count(r, "p50_ns");
	a->p99_ns = reader_count(r, "p99_ns");
	a->errors = reader_count(r, "errors");
	a->queue_ns = reader_count(r, "queue_ns");
}

static void read_arms(struct reader *outer, struct snapshot_experiment *s)
{
	size_t length;
	const cJSON *list = reader_array(outer, "arms", EXPERIMENT_ARMS_MAX, &length), *item;
	struct reader r;
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "arms", item, &r))
			return;
		read_arm(&r, &s->arms[s->arm_count++]);
		outer->failed |= r.failed;
	}
}

static uint32_t read_metric(struct reader *r, const struct experiment *plan)
{
	char name[EXPERIMENT_NAME_SIZE];
	uint32_t i = 0;
	reader_string(r, "metric", name, sizeof name);
	while (i < plan->metric_count && strcmp(plan->metrics[i].name, name) != 0)
		i++;
	if (i < plan->metric_count)
		return i;
	reader_fail(r, "metric", "a metric of the plan");
	return 0;
}

static void read_comparison(struct reader *r, const struct snapshot_experiment *s, struct snapshot_comparison *c)
{
	uint32_t arm = reader_count32(r, "arm");
	if (arm < 2 || arm > s->arm_count) {
		reader_fail(r, "arm", "an arm beside the control");
		return;
	}
	c->arm = arm - 1;
	c->metric = read_metric(r, &s->detail->plan);
	c->verdict = read_verdict(r);
	reader_string(r, "sentence", c->sentence, sizeof c->sentence);
	reader_string(r, "method", c->method, sizeof c->method);
	c->is_share = reader_bool(r, "is_share");
	reader_counts(r, "units", c->units, 2);
	reader_counts(r, "events", c->events, 2);
	c->mean[0] = reader_number(r, "mean_control", NAN);
	c->mean[1] = reader_number(r, "mean", NAN);
	c->effect = reader_number(r, "effect", NAN);
	c->low = reader_number(r, "low", NAN);
	c->high = reader_number(r, "high", NAN);
	c->level = reader_number(r, "level", 0);
	c->p = reader_number(r, "p", 1);
}

static void read_comparisons(struct reader *outer, struct snapshot_experiment *s)
{
	struct snapshot_experiment_detail *d = s->detail;
	size_t length;
	const cJSON *list = reader_array(outer, "comparisons", EXPERIMENT_COMPARISONS_MAX, &length), *item;
	struct reader r;
	d->comparisons = calloc(length + 1, sizeof *d->comparisons);
	if (d->comparisons == NULL) {
		reader_no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "comparisons", item, &r))
			return;
		read_comparison(&r, s, &d->comparisons[d->comparison_count++]);
		outer->failed |= r.failed;
	}
}

static void read_report(struct reader *outer, struct snapshot_experiment *s)
{
	struct snapshot_experiment_detail *d = s->detail;
	struct reader r;
	if (reader_get(outer, "report") == NULL || !reader_enter(outer, &r, "report"))
		return;
	d->is_over = reader_bool(&r, "is_over");
	d->is_early = reader_bool(&r, "is_early");
	d->is_ratio_broken = reader_bool(&r, "is_ratio_broken");
	d->ratio_log_e = reader_number(&r, "ratio_log_e", 0);
	d->units_per_s = reader_number(&r, "units_per_s", 0);
	d->decide_level = reader_number(&r, "decide_level", 0);
	d->other_level = reader_number(&r, "other_level", 0);
	d->units = reader_count(&r, "units");
	read_comparisons(&r, s);
	outer->failed |= r.failed;
}

/* The names of what becomes of outcomes, by number. */
#define X(name, text, sentence) text,
static const char *const results[] = {EXPERIMENT_RESULTS(X)};
#undef X

static void read_counts(struct reader *outer, struct experiment_counts *c)
{
	struct reader r, outcomes;
	if (reader_get(outer, "counts") == NULL || !reader_enter(outer, &r, "counts"))
		return;
	c->requests = reader_count(&r, "requests");
	c->units = reader_count(&r, "units");
	c->lost = reader_count(&r, "lost");
	if (reader_enter(&r, &outcomes, "outcomes")) {
		for (size_t i = 0; i < EXPERIMENT_RESULT_COUNT; i++)
			c->outcomes[i] = reader_count(&outcomes, results[i]);
		r.failed |= outcomes.failed;
	}
	outer->failed |= r.failed;
}

static void read_looks(struct reader *outer, struct snapshot_experiment_detail *d)
{
	size_t length;
	const cJSON *list = reader_array(outer, "looks", SNAPSHOT_LOOKS_MAX, &length), *item;
	struct reader r;
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "looks", item, &r))
			return;
		struct snapshot_look *look = &d->looks[d->look_count++];
		look->at_ms = (int64_t)reader_count(&r, "at_ms");
		look->elapsed_s = (int64_t)reader_count(&r, "elapsed_s");
		look->exposed = reader_count(&r, "exposed");
		look->verdict = read_verdict(&r);
		look->effect = reader_number(&r, "effect", NAN);
		look->low = reader_number(&r, "low", NAN);
		look->high = reader_number(&r, "high", NAN);
		outer->failed |= r.failed;
	}
}

static void read_detail(struct reader *r, struct snapshot_experiment *s)
{
	const cJSON *plan = reader_get(r, "plan");
	struct err e = {0};
	if (plan == NULL)
		return;
	if (snapshot_experiment_detail_new(s, &e) != 0) {
		reader_no_memory(r);
		return;
	}
	if (experiment_from_json(plan, &s->detail->plan, &e) != 0) {
		reader_wrong(r, "plan", &e);
		return;
	}
	if (s->detail->plan.arm_count != s->arm_count) {
		reader_fail(r, "arms", "the arms of the plan");
		return;
	}
	read_report(r, s);
	read_counts(r, &s->detail->counts);
	read_looks(r, s->detail);
}

static void read_experiment(struct reader *r, struct snapshot_experiment *s)
{
	s->id = (int64_t)reader_count(r, "id");
	reader_string(r, "model", s->model, sizeof s->model);
	reader_string(r, "name", s->name, sizeof s->name);
	reader_string(r, "state", s->state, sizeof s->state);
	reader_string(r, "sha256", s->sha256, sizeof s->sha256);
	reader_string(r, "who", s->who, sizeof s->who);
	reader_string(r, "reason", s->reason, sizeof s->reason);
	s->revision = reader_count32(r, "revision");
	s->started_ms = (int64_t)reader_count(r, "started_ms");
	s->stopped_ms = (int64_t)reader_count(r, "stopped_ms");
	s->verdict = read_verdict(r);
	reader_string(r, "sentence", s->sentence, sizeof s->sentence);
	reader_string(r, "note", s->note, sizeof s->note);
	s->elapsed_s = (int64_t)reader_count(r, "elapsed_s");
	s->exposed = reader_count(r, "exposed");
	s->planned_size = reader_count(r, "planned_size");
	s->looks = reader_count(r, "look_count");
	s->left_s = reader_number(r, "left_s", NAN);
	reader_string(r, "metric", s->metric, sizeof s->metric);
	s->is_share = reader_bool(r, "is_share");
	s->effect = reader_number(r, "effect", NAN);
	s->low = reader_number(r, "low", NAN);
	s->high = reader_number(r, "high", NAN);
	read_arms(r, s);
	uint32_t arm = reader_count32(r, "arm");
	if (arm > s->arm_count)
		reader_fail(r, "arm", "one of its arms");
	s->arm = arm > 0 ? arm - 1 : 0;
	if (!r->failed)
		read_detail(r, s);
}

int snapshot_experiment_from_json(const cJSON *json, struct snapshot_experiment *s, struct err *e)
{
	struct reader r = {json, "", e, false};
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "an A/B test is not a JSON object");
	read_experiment(&r, s);
	return r.failed ? -1 : 0;
}

void snapshot_look_of_report(const cJSON *report, struct snapshot_look *look)
{
	const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(report, "comparisons"), 0), *item;
	look->effect = look->low = look->high = NAN;
	/* In the order of the arms: the first primary is of the first arm. */
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(report, "comparisons"))
	{
		if (strcmp(json_find_text(item, "role"), experiment_role_name(EXPERIMENT_PRIMARY)) == 0) {
			first = item;
			break;
		}
	}
	const cJSON *effect = cJSON_GetObjectItemCaseSensitive(first, "effect");
	const cJSON *low = cJSON_GetObjectItemCaseSensitive(first, "low");
	const cJSON *high = cJSON_GetObjectItemCaseSensitive(first, "high");
	look->effect = cJSON_IsNumber(effect) ? effect->valuedouble : NAN;
	look->low = cJSON_IsNumber(low) ? low->valuedouble : NAN;
	look->high = cJSON_IsNumber(high) ? high->valuedouble : NAN;
}
