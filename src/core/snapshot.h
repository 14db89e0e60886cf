/*
 * snapshot: everything that a console or a script sees of a runtime at one moment, as plain values.
 *
 * Owner: whoever made it; constant afterwards, so threads may share it. The runtime fills one and sends it
 * as JSON; console and commands read it back: every view is a function of a snapshot and can be drawn, and
 * tested, from a JSON file.
 */
#ifndef CORE_SNAPSHOT_H
#define CORE_SNAPSHOT_H

#include "core/alert.h"
#include "core/baseline.h"
#include "core/err.h"
#include "core/job.h"
#include "core/policy.h"
#include "core/registry/registry.h"
#include "core/rollout.h"
#include "core/route.h"
#include "core/shadow.h"
#include "core/snapshot_experiment.h"
#include "core/snapshot_report.h"
#include "core/text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Latency charts: ten logarithmic bins a decade from 1 µs to 10 s; the first and last also hold what lies
 * beyond. Bin i spans [10^(3 + i/10), 10^(3 + (i+1)/10)) nanoseconds. */
#define SNAPSHOT_LATENCY_BINS 70
#define SNAPSHOT_SERIES 60 /* seconds of requests a second, oldest first */
#define SNAPSHOT_HISTORY 12
#define SNAPSHOT_WINDOW_MAX_S 300
#define SNAPSHOT_JOBS_MAX 20
#define SNAPSHOT_ALERTS_MAX 50
#define SNAPSHOT_AUDITS_MAX 200
#define SNAPSHOT_REVISIONS_MAX 200
#define SNAPSHOT_TESTS_MAX 200
#define SNAPSHOT_REPORTS_MAX 2

struct snapshot_latency {
	uint64_t p50_ns, p90_ns, p99_ns, max_ns; /* 0 when there were no requests */
	uint64_t counts[SNAPSHOT_LATENCY_BINS];
};

struct snapshot_predictions {
	uint32_t bin_count; /* 0: no baseline yet, so no bins */
	double edges[BASELINE_BINS_MAX + 1];
	uint64_t counts[BASELINE_BINS_MAX];
	uint64_t below, above, nan;
	double mean; /* of the window's finite predictions; NaN when there are none */
	char baseline_source[16];
	uint64_t baseline_count; /* with no baseline yet: live predictions gathered towards one */
	uint64_t baseline[BASELINE_BINS_MAX];
};

struct snapshot_stats {
	/* requests = answered + refused (the caller's fault) + errors (the version's) */
	uint64_t requests, refused, errors;
	double rate_rps;
	struct snapshot_latency latency; /* of the answered ones */
};

struct snapshot_version_stats {
	uint32_t version;
	struct snapshot_stats stats;
	struct snapshot_predictions predictions;
	struct shadow_stats shadow; /* of a shadow: against 0 until something was compared */
	uint32_t series_rps[SNAPSHOT_SERIES];
};

struct snapshot_version {
	uint32_t version;
	char engine[16];
	char format[32];
	char sha256[65];
	/* "ready"; or "loading", "failed", "away" or "unloaded" with the reason in note */
	char state[16];
	char note[REASON_SIZE];
	uint64_t size_bytes;
	int64_t created_ms;
	char created_by[WHO_SIZE];
};

struct snapshot_revision {
	uint32_t revision, based_on;
	int64_t at_ms;
	char action[16];
	char who[WHO_SIZE];
	char reason[REASON_SIZE];
	bool forced;     /* a gate was overridden */
	char route[128]; /* route_text() */
};

/* Rows of live requests that the runtime keeps for tests. */
struct snapshot_capture {
	uint64_t limit; /* 0: none */
	uint64_t rows, bytes, seen, dropped, too_large;
	int64_t since_ms; /* Unix: the window's begin */
};

struct snapshot_model {
	char name[TEXT_NAME_MAX + 1];
	uint32_t live, revision; /* 0: none */
	uint32_t route_count;
	struct route_entry route[ROUTE_ENTRIES_MAX];
	size_t version_count;
	struct snapshot_version *versions; /* ascending */
	uint32_t window_s;
	struct snapshot_stats stats;
	size_t per_version_count; /* versions that have served in the window or are in the route */
	struct snapshot_version_stats *per_version;
	struct rollout *rollout; /* the open one, else the latest if it ended less than an hour ago; NULL: none */
	bool policy_set;         /* somebody set one */
	struct policy policy;
	struct snapshot_capture capture;
	/* Only of the model that was asked for with `detail`: revisions, newest first. */
	size_t revision_count;
	struct snapshot_revision *revisions;
	size_t history_count; /* newest first, at most SNAPSHOT_HISTORY */
	struct snapshot_revision history[SNAPSHOT_HISTORY];
};

struct snapshot_server {
	char name[64]; /* host name, or --name */
	char version[16];
	int64_t pid;
	int64_t now_ms, uptime_s; /* the wall clock in Unix milliseconds */
	char listen[64];          /* "127.0.0.1:8080", the port in use */
	char state_directory[256];
	bool draining;
	uint32_t window_s;
	uint64_t requests, refused, errors; /* of all models, in the window */
	double rate_rps;
	uint64_t lost_samples;              /* telemetry that could not be kept, since the start */
	uint32_t alerts_firing;             /* all of them */
	uint32_t jobs_running, jobs_queued; /* all of them, also those that are not in the list */
};

struct snapshot {
	struct snapshot_server server;
	size_t model_count; /* sorted by name */
	struct snapshot_model *models;
	size_t alert_count; /* firing, acknowledged, then the latest resolved */
	struct alert *alerts;
	size_t audit_count; /* newest first; only when asked for with `audit` */
	struct audit_record *audits;
	size_t job_count; /* running, queued in their order, then the latest ended; at most SNAPSHOT_JOBS_MAX */
	struct job_record *jobs;
	size_t test_count; /* newest first; only when asked for with `tests` */
	struct test_result *tests;
	bool tests_known;    /* they were asked for */
	size_t report_count; /* at most SNAPSHOT_REPORTS_MAX; only when asked for with `test` and `with` */
	struct snapshot_report *reports;
	/* Running, then the latest ended; only when asked for with `experiments` or `experiment`, which gives one
	 * model's test of that name in full. */
	bool experiments_known;
	size_t experiment_count;
	struct snapshot_experiment *experiments;
};

/* An empty one; NULL when memory is out. */
struct snapshot *snapshot_new(void);
void snapshot_free(struct snapshot *s);
/* The model of that name, or NULL. */
const struct snapshot_model *snapshot_find(const struct snapshot *s, const char *name);
const struct job_record *snapshot_job(const struct snapshot *s, int64_t id); /* or NULL */
/* The test in full, also one that is missing; NULL when it was not asked for. */
const struct snapshot_report *snapshot_report(const struct snapshot *s, int64_t id);
/* The test of that model and name, or NULL. */
const struct snapshot_experiment *snapshot_experiment(const struct snapshot *s, const char *model, const char *name);
/* The statistics of a version, or NULL. */
const struct snapshot_version_stats *snapshot_stats_of(const struct snapshot_model *m, uint32_t version);
const struct snapshot_version *snapshot_version_of(const struct snapshot_model *m, uint32_t version);
/* 100 x errors / (requests - refused): the share of those that the version was to answer; 0 without any. */
double snapshot_error_percent(const struct snapshot_stats *stats);

cJSON *snapshot_to_json(const struct snapshot *s);
/* Unknown fields are ignored; missing or wrong ones that matter are ERR_INPUT with their name. All strings
 * are cleaned. */
int snapshot_from_json(const cJSON *json, struct snapshot **result, struct err *e);

#endif
