#include "core/snapshot_writer.h"

#include <math.h>

bool writer_add(cJSON *object, const char *key, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToObject(object, key, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool writer_append(cJSON *array, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToArray(array, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool writer_string(cJSON *object, const char *key, const char *text)
{
	return writer_add(object, key, cJSON_CreateString(text));
}

bool writer_number(cJSON *object, const char *key, double number)
{
	return writer_add(object, key, isfinite(number) ? cJSON_CreateNumber(number) : cJSON_CreateNull());
}

bool writer_bool(cJSON *object, const char *key, bool value)
{
	return writer_add(object, key, cJSON_CreateBool(value));
}

bool writer_id(cJSON *object, const char *key, uint32_t id)
{
	return writer_add(object, key, id != 0 ? cJSON_CreateNumber(id) : cJSON_CreateNull());
}

bool writer_counts(cJSON *object, const char *key, const uint64_t *counts, size_t count)
{
	cJSON *array = cJSON_CreateArray();
	bool complete = array != NULL;
	for (size_t i = 0; complete && i < count; i++)
		complete = writer_append(array, cJSON_CreateNumber((double)counts[i]));
	return writer_add(object, key, writer_whole(array, complete));
}

cJSON *writer_whole(cJSON *object, bool complete)
{
	if (complete)
		return object;
	cJSON_Delete(object);
	return NULL;
}
