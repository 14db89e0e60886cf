/*
 * bench_switch: how long after a promotion was asked for the last request is answered by the old version, under load.
 *
 * usage: bench_switch HOST:PORT SOCKET MODEL BODY.json FOLDER      the model has the versions 1 and 2
 *
 * CLIENTS connections ask without pause while one operator promotes versions 1 and 2 in turn. "switch" is until the end
 * of the last answer of the old version, "begun" until that request began, "answered" until the operator has his
 * answer, and "sync" what the disk takes for a commit alone: a page written and synced in FOLDER, on the same disk, in
 * turn.
 */
#include "core/buf.h"
#include "core/client.h"
#include "core/clock.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 8
#define SWITCHES 200
#define SETTLE_MS 10 /* of load on one version between two switches */
#define PAGE 4096
#define ANSWER_MAX 65536

/* Written by the clients: the end and the begin of the last answer of each version. */
struct client_state {
	_Atomic uint64_t ended_ns[3], begun_ns[3];
	_Atomic uint64_t answers;
	pthread_t thread;
};

static struct client_state clients[CLIENTS];
static struct sockaddr_in address;
static char *request;
static size_t request_size;
static atomic_bool ended;

static void die(const char *what)
{
	fprintf(stderr, "bench_switch: %s\n", what);
	exit(1);
}

/* Reads one whole answer; its text stays in `text`. */
static void receive(int fd, char text[ANSWER_MAX])
{
	size_t size = 0, want = ANSWER_MAX;
	while (size < want) {
		ssize_t got = recv(fd, text + size, ANSWER_MAX - 1 - size, 0);
		if (got <= 0)
			die("a connection was closed");
		size += (size_t)got;
		text[size] = '\0';
		const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:");
		if (end != NULL && length != NULL)
			want = (size_t)(end + 4 - text) + strtoul(length + 15, NULL, 10);
	}
	if (strncmp(text, "HTTP/1.1 200", 12) != 0)
		die(text);
}

static void *ask(void *context)
{
	struct client_state *c = context;
	static _Thread_local char text[ANSWER_MAX];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		die("no connection");
	while (!atomic_load(&ended)) {
		uint64_t begun_ns = clock_ns();
		if (send(fd, request, request_size, 0) != (ssize_t)request_size)
			die("a request could not be sent");
		receive(fd, text);
		const char *version = strstr(text, "\"model_version\":\"");
		int number = version == NULL ? 0 : atoi(version + 17);
		if (number != 1 && number != 2)
			die("an answer names no version");
		atomic_store(&c->begun_ns[number], begun_ns);
		atomic_store(&c->ended_ns[number], clock_ns());
		atomic_fetch_add(&c->answers, 1);
	}
	close(fd);
	return NULL;
}

static void make_request(const char *model, const char *path)
{
	FILE *file = fopen(path, "rbe");
	struct buf out, body;
	char chunk[4096];
	size_t got;

	if (file == NULL)
		die("the body cannot be opened");
	buf_init(&out);
	buf_init(&body);
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
		buf_add(&body, chunk, got);
	fclose(file);
	buf_format(&out, "POST /v2/models/%s/infer HTTP/1.1\r\nHost: b\r\nContent-Length: %zu\r\n\r\n", model,
		   body.size);
	buf_add(&out, body.data, body.size);
	request_size = out.size;
	request = buf_take(&out);
	buf_release(&body);
}

static void promote(struct client *client, const char *model, int version)
{
	cJSON *body = cJSON_CreateObject(), *answer = NULL;
	char path[128];
	struct err e;

	cJSON_AddStringToObject(body, "action", "promote");
	cJSON_AddStringToObject(body, "reason", "bench");
	cJSON_AddNumberToObject(body, "version", version);
	snprintf(path, sizeof path, "/control/v1/models/%s/route", model);
	if (client_post(client, path, body, 10000, &answer, &e) != 0)
		die(e.text);
	cJSON_Delete(answer);
	cJSON_Delete(body);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print(const char *name, double *values, size_t count)
{
	qsort(values, count, sizeof *values, by_size);
	printf("{\"%s_p50_ms\":%.3f,\"%s_p99_ms\":%.3f,\"%s_max_ms\":%.3f}\n", name, values[count / 2], name,
	       values[count * 99 / 100], name, values[count - 1]);
}

/* Every client has had an answer of the version since. */
static void wait_for(int version, uint64_t since_ns)
{
	for (int i = 0; i < CLIENTS; i++)
		while (atomic_load(&clients[i].begun_ns[version]) < since_ns)
			clock_pause_ms(1);
}

/* The greatest of these times that lies after since_ns, in ms after it. */
static double latest_ms(const _Atomic uint64_t *first, uint64_t since_ns)
{
	uint64_t latest_ns = since_ns;
	for (int i = 0; i < CLIENTS; i++) {
		const char *at = (const char *)first + (size_t)i * sizeof(struct client_state);
		uint64_t ns = atomic_load((const _Atomic uint64_t *)(const void *)at);
		latest_ns = ns > latest_ns ? ns : latest_ns;
	}
	return (double)(latest_ns - since_ns) / 1e6;
}

static int open_scratch(const char *folder)
{
	char path[512];
	snprintf(path, sizeof path, "%s/sync", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("the folder cannot be written");
	unlink(path);
	return fd;
}

static double sync_ms(int fd)
{
	static const char page[PAGE];
	uint64_t begun_ns = clock_ns();
	if (write(fd, page, sizeof page) != PAGE || fdatasync(fd) != 0)
		die("the folder cannot be written");
	return (double)(clock_ns() - begun_ns) / 1e6;
}

static void measure(struct client *client, const char *model, const char *folder)
{
	static double old_ended[SWITCHES], old_begun[SWITCHES], answered[SWITCHES], synced[SWITCHES];
	int fd = open_scratch(folder);

	for (int i = 0; i < SWITCHES; i++) {
		int from = 1 + i % 2, to = 3 - from;
		wait_for(from, clock_ns());
		clock_pause_ms(SETTLE_MS);
		uint64_t asked_ns = clock_ns();
		promote(client, model, to);
		uint64_t answered_ns = clock_ns();
		wait_for(to, answered_ns);
		answered[i] = (double)(answered_ns - asked_ns) / 1e6;
		old_ended[i] = latest_ms(&clients[0].ended_ns[from], asked_ns);
		old_begun[i] = latest_ms(&clients[0].begun_ns[from], asked_ns);
		/* Taken in turn, both meet the same disk. */
		synced[i] = sync_ms(fd);
	}
	close(fd);
	print("switch", old_ended, SWITCHES);
	print("begun", old_begun, SWITCHES);
	print("answered", answered, SWITCHES);
	print("sync", synced, SWITCHES);
}

int main(int argc, char **argv)
{
	char *colon = argc == 6 ? strrchr(argv[1], ':') : NULL;
	struct client *client = colon == NULL ? NULL : client_new(argv[2], "bench");

	if (client == NULL)
		die("HOST:PORT SOCKET MODEL BODY.json FOLDER");
	*colon = '\0';
	address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
	if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1)
		die("the host is no address");
	make_request(argv[3], argv[4]);
	promote(client, argv[3], 2);
	promote(client, argv[3], 1);
	for (int i = 0; i < CLIENTS; i++)
		pthread_create(&clients[i].thread, NULL, ask, &clients[i]);
	uint64_t begun_ns = clock_ns(), answers = 0;
	measure(client, argv[3], argv[5]);
	double took_s = (double)(clock_ns() - begun_ns) / 1e9;
	atomic_store(&ended, true);
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		answers += atomic_load(&clients[i].answers);
	}
	printf("{\"load_rps\":%.0f}\n", (double)answers / took_s);
	client_free(client);
	free(request);
	return 0;
}
