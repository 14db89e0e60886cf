/* remote_call: one prediction by another server: asked, perhaps asked again, and answered. */
#include "runtime/engine/remote_internal.h"

#include "core/clock.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Before nobody's answering is tried again; doubled each time. */
#define RETRY_PAUSE_MS 50

struct call {
	struct remote_model *model;
	struct inference *inference;
	struct engine_call receiver;
	struct buf body;
	size_t json_size;
	int retries; /* so far */
	int timeout_ms;
	int64_t deadline_ms; /* monotonic */
};

static void fetched(void *context, int result, struct fetch_answer *answer, const struct err *e);

static enum remote_count_kind count_kind(int result, const struct err *e)
{
	if (result == 0)
		return REMOTE_COUNT_OK;
	switch (e->code) {
	case ERR_INPUT:
	case ERR_TOO_LARGE:
		return REMOTE_COUNT_INPUT;
	case ERR_BUSY:
		return REMOTE_COUNT_BUSY;
	case ERR_UPSTREAM:
	case ERR_UNREACHABLE:
		return REMOTE_COUNT_UPSTREAM;
	case ERR_TIMEOUT:
		return REMOTE_COUNT_TIMEOUT;
	default:
		return REMOTE_COUNT_OTHER;
	}
}

/* The model may be gone once the receiver knows. */
static void finish(struct call *c, int result, const struct err *e)
{
	const struct engine_call receiver = c->receiver;

	remote_count(c->model, count_kind(result, e));
	atomic_fetch_sub(&c->model->in_flight, 1);
	buf_release(&c->body);
	free(c);
	receiver.done(receiver.context, result, e);
}

static int timed_out(const struct call *c, struct err *e)
{
	return err_set(e, ERR_TIMEOUT, "%s did not answer within %d ms", c->model->remote.url, c->timeout_ms);
}

static int submit(struct call *c, int delay_ms, struct err *e)
{
	int64_t left_ms = c->deadline_ms - clock_ms() - delay_ms;
	struct remote_ask ask;

	if (left_ms < 1)
		return timed_out(c, e);
	if (remote_ask(c->model, "/infer", (int)left_ms, &ask, e) != 0)
		return -1;
	ask.headers[1] = "Content-Type: application/json";
	if (c->json_size < c->body.size) {
		snprintf(ask.length, sizeof ask.length, "Inference-Header-Content-Length: %zu", c->json_size);
		ask.headers[1] = "Content-Type: application/octet-stream";
		ask.headers[2] = ask.length;
	}
	ask.request.body = c->body.data;
	ask.request.body_size = c->body.size;
	const struct fetch_job job = {.request = ask.request, .delay_ms = delay_ms, .done = fetched, .context = c};
	return fetch_pool_submit(c->model->pool, &job, e);
}

/* Milliseconds until it may be asked again, -1: it may not. Only where nothing can have been done
 * yet: there was no connection, or the server says that it took nothing on and when to come back. A
 * kept connection that had ended is replaced by libcurl itself. */
static int retry_pause_ms(const struct call *c, const struct fetch_answer *answer)
{
	char text[16];
	long long seconds;

	if (c->retries >= c->model->remote.retries)
		return -1;
	if (answer->fault == FETCH_UNCONNECTED)
		return RETRY_PAUSE_MS << c->retries;
	if (answer->fault != FETCH_NONE || (answer->status != 429 && answer->status != 503) ||
	    !fetch_header(answer, "Retry-After", text, sizeof text) ||
	    !text_integer(text, 0, REMOTE_TIMEOUT_MAX_MS / 1000, &seconds))
		return -1;
	return seconds == 0 ? RETRY_PAUSE_MS << c->retries : (int)seconds * 1000;
}

static int read_answer(struct call *c, const struct fetch_answer *answer, struct err *e)
{
	const char *url = c->model->remote.url;
	size_t json_size;

	if (answer->status != 200)
		return remote_refusal(url, answer, e);
	if (remote_json_size(url, answer, &json_size, e) != 0)
		return -1;
	return remote_answer_read(c->inference, c->model->remote.free_rows, url, answer->body.data, answer->body.size,
				  json_size, e);
}

/* On the pool's thread. */
static void fetched(void *context, int result, struct fetch_answer *answer, const struct err *fault)
{
	struct call *c = context;
	struct err e;

	if (answer->fault == FETCH_NONE && !answer->reused)
		remote_count(c->model, REMOTE_COUNT_CONNECTION);
	int pause_ms = retry_pause_ms(c, answer);
	if (pause_ms >= 0 && pause_ms < c->deadline_ms - clock_ms()) {
		c->retries++;
		remote_count(c->model, REMOTE_COUNT_RETRY);
		if (submit(c, pause_ms, &e) == 0)
			return;
		result = -1;
	} else if (answer->fault == FETCH_TIMEOUT && clock_ms() >= c->deadline_ms) {
		result = timed_out(c, &e);
	} else if (result != 0) {
		result = remote_broken(answer, fault, &e);
	} else {
		result = read_answer(c, answer, &e);
	}
	if (result == 0 || (e.code != ERR_MEMORY && answer->fault != FETCH_CANCELLED))
		remote_heard(c->model, result == 0 ? NULL : &e);
	finish(c, result, &e);
}

static int begin(struct call *c, struct err *e)
{
	struct remote_model *m = c->model;
	unsigned before = atomic_fetch_add(&m->in_flight, 1);

	if (before >= m->in_flight_max)
		return err_set(e, ERR_BUSY, "%u predictions by %s are under way, and no more are begun", before,
			       m->remote.url);
	if (remote_request_write(c->inference, m->binary, &c->body, &c->json_size, e) != 0)
		return -1;
	return submit(c, 0, e);
}

void remote_start(void *model, struct inference *inference, const struct engine_call *receiver)
{
	struct remote_model *m = model;
	struct call *c = malloc(sizeof *c);
	struct err e;

	if (c == NULL) {
		err_set(&e, ERR_MEMORY, "memory is out for a request to another server");
		remote_count(m, REMOTE_COUNT_OTHER);
		receiver->done(receiver->context, -1, &e);
		return;
	}
	*c = (struct call){.model = m, .inference = inference, .receiver = *receiver};
	buf_init(&c->body);
	c->timeout_ms = m->remote.timeout_ms;
	if (inference->deadline_ms > 0 && inference->deadline_ms < c->timeout_ms)
		c->timeout_ms = inference->deadline_ms;
	c->deadline_ms = clock_ms() + c->timeout_ms;
	if (begin(c, &e) != 0)
		finish(c, -1, &e);
}
