/*
 * protocol_v2: the Open Inference Protocol over HTTP, with Triton's extensions.
 */
#include "runtime/protocol/data_plane.h"
#include "runtime/router/infer.h"
#include "runtime/protocol/v2.h"

static void server_metadata(void *context, const struct http_request *request, const struct http_segments *segments,
			    struct http_response *response)
{
	(void)context;
	(void)request;
	(void)segments;
	data_plane_json(response);
	buf_add_string(&response->body,
		       "{\"name\":\"mldeck\",\"version\":\"" MLDECK_VERSION
		       "\",\"extensions\":[\"binary_tensor_data\",\"classification\",\"model_configuration\","
		       "\"model_repository\",\"statistics\"]}");
}

/* Probes look at the status; the specification and some clients at the body. */
static void health_live(void *context, const struct http_request *request, const struct http_segments *segments,
			struct http_response *response)
{
	(void)context;
	(void)request;
	(void)segments;
	data_plane_json(response);
	buf_add_string(&response->body, "{\"live\":true}");
}

static void health_ready(void *context, const struct http_request *request, const struct http_segments *segments,
			 struct http_response *response)
{
	(void)request;
	(void)segments;
	struct server *s = context;
	data_plane_json(response);
	buf_add_string(&response->body, "{\"ready\":true}");
	if (atomic_load(&s->draining)) {
		struct err e;
		err_set(&e, ERR_UNREACHABLE, "the server is draining");
		data_plane_refuse(response, &e);
	}
}

/* --- what a model is --- */

static void write_metadata(struct buf *out, const struct served_model *m, const struct served_version *v)
{
	v2_write_metadata(out, m->name, m->version_count, &v->manifest);
}

static void write_ready(struct buf *out, const struct served_model *m, const struct served_version *v)
{
	(void)v;
	buf_add_string(out, "{\"name\":");
	v2_write_string(out, m->name);
	buf_add_string(out, ",\"ready\":true}");
}

static void write_config(struct buf *out, const struct served_model *m, const struct served_version *v)
{
	v2_write_config(out, m->name, &v->manifest);
}

static void model_metadata(void *context, const struct http_request *request, const struct http_segments *segments,
			   struct http_response *response)
{
	(void)request;
	data_plane_describe(context, segments, false, write_metadata, response);
}

static void model_ready(void *context, const struct http_request *request, const struct http_segments *segments,
			struct http_response *response)
{
	(void)request;
	data_plane_describe(context, segments, true, write_ready, response);
}

static void model_config(void *context, const struct http_request *request, const struct http_segments *segments,
			 struct http_response *response)
{
	(void)request;
	data_plane_describe(context, segments, false, write_config, response);
}

/* --- predictions --- */

/* The length of the body's JSON part. */
static int json_length(const struct http_request *request, size_t *json_size, struct err *e)
{
	const char *header = http_header(request, "Inference-Header-Content-Length");
	long long length;
	*json_size = request->body_size;
	if (header == NULL)
		return 0;
	if (!text_integer(header, 0, (long long)request->body_size, &length))
		return err_set(e, ERR_INPUT,
			       "Inference-Header-Content-Length `%.32s` is no length within the body of %zu bytes",
			       header, request->body_size);
	*json_size = (size_t)length;
	return 0;
}

/* A body whose length header is malformed has no unit, and is refused when it is read. */
static void v2_unit(const struct http_request *request, const struct served_model *m, char unit[INFER_UNIT_SIZE],
		    size_t *unit_size)
{
	(void)m;
	size_t json_size;
	if (json_length(request, &json_size, NULL) == 0)
		v2_peek_unit(request->body, json_size, unit, unit_size);
}

static int v2_read(void *state, const struct http_request *request, const struct infer_version *version,
		   struct inference *inference, struct err *e)
{
	size_t json_size;
	if (json_length(request, &json_size, e) != 0)
		return -1;
	return v2_parse(version->engine, request->body, request->body_size, json_size, state, inference, e);
}

static const char *v2_id(const void *state)
{
	return ((const struct v2_request *)state)->id;
}

static void v2_answer(void *state, const struct infer_version *version, struct inference *inference,
		      struct http_response *response)
{
	data_plane_json(response);
	v2_write(&response->body, version->model, version->version, state, inference, &response->json_size);
	if (response->json_size == response->body.size)
		response->json_size = 0;
	else
		response->content_type = "application/octet-stream";
}

static const struct infer_protocol v2_protocol = {
    .state_size = sizeof(struct v2_request),
    .unit = v2_unit,
    .read = v2_read,
    .id = v2_id,
    .write = v2_answer,
};

static void infer(void *context, const struct http_request *request, const struct http_segments *segments,
		  struct http_response *response)
{
	infer_handle(context, &v2_protocol, request, segments->values[0], data_plane_version(segments), response);
}

/* --- routes --- */

static const struct operation infer_operation = {
    .tag = "V2",
    .parameters = "Unit Capture JsonSize",
    .request = OPERATION_BODIES({"application/json", "InferRequest", EXAMPLE_V2},
				{"application/octet-stream", "Binary", EXAMPLE_NONE}),
    .response = OPERATION_BODIES({"application/json", "InferResponse", EXAMPLE_NONE},
				 {"application/octet-stream", "Binary", EXAMPLE_NONE}),
    .headers = "Inference-Header-Content-Length",
    .statuses = STATUSES_PREDICT,
};
static const struct operation server_operation = {
    .tag = "V2",
    .response = OPERATION_JSON("ServerMetadata"),
};
static const struct operation live_operation = {
    .tag = "V2",
    .response = OPERATION_JSON("Live"),
};
static const struct operation ready_operation = {
    .tag = "V2",
    .response = OPERATION_JSON("Ready"),
};
static const struct operation list_operation = {
    .tag = "V2",
    .response = OPERATION_JSON("Models"),
};
static const struct operation config_operation = {
    .tag = "V2",
    .response = OPERATION_JSON("ModelConfig"),
    .statuses = STATUSES_MODEL,
};
static const struct operation metadata_operation = {
    .tag = "V2",
    .response = OPERATION_JSON("ModelMetadata"),
    .statuses = STATUSES_MODEL,
};
static const struct operation model_ready_operation = {
    .tag = "V2",
    .response = OPERATION_JSON("ModelReady"),
    .statuses = STATUSES_MODEL,
};

const struct data_route protocol_v2[] = {
    {"POST", "/v2/models/{}/infer", infer, "predict with the version that the route gives", &infer_operation},
    {"POST", "/v2/models/{}/versions/{}/infer", infer, "predict with this version", &infer_operation},
    {"GET", "/v2", server_metadata, "what this server is", &server_operation},
    {"GET", "/v2/health/live", health_live, "whether the process answers", &live_operation},
    {"GET", "/v2/health/ready", health_ready, "whether it takes requests", &ready_operation},
    {"GET", "/v2/models", data_plane_models, "the names of all models", &list_operation},
    {"GET", "/v2/models/{}/config", model_config, "the live version as Triton configures one", &config_operation},
    {"GET", "/v2/models/{}/versions/{}/config", model_config, "a version as Triton configures one", &config_operation},
    {"GET", "/v2/models/{}", model_metadata, "inputs and outputs of the live version", &metadata_operation},
    {"GET", "/v2/models/{}/versions/{}", model_metadata, "inputs and outputs of a version", &metadata_operation},
    {"GET", "/v2/models/{}/ready", model_ready, "whether the live version is loaded", &model_ready_operation},
    {"GET", "/v2/models/{}/versions/{}/ready", model_ready, "whether a version is loaded", &model_ready_operation},
    {NULL, NULL, NULL, NULL, NULL},
};
