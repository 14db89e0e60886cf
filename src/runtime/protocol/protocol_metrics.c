/*
 * protocol_metrics: what monitors and load generators read of the data plane.
 */
#include "runtime/protocol/data_plane.h"
#include "runtime/telemetry/metrics.h"
#include "runtime/protocol/v2_stats.h"

static void refuse_memory(struct http_response *response)
{
	struct err e;
	err_set(&e, ERR_MEMORY, "memory is out while writing the statistics");
	buf_release(&response->body);
	data_plane_refuse(response, &e);
}

static void metrics_handle(void *context, const struct http_request *request, const struct http_segments *segments,
			   struct http_response *response)
{
	(void)request;
	(void)segments;
	struct server *s = context;
	response->status = 200;
	response->content_type = METRICS_CONTENT_TYPE;
	response->compressible = true;
	metrics_write(s, router_enter(s->router), &response->body);
	router_leave(s->router);
	if (response->body.failed)
		refuse_memory(response);
}

/* The versions of one model, or the one that version names ("": all). */
static int write_model(struct buf *out, const struct served_model *m, const char *version, struct err *e)
{
	const struct served_version *only = NULL;
	if (version[0] != '\0' && (only = served_model_version(m, version, e)) == NULL)
		return -1;
	for (size_t i = 0; i < m->version_count; i++) {
		if (only != NULL && m->versions[i] != only)
			continue;
		if (out->data[out->size - 1] != '[')
			buf_add_char(out, ',');
		v2_stats_write(out, m, m->versions[i]);
	}
	return 0;
}

static int write_stats(struct buf *out, const struct routing *routing, const struct http_segments *segments,
		       struct err *e)
{
	buf_add_string(out, "{\"model_stats\":[");
	if (out->failed)
		return 0;
	if (segments->count == 0) {
		for (size_t i = 0; i < routing->model_count; i++)
			write_model(out, routing->models[i], "", e);
	} else {
		const struct served_model *m = routing_find(routing, segments->values[0], e);
		if (m == NULL || write_model(out, m, data_plane_version(segments), e) != 0)
			return -1;
	}
	buf_add_string(out, "]}");
	return 0;
}

static void model_stats_handle(void *context, const struct http_request *request, const struct http_segments *segments,
			       struct http_response *response)
{
	(void)request;
	struct server *s = context;
	struct err e;
	data_plane_json(response);
	int result = write_stats(&response->body, router_enter(s->router), segments, &e);
	router_leave(s->router);
	if (result != 0)
		data_plane_refuse(response, &e);
	else if (response->body.failed)
		refuse_memory(response);
}

/* --- routes --- */

static const struct operation metrics_operation = {
    .tag = "Monitoring",
    .response = OPERATION_BODIES({METRICS_CONTENT_TYPE, "Text", EXAMPLE_NONE}),
};
static const struct operation all_stats_operation = {
    .tag = "V2",
    .response = OPERATION_JSON("Statistics"),
};
static const struct operation stats_operation = {
    .tag = "V2",
    .response = OPERATION_JSON("Statistics"),
    .statuses = STATUSES_MODEL,
};

/* Before V2's own: `stats` is no model there. */
const struct data_route protocol_metrics[] = {
    {"GET", "/metrics", metrics_handle, "counters and gauges for Prometheus", &metrics_operation},
    {"GET", "/v2/models/stats", model_stats_handle, "statistics of all models", &all_stats_operation},
    {"GET", "/v2/models/{}/stats", model_stats_handle, "statistics of a model's versions", &stats_operation},
    {"GET", "/v2/models/{}/versions/{}/stats", model_stats_handle, "statistics of a version", &stats_operation},
    {NULL, NULL, NULL, NULL, NULL},
};
