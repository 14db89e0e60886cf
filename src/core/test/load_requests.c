#include "core/test/load_requests.h"

#include "core/rows.h"
#include "core/v2_client.h"

#include <stdlib.h>

#define TENSORS_MAX MANIFEST_TENSORS_MAX

static void add_request(struct buf *out, struct buf *body, const struct manifest *manifest,
			const struct columns_rows *rows, size_t first, size_t count, const char *host, const char *path)
{
	struct tensor tensors[TENSORS_MAX];
	size_t json_size;

	buf_clear(body);
	columns_rows_tensors(rows, first, count, tensors);
	v2_client_write(body, manifest, tensors, NULL, 0, false, &json_size);
	buf_format(out,
		   "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: mldeck-stress\r\nMldeck-Capture: no\r\n"
		   "Content-Type: application/json\r\n"
		   "Content-Length: %zu\r\n\r\n",
		   path, host, body->size);
	buf_add(out, body->data, body->size);
	out->failed = out->failed || body->failed;
}

static int make_all(struct load_requests *r, const struct manifest *manifest, const struct columns_rows *rows,
		    size_t batch, const char *host, const char *path, struct err *e)
{
	struct buf out, body;
	int result = -1;

	buf_init(&out);
	buf_init(&body);
	r->count = rows->count < batch ? 1 : rows->count / batch;
	r->rows = rows->count < batch ? rows->count : r->count * batch;
	r->ends = calloc(r->count, sizeof *r->ends);
	for (size_t i = 0; r->ends != NULL && i < r->count && !out.failed; i++) {
		add_request(&out, &body, manifest, rows, i * batch, rows->count < batch ? rows->count : batch, host,
			    path);
		r->ends[i] = out.size;
		if (out.size > LOAD_BYTES_MAX) {
			err_set(e, ERR_TOO_LARGE, "the requests of these rows have more than %zu MiB; take fewer rows",
				LOAD_BYTES_MAX >> 20);
			goto out;
		}
	}
	if (r->ends == NULL || out.failed) {
		err_set(e, ERR_MEMORY, "memory is out for the requests");
		goto out;
	}
	r->bytes = buf_take(&out);
	result = 0;
out:
	buf_release(&out);
	buf_release(&body);
	return result;
}

int load_requests_make(struct load_requests *r, const struct manifest *manifest, const char *model, const char *host,
		       const char *path, const char *text, size_t size, bool json_lines, size_t batch, struct err *e)
{
	struct columns *columns = columns_new(manifest, model, e);
	struct arena arena = {0};
	struct columns_rows rows;
	int result = -1;

	*r = (struct load_requests){0};
	if (columns == NULL)
		return -1;
	if (batch > columns->row_max) {
		err_set(e, ERR_INPUT, "%s predicts one row at a time; leave --rows out", model);
		goto out;
	}
	if (columns_rows_init(&rows, columns, &arena, 1024, e) == 0 &&
	    rows_read(text, size, json_lines ? ROWS_JSON : ROWS_CSV, &rows, e) == 0)
		result = make_all(r, manifest, &rows, batch, host, path, e);
out:
	columns_free(columns);
	arena_release(&arena);
	if (result != 0)
		load_requests_release(r);
	return result;
}

void load_requests_release(struct load_requests *r)
{
	free(r->bytes);
	free(r->ends);
	*r = (struct load_requests){0};
}

const char *load_requests_at(const struct load_requests *r, uint64_t i, size_t *size)
{
	size_t at = (size_t)(i % r->count), start = at == 0 ? 0 : r->ends[at - 1];

	*size = r->ends[at] - start;
	return r->bytes + start;
}
