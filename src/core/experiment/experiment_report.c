/* experiment_judge: histories and reports as JSON. */
#include "core/experiment/experiment_judge.h"

#include "core/json.h"
#include "core/stat/stat_anytime.h"

#include <math.h>
#include <string.h>

/* --- doubles, exactly; what is not finite has a word --- */

static bool add_double(cJSON *json, const char *name, double value)
{
	if (isnan(value))
		return json_add(json, name, cJSON_CreateNull());
	if (isinf(value))
		return json_add_text(json, name, value < 0 ? "-inf" : "inf");
	return json_add_number(json, name, value);
}

static int read_double(const cJSON *json, const char *name, double *value, struct err *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
	if (cJSON_IsNull(item))
		*value = NAN;
	else if (cJSON_IsString(item) && strcmp(item->valuestring, "inf") == 0)
		*value = INFINITY;
	else if (cJSON_IsString(item) && strcmp(item->valuestring, "-inf") == 0)
		*value = -INFINITY;
	else
		return json_number(json, name, value, e);
	return 0;
}

static bool add_evidence(cJSON *json, const struct experiment_evidence *v)
{
	return json_add_text(json, "method", experiment_method_name(v->method)) &&
	       json_add(json, "units",
			cJSON_CreateDoubleArray((double[]){(double)v->units[0], (double)v->units[1]}, 2)) &&
	       json_add(json, "events",
			cJSON_CreateDoubleArray((double[]){(double)v->events[0], (double)v->events[1]}, 2)) &&
	       json_add_number(json, "events_needed", (double)v->events_needed) &&
	       add_double(json, "mean_control", v->mean[0]) && add_double(json, "mean", v->mean[1]) &&
	       add_double(json, "effect", v->effect) && add_double(json, "look_low", v->interval.low) &&
	       add_double(json, "look_high", v->interval.high) && add_double(json, "log_e", v->log_e) &&
	       add_double(json, "look_p", v->p) && add_double(json, "variance_ratio", v->variance_ratio) &&
	       add_double(json, "faster", v->faster) && add_double(json, "faster_p", v->faster_p) &&
	       json_add_boolean(json, "is_flat", v->is_flat);
}

static int read_counts(const cJSON *json, const char *name, uint64_t counts[2], struct err *e)
{
	const cJSON *array = json_array(json, name, 2, e);
	if (array == NULL)
		return -1;
	for (int i = 0; i < 2; i++) {
		int64_t count;
		if (!json_is_integer(cJSON_GetArrayItem(array, i), 0, JSON_INTEGER_MAX, &count))
			return err_set(e, ERR_INPUT, "field `%s` must be two counts", name);
		counts[i] = (uint64_t)count;
	}
	return 0;
}

static int read_evidence(const cJSON *json, struct experiment_evidence *v, struct err *e)
{
	const char *method = json_text(json, "method", e);
	int64_t needed;
	size_t i = 0;
	if (method == NULL)
		return -1;
	while (i < EXPERIMENT_METHOD_COUNT && strcmp(method, experiment_method_name((enum experiment_method)i)) != 0)
		i++;
	if (i == EXPERIMENT_METHOD_COUNT)
		return err_set(e, ERR_INPUT, "there is no method `%.40s`", method);
	v->method = (enum experiment_method)i;
	if (json_integer(json, "events_needed", 0, JSON_INTEGER_MAX, &needed, e) != 0)
		return -1;
	v->events_needed = (uint64_t)needed;
	bool fails =
	    read_counts(json, "units", v->units, e) != 0 || read_counts(json, "events", v->events, e) != 0 ||
	    read_double(json, "mean_control", &v->mean[0], e) != 0 || read_double(json, "mean", &v->mean[1], e) != 0 ||
	    read_double(json, "effect", &v->effect, e) != 0 ||
	    read_double(json, "look_low", &v->interval.low, e) != 0 ||
	    read_double(json, "look_high", &v->interval.high, e) != 0 ||
	    read_double(json, "log_e", &v->log_e, e) != 0 || read_double(json, "look_p", &v->p, e) != 0 ||
	    read_double(json, "variance_ratio", &v->variance_ratio, e) != 0 ||
	    read_double(json, "faster", &v->faster, e) != 0 || read_double(json, "faster_p", &v->faster_p, e) != 0 ||
	    json_boolean(json, "is_flat", &v->is_flat, e) != 0;
	if (!fails && !(v->p >= 0 && v->p <= 1))
		return err_set(e, ERR_INPUT, "field `look_p` must be from 0 to 1");
	return fails ? -1 : 0;
}

/* --- the history --- */

static cJSON *track_to_json(const struct experiment_track *t)
{
	cJSON *json = cJSON_CreateObject(), *once = NULL;
	bool done = json != NULL && add_double(json, "log_e", t->log_e) && json_add_number(json, "sign", t->sign) &&
		    json_add_boolean(json, "has_interval", t->has_interval) &&
		    json_add_boolean(json, "is_share", t->is_share) && add_double(json, "low", t->interval.low) &&
		    add_double(json, "high", t->interval.high) && add_double(json, "reports_log_e", t->reports_log_e) &&
		    json_add_boolean(json, "is_taken", t->is_taken);
	if (done && t->is_taken)
		done = (once = cJSON_AddObjectToObject(json, "once")) != NULL && add_evidence(once, &t->once);
	return json_whole(json, done);
}

static int read_track(const cJSON *json, struct experiment_track *t, struct err *e)
{
	int64_t sign;
	const cJSON *once;
	if (read_double(json, "log_e", &t->log_e, e) != 0 || json_integer(json, "sign", -1, 1, &sign, e) != 0 ||
	    json_boolean(json, "has_interval", &t->has_interval, e) != 0 ||
	    json_boolean(json, "is_share", &t->is_share, e) != 0 ||
	    read_double(json, "low", &t->interval.low, e) != 0 ||
	    read_double(json, "high", &t->interval.high, e) != 0 ||
	    read_double(json, "reports_log_e", &t->reports_log_e, e) != 0 ||
	    json_boolean(json, "is_taken", &t->is_taken, e) != 0)
		return -1;
	t->sign = (int)sign;
	if (!(t->log_e >= 0) || !(t->reports_log_e >= 0))
		return err_set(e, ERR_INPUT, "the greatest evidence so far cannot be below 0");
	if (!t->is_taken)
		return 0;
	once = json_object(json, "once", e);
	return once == NULL ? -1 : read_evidence(once, &t->once, e);
}

cJSON *experiment_history_to_json(const struct experiment *x, const struct experiment_history *h)
{
	cJSON *json = cJSON_CreateObject(), *tracks = NULL;
	bool done = json != NULL && json_add_number(json, "looks", (double)h->looks) &&
		    add_double(json, "ratio_log_e", h->ratio_log_e) &&
		    (tracks = cJSON_AddArrayToObject(json, "tracks")) != NULL;
	for (size_t arm = 1; done && arm < x->arm_count; arm++)
		for (size_t i = 0; done && i < x->metric_count; i++)
			done = json_append(tracks, track_to_json(&h->tracks[arm][i]));
	return json_whole(json, done);
}

int experiment_history_from_json(const cJSON *json, const struct experiment *x, struct experiment_history *h,
				 struct err *e)
{
	struct experiment_history read = {0};
	int64_t looks;
	const cJSON *tracks, *item;
	size_t wanted = (x->arm_count - 1) * x->metric_count, i = 0;
	if (json_integer(json, "looks", 0, JSON_INTEGER_MAX, &looks, e) != 0 ||
	    read_double(json, "ratio_log_e", &read.ratio_log_e, e) != 0 ||
	    (tracks = json_array(json, "tracks", wanted, e)) == NULL)
		return -1;
	read.looks = (uint64_t)looks;
	cJSON_ArrayForEach(item, tracks)
	{
		if (read_track(item, &read.tracks[1 + i / x->metric_count][i % x->metric_count], e) != 0)
			return -1;
		i++;
	}
	if (i != wanted)
		return err_set(e, ERR_INPUT, "the history has %zu comparisons, the plan %zu", i, wanted);
	*h = read;
	return 0;
}

/* --- the report --- */

static cJSON *comparison_to_json(const struct experiment *x, const struct experiment_comparison *c)
{
	const struct experiment_metric *m = &x->metrics[c->metric];
	cJSON *json = cJSON_CreateObject();
	bool done =
	    json != NULL && json_add_number(json, "arm", (double)c->arm + 1) &&
	    json_add_number(json, "version", x->arms[c->arm].version) && json_add_text(json, "metric", m->name) &&
	    json_add_text(json, "role", experiment_role_name(m->role)) &&
	    json_add_text(json, "verdict", experiment_verdict_name(c->verdict)) &&
	    json_add_text(json, "sentence", c->sentence) && json_add_number(json, "margin", m->margin) &&
	    json_add_boolean(json, "is_share", experiment_is_share(m, c->evidence.method)) &&
	    json_add_number(json, "low", c->interval.low) && json_add_number(json, "high", c->interval.high) &&
	    json_add_number(json, "level", c->level) && json_add_number(json, "p", c->p) &&
	    json_add_boolean(json, "is_rejected", c->is_rejected) && json_add_boolean(json, "is_safe", c->is_safe) &&
	    json_add_boolean(json, "is_enough", c->is_enough) &&
	    json_add_text(json, "why", experiment_method_sentence(c->evidence.method)) &&
	    add_evidence(json, &c->evidence);
	return json_whole(json, done);
}

static cJSON *arm_to_json(const struct experiment *x, const struct experiment_report *r, size_t arm)
{
	const struct experiment_arm_report *a = &r->arms[arm];
	cJSON *json = cJSON_CreateObject();
	bool done = json != NULL && json_add_number(json, "arm", (double)arm + 1) &&
		    json_add_number(json, "version", x->arms[arm].version) &&
		    json_add_number(json, "share", experiment_share(x, arm)) &&
		    json_add_number(json, "exposed", (double)r->exposed[arm]);
	/* The control is what the others are judged against. */
	if (arm == 0)
		return json_whole(json, done);
	done = done && json_add_text(json, "verdict", experiment_verdict_name(a->verdict)) &&
	       json_add_text(json, "sentence", a->sentence) &&
	       json_add(json, "metric",
			a->metric < 0 ? cJSON_CreateNull() : cJSON_CreateString(x->metrics[a->metric].name));
	return json_whole(json, done);
}

cJSON *experiment_report_to_json(const struct experiment *x, const struct experiment_report *r)
{
	cJSON *json = cJSON_CreateObject(), *arms = NULL, *comparisons = NULL;
	bool done = json != NULL && json_add_text(json, "verdict", experiment_verdict_name(r->verdict)) &&
		    json_add_text(json, "sentence", r->sentence) && json_add_text(json, "note", r->note) &&
		    json_add_number(json, "version", x->arms[r->arm].version) &&
		    json_add_boolean(json, "is_over", r->is_over) && json_add_boolean(json, "is_early", r->is_early) &&
		    json_add_number(json, "looks", (double)r->looks) &&
		    json_add_number(json, "elapsed_s", (double)r->elapsed_s) &&
		    json_add_number(json, "units", (double)r->units) &&
		    json_add_number(json, "planned_size", (double)x->planned_size) &&
		    json_add_number(json, "units_per_s", r->units_per_s) &&
		    json_add_number(json, "left_s", r->left_s) &&
		    json_add_number(json, "decide_level", r->decide_level) &&
		    json_add_number(json, "other_level", r->other_level) &&
		    json_add_number(json, "ratio_log_e", r->ratio_log_e) &&
		    json_add_number(json, "ratio_p", stat_anytime_p(r->ratio_log_e)) &&
		    json_add_boolean(json, "is_ratio_broken", r->is_ratio_broken) &&
		    (arms = cJSON_AddArrayToObject(json, "arms")) != NULL &&
		    (comparisons = cJSON_AddArrayToObject(json, "comparisons")) != NULL;
	for (size_t arm = 0; done && arm < x->arm_count; arm++)
		done = json_append(arms, arm_to_json(x, r, arm));
	for (size_t i = 0; done && i < r->comparison_count; i++)
		done = json_append(comparisons, comparison_to_json(x, &r->comparisons[i]));
	return json_whole(json, done);
}
