/*
 * picture: fills a snapshot from the routing and the telemetry; SQLite is not asked.
 */
#include "runtime/server.h"

#include "core/clock.h"
#include "core/histogram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fill_version(struct snapshot_version *to, const struct served_version *from)
{
	to->version = from->version;
	snprintf(to->engine, sizeof to->engine, "%s", from->manifest.engine);
	snprintf(to->format, sizeof to->format, "%s", from->manifest.format);
	snprintf(to->sha256, sizeof to->sha256, "%s", from->manifest.sha256);
	struct err e = {0};
	snprintf(to->state, sizeof to->state, "%s", served_state_name(served_version_state(from, &e)));
	snprintf(to->note, sizeof to->note, "%.*s", (int)sizeof to->note - 1, e.text);
	snprintf(to->created_by, sizeof to->created_by, "%s", from->created_by);
	to->size_bytes = from->manifest.size_bytes;
	to->created_ms = from->created_ms;
}

static void add_stats(struct snapshot_stats *total, const struct snapshot_stats *one)
{
	total->requests += one->requests;
	total->refused += one->refused;
	total->errors += one->errors;
}

static enum route_role role_of(const struct served_model *m, const struct served_version *v)
{
	const struct route_entry *entry = route_find(&m->route, v->version);
	return entry == NULL ? ROUTE_ROLE_COUNT : entry->role;
}

/* A shadow shows what was copied to it beside its own few requests; no total has the copies. */
static void fill_shadow(struct snapshot_version_stats *stats, const struct served_version *v, int64_t now_s,
			uint32_t window_s)
{
	memset(stats, 0, sizeof *stats);
	telemetry_read_with_copies(v->telemetry, now_s, window_s, stats);
	telemetry_read_shadow(v->telemetry, &stats->shadow);
}

/* Statistics of the versions that served in the window or are in the route. */
static void fill_statistics(struct snapshot_model *to, const struct served_model *from, int64_t now_s,
			    uint32_t window_s)
{
	uint64_t latency[HISTOGRAM_BUCKETS] = {0};
	double longest_s = 0;
	for (size_t i = 0; i < from->version_count; i++) {
		struct snapshot_version_stats *stats = &to->per_version[to->per_version_count];
		memset(stats, 0, sizeof *stats);
		telemetry_read(from->versions[i]->telemetry, now_s, window_s, stats, latency);
		add_stats(&to->stats, &stats->stats);
		if (stats->stats.requests > 0)
			longest_s = fmax(longest_s, (double)stats->stats.requests / stats->stats.rate_rps);
		if (role_of(from, from->versions[i]) == ROUTE_SHADOW)
			fill_shadow(stats, from->versions[i], now_s, window_s);
		stats->version = from->versions[i]->version;
		if (stats->stats.requests > 0 || route_find(&from->route, stats->version) != NULL)
			to->per_version_count++;
	}
	/* Not the sum of rates over different times: what a canary has is what the live version had before. */
	to->stats.rate_rps = longest_s > 0 ? (double)to->stats.requests / longest_s : 0;
	telemetry_latency(latency, &to->stats.latency);
}

/* The model's rollout, when one is to be shown. */
static int fill_rollout(struct snapshot_model *to, struct server *s)
{
	struct rollout rollout;
	if (!rollouts_find(s->rollouts, to->name, &rollout))
		return 0;
	to->rollout = malloc(sizeof *to->rollout);
	if (to->rollout == NULL)
		return -1;
	*to->rollout = rollout;
	return 0;
}

static int fill_alerts(struct snapshot *picture, struct server *s)
{
	picture->alerts = calloc(SNAPSHOT_ALERTS_MAX, sizeof *picture->alerts);
	if (picture->alerts == NULL)
		return -1;
	picture->alert_count = alerts_list(s->alerts, picture->alerts, SNAPSHOT_ALERTS_MAX);
	picture->server.alerts_firing = (uint32_t)alerts_count(s->alerts, ALERT_FIRING, NULL);
	return 0;
}

static void fill_capture(struct snapshot_capture *to, const struct capture *from)
{
	struct capture_facts facts;

	capture_facts(from, &facts);
	*to = (struct snapshot_capture){facts.limit,   facts.rows,      facts.bytes,   facts.seen,
					facts.dropped, facts.too_large, facts.since_ms};
}

static int fill_model(struct snapshot_model *to, const struct served_model *from, int64_t now_s, uint32_t window_s)
{
	to->versions = calloc(from->version_count + 1, sizeof *to->versions);
	to->per_version = calloc(from->version_count + 1, sizeof *to->per_version);
	if (to->versions == NULL || to->per_version == NULL)
		return -1;
	memcpy(to->name, from->name, sizeof to->name);
	to->live = route_live(&from->route);
	to->revision = from->revision;
	to->route_count = from->route.entry_count;
	memcpy(to->route, from->route.entries, sizeof to->route);
	to->version_count = from->version_count;
	for (size_t i = 0; i < from->version_count; i++)
		fill_version(&to->versions[i], from->versions[i]);
	to->window_s = window_s;
	to->policy_set = from->policy_set;
	to->policy = from->policy;
	if (from->capture != NULL)
		fill_capture(&to->capture, from->capture);
	to->history_count = from->history_count;
	memcpy(to->history, from->history, sizeof to->history);
	fill_statistics(to, from, now_s, window_s);
	return 0;
}

static void fill_server(struct snapshot_server *to, struct server *s, uint32_t window_s)
{
	snprintf(to->name, sizeof to->name, "%s", s->name);
	snprintf(to->version, sizeof to->version, "%s", MLDECK_VERSION);
	snprintf(to->listen, sizeof to->listen, "%s", s->listen);
	snprintf(to->state_directory, sizeof to->state_directory, "%s", s->state);
	to->pid = getpid();
	to->now_ms = clock_unix_ms();
	to->uptime_s = (clock_ms() - s->started_ms) / 1000;
	to->draining = atomic_load(&s->draining);
	to->window_s = window_s;
	to->lost_samples = telemetry_lost();
}

static int fill_jobs(struct snapshot *picture, struct server *s)
{
	picture->jobs = calloc(SNAPSHOT_JOBS_MAX, sizeof *picture->jobs);
	if (picture->jobs == NULL)
		return -1;
	struct jobs_counts counts = jobs_list(s->jobs, picture->jobs, SNAPSHOT_JOBS_MAX, &picture->job_count);
	picture->server.jobs_running = counts.running;
	picture->server.jobs_queued = counts.queued;
	return 0;
}

struct snapshot *picture_take(struct server *s, const char *model, uint32_t window_s)
{
	struct snapshot *picture = snapshot_new();
	if (picture == NULL)
		return NULL;
	fill_server(&picture->server, s, window_s);
	/* Before the routing is entered: the jobs' mutex may wait for the disk. */
	bool complete = fill_jobs(picture, s) == 0 && fill_alerts(picture, s) == 0;

	int64_t now_s = clock_ms() / 1000;
	const struct routing *routing = router_enter(s->router);
	picture->models = calloc(routing->model_count + 1, sizeof *picture->models);
	complete = complete && picture->models != NULL;
	for (size_t i = 0; complete && i < routing->model_count; i++) {
		const struct served_model *m = routing->models[i];
		if (model != NULL && strcmp(model, m->name) != 0)
			continue;
		complete = fill_model(&picture->models[picture->model_count++], m, now_s, window_s) == 0;
	}
	router_leave(s->router);
	for (size_t i = 0; i < picture->model_count; i++) {
		complete = complete && fill_rollout(&picture->models[i], s) == 0;
		picture->server.requests += picture->models[i].stats.requests;
		picture->server.refused += picture->models[i].stats.refused;
		picture->server.errors += picture->models[i].stats.errors;
		picture->server.rate_rps += picture->models[i].stats.rate_rps;
	}
	if (!complete) {
		snapshot_free(picture);
		return NULL;
	}
	return picture;
}
