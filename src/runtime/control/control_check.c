/* control: whether a version has passed the tests that its model's policy names, one by one, as the gate judges
 * them. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/test/required.h"

#include <stdlib.h>
#include <string.h>

/* What a check is of. */
struct check {
	struct registry *registry;
	const char *model;
	uint32_t version, against, live;
	struct policy_record policy;
};

static cJSON *required_json(const struct policy_test *test, const struct required *q)
{
	bool there = q->result.id != 0;
	cJSON *json = cJSON_CreateObject();
	bool whole = json_add_text(json, "kind", test->kind) &&
		     json_add_text(json, "state", required_state_name(q->state)) &&
		     json_add_boolean(json, "passed", q->state == REQUIRED_PASSED) &&
		     json_add_some(json, "max_age_s", (double)test->max_age_s) &&
		     json_add_some(json, "test", (double)q->result.id) &&
		     json_add(json, "age_s", there ? cJSON_CreateNumber((double)q->age_s) : cJSON_CreateNull()) &&
		     json_add_text(json, "verdict", q->result.verdict) && json_add_text(json, "text", q->text) &&
		     json_add_text(json, "summary", q->result.summary) &&
		     json_add(json, "findings", findings_to_json(q->findings, q->finding_count));
	return json_whole(json, whole);
}

/* A load is of one version alone, and kept beside the live one, but for that itself. */
static uint32_t against_of(const struct check *c, const char *kind)
{
	if (strcmp(kind, "stress") != 0)
		return c->against;
	return c->live == c->version ? 0 : c->live;
}

static int add_tests(const struct check *c, cJSON *list, struct err *e)
{
	struct required *q = malloc(sizeof *q);
	const struct policy *p = &c->policy.policy;
	int result = q != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for a check");

	for (size_t i = 0; result == 0 && i < p->test_count; i++) {
		const struct policy_test *test = &p->tests[i];
		result = required_judge(c->registry, c->model, p, test, c->version, against_of(c, test->kind),
					clock_unix_ms(), q, e);
		if (result == 0 && !json_append(list, required_json(test, q)))
			result = err_set(e, ERR_MEMORY, "memory is out for a check");
	}
	free(q);
	return result;
}

static cJSON *check_json(const struct check *c, struct err *e)
{
	cJSON *json = cJSON_CreateObject(), *list;
	bool whole = json_add_text(json, "model", c->model) && json_add_number(json, "version", c->version) &&
		     json_add_number(json, "against", c->against) && json_add_some(json, "live", c->live) &&
		     json_add(json, "policy", policy_to_json(&c->policy.policy)) &&
		     (list = cJSON_AddArrayToObject(json, "tests")) != NULL;

	if (!whole)
		err_set(e, ERR_MEMORY, "memory is out for a check");
	else if (add_tests(c, list, e) == 0)
		return json;
	cJSON_Delete(json);
	return NULL;
}

void control_get_check(void *context, const struct http_request *request, const struct http_segments *segments,
		       struct http_response *response)
{
	struct server *s = context;
	struct check c = {.registry = s->registry, .model = segments->values[0]};
	long long version, against;
	cJSON *json = NULL;
	struct err e;

	if (control_query(request, "version", 1, VERSIONS_MAX, 0, &version, &e) == 0 &&
	    control_query(request, "against", 1, VERSIONS_MAX, 0, &against, &e) == 0) {
		c.version = (uint32_t)version;
		c.against = (uint32_t)against;
		if (version == 0)
			err_set(&e, ERR_INPUT, "the query must name the version: ?version=3");
		else if (registry_test_pair(s->registry, c.model, c.version, &c.against, &c.live, &e) == 0 &&
			 registry_policy(s->registry, c.model, &c.policy, &e) == 0)
			json = check_json(&c, &e);
	}
	if (json != NULL)
		control_answer(response, json);
	else
		control_refuse(response, &e);
}
