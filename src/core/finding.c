#include "core/finding.h"

#include "core/json.h"
#include "core/text.h"
#include "core/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const verdicts[] = {
#define X(name, text) text,
    FINDING_VERDICTS(X)
#undef X
};

void finding_value_text(double value, const char *unit, char text[FINDING_VALUE_SIZE])
{
	bool word = unit[0] != '\0' && strchr("%x/", unit[0]) == NULL;

	if (!isfinite(value))
		snprintf(text, FINDING_VALUE_SIZE, "-");
	else if (strcmp(unit, "s") == 0 && value >= 0 && value < 1e15)
		units_write(units_s, (unsigned long long)value, text);
	else if (strcmp(unit, "p") == 0 && value <= 0)
		/* An exact test of many rows gives less than a double holds. */
		snprintf(text, FINDING_VALUE_SIZE, "p <1e-300");
	else if (strcmp(unit, "p") == 0)
		snprintf(text, FINDING_VALUE_SIZE, "p %.4g", value);
	else if (fabs(value) >= 10000 && fabs(value) < 1e15)
		snprintf(text, FINDING_VALUE_SIZE, "%.0f%s%s", value, word ? " " : "", unit);
	else
		snprintf(text, FINDING_VALUE_SIZE, "%.4g%s%s", value, word ? " " : "", unit);
}

const char *finding_verdict_name(enum finding_verdict verdict)
{
	return verdicts[verdict];
}

const struct finding *findings_first(const struct finding *findings, size_t count)
{
	const struct finding *waiting = NULL;
	for (size_t i = 0; i < count; i++) {
		if (findings[i].forced)
			continue;
		if (findings[i].verdict == FINDING_FAIL)
			return &findings[i];
		if (findings[i].verdict == FINDING_WAIT && waiting == NULL)
			waiting = &findings[i];
	}
	return waiting;
}

enum finding_verdict findings_verdict(const struct finding *findings, size_t count)
{
	const struct finding *first = findings_first(findings, count);
	return first != NULL ? first->verdict : FINDING_PASS;
}

static cJSON *finding_to_json(const struct finding *f)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, json_add_text(o, "name", f->name) && json_add_text(o, "verdict", verdicts[f->verdict]) &&
				 json_add_boolean(o, "forced", f->forced) && json_add_number(o, "value", f->value) &&
				 json_add_number(o, "threshold", f->threshold) && json_add_text(o, "unit", f->unit) &&
				 json_add_number(o, "n", (double)f->n) &&
				 json_add_number(o, "n_needed", (double)f->n_needed) &&
				 json_add_text(o, "text", f->text));
}

cJSON *findings_to_json(const struct finding *findings, size_t count)
{
	cJSON *array = cJSON_CreateArray();
	bool complete = array != NULL;
	for (size_t i = 0; complete && i < count; i++)
		complete = json_append(array, finding_to_json(&findings[i]));
	return json_whole(array, complete);
}

static int finding_from_json(const cJSON *json, struct finding *f, struct err *e)
{
	const char *verdict = json_text(json, "verdict", e);
	int64_t n = 0, n_needed = 0;
	size_t i = 0;

	*f = (struct finding){.verdict = FINDING_PASS, .value = NAN, .threshold = NAN};
	if (verdict == NULL)
		return -1;
	while (i < FINDING_VERDICT_COUNT && strcmp(verdicts[i], verdict) != 0)
		i++;
	if (i == FINDING_VERDICT_COUNT)
		return err_set(e, ERR_INPUT, "field `verdict` must be pass, wait or fail, got \"%.16s\"", verdict);
	f->verdict = (enum finding_verdict)i;
	if (json_clean_text(json, "name", f->name, sizeof f->name, e) != 0 ||
	    json_clean_text(json, "unit", f->unit, sizeof f->unit, e) != 0 ||
	    json_clean_text(json, "text", f->text, sizeof f->text, e) != 0 ||
	    json_optional_boolean(json, "forced", &f->forced, e) != 0 ||
	    json_optional_number(json, "value", &f->value, e) != 0 ||
	    json_optional_number(json, "threshold", &f->threshold, e) != 0 ||
	    json_optional_integer(json, "n", 0, JSON_INTEGER_MAX, &n, e) != 0 ||
	    json_optional_integer(json, "n_needed", 0, JSON_INTEGER_MAX, &n_needed, e) != 0)
		return -1;
	f->n = (uint64_t)n;
	f->n_needed = (uint64_t)n_needed;
	return 0;
}

int findings_from_json(const cJSON *array, struct finding findings[FINDINGS_MAX], size_t *count, struct err *e)
{
	const cJSON *item;

	*count = 0;
	if (array == NULL || cJSON_IsNull(array))
		return 0;
	if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > FINDINGS_MAX)
		return err_set(e, ERR_INPUT, "findings must be a list of at most %d", FINDINGS_MAX);
	cJSON_ArrayForEach(item, array)
	{
		if (finding_from_json(item, &findings[*count], e) != 0)
			return -1;
		++*count;
	}
	return 0;
}
