/* snapshot_write: a snapshot as JSON. */
#include "core/snapshot.h"

#include <math.h>

/* cJSON refuses a NULL item by itself, so one failed allocation anywhere gives false here. */
static bool add(cJSON *object, const char *key, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToObject(object, key, item))
		return true;
	cJSON_Delete(item);
	return false;
}

static bool append(cJSON *array, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToArray(array, item))
		return true;
	cJSON_Delete(item);
	return false;
}

static bool add_string(cJSON *object, const char *key, const char *text)
{
	return add(object, key, cJSON_CreateString(text));
}

static bool add_number(cJSON *object, const char *key, double number)
{
	return add(object, key, isfinite(number) ? cJSON_CreateNumber(number) : cJSON_CreateNull());
}

/* 0 stands for "none" and becomes null. */
static bool add_id(cJSON *object, const char *key, uint32_t id)
{
	return add(object, key, id != 0 ? cJSON_CreateNumber(id) : cJSON_CreateNull());
}

static cJSON *counts_json(const uint64_t *counts, size_t count)
{
	cJSON *array = cJSON_CreateArray();
	for (size_t i = 0; array != NULL && i < count; i++) {
		if (!append(array, cJSON_CreateNumber((double)counts[i]))) {
			cJSON_Delete(array);
			array = NULL;
		}
	}
	return array;
}

static cJSON *edges_json(const double *edges, size_t count)
{
	cJSON *array = cJSON_CreateArray();
	for (size_t i = 0; array != NULL && i < count; i++) {
		if (!append(array, cJSON_CreateNumber(edges[i]))) {
			cJSON_Delete(array);
			array = NULL;
		}
	}
	return array;
}

static cJSON *series_json(const uint32_t *series)
{
	uint64_t counts[SNAPSHOT_SERIES];
	for (size_t i = 0; i < SNAPSHOT_SERIES; i++)
		counts[i] = series[i];
	return counts_json(counts, SNAPSHOT_SERIES);
}

/* Gives the object when all was added to it, else frees it. */
static cJSON *whole(cJSON *object, bool complete)
{
	if (complete)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *latency_json(const struct snapshot_latency *l)
{
	cJSON *o = cJSON_CreateObject();
	return whole(o, o != NULL && add_number(o, "p50", (double)l->p50_ns) &&
			    add_number(o, "p90", (double)l->p90_ns) && add_number(o, "p99", (double)l->p99_ns) &&
			    add_number(o, "max", (double)l->max_ns) &&
			    add(o, "counts", counts_json(l->counts, SNAPSHOT_LATENCY_BINS)));
}

static cJSON *baseline_json(const struct snapshot_predictions *p)
{
	cJSON *o = cJSON_CreateObject();
	return whole(o, o != NULL && add_string(o, "source", p->baseline_source) &&
			    add_number(o, "count", (double)p->baseline_count) &&
			    add(o, "counts", counts_json(p->baseline, p->bin_count)));
}

static cJSON *predictions_json(const struct snapshot_predictions *p)
{
	cJSON *o = cJSON_CreateObject();
	size_t edge_count = p->bin_count > 0 ? p->bin_count + 1 : 0;
	return whole(o, o != NULL && add(o, "edges", edges_json(p->edges, edge_count)) &&
			    add(o, "counts", counts_json(p->counts, p->bin_count)) &&
			    add_number(o, "below", (double)p->below) && add_number(o, "above", (double)p->above) &&
			    add_number(o, "nan", (double)p->nan) && add_number(o, "mean", p->mean) &&
			    add(o, "baseline", baseline_json(p)));
}

static bool add_stats(cJSON *o, const struct snapshot_stats *s)
{
	return add_number(o, "requests", (double)s->requests) && add_number(o, "refused", (double)s->refused) &&
	       add_number(o, "errors", (double)s->errors) && add_number(o, "rate_rps", s->rate_rps) &&
	       add(o, "latency_ns", latency_json(&s->latency));
}

static cJSON *version_stats_json(const struct snapshot_version_stats *v)
{
	cJSON *o = cJSON_CreateObject();
	return whole(o, o != NULL && add_id(o, "version", v->version) && add_stats(o, &v->stats) &&
			    add(o, "predictions", predictions_json(&v->predictions)) &&
			    add(o, "series_rps", series_json(v->series_rps)));
}

static cJSON *version_json(const struct snapshot_version *v)
{
	cJSON *o = cJSON_CreateObject();
	return whole(o, o != NULL && add_id(o, "version", v->version) && add_string(o, "engine", v->engine) &&
			    add_string(o, "format", v->format) && add_string(o, "sha256", v->sha256) &&
			    add_string(o, "state", v->state) && add_string(o, "note", v->note) &&
			    add_number(o, "size_bytes", (double)v->size_bytes) &&
			    add_number(o, "created_ms", (double)v->created_ms) &&
			    add_string(o, "created_by", v->created_by));
}

static cJSON *entry_json(const struct route_entry *entry)
{
	cJSON *o = cJSON_CreateObject();
	return whole(o, o != NULL && add_id(o, "version", entry->version) &&
			    add_string(o, "role", route_role_name(entry->role)) &&
			    add_number(o, "percent", entry->weight_bp / 100.0));
}

static cJSON *revision_json(const struct snapshot_revision *r)
{
	cJSON *o = cJSON_CreateObject();
	return whole(o, o != NULL && add_id(o, "revision", r->revision) && add_id(o, "based_on", r->based_on) &&
			    add_number(o, "at_ms", (double)r->at_ms) && add_string(o, "action", r->action) &&
			    add_string(o, "who", r->who) && add_string(o, "reason", r->reason) &&
			    add_string(o, "route", r->route));
}

static cJSON *model_json(const struct snapshot_model *m)
{
	cJSON *o = cJSON_CreateObject(), *route = NULL, *versions = NULL, *stats = NULL, *history = NULL;
	bool ok = o != NULL && add_string(o, "name", m->name) && add_id(o, "live", m->live) &&
		  add_id(o, "revision", m->revision);
	ok = ok && (route = cJSON_AddArrayToObject(o, "route")) != NULL;
	for (size_t i = 0; ok && i < m->route_count; i++)
		ok = append(route, entry_json(&m->route[i]));
	ok = ok && (versions = cJSON_AddArrayToObject(o, "versions")) != NULL;
	for (size_t i = 0; ok && i < m->version_count; i++)
		ok = append(versions, version_json(&m->versions[i]));
	ok = ok && add_number(o, "window_s", m->window_s) && add_stats(o, &m->stats);
	ok = ok && (stats = cJSON_AddArrayToObject(o, "per_version")) != NULL;
	for (size_t i = 0; ok && i < m->per_version_count; i++)
		ok = append(stats, version_stats_json(&m->per_version[i]));
	ok = ok && (history = cJSON_AddArrayToObject(o, "history")) != NULL;
	for (size_t i = 0; ok && i < m->history_count; i++)
		ok = append(history, revision_json(&m->history[i]));
	return whole(o, ok);
}

static cJSON *server_json(const struct snapshot_server *s)
{
	cJSON *o = cJSON_CreateObject();
	return whole(
	    o, o != NULL && add_string(o, "name", s->name) && add_string(o, "version", s->version) &&
		   add_number(o, "pid", (double)s->pid) && add_number(o, "now_ms", (double)s->now_ms) &&
		   add_number(o, "uptime_s", (double)s->uptime_s) && add_string(o, "listen", s->listen) &&
		   add_string(o, "state_directory", s->state_directory) &&
		   add(o, "draining", cJSON_CreateBool(s->draining)) && add_number(o, "window_s", s->window_s) &&
		   add_number(o, "requests", (double)s->requests) && add_number(o, "refused", (double)s->refused) &&
		   add_number(o, "errors", (double)s->errors) && add_number(o, "rate_rps", s->rate_rps) &&
		   add_number(o, "lost_samples", (double)s->lost_samples) &&
		   add_number(o, "jobs_running", s->jobs_running) && add_number(o, "jobs_queued", s->jobs_queued));
}

cJSON *snapshot_to_json(const struct snapshot *s)
{
	cJSON *o = cJSON_CreateObject(), *models = NULL, *jobs = NULL;
	bool ok = o != NULL && add(o, "server", server_json(&s->server)) &&
		  (models = cJSON_AddArrayToObject(o, "models")) != NULL;
	for (size_t i = 0; ok && i < s->model_count; i++)
		ok = append(models, model_json(&s->models[i]));
	ok = ok && (jobs = cJSON_AddArrayToObject(o, "jobs")) != NULL;
	for (size_t i = 0; ok && i < s->job_count; i++)
		ok = append(jobs, job_to_json(&s->jobs[i]));
	return whole(o, ok);
}
