/* A rollout as JSON: what the registry keeps, what the control API answers and what a snapshot holds. */
#include "core/json.h"
#include "core/rollout.h"

#include <string.h>

static bool add_steps(cJSON *object, const struct rollout *r)
{
	cJSON *list = cJSON_AddArrayToObject(object, "steps");
	for (uint32_t i = 0; list != NULL && i < r->step_count; i++) {
		cJSON *item = cJSON_CreateObject();
		if (!json_append(list, item) || !json_add_number(item, "weight_bp", r->steps[i].weight_bp) ||
		    !json_add_number(item, "hold_ms", (double)r->steps[i].hold_ms))
			return false;
	}
	return list != NULL;
}

static bool add_numbers(cJSON *o, const struct rollout *r)
{
	return json_add_number(o, "id", (double)r->id) && json_add_number(o, "version", r->version) &&
	       json_add_number(o, "from", r->from) && json_add_number(o, "step", r->step) &&
	       json_add_number(o, "held_ms", (double)r->held_ms) &&
	       json_add_number(o, "first_revision", r->first_revision) && json_add_number(o, "revision", r->revision) &&
	       json_add_number(o, "started_ms", (double)r->started_ms) &&
	       json_add_number(o, "changed_ms", (double)r->changed_ms) &&
	       json_add_number(o, "ended_ms", (double)r->ended_ms) && json_add_number(o, "uid", r->uid);
}

cJSON *rollout_to_json(const struct rollout *r)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(
	    o, json_add_text(o, "model", r->model) && json_add_text(o, "state", rollout_state_name(r->state)) &&
		   add_numbers(o, r) && add_steps(o, r) && json_add_text(o, "who", r->who) &&
		   json_add_boolean(o, "forced", r->forced) && json_add_text(o, "reason", r->reason) &&
		   json_add_text(o, "note", r->note) && json_add(o, "thresholds", policy_to_json(&r->thresholds)) &&
		   json_add(o, "findings", findings_to_json(r->findings, r->finding_count)));
}

static int read_steps(const cJSON *json, struct rollout *r, struct err *e)
{
	const cJSON *item, *list = json_array(json, "steps", ROLLOUT_STEPS_MAX, e);
	if (list == NULL)
		return -1;
	cJSON_ArrayForEach(item, list)
	{
		uint32_t previous = r->step_count > 0 ? r->steps[r->step_count - 1].weight_bp : 0;
		if (json_uint32(item, "weight_bp", 1, ROUTE_BUCKETS, &r->steps[r->step_count].weight_bp, e) != 0 ||
		    json_integer(item, "hold_ms", 0, ROLLOUT_HOLD_MAX_MS, &r->steps[r->step_count].hold_ms, e) != 0)
			return -1;
		if (r->steps[r->step_count++].weight_bp <= previous)
			return err_set(e, ERR_INPUT, "field `steps` must ascend");
	}
	if (r->step_count < 2 || r->steps[r->step_count - 1].weight_bp != ROUTE_BUCKETS)
		return err_set(e, ERR_INPUT, "field `steps` must have two steps or more, the last with weight_bp %d",
			       ROUTE_BUCKETS);
	return 0;
}

static int read_numbers(const cJSON *json, struct rollout *r, struct err *e)
{
	int64_t id;
	if (json_integer(json, "id", 0, JSON_INTEGER_MAX, &id, e) != 0 ||
	    json_uint32(json, "version", 1, VERSIONS_MAX, &r->version, e) != 0 ||
	    json_uint32(json, "from", 0, VERSIONS_MAX, &r->from, e) != 0 ||
	    json_uint32(json, "step", 0, r->step_count - 1, &r->step, e) != 0 ||
	    json_integer(json, "held_ms", 0, JSON_INTEGER_MAX, &r->held_ms, e) != 0 ||
	    json_uint32(json, "first_revision", 0, UINT32_MAX, &r->first_revision, e) != 0 ||
	    json_uint32(json, "revision", 0, UINT32_MAX, &r->revision, e) != 0 ||
	    json_integer(json, "started_ms", 0, JSON_INTEGER_MAX, &r->started_ms, e) != 0 ||
	    json_integer(json, "changed_ms", 0, JSON_INTEGER_MAX, &r->changed_ms, e) != 0 ||
	    json_integer(json, "ended_ms", 0, JSON_INTEGER_MAX, &r->ended_ms, e) != 0 ||
	    json_uint32(json, "uid", 0, UINT32_MAX, &r->uid, e) != 0)
		return -1;
	r->id = id;
	return 0;
}

static int read_words(const cJSON *json, struct rollout *r, struct err *e)
{
	char state[16];
	if (json_string(json, "model", r->model, sizeof r->model, e) != 0 ||
	    json_string(json, "state", state, sizeof state, e) != 0 ||
	    json_clean_text(json, "who", r->who, sizeof r->who, e) != 0 ||
	    json_clean_text(json, "reason", r->reason, sizeof r->reason, e) != 0 ||
	    json_clean_text(json, "note", r->note, sizeof r->note, e) != 0 ||
	    json_optional_boolean(json, "forced", &r->forced, e) != 0)
		return -1;
	if (!text_name_valid(r->model))
		return err_set(e, ERR_INPUT, "field `model` must be a model's name, got \"%.64s\"", r->model);
	r->state = rollout_state_by_name(state);
	if (r->state == ROLLOUT_STATE_COUNT)
		return err_set(e, ERR_INPUT, "field `state` must be the state of a rollout, got \"%s\"", state);
	return 0;
}

static int read_findings(const cJSON *json, struct rollout *r, struct err *e)
{
	struct finding findings[FINDINGS_MAX];
	size_t count;
	if (findings_from_json(cJSON_GetObjectItemCaseSensitive(json, "findings"), findings, &count, e) != 0)
		return -1;
	if (count > ROLLOUT_FINDINGS_MAX)
		return err_set(e, ERR_INPUT, "field `findings` must hold at most %d", ROLLOUT_FINDINGS_MAX);
	r->finding_count = count;
	memcpy(r->findings, findings, count * sizeof *findings);
	return 0;
}

static int read_thresholds(const cJSON *json, struct rollout *r, struct err *e)
{
	const cJSON *thresholds = json_object(json, "thresholds", e);
	return thresholds == NULL ? -1 : policy_from_json(thresholds, &r->thresholds, e);
}

int rollout_from_json(const cJSON *json, struct rollout *r, struct err *e)
{
	*r = (struct rollout){0};
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "a rollout must be an object");
	if (read_words(json, r, e) != 0 || read_steps(json, r, e) != 0 || read_numbers(json, r, e) != 0 ||
	    read_findings(json, r, e) != 0)
		return -1;
	return read_thresholds(json, r, e);
}
