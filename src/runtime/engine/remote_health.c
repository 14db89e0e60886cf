/* remote_health: whether the server is well, by what was last heard of it; asked only when somebody
 * wants to know. */
#include "runtime/engine/remote_internal.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was heard is believed that long. */
#define FRESH_MS 5000
/* While it is unwell it is asked at most that often. */
#define ASK_PAUSE_MS 1000
#define READY_ANSWER_MAX ((size_t)64 << 10)

void remote_heard(struct remote_model *m, const struct err *e)
{
	struct remote_health *h = &m->health;

	/* A refusal shows that it is there. */
	if (e != NULL && (e->code == ERR_INPUT || e->code == ERR_TOO_LARGE || e->code == ERR_BUSY))
		e = NULL;
	pthread_mutex_lock(&h->lock);
	h->heard_ms = clock_ms();
	h->bad = e != NULL;
	if (e != NULL)
		snprintf(h->reason, sizeof h->reason, "%s", e->text);
	pthread_mutex_unlock(&h->lock);
}

/* Most answer with nothing; KServe with {"name": ..., "ready": bool}. */
static int read_ready(struct remote_model *m, const struct fetch_answer *answer, struct err *e)
{
	if (answer->status != 200)
		return remote_refusal(m->remote.url, answer, e);
	cJSON *json = answer->body.size == 0 ? NULL : cJSON_ParseWithLength(answer->body.data, answer->body.size);
	bool no = cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "ready"));
	cJSON_Delete(json);
	return no ? err_set(e, ERR_UPSTREAM, "%s is not ready", m->remote.url) : 0;
}

static void heard_ready(void *context, int result, struct fetch_answer *answer, const struct err *fault)
{
	struct remote_model *m = context;
	struct err e;

	if (result != 0)
		remote_broken(answer, fault, &e);
	else
		result = read_ready(m, answer, &e);
	/* Here a refusal is no good sign. */
	if (result != 0)
		e.code = ERR_UPSTREAM;
	if (answer->fault != FETCH_CANCELLED)
		remote_heard(m, result == 0 ? NULL : &e);
	pthread_mutex_lock(&m->health.lock);
	m->health.asking = false;
	pthread_mutex_unlock(&m->health.lock);
	remote_model_unref(m);
}

static void ask_ready(struct remote_model *m)
{
	struct remote_ask ask;
	struct err e;

	atomic_fetch_add(&m->references, 1);
	if (remote_ask(m, "/ready", m->remote.timeout_ms, &ask, &e) == 0) {
		ask.request.answer_max = READY_ANSWER_MAX;
		const struct fetch_job job = {.request = ask.request, .done = heard_ready, .context = m};
		if (fetch_pool_submit(m->pool, &job, &e) == 0)
			return;
	}
	remote_heard(m, &e);
	pthread_mutex_lock(&m->health.lock);
	m->health.asking = false;
	pthread_mutex_unlock(&m->health.lock);
	remote_model_unref(m);
}

int remote_ready(void *model, struct err *e)
{
	struct remote_model *m = model;
	struct remote_health *h = &m->health;
	int64_t now_ms = clock_ms();
	int result = 0;

	pthread_mutex_lock(&h->lock);
	bool stale = h->heard_ms == 0 || h->bad || now_ms - h->heard_ms > FRESH_MS;
	bool ask = stale && !h->asking && (h->asked_ms == 0 || now_ms - h->asked_ms >= ASK_PAUSE_MS);
	if (ask) {
		h->asking = true;
		h->asked_ms = now_ms;
	}
	if (h->heard_ms == 0)
		result = err_set(e, ERR_UNREACHABLE, "%s has not been heard of yet", m->remote.url);
	else if (h->bad)
		result = err_set(e, ERR_UNREACHABLE, "%s", h->reason);
	pthread_mutex_unlock(&h->lock);
	if (ask)
		ask_ready(m);
	return result;
}
