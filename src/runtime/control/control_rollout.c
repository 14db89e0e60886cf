/* control: rollouts: to start, pause, resume, abort one or skip a step, and those that there were. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/json.h"
#include "core/registry/registry_rollouts.h"

#include <stdlib.h>
#include <string.h>

static int read_request(const cJSON *body, struct rollout_request *request, struct err *e)
{
	int64_t version = 0;
	request->hold = request->reason = "";
	request->expect_revision = -1;
	if (json_integer(body, "version", 1, VERSIONS_MAX, &version, e) != 0 ||
	    json_optional_text(body, "steps", &request->steps, e) != 0 ||
	    json_optional_text(body, "hold", &request->hold, e) != 0 ||
	    json_optional_text(body, "reason", &request->reason, e) != 0 ||
	    json_optional_integer(body, "expect_revision", 0, UINT32_MAX, &request->expect_revision, e) != 0 ||
	    json_optional_boolean(body, "dry_run", &request->dry_run, e) != 0 ||
	    json_optional_boolean(body, "force", &request->force, e) != 0)
		return -1;
	if (request->steps == NULL)
		return err_set(e, ERR_INPUT, "field `steps` is missing: percentages, as in \"1,5,25,100\"");
	if (request->hold[0] == '\0')
		return err_set(e, ERR_INPUT, "field `hold` is missing: how long a step is held, as in \"5m\"");
	request->version = (uint32_t)version;
	if (json_has(body, "thresholds")) {
		request->thresholds = json_object(body, "thresholds", e);
		return request->thresholds == NULL ? -1 : 0;
	}
	return 0;
}

/* What the gates found, when they refuse; NULL when they were not asked. */
static cJSON *gates_json(const struct change_outcome *outcome)
{
	if (outcome->finding_count == 0)
		return NULL;
	cJSON *json = cJSON_CreateObject();
	cJSON_AddItemToObject(json, "gates", findings_to_json(outcome->findings, outcome->finding_count));
	return json;
}

static cJSON *start_json(const struct rollout_request *request, const struct rollout *r,
			 const struct change_outcome *outcome)
{
	char after[128];
	cJSON *json = cJSON_CreateObject();
	route_text(&outcome->revision.route, after, sizeof after);
	cJSON_AddStringToObject(json, "model", request->model);
	cJSON_AddBoolToObject(json, "dry_run", request->dry_run);
	cJSON_AddNumberToObject(json, "revision", r->revision);
	cJSON_AddNumberToObject(json, "based_on", r->first_revision);
	cJSON_AddStringToObject(json, "before", outcome->before);
	cJSON_AddStringToObject(json, "after", after);
	cJSON_AddItemToObject(json, "rollout", rollout_to_json(r));
	cJSON_AddItemToObject(json, "gates", findings_to_json(outcome->findings, outcome->finding_count));
	return json;
}

void control_post_rollout(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	struct server *s = context;
	struct rollout_request asked = {.model = segments->values[0]};
	struct change_outcome *outcome = calloc(1, sizeof *outcome);
	struct rollout rollout;
	struct actor actor;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (outcome == NULL)
		err_set(&e, ERR_MEMORY, "memory is out while starting a rollout");
	if (outcome == NULL || body == NULL || read_request(body, &asked, &e) != 0)
		control_refuse(response, &e);
	else if (rollouts_start(s->rollouts, &asked, &actor, &rollout, outcome, &e) != 0)
		control_refuse_with(response, &e, gates_json(outcome));
	else
		control_answer(response, start_json(&asked, &rollout, outcome));
	free(outcome);
	cJSON_Delete(body);
}

void control_post_rollout_change(void *context, const struct http_request *request,
				 const struct http_segments *segments, struct http_response *response)
{
	struct server *s = context;
	const char *model = segments->values[0], *reason = "";
	enum rollouts_verb verb = rollouts_verb_by_name(segments->values[1]);
	struct rollout rollout;
	struct actor actor;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body != NULL && verb == ROLLOUTS_VERB_COUNT)
		err_set(&e, ERR_NOT_FOUND, "a rollout can pause, resume, abort or skip, not `%.32s`",
			segments->values[1]);
	if (body == NULL || verb == ROLLOUTS_VERB_COUNT || json_optional_text(body, "reason", &reason, &e) != 0 ||
	    rollouts_change(s->rollouts, model, verb, reason, &actor, &rollout, &e) != 0) {
		control_refuse(response, &e);
	} else {
		cJSON *json = cJSON_CreateObject();
		cJSON_AddStringToObject(json, "model", model);
		cJSON_AddNumberToObject(json, "revision", rollout.revision);
		cJSON_AddItemToObject(json, "rollout", rollout_to_json(&rollout));
		control_answer(response, json);
	}
	cJSON_Delete(body);
}

void control_get_rollouts(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	struct server *s = context;
	struct rollout *rollouts, newest;
	size_t count;
	long long limit;
	struct err e;
	if (control_query(request, "limit", 1, 1000, 20, &limit, &e) != 0 ||
	    registry_rollouts(s->registry, segments->values[0], (size_t)limit, &rollouts, &count, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	/* In memory, what is measured is of now. */
	if (count > 0 && rollouts_find(s->rollouts, segments->values[0], &newest) && newest.id == rollouts[0].id)
		rollouts[0] = newest;
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", segments->values[0]);
	cJSON *list = cJSON_AddArrayToObject(json, "rollouts");
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, rollout_to_json(&rollouts[i]));
	free(rollouts);
	control_answer(response, json);
}
