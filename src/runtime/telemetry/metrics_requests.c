/* metrics: what was asked of a version, and how long it took. */
#include "runtime/telemetry/metrics.h"

#define NS_PER_S 1e9

static void write_requests(struct metrics *m)
{
	metrics_family(m, "mldeck_requests_total", "counter",
		       "Prediction requests that reached a version: ok, refused (the caller's fault), error.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		const struct {
			const char *outcome;
			uint64_t count;
		} outcomes[] = {{"ok", v->totals.ok}, {"refused", v->totals.refused}, {"error", v->totals.errors}};
		for (size_t k = 0; v->counted && k < sizeof outcomes / sizeof *outcomes; k++) {
			metrics_series(m, "", "model", v->model, "version", v->number, "outcome", outcomes[k].outcome,
				       NULL);
			metrics_count(m, outcomes[k].count);
		}
	}
}

static void write_durations(struct metrics *m)
{
	metrics_family(m, "mldeck_request_duration_seconds", "histogram",
		       "Time from the whole body to the written answer, of requests that were ok.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!v->counted)
			continue;
		for (size_t k = 0; k < METRICS_LATENCY_EDGES; k++) {
			metrics_series(m, "_bucket", "model", v->model, "version", v->number, "le",
				       metrics_latency_edges[k].label, NULL);
			metrics_count(m, v->latency[k]);
		}
		metrics_series(m, "_bucket", "model", v->model, "version", v->number, "le", "+Inf", NULL);
		metrics_count(m, v->totals.ok);
		metrics_series(m, "_sum", "model", v->model, "version", v->number, NULL);
		metrics_number(m, (double)v->totals.latency_ns / NS_PER_S);
		metrics_series(m, "_count", "model", v->model, "version", v->number, NULL);
		metrics_count(m, v->totals.ok);
	}
}

static void write_failure_times(struct metrics *m)
{
	metrics_family(m, "mldeck_failure_seconds_total", "counter",
		       "Time spent on requests that were refused or ended in an error.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!v->counted)
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, "outcome", "refused", NULL);
		metrics_number(m, (double)v->totals.refused_ns / NS_PER_S);
		metrics_series(m, "", "model", v->model, "version", v->number, "outcome", "error", NULL);
		metrics_number(m, (double)v->totals.error_ns / NS_PER_S);
	}
}

/* One counter of telemetry_totals, found by its offset. */
static void write_total(struct metrics *m, const char *name, const char *help, size_t offset, double unit)
{
	metrics_family(m, name, "counter", help);
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!v->counted)
			continue;
		const uint64_t *total = (const uint64_t *)((const char *)&v->totals + offset);
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_number(m, (double)*total / unit);
	}
}

static void write_last(struct metrics *m)
{
	metrics_family(m, "mldeck_last_inference_timestamp_seconds", "gauge", "Unix time of a version's last answer.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (v->totals.last_ms == 0)
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_number(m, (double)v->totals.last_ms / 1e3);
	}
}

void metrics_requests(struct metrics *m)
{
	write_requests(m);
	write_durations(m);
	write_failure_times(m);
	write_total(m, "mldeck_inference_rows_total", "Rows predicted.", offsetof(struct telemetry_totals, rows), 1);
	write_total(m, "mldeck_inference_queue_seconds_total", "Time that requests waited for a worker.",
		    offsetof(struct telemetry_totals, queue_ns), NS_PER_S);
	write_total(m, "mldeck_inference_input_seconds_total", "Time to read bodies into tensors.",
		    offsetof(struct telemetry_totals, input_ns), NS_PER_S);
	write_total(m, "mldeck_inference_infer_seconds_total", "Time in the model's engine.",
		    offsetof(struct telemetry_totals, infer_ns), NS_PER_S);
	write_total(m, "mldeck_inference_output_seconds_total", "Time to write the answers.",
		    offsetof(struct telemetry_totals, output_ns), NS_PER_S);
	write_last(m);
}
