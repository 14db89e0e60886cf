/* control: alerts: those that there are, and acknowledging one. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/json.h"

#include <stdlib.h>

void control_get_alerts(void *context, const struct http_request *request, const struct http_segments *segments,
			struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	long long limit;
	struct err e;
	if (control_query(request, "limit", 1, 1000, 50, &limit, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	struct alert *list = calloc((size_t)limit, sizeof *list);
	if (list == NULL) {
		err_set(&e, ERR_MEMORY, "memory is out while reading the alerts");
		control_refuse(response, &e);
		return;
	}
	size_t count = alerts_list(s->alerts, list, (size_t)limit);
	cJSON *json = cJSON_CreateObject();
	cJSON *array = cJSON_AddArrayToObject(json, "alerts");
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(array, alert_to_json(&list[i]));
	free(list);
	control_answer(response, json);
}

void control_post_alert_acknowledge(void *context, const struct http_request *request,
				    const struct http_segments *segments, struct http_response *response)
{
	struct server *s = context;
	const char *note = "";
	long long id = 0;
	struct alert before, alert;
	struct actor actor;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	bool named = text_integer(segments->values[0], 1, INT64_MAX, &id);
	if (body != NULL && !named)
		err_set(&e, ERR_INPUT, "`%s` is no number of an alert", segments->values[0]);
	if (body == NULL || !named || json_optional_text(body, "note", &note, &e) != 0 ||
	    alerts_acknowledge(s->alerts, id, note, &actor, &before, &alert, &e) != 0) {
		control_refuse(response, &e);
	} else {
		cJSON *json = cJSON_CreateObject();
		cJSON_AddItemToObject(json, "alert", alert_to_json(&alert));
		if (before.state == ALERT_ACKNOWLEDGED)
			cJSON_AddItemToObject(json, "before", alert_to_json(&before));
		control_answer(response, json);
	}
	cJSON_Delete(body);
}
