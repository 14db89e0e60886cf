/*
 * protocol_openapi: the description of all protocols, made from the list of routes that serves
 * them.
 */
#include "runtime/protocol/data_plane.h"
#include "runtime/router/infer.h"
#include "runtime/protocol/openapi.h"

/* The first model that answers, best one whose inputs are columns: it is in the examples. */
static bool find_model(const struct routing *routing, struct openapi_model *model)
{
	bool found = false;

	for (size_t i = 0; i < routing->model_count; i++) {
		const struct served_model *m = routing->models[i];
		const struct served_version *v = served_model_find(m, route_live(&m->route));
		if (v == NULL || served_version_state(v, NULL) != SERVED_READY ||
		    (found && (model->columns != NULL || v->columns == NULL)))
			continue;
		*model = (struct openapi_model){m->name, v->version, &v->manifest, v->columns};
		found = true;
	}
	return found;
}

static void describe(void *context, const struct http_request *request, const struct http_segments *segments,
		     struct http_response *response)
{
	(void)request;
	(void)segments;
	struct server *s = context;
	struct openapi_model model;
	size_t count;
	const struct data_route *routes = data_plane_routes(&count);

	data_plane_json(response);
	bool found = find_model(router_enter(s->router), &model);
	openapi_write(&response->body, routes, count, found ? &model : NULL);
	router_leave(s->router);
}

static const struct operation description_operation = {
    .tag = "Description",
    .response = OPERATION_JSON("OpenApi"),
};

const struct data_route protocol_openapi[] = {
    {"GET", "/openapi.json", describe, "this description", &description_operation},
    {NULL, NULL, NULL, NULL, NULL},
};
