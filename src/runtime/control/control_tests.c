/* control: what tests of versions gave that ran elsewhere, in a pipeline say. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/json.h"
#include "core/registry/registry_policy.h"

#include <string.h>

static int read_result(const cJSON *body, struct test_result *result, struct err *e)
{
	const char *kind = json_text(body, "kind", e), *summary = "";
	int64_t against = 0;

	if (kind == NULL || !policy_test_known(kind, e) ||
	    json_uint32(body, "version", 1, VERSIONS_MAX, &result->version, e) != 0 ||
	    json_optional_integer(body, "against", 1, VERSIONS_MAX, &against, e) != 0 ||
	    json_boolean(body, "passed", &result->passed, e) != 0 ||
	    json_optional_text(body, "summary", &summary, e) != 0)
		return -1;
	if (strlen(summary) >= sizeof result->summary)
		return err_set(e, ERR_INPUT, "the summary is longer than %zu bytes: shorten it",
			       sizeof result->summary - 1);
	text_clean(result->kind, sizeof result->kind, kind);
	text_clean(result->summary, sizeof result->summary, summary);
	result->against = (uint32_t)against;
	return 0;
}

static cJSON *result_json(const char *model, const struct test_result *result)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddStringToObject(json, "kind", result->kind);
	cJSON_AddNumberToObject(json, "version", result->version);
	cJSON_AddNumberToObject(json, "against", result->against);
	cJSON_AddBoolToObject(json, "passed", result->passed);
	cJSON_AddNumberToObject(json, "at_ms", (double)result->at_ms);
	cJSON_AddStringToObject(json, "summary", result->summary);
	return json;
}

void control_post_test(void *context, const struct http_request *request, const struct http_segments *segments,
		       struct http_response *response)
{
	struct server *s = context;
	struct test_result result = {0};
	struct actor actor;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body == NULL || read_result(body, &result, &e) != 0 ||
	    registry_report_test(s->registry, segments->values[0], &result, &actor, &e) != 0)
		control_refuse(response, &e);
	else
		control_answer(response, result_json(segments->values[0], &result));
	cJSON_Delete(body);
}
