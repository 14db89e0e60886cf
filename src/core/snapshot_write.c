/* snapshot_write: a snapshot as JSON. */
#include "core/snapshot_writer.h"

static bool add_series(cJSON *object, const uint32_t *series)
{
	uint64_t counts[SNAPSHOT_SERIES];
	for (size_t i = 0; i < SNAPSHOT_SERIES; i++)
		counts[i] = series[i];
	return writer_counts(object, "series_rps", counts, SNAPSHOT_SERIES);
}

static cJSON *edges_json(const double *edges, size_t count)
{
	cJSON *array = cJSON_CreateArray();
	bool complete = array != NULL;
	for (size_t i = 0; complete && i < count; i++)
		complete = writer_append(array, cJSON_CreateNumber(edges[i]));
	return writer_whole(array, complete);
}

static cJSON *latency_json(const struct snapshot_latency *l)
{
	cJSON *o = cJSON_CreateObject();
	return writer_whole(
	    o, o != NULL && writer_number(o, "p50", (double)l->p50_ns) && writer_number(o, "p90", (double)l->p90_ns) &&
		   writer_number(o, "p99", (double)l->p99_ns) && writer_number(o, "max", (double)l->max_ns) &&
		   writer_counts(o, "counts", l->counts, SNAPSHOT_LATENCY_BINS));
}

static cJSON *baseline_json(const struct snapshot_predictions *p)
{
	cJSON *o = cJSON_CreateObject();
	return writer_whole(o, o != NULL && writer_string(o, "source", p->baseline_source) &&
				   writer_number(o, "count", (double)p->baseline_count) &&
				   writer_counts(o, "counts", p->baseline, p->bin_count));
}

static cJSON *predictions_json(const struct snapshot_predictions *p)
{
	cJSON *o = cJSON_CreateObject();
	size_t edge_count = p->bin_count > 0 ? p->bin_count + 1 : 0;
	return writer_whole(
	    o, o != NULL && writer_add(o, "edges", edges_json(p->edges, edge_count)) &&
		   writer_counts(o, "counts", p->counts, p->bin_count) && writer_number(o, "below", (double)p->below) &&
		   writer_number(o, "above", (double)p->above) && writer_number(o, "nan", (double)p->nan) &&
		   writer_number(o, "mean", p->mean) && writer_add(o, "baseline", baseline_json(p)));
}

static bool add_stats(cJSON *o, const struct snapshot_stats *s)
{
	return writer_number(o, "requests", (double)s->requests) && writer_number(o, "refused", (double)s->refused) &&
	       writer_number(o, "errors", (double)s->errors) && writer_number(o, "rate_rps", s->rate_rps) &&
	       writer_add(o, "latency_ns", latency_json(&s->latency));
}

static cJSON *version_stats_json(const struct snapshot_version_stats *v)
{
	cJSON *o = cJSON_CreateObject();
	return writer_whole(o, o != NULL && writer_id(o, "version", v->version) && add_stats(o, &v->stats) &&
				   writer_add(o, "predictions", predictions_json(&v->predictions)) &&
				   add_series(o, v->series_rps) &&
				   (v->shadow.against == 0 || writer_add(o, "shadow", writer_shadow(&v->shadow))));
}

static cJSON *version_json(const struct snapshot_version *v)
{
	cJSON *o = cJSON_CreateObject();
	return writer_whole(o, o != NULL && writer_id(o, "version", v->version) &&
				   writer_string(o, "engine", v->engine) && writer_string(o, "format", v->format) &&
				   writer_string(o, "sha256", v->sha256) && writer_string(o, "state", v->state) &&
				   writer_string(o, "note", v->note) &&
				   writer_number(o, "size_bytes", (double)v->size_bytes) &&
				   writer_number(o, "created_ms", (double)v->created_ms) &&
				   writer_string(o, "created_by", v->created_by));
}

static cJSON *entry_json(const struct route_entry *entry)
{
	cJSON *o = cJSON_CreateObject();
	return writer_whole(o, o != NULL && writer_id(o, "version", entry->version) &&
				   writer_string(o, "role", route_role_name(entry->role)) &&
				   writer_number(o, "percent", entry->weight_bp / 100.0));
}

static cJSON *model_json(const struct snapshot_model *m)
{
	cJSON *o = cJSON_CreateObject(), *route = NULL, *versions = NULL, *stats = NULL, *history = NULL;
	bool ok = o != NULL && writer_string(o, "name", m->name) && writer_id(o, "live", m->live) &&
		  writer_id(o, "revision", m->revision);
	ok = ok && (route = cJSON_AddArrayToObject(o, "route")) != NULL;
	for (size_t i = 0; ok && i < m->route_count; i++)
		ok = writer_append(route, entry_json(&m->route[i]));
	ok = ok && (versions = cJSON_AddArrayToObject(o, "versions")) != NULL;
	for (size_t i = 0; ok && i < m->version_count; i++)
		ok = writer_append(versions, version_json(&m->versions[i]));
	ok = ok && writer_number(o, "window_s", m->window_s) && add_stats(o, &m->stats);
	ok = ok && (stats = cJSON_AddArrayToObject(o, "per_version")) != NULL;
	for (size_t i = 0; ok && i < m->per_version_count; i++)
		ok = writer_append(stats, version_stats_json(&m->per_version[i]));
	ok = ok && (history = cJSON_AddArrayToObject(o, "history")) != NULL;
	for (size_t i = 0; ok && i < m->history_count; i++)
		ok = writer_append(history, writer_revision(&m->history[i]));
	return writer_whole(o, ok && writer_control(o, m));
}

static cJSON *server_json(const struct snapshot_server *s)
{
	cJSON *o = cJSON_CreateObject();
	return writer_whole(
	    o, o != NULL && writer_string(o, "name", s->name) && writer_string(o, "version", s->version) &&
		   writer_number(o, "pid", (double)s->pid) && writer_number(o, "now_ms", (double)s->now_ms) &&
		   writer_number(o, "uptime_s", (double)s->uptime_s) && writer_string(o, "listen", s->listen) &&
		   writer_string(o, "state_directory", s->state_directory) && writer_bool(o, "draining", s->draining) &&
		   writer_number(o, "window_s", s->window_s) && writer_number(o, "requests", (double)s->requests) &&
		   writer_number(o, "refused", (double)s->refused) && writer_number(o, "errors", (double)s->errors) &&
		   writer_number(o, "rate_rps", s->rate_rps) &&
		   writer_number(o, "lost_samples", (double)s->lost_samples) &&
		   writer_number(o, "alerts_firing", s->alerts_firing) &&
		   writer_number(o, "jobs_running", s->jobs_running) &&
		   writer_number(o, "jobs_queued", s->jobs_queued));
}

static bool add_alerts(cJSON *o, const struct snapshot *s)
{
	cJSON *alerts = cJSON_AddArrayToObject(o, "alerts");
	bool ok = alerts != NULL;
	for (size_t i = 0; ok && i < s->alert_count; i++)
		ok = writer_append(alerts, alert_to_json(&s->alerts[i]));
	return ok;
}

/* Absent when they were not asked for. */
static bool add_audits(cJSON *o, const struct snapshot *s)
{
	cJSON *audits = s->audit_count > 0 ? cJSON_AddArrayToObject(o, "audits") : NULL;
	bool ok = s->audit_count == 0 || audits != NULL;
	for (size_t i = 0; ok && i < s->audit_count; i++)
		ok = writer_append(audits, writer_audit(&s->audits[i]));
	return ok;
}

cJSON *snapshot_to_json(const struct snapshot *s)
{
	cJSON *o = cJSON_CreateObject(), *models = NULL, *jobs = NULL;
	bool ok = o != NULL && writer_add(o, "server", server_json(&s->server)) &&
		  (models = cJSON_AddArrayToObject(o, "models")) != NULL;
	for (size_t i = 0; ok && i < s->model_count; i++)
		ok = writer_append(models, model_json(&s->models[i]));
	ok = ok && add_alerts(o, s) && add_audits(o, s) && (jobs = cJSON_AddArrayToObject(o, "jobs")) != NULL;
	for (size_t i = 0; ok && i < s->job_count; i++)
		ok = writer_append(jobs, job_to_json(&s->jobs[i]));
	return writer_whole(o, ok);
}
