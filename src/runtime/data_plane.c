/*
 * data_plane: the prediction API: V2 requests in, the router's version's answer out.
 */
#include "runtime/server.h"
#include "runtime/v2.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Buffers of a data plane thread, reused from request to request. */
struct work {
	struct v2_scratch scratch;
	double *numbers; /* predictions, then raw scores, then one value a row */
	size_t capacity;
};

static _Thread_local struct work *mine;
static pthread_key_t thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void work_free(void *ended)
{
	struct work *work = ended;
	v2_scratch_release(&work->scratch);
	free(work->numbers);
	free(work);
}

static void make_key(void)
{
	pthread_key_create(&thread_end, work_free);
}

/* This thread's buffers, freed when it ends. NULL when memory is out. */
static struct work *my_work(void)
{
	if (mine == NULL) {
		pthread_once(&once, make_key);
		mine = calloc(1, sizeof *mine);
		pthread_setspecific(thread_end, mine);
	}
	return mine;
}

static uint64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
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

static void answer_json(struct http_response *response)
{
	response->status = 200;
	response->content_type = "application/json";
}

static void server_metadata(void *context, const struct http_request *request,
			    const struct http_segments *segments, struct http_response *response)
{
	(void)context;
	(void)request;
	(void)segments;
	answer_json(response);
	buf_add_string(&response->body, "{\"name\":\"mldeck\",\"version\":\"" MLDECK_VERSION
					"\",\"extensions\":[\"binary_tensor_data\",\"statistics\"]}");
}

static void health_live(void *context, const struct http_request *request,
			const struct http_segments *segments, struct http_response *response)
{
	(void)context;
	(void)request;
	(void)segments;
	response->status = 200;
}

static void health_ready(void *context, const struct http_request *request,
			 const struct http_segments *segments, struct http_response *response)
{
	(void)request;
	(void)segments;
	struct server *s = context;
	response->status = 200;
	if (atomic_load(&s->draining)) {
		struct err e;
		err_set(&e, ERR_UNREACHABLE, "the server is draining");
		data_plane_refuse(response, &e);
	}
}

/* The model and version that a path names; version "" lets the route choose by the unit. */
static struct served_version *find_version(const struct routing *routing, const char *model,
					   const char *version, const char *unit, size_t unit_size,
					   const struct served_model **found, struct err *e)
{
	const struct served_model *m = routing_find(routing, model);
	struct served_version *v;
	long long number = 0;

	*found = m;
	if (m == NULL) {
		err_set(e, ERR_NOT_FOUND, "there is no model `%s`", model);
		return NULL;
	}
	if (version[0] == '\0') {
		v = served_model_pick(m, unit, unit_size);
		if (v == NULL)
			err_set(e, ERR_UNREACHABLE, "%s has no live version", model);
	} else {
		bool valid = text_integer(version, 1, VERSIONS_MAX, &number);
		v = valid ? served_model_find(m, (uint32_t)number) : NULL;
		if (v == NULL)
			err_set(e, ERR_NOT_FOUND, "%s has no version `%s`; it has 1 to %zu", model, version,
				m->version_count);
	}
	if (v != NULL && v->engine == NULL) {
		err_set(e, ERR_UNREACHABLE, "v%u of %s is not ready: %s", v->version, model, v->note);
		return NULL;
	}
	return v;
}

static const char *version_segment(const struct http_segments *segments)
{
	return segments->count > 1 ? segments->values[1] : "";
}

static void model_metadata(void *context, const struct http_request *request,
			   const struct http_segments *segments, struct http_response *response)
{
	(void)request;
	struct server *s = context;
	const struct served_model *m;
	struct err e;
	const struct routing *routing = router_enter(s->router);
	struct served_version *v = find_version(routing, segments->values[0], version_segment(segments),
						"", 0, &m, &e);
	if (v == NULL) {
		data_plane_refuse(response, &e);
	} else {
		uint32_t *numbers = malloc(m->version_count * sizeof *numbers);
		for (size_t i = 0; numbers != NULL && i < m->version_count; i++)
			numbers[i] = m->versions[i]->version;
		answer_json(response);
		v2_write_metadata(&response->body, m->name, numbers,
				  numbers == NULL ? 0 : m->version_count, &v->manifest);
		free(numbers);
	}
	router_leave(s->router);
}

static void model_ready(void *context, const struct http_request *request,
			const struct http_segments *segments, struct http_response *response)
{
	(void)request;
	struct server *s = context;
	const struct served_model *m;
	struct err e;
	const struct routing *routing = router_enter(s->router);
	if (find_version(routing, segments->values[0], version_segment(segments), "", 0, &m, &e) == NULL)
		data_plane_refuse(response, &e);
	else
		response->status = 200;
	router_leave(s->router);
}

/* Room for count numbers. */
static double *work_numbers(struct work *work, size_t count)
{
	if (count > work->capacity) {
		double *more = realloc(work->numbers, count * sizeof *more);
		if (more == NULL)
			return NULL;
		work->numbers = more;
		work->capacity = count;
	}
	return work->numbers;
}

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

/* Runs one parsed request on a version and writes the answer. */
static int run(struct work *work, const struct served_model *m, struct served_version *v,
	       const struct v2_request *infer, struct http_response *response, const double **values,
	       struct err *e)
{
	size_t rows = infer->rows.rows;
	size_t outputs = rows * v->kind.output_count;
	size_t raws = infer->want_raw ? rows * v->kind.raw_count : 0;
	double *output = work_numbers(work, outputs + raws + rows);
	if (output == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for %zu rows", rows);

	double *raw = raws > 0 ? output + outputs : NULL;
	if (v->engine->predict(v->model, &infer->rows, output, raw, e) != 0)
		return -1;
	v2_write(&response->body, m->name, v->version, &v->manifest, &v->kind, infer, output, raw,
		 &response->json_size);
	prediction_values(&v->kind, output, rows, output + outputs + raws);
	*values = output + outputs + raws;

	answer_json(response);
	if (response->json_size == response->body.size)
		response->json_size = 0;
	else
		response->content_type = "application/octet-stream";
	return 0;
}

static void choose_unit(const struct http_request *request, size_t json_size, char unit[V2_UNIT_SIZE],
			size_t *unit_size)
{
	const char *header = http_header(request, "Mldeck-Unit");
	if (header == NULL) {
		v2_peek_unit(request->body, json_size, unit, unit_size);
		return;
	}
	*unit_size = strnlen(header, V2_UNIT_SIZE - 1);
	memcpy(unit, header, *unit_size);
	unit[*unit_size] = '\0';
}

/* Between router_enter() and router_leave(). */
static int infer_routed(const struct routing *routing, const struct http_request *request,
			const struct http_segments *segments, struct http_response *response, struct err *e)
{
	uint64_t start_ns = clock_ns();
	const char *version = version_segment(segments);
	char unit[V2_UNIT_SIZE] = "";
	size_t unit_size = 0, json_size;
	const struct served_model *m = routing_find(routing, segments->values[0]);

	if (json_length(request, &json_size, e) != 0)
		return -1;
	if (m != NULL && version[0] == '\0' && m->route.entry_count > 1)
		choose_unit(request, json_size, unit, &unit_size);
	struct served_version *v =
		find_version(routing, segments->values[0], version, unit, unit_size, &m, e);
	if (v == NULL)
		return -1;

	struct v2_request infer;
	const double *values = NULL;
	struct work *work = my_work();
	if (work == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while answering");
	if (v2_parse(&v->manifest, &v->kind, request->body, request->body_size, json_size, &work->scratch,
		     &infer, e) != 0 ||
	    run(work, m, v, &infer, response, &values, e) != 0) {
		telemetry_record_error(v->telemetry, e->code, clock_ns() - start_ns);
		return -1;
	}
	const struct telemetry_sample sample = {.latency_ns = clock_ns() - start_ns, .rows = infer.rows.rows};
	telemetry_record_ok(v->telemetry, &sample, values, infer.rows.rows);
	return 0;
}

static void infer(void *context, const struct http_request *request,
		  const struct http_segments *segments, struct http_response *response)
{
	struct server *s = context;
	struct err e;
	const struct routing *routing = router_enter(s->router);
	int result = infer_routed(routing, request, segments, response, &e);
	router_leave(s->router);
	if (result != 0)
		data_plane_refuse(response, &e);
}

static const struct http_route routes[] = {
	{"POST", "/v2/models/{}/infer", infer, "predict with the version that the route gives"},
	{"POST", "/v2/models/{}/versions/{}/infer", infer, "predict with this version"},
	{"GET", "/v2", server_metadata, "what this server is"},
	{"GET", "/v2/health/live", health_live, "whether the process answers"},
	{"GET", "/v2/health/ready", health_ready, "whether it takes requests"},
	{"GET", "/metrics", metrics_handle, "counters and gauges for Prometheus"},
	{"GET", "/v2/models/stats", model_stats_handle, "statistics of all models"},
	{"GET", "/v2/models/{}/stats", model_stats_handle, "statistics of a model's versions"},
	{"GET", "/v2/models/{}/versions/{}/stats", model_stats_handle, "statistics of a version"},
	{"GET", "/v2/models/{}", model_metadata, "inputs and outputs of the live version"},
	{"GET", "/v2/models/{}/versions/{}", model_metadata, "inputs and outputs of a version"},
	{"GET", "/v2/models/{}/ready", model_ready, "whether the live version is loaded"},
	{"GET", "/v2/models/{}/versions/{}/ready", model_ready, "whether a version is loaded"},
};

void data_plane_handle(void *context, const struct http_request *request,
		       struct http_response *response)
{
	http_dispatch(routes, sizeof routes / sizeof *routes, context, request, response,
		      data_plane_refuse);
}
