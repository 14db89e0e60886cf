/*
 * protocol_v1: TensorFlow Serving's and KServe's first protocol over HTTP.
 *
 * A label is a role of the route: `live`, `canary` and `shadow` are the version that has it.
 */
#include "runtime/protocol/data_plane.h"
#include "runtime/router/infer.h"
#include "runtime/protocol/v1.h"
#include "runtime/protocol/v2.h"

#include <stdio.h>
#include <string.h>

/* KServe's client asks it whether the server is alive. */
static void alive(void *context, const struct http_request *request, const struct http_segments *segments,
		  struct http_response *response)
{
	(void)context;
	(void)request;
	(void)segments;
	data_plane_json(response);
	buf_add_string(&response->body, "{\"status\":\"alive\"}");
}

/* --- labels --- */

static int refuse_label(const struct served_model *m, const char *label, struct err *e)
{
	char names[64] = "none";
	size_t used = 0;
	bool seen[ROUTE_ROLE_COUNT] = {false};

	for (uint32_t i = 0; i < m->route.entry_count; i++) {
		enum route_role role = m->route.entries[i].role;
		if (!seen[role])
			used += (size_t)snprintf(names + used, sizeof names - used, "%s`%s`", used > 0 ? ", " : "",
						 route_role_name(role));
		seen[role] = true;
	}
	return err_set(e, ERR_NOT_FOUND, "%s has no label `%s`; of live, canary and shadow it has %s", m->name, label,
		       names);
}

/* The number of the version that has the role; of several, the one with the greatest share. */
static int find_label(struct server *s, const char *model, const char *label, char version[16], struct err *e)
{
	const struct served_model *m = routing_find(router_enter(s->router), model, e);
	const struct route_entry *found = NULL;
	int result = 0;

	for (uint32_t i = 0; m != NULL && i < m->route.entry_count; i++) {
		const struct route_entry *entry = &m->route.entries[i];
		if (strcmp(route_role_name(entry->role), label) == 0 &&
		    (found == NULL || entry->weight_bp > found->weight_bp))
			found = entry;
	}
	if (m == NULL)
		result = -1;
	else if (found == NULL)
		result = refuse_label(m, label, e);
	else
		snprintf(version, 16, "%u", (unsigned)found->version);
	router_leave(s->router);
	return result;
}

/* --- what a model is --- */

static void write_status(struct buf *out, const struct served_version *v)
{
	struct err e = {0};
	enum served_state state = served_version_state(v, &e);
	bool ready = state == SERVED_READY;

	buf_format(out,
		   "{\"version\":\"%u\",\"state\":\"%s\",\"status\":{\"error_code\":\"%s\",\"error_"
		   "message\":",
		   (unsigned)v->version, ready || state == SERVED_AWAY ? "AVAILABLE" : "END",
		   ready ? "OK" : "UNAVAILABLE");
	v2_write_string(out, ready ? "" : e.text);
	buf_add_string(out, "}}");
}

/* TensorFlow Serving's status of the versions, and KServe's of the model. */
static void write_model(struct buf *out, const struct served_model *m, const struct served_version *live)
{
	(void)live;
	buf_add_string(out, "{\"name\":");
	v2_write_string(out, m->name);
	buf_add_string(out, ",\"ready\":true,\"model_version_status\":[");
	for (size_t i = m->version_count; i-- > 0;) {
		write_status(out, m->versions[i]);
		buf_add_string(out, i > 0 ? "," : "]}");
	}
}

static void model_status(void *context, const struct http_request *request, const struct http_segments *segments,
			 struct http_response *response)
{
	(void)request;
	data_plane_describe(context, segments, true, write_model, response);
}

/* A version that failed has a status too. */
static void version_status(void *context, const struct http_request *request, const struct http_segments *segments,
			   struct http_response *response)
{
	(void)request;
	struct server *s = context;
	struct err e;
	const struct served_model *m = routing_find(router_enter(s->router), segments->values[0], &e);
	const struct served_version *v = m == NULL ? NULL : served_model_version(m, segments->values[1], &e);

	if (v == NULL) {
		data_plane_refuse(response, &e);
	} else {
		data_plane_json(response);
		buf_add_string(&response->body, "{\"model_version_status\":[");
		write_status(&response->body, v);
		buf_add_string(&response->body, "]}");
	}
	router_leave(s->router);
}

static void write_metadata(struct buf *out, const struct served_model *m, const struct served_version *v)
{
	v1_write_metadata(out, m->name, v->version, &v->manifest);
}

static void model_metadata(void *context, const struct http_request *request, const struct http_segments *segments,
			   struct http_response *response)
{
	(void)request;
	data_plane_describe(context, segments, false, write_metadata, response);
}

/* --- predictions --- */

static void v1_unit(const struct http_request *request, const struct served_model *m, char unit[INFER_UNIT_SIZE],
		    size_t *unit_size)
{
	(void)m;
	v2_peek_unit(request->body, request->body_size, unit, unit_size);
}

static struct v1_model model_of(const struct infer_version *version)
{
	return (struct v1_model){version->engine, version->columns};
}

static int v1_read(void *state, const struct http_request *request, const struct infer_version *version,
		   struct inference *inference, struct err *e)
{
	const struct v1_model model = model_of(version);
	return v1_parse(&model, request->body, request->body_size, state, inference, e);
}

static void v1_answer(void *state, const struct infer_version *version, struct inference *inference,
		      struct http_response *response)
{
	const struct v1_model model = model_of(version);
	struct err e;

	data_plane_json(response);
	infer_say_version(version, response);
	if (v1_write(&response->body, &model, state, inference, &e) != 0)
		data_plane_refuse(response, &e);
}

static const struct infer_protocol v1_protocol = {
    .state_size = sizeof(struct v1_request),
    .unit = v1_unit,
    .read = v1_read,
    .write = v1_answer,
};

static void predict(void *context, const struct http_request *request, const struct http_segments *segments,
		    struct http_response *response)
{
	infer_handle(context, &v1_protocol, request, segments->values[0], data_plane_version(segments), response);
}

/* --- the same with a label in the version's place --- */

static void with_label(http_handler *handle, void *context, const struct http_request *request,
		       const struct http_segments *segments, struct http_response *response)
{
	struct http_segments found = *segments;
	struct err e;
	if (find_label(context, segments->values[0], segments->values[1], found.values[1], &e) != 0)
		data_plane_refuse(response, &e);
	else
		handle(context, request, &found, response);
}

static void label_predict(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	with_label(predict, context, request, segments, response);
}

static void label_status(void *context, const struct http_request *request, const struct http_segments *segments,
			 struct http_response *response)
{
	with_label(version_status, context, request, segments, response);
}

static void label_metadata(void *context, const struct http_request *request, const struct http_segments *segments,
			   struct http_response *response)
{
	with_label(model_metadata, context, request, segments, response);
}

/* --- routes --- */

static const struct operation alive_operation = {
    .tag = "V1",
    .response = OPERATION_JSON("Alive"),
};
static const struct operation list_operation = {
    .tag = "V1",
    .response = OPERATION_JSON("Models"),
};
static const struct operation predict_operation = {
    .tag = "V1",
    .parameters = "Unit Capture",
    .request = OPERATION_BODIES({"application/json", "V1Request", EXAMPLE_V1}),
    .response = OPERATION_JSON("V1Response"),
    .headers = "Mldeck-Version",
    .statuses = STATUSES_PREDICT,
};
static const struct operation status_operation = {
    .tag = "V1",
    .response = OPERATION_JSON("ModelStatus"),
    .statuses = STATUSES_MODEL,
};
static const struct operation version_operation = {
    .tag = "V1",
    .response = OPERATION_JSON("VersionStatuses"),
    .statuses = STATUSES_MODEL,
};
static const struct operation metadata_operation = {
    .tag = "V1",
    .response = OPERATION_JSON("V1Metadata"),
    .statuses = STATUSES_MODEL,
};

const struct data_route protocol_v1[] = {
    {"GET", "/", alive, "whether the process answers", &alive_operation},
    {"GET", "/v1/models", data_plane_models, "the names of all models", &list_operation},
    {"POST", "/v1/models/{}:predict", predict, "predict with the version that the route gives", &predict_operation},
    {"POST", "/v1/models/{}/versions/{}:predict", predict, "predict with this version", &predict_operation},
    {"POST", "/v1/models/{}/labels/{}:predict", label_predict, "predict with the version in this role",
     &predict_operation},
    {"GET", "/v1/models/{}", model_status, "whether the live version is loaded, and the state of every version",
     &status_operation},
    {"GET", "/v1/models/{}/versions/{}", version_status, "the state of a version", &version_operation},
    {"GET", "/v1/models/{}/labels/{}", label_status, "the state of the version in this role", &version_operation},
    {"GET", "/v1/models/{}/metadata", model_metadata, "the signature of the live version", &metadata_operation},
    {"GET", "/v1/models/{}/versions/{}/metadata", model_metadata, "the signature of a version", &metadata_operation},
    {"GET", "/v1/models/{}/labels/{}/metadata", label_metadata, "the signature of the version in this role",
     &metadata_operation},
    {NULL, NULL, NULL, NULL, NULL},
};
