#include "core/snapshot_reader.h"

#include <math.h>

/* Where doubles stop being exact integers. */
#define NUMBER_MAX 9007199254740992.0

void reader_fail(struct reader *r, const char *key, const char *want)
{
	if (!r->failed)
		err_set(r->e, ERR_INPUT, "the snapshot's field \"%s%s%s\" is not %s", r->path,
			r->path[0] != '\0' ? "." : "", key, want);
	r->failed = true;
}

/* NULL when it is absent or null. */
const cJSON *reader_get(struct reader *r, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->object, key);
	return item == NULL || cJSON_IsNull(item) ? NULL : item;
}

double reader_number(struct reader *r, const char *key, double otherwise)
{
	const cJSON *item = reader_get(r, key);
	if (item == NULL)
		return otherwise;
	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble)) {
		reader_fail(r, key, "a finite number");
		return otherwise;
	}
	return item->valuedouble;
}

static uint64_t whole_up_to(struct reader *r, const char *key, double limit)
{
	double value = reader_number(r, key, 0);
	if (value < 0 || value > limit || value != floor(value)) {
		reader_fail(r, key, "a whole number in its range");
		return 0;
	}
	return (uint64_t)value;
}

uint64_t reader_count(struct reader *r, const char *key)
{
	return whole_up_to(r, key, NUMBER_MAX);
}

uint32_t reader_count32(struct reader *r, const char *key)
{
	return (uint32_t)whole_up_to(r, key, UINT32_MAX);
}

bool reader_bool(struct reader *r, const char *key)
{
	const cJSON *item = reader_get(r, key);
	if (item != NULL && !cJSON_IsBool(item))
		reader_fail(r, key, "true or false");
	return cJSON_IsTrue(item);
}

void reader_string(struct reader *r, const char *key, char *text, size_t size)
{
	const cJSON *item = reader_get(r, key);
	text[0] = '\0';
	if (item == NULL)
		return;
	if (!cJSON_IsString(item))
		reader_fail(r, key, "a string");
	else
		text_clean(text, size, item->valuestring);
}

/* The array of that name with its length in *length; NULL, and 0, when it is absent or wrong. */
const cJSON *reader_array(struct reader *r, const char *key, size_t max, size_t *length)
{
	const cJSON *item = reader_get(r, key);
	*length = 0;
	if (item == NULL)
		return NULL;
	if (!cJSON_IsArray(item)) {
		reader_fail(r, key, "an array");
		return NULL;
	}
	size_t size = (size_t)cJSON_GetArraySize(item);
	if (size > max) {
		reader_fail(r, key, "an array of at most the length that is allowed");
		return NULL;
	}
	*length = size;
	return item;
}

size_t reader_counts(struct reader *r, const char *key, uint64_t *values, size_t max)
{
	size_t length, i = 0;
	const cJSON *list = reader_array(r, key, max, &length), *item;
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= NUMBER_MAX)) {
			reader_fail(r, key, "an array of counts");
			return 0;
		}
		values[i++] = (uint64_t)item->valuedouble;
	}
	return length;
}

bool reader_enter(struct reader *r, struct reader *inner, const char *key)
{
	const cJSON *item = reader_get(r, key);
	*inner = (struct reader){item, key, r->e, r->failed};
	if (item != NULL && !cJSON_IsObject(item))
		reader_fail(r, key, "an object");
	return item != NULL && cJSON_IsObject(item);
}

/* Starts the reading of one element of an array of objects. */
bool reader_element(struct reader *outer, const char *key, const cJSON *item, struct reader *r)
{
	*r = (struct reader){item, key, outer->e, outer->failed};
	if (cJSON_IsObject(item))
		return true;
	reader_fail(outer, key, "an array of objects");
	return false;
}

void reader_wrong(struct reader *r, const char *key, const struct err *e)
{
	if (!r->failed)
		err_set(r->e, e->code, "the snapshot's field \"%s\" is wrong: %s", key, e->text);
	r->failed = true;
}

void reader_no_memory(struct reader *r)
{
	if (!r->failed)
		err_set(r->e, ERR_MEMORY, "no memory is left for the snapshot");
	r->failed = true;
}
