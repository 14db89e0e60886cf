#include "core/batch_client.h"

#include "core/fetch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX ((size_t)256 << 20)
/* Of one chunk: longer than any server's own deadline, so that its sentence comes first. */
#define TIMEOUT_MS 120000

struct connection {
	struct fetch *fetch;
	struct buf body;
	struct fetch_answer answer;
};

struct batch_client {
	const struct manifest *manifest;
	char *socket_path;
	char url[256];
	size_t count;
	struct connection *connections;
};

struct batch_client *batch_client_new(const char *socket_path, const char *model, uint32_t version,
				      const struct manifest *manifest, size_t threads, struct err *e)
{
	struct batch_client *c = calloc(1, sizeof *c);

	if (c == NULL)
		goto fail;
	c->manifest = manifest;
	c->socket_path = strdup(socket_path);
	c->connections = calloc(threads, sizeof *c->connections);
	if (c->socket_path == NULL || c->connections == NULL)
		goto fail;
	snprintf(c->url, sizeof c->url, "http://localhost/v2/models/%s/versions/%u/infer", model, (unsigned)version);
	for (; c->count < threads; c->count++) {
		c->connections[c->count].fetch = fetch_new();
		if (c->connections[c->count].fetch == NULL)
			goto fail;
	}
	return c;
fail:
	batch_client_free(c);
	err_set(e, ERR_MEMORY, "memory is out");
	return NULL;
}

void batch_client_free(struct batch_client *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++) {
		fetch_free(c->connections[i].fetch);
		buf_release(&c->connections[i].body);
		buf_release(&c->connections[i].answer.body);
	}
	free(c->connections);
	free(c->socket_path);
	free(c);
}

/* The answer has what was asked for, in the order of the question. */
static int check_outputs(const struct batch_question *q, const struct v2_named *outputs, size_t count, struct err *e)
{
	for (size_t i = 0; i < q->output_count; i++)
		if (i >= count || strcmp(outputs[i].name, q->output_names[i]) != 0)
			return err_set(e, ERR_UPSTREAM, "the answer has no output `%s` in its place",
				       q->output_names[i]);
	return 0;
}

int batch_client_predict(void *context, size_t thread, struct batch_question *question, struct err *e)
{
	struct batch_client *c = context;
	struct connection *own = &c->connections[thread];
	char length[64];
	const char *headers[] = {length, "Content-Type: application/octet-stream", "Mldeck-Client: predict", NULL};
	size_t json_size, count;

	assert(thread < c->count);
	buf_clear(&own->body);
	v2_client_write(&own->body, c->manifest, question->inputs, question->output_names, question->output_count, true,
			&json_size);
	if (own->body.failed)
		return err_set(e, ERR_MEMORY, "memory is out for a request");
	snprintf(length, sizeof length, "Inference-Header-Content-Length: %zu", json_size);
	const struct fetch_request request = {.socket_path = c->socket_path,
					      .url = c->url,
					      .headers = headers,
					      .body = own->body.data,
					      .body_size = own->body.size,
					      .timeout_ms = TIMEOUT_MS,
					      .answer_max = ANSWER_MAX};
	if (fetch_perform(own->fetch, &request, &own->answer, e) != 0)
		return -1;
	const struct buf *body = &own->answer.body;
	if (own->answer.status != 200)
		return v2_client_refused(body->data, body->size, own->answer.status, e);
	/* The tensors outlive this answer, so their bytes go into the arena too. */
	const char *kept = arena_copy(question->arena, body->data, body->size);
	if (kept == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for an answer");
	if (v2_client_read(kept, body->size, question->arena, &question->outputs, &count, e) != 0)
		return -1;
	return check_outputs(question, question->outputs, count, e);
}
