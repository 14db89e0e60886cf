/* gzip and deflate: round trips, split anywhere; what is refused; what Accept-Encoding means. */
#include "core/compress.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

static int append(void *context, const void *data, size_t size, struct err *e)
{
	struct buf *b = context;
	if (b->size + size > 1000000)
		return err_set(e, ERR_TOO_LARGE, "too large");
	buf_add(b, data, size);
	return 0;
}

/* Inflates in pieces of step bytes. */
static int inflate_all(enum compression form, const void *data, size_t size, size_t step, struct buf *out,
		       struct err *e)
{
	struct inflater *i = inflater_new(form);
	const char *bytes = data;
	int result = 0;

	assert_non_null(i);
	for (size_t at = 0; at < size && result == 0; at += step)
		result = inflater_add(i, bytes + at, size - at < step ? size - at : step, append, out, e);
	if (result == 0)
		result = inflater_end(i, e);
	inflater_free(i);
	return result;
}

static void text(struct buf *b, size_t lines)
{
	buf_init(b);
	for (size_t i = 0; i < lines; i++)
		buf_format(b, "line %zu of %zu\n", i, i * i);
}

static void round_trips(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int form = COMPRESSION_GZIP; form <= COMPRESSION_DEFLATE; form++) {
			struct buf plain, small = {0}, out = {0};
			struct err e;
			text(&plain, 500 * (size_t)(round + 1));
			assert_true(compress_body((enum compression)form, plain.data, plain.size, &small));
			assert_true(small.size < plain.size / 2);
			for (size_t step = 1; step < 3000; step = step * 3 + 1) {
				buf_clear(&out);
				assert_int_equal(
				    inflate_all((enum compression)form, small.data, small.size, step, &out, &e), 0);
				assert_int_equal(out.size, plain.size);
				assert_memory_equal(out.data, plain.data, plain.size);
			}
			buf_release(&plain);
			buf_release(&small);
			buf_release(&out);
		}
	}
}

static void members_follow_one_another(void **state)
{
	(void)state;
	struct buf plain, small = {0}, twice = {0}, out = {0};
	struct err e;

	text(&plain, 50);
	assert_true(compress_body(COMPRESSION_GZIP, plain.data, plain.size, &small));
	buf_add(&twice, small.data, small.size);
	buf_add(&twice, small.data, small.size);
	for (size_t step = 1; step <= twice.size; step++) {
		buf_clear(&out);
		assert_int_equal(inflate_all(COMPRESSION_GZIP, twice.data, twice.size, step, &out, &e), 0);
		assert_int_equal(out.size, 2 * plain.size);
	}
	buf_release(&plain);
	buf_release(&small);
	buf_release(&twice);
	buf_release(&out);
}

/* "hello" in raw deflate, one stored block. */
static const unsigned char raw[] = {1, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o'};

static void raw_deflate_is_read(void **state)
{
	(void)state;
	for (size_t step = 1; step <= sizeof raw; step++) {
		struct buf out = {0};
		struct err e;
		assert_int_equal(inflate_all(COMPRESSION_DEFLATE, raw, sizeof raw, step, &out, &e), 0);
		assert_string_equal(out.data, "hello");
		buf_release(&out);
	}
}

static void damage_is_refused(void **state)
{
	(void)state;
	for (int form = COMPRESSION_GZIP; form <= COMPRESSION_DEFLATE; form++) {
		struct buf plain, small = {0}, out = {0};
		struct err e = {.text = ""};
		text(&plain, 100);
		assert_true(compress_body((enum compression)form, plain.data, plain.size, &small));
		for (size_t cut = 1; cut < small.size; cut++) {
			buf_clear(&out);
			assert_int_equal(inflate_all((enum compression)form, small.data, cut, 64, &out, &e), -1);
			assert_int_equal(e.code, ERR_INPUT);
			assert_non_null(strstr(e.text, "ends too early"));
		}
		buf_add_string(&small, "trailing garbage");
		for (size_t step = 1; step < 200; step++) {
			buf_clear(&out);
			assert_int_equal(inflate_all((enum compression)form, small.data, small.size, step, &out, &e),
					 -1);
			assert_int_equal(e.code, ERR_INPUT);
		}
		small.data[small.size / 2] ^= 0x55;
		buf_clear(&out);
		assert_int_equal(inflate_all((enum compression)form, small.data, small.size, 64, &out, &e), -1);
		assert_int_equal(inflate_all((enum compression)form, "hello, plain text", 17, 64, &out, &e), -1);
		assert_non_null(strstr(e.text, "is malformed"));
		assert_int_equal(inflate_all((enum compression)form, "", 0, 64, &out, &e), 0);
		buf_release(&plain);
		buf_release(&small);
		buf_release(&out);
	}
}

static void the_taker_limits(void **state)
{
	(void)state;
	char *zeros = calloc(1, 2000000);
	struct buf small = {0}, out = {0};
	struct err e;

	assert_true(compress_body(COMPRESSION_GZIP, zeros, 2000000, &small));
	assert_true(small.size < 20000);
	assert_int_equal(inflate_all(COMPRESSION_GZIP, small.data, small.size, small.size, &out, &e), -1);
	assert_int_equal(e.code, ERR_TOO_LARGE);
	assert_true(out.size <= 1000000);
	free(zeros);
	buf_release(&small);
	buf_release(&out);
}

static void what_does_not_shrink_is_left(void **state)
{
	(void)state;
	struct buf small = {0};
	assert_false(compress_body(COMPRESSION_GZIP, "abc", 3, &small));
	assert_null(small.data);
	assert_false(compress_body(COMPRESSION_NONE, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 35, &small));
}

static void names(void **state)
{
	(void)state;
	enum compression form;
	struct err e;
	assert_int_equal(compression_parse(NULL, &form, &e), 0);
	assert_int_equal(form, COMPRESSION_NONE);
	assert_int_equal(compression_parse("identity", &form, &e), 0);
	assert_int_equal(form, COMPRESSION_NONE);
	assert_int_equal(compression_parse("GZip", &form, &e), 0);
	assert_int_equal(form, COMPRESSION_GZIP);
	assert_int_equal(compression_parse("deflate", &form, &e), 0);
	assert_int_equal(form, COMPRESSION_DEFLATE);
	assert_int_equal(compression_parse("br", &form, &e), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_int_equal(compression_parse("gzip, gzip", &form, &e), -1);
}

static void accept_encodings(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		enum compression form;
	} cases[] = {
	    {NULL, COMPRESSION_NONE},
	    {"", COMPRESSION_NONE},
	    {"gzip", COMPRESSION_GZIP},
	    {"GZIP", COMPRESSION_GZIP},
	    {"deflate", COMPRESSION_DEFLATE},
	    {"gzip, deflate, br", COMPRESSION_GZIP},
	    {"br", COMPRESSION_NONE},
	    {"deflate, gzip", COMPRESSION_GZIP},
	    {"gzip;q=0.5, deflate;q=0.8", COMPRESSION_DEFLATE},
	    {"gzip ; q=0.501,deflate;q=0.5", COMPRESSION_GZIP},
	    {"gzip;q=0", COMPRESSION_NONE},
	    {"gzip;q=0.000, deflate", COMPRESSION_DEFLATE},
	    {"*", COMPRESSION_GZIP},
	    {"gzip;q=0, *", COMPRESSION_DEFLATE},
	    {"*;q=0", COMPRESSION_NONE},
	    {"identity", COMPRESSION_NONE},
	    {"identity, gzip;q=0.5", COMPRESSION_NONE},
	    {"identity;q=0.5, gzip", COMPRESSION_GZIP},
	    {"gzip;q=x", COMPRESSION_NONE},
	    {"gzip;q=", COMPRESSION_NONE},
	    {"gzip;q", COMPRESSION_NONE},
	    {",,, gzip ,", COMPRESSION_GZIP},
	    {"gzipped", COMPRESSION_NONE},
	    {"gzip;q=0.123456789123456789", COMPRESSION_GZIP},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(compression_accepted(cases[i].header), cases[i].form);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trips),
	    cmocka_unit_test(members_follow_one_another),
	    cmocka_unit_test(raw_deflate_is_read),
	    cmocka_unit_test(damage_is_refused),
	    cmocka_unit_test(the_taker_limits),
	    cmocka_unit_test(what_does_not_shrink_is_left),
	    cmocka_unit_test(names),
	    cmocka_unit_test(accept_encodings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
