/* snapshot_read: a snapshot out of JSON, whoever wrote it: every type and every limit is checked.
 */
#include "core/snapshot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where doubles stop being exact integers. */
#define NUMBER_MAX 9007199254740992.0
#define MODELS_MAX 100000

/* The object that is read, and the path to it for messages; the first fault is kept. */
struct reader {
	const cJSON *object;
	const char *path;
	struct err *e;
	bool failed;
};

static void fail(struct reader *r, const char *key, const char *want)
{
	if (!r->failed)
		err_set(r->e, ERR_INPUT, "the snapshot's field \"%s%s%s\" is not %s", r->path,
			r->path[0] != '\0' ? "." : "", key, want);
	r->failed = true;
}

/* NULL when it is absent or null. */
static const cJSON *get(struct reader *r, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->object, key);
	return item == NULL || cJSON_IsNull(item) ? NULL : item;
}

static double number(struct reader *r, const char *key, double otherwise)
{
	const cJSON *item = get(r, key);
	if (item == NULL)
		return otherwise;
	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble)) {
		fail(r, key, "a finite number");
		return otherwise;
	}
	return item->valuedouble;
}

static uint64_t whole_up_to(struct reader *r, const char *key, double limit)
{
	double value = number(r, key, 0);
	if (value < 0 || value > limit || value != floor(value)) {
		fail(r, key, "a whole number in its range");
		return 0;
	}
	return (uint64_t)value;
}

static uint64_t count(struct reader *r, const char *key)
{
	return whole_up_to(r, key, NUMBER_MAX);
}

static uint32_t count32(struct reader *r, const char *key)
{
	return (uint32_t)whole_up_to(r, key, UINT32_MAX);
}

static void string(struct reader *r, const char *key, char *text, size_t size)
{
	const cJSON *item = get(r, key);
	text[0] = '\0';
	if (item == NULL)
		return;
	if (!cJSON_IsString(item))
		fail(r, key, "a string");
	else
		text_clean(text, size, item->valuestring);
}

/* The array of that name with its length in *length; NULL, and 0, when it is absent or wrong. */
static const cJSON *array(struct reader *r, const char *key, size_t max, size_t *length)
{
	const cJSON *item = get(r, key);
	*length = 0;
	if (item == NULL)
		return NULL;
	if (!cJSON_IsArray(item)) {
		fail(r, key, "an array");
		return NULL;
	}
	size_t size = (size_t)cJSON_GetArraySize(item);
	if (size > max) {
		fail(r, key, "an array of at most the length that is allowed");
		return NULL;
	}
	*length = size;
	return item;
}

static size_t counts(struct reader *r, const char *key, uint64_t *values, size_t max)
{
	size_t length, i = 0;
	const cJSON *list = array(r, key, max, &length), *item;
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsNumber(item) ||
		    !(item->valuedouble >= 0 && item->valuedouble <= NUMBER_MAX)) {
			fail(r, key, "an array of counts");
			return 0;
		}
		values[i++] = (uint64_t)item->valuedouble;
	}
	return length;
}

static bool enter(struct reader *r, struct reader *inner, const char *key)
{
	const cJSON *item = get(r, key);
	*inner = (struct reader){item, key, r->e, r->failed};
	if (item != NULL && !cJSON_IsObject(item))
		fail(r, key, "an object");
	return item != NULL && cJSON_IsObject(item);
}

static void read_latency(struct reader *outer, struct snapshot_latency *l)
{
	struct reader r;
	if (!enter(outer, &r, "latency_ns"))
		return;
	l->p50_ns = count(&r, "p50");
	l->p90_ns = count(&r, "p90");
	l->p99_ns = count(&r, "p99");
	l->max_ns = count(&r, "max");
	counts(&r, "counts", l->counts, SNAPSHOT_LATENCY_BINS);
	outer->failed |= r.failed;
}

static void read_edges(struct reader *r, struct snapshot_predictions *p)
{
	size_t length, i = 0;
	const cJSON *list = array(r, "edges", BASELINE_BINS_MAX + 1, &length), *item;
	cJSON_ArrayForEach(item, list)
	{
		double edge = cJSON_IsNumber(item) ? item->valuedouble : NAN;
		if (!isfinite(edge) || (i > 0 && edge <= p->edges[i - 1])) {
			fail(r, "edges", "an ascending array of numbers");
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
	if (!enter(outer, &r, "predictions"))
		return;
	read_edges(&r, p);
	counts(&r, "counts", p->counts, p->bin_count);
	p->below = count(&r, "below");
	p->above = count(&r, "above");
	p->nan = count(&r, "nan");
	p->mean = number(&r, "mean", NAN);
	if (enter(&r, &baseline, "baseline")) {
		string(&baseline, "source", p->baseline_source, sizeof(p->baseline_source));
		p->baseline_count = count(&baseline, "count");
		counts(&baseline, "counts", p->baseline, p->bin_count);
		r.failed |= baseline.failed;
	}
	outer->failed |= r.failed;
}

static void read_stats(struct reader *r, struct snapshot_stats *s)
{
	s->requests = count(r, "requests");
	s->refused = count(r, "refused");
	s->errors = count(r, "errors");
	s->rate_rps = number(r, "rate_rps", 0);
	read_latency(r, &s->latency);
}

static void read_version_stats(struct reader *r, struct snapshot_version_stats *v)
{
	uint64_t series[SNAPSHOT_SERIES] = {0};
	v->version = count32(r, "version");
	read_stats(r, &v->stats);
	read_predictions(r, &v->predictions);
	counts(r, "series_rps", series, SNAPSHOT_SERIES);
	for (size_t i = 0; i < SNAPSHOT_SERIES; i++)
		v->series_rps[i] = series[i] > UINT32_MAX ? UINT32_MAX : (uint32_t)series[i];
}

static void read_version(struct reader *r, struct snapshot_version *v)
{
	v->version = count32(r, "version");
	string(r, "engine", v->engine, sizeof(v->engine));
	string(r, "format", v->format, sizeof(v->format));
	string(r, "sha256", v->sha256, sizeof(v->sha256));
	string(r, "state", v->state, sizeof(v->state));
	string(r, "note", v->note, sizeof(v->note));
	v->size_bytes = count(r, "size_bytes");
	v->created_ms = (int64_t)count(r, "created_ms");
	string(r, "created_by", v->created_by, sizeof(v->created_by));
}

static void read_entry(struct reader *r, struct route_entry *entry)
{
	char role[16];
	entry->version = count32(r, "version");
	double percent = number(r, "percent", 0);
	if (percent < 0 || percent > 100) {
		fail(r, "percent", "between 0 and 100");
		percent = 0;
	}
	entry->weight_bp = (uint32_t)lround(percent * 100);
	string(r, "role", role, sizeof(role));
	for (int i = 0; i < ROUTE_ROLE_COUNT; i++) {
		if (strcmp(role, route_role_name((enum route_role)i)) == 0) {
			entry->role = (enum route_role)i;
			return;
		}
	}
	fail(r, "role", "live, canary or shadow");
}

static void read_revision(struct reader *r, struct snapshot_revision *v)
{
	v->revision = count32(r, "revision");
	v->based_on = count32(r, "based_on");
	v->at_ms = (int64_t)count(r, "at_ms");
	string(r, "action", v->action, sizeof(v->action));
	string(r, "who", v->who, sizeof(v->who));
	string(r, "reason", v->reason, sizeof(v->reason));
	string(r, "route", v->route, sizeof(v->route));
}

/* Starts the reading of one element of an array of objects. */
static bool element(struct reader *outer, const char *key, const cJSON *item, struct reader *r)
{
	*r = (struct reader){item, key, outer->e, outer->failed};
	if (cJSON_IsObject(item))
		return true;
	fail(outer, key, "an array of objects");
	return false;
}

static void read_route(struct reader *outer, struct snapshot_model *m)
{
	size_t length;
	const cJSON *list = array(outer, "route", ROUTE_ENTRIES_MAX, &length), *item;
	struct reader r;
	cJSON_ArrayForEach(item, list)
	{
		if (!element(outer, "route", item, &r))
			return;
		read_entry(&r, &m->route[m->route_count++]);
		outer->failed |= r.failed;
	}
}

static void read_history(struct reader *outer, struct snapshot_model *m)
{
	size_t length;
	const cJSON *list = array(outer, "history", SNAPSHOT_HISTORY, &length), *item;
	struct reader r;
	cJSON_ArrayForEach(item, list)
	{
		if (!element(outer, "history", item, &r))
			return;
		read_revision(&r, &m->history[m->history_count++]);
		outer->failed |= r.failed;
	}
}

static void no_memory(struct reader *r)
{
	if (!r->failed)
		err_set(r->e, ERR_MEMORY, "no memory is left for the snapshot");
	r->failed = true;
}

static void read_versions(struct reader *outer, struct snapshot_model *m)
{
	size_t length;
	const cJSON *list = array(outer, "versions", VERSIONS_MAX, &length), *item;
	struct reader r;
	m->versions = calloc(length + 1, sizeof(m->versions[0]));
	if (m->versions == NULL) {
		no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!element(outer, "versions", item, &r))
			return;
		read_version(&r, &m->versions[m->version_count++]);
		outer->failed |= r.failed;
	}
}

static void read_per_version(struct reader *outer, struct snapshot_model *m)
{
	size_t length;
	const cJSON *list = array(outer, "per_version", VERSIONS_MAX, &length), *item;
	struct reader r;
	m->per_version = calloc(length + 1, sizeof(m->per_version[0]));
	if (m->per_version == NULL) {
		no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!element(outer, "per_version", item, &r))
			return;
		read_version_stats(&r, &m->per_version[m->per_version_count++]);
		outer->failed |= r.failed;
	}
}

static void read_model(struct reader *r, struct snapshot_model *m)
{
	string(r, "name", m->name, sizeof(m->name));
	if (!text_name_valid(m->name))
		fail(r, "name", "a model's name");
	m->live = count32(r, "live");
	m->revision = count32(r, "revision");
	m->window_s = count32(r, "window_s");
	read_stats(r, &m->stats);
	read_route(r, m);
	read_versions(r, m);
	read_per_version(r, m);
	read_history(r, m);
}

static void read_server(struct reader *r, struct snapshot_server *s)
{
	string(r, "name", s->name, sizeof(s->name));
	string(r, "version", s->version, sizeof(s->version));
	s->pid = (int64_t)count(r, "pid");
	s->now_ms = (int64_t)count(r, "now_ms");
	s->uptime_s = (int64_t)count(r, "uptime_s");
	string(r, "listen", s->listen, sizeof(s->listen));
	string(r, "state_directory", s->state_directory, sizeof(s->state_directory));
	const cJSON *draining = get(r, "draining");
	if (draining != NULL && !cJSON_IsBool(draining))
		fail(r, "draining", "true or false");
	s->draining = cJSON_IsTrue(draining);
	s->window_s = count32(r, "window_s");
	s->requests = count(r, "requests");
	s->refused = count(r, "refused");
	s->errors = count(r, "errors");
	s->rate_rps = number(r, "rate_rps", 0);
	s->lost_samples = count(r, "lost_samples");
}

static int compare_models(const void *a, const void *b)
{
	return strcmp(((const struct snapshot_model *)a)->name,
		      ((const struct snapshot_model *)b)->name);
}

static void read_models(struct reader *outer, struct snapshot *s)
{
	size_t length;
	const cJSON *list = array(outer, "models", MODELS_MAX, &length), *item;
	struct reader r;
	if (list == NULL) {
		fail(outer, "models", "an array");
		return;
	}
	s->models = calloc(length + 1, sizeof(s->models[0]));
	if (s->models == NULL) {
		no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (outer->failed || !element(outer, "models", item, &r))
			return;
		read_model(&r, &s->models[s->model_count++]);
		outer->failed |= r.failed;
	}
	/* snapshot_find() searches by name; a runtime sends them sorted, a file made by hand may
	 * not. */
	if (s->model_count > 1)
		qsort(s->models, s->model_count, sizeof(s->models[0]), compare_models);
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
	if (enter(&r, &server, "server")) {
		read_server(&server, &s->server);
		r.failed |= server.failed;
	} else {
		fail(&r, "server", "an object");
	}
	read_models(&r, s);
	if (r.failed) {
		snapshot_free(s);
		return -1;
	}
	*result = s;
	return 0;
}
