/* fake_experiments: the A/B tests of the golden screens, as the console asks for them: the list, or one in full. */
#include "lib/fake_runtime_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_SIZE_MAX (1 << 20)

/* The "experiments" of a fixture; an empty array where there is no such file. */
static cJSON *fixture(const char *name)
{
	char path[128], *text = calloc(1, FIXTURE_SIZE_MAX);
	cJSON *json = NULL, *list;
	FILE *file;

	snprintf(path, sizeof(path), "tests/screen/fixtures/%s.json", name);
	file = fopen(path, "rb");
	if (file && text && fread(text, 1, FIXTURE_SIZE_MAX - 1, file) > 0)
		json = cJSON_Parse(text);
	if (file)
		fclose(file);
	free(text);
	list = cJSON_DetachItemFromObjectCaseSensitive(json, "experiments");
	cJSON_Delete(json);
	return list ? list : cJSON_CreateArray();
}

void fake_experiments_add(const char *request, cJSON *json)
{
	if (strstr(request, "&experiment=leaner&detail=flight-delay "))
		cJSON_AddItemToObject(json, "experiments", fixture("experiment-worse"));
	else if (strstr(request, "&experiment="))
		cJSON_AddItemToObject(json, "experiments", cJSON_CreateArray());
	else if (strstr(request, "&experiments=1 "))
		cJSON_AddItemToObject(json, "experiments", fixture("experiments"));
}
