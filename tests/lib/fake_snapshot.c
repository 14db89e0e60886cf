/* fake_snapshot: what the fake runtime says of itself. */
#include "lib/fake_runtime_internal.h"

#include <stdio.h>
#include <string.h>

static void latency_add(cJSON *object)
{
	cJSON *latency = cJSON_AddObjectToObject(object, "latency_ns");
	cJSON *counts = cJSON_AddArrayToObject(latency, "counts");

	for (int i = 0; i < 70; i++)
		cJSON_AddItemToArray(counts, cJSON_CreateNumber(i > 14 && i < 22 ? 100 : 0));
	cJSON_AddNumberToObject(latency, "p50", 38000);
	cJSON_AddNumberToObject(latency, "p90", 60000);
	cJSON_AddNumberToObject(latency, "p99", 92000);
	cJSON_AddNumberToObject(latency, "max", 120000);
}

static void stats_add(cJSON *object, double requests)
{
	cJSON_AddNumberToObject(object, "requests", requests);
	cJSON_AddNumberToObject(object, "errors", 0);
	cJSON_AddNumberToObject(object, "rate_rps", requests / 60);
	latency_add(object);
}

static void version_add(cJSON *versions, int number)
{
	cJSON *v = cJSON_CreateObject();

	cJSON_AddNumberToObject(v, "version", number);
	cJSON_AddStringToObject(v, "engine", "forest");
	cJSON_AddStringToObject(v, "format", "lightgbm");
	cJSON_AddStringToObject(v, "sha256", "00");
	cJSON_AddStringToObject(v, "state", "ready");
	cJSON_AddStringToObject(v, "note", "");
	cJSON_AddNumberToObject(v, "size_bytes", 1000);
	cJSON_AddNumberToObject(v, "created_ms", 1700000000000.0);
	cJSON_AddStringToObject(v, "created_by", "tester");
	cJSON_AddItemToArray(versions, v);
}

static void traffic_add(cJSON *model, int live)
{
	cJSON *per_version = cJSON_AddArrayToObject(model, "per_version");
	cJSON *v = cJSON_CreateObject();
	cJSON *predictions = cJSON_AddObjectToObject(v, "predictions");
	cJSON *series = cJSON_AddArrayToObject(v, "series_rps");

	cJSON_AddNumberToObject(v, "version", live);
	stats_add(v, 6000);
	cJSON_AddArrayToObject(predictions, "edges");
	cJSON_AddArrayToObject(predictions, "counts");
	cJSON_AddNumberToObject(predictions, "below", 0);
	cJSON_AddNumberToObject(predictions, "above", 0);
	cJSON_AddNumberToObject(predictions, "nan", 0);
	for (int i = 0; i < 60; i++)
		cJSON_AddItemToArray(series, cJSON_CreateNumber(100));
	cJSON_AddItemToArray(per_version, v);
}

static void history_add(cJSON *model, int revision, int live)
{
	cJSON *history = cJSON_AddArrayToObject(model, "history");

	for (int i = 0; i < 2; i++) {
		cJSON *r = cJSON_CreateObject();
		char route[32];

		snprintf(route, sizeof(route), "v%d 100%%", live);
		cJSON_AddNumberToObject(r, "revision", revision - i);
		cJSON_AddNumberToObject(r, "based_on", revision - i - 1);
		cJSON_AddNumberToObject(r, "at_ms", 1700000000000.0);
		cJSON_AddStringToObject(r, "action", "promote");
		cJSON_AddStringToObject(r, "who", "grace");
		cJSON_AddStringToObject(r, "reason", "a test");
		cJSON_AddStringToObject(r, "route", route);
		cJSON_AddStringToObject(r, "text", route);
		cJSON_AddItemToArray(history, r);
	}
}

static void entry_add(cJSON *list, int version, const char *role, int weight_bp)
{
	cJSON *entry = cJSON_CreateObject();

	cJSON_AddNumberToObject(entry, "version", version);
	cJSON_AddStringToObject(entry, "role", role);
	cJSON_AddNumberToObject(entry, "percent", weight_bp / 100.0);
	cJSON_AddItemToArray(list, entry);
}

static cJSON *model_add(cJSON *models, const char *name, int versions, int live, int revision)
{
	cJSON *m = cJSON_CreateObject(), *list;

	cJSON_AddStringToObject(m, "name", name);
	cJSON_AddNumberToObject(m, "live", live);
	cJSON_AddNumberToObject(m, "revision", revision);
	list = cJSON_AddArrayToObject(m, "versions");
	for (int i = 1; i <= versions; i++)
		version_add(list, i);
	cJSON_AddNumberToObject(m, "window_s", 60);
	stats_add(m, 6000);
	traffic_add(m, live);
	history_add(m, revision, live);
	cJSON_AddItemToArray(models, m);
	return m;
}

void fake_finding_add(cJSON *list, const char *name, const char *verdict, bool forced, const char *text)
{
	cJSON *finding = cJSON_CreateObject();

	cJSON_AddStringToObject(finding, "name", name);
	cJSON_AddStringToObject(finding, "verdict", verdict);
	cJSON_AddBoolToObject(finding, "forced", forced);
	cJSON_AddNumberToObject(finding, "value", 2.1);
	cJSON_AddNumberToObject(finding, "threshold", 0.5);
	cJSON_AddStringToObject(finding, "unit", "%");
	cJSON_AddNumberToObject(finding, "n", 1000);
	cJSON_AddNumberToObject(finding, "n_needed", 200);
	cJSON_AddStringToObject(finding, "text", text);
	cJSON_AddItemToArray(list, finding);
}

/* A rollout of v3 instead of v1: 1%, 25%, all of it. */
cJSON *fake_rollout(const struct fake_runtime *f)
{
	static const int shares[] = {100, 2500, 10000};
	cJSON *r = cJSON_CreateObject(), *steps = cJSON_AddArrayToObject(r, "steps");

	for (int i = 0; i < 3; i++) {
		cJSON *step = cJSON_CreateObject();

		cJSON_AddNumberToObject(step, "weight_bp", shares[i]);
		cJSON_AddNumberToObject(step, "hold_ms", i < 2 ? 300000 : 0);
		cJSON_AddItemToArray(steps, step);
	}
	cJSON_AddStringToObject(r, "model", "flight-delay");
	cJSON_AddStringToObject(r, "state", f->rollout);
	cJSON_AddNumberToObject(r, "id", 1);
	cJSON_AddNumberToObject(r, "version", 3);
	cJSON_AddNumberToObject(r, "from", 1);
	cJSON_AddNumberToObject(r, "step", f->rollout_step);
	cJSON_AddNumberToObject(r, "held_ms", 48000);
	cJSON_AddNumberToObject(r, "first_revision", 3);
	cJSON_AddNumberToObject(r, "revision", f->revision);
	cJSON_AddNumberToObject(r, "started_ms", NOW_MS - 60000);
	cJSON_AddNumberToObject(r, "changed_ms", NOW_MS - 48000);
	cJSON_AddNumberToObject(r, "ended_ms", strcmp(f->rollout, "aborted") == 0 ? NOW_MS : 0);
	cJSON_AddNumberToObject(r, "uid", 1000);
	cJSON_AddStringToObject(r, "who", "grace");
	cJSON_AddStringToObject(r, "reason", "a test");
	cJSON_AddStringToObject(r, "note", "");
	cJSON_AddObjectToObject(r, "thresholds");
	fake_finding_add(cJSON_AddArrayToObject(r, "findings"), "error_rate", "pass", false, "v3 answers as v1 does");
	return r;
}

static void alert_add(const struct fake_runtime *f, cJSON *list)
{
	cJSON *alert = cJSON_CreateObject();

	cJSON_AddNumberToObject(alert, "id", 7);
	cJSON_AddStringToObject(alert, "rule", "rollout");
	cJSON_AddStringToObject(alert, "model", "churn");
	cJSON_AddNumberToObject(alert, "version", 1);
	cJSON_AddStringToObject(alert, "state", f->note[0] ? "acknowledged" : "firing");
	cJSON_AddNumberToObject(alert, "since_ms", NOW_MS - 600000);
	cJSON_AddStringToObject(alert, "text", "the rollout went back by itself");
	cJSON_AddItemToArray(list, alert);
}

static void audit_add(cJSON *list, int id, const char *who, const char *outcome)
{
	cJSON *record = cJSON_CreateObject();

	cJSON_AddNumberToObject(record, "id", id);
	cJSON_AddNumberToObject(record, "at_ms", NOW_MS - 1000.0 * id);
	cJSON_AddStringToObject(record, "who", who);
	cJSON_AddStringToObject(record, "action", "promote");
	cJSON_AddStringToObject(record, "model", "flight-delay");
	cJSON_AddStringToObject(record, "outcome", outcome);
	cJSON_AddItemToArray(list, record);
}

static void route_add(const struct fake_runtime *f, cJSON *list)
{
	for (int i = 1; i <= FAKE_VERSIONS; i++) {
		if (f->shares[i])
			entry_add(list, i, i == f->live ? "live" : "canary", f->shares[i]);
		if (f->shadows[i])
			entry_add(list, i, "shadow", f->shadows[i]);
	}
}

static int jobs_in(const struct fake_runtime *f, const char *state)
{
	int count = 0;

	for (int i = 0; i < f->job_count; i++)
		count += strcmp(f->jobs[i].state, state) == 0;
	return count;
}

/* Running ones first, as a runtime does. */
static void jobs_add(const struct fake_runtime *f, cJSON *list)
{
	for (int pass = 0; pass < 2; pass++)
		for (int i = f->job_count - 1; i >= 0; i--) {
			const struct fake_job *job = &f->jobs[i];
			bool running = strcmp(job->state, "running") == 0;
			cJSON *item;

			if (running != (pass == 0))
				continue;
			item = cJSON_CreateObject();
			cJSON_AddNumberToObject(item, "id", i + 1);
			cJSON_AddStringToObject(item, "kind", job->kind);
			cJSON_AddStringToObject(item, "model", "flight-delay");
			cJSON_AddNumberToObject(item, "version", job->version);
			cJSON_AddStringToObject(item, "title", "rows.csv to somewhere.csv");
			cJSON_AddStringToObject(item, "command", "mldeck predict flight-delay --input rows.csv");
			cJSON_AddStringToObject(item, "who", "grace");
			cJSON_AddStringToObject(item, "state", job->state);
			cJSON_AddNumberToObject(item, "started_ms", 1700000000000.0 - 60000);
			cJSON_AddNumberToObject(item, "ended_ms", running ? 0 : 1700000000000.0);
			cJSON_AddItemToArray(list, item);
		}
}

static void flight_delay_add(const struct fake_runtime *f, cJSON *models)
{
	cJSON *m = model_add(models, "flight-delay", FAKE_VERSIONS, f->live, f->revision), *policy;

	route_add(f, cJSON_AddArrayToObject(m, "route"));
	if (f->rollout[0])
		cJSON_AddItemToObject(m, "rollout", fake_rollout(f));
	cJSON_AddBoolToObject(m, "policy_set", f->policy_number > 0);
	if (f->policy_number > 0) {
		policy = cJSON_AddObjectToObject(m, "policy");
		cJSON_AddStringToObject(policy, f->setting, f->value);
	}
}

cJSON *fake_snapshot(const struct fake_runtime *f)
{
	cJSON *json = cJSON_CreateObject(), *server = cJSON_AddObjectToObject(json, "server");
	cJSON *models = cJSON_AddArrayToObject(json, "models"), *audits;

	cJSON_AddStringToObject(server, "name", "testhost");
	cJSON_AddStringToObject(server, "version", "0.1.0");
	cJSON_AddNumberToObject(server, "pid", 1);
	cJSON_AddNumberToObject(server, "now_ms", 1700000000000.0);
	cJSON_AddNumberToObject(server, "uptime_s", 3600);
	cJSON_AddStringToObject(server, "listen", "127.0.0.1:8080");
	cJSON_AddStringToObject(server, "state_directory", "/state");
	cJSON_AddBoolToObject(server, "draining", false);
	cJSON_AddNumberToObject(server, "window_s", 60);
	cJSON_AddNumberToObject(server, "requests", 12000);
	cJSON_AddNumberToObject(server, "errors", 0);
	cJSON_AddNumberToObject(server, "rate_rps", 200);
	cJSON_AddNumberToObject(server, "lost_samples", 0);
	cJSON_AddNumberToObject(server, "jobs_running", jobs_in(f, "running"));
	jobs_add(f, cJSON_AddArrayToObject(json, "jobs"));
	cJSON_AddNumberToObject(server, "alerts_firing", f->note[0] ? 0 : 1);
	alert_add(f, cJSON_AddArrayToObject(json, "alerts"));
	audits = cJSON_AddArrayToObject(json, "audits");
	audit_add(audits, 2, "grace", "done");
	audit_add(audits, 1, "eve", "denied");
	entry_add(cJSON_AddArrayToObject(model_add(models, "churn", 1, 1, 5), "route"), 1, "live", 10000);
	flight_delay_add(f, models);
	return json;
}
