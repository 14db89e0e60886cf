/* fuzz_rollout: any text as a plan's steps and holds, or as the JSON of a rollout; what is taken holds together. */
#include "core/rollout.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct rollout *r)
{
	if (r->step_count < 2 || r->step_count > ROLLOUT_STEPS_MAX ||
	    r->steps[r->step_count - 1].weight_bp != ROUTE_BUCKETS || r->step >= r->step_count)
		abort();
	for (uint32_t i = 0; i < r->step_count; i++)
		if (r->steps[i].hold_ms < 0 || r->steps[i].hold_ms > ROLLOUT_HOLD_MAX_MS ||
		    r->steps[i].weight_bp <= (i > 0 ? r->steps[i - 1].weight_bp : 0))
			abort();
}

/* "STEPS;HOLDS" */
static void plan(char *text)
{
	struct rollout r = {0};
	struct err e = {0};
	char *hold = strchr(text, ';');
	if (hold != NULL)
		*hold++ = '\0';
	if (rollout_plan(&r, text, hold != NULL ? hold : "1s", &e) == 0)
		check(&r);
	else if (e.code != ERR_INPUT || e.text[0] == '\0')
		abort();
}

static void read_json(const uint8_t *data, size_t size)
{
	struct rollout r;
	struct err e = {0};
	cJSON *json = cJSON_ParseWithLength((const char *)data, size), *again = NULL;
	if (rollout_from_json(json, &r, &e) == 0) {
		check(&r);
		rollout_next(&r);
		again = rollout_to_json(&r);
		if (again == NULL || rollout_from_json(again, &r, &e) != 0)
			abort();
	} else if (e.code != ERR_INPUT || e.text[0] == '\0') {
		abort();
	}
	cJSON_Delete(again);
	cJSON_Delete(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (text[0] == '{')
		read_json(data, size);
	else
		plan(text);
	free(text);
	return 0;
}
