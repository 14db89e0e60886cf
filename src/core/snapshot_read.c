/* snapshot_read: a snapshot out of JSON, whoever wrote it: every type and every limit is checked. */
#include "core/snapshot_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODELS_MAX 100000

static void read_latency(struct reader *outer, struct snapshot_latency *l)
{
	struct reader r;
	if (!reader_enter(outer, &r, "latency_ns"))
		return;
	l->p50_ns = reader_count(&r, "p50");
	l->p90_ns = reader_count(&r, "p90");
	l->p99_ns = reader_count(&r, "p99");
	l->max_ns = reader_count(&r, "max");
	reader_counts(&r, "counts", l->counts, SNAPSHOT_LATENCY_BINS);
	outer->failed |= r.failed;
}

static void read_edges(struct reader *r, struct snapshot_predictions *p)
{
	size_t length, i = 0;
	const cJSON *list = reader_array(r, "edges", BASELINE_BINS_MAX + 1, &length), *item;
	cJSON_ArrayForEach(item, list)
	{
		double edge = cJSON_IsNumber(item) ? item->valuedouble : NAN;
		if (!isfinite(edge) || (i > 0 && edge <= p->edges[i - 1])) {
			reader_fail(r, "edges", "an ascending array of numbers");
			return;
		}
		p->edges[i++] = edge;
	}
	p->bin_count = length > 1 ? (uint32_t)length - 1 : 0;
}

static void read_predictions(struct reader *outer, struct snapshot_predictions *p)
{
	struct reader r, baseline;
	p->mean = NAN;
	if (!reader_enter(outer, &r, "predictions"))
		return;
	read_edges(&r, p);
	reader_counts(&r, "counts", p->counts, p->bin_count);
	p->below = reader_count(&r, "below");
	p->above = reader_count(&r, "above");
	p->nan = reader_count(&r, "nan");
	p->mean = reader_number(&r, "mean", NAN);
	if (reader_enter(&r, &baseline, "baseline")) {
		reader_string(&baseline, "source", p->baseline_source, sizeof(p->baseline_source));
		p->baseline_count = reader_count(&baseline, "count");
		reader_counts(&baseline, "counts", p->baseline, p->bin_count);
		r.failed |= baseline.failed;
	}
	outer->failed |= r.failed;
}

static void read_stats(struct reader *r, struct snapshot_stats *s)
{
	s->requests = reader_count(r, "requests");
	s->refused = reader_count(r, "refused");
	s->errors = reader_count(r, "errors");
	s->rate_rps = reader_number(r, "rate_rps", 0);
	read_latency(r, &s->latency);
}

static void read_version_stats(struct reader *r, struct snapshot_version_stats *v)
{
	uint64_t series[SNAPSHOT_SERIES] = {0};
	v->version = reader_count32(r, "version");
	read_stats(r, &v->stats);
	read_predictions(r, &v->predictions);
	reader_shadow(r, &v->shadow);
	reader_counts(r, "series_rps", series, SNAPSHOT_SERIES);
	for (size_t i = 0; i < SNAPSHOT_SERIES; i++)
		v->series_rps[i] = series[i] > UINT32_MAX ? UINT32_MAX : (uint32_t)series[i];
}

static void read_version(struct reader *r, struct snapshot_version *v)
{
	v->version = reader_count32(r, "version");
	reader_string(r, "engine", v->engine, sizeof(v->engine));
	reader_string(r, "format", v->format, sizeof(v->format));
	reader_string(r, "sha256", v->sha256, sizeof(v->sha256));
	reader_string(r, "state", v->state, sizeof(v->state));
	reader_string(r, "note", v->note, sizeof(v->note));
	v->size_bytes = reader_count(r, "size_bytes");
	v->created_ms = (int64_t)reader_count(r, "created_ms");
	reader_string(r, "created_by", v->created_by, sizeof(v->created_by));
}

static void read_entry(struct reader *r, struct route_entry *entry)
{
	char role[16];
	entry->version = reader_count32(r, "version");
	double percent = reader_number(r, "percent", 0);
	if (percent < 0 || percent > 100) {
		reader_fail(r, "percent", "between 0 and 100");
		percent = 0;
	}
	entry->weight_bp = (uint32_t)lround(percent * 100);
	reader_string(r, "role", role, sizeof(role));
	for (int i = 0; i < ROUTE_ROLE_COUNT; i++) {
		if (strcmp(role, route_role_name((enum route_role)i)) == 0) {
			entry->role = (enum route_role)i;
			return;
		}
	}
	reader_fail(r, "role", "live, canary or shadow");
}

static void read_route(struct reader *outer, struct snapshot_model *m)
{
	size_t length;
	const cJSON *list = reader_array(outer, "route", ROUTE_ENTRIES_MAX, &length), *item;
	struct reader r;
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "route", item, &r))
			return;
		read_entry(&r, &m->route[m->route_count++]);
		outer->failed |= r.failed;
	}
}

static void read_history(struct reader *outer, struct snapshot_model *m)
{
	size_t length;
	const cJSON *list = reader_array(outer, "history", SNAPSHOT_HISTORY, &length), *item;
	struct reader r;
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "history", item, &r))
			return;
		reader_revision(&r, &m->history[m->history_count++]);
		outer->failed |= r.failed;
	}
}

static void read_versions(struct reader *outer, struct snapshot_model *m)
{
	size_t length;
	const cJSON *list = reader_array(outer, "versions", VERSIONS_MAX, &length), *item;
	struct reader r;
	m->versions = calloc(length + 1, sizeof(m->versions[0]));
	if (m->versions == NULL) {
		reader_no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "versions", item, &r))
			return;
		read_version(&r, &m->versions[m->version_count++]);
		outer->failed |= r.failed;
	}
}

static void read_per_version(struct reader *outer, struct snapshot_model *m)
{
	size_t length;
	const cJSON *list = reader_array(outer, "per_version", VERSIONS_MAX, &length), *item;
	struct reader r;
	m->per_version = calloc(length + 1, sizeof(m->per_version[0]));
	if (m->per_version == NULL) {
		reader_no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "per_version", item, &r))
			return;
		read_version_stats(&r, &m->per_version[m->per_version_count++]);
		outer->failed |= r.failed;
	}
}

static void read_model(struct reader *r, struct snapshot_model *m)
{
	reader_string(r, "name", m->name, sizeof(m->name));
	if (!text_name_valid(m->name))
		reader_fail(r, "name", "a model's name");
	m->live = reader_count32(r, "live");
	m->revision = reader_count32(r, "revision");
	m->window_s = reader_count32(r, "window_s");
	read_stats(r, &m->stats);
	read_route(r, m);
	read_versions(r, m);
	read_per_version(r, m);
	read_history(r, m);
	reader_control(r, m);
}

static void read_server(struct reader *r, struct snapshot_server *s)
{
	reader_string(r, "name", s->name, sizeof(s->name));
	reader_string(r, "version", s->version, sizeof(s->version));
	s->pid = (int64_t)reader_count(r, "pid");
	s->now_ms = (int64_t)reader_count(r, "now_ms");
	s->uptime_s = (int64_t)reader_count(r, "uptime_s");
	reader_string(r, "listen", s->listen, sizeof(s->listen));
	reader_string(r, "state_directory", s->state_directory, sizeof(s->state_directory));
	s->draining = reader_bool(r, "draining");
	s->window_s = reader_count32(r, "window_s");
	s->requests = reader_count(r, "requests");
	s->refused = reader_count(r, "refused");
	s->errors = reader_count(r, "errors");
	s->rate_rps = reader_number(r, "rate_rps", 0);
	s->lost_samples = reader_count(r, "lost_samples");
	s->alerts_firing = reader_count32(r, "alerts_firing");
	s->jobs_running = reader_count32(r, "jobs_running");
	s->jobs_queued = reader_count32(r, "jobs_queued");
}

static int compare_models(const void *a, const void *b)
{
	return strcmp(((const struct snapshot_model *)a)->name, ((const struct snapshot_model *)b)->name);
}

static void read_models(struct reader *outer, struct snapshot *s)
{
	size_t length;
	const cJSON *list = reader_array(outer, "models", MODELS_MAX, &length), *item;
	struct reader r;
	if (list == NULL) {
		reader_fail(outer, "models", "an array");
		return;
	}
	s->models = calloc(length + 1, sizeof(s->models[0]));
	if (s->models == NULL) {
		reader_no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (outer->failed || !reader_element(outer, "models", item, &r))
			return;
		read_model(&r, &s->models[s->model_count++]);
		outer->failed |= r.failed;
	}
	/* snapshot_find() searches by name; a runtime sends them sorted, a file made by hand may
	 * not. */
	if (s->model_count > 1)
		qsort(s->models, s->model_count, sizeof(s->models[0]), compare_models);
}

/* A runtime of before there were jobs sends none. */
static void read_jobs(struct reader *r, struct snapshot *s)
{
	size_t length;
	const cJSON *list = reader_array(r, "jobs", SNAPSHOT_JOBS_MAX, &length), *item;
	struct err e;
	s->jobs = length > 0 ? calloc(length, sizeof(s->jobs[0])) : NULL;
	if (length > 0 && s->jobs == NULL) {
		reader_no_memory(r);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (r->failed)
			return;
		if (job_from_json(item, &s->jobs[s->job_count++], &e) != 0) {
			reader_wrong(r, "jobs", &e);
		}
	}
}

static void read_experiments(struct reader *r, struct snapshot *s)
{
	size_t length;
	const cJSON *list = reader_array(r, "experiments", SNAPSHOT_EXPERIMENTS_MAX, &length), *item;
	struct err e;
	s->experiments_known = list != NULL;
	s->experiments = length > 0 ? calloc(length, sizeof(s->experiments[0])) : NULL;
	if (length > 0 && s->experiments == NULL) {
		reader_no_memory(r);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (r->failed)
			return;
		if (snapshot_experiment_from_json(item, &s->experiments[s->experiment_count++], &e) != 0)
			reader_wrong(r, "experiments", &e);
	}
}

int snapshot_from_json(const cJSON *json, struct snapshot **result, struct err *e)
{
	*result = NULL;
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "the snapshot is not a JSON object");
	struct snapshot *s = snapshot_new();
	struct reader r = {json, "", e, false}, server;
	if (s == NULL)
		return err_set(e, ERR_MEMORY, "no memory is left for the snapshot");
	if (reader_enter(&r, &server, "server")) {
		read_server(&server, &s->server);
		r.failed |= server.failed;
	} else {
		reader_fail(&r, "server", "an object");
	}
	read_models(&r, s);
	reader_alerts(&r, s);
	reader_audits(&r, s);
	reader_tests(&r, s);
	read_experiments(&r, s);
	read_jobs(&r, s);
	if (r.failed) {
		snapshot_free(s);
		return -1;
	}
	*result = s;
	return 0;
}
