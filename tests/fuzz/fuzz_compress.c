/*
 * fuzz_compress: any bytes as a compressed body, in pieces and whole; any text as an
 * Accept-Encoding; and any bytes deflated and inflated again.
 *
 * The first byte chooses the form, the second the size of the pieces.
 */
#include "core/compress.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static int append(void *context, const void *data, size_t size, struct err *e)
{
	struct buf *out = context;
	if (out->size + size > OUT_MAX)
		return err_set(e, ERR_TOO_LARGE, "too large");
	buf_add(out, data, size);
	return 0;
}

static int inflate_all(enum compression form, const uint8_t *data, size_t size, size_t step, struct buf *out)
{
	struct inflater *i = inflater_new(form);
	struct err e = {.code = ERR_NONE};
	int result = 0;

	check(i != NULL);
	for (size_t at = 0; at < size && result == 0; at += step)
		result = inflater_add(i, data + at, size - at < step ? size - at : step, append, out, &e);
	if (result == 0)
		result = inflater_end(i, &e);
	inflater_free(i);
	check(result == 0 || ((e.code == ERR_INPUT || e.code == ERR_TOO_LARGE) && e.text[0] != '\0'));
	return result;
}

/* However it is cut, the outcome is the same. */
static void inflate_both(enum compression form, size_t step, const uint8_t *data, size_t size)
{
	struct buf whole = {0}, pieces = {0};
	int result = inflate_all(form, data, size, size + 1, &whole);
	check(inflate_all(form, data, size, step, &pieces) == result);
	check(result != 0 ||
	      (whole.size == pieces.size && (whole.size == 0 || memcmp(whole.data, pieces.data, whole.size) == 0)));
	buf_release(&whole);
	buf_release(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf small = {0}, out = {0}, name = {0};
	enum compression form;

	if (size < 2)
		return 0;
	form = (data[0] & 1) != 0 ? COMPRESSION_GZIP : COMPRESSION_DEFLATE;
	inflate_both(form, (size_t)data[1] + 1, data + 2, size - 2);
	buf_add(&name, data, size);
	compression_accepted(name.data);
	if (compress_body(form, data, size, &small)) {
		check(small.size <= size);
		check(inflate_all(form, (const uint8_t *)small.data, small.size, (size_t)data[1] + 1, &out) == 0);
		check(out.size == size && memcmp(out.data, data, size) == 0);
	}
	buf_release(&small);
	buf_release(&out);
	buf_release(&name);
	return 0;
}
