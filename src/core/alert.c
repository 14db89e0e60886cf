#include "core/alert.h"

#include "core/json.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {
#define X(name, text) text,
    ALERT_STATES(X)
#undef X
};

const char *alert_state_name(enum alert_state state)
{
	return names[state];
}

enum alert_state alert_state_by_name(const char *name)
{
	int state = 0;
	while (state < ALERT_STATE_COUNT && strcmp(name, names[state]) != 0)
		state++;
	return (enum alert_state)state;
}

cJSON *alert_to_json(const struct alert *a)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, json_add_number(o, "id", (double)a->id) && json_add_text(o, "rule", a->rule) &&
				 json_add_text(o, "model", a->model) && json_add_number(o, "version", a->version) &&
				 json_add_text(o, "state", alert_state_name(a->state)) &&
				 json_add_number(o, "since_ms", (double)a->since_ms) &&
				 json_add_number(o, "acknowledged_ms", (double)a->acknowledged_ms) &&
				 json_add_number(o, "resolved_ms", (double)a->resolved_ms) &&
				 json_add_number(o, "value", a->value) &&
				 json_add_number(o, "threshold", a->threshold) && json_add_text(o, "text", a->text) &&
				 json_add_text(o, "who", a->who) && json_add_text(o, "note", a->note));
}

static int read_words(const cJSON *json, struct alert *a, struct err *e)
{
	char state[16];
	if (json_clean_text(json, "rule", a->rule, sizeof a->rule, e) != 0 ||
	    json_clean_text(json, "model", a->model, sizeof a->model, e) != 0 ||
	    json_clean_text(json, "text", a->text, sizeof a->text, e) != 0 ||
	    json_clean_text(json, "who", a->who, sizeof a->who, e) != 0 ||
	    json_clean_text(json, "note", a->note, sizeof a->note, e) != 0 ||
	    json_string(json, "state", state, sizeof state, e) != 0)
		return -1;
	a->state = alert_state_by_name(state);
	if (a->state == ALERT_STATE_COUNT)
		return err_set(e, ERR_INPUT, "field `state` must be the state of an alert, got \"%s\"", state);
	return 0;
}

int alert_from_json(const cJSON *json, struct alert *a, struct err *e)
{
	int64_t version = 0;
	*a = (struct alert){.value = NAN, .threshold = NAN};
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "an alert must be an object");
	if (read_words(json, a, e) != 0 || json_integer(json, "id", 0, JSON_INTEGER_MAX, &a->id, e) != 0 ||
	    json_optional_integer(json, "version", 0, VERSIONS_MAX, &version, e) != 0 ||
	    json_integer(json, "since_ms", 0, JSON_INTEGER_MAX, &a->since_ms, e) != 0 ||
	    json_optional_integer(json, "acknowledged_ms", 0, JSON_INTEGER_MAX, &a->acknowledged_ms, e) != 0 ||
	    json_optional_integer(json, "resolved_ms", 0, JSON_INTEGER_MAX, &a->resolved_ms, e) != 0 ||
	    json_optional_number(json, "value", &a->value, e) != 0 ||
	    json_optional_number(json, "threshold", &a->threshold, e) != 0)
		return -1;
	a->version = (uint32_t)version;
	return 0;
}
