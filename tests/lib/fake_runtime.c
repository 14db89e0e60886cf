#include "lib/fake_runtime.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 16
#define REQUEST_MAX 65536
#define FAKE_JOBS_MAX 8
#define FAKE_VERSIONS 3
#define NOW_MS 1700000000000.0

struct peer {
	int fd;
	size_t size;
	char data[REQUEST_MAX];
};

struct fake_job {
	char state[16], input[1024], output[1024];
	int version;
};

struct fake_runtime {
	char directory[64], socket_path[96];
	int listener, wake[2];
	pthread_t thread;
	pthread_mutex_t mutex;
	sem_t started;
	bool ending, hang;
	int live, previous, revision, polls;
	char reason[256];
	int shares[FAKE_VERSIONS + 1]; /* of flight-delay, in basis points, by version */
	int shadows[FAKE_VERSIONS + 1];
	bool gate; /* a gate fails for every version that gets more */
	bool forced;
	char rollout[16]; /* state of the rollout of v3; "" none */
	int rollout_step, policy_number;
	char setting[64], value[64], note[256];
	int audits, details; /* polls that asked for them */
	int job_count;
	struct fake_job jobs[FAKE_JOBS_MAX]; /* ids 1, 2 ... */
	struct peer peers[CLIENTS_MAX];
};

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

static void finding_add(cJSON *list, const char *name, const char *verdict, bool forced, const char *text)
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
static cJSON *rollout(const struct fake_runtime *f)
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
	finding_add(cJSON_AddArrayToObject(r, "findings"), "error_rate", "pass", false, "v3 answers as v1 does");
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
			cJSON_AddStringToObject(item, "kind", "predict");
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
		cJSON_AddItemToObject(m, "rollout", rollout(f));
	cJSON_AddBoolToObject(m, "policy_set", f->policy_number > 0);
	if (f->policy_number > 0) {
		policy = cJSON_AddObjectToObject(m, "policy");
		cJSON_AddStringToObject(policy, f->setting, f->value);
	}
}

static cJSON *snapshot(const struct fake_runtime *f)
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

static double number_of(const cJSON *json, const char *name, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItem(json, name);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static cJSON *refusal(int *status, int code, const char *name, const char *text)
{
	cJSON *answer = cJSON_CreateObject();

	*status = code;
	cJSON_AddStringToObject(answer, "error", text);
	cJSON_AddStringToObject(answer, "code", name);
	return answer;
}

static const char *string_of(const cJSON *json, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, name));

	return text ? text : "";
}

/* The shares that a body asks for; the live version by the rule of a split. */
static void shares_take(const struct fake_runtime *f, const cJSON *body, int *shares, int *shadows, int *live)
{
	bool shadow = strcmp(string_of(body, "action"), "shadow") == 0;
	bool whole = strcmp(string_of(body, "action"), "apply") == 0;
	const cJSON *item;

	memcpy(shadows, f->shadows, sizeof(f->shadows));
	memcpy(shares, f->shares, sizeof(f->shares));
	if (!shadow)
		memset(shares, 0, sizeof(f->shares));
	if (whole)
		memset(shadows, 0, sizeof(f->shadows));
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(body, whole ? "entries" : "weights"))
	{
		int *to = shadow || strcmp(string_of(item, "role"), "shadow") == 0 ? shadows : shares;

		to[(int)number_of(item, "version", 0) % (FAKE_VERSIONS + 1)] = (int)number_of(item, "weight_bp", 0);
	}
	*live = f->live;
	for (int i = 1; i <= FAKE_VERSIONS && shares[f->live] == 0; i++)
		*live = shares[i] > shares[*live] ? i : *live;
}

static void route_write(const int *shares, const int *shadows, char *text, size_t size)
{
	size_t used = 0;

	for (int i = 1; i <= FAKE_VERSIONS; i++) {
		if (shares[i])
			used += (size_t)snprintf(text + used, size - used, "%sv%d %g%%", used ? " " : "", i,
						 shares[i] / 100.0);
		if (shadows[i])
			used += (size_t)snprintf(text + used, size - used, " v%d shadow %g%%", i, shadows[i] / 100.0);
	}
}

/* A gate that fails: a dry run tells of it, anything else is refused. */
static cJSON *gated(const struct fake_runtime *f, const cJSON *body, int *status)
{
	bool force = cJSON_IsTrue(cJSON_GetObjectItem(body, "force"));
	cJSON *answer;

	if (!f->gate || force || strcmp(string_of(body, "action"), "rollback") == 0)
		return NULL;
	answer = refusal(status, 412, "gate", "v3 answers 2.1% with an error");
	finding_add(cJSON_AddArrayToObject(answer, "gates"), "error_rate", "fail", false,
		    "v3 answers 2.1% with an error");
	return answer;
}

static void gates_add(const struct fake_runtime *f, const cJSON *body, cJSON *answer)
{
	bool force = cJSON_IsTrue(cJSON_GetObjectItem(body, "force"));
	cJSON *gates = cJSON_AddArrayToObject(answer, "gates");

	finding_add(gates, "ready", "pass", false, "v3 is ready");
	if (f->gate && force)
		finding_add(gates, "error_rate", "fail", true, "v3 answers 2.1% with an error");
}

static cJSON *change(struct fake_runtime *f, const cJSON *body, int *status)
{
	const char *action = string_of(body, "action");
	bool dry_run = cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run"));
	bool weights = cJSON_GetObjectItem(body, "weights") || cJSON_GetObjectItem(body, "entries");
	int live = (int)number_of(body, "version", f->previous), shares[FAKE_VERSIONS + 1] = {0};
	int shadows[FAKE_VERSIONS + 1] = {0};
	char text[128];
	cJSON *answer;

	if (weights)
		shares_take(f, body, shares, shadows, &live);
	if (!*action || live < 1 || live > FAKE_VERSIONS)
		return refusal(status, 404, "not_found", "there is no such version");
	if (!weights)
		shares[live] = 10000;
	if ((int)number_of(body, "expect_revision", -1) != f->revision)
		return refusal(status, 409, "conflict", "the route is at another revision, that of grace");
	answer = gated(f, body, status);
	if (answer)
		return answer;
	answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "model", "flight-delay");
	cJSON_AddNumberToObject(answer, "based_on", f->revision);
	gates_add(f, body, answer);
	if (!dry_run) {
		f->previous = f->live;
		f->live = live;
		f->revision++;
		f->forced = cJSON_IsTrue(cJSON_GetObjectItem(body, "force"));
		memcpy(f->shares, shares, sizeof(shares));
		memcpy(f->shadows, shadows, sizeof(shadows));
		snprintf(f->reason, sizeof(f->reason), "%s", string_of(body, "reason"));
	}
	cJSON_AddNumberToObject(answer, "revision", f->revision);
	cJSON_AddNumberToObject(answer, "live", live);
	route_write(shares, shadows, text, sizeof(text));
	cJSON_AddStringToObject(answer, "after", text);
	return answer;
}

/* "rollout", "rollout/pause" ... */
static cJSON *rollout_post(struct fake_runtime *f, const char *verb, const cJSON *body, int *status)
{
	bool start = strncmp(verb, "rollout ", 8) == 0, dry_run = cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run"));
	cJSON *answer;

	if (start ? f->rollout[0] != '\0' : f->rollout[0] == '\0')
		return refusal(status, 409, "conflict", start ? "a rollout is open" : "no rollout is open");
	if (!dry_run)
		snprintf(f->reason, sizeof(f->reason), "%s", string_of(body, "reason"));
	if (strncmp(verb, "rollout/pause ", 14) == 0)
		snprintf(f->rollout, sizeof(f->rollout), "paused");
	else if (strncmp(verb, "rollout/abort ", 14) == 0)
		snprintf(f->rollout, sizeof(f->rollout), "aborted");
	else if (strncmp(verb, "rollout/skip ", 13) == 0)
		f->rollout_step = 1;
	else if (!dry_run)
		snprintf(f->rollout, sizeof(f->rollout), "running");
	if (start && !dry_run) {
		f->revision++;
		f->shares[3] = 100;
		f->shares[f->live] = 9900;
	}
	answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "model", "flight-delay");
	cJSON_AddNumberToObject(answer, "revision", f->revision);
	if (f->rollout[0])
		cJSON_AddItemToObject(answer, "rollout", rollout(f));
	gates_add(f, body, answer);
	return answer;
}

static cJSON *policy_post(struct fake_runtime *f, const cJSON *body, int *status)
{
	const cJSON *set = cJSON_GetObjectItem(cJSON_GetObjectItem(body, "set"), "promoters");
	bool dry_run = cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run"));
	cJSON *answer;

	if (number_of(body, "expect_number", f->policy_number) != f->policy_number)
		return refusal(status, 409, "conflict", "grace set the policy meanwhile");
	if (!dry_run) {
		f->policy_number++;
		snprintf(f->setting, sizeof(f->setting), "promoters");
		snprintf(f->value, sizeof(f->value), "%s", cJSON_GetStringValue(set) ? cJSON_GetStringValue(set) : "");
		snprintf(f->reason, sizeof(f->reason), "%s", string_of(body, "reason"));
	}
	answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "model", "flight-delay");
	cJSON_AddNumberToObject(answer, "number", f->policy_number);
	return answer;
}

static cJSON *acknowledge(struct fake_runtime *f, const cJSON *body)
{
	snprintf(f->note, sizeof(f->note), "%s", string_of(body, "note"));
	return cJSON_CreateObject();
}

/* Only /data/rows.csv can be read. */
static cJSON *job_start(struct fake_runtime *f, const cJSON *body, int *status)
{
	const cJSON *start = cJSON_GetObjectItem(body, "start");
	bool dry_run = cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run"));
	struct fake_job *job = &f->jobs[f->job_count];
	cJSON *answer, *fact;

	if (strcmp(string_of(start, "input"), "/data/rows.csv") != 0)
		return refusal(status, 404, "not_found", "the runtime cannot read that file");
	answer = cJSON_CreateObject();
	fact = cJSON_CreateObject();
	cJSON_AddStringToObject(fact, "name", "input");
	cJSON_AddStringToObject(fact, "text", "96.7 kB, 2001 lines");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(answer, "facts"), fact);
	cJSON_AddStringToObject(answer, "title", "rows.csv to somewhere.csv");
	cJSON_AddNumberToObject(answer, "version", number_of(body, "version", f->live));
	if (dry_run || f->job_count == FAKE_JOBS_MAX)
		return answer;
	snprintf(job->state, sizeof(job->state), "running");
	snprintf(job->input, sizeof(job->input), "%s", string_of(start, "input"));
	snprintf(job->output, sizeof(job->output), "%s", string_of(start, "output"));
	job->version = (int)number_of(body, "version", 0);
	cJSON_AddNumberToObject(answer, "id", ++f->job_count);
	return answer;
}

/* ".../ID/cancel" and ".../ID/again" */
static cJSON *job_post(struct fake_runtime *f, const char *path, const cJSON *body, int *status)
{
	char *verb;
	long id = strtol(path, &verb, 10);
	cJSON *start, *request, *answer;

	if (id < 1 || id > f->job_count)
		return refusal(status, 404, "not_found", "there is no such job");
	if (strncmp(verb, "/cancel ", 8) == 0) {
		answer = cJSON_CreateObject();
		snprintf(f->jobs[id - 1].state, sizeof(f->jobs[0].state), "cancelled");
		snprintf(f->reason, sizeof(f->reason), "%s", string_of(body, "reason"));
		cJSON_AddNumberToObject(answer, "id", (double)id);
		return answer;
	}
	request = cJSON_CreateObject();
	start = cJSON_AddObjectToObject(request, "start");
	cJSON_AddStringToObject(start, "input", f->jobs[id - 1].input);
	cJSON_AddStringToObject(start, "output", f->jobs[id - 1].output);
	cJSON_AddNumberToObject(request, "version", f->jobs[id - 1].version);
	cJSON_AddBoolToObject(request, "dry_run", cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run")));
	answer = job_start(f, request, status);
	cJSON_Delete(request);
	return answer;
}

static void respond(struct fake_runtime *f, int fd, const char *request, const char *body)
{
	int status = 200;
	cJSON *json = NULL, *parsed = cJSON_Parse(body);
	char *text, head[160];

	if (strncmp(request, "GET /control/v1/snapshot", 24) == 0) {
		json = snapshot(f);
		f->polls++;
		f->audits += strstr(request, "&audit=200 ") || strstr(request, "&audit=200&");
		f->details += strncmp(request, "GET /control/v1/snapshot?window_s=60&detail=flight-delay ", 57) == 0;
	} else if (strncmp(request, "POST /control/v1/models/flight-delay/route", 42) == 0) {
		json = change(f, parsed, &status);
	} else if (strncmp(request, "POST /control/v1/models/flight-delay/rollout", 44) == 0) {
		json = rollout_post(f, request + 37, parsed, &status);
	} else if (strncmp(request, "POST /control/v1/models/flight-delay/policy ", 44) == 0) {
		json = policy_post(f, parsed, &status);
	} else if (strncmp(request, "POST /control/v1/alerts/7/acknowledge ", 38) == 0) {
		json = acknowledge(f, parsed);
	} else if (strncmp(request, "POST /control/v1/jobs/", 22) == 0) {
		json = job_post(f, request + 22, parsed, &status);
	} else if (strncmp(request, "POST /control/v1/jobs ", 22) == 0) {
		json = job_start(f, parsed, &status);
	} else {
		json = cJSON_CreateObject();
	}
	text = cJSON_PrintUnformatted(json);
	snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		 status, strlen(text));
	send(fd, head, strlen(head), MSG_NOSIGNAL);
	send(fd, text, strlen(text), MSG_NOSIGNAL);
	free(text);
	cJSON_Delete(json);
	cJSON_Delete(parsed);
}

/* Answers every whole request that a peer has sent. */
static void peer_serve(struct fake_runtime *f, struct peer *p)
{
	for (;;) {
		char *end = strstr(p->data, "\r\n\r\n");
		char *length = strcasestr(p->data, "content-length:");
		size_t body = length && end && length < end ? strtoul(length + 15, NULL, 10) : 0;
		size_t whole = end ? (size_t)(end - p->data) + 4 + body : 0;

		if (!end || p->size < whole || f->hang)
			return;
		char *copy = strndup(end + 4, body);

		respond(f, p->fd, p->data, copy);
		free(copy);
		memmove(p->data, p->data + whole, p->size - whole + 1);
		p->size -= whole;
	}
}

static void peer_read(struct fake_runtime *f, struct peer *p)
{
	ssize_t n = recv(p->fd, p->data + p->size, REQUEST_MAX - 1 - p->size, MSG_DONTWAIT);

	if (n <= 0) {
		close(p->fd);
		p->fd = -1;
		return;
	}
	p->size += (size_t)n;
	p->data[p->size] = '\0';
	peer_serve(f, p);
}

static void peer_accept(struct fake_runtime *f)
{
	int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; fd >= 0 && i < CLIENTS_MAX; i++)
		if (f->peers[i].fd < 0) {
			f->peers[i].fd = fd;
			f->peers[i].size = 0;
			f->peers[i].data[0] = '\0';
			return;
		}
	if (fd >= 0)
		close(fd);
}

static void *thread_main(void *argument)
{
	struct fake_runtime *f = argument;

	sem_post(&f->started);
	for (;;) {
		struct pollfd p[CLIENTS_MAX + 2] = {{.fd = f->listener, .events = POLLIN},
						    {.fd = f->wake[0], .events = POLLIN}};
		char byte;

		for (int i = 0; i < CLIENTS_MAX; i++)
			p[i + 2] = (struct pollfd){.fd = f->peers[i].fd, .events = POLLIN};
		poll(p, CLIENTS_MAX + 2, -1);
		pthread_mutex_lock(&f->mutex);
		if (p[1].revents && read(f->wake[0], &byte, 1) == 1)
			for (int i = 0; i < CLIENTS_MAX; i++)
				if (f->peers[i].fd >= 0)
					peer_serve(f, &f->peers[i]);
		for (int i = 0; i < CLIENTS_MAX; i++)
			if (p[i + 2].revents)
				peer_read(f, &f->peers[i]);
		if (p[0].revents)
			peer_accept(f);
		bool ending = f->ending;

		pthread_mutex_unlock(&f->mutex);
		if (ending)
			return NULL;
	}
}

static void wake(struct fake_runtime *f)
{
	if (write(f->wake[1], "w", 1) != 1)
		abort();
}

struct fake_runtime *fake_runtime_new(void)
{
	struct fake_runtime *f = calloc(1, sizeof(*f));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (!f)
		abort();
	f->live = 1;
	f->shares[1] = 10000;
	f->previous = 2;
	f->revision = 3;
	strcpy(f->directory, "/tmp/mldeck-test-XXXXXX");
	if (!mkdtemp(f->directory) || pipe2(f->wake, O_CLOEXEC) != 0)
		abort();
	snprintf(f->socket_path, sizeof(f->socket_path), "%s/s", f->directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket_path);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (int i = 0; i < CLIENTS_MAX; i++)
		f->peers[i].fd = -1;
	pthread_mutex_init(&f->mutex, NULL);
	sem_init(&f->started, 0, 0);
	if (bind(f->listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(f->listener, 16) != 0 ||
	    pthread_create(&f->thread, NULL, thread_main, f) != 0)
		abort();
	/* The test forks next: a lock that a starting thread holds would stay held in the child for ever. */
	while (sem_wait(&f->started) != 0)
		;
	return f;
}

void fake_runtime_free(struct fake_runtime *f)
{
	pthread_mutex_lock(&f->mutex);
	f->ending = true;
	pthread_mutex_unlock(&f->mutex);
	wake(f);
	pthread_join(f->thread, NULL);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (f->peers[i].fd >= 0)
			close(f->peers[i].fd);
	close(f->listener);
	close(f->wake[0]);
	close(f->wake[1]);
	unlink(f->socket_path);
	rmdir(f->directory);
	pthread_mutex_destroy(&f->mutex);
	free(f);
}

const char *fake_runtime_socket(const struct fake_runtime *f)
{
	return f->socket_path;
}

void fake_runtime_hang(struct fake_runtime *f, bool hang)
{
	pthread_mutex_lock(&f->mutex);
	f->hang = hang;
	pthread_mutex_unlock(&f->mutex);
	wake(f);
}

void fake_runtime_promote(struct fake_runtime *f, int version)
{
	pthread_mutex_lock(&f->mutex);
	f->previous = f->live;
	f->live = version;
	f->revision++;
	memset(f->shares, 0, sizeof(f->shares));
	f->shares[version] = 10000;
	pthread_mutex_unlock(&f->mutex);
}

static int get(struct fake_runtime *f, const int *value)
{
	pthread_mutex_lock(&f->mutex);
	int result = *value;

	pthread_mutex_unlock(&f->mutex);
	return result;
}

int fake_runtime_live(struct fake_runtime *f)
{
	return get(f, &f->live);
}

int fake_runtime_revision(struct fake_runtime *f)
{
	return get(f, &f->revision);
}

void fake_runtime_gate(struct fake_runtime *f, bool fails)
{
	pthread_mutex_lock(&f->mutex);
	f->gate = fails;
	pthread_mutex_unlock(&f->mutex);
}

bool fake_runtime_forced(struct fake_runtime *f)
{
	pthread_mutex_lock(&f->mutex);
	bool forced = f->forced;

	pthread_mutex_unlock(&f->mutex);
	return forced;
}

int fake_runtime_share(struct fake_runtime *f, int version, bool shadow)
{
	return get(f, shadow ? &f->shadows[version] : &f->shares[version]);
}

int fake_runtime_rollout(struct fake_runtime *f, char *state, int size)
{
	pthread_mutex_lock(&f->mutex);
	int step = f->rollout_step;

	snprintf(state, (size_t)size, "%s", f->rollout);
	pthread_mutex_unlock(&f->mutex);
	return step;
}

void fake_runtime_policy(struct fake_runtime *f, char *value, int size)
{
	pthread_mutex_lock(&f->mutex);
	snprintf(value, (size_t)size, "%s", f->value);
	pthread_mutex_unlock(&f->mutex);
}

void fake_runtime_note(struct fake_runtime *f, char *note, int size)
{
	pthread_mutex_lock(&f->mutex);
	snprintf(note, (size_t)size, "%s", f->note);
	pthread_mutex_unlock(&f->mutex);
}

int fake_runtime_audits(struct fake_runtime *f)
{
	return get(f, &f->audits);
}

int fake_runtime_details(struct fake_runtime *f)
{
	return get(f, &f->details);
}

int fake_runtime_polls(struct fake_runtime *f)
{
	return get(f, &f->polls);
}

void fake_runtime_reason(struct fake_runtime *f, char *reason, int size)
{
	pthread_mutex_lock(&f->mutex);
	snprintf(reason, (size_t)size, "%s", f->reason);
	pthread_mutex_unlock(&f->mutex);
}

void fake_runtime_job(struct fake_runtime *f, int id, char *state, char *output, int size, int *version)
{
	static const struct fake_job none;

	pthread_mutex_lock(&f->mutex);
	const struct fake_job *job = id >= 1 && id <= f->job_count ? &f->jobs[id - 1] : &none;

	snprintf(state, (size_t)size, "%s", job->state);
	snprintf(output, (size_t)size, "%s", job->output);
	*version = job->version;
	pthread_mutex_unlock(&f->mutex);
}
