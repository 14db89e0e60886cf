#include "ui/console/fetcher.h"

#include "core/client.h"
#include "core/clock.h"
#include "ui/command/run.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define POLL_INTERVAL_MS 1000
#define HURRY_INTERVAL_MS 100
#define POLL_TIMEOUT_MS 3000
#define CHANGE_TIMEOUT_MS 120000
#define POLL_PATH "/control/v1/snapshot?window_s=60"

struct request {
	struct request *next;
	int id;
	char path[160]; /* of a post */
	cJSON *body;
	char **arguments; /* of a command; NULL: this is a post */
};

struct answer_node {
	struct fetcher_answer answer; /* first: the caller frees by this address */
	struct answer_node *next;
};

struct fetcher {
	char *socket_path;
	int poll_ms;
	int events;
	pthread_t poller, worker;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t poll_wake, work_wake;
	bool ending, hurry, now;
	struct fetcher_needs needs;
	bool picture_new;
	struct fetcher_picture picture;
	int next_id;
	struct request *requests;
	struct answer_node *answers;
};

static void notify(struct fetcher *f)
{
	uint64_t one = 1;

	if (write(f->events, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable already */
}

static void poll_path(struct fetcher *f, char *path, size_t size)
{
	size_t used;

	pthread_mutex_lock(&f->mutex);
	used = (size_t)snprintf(path, size, POLL_PATH);
	if (f->needs.audits)
		used += (size_t)snprintf(path + used, size - used, "&audit=%u", f->needs.audits);
	if (f->needs.tests)
		used += (size_t)snprintf(path + used, size - used, "&tests=%u", f->needs.tests);
	if (f->needs.test)
		used += (size_t)snprintf(path + used, size - used, "&test=%" PRId64, f->needs.test);
	if (f->needs.test && f->needs.with)
		used += (size_t)snprintf(path + used, size - used, "&with=%" PRId64, f->needs.with);
	if (f->needs.experiments)
		used += (size_t)snprintf(path + used, size - used, "&experiments=1");
	if (f->needs.experiment[0])
		used += (size_t)snprintf(path + used, size - used, "&experiment=%s", f->needs.experiment);
	if (f->needs.detail[0])
		snprintf(path + used, size - used, "&detail=%s", f->needs.detail);
	pthread_mutex_unlock(&f->mutex);
}

static void poll_once(struct fetcher *f, struct client *client, struct fetcher_picture *p)
{
	cJSON *json = NULL;
	char path[sizeof(POLL_PATH) + 2 * TEXT_NAME_MAX + 160];

	memset(p, 0, sizeof(*p));
	poll_path(f, path, sizeof(path));
	if (!client)
		err_set(&p->err, ERR_MEMORY, "memory is out");
	else if (client_get(client, path, POLL_TIMEOUT_MS, &json, &p->err) == 0 &&
		 snapshot_from_json(json, &p->snapshot, &p->err) != 0)
		p->snapshot = NULL;
	cJSON_Delete(json);
}

/* Waits until the next poll is due; false when the fetcher ends. Called and left with the mutex held. */
static bool poll_wait(struct fetcher *f, int64_t start_ms)
{
	for (;;) {
		int64_t interval_ms = f->hurry ? HURRY_INTERVAL_MS : f->poll_ms;
		const struct timespec due = clock_deadline(start_ms + interval_ms);

		if (f->ending)
			return false;
		if (f->now)
			break;
		if (pthread_cond_timedwait(&f->poll_wake, &f->mutex, &due) == ETIMEDOUT)
			break;
	}
	f->now = false;
	return !f->ending;
}

static void *poller_main(void *argument)
{
	struct fetcher *f = argument;
	struct client *client = client_new(f->socket_path, "console");
	bool going = true;

	while (going) {
		struct fetcher_picture p;
		int64_t start_ms = clock_ms();

		poll_once(f, client, &p);
		pthread_mutex_lock(&f->mutex);
		snapshot_free(f->picture.snapshot);
		f->picture = p;
		f->picture_new = true;
		notify(f);
		going = poll_wait(f, start_ms);
		pthread_mutex_unlock(&f->mutex);
	}
	client_free(client);
	return NULL;
}

static void request_free(struct request *r)
{
	if (!r)
		return;
	cJSON_Delete(r->body);
	for (size_t i = 0; r->arguments && r->arguments[i]; i++)
		free(r->arguments[i]);
	free(r->arguments);
	free(r);
}

/* A version that is not loaded is loaded and warmed up before a change is answered. */
static int post_timeout_ms(const cJSON *body)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(body, "dry_run")) ? CLIENT_TIMEOUT_MS : CHANGE_TIMEOUT_MS;
}

static void request_do(struct client *client, struct request *r, struct fetcher_answer *a)
{
	a->id = r->id;
	if (r->arguments)
		a->status = run_self(r->arguments, FETCHER_OUTPUT_MAX, FETCHER_RUN_MAX_S, &a->output, &a->err);
	else if (!client)
		a->status = err_set(&a->err, ERR_MEMORY, "memory is out");
	else if (!r->body)
		a->status = client_get(client, r->path, CLIENT_TIMEOUT_MS, &a->json, &a->err);
	else
		a->status = client_post(client, r->path, r->body, post_timeout_ms(r->body), &a->json, &a->err);
	if (client && a->status != 0 && !r->arguments)
		a->json = cJSON_Duplicate(client_refusal(client), true);
}

static void answer_add(struct fetcher *f, struct answer_node *node)
{
	struct answer_node **last = &f->answers;

	while (*last)
		last = &(*last)->next;
	*last = node;
	f->now = true; /* show what the request changed */
	pthread_cond_signal(&f->poll_wake);
	notify(f);
}

static void *worker_main(void *argument)
{
	struct fetcher *f = argument;
	struct client *client = client_new(f->socket_path, "console");

	pthread_mutex_lock(&f->mutex);
	while (!f->ending) {
		struct request *r = f->requests;

		if (!r) {
			pthread_cond_wait(&f->work_wake, &f->mutex);
			continue;
		}
		f->requests = r->next;
		pthread_mutex_unlock(&f->mutex);
		struct answer_node *node = calloc(1, sizeof(*node));

		if (node)
			request_do(client, r, &node->answer);
		request_free(r);
		pthread_mutex_lock(&f->mutex);
		if (node)
			answer_add(f, node);
	}
	pthread_mutex_unlock(&f->mutex);
	client_free(client);
	return NULL;
}

/* Signals are the drawing thread's: its handlers own the terminal. */
static int threads_start(struct fetcher *f)
{
	sigset_t blocked, before;
	int result;

	sigfillset(&blocked);
	sigdelset(&blocked, SIGSEGV);
	sigdelset(&blocked, SIGBUS);
	sigdelset(&blocked, SIGFPE);
	sigdelset(&blocked, SIGILL);
	sigdelset(&blocked, SIGABRT);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	result = pthread_create(&f->poller, NULL, poller_main, f);
	if (result == 0) {
		result = pthread_create(&f->worker, NULL, worker_main, f);
		if (result != 0) {
			pthread_mutex_lock(&f->mutex);
			f->ending = true;
			pthread_cond_signal(&f->poll_wake);
			pthread_mutex_unlock(&f->mutex);
			pthread_join(f->poller, NULL);
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

static void release(struct fetcher *f)
{
	struct fetcher_answer *a;

	while ((a = fetcher_answer(f)))
		fetcher_answer_free(a);
	while (f->requests) {
		struct request *r = f->requests;

		f->requests = r->next;
		request_free(r);
	}
	snapshot_free(f->picture.snapshot);
	if (f->events >= 0)
		close(f->events);
	pthread_cond_destroy(&f->poll_wake);
	pthread_cond_destroy(&f->work_wake);
	pthread_mutex_destroy(&f->mutex);
	free(f->socket_path);
	free(f);
}

int fetcher_new(const char *socket_path, int poll_ms, struct fetcher **result, struct err *e)
{
	struct fetcher *f = calloc(1, sizeof(*f));
	int error;

	*result = NULL;
	if (!f)
		return err_set(e, ERR_MEMORY, "memory is out");
	pthread_mutex_init(&f->mutex, NULL);
	clock_cond_init(&f->poll_wake);
	pthread_cond_init(&f->work_wake, NULL);
	f->poll_ms = poll_ms ? poll_ms : POLL_INTERVAL_MS;
	f->events = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->socket_path = strdup(socket_path);
	error = f->events < 0 ? errno : !f->socket_path ? ENOMEM : threads_start(f);
	if (error) {
		release(f);
		return err_errno(e, error, "the console's threads cannot be started");
	}
	*result = f;
	return 0;
}

void fetcher_free(struct fetcher *f)
{
	struct timespec until;

	if (!f)
		return;
	pthread_mutex_lock(&f->mutex);
	f->ending = true;
	pthread_cond_signal(&f->poll_wake);
	pthread_cond_signal(&f->work_wake);
	pthread_mutex_unlock(&f->mutex);
	until = clock_deadline(clock_ms() + FETCHER_END_MS);
	bool poller_ended = pthread_clockjoin_np(f->poller, NULL, CLOCK_MONOTONIC, &until) == 0;
	bool worker_ended = pthread_clockjoin_np(f->worker, NULL, CLOCK_MONOTONIC, &until) == 0;

	/* A thread that hangs in a request keeps the memory; the process is about to end anyway. */
	if (!poller_ended)
		pthread_detach(f->poller);
	if (!worker_ended)
		pthread_detach(f->worker);
	if (poller_ended && worker_ended)
		release(f);
}

int fetcher_events(const struct fetcher *f)
{
	return f->events;
}

void fetcher_events_clear(struct fetcher *f)
{
	uint64_t count;

	if (read(f->events, &count, sizeof(count)) < 0)
		return; /* it was not readable */
}

bool fetcher_picture(struct fetcher *f, struct fetcher_picture *p)
{
	pthread_mutex_lock(&f->mutex);
	bool any = f->picture_new;

	if (any) {
		*p = f->picture;
		f->picture.snapshot = NULL;
		f->picture_new = false;
	}
	pthread_mutex_unlock(&f->mutex);
	return any;
}

struct fetcher_answer *fetcher_answer(struct fetcher *f)
{
	pthread_mutex_lock(&f->mutex);
	struct answer_node *node = f->answers;

	if (node)
		f->answers = node->next;
	pthread_mutex_unlock(&f->mutex);
	return node ? &node->answer : NULL;
}

void fetcher_answer_free(struct fetcher_answer *a)
{
	if (!a)
		return;
	cJSON_Delete(a->json);
	free(a->output);
	free(a);
}

static void poller_tell(struct fetcher *f, bool *flag, bool value)
{
	pthread_mutex_lock(&f->mutex);
	*flag = value;
	pthread_cond_signal(&f->poll_wake);
	pthread_mutex_unlock(&f->mutex);
}

void fetcher_now(struct fetcher *f)
{
	poller_tell(f, &f->now, true);
}

static bool needs_equal(const struct fetcher_needs *a, const struct fetcher_needs *b)
{
	return a->audits == b->audits && a->tests == b->tests && a->test == b->test && a->with == b->with &&
	       a->experiments == b->experiments && strcmp(a->detail, b->detail) == 0 &&
	       strcmp(a->experiment, b->experiment) == 0;
}

void fetcher_need(struct fetcher *f, const struct fetcher_needs *needs)
{
	pthread_mutex_lock(&f->mutex);
	bool changed = !needs_equal(&f->needs, needs);
	f->needs = *needs;
	/* What is no longer needed may come once more. */
	f->now = f->now ||
		 (changed && (needs->audits || needs->tests || needs->test || needs->experiments || *needs->detail));
	if (f->now)
		pthread_cond_signal(&f->poll_wake);
	pthread_mutex_unlock(&f->mutex);
}

void fetcher_hurry(struct fetcher *f, bool hurry)
{
	poller_tell(f, &f->hurry, hurry);
}

static int request_add(struct fetcher *f, struct request *r)
{
	struct request **last = &f->requests;

	pthread_mutex_lock(&f->mutex);
	while (*last)
		last = &(*last)->next;
	*last = r;
	/* Read under the lock: the worker may free the request at once after it. */
	int id = r->id = ++f->next_id;

	pthread_cond_signal(&f->work_wake);
	pthread_mutex_unlock(&f->mutex);
	return id;
}

int fetcher_get(struct fetcher *f, const char *path)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return 0;
	snprintf(r->path, sizeof(r->path), "%s", path);
	return request_add(f, r);
}

int fetcher_post(struct fetcher *f, const char *path, cJSON *body)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r || !body) {
		cJSON_Delete(body);
		free(r);
		return 0;
	}
	snprintf(r->path, sizeof(r->path), "%s", path);
	r->body = body;
	return request_add(f, r);
}

int fetcher_run(struct fetcher *f, char *const *arguments)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return 0;
	r->arguments = calloc(FETCHER_ARGUMENTS_MAX + 1, sizeof(*r->arguments));
	for (size_t i = 0; r->arguments && arguments[i] && i < FETCHER_ARGUMENTS_MAX; i++) {
		r->arguments[i] = strdup(arguments[i]);
		if (!r->arguments[i]) {
			request_free(r);
			return 0;
		}
	}
	if (!r->arguments) {
		request_free(r);
		return 0;
	}
	return request_add(f, r);
}
