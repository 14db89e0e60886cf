#include "core/snapshot_writer.h"

#include "core/json.h"

bool writer_counts(cJSON *object, const char *key, const uint64_t *counts, size_t count)
{
	cJSON *array = cJSON_CreateArray();
	bool complete = array != NULL;
	for (size_t i = 0; complete && i < count; i++)
		complete = json_append(array, cJSON_CreateNumber((double)counts[i]));
	return json_add(object, key, json_whole(array, complete));
}
