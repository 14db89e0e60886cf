#include "unit.h"

#include "core/fetch_pool.h"
#include "lib/web_stub.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Long enough for any machine; a test that waits this long has failed. */
#define DEADLINE_MS 60000
#define MANY 100

static struct web_stub *stub;
static struct fetch_pool *pool;

/* What came of one request. */
struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int calls;
	int result;
	struct err e;
	int status;
	enum fetch_fault fault;
	bool reused;
	size_t size;
	char body[64];
	char header[64];
};

static void outcome_init(struct outcome *o)
{
	*o = (struct outcome){0};
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->changed, NULL);
}

static void done(void *context, int result, struct fetch_answer *answer, const struct err *e)
{
	struct outcome *o = context;

	pthread_mutex_lock(&o->lock);
	o->calls++;
	o->result = result;
	if (result != 0)
		o->e = *e;
	o->status = answer->status;
	o->fault = answer->fault;
	o->reused = answer->reused;
	o->size = answer->body.size;
	snprintf(o->body, sizeof o->body, "%s", answer->body.data == NULL ? "" : answer->body.data);
	if (!fetch_header(answer, "Retry-After", o->header, sizeof o->header))
		o->header[0] = '\0';
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
}

static void outcome_wait(struct outcome *o)
{
	pthread_mutex_lock(&o->lock);
	while (o->calls == 0)
		pthread_cond_wait(&o->changed, &o->lock);
	pthread_mutex_unlock(&o->lock);
}

static struct fetch_job job_for(const char *path, struct outcome *o)
{
	outcome_init(o);
	return (struct fetch_job){.request = {.url = web_stub_url(stub, path),
					      .timeout_ms = DEADLINE_MS,
					      .answer_max = 4096,
					      .direct = true,
					      .keep_headers = true},
				  .done = done,
				  .context = o};
}

static void fetch(const char *path, struct outcome *o)
{
	struct fetch_job job = job_for(path, o);
	struct err e;

	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	outcome_wait(o);
}

static int set_up(void **state)
{
	(void)state;
	stub = web_stub_new();
	pool = fetch_pool_share(NULL);
	return pool == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	fetch_pool_unshare(pool);
	web_stub_free(stub);
	return 0;
}

static void test_one_answer(void **state)
{
	struct outcome o;
	(void)state;

	fetch("/nothing", &o);
	assert_int_equal(o.result, 0);
	assert_int_equal(o.status, 404);
	assert_int_equal(o.fault, FETCH_NONE);
	assert_string_equal(o.body, "nothing here");
	assert_string_equal(o.header, "");
}

static void test_a_body_is_sent(void **state)
{
	struct outcome o;
	struct err e;
	(void)state;
	struct fetch_job job = job_for("/echo", &o);
	job.request.body = "abc\0def";
	job.request.body_size = 7;

	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	outcome_wait(&o);
	assert_int_equal(o.size, 7);
	assert_string_equal(o.body, "abc");
}

static void test_connections_are_used_again(void **state)
{
	struct outcome o;
	(void)state;

	for (int i = 0; i < 20; i++) {
		fetch("/nothing", &o);
		assert_int_equal(o.reused, i > 0);
	}
	assert_int_equal(web_stub_connections(stub), 1);
	assert_int_equal(web_stub_requests(stub), 20);
}

static void test_many_at_once(void **state)
{
	static struct outcome all[MANY];
	struct err e;
	(void)state;

	web_stub_meet(stub, MANY);
	for (int i = 0; i < MANY; i++) {
		struct fetch_job job = job_for("/meet", &all[i]);
		assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	}
	for (int i = 0; i < MANY; i++) {
		outcome_wait(&all[i]);
		assert_string_equal(all[i].body, "met");
	}
}

static void test_headers(void **state)
{
	struct outcome o;
	(void)state;

	fetch("/header", &o);
	assert_int_equal(o.status, 503);
	assert_string_equal(o.header, "2");
}

static void test_faults(void **state)
{
	struct outcome o;
	(void)state;

	fetch("/close", &o);
	assert_int_equal(o.result, -1);
	assert_int_equal(o.fault, FETCH_BROKEN);
	assert_non_null(strstr(o.e.text, "broke off"));
	fetch("/cut", &o);
	assert_int_equal(o.fault, FETCH_BROKEN);
	fetch("/big", &o);
	assert_int_equal(o.fault, FETCH_TOO_LARGE);
	assert_int_equal(o.e.code, ERR_TOO_LARGE);
	assert_true(o.size <= 4096);
}

static void test_time_out(void **state)
{
	struct outcome o;
	struct err e;
	(void)state;
	struct fetch_job job = job_for("/hang", &o);
	job.request.timeout_ms = 20;

	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	outcome_wait(&o);
	assert_int_equal(o.fault, FETCH_TIMEOUT);
	assert_non_null(strstr(o.e.text, "did not answer within 20 ms"));
}

static void test_nobody_there(void **state)
{
	struct outcome o;
	struct err e;
	char url[256];
	(void)state;
	struct fetch_job job = job_for("/", &o);
	/* A port that was just free. */
	struct web_stub *other = web_stub_new();
	snprintf(url, sizeof url, "%s", web_stub_url(other, "/"));
	web_stub_free(other);
	job.request.url = url;

	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	outcome_wait(&o);
	assert_int_equal(o.fault, FETCH_UNCONNECTED);
	assert_int_equal(o.e.code, ERR_UNREACHABLE);
}

static void test_delay(void **state)
{
	struct outcome late, soon;
	struct err e;
	(void)state;
	struct fetch_job job = job_for("/nothing", &late);
	job.delay_ms = DEADLINE_MS;

	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	fetch("/nothing", &soon);
	assert_int_equal(late.calls, 0);
	assert_int_equal(web_stub_requests(stub), 1);
	job.delay_ms = 10;
	job.context = &soon;
	outcome_init(&soon);
	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	outcome_wait(&soon);
	assert_int_equal(late.calls, 0);
	fetch_pool_cancel();
	assert_int_equal(late.calls, 1);
	assert_int_equal(late.fault, FETCH_CANCELLED);
}

static void test_cancel(void **state)
{
	struct outcome o, refused;
	struct err e;
	(void)state;
	struct fetch_job job = job_for("/hang", &o);

	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	wait_until(web_stub_requests(stub) > 0);
	fetch_pool_cancel();
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.fault, FETCH_CANCELLED);
	job = job_for("/hang", &refused);
	assert_int_equal(fetch_pool_submit(pool, &job, &e), -1);
	assert_int_equal(e.code, ERR_UNREACHABLE);
	assert_int_equal(refused.calls, 0);
}

static void test_the_last_share_cancels(void **state)
{
	struct outcome o;
	struct err e;
	(void)state;
	struct fetch_job job = job_for("/hang", &o);

	assert_ptr_equal(fetch_pool_share(&e), pool);
	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	fetch_pool_unshare(pool);
	assert_int_equal(o.calls, 0);
	fetch_pool_unshare(pool);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.fault, FETCH_CANCELLED);
	/* And a new one can be had. */
	pool = fetch_pool_share(&e);
	fetch("/nothing", &o);
	assert_int_equal(o.status, 404);
}

static void unshare_when_done(void *context, int result, struct fetch_answer *answer, const struct err *e)
{
	fetch_pool_unshare(pool);
	done(context, result, answer, e);
}

static void test_the_last_share_is_given_back_by_a_callback(void **state)
{
	struct outcome o;
	struct err e;
	(void)state;
	struct fetch_job job = job_for("/nothing", &o);
	job.done = unshare_when_done;

	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	outcome_wait(&o);
	assert_int_equal(o.status, 404);
	pool = fetch_pool_share(&e);
	fetch("/nothing", &o);
	assert_int_equal(o.status, 404);
}

/* While the pool has nothing to do, and while all of it waits for a server, its thread sleeps. */
static void test_no_busy_loop(void **state)
{
	struct fetch *f = fetch_new();
	struct fetch_answer answer = {0};
	struct outcome o;
	struct err e;
	(void)state;

	fetch("/nothing", &o);
	const struct fetch_request while_waiting = {
	    .url = web_stub_url(stub, "/hang"), .timeout_ms = 200, .answer_max = 10, .direct = true};
	/* Its first may be the one that found nothing left to do. */
	assert_int_equal(fetch_perform(f, &while_waiting, &answer, &e), -1);
	unsigned long before = fetch_pool_wakeups(pool);
	assert_int_equal(fetch_perform(f, &while_waiting, &answer, &e), -1);
	assert_int_equal(fetch_pool_wakeups(pool), before);

	struct fetch_job job = job_for("/hang", &o);
	assert_int_equal(fetch_pool_submit(pool, &job, &e), 0);
	assert_int_equal(fetch_perform(f, &while_waiting, &answer, &e), -1);
	assert_true(fetch_pool_wakeups(pool) < before + 100);
	fetch_pool_cancel();
	fetch_free(f);
	buf_release(&answer.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_one_answer, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_a_body_is_sent, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_connections_are_used_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_many_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_headers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_time_out, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_nobody_there, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_delay, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_the_last_share_cancels, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_the_last_share_is_given_back_by_a_callback, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_busy_loop, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
