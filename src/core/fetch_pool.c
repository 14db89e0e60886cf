#include "core/fetch_pool.h"

#include "core/clock.h"
#include "core/fetch_internal.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Idle connections that are kept, whatever the number of servers. */
#define CONNECTIONS_KEPT 256L

/* One job, until it is called back. */
struct task {
	struct task *next, *previous;
	struct fetch_job job;
	struct fetch_answer answer;
	struct fetch_exchange exchange;
	char *url;
	CURL *curl;
	int64_t due_ms;
	bool running; /* in the multi handle */
};

struct list {
	struct task *first;
};

struct fetch_pool {
	CURLM *multi;
	pthread_t thread;
	pthread_mutex_t lock; /* of all down to `active` */
	pthread_cond_t quiet; /* `pending` became 0 */
	struct list submitted;
	size_t pending;  /* jobs not called back yet */
	bool cancelling; /* and refusing */
	bool ending;
	bool orphan; /* the thread itself ended it, and frees it */
	unsigned long wakeups;
	struct list active; /* the thread's own */
};

static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fetch_pool *shared;
static unsigned share_count;

static void list_add(struct list *l, struct task *t)
{
	t->previous = NULL;
	t->next = l->first;
	if (l->first)
		l->first->previous = t;
	l->first = t;
}

static void list_remove(struct list *l, struct task *t)
{
	if (t->previous)
		t->previous->next = t->next;
	else
		l->first = t->next;
	if (t->next)
		t->next->previous = t->previous;
}

static void task_free(struct task *t)
{
	if (!t)
		return;
	curl_slist_free_all(t->exchange.headers);
	curl_easy_cleanup(t->curl);
	buf_release(&t->answer.body);
	buf_release(&t->answer.headers);
	free(t->url);
	free(t);
}

static struct task *task_new(const struct fetch_job *job, struct err *e)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t || !(t->url = strdup(job->request.url)) || !(t->curl = curl_easy_init())) {
		err_set(e, ERR_MEMORY, "memory is out");
		task_free(t);
		return NULL;
	}
	t->job = *job;
	t->job.request.url = t->url;
	t->exchange.request = &t->job.request;
	t->exchange.answer = &t->answer;
	buf_init(&t->answer.body);
	buf_init(&t->answer.headers);
	if (fetch_prepare(t->curl, &t->exchange, NULL, 0, e) != 0) {
		task_free(t);
		return NULL;
	}
	curl_easy_setopt(t->curl, CURLOPT_PRIVATE, t);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else the time-out of a request whose name is still being resolved would wait for the
	 * resolver, and with it every other request. */
	curl_easy_setopt(t->curl, CURLOPT_QUICK_EXIT, 1L);
#endif
	t->due_ms = clock_ms() + job->delay_ms;
	return t;
}

/* Calls back and forgets. */
static void finish(struct fetch_pool *p, struct task *t, int result, const struct err *e)
{
	list_remove(&p->active, t);
	t->job.done(t->job.context, result, &t->answer, e);
	task_free(t);
	pthread_mutex_lock(&p->lock);
	if (--p->pending == 0)
		pthread_cond_broadcast(&p->quiet);
	pthread_mutex_unlock(&p->lock);
}

static void cancel(struct fetch_pool *p, struct task *t)
{
	struct err e;

	if (t->running)
		curl_multi_remove_handle(p->multi, t->curl);
	t->answer.fault = FETCH_CANCELLED;
	err_set(&e, ERR_UNREACHABLE, "the request to %s was given up: the runtime is ending", t->url);
	finish(p, t, -1, &e);
}

static void complete(struct fetch_pool *p, CURL *curl, CURLcode code)
{
	struct task *t = NULL;
	struct err e = {0};
	char *private = NULL;
	int result;

	curl_easy_getinfo(curl, CURLINFO_PRIVATE, &private);
	t = (struct task *)(void *)private;
	result = fetch_finish(curl, code, &t->exchange, &e);
	curl_multi_remove_handle(p->multi, curl);
	finish(p, t, result, &e);
}

/* Gives what is due to libcurl; returns how long until the next is, at most INT_MAX. */
static int begin_due(struct fetch_pool *p)
{
	int64_t now = clock_ms(), wait_ms = INT_MAX;
	struct task *next;

	for (struct task *t = p->active.first; t; t = next) {
		next = t->next;
		if (t->running)
			continue;
		if (t->due_ms > now) {
			wait_ms = t->due_ms - now < wait_ms ? t->due_ms - now : wait_ms;
			continue;
		}
		t->running = curl_multi_add_handle(p->multi, t->curl) == CURLM_OK;
		if (!t->running)
			complete(p, t->curl, CURLE_OUT_OF_MEMORY);
	}
	return (int)wait_ms;
}

static void pool_free(struct fetch_pool *p)
{
	curl_multi_cleanup(p->multi);
	pthread_cond_destroy(&p->quiet);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void take_submitted(struct fetch_pool *p, bool *cancelling, bool *ending)
{
	struct task *t;

	pthread_mutex_lock(&p->lock);
	while ((t = p->submitted.first) != NULL) {
		list_remove(&p->submitted, t);
		list_add(&p->active, t);
	}
	*cancelling = p->cancelling;
	*ending = p->ending;
	p->wakeups++;
	pthread_mutex_unlock(&p->lock);
}

static void *run(void *context)
{
	struct fetch_pool *p = context;
	bool cancelling, ending;
	int running, left;

	for (;;) {
		take_submitted(p, &cancelling, &ending);
		while (cancelling && p->active.first)
			cancel(p, p->active.first);
		if (ending)
			break;
		int wait_ms = begin_due(p);

		curl_multi_perform(p->multi, &running);
		for (CURLMsg *m; (m = curl_multi_info_read(p->multi, &left)) != NULL;)
			if (m->msg == CURLMSG_DONE)
				complete(p, m->easy_handle, m->data.result);
		/* A callback that submitted has woken this already. */
		curl_multi_poll(p->multi, NULL, 0, wait_ms, NULL);
	}
	if (p->orphan)
		pool_free(p);
	return NULL;
}

/* The thread takes no signals: those are the main thread's. */
static int thread_start(struct fetch_pool *p, struct err *e)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&p->thread, NULL, run, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? err_errno(e, error, "no thread for requests to other servers can be started") : 0;
}

static struct fetch_pool *pool_new(struct err *e)
{
	struct fetch_pool *p = calloc(1, sizeof(*p));

	fetch_library_init();
	if (!p || !(p->multi = curl_multi_init())) {
		free(p);
		err_set(e, ERR_MEMORY, "memory is out");
		return NULL;
	}
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->quiet, NULL);
	if (thread_start(p, e) != 0) {
		pool_free(p);
		return NULL;
	}
	return p;
}

static void stop(struct fetch_pool *p, bool ending)
{
	pthread_mutex_lock(&p->lock);
	p->cancelling = true;
	p->ending = ending;
	pthread_mutex_unlock(&p->lock);
	curl_multi_wakeup(p->multi);
}

static struct fetch_pool *share(bool start, struct err *e)
{
	struct fetch_pool *p;

	pthread_mutex_lock(&shared_lock);
	if (!shared && start)
		shared = pool_new(e);
	p = shared;
	share_count += p != NULL;
	pthread_mutex_unlock(&shared_lock);
	return p;
}

struct fetch_pool *fetch_pool_share(struct err *e)
{
	return share(true, e);
}

void fetch_pool_unshare(struct fetch_pool *p)
{
	bool last;

	if (!p)
		return;
	pthread_mutex_lock(&shared_lock);
	last = --share_count == 0;
	if (last)
		shared = NULL;
	pthread_mutex_unlock(&shared_lock);
	if (!last)
		return;
	if (pthread_equal(pthread_self(), p->thread)) {
		p->orphan = true;
		pthread_detach(p->thread);
		stop(p, true);
		return;
	}
	stop(p, true);
	pthread_join(p->thread, NULL);
	pool_free(p);
}

int fetch_pool_submit(struct fetch_pool *p, const struct fetch_job *job, struct err *e)
{
	struct task *t = task_new(job, e);
	bool refused;

	if (!t)
		return -1;
	pthread_mutex_lock(&p->lock);
	refused = p->cancelling;
	if (!refused) {
		list_add(&p->submitted, t);
		p->pending++;
	}
	pthread_mutex_unlock(&p->lock);
	if (refused) {
		task_free(t);
		return err_set(e, ERR_UNREACHABLE, "the runtime is ending: nothing more is asked of other servers");
	}
	curl_multi_wakeup(p->multi);
	return 0;
}

void fetch_pool_cancel(void)
{
	struct fetch_pool *p = share(false, NULL);

	if (!p)
		return;
	stop(p, false);
	pthread_mutex_lock(&p->lock);
	while (p->pending > 0)
		pthread_cond_wait(&p->quiet, &p->lock);
	pthread_mutex_unlock(&p->lock);
	fetch_pool_unshare(p);
}

unsigned long fetch_pool_wakeups(struct fetch_pool *p)
{
	unsigned long count;

	pthread_mutex_lock(&p->lock);
	count = p->wakeups;
	pthread_mutex_unlock(&p->lock);
	return count;
}
