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

static void model_add(cJSON *models, const char *name, int versions, int live, int revision)
{
	cJSON *m = cJSON_CreateObject(), *entry = cJSON_CreateObject(), *list;

	cJSON_AddStringToObject(m, "name", name);
	cJSON_AddNumberToObject(m, "live", live);
	cJSON_AddNumberToObject(m, "revision", revision);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(m, "route"), entry);
	cJSON_AddNumberToObject(entry, "version", live);
	cJSON_AddStringToObject(entry, "role", "live");
	cJSON_AddNumberToObject(entry, "weight_bp", 10000);
	cJSON_AddNumberToObject(entry, "percent", 100);
	list = cJSON_AddArrayToObject(m, "versions");
	for (int i = 1; i <= versions; i++)
		version_add(list, i);
	cJSON_AddNumberToObject(m, "window_s", 60);
	stats_add(m, 6000);
	traffic_add(m, live);
	history_add(m, revision, live);
	cJSON_AddItemToArray(models, m);
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

static cJSON *snapshot(const struct fake_runtime *f)
{
	cJSON *json = cJSON_CreateObject(), *server = cJSON_AddObjectToObject(json, "server");
	cJSON *models = cJSON_AddArrayToObject(json, "models");

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
	model_add(models, "churn", 1, 1, 5);
	model_add(models, "flight-delay", 3, f->live, f->revision);
	return json;
}

static double number_of(const cJSON *json, const char *name, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItem(json, name);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static cJSON *change(struct fake_runtime *f, const cJSON *body, int *status)
{
	cJSON *answer = cJSON_CreateObject();
	const char *action = cJSON_GetStringValue(cJSON_GetObjectItem(body, "action"));
	const char *reason = cJSON_GetStringValue(cJSON_GetObjectItem(body, "reason"));
	bool dry_run = cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run"));
	int live = (int)number_of(body, "version", f->previous);
	char text[64];

	if ((int)number_of(body, "expect_revision", -1) != f->revision || !action || live < 1 || live > 3) {
		bool conflict = live >= 1 && live <= 3;

		*status = conflict ? 409 : 404;
		cJSON_AddStringToObject(answer, "error",
					conflict ? "the route is at another revision" : "there is no such version");
		cJSON_AddStringToObject(answer, "code", conflict ? "conflict" : "not_found");
		return answer;
	}
	cJSON_AddStringToObject(answer, "model", "flight-delay");
	cJSON_AddNumberToObject(answer, "based_on", f->revision);
	if (!dry_run) {
		f->previous = f->live;
		f->live = live;
		f->revision++;
		snprintf(f->reason, sizeof(f->reason), "%s", reason ? reason : "");
	}
	cJSON_AddNumberToObject(answer, "revision", f->revision);
	cJSON_AddNumberToObject(answer, "live", live);
	snprintf(text, sizeof(text), "v%d 100%%", live);
	cJSON_AddStringToObject(answer, "after", text);
	return answer;
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
	} else if (strncmp(request, "POST /control/v1/models/flight-delay/route", 42) == 0) {
		json = change(f, parsed, &status);
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
