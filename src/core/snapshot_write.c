/* snapshot_write: a snapshot as JSON. */
#include "core/json.h"
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
		complete = json_append(array, cJSON_CreateNumber(edges[i]));
	return json_whole(array, complete);
}

static cJSON *latency_json(const struct snapshot_latency *l)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, o != NULL && json_add_number(o, "p50", (double)l->p50_ns) &&
				 json_add_number(o, "p90", (double)l->p90_ns) &&
				 json_add_number(o, "p99", (double)l->p99_ns) &&
				 json_add_number(o, "max", (double)l->max_ns) &&
				 writer_counts(o, "counts", l->counts, SNAPSHOT_LATENCY_BINS));
}

static cJSON *baseline_json(const struct snapshot_predictions *p)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, o != NULL && json_add_text(o, "source", p->baseline_source) &&
				 json_add_number(o, "count", (double)p->baseline_count) &&
				 writer_counts(o, "counts", p->baseline, p->bin_count));
}

static cJSON *predictions_json(const struct snapshot_predictions *p)
{
	cJSON *o = cJSON_CreateObject();
	size_t edge_count = p->bin_count > 0 ? p->bin_count + 1 : 0;
	return json_whole(o, o != NULL && json_add(o, "edges", edges_json(p->edges, edge_count)) &&
				 writer_counts(o, "counts", p->counts, p->bin_count) &&
				 json_add_number(o, "below", (double)p->below) &&
				 json_add_number(o, "above", (double)p->above) &&
				 json_add_number(o, "nan", (double)p->nan) && json_add_number(o, "mean", p->mean) &&
				 json_add(o, "baseline", baseline_json(p)));
}

static bool add_stats(cJSON *o, const struct snapshot_stats *s)
{
	return json_add_number(o, "requests", (double)s->requests) &&
	       json_add_number(o, "refused", (double)s->refused) && json_add_number(o, "errors", (double)s->errors) &&
	       json_add_number(o, "rate_rps", s->rate_rps) && json_add(o, "latency_ns", latency_json(&s->latency));
}

static cJSON *version_stats_json(const struct snapshot_version_stats *v)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, o != NULL && json_add_some(o, "version", v->version) && add_stats(o, &v->stats) &&
				 json_add(o, "predictions", predictions_json(&v->predictions)) &&
				 add_series(o, v->series_rps) &&
				 (v->shadow.against == 0 || json_add(o, "shadow", writer_shadow(&v->shadow))));
}

static cJSON *version_json(const struct snapshot_version *v)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, o != NULL && json_add_some(o, "version", v->version) &&
				 json_add_text(o, "engine", v->engine) && json_add_text(o, "format", v->format) &&
				 json_add_text(o, "sha256", v->sha256) && json_add_text(o, "state", v->state) &&
				 json_add_text(o, "note", v->note) &&
				 json_add_number(o, "size_bytes", (double)v->size_bytes) &&
				 json_add_number(o, "created_ms", (double)v->created_ms) &&
				 json_add_text(o, "created_by", v->created_by));
}

static cJSON *entry_json(const struct route_entry *entry)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, o != NULL && json_add_some(o, "version", entry->version) &&
				 json_add_text(o, "role", route_role_name(entry->role)) &&
				 json_add_number(o, "percent", entry->weight_bp / 100.0));
}

static cJSON *model_json(const struct snapshot_model *m)
{
	cJSON *o = cJSON_CreateObject(), *route = NULL, *versions = NULL, *stats = NULL, *history = NULL;
	bool ok = o != NULL && json_add_text(o, "name", m->name) && json_add_some(o, "live", m->live) &&
		  json_add_some(o, "revision", m->revision);
	ok = ok && (route = cJSON_AddArrayToObject(o, "route")) != NULL;
	for (size_t i = 0; ok && i < m->route_count; i++)
		ok = json_append(route, entry_json(&m->route[i]));
	ok = ok && (versions = cJSON_AddArrayToObject(o, "versions")) != NULL;
	for (size_t i = 0; ok && i < m->version_count; i++)
		ok = json_append(versions, version_json(&m->versions[i]));
	ok = ok && json_add_number(o, "window_s", m->window_s) && add_stats(o, &m->stats);
	ok = ok && (stats = cJSON_AddArrayToObject(o, "per_version")) != NULL;
	for (size_t i = 0; ok && i < m->per_version_count; i++)
		ok = json_append(stats, version_stats_json(&m->per_version[i]));
	ok = ok && (history = cJSON_AddArrayToObject(o, "history")) != NULL;
	for (size_t i = 0; ok && i < m->history_count; i++)
		ok = json_append(history, writer_revision(&m->history[i]));
	return json_whole(o, ok && writer_control(o, m));
}

static cJSON *server_json(const struct snapshot_server *s)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(
	    o, o != NULL && json_add_text(o, "name", s->name) && json_add_text(o, "version", s->version) &&
		   json_add_number(o, "pid", (double)s->pid) && json_add_number(o, "now_ms", (double)s->now_ms) &&
		   json_add_number(o, "uptime_s", (double)s->uptime_s) && json_add_text(o, "listen", s->listen) &&
		   json_add_text(o, "state_directory", s->state_directory) &&
		   json_add_boolean(o, "draining", s->draining) && json_add_number(o, "window_s", s->window_s) &&
		   json_add_number(o, "requests", (double)s->requests) &&
		   json_add_number(o, "refused", (double)s->refused) &&
		   json_add_number(o, "errors", (double)s->errors) && json_add_number(o, "rate_rps", s->rate_rps) &&
		   json_add_number(o, "lost_samples", (double)s->lost_samples) &&
		   json_add_number(o, "alerts_firing", s->alerts_firing) &&
		   json_add_number(o, "jobs_running", s->jobs_running) &&
		   json_add_number(o, "jobs_queued", s->jobs_queued));
}

static bool add_alerts(cJSON *o, const struct snapshot *s)
{
	cJSON *alerts = cJSON_AddArrayToObject(o, "alerts");
	bool ok = alerts != NULL;
	for (size_t i = 0; ok && i < s->alert_count; i++)
		ok = json_append(alerts, alert_to_json(&s->alerts[i]));
	return ok;
}

/* Absent when they were not asked for. */
static bool add_audits(cJSON *o, const struct snapshot *s)
{
	cJSON *audits = s->audit_count > 0 ? cJSON_AddArrayToObject(o, "audits") : NULL;
	bool ok = s->audit_count == 0 || audits != NULL;
	for (size_t i = 0; ok && i < s->audit_count; i++)
		ok = json_append(audits, writer_audit(&s->audits[i]));
	return ok;
}

static bool add_experiments(cJSON *object, const struct snapshot *s)
{
	if (!s->experiments_known)
		return true;
	cJSON *list = cJSON_AddArrayToObject(object, "experiments");
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < s->experiment_count; i++)
		ok = json_append(list, snapshot_experiment_to_json(&s->experiments[i]));
	return ok;
}

cJSON *snapshot_to_json(const struct snapshot *s)
{
	cJSON *o = cJSON_CreateObject(), *models = NULL, *jobs = NULL;
	bool ok = o != NULL && json_add(o, "server", server_json(&s->server)) &&
		  (models = cJSON_AddArrayToObject(o, "models")) != NULL;
	for (size_t i = 0; ok && i < s->model_count; i++)
		ok = json_append(models, model_json(&s->models[i]));
	ok = ok && add_alerts(o, s) && add_audits(o, s) && writer_tests(o, s) && add_experiments(o, s) &&
	     (jobs = cJSON_AddArrayToObject(o, "jobs")) != NULL;
	for (size_t i = 0; ok && i < s->job_count; i++)
		ok = json_append(jobs, job_to_json(&s->jobs[i]));
	return json_whole(o, ok);
}
