#include "runtime/protocol/data_plane.h"

#include "core/v2_tensor.h"
#include "runtime/router/infer.h"

#include <assert.h>
#include <pthread.h>

#define ROUTES_MAX 64

static struct data_route routes[ROUTES_MAX];
static struct http_route served[ROUTES_MAX]; /* the same, as HTTP takes them */
static size_t route_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void add_routes(const struct data_route *list)
{
	for (; list->method != NULL && route_count < ROUTES_MAX; list++) {
		served[route_count] = (struct http_route){list->method, list->pattern, list->handle, list->summary};
		routes[route_count++] = *list;
	}
}

static void add_protocols(void)
{
#define X(name) add_routes(protocol_##name);
	PROTOCOLS(X)
#undef X
}

const struct data_route *data_plane_routes(size_t *count)
{
	pthread_once(&once, add_protocols);
	assert(route_count < ROUTES_MAX);
	*count = route_count;
	return routes;
}

void data_plane_refuse(struct http_response *response, const struct err *e)
{
	response->status = err_http(e->code);
	response->content_type = "application/json";
	response->json_size = 0;
	buf_clear(&response->body);
	buf_add_string(&response->body, "{\"error\":");
	v2_write_string(&response->body, e->text);
	buf_add_char(&response->body, '}');
}

void data_plane_json(struct http_response *response)
{
	response->status = 200;
	response->content_type = "application/json";
}

void data_plane_models(void *context, const struct http_request *request, const struct http_segments *segments,
		       struct http_response *response)
{
	(void)request;
	(void)segments;
	struct server *s = context;
	struct buf *out = &response->body;
	const struct routing *routing = router_enter(s->router);

	data_plane_json(response);
	buf_add_string(out, "{\"models\":[");
	for (size_t i = 0; i < routing->model_count; i++) {
		buf_add_string(out, i > 0 ? "," : "");
		v2_write_string(out, routing->models[i]->name);
	}
	buf_add_string(out, "]}");
	router_leave(s->router);
}

const char *data_plane_version(const struct http_segments *segments)
{
	return segments->count > 1 ? segments->values[1] : "";
}

void data_plane_describe(struct server *s, const struct http_segments *segments, bool only_ready,
			 void (*write)(struct buf *out, const struct served_model *m, const struct served_version *v),
			 struct http_response *response)
{
	const struct routing *routing = router_enter(s->router);
	const struct served_model *m;
	struct err e;
	const struct served_version *v = infer_find(routing, segments->values[0], data_plane_version(segments), &m, &e);

	if (v != NULL && only_ready && served_version_state(v, &e) != SERVED_READY) {
		/* Whatever keeps it from answering, a probe is told to come again. */
		e.code = ERR_UNREACHABLE;
		v = NULL;
	}
	if (v == NULL) {
		data_plane_refuse(response, &e);
	} else {
		data_plane_json(response);
		write(&response->body, m, v);
	}
	router_leave(s->router);
}

void data_plane_handle(void *context, const struct http_request *request, struct http_response *response)
{
	size_t count;
	data_plane_routes(&count);
	http_dispatch(served, count, context, request, response, data_plane_refuse);
}
