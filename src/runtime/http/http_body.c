/*
 * http_body: the body of a request as it arrives: inflated, within its limits, into memory or into
 * a sink.
 */
#include "runtime/http/http_internal.h"

#include "core/compress.h"

#include <stdlib.h>

/* Reserved at most on an announcement alone; more as it arrives. */
#define RESERVE_MAX ((size_t)1 << 20)
/* Of a refused body, beyond the limit, is read and dropped before the refusal is sent. */
#define DROP_MAX ((size_t)64 << 20)

/* The announced length, or 0. Malformed ones are refused by libmicrohttpd itself. */
static unsigned long long announced_size(const struct http_request *request)
{
	const char *length = http_header(request, "Content-Length");
	return length == NULL ? 0 : strtoull(length, NULL, 10);
}

static int begin_inflating(struct exchange *x)
{
	const char *encoding = http_header(&x->request, "Content-Encoding");
	enum compression form;

	if (encoding == NULL)
		return 0;
	if (compression_parse(encoding, &form, &x->refused) != 0)
		return -1;
	if (form == COMPRESSION_NONE)
		return 0;
	x->inflater = inflater_new(form);
	if (x->inflater == NULL)
		return err_set(&x->refused, ERR_MEMORY, "memory is out while inflating the body");
	return 0;
}

int body_begin(struct exchange *x)
{
	const struct http_options *options = &x->server->options;
	unsigned long long size = announced_size(&x->request);

	if (size > options->body_max)
		return err_set(&x->refused, ERR_TOO_LARGE, "the body announces %llu bytes, the limit is %zu", size,
			       options->body_max);
	if (begin_inflating(x) != 0)
		return -1;
	if (options->open_sink != NULL && options->open_sink(options->context, &x->request, &x->sink, &x->refused) != 0)
		return -1;
	if (x->sink.write == NULL && size > 0 &&
	    buf_reserve(&x->body, size < RESERVE_MAX ? (size_t)size : RESERVE_MAX) != 0)
		return err_set(&x->refused, ERR_MEMORY, "memory is out while reading the body");
	return 0;
}

bool body_droppable(const struct exchange *x)
{
	unsigned long long size = announced_size(&x->request);
	return http_header(&x->request, "Expect") == NULL &&
	       size <= (unsigned long long)x->server->options.body_max + DROP_MAX;
}

static void give_back(struct exchange *x)
{
	atomic_fetch_sub(&x->server->held, x->held);
	x->held = 0;
	buf_release(&x->body);
}

/* Bytes of the body itself. */
static int take(void *context, const void *data, size_t size, struct err *e)
{
	struct exchange *x = context;
	struct http_server *s = x->server;

	if (size > s->options.body_max - x->taken)
		return err_set(e, ERR_TOO_LARGE, "the body%s is larger than the limit of %zu bytes",
			       x->inflater != NULL ? ", inflated," : "", s->options.body_max);
	x->taken += size;
	if (x->sink.write != NULL)
		return x->sink.write(x->sink.state, data, size, e);
	if (atomic_fetch_add(&s->held, size) + size > HTTP_BODIES_MAX) {
		atomic_fetch_sub(&s->held, size);
		return err_set(e, ERR_MEMORY, "too many large bodies arrive at once; try again");
	}
	x->held += size;
	buf_add(&x->body, data, size);
	if (x->body.failed)
		return err_set(e, ERR_MEMORY, "memory is out while reading the body");
	return 0;
}

void body_take(struct exchange *x, const char *data, size_t size)
{
	int result;

	if (x->refused.code != ERR_NONE)
		return; /* the rest is dropped; the answer follows at its end */
	if (x->inflater != NULL)
		result = inflater_add(x->inflater, data, size, take, x, &x->refused);
	else
		result = take(x, data, size, &x->refused);
	if (result != 0)
		give_back(x);
}

void body_end(struct exchange *x)
{
	if (x->inflater != NULL && x->refused.code == ERR_NONE)
		inflater_end(x->inflater, &x->refused);
	if (x->body.data == NULL)
		return;
	x->request.body = x->body.data;
	x->request.body_size = x->body.size;
}

void body_leave(struct exchange *x)
{
	inflater_free(x->inflater);
	x->inflater = NULL;
	if (x->sink.end != NULL)
		x->sink.end(x->sink.state);
	atomic_fetch_sub(&x->server->held, x->held);
	x->held = 0;
}
