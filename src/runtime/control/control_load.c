/* control: versions that are loaded without a change of a route. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/json.h"

#include <string.h>

static void answer_state(struct server *s, const char *model, uint32_t version, struct http_response *response)
{
	const struct served_model *m = routing_find(router_enter(s->router), model, NULL);
	const struct served_version *v = m == NULL ? NULL : served_model_find(m, version);
	enum served_state state = v == NULL ? SERVED_FAILED : served_version_state(v, NULL);
	router_leave(s->router);

	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddNumberToObject(json, "version", version);
	cJSON_AddStringToObject(json, "state", served_state_name(state));
	control_answer(response, json);
}

void control_post_load(void *context, const struct http_request *request, const struct http_segments *segments,
		       struct http_response *response)
{
	struct server *s = context;
	const char *model = segments->values[0], *number = segments->values[1], *reason = "";
	struct actor actor;
	long long version;
	struct err e;
	cJSON *body = control_body(request, &e);
	int result = body == NULL ? -1 : json_optional_text(body, "reason", &reason, &e);

	control_actor(request, &actor);
	if (result == 0 && !text_integer(number, 1, VERSIONS_MAX, &version))
		result = err_set(&e, ERR_NOT_FOUND, "%s has no version `%s`", model, number);
	if (result == 0 && strlen(reason) >= REASON_SIZE)
		result = err_set(&e, ERR_INPUT, "the reason is %zu bytes long; at most %d are kept", strlen(reason),
				 REASON_SIZE - 1);
	if (result == 0)
		result = router_load_version(s->router, model, (uint32_t)version, reason, &actor, &e);
	if (result == 0)
		answer_state(s, model, (uint32_t)version, response);
	else
		control_refuse(response, &e);
	cJSON_Delete(body);
}
