#include "core/alert.h"

#include "core/json.h"

#include <math.h>
#include <string.h>

#define COUNT_MAX (INT64_C(1) << 53) /* where doubles stop being exact integers */

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

static bool add_number(cJSON *object, const char *name, double number)
{
	return isfinite(number) ? cJSON_AddNumberToObject(object, name, number) != NULL
				: cJSON_AddNullToObject(object, name) != NULL;
}

cJSON *alert_to_json(const struct alert *a)
{
	cJSON *o = cJSON_CreateObject();
	if (o != NULL && add_number(o, "id", (double)a->id) && cJSON_AddStringToObject(o, "rule", a->rule) &&
	    cJSON_AddStringToObject(o, "model", a->model) && add_number(o, "version", a->version) &&
	    cJSON_AddStringToObject(o, "state", alert_state_name(a->state)) &&
	    add_number(o, "since_ms", (double)a->since_ms) &&
	    add_number(o, "acknowledged_ms", (double)a->acknowledged_ms) &&
	    add_number(o, "resolved_ms", (double)a->resolved_ms) && add_number(o, "value", a->value) &&
	    add_number(o, "threshold", a->threshold) && cJSON_AddStringToObject(o, "text", a->text) &&
	    cJSON_AddStringToObject(o, "who", a->who) && cJSON_AddStringToObject(o, "note", a->note))
		return o;
	cJSON_Delete(o);
	return NULL;
}

static int read_text(const cJSON *json, const char *name, char *text, size_t size, struct err *e)
{
	const char *raw = "";
	if (json_optional_text(json, name, &raw, e) != 0)
		return -1;
	text_clean(text, size, raw);
	return 0;
}

static int read_number(const cJSON *json, const char *name, double *number, struct err *e)
{
	*number = NAN;
	return json_has(json, name) ? json_number(json, name, number, e) : 0;
}

static int read_words(const cJSON *json, struct alert *a, struct err *e)
{
	char state[16];
	if (read_text(json, "rule", a->rule, sizeof a->rule, e) != 0 ||
	    read_text(json, "model", a->model, sizeof a->model, e) != 0 ||
	    read_text(json, "text", a->text, sizeof a->text, e) != 0 ||
	    read_text(json, "who", a->who, sizeof a->who, e) != 0 ||
	    read_text(json, "note", a->note, sizeof a->note, e) != 0 ||
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
	*a = (struct alert){0};
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "an alert must be an object");
	if (read_words(json, a, e) != 0 || json_integer(json, "id", 0, COUNT_MAX, &a->id, e) != 0 ||
	    json_optional_integer(json, "version", 0, VERSIONS_MAX, &version, e) != 0 ||
	    json_integer(json, "since_ms", 0, COUNT_MAX, &a->since_ms, e) != 0 ||
	    json_optional_integer(json, "acknowledged_ms", 0, COUNT_MAX, &a->acknowledged_ms, e) != 0 ||
	    json_optional_integer(json, "resolved_ms", 0, COUNT_MAX, &a->resolved_ms, e) != 0 ||
	    read_number(json, "value", &a->value, e) != 0 || read_number(json, "threshold", &a->threshold, e) != 0)
		return -1;
	a->version = (uint32_t)version;
	return 0;
}
