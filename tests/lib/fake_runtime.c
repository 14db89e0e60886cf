#include "lib/fake_runtime_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void respond(struct fake_runtime *f, int fd, const char *request, const char *body)
{
	int status = 200;
	cJSON *json = NULL, *parsed = cJSON_Parse(body);
	char *text, head[160];

	if (strncmp(request, "GET /control/v1/snapshot", 24) == 0) {
		json = fake_snapshot(f);
		fake_tests_add(f, request, json);
		fake_experiments_add(request, json);
		f->polls++;
		f->audits += strstr(request, "&audit=200 ") || strstr(request, "&audit=200&");
		f->details += strncmp(request, "GET /control/v1/snapshot?window_s=60&detail=flight-delay ", 57) == 0;
	} else if (strncmp(request, "POST /control/v1/models/flight-delay/route", 42) == 0) {
		json = fake_change(f, parsed, &status);
	} else if (strncmp(request, "POST /control/v1/models/flight-delay/rollout", 44) == 0) {
		json = fake_rollout_post(f, request + 37, parsed, &status);
	} else if (strncmp(request, "POST /control/v1/models/flight-delay/policy ", 44) == 0) {
		json = fake_policy_post(f, parsed, &status);
	} else if (strncmp(request, "POST /control/v1/alerts/7/acknowledge ", 38) == 0) {
		json = fake_acknowledge(f, parsed);
	} else if (strncmp(request, "GET /control/v1/jobs/last/", 26) == 0) {
		json = fake_job_last(f);
	} else if (strncmp(request, "POST /control/v1/jobs/", 22) == 0) {
		json = fake_job_post(f, request + 22, parsed, &status);
	} else if (strncmp(request, "POST /control/v1/jobs ", 22) == 0) {
		json = fake_job_start(f, parsed, &status);
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

int fake_runtime_tests(struct fake_runtime *f)
{
	return get(f, &f->tests);
}

int fake_runtime_reports(struct fake_runtime *f)
{
	return get(f, &f->reports);
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

void fake_runtime_last(struct fake_runtime *f, const char *start)
{
	pthread_mutex_lock(&f->mutex);
	snprintf(f->last, sizeof(f->last), "%s", start);
	pthread_mutex_unlock(&f->mutex);
}

void fake_runtime_waits(struct fake_runtime *f, int waits)
{
	pthread_mutex_lock(&f->mutex);
	f->waits = waits;
	pthread_mutex_unlock(&f->mutex);
}

void fake_runtime_started(struct fake_runtime *f, int id, char *kind, char *start, int size, int *version)
{
	static const struct fake_job none;

	pthread_mutex_lock(&f->mutex);
	const struct fake_job *job = id >= 1 && id <= f->job_count ? &f->jobs[id - 1] : &none;

	snprintf(kind, (size_t)size, "%s", job->kind);
	snprintf(start, (size_t)size, "%s", job->start);
	*version = job->version;
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
