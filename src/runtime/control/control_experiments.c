/* control: A/B tests: to start one, look at it, end it. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/hash.h"
#include "core/json.h"
#include "runtime/experiment/experiment_forecast.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- start --- */

/* What stands beside the plan in a body is taken out of it: a plan has no other fields than its own. */
static void detach(cJSON *body, cJSON *to, const char *name)
{
	cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(body, name);
	if (item != NULL)
		cJSON_AddItemToObject(to, name, item);
}

/* Fields of a plan that need not be said: the model is in the path, and its name with the test's makes a salt that no
 * other test has. */
static int complete(cJSON *body, const char *model, struct err *e)
{
	char salt[TEXT_NAME_MAX + 1];
	bool done = true;
	const char *name = json_find_text(body, "name");
	if (!json_has(body, "model"))
		done = json_add_text(body, "model", model);
	snprintf(salt, sizeof salt, "ab-%016" PRIx64, hash_unit(model, name, strlen(name)));
	if (!json_has(body, "salt"))
		done = done && json_add_text(body, "salt", salt);
	return done ? 0 : err_set(e, ERR_MEMORY, "memory is out for the plan of an A/B test");
}

static int read_start(struct server *s, cJSON *body, cJSON *beside, struct experiment_request *request, struct err *e)
{
	static const char *const names[] = {"reason", "expect_revision", "dry_run", "force", "assume"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		detach(body, beside, names[i]);
	request->reason = "";
	request->expect_revision = -1;
	if (json_optional_text(beside, "reason", &request->reason, e) != 0 ||
	    json_optional_integer(beside, "expect_revision", 0, UINT32_MAX, &request->expect_revision, e) != 0 ||
	    json_optional_boolean(beside, "dry_run", &request->dry_run, e) != 0 ||
	    json_optional_boolean(beside, "force", &request->force, e) != 0 ||
	    (json_has(beside, "assume") && json_object(beside, "assume", e) == NULL) ||
	    complete(body, request->model, e) != 0 || forecast_thresholds(s->router, request->model, body, e) != 0)
		return -1;
	experiment_init(&request->plan);
	return experiment_from_json(body, &request->plan, e);
}

static void add_outcome(cJSON *json, const struct change_outcome *outcome)
{
	char after[128];
	route_text(&outcome->revision.route, after, sizeof after);
	cJSON_AddNumberToObject(json, "revision", outcome->revision.revision);
	cJSON_AddNumberToObject(json, "based_on", outcome->revision.based_on);
	cJSON_AddStringToObject(json, "before", outcome->before);
	cJSON_AddStringToObject(json, "after", after);
	cJSON_AddItemToObject(json, "gates", findings_to_json(outcome->findings, outcome->finding_count));
}

static cJSON *gates_json(const struct change_outcome *outcome)
{
	if (outcome->finding_count == 0)
		return NULL;
	cJSON *json = cJSON_CreateObject();
	cJSON_AddItemToObject(json, "gates", findings_to_json(outcome->findings, outcome->finding_count));
	return json;
}

static cJSON *start_json(struct server *s, const struct experiment_request *request,
			 const struct experiment_record *record, const struct change_outcome *outcome,
			 const cJSON *beside)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", request->model);
	cJSON_AddStringToObject(json, "name", request->plan.name);
	cJSON_AddBoolToObject(json, "dry_run", request->dry_run);
	cJSON_AddStringToObject(json, "sha256", record->sha256);
	cJSON_AddItemToObject(json, "plan", experiment_to_json(&request->plan));
	add_outcome(json, outcome);
	cJSON_AddItemToObject(
	    json, "forecast",
	    forecast_json(s->router, &request->plan, cJSON_GetObjectItemCaseSensitive(beside, "assume")));
	return json;
}

void control_post_experiment(void *context, const struct http_request *request, const struct http_segments *segments,
			     struct http_response *response)
{
	struct server *s = context;
	/* On the heap: plans and routes are much for a thread's stack. */
	struct experiment_request *asked = calloc(1, sizeof *asked);
	struct experiment_record *record = calloc(1, sizeof *record);
	struct change_outcome *outcome = calloc(1, sizeof *outcome);
	cJSON *beside = cJSON_CreateObject();
	struct actor actor;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (asked == NULL || record == NULL || outcome == NULL || beside == NULL) {
		err_set(&e, ERR_MEMORY, "memory is out for an A/B test");
		control_refuse(response, &e);
		goto out;
	}
	asked->model = segments->values[0];
	if (body == NULL || read_start(s, body, beside, asked, &e) != 0)
		control_refuse(response, &e);
	else if (experiments_start(s->experiments, asked, &actor, record, outcome, &e) != 0)
		control_refuse_with(response, &e, gates_json(outcome));
	else
		control_answer(response, start_json(s, asked, record, outcome, beside));
out:
	cJSON_Delete(body);
	cJSON_Delete(beside);
	free(outcome);
	free(record);
	free(asked);
}

/* --- end --- */

static int read_end(const cJSON *body, struct experiment_end *end, struct err *e)
{
	int64_t promote = 0;
	end->reason = "";
	if (json_optional_text(body, "reason", &end->reason, e) != 0 ||
	    json_optional_boolean(body, "keep", &end->keep, e) != 0 ||
	    json_optional_integer(body, "promote", 1, VERSIONS_MAX, &promote, e) != 0 ||
	    json_optional_boolean(body, "dry_run", &end->dry_run, e) != 0 ||
	    json_optional_boolean(body, "force", &end->force, e) != 0)
		return -1;
	end->promote = (uint32_t)promote;
	return 0;
}

static cJSON *end_json(struct server *s, const struct experiment_end *end, const struct change_outcome *outcome)
{
	struct err e;
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", end->model);
	cJSON_AddStringToObject(json, "name", end->name);
	cJSON_AddBoolToObject(json, "dry_run", end->dry_run);
	add_outcome(json, outcome);
	cJSON_AddItemToObject(json, "experiment", experiments_whole(s->experiments, end->model, end->name, 1, &e));
	return json;
}

void control_post_experiment_stop(void *context, const struct http_request *request,
				  const struct http_segments *segments, struct http_response *response)
{
	struct server *s = context;
	struct experiment_end end = {.model = segments->values[0], .name = segments->values[1]};
	struct experiment_record *record = calloc(1, sizeof *record);
	struct change_outcome *outcome = calloc(1, sizeof *outcome);
	struct actor actor;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (record == NULL || outcome == NULL)
		err_set(&e, ERR_MEMORY, "memory is out for an A/B test");
	if (record == NULL || outcome == NULL || body == NULL || read_end(body, &end, &e) != 0)
		control_refuse(response, &e);
	else if (experiments_end(s->experiments, &end, &actor, record, outcome, &e) != 0)
		control_refuse_with(response, &e, gates_json(outcome));
	else
		control_answer(response, end_json(s, &end, outcome));
	free(outcome);
	free(record);
	cJSON_Delete(body);
}

/* --- looking --- */

void control_get_experiments(void *context, const struct http_request *request, const struct http_segments *segments,
			     struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	struct snapshot_experiment *list;
	size_t count;
	long long limit;
	struct err e;
	if (control_query(request, "limit", 1, 1000, SNAPSHOT_EXPERIMENTS_MAX, &limit, &e) != 0 ||
	    experiments_list(s->experiments, (size_t)limit, &list, &count, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = cJSON_CreateObject();
	cJSON *array = cJSON_AddArrayToObject(json, "experiments");
	for (size_t i = 0; i < count; i++) {
		cJSON_AddItemToArray(array, snapshot_experiment_to_json(&list[i]));
		snapshot_experiment_release(&list[i]);
	}
	free(list);
	control_answer(response, json);
}

void control_get_experiment(void *context, const struct http_request *request, const struct http_segments *segments,
			    struct http_response *response)
{
	struct server *s = context;
	const char *model = segments->values[0], *name = segments->values[1];
	long long looks, peek;
	struct err e;
	if (control_query(request, "log", 0, SNAPSHOT_LOOKS_MAX, 20, &looks, &e) != 0 ||
	    control_query(request, "peek", 0, 1, 1, &peek, &e) != 0 ||
	    (peek != 0 && experiments_look(s->experiments, model, name, &e) != 0)) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = experiments_whole(s->experiments, model, name, (size_t)looks, &e);
	if (json == NULL)
		control_refuse(response, &e);
	else
		control_answer(response, json);
}
