#include "core/json.h"

#include "core/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool json_has(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	return item != NULL && !cJSON_IsNull(item);
}

/* What was there instead, short enough to be quoted in a sentence. */
static void describe(const cJSON *item, char *text, size_t size)
{
	if (item == NULL)
		snprintf(text, size, "nothing");
	else if (cJSON_IsString(item))
		snprintf(text, size, "\"%.40s\"", item->valuestring);
	else if (cJSON_IsNumber(item))
		snprintf(text, size, "%.17g", item->valuedouble);
	else if (cJSON_IsBool(item))
		snprintf(text, size, "%s", cJSON_IsTrue(item) ? "true" : "false");
	else if (cJSON_IsArray(item))
		snprintf(text, size, "an array");
	else if (cJSON_IsObject(item))
		snprintf(text, size, "an object");
	else
		snprintf(text, size, "null");
}

static int refuse(const cJSON *item, const char *name, const char *wanted, struct err *e)
{
	char got[64];
	describe(item, got, sizeof got);
	return err_set(e, ERR_INPUT, "field `%s` must be %s, got %s", name, wanted, got);
}

const char *json_text(const cJSON *object, const char *name, struct err *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (cJSON_IsString(item))
		return item->valuestring;
	refuse(item, name, "a string", e);
	return NULL;
}

int json_string(const cJSON *object, const char *name, char *text, size_t size, struct err *e)
{
	const char *value = json_text(object, name, e);
	if (value == NULL)
		return -1;
	size_t length = strlen(value);
	if (length >= size)
		return err_set(e, ERR_INPUT, "field `%s` must be at most %zu bytes long, got %zu bytes", name, size - 1,
			       length);
	memcpy(text, value, length + 1);
	return 0;
}

bool json_is_integer(const cJSON *item, int64_t low, int64_t high, int64_t *number)
{
	if (!cJSON_IsNumber(item))
		return false;
	double value = item->valuedouble;
	if (!(fabs(value) <= (double)JSON_INTEGER_MAX) || value != floor(value))
		return false;
	int64_t whole = (int64_t)value;
	if (whole < low || whole > high)
		return false;
	*number = whole;
	return true;
}

int json_integer(const cJSON *object, const char *name, int64_t low, int64_t high, int64_t *number, struct err *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (json_is_integer(item, low, high, number))
		return 0;
	char wanted[96];
	snprintf(wanted, sizeof wanted, "a whole number from %" PRId64 " to %" PRId64, low, high);
	return refuse(item, name, wanted, e);
}

int json_uint32(const cJSON *object, const char *name, uint32_t low, uint32_t high, uint32_t *number, struct err *e)
{
	int64_t value;
	if (json_integer(object, name, low, high, &value, e) != 0)
		return -1;
	*number = (uint32_t)value;
	return 0;
}

int json_number(const cJSON *object, const char *name, double *number, struct err *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
		return refuse(item, name, "a finite number", e);
	*number = item->valuedouble;
	return 0;
}

int json_boolean(const cJSON *object, const char *name, bool *value, struct err *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (!cJSON_IsBool(item))
		return refuse(item, name, "true or false", e);
	*value = cJSON_IsTrue(item);
	return 0;
}

int json_optional_text(const cJSON *object, const char *name, const char **text, struct err *e)
{
	if (!json_has(object, name))
		return 0;
	*text = json_text(object, name, e);
	return *text != NULL ? 0 : -1;
}

int json_optional_integer(const cJSON *object, const char *name, int64_t low, int64_t high, int64_t *number,
			  struct err *e)
{
	return json_has(object, name) ? json_integer(object, name, low, high, number, e) : 0;
}

int json_optional_number(const cJSON *object, const char *name, double *number, struct err *e)
{
	return json_has(object, name) ? json_number(object, name, number, e) : 0;
}

int json_optional_boolean(const cJSON *object, const char *name, bool *value, struct err *e)
{
	return json_has(object, name) ? json_boolean(object, name, value, e) : 0;
}

int json_clean_text(const cJSON *object, const char *name, char *text, size_t size, struct err *e)
{
	const char *raw = "";
	text[0] = '\0';
	if (json_optional_text(object, name, &raw, e) != 0)
		return -1;
	text_clean(text, size, raw);
	return 0;
}

const char *json_find_text(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
	return text != NULL ? text : "";
}

double json_find_number(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

const cJSON *json_array(const cJSON *object, const char *name, size_t max, struct err *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (!cJSON_IsArray(item)) {
		refuse(item, name, "an array", e);
		return NULL;
	}
	size_t count = (size_t)cJSON_GetArraySize(item);
	if (count > max) {
		err_set(e, ERR_INPUT, "field `%s` must have at most %zu items, got %zu", name, max, count);
		return NULL;
	}
	return item;
}

const cJSON *json_object(const cJSON *object, const char *name, struct err *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (cJSON_IsObject(item))
		return item;
	refuse(item, name, "an object", e);
	return NULL;
}

bool json_add(cJSON *object, const char *name, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToObject(object, name, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool json_append(cJSON *array, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToArray(array, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool json_add_text(cJSON *object, const char *name, const char *text)
{
	return json_add(object, name, cJSON_CreateString(text));
}

bool json_add_number(cJSON *object, const char *name, double number)
{
	return json_add(object, name, isfinite(number) ? cJSON_CreateNumber(number) : cJSON_CreateNull());
}

bool json_add_some(cJSON *object, const char *name, double number)
{
	return json_add_number(object, name, number != 0 ? number : (double)NAN);
}

bool json_add_boolean(cJSON *object, const char *name, bool value)
{
	return json_add(object, name, cJSON_CreateBool(value));
}

cJSON *json_whole(cJSON *tree, bool complete)
{
	if (complete)
		return tree;
	cJSON_Delete(tree);
	return NULL;
}
