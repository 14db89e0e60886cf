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

static void read_report(struct reader *r, struct snapshot_experiment *s)
{
	struct snapshot_experiment_detail *d = s->detail;
	d->is_over = reader_bool(r, "is_over");
	d->is_early = reader_bool(r, "is_early");
	d->is_ratio_broken = reader_bool(r, "is_ratio_broken");
	d->ratio_log_e = reader_number(r, "ratio_log_e", 0);
	d->units_per_s = reader_number(r, "units_per_s", 0);
	d->decide_level = reader_number(r, "decide_level", 0);
	d->other_level = reader_number(r, "other_level", 0);
	d->units = reader_count(r, "units");
	read_comparisons(r, s);
}

static void enter_report(struct reader *outer, struct snapshot_experiment *s)
{
	struct reader r;
	if (reader_get(outer, "report") == NULL || !reader_enter(outer, &r, "report"))
		return;
	read_report(&r, s);
	outer->failed |= r.failed;
}

static void read_counts(struct reader *r, struct experiment_counts *c)
{
	const cJSON *item = reader_get(r, "counts");
	struct err e = {0};
	if (item != NULL && experiment_counts_from_json(item, c, &e) != 0)
		reader_wrong(r, "counts", &e);
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
	s->detail = calloc(1, sizeof *s->detail);
	if (s->detail == NULL) {
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
	enter_report(r, s);
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
	reader_string(r, "ended", s->ended, sizeof s->ended);
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

/* --- of a look --- */

/* Which of its metrics waits for outcomes; metric_count when none does. */
static size_t first_outcome(const struct experiment *plan)
{
	size_t i = 0;
	while (i < plan->metric_count && !experiment_kind_is_outcome(plan->metrics[i].kind))
		i++;
	return i;
}

/* Arms have one comparison a metric, in order; the control's numbers are in those of the first arm. */
static void take_outcomes(const cJSON *report, const struct experiment *plan, struct snapshot_experiment *s)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(report, "comparisons");
	size_t metric = first_outcome(plan);
	for (size_t i = 0; metric < plan->metric_count && i < s->arm_count; i++) {
		size_t at = (i > 0 ? i - 1 : 0) * plan->metric_count + metric;
		const cJSON *units = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(list, (int)at), "units");
		int64_t count;
		if (json_is_integer(cJSON_GetArrayItem(units, i > 0), 0, JSON_INTEGER_MAX, &count))
			s->arms[i].outcomes = (uint64_t)count;
	}
}

static void take_arms(struct reader *outer, struct snapshot_experiment *s)
{
	size_t length, i = 0;
	const cJSON *list = reader_array(outer, "arms", EXPERIMENT_ARMS_MAX, &length), *item;
	struct reader r;
	cJSON_ArrayForEach(item, list)
	{
		if (i == s->arm_count || !reader_element(outer, "arms", item, &r))
			return;
		s->arms[i].exposed = reader_count(&r, "exposed");
		s->arms[i].verdict = read_verdict(&r);
		reader_string(&r, "sentence", s->arms[i].sentence, sizeof s->arms[i].sentence);
		s->exposed += s->arms[i++].exposed;
		outer->failed |= r.failed;
	}
}

/* What decided the arm; else the first primary. */
static size_t deciding_metric(const cJSON *report, const struct experiment *plan, uint32_t arm)
{
	const cJSON *arms = cJSON_GetObjectItemCaseSensitive(report, "arms");
	const char *name = json_find_text(cJSON_GetArrayItem(arms, (int)arm), "metric");
	size_t first = 0;
	for (size_t i = plan->metric_count; i-- > 0;) {
		if (strcmp(plan->metrics[i].name, name) == 0)
			return i;
		first = plan->metrics[i].role == EXPERIMENT_PRIMARY ? i : first;
	}
	return first;
}

static void take_headline(struct reader *outer, const struct experiment *plan, struct snapshot_experiment *s)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(outer->object, "comparisons");
	size_t metric = deciding_metric(outer->object, plan, s->arm);
	size_t at = (s->arm > 0 ? s->arm - 1 : 0) * plan->metric_count + metric;
	const cJSON *item = cJSON_GetArrayItem(list, (int)at);
	struct reader r;
	if (item == NULL || !reader_element(outer, "comparisons", item, &r))
		return;
	text_clean(s->metric, sizeof s->metric, plan->metrics[metric].name);
	s->is_share = reader_bool(&r, "is_share");
	s->effect = reader_number(&r, "effect", NAN);
	s->low = reader_number(&r, "low", NAN);
	s->high = reader_number(&r, "high", NAN);
	outer->failed |= r.failed;
}

static void take_report(struct reader *r, const struct experiment *plan, struct snapshot_experiment *s)
{
	uint32_t version = reader_count32(r, "version");
	s->verdict = read_verdict(r);
	reader_string(r, "sentence", s->sentence, sizeof s->sentence);
	reader_string(r, "note", s->note, sizeof s->note);
	s->elapsed_s = (int64_t)reader_count(r, "elapsed_s");
	s->looks = reader_count(r, "looks");
	s->left_s = reader_number(r, "left_s", NAN);
	take_arms(r, s);
	take_outcomes(r->object, plan, s);
	/* In an A/A test all arms are of one version: then it is the first beside the control. */
	for (s->arm = (uint32_t)s->arm_count - 1; s->arm > 1 && plan->arms[s->arm].version != version;)
		s->arm--;
	take_headline(r, plan, s);
}

static void take_record(struct snapshot_experiment *s, const struct experiment_record *record)
{
	const struct experiment *plan = &record->plan;
	s->id = record->id;
	text_clean(s->model, sizeof s->model, plan->model);
	text_clean(s->name, sizeof s->name, plan->name);
	text_clean(s->state, sizeof s->state, experiment_run_name(record->run));
	text_clean(s->sha256, sizeof s->sha256, record->sha256);
	text_clean(s->who, sizeof s->who, record->who);
	text_clean(s->reason, sizeof s->reason, record->reason);
	text_clean(s->ended, sizeof s->ended, record->note);
	s->revision = record->revision;
	s->started_ms = record->started_ms;
	s->stopped_ms = record->ended_ms;
	s->planned_size = plan->planned_size;
	s->left_s = NAN;
	s->arm_count = plan->arm_count;
	for (size_t i = 0; i < plan->arm_count; i++) {
		s->arms[i].version = plan->arms[i].version;
		s->arms[i].share_bp = plan->arms[i].share_bp;
	}
}

int snapshot_experiment_fill(struct snapshot_experiment *s, const struct experiment_record *record, const cJSON *report,
			     bool whole, struct err *e)
{
	struct reader r = {report, "report", e, false};
	take_record(s, record);
	if (whole) {
		s->detail = calloc(1, sizeof *s->detail);
		if (s->detail == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for an A/B test");
		s->detail->plan = record->plan;
	}
	if (report == NULL)
		return 0;
	take_report(&r, &record->plan, s);
	if (whole)
		read_report(&r, s);
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
