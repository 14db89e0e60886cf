/* The HTTP server on a loopback listener: requests that are answered later, hang-ups, drains. */
#include "runtime/http/http.h"
#include "runtime/http/listener.h"
#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_S 30
#define CLIENTS 64
#define ROUNDS 20
#define LARGE_SIZE ((size_t)32 << 20)

/* What the handler suspended, oldest first. */
struct waiting {
	struct waiting *next;
	struct http_ticket *ticket;
	const char *body; /* of the request: valid until it is resumed */
	size_t size;
};

struct fixture {
	struct http_server *server;
	char address[64];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct waiting *first, **last;
	bool ending;
	pthread_t resumer;
	bool has_resumer;
	atomic_uint handled;
};

static void say(struct http_response *response, int status, const char *text)
{
	response->status = status;
	response->content_type = "text/plain";
	buf_add_string(&response->body, text);
}

static void refuse(struct http_response *response, const struct err *e)
{
	buf_clear(&response->body);
	say(response, err_http(e->code), e->text);
}

static void resume(struct waiting *w)
{
	struct http_response response = {.status = 200, .content_type = "text/plain"};
	buf_format(&response.body, "later %.*s", (int)w->size, w->body);
	http_add_header(&response, "X-Later", "yes");
	http_resume(w->ticket, &response);
	free(w);
}

static void suspend(struct fixture *f, const struct http_request *request, bool at_once)
{
	struct waiting *w = calloc(1, sizeof *w);
	assert_non_null(w);
	w->body = request->body;
	w->size = request->body_size;
	w->ticket = http_suspend(request);
	assert_non_null(w->ticket);
	if (at_once) {
		resume(w);
		return;
	}
	pthread_mutex_lock(&f->lock);
	*f->last = w;
	f->last = &w->next;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void large(struct http_response *response)
{
	char line[4096];
	memset(line, 'x', sizeof line);
	response->content_type = "text/plain";
	while (response->body.size < LARGE_SIZE)
		buf_add(&response->body, line, sizeof line);
}

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
	struct fixture *f = context;
	if (strcmp(request->path, "/later") == 0 || strcmp(request->path, "/early") == 0)
		suspend(f, request, request->path[1] == 'e');
	else if (strcmp(request->path, "/large") == 0)
		large(response);
	else
		say(response, 200, "now");
	atomic_fetch_add(&f->handled, 1);
}

static struct waiting *take(struct fixture *f)
{
	struct waiting *w = f->first;
	if (w != NULL) {
		f->first = w->next;
		if (f->first == NULL)
			f->last = &f->first;
	}
	return w;
}

static void *resumer_main(void *argument)
{
	struct fixture *f = argument;
	pthread_mutex_lock(&f->lock);
	for (;;) {
		struct waiting *w = take(f);
		if (w != NULL) {
			pthread_mutex_unlock(&f->lock);
			resume(w);
			pthread_mutex_lock(&f->lock);
		} else if (f->ending) {
			break;
		} else {
			pthread_cond_wait(&f->changed, &f->lock);
		}
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* threads 0: a thread a connection. */
static void start(struct fixture *f, unsigned threads, bool resumer)
{
	struct err e = {0};
	struct http_options options = {.thread_count = threads,
				       .body_max = 1 << 20,
				       .answer_timeout_ms = 100,
				       .header_timeout_ms = DEADLINE_S * 1000,
				       .body_timeout_ms = DEADLINE_S * 1000,
				       .context = f,
				       .handle = handle,
				       .refuse = refuse};
	*f = (struct fixture){.has_resumer = resumer};
	f->last = &f->first;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	assert_int_equal(listener_tcp("127.0.0.1:0", &options.listen_fd, f->address, sizeof f->address, &e), 0);
	assert_int_equal(http_start(&options, &f->server, &e), 0);
	if (resumer)
		assert_int_equal(pthread_create(&f->resumer, NULL, resumer_main, f), 0);
}

static void resume_all(struct fixture *f)
{
	for (struct waiting *w = take(f); w != NULL; w = take(f))
		resume(w);
}

static void stop_resumer(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);
	f->ending = true;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
	if (f->has_resumer)
		pthread_join(f->resumer, NULL);
	resume_all(f);
}

static int try_connect(const struct fixture *f)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const struct timeval limit = {.tv_sec = DEADLINE_S};
	const char *port = strrchr(f->address, ':') + 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_port = htons((uint16_t)atoi(port));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static int connect_to(const struct fixture *f)
{
	int fd = try_connect(f);
	assert_true(fd >= 0);
	return fd;
}

static void post(int fd, const char *path, const char *body)
{
	char text[512];
	int size = snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s", path,
			    strlen(body), body);
	assert_int_equal(send(fd, text, (size_t)size, MSG_NOSIGNAL), size);
}

/* Reads one answer that has a Content-Length; 0, or -1 when the connection ends before. */
static int answer(int fd, char *text, size_t size)
{
	size_t used = 0;
	for (;;) {
		ssize_t n = recv(fd, text + used, size - 1 - used, 0);
		if (n <= 0)
			return -1;
		used += (size_t)n;
		text[used] = '\0';
		const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:");
		if (end != NULL && length != NULL && used >= (size_t)(end + 4 - text) + strtoul(length + 15, NULL, 10))
			return 0;
	}
}

/* Polls until so many requests have reached the handler. */
static void until_handled(struct fixture *f, unsigned count)
{
	wait_until(atomic_load(&f->handled) >= count);
}

struct client {
	pthread_t thread;
	struct fixture *fixture;
	const char *path;
	int number;
	bool failed;
};

/* Requests on one connection, each with a body of its own that must come back. */
static void *client_main(void *argument)
{
	struct client *c = argument;
	int fd = connect_to(c->fixture);
	for (int i = 0; i < ROUNDS && !c->failed; i++) {
		char body[64], text[1024], want[80];
		snprintf(body, sizeof body, "client %d round %d", c->number, i);
		snprintf(want, sizeof want, "\r\n\r\nlater %s", body);
		post(fd, c->path, body);
		c->failed = answer(fd, text, sizeof text) != 0 || strncmp(text, "HTTP/1.1 200", 12) != 0 ||
			    strstr(text, want) == NULL || strstr(text, "X-Later: yes") == NULL;
	}
	close(fd);
	return NULL;
}

static void many_clients(unsigned threads, const char *path, int count)
{
	struct fixture f;
	struct client clients[CLIENTS] = {0};

	start(&f, threads, true);
	for (int i = 0; i < count; i++) {
		clients[i] = (struct client){.fixture = &f, .path = path, .number = i};
		assert_int_equal(pthread_create(&clients[i].thread, NULL, client_main, &clients[i]), 0);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(clients[i].thread, NULL);
		assert_false(clients[i].failed);
	}
	assert_int_equal(http_drain(f.server, 5000), 0);
	stop_resumer(&f);
}

static void suspended_requests_are_answered(void **state)
{
	(void)state;
	many_clients(1, "/later", CLIENTS);
	many_clients(3, "/later", CLIENTS);
	many_clients(0, "/later", 16);
}

static void resuming_before_the_handler_returns(void **state)
{
	(void)state;
	many_clients(2, "/early", CLIENTS);
	many_clients(0, "/early", 16);
}

static void clients_hang_up_while_suspended(void **state)
{
	(void)state;
	for (unsigned threads = 0; threads < 3; threads += 2) {
		struct fixture f;
		char text[1024];

		start(&f, threads, false);
		for (int i = 0; i < 16; i++) {
			const struct linger reset = {.l_onoff = 1};
			int fd = connect_to(&f);
			post(fd, "/later", "gone");
			until_handled(&f, (unsigned)i + 1);
			if (i % 2 == 0)
				setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
			close(fd);
		}
		int fd = connect_to(&f);
		post(fd, "/now", "");
		assert_int_equal(answer(fd, text, sizeof text), 0);
		pthread_mutex_lock(&f.lock);
		resume_all(&f);
		pthread_mutex_unlock(&f.lock);
		post(fd, "/now", "");
		assert_int_equal(answer(fd, text, sizeof text), 0);
		close(fd);
		assert_int_equal(http_drain(f.server, 5000), 0);
		stop_resumer(&f);
	}
}

static void *drain_main(void *argument)
{
	struct fixture *f = argument;
	return http_drain(f->server, DEADLINE_S * 1000) == 0 ? f : NULL;
}

static bool accepts(const struct fixture *f)
{
	int fd = try_connect(f);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void a_drain_waits_for_what_is_suspended(void **state)
{
	(void)state;
	struct fixture f;
	char text[1024];
	pthread_t drain;
	void *done;

	start(&f, 2, false);
	int fd = connect_to(&f);
	post(fd, "/later", "slow");
	until_handled(&f, 1);
	assert_int_equal(pthread_create(&drain, NULL, drain_main, &f), 0);
	wait_until(!accepts(&f));
	resume_all(&f);
	assert_int_equal(answer(fd, text, sizeof text), 0);
	assert_non_null(strstr(text, "later slow"));
	assert_non_null(strstr(text, "Connection: close"));
	close(fd);
	pthread_join(drain, &done);
	assert_non_null(done);
	stop_resumer(&f);
}

static void a_drain_cuts_off_at_its_deadline(void **state)
{
	(void)state;
	for (unsigned threads = 0; threads < 3; threads++) {
		struct fixture f;
		int fds[8];

		start(&f, threads, false);
		for (unsigned i = 0; i < 8; i++) {
			fds[i] = connect_to(&f);
			post(fds[i], "/later", "never");
		}
		until_handled(&f, 8);
		assert_int_equal(http_drain(f.server, 20), 8);
		for (int i = 0; i < 8; i++) {
			char text[1024];
			assert_int_equal(answer(fds[i], text, sizeof text), 0);
			assert_non_null(strstr(text, "HTTP/1.1 503"));
			close(fds[i]);
		}
		stop_resumer(&f); /* resumes tickets of a server that is gone */
	}
}

/* Resumes while the drain cuts off: whoever comes first, every client gets exactly one answer. */
static void a_drain_races_with_resuming(void **state)
{
	(void)state;
	for (int round = 0; round < 30; round++) {
		struct fixture f;
		int fds[8];
		unsigned served = 0, cut;

		start(&f, 2, false);
		for (unsigned i = 0; i < 8; i++) {
			fds[i] = connect_to(&f);
			post(fds[i], "/later", "race");
		}
		until_handled(&f, 8);
		f.has_resumer = pthread_create(&f.resumer, NULL, resumer_main, &f) == 0;
		cut = http_drain(f.server, 0);
		for (int i = 0; i < 8; i++) {
			char text[1024];
			int result = answer(fds[i], text, sizeof text);
			served += result == 0 && strncmp(text, "HTTP/1.1 200", 12) == 0;
			close(fds[i]);
		}
		assert_true(served + cut >= 8);
		stop_resumer(&f);
	}
}

/* It reads steadily, but so slowly that it would take more than twice its time. */
static void a_slow_reader_is_cut_off(void **state)
{
	(void)state;
	struct fixture f;
	static char piece[16384];
	size_t size = 0;
	ssize_t n;

	start(&f, 1, false);
	int fd = connect_to(&f);
	post(fd, "/large", "");
	while ((n = recv(fd, piece, sizeof piece, 0)) > 0) {
		size += (size_t)n;
		http_reap(f.server);
		clock_pause_ms(1);
	}
	assert_true(size > 0 && size < LARGE_SIZE);
	close(fd);
	assert_int_equal(http_drain(f.server, 5000), 0);
	stop_resumer(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(suspended_requests_are_answered),  cmocka_unit_test(resuming_before_the_handler_returns),
	    cmocka_unit_test(clients_hang_up_while_suspended),  cmocka_unit_test(a_drain_waits_for_what_is_suspended),
	    cmocka_unit_test(a_drain_cuts_off_at_its_deadline), cmocka_unit_test(a_drain_races_with_resuming),
	    cmocka_unit_test(a_slow_reader_is_cut_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
