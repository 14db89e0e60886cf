/*
 * http_answer: an answer as libmicrohttpd wants it.
 */
#include "runtime/http/http_internal.h"

#include "core/compress.h"

#include <microhttpd.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COMPRESS_MIN 256 /* bytes: below, the header line costs what it saves */
#define RETRY_AFTER_S "1"
#define ANSWER_PART_SIZE ((size_t)4 << 20)

void http_add_header(struct http_response *response, const char *name, const char *value)
{
	if (response->header_count == HTTP_RESPONSE_HEADERS_MAX)
		return;
	struct http_header *line = &response->headers[response->header_count++];
	snprintf(line->name, sizeof line->name, "%s", name);
	snprintf(line->value, sizeof line->value, "%s", value);
}

/* Deflates the body when the client takes that; the name of the encoding, or NULL. */
static const char *compress(const struct http_request *request, struct buf *body)
{
	enum compression form = compression_accepted(http_header(request, "Accept-Encoding"));
	struct buf small = {0};

	if (!compress_body(form, body->data, body->size, &small))
		return NULL;
	buf_release(body);
	*body = small;
	return compression_name(form);
}

/* Read as it is sent, so that no answer is as large in memory as a model. */
static struct MHD_Response *make_body(struct http_response *response)
{
	if (response->from_file) {
		struct MHD_Response *made = MHD_create_response_from_fd64(response->file_size, response->file_fd);
		if (made == NULL)
			close(response->file_fd);
		return made;
	}
	size_t size = response->body.size;
	char *data = buf_take(&response->body);
	struct MHD_Response *made = data == NULL ? MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT)
						 : MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
	if (made == NULL)
		free(data);
	return made;
}

static struct MHD_Response *make_response(const struct http_request *request, struct http_response *response)
{
	bool large = response->compressible && response->body.size >= COMPRESS_MIN;
	const char *encoding = large ? compress(request, &response->body) : NULL;
	struct MHD_Response *made = make_body(response);
	if (made == NULL)
		return NULL;
	if (response->content_type != NULL)
		MHD_add_response_header(made, "Content-Type", response->content_type);
	if (response->allow[0] != '\0')
		MHD_add_response_header(made, "Allow", response->allow);
	if (response->json_size > 0) {
		char number[24];
		snprintf(number, sizeof number, "%zu", response->json_size);
		MHD_add_response_header(made, "Inference-Header-Content-Length", number);
	}
	if (encoding != NULL)
		MHD_add_response_header(made, "Content-Encoding", encoding);
	if (large)
		MHD_add_response_header(made, "Vary", "Accept-Encoding");
	if (response->status == 429 || response->status == 503)
		MHD_add_response_header(made, "Retry-After", RETRY_AFTER_S);
	for (size_t i = 0; i < response->header_count; i++)
		MHD_add_response_header(made, response->headers[i].name, response->headers[i].value);
	if (response->close)
		MHD_add_response_header(made, "Connection", "close");
	return made;
}

int http_send(struct exchange *x, struct http_response *response)
{
	struct http_server *s = x->server;

	if (response->body.failed) {
		struct err e;
		buf_release(&response->body);
		err_set(&e, ERR_MEMORY, "memory is out while answering");
		s->options.refuse(response, &e);
	}
	if (atomic_load_explicit(&s->draining, memory_order_relaxed))
		response->close = true;
	uint64_t size = response->from_file ? response->file_size : response->body.size;
	struct MHD_Response *made = make_response(&x->request, response);
	if (made == NULL)
		return MHD_NO;
	cors_add(s->options.cors, &x->request, response->allow, made);
	peer_limit(x->request.connection, s->options.answer_timeout_ms * (1 + (int64_t)(size / ANSWER_PART_SIZE)));
	enum MHD_Result queued = MHD_queue_response(x->request.connection, (unsigned)response->status, made);
	MHD_destroy_response(made);
	return (int)queued;
}
