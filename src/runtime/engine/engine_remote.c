/*
 * engine_remote: a version that is a model on another V2 server, by its URL (see core/remote.h).
 *
 * At deploy the server is asked for the model's signature; at a restart nothing is waited for.
 * Predictions, and questions whether it is ready, go through the process's fetch_pool.
 */
#include "runtime/engine/remote_internal.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METADATA_MAX ((size_t)4 << 20)

/* --- counts --- */

const char *remote_count_name(enum remote_count_kind kind)
{
	static const char *const names[] = {
#define X(name, text) text,
	    REMOTE_COUNTS(X)
#undef X
	};
	return names[kind];
}

void remote_count(struct remote_model *m, enum remote_count_kind kind)
{
	atomic_fetch_add_explicit(&m->counts[kind], 1, memory_order_relaxed);
}

void remote_counts(void *model, struct remote_counts *counts)
{
	struct remote_model *m = model;
	for (size_t i = 0; i < REMOTE_COUNT_KINDS; i++)
		counts->counts[i] = atomic_load_explicit(&m->counts[i], memory_order_relaxed);
	counts->in_flight = atomic_load(&m->in_flight);
}

/* --- the model --- */

void remote_model_unref(struct remote_model *m)
{
	if (atomic_fetch_sub(&m->references, 1) > 1)
		return;
	remote_token_release(&m->token);
	remote_release(&m->remote);
	pthread_mutex_destroy(&m->health.lock);
	free(m);
}

static void unload(void *model)
{
	struct remote_model *m = model;
	struct fetch_pool *pool = m->pool;

	remote_model_unref(m);
	fetch_pool_unshare(pool);
}

static void settle(struct remote *r, const struct config_remote *c)
{
	if (r->timeout_ms == 0)
		r->timeout_ms = c->timeout_ms;
	if (r->connect_timeout_ms == 0)
		r->connect_timeout_ms = c->connect_timeout_ms;
	if (r->retries < 0)
		r->retries = (int)c->retries;
	if (r->ca_file[0] == '\0')
		snprintf(r->ca_file, sizeof r->ca_file, "%s", c->ca_file);
}

static int model_new(const struct engine_source *source, struct remote_model **result, struct err *e)
{
	struct remote_model *m = calloc(1, sizeof *m);

	if (m == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while loading a model");
	if (remote_read(source->data, source->size, &m->remote, e) != 0) {
		free(m);
		return -1;
	}
	settle(&m->remote, &source->config->remote);
	atomic_store(&m->references, 1);
	remote_token_init(&m->token, m->remote.token_file);
	pthread_mutex_init(&m->health.lock, NULL);
	m->answer_max = source->config->server.body_max;
	m->in_flight_max = source->config->remote.in_flight_max;
	m->pool = fetch_pool_share(e);
	if (m->pool == NULL) {
		remote_model_unref(m);
		return -1;
	}
	*result = m;
	return 0;
}

int remote_ask(struct remote_model *m, const char *path, int timeout_ms, struct remote_ask *ask, struct err *e)
{
	if (remote_token_header(&m->token, ask->header, e) != 0)
		return -1;
	snprintf(ask->url, sizeof ask->url, "%s%s", m->remote.url, path);
	memset(ask->headers, 0, sizeof ask->headers);
	/* Never none, so that a caller can put its own behind it. */
	ask->headers[0] = ask->header[0] != '\0' ? ask->header : "Accept: */*";
	ask->request = (struct fetch_request){
	    .url = ask->url,
	    .headers = ask->headers,
	    .timeout_ms = timeout_ms,
	    .connect_timeout_ms = m->remote.connect_timeout_ms,
	    .answer_max = m->answer_max,
	    .ca_file = m->remote.ca_file[0] != '\0' ? m->remote.ca_file : NULL,
	    .http2 = true,
	    .keep_headers = true,
	};
	return 0;
}

/* --- at deploy --- */

/* An answer that is waited for. */
struct wait {
	sem_t heard;
	int result;
	struct fetch_answer *answer;
	struct err *fault;
};

static void wait_over(void *context, int result, struct fetch_answer *answer, const struct err *fault)
{
	struct wait *w = context;

	w->result = result;
	if (result != 0)
		*w->fault = *fault;
	*w->answer = (struct fetch_answer){.status = answer->status, .fault = answer->fault, .body = answer->body};
	buf_init(&answer->body);
	sem_post(&w->heard);
}

/* As fetch_perform(), but the end of the runtime ends it. */
static int ask_and_wait(struct remote_model *m, const struct fetch_request *request, struct fetch_answer *answer,
			struct err *fault)
{
	struct wait w = {.answer = answer, .fault = fault};
	const struct fetch_job job = {.request = *request, .done = wait_over, .context = &w};

	sem_init(&w.heard, 0, 0);
	int result = fetch_pool_submit(m->pool, &job, fault);
	if (result != 0) {
		answer->fault = fault->code == ERR_MEMORY ? FETCH_LOCAL : FETCH_CANCELLED;
	} else {
		while (sem_wait(&w.heard) != 0)
			;
		result = w.result;
	}
	sem_destroy(&w.heard);
	return result;
}

/* One JSON object; NULL with the reason. */
static cJSON *get_json(struct remote_model *m, const struct remote_ask *ask, struct err *e)
{
	struct fetch_answer answer = {0};
	struct err fault;
	cJSON *json = NULL;

	if (ask_and_wait(m, &ask->request, &answer, &fault) != 0) {
		remote_broken(&answer, &fault, e);
	} else if (answer.status != 200) {
		remote_refusal(m->remote.url, &answer, e);
		if (answer.status == 404)
			e->code = ERR_NOT_FOUND;
	} else {
		json = answer.body.size == 0 ? NULL : cJSON_ParseWithLength(answer.body.data, answer.body.size);
		if (!cJSON_IsObject(json)) {
			err_set(e, ERR_UPSTREAM, "%s answered with something else than a JSON object",
				ask->request.url);
			cJSON_Delete(json);
			json = NULL;
		}
	}
	buf_release(&answer.body);
	return json;
}

/* The server's own metadata; it is no harm when there is none. */
static cJSON *get_server(struct remote_model *m, struct remote_ask *ask)
{
	struct err ignored;
	ask->url[remote_url_base(m->remote.url)] = '\0';
	return get_json(m, ask, &ignored);
}

static int introduce(struct remote_model *m, struct manifest *manifest, struct err *e)
{
	struct remote_ask ask;

	if (remote_ask(m, "", m->remote.timeout_ms, &ask, e) != 0)
		return -1;
	ask.request.answer_max = METADATA_MAX;
	cJSON *model = get_json(m, &ask, e);
	if (model == NULL)
		return -1;
	cJSON *server = get_server(m, &ask);
	int result = remote_describe(&m->remote, model, server, manifest, e);
	if (result == 0)
		remote_heard(m, NULL);
	cJSON_Delete(model);
	cJSON_Delete(server);
	return result;
}

/* --- the engine --- */

static const char *detect(const void *data, size_t size)
{
	return remote_detect(data, size) ? "v2" : NULL;
}

static int load(const struct engine_source *source, struct manifest *manifest, struct prediction_kind *kind,
		void **model, struct err *e)
{
	struct remote_model *m = NULL;
	const struct manifest *described = source->known != NULL ? source->known : manifest;

	if (model_new(source, &m, e) != 0)
		return -1;
	if (source->known == NULL && introduce(m, manifest, e) != 0) {
		unload(m);
		return -1;
	}
	m->binary = remote_takes_binary(described);
	remote_kind(described, kind);
	*model = m;
	/* Asks, so that it is known by the time that somebody wants to know. */
	remote_ready(m, NULL);
	return 0;
}

const struct engine engine_remote = {
    .name = "remote",
    .formats = "the URL of a model on a V2 server",
    .detect = detect,
    .load = load,
    .start = remote_start,
    .unload = unload,
    .ready = remote_ready,
};
