/* Where answers end, whole and byte by byte, and what is none. */
#include "core/test/load_answer.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

/* In pieces of this size; *used of the text. */
static enum load_answer_step feed(struct load_answer *a, const char *text, size_t piece, size_t *used)
{
	size_t size = strlen(text), taken;
	enum load_answer_step step = LOAD_ANSWER_MORE;

	load_answer_begin(a);
	for (*used = 0; *used < size && step == LOAD_ANSWER_MORE; *used += taken)
		step = load_answer_feed(a, text + *used, size - *used < piece ? size - *used : piece, &taken);
	return step;
}

struct example {
	const char *text;
	enum load_answer_step step;
	int status;
	bool keep;
	size_t rest; /* bytes behind it */
};

static void check(const struct example *x)
{
	struct load_answer a;
	size_t used;

	for (size_t piece = 1; piece <= strlen(x->text); piece++) {
		enum load_answer_step step = feed(&a, x->text, piece, &used);
		if (step != x->step || (step == LOAD_ANSWER_DONE && (a.status != x->status || a.keep != x->keep ||
								     strlen(x->text) - used != x->rest)))
			fail_msg("in pieces of %zu: step %d, status %d, keep %d, rest %zu: %s", piece, step, a.status,
				 a.keep, strlen(x->text) - used, x->text);
	}
}

static void test_whole_answers(void **state)
{
	(void)state;
	static const struct example list[] = {
	    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", LOAD_ANSWER_DONE, 200, true, 0},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP", LOAD_ANSWER_DONE, 200, true, 4},
	    {"HTTP/1.1 200 OK\nCONTENT-LENGTH:0\n\n", LOAD_ANSWER_DONE, 200, true, 0},
	    {"HTTP/1.1 204\r\n\r\n", LOAD_ANSWER_DONE, 204, true, 0},
	    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", LOAD_ANSWER_DONE, 304, true, 0},
	    {"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", LOAD_ANSWER_DONE, 503, false, 0},
	    {"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n", LOAD_ANSWER_DONE, 200, false, 0},
	    {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", LOAD_ANSWER_DONE, 200, false, 0},
	    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", LOAD_ANSWER_DONE, 200, true, 0},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nok", LOAD_ANSWER_DONE, 200, true, 0},
	};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		check(&list[i]);
}

static void test_chunks(void **state)
{
	(void)state;
	static const struct example list[] = {
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
	     LOAD_ANSWER_DONE, 200, true, 0},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\nDate: x\r\n\r\n!", LOAD_ANSWER_DONE, 200,
	     true, 1},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", LOAD_ANSWER_BAD, 0, false, 0},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", LOAD_ANSWER_BAD, 0, false, 0},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", LOAD_ANSWER_BAD, 0, false, 0},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", LOAD_ANSWER_BAD, 0, false,
	     0},
	};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		check(&list[i]);
}

static void test_interim_answers(void **state)
{
	(void)state;
	static const struct example list[] = {
	    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", LOAD_ANSWER_DONE, 200, true,
	     0},
	    {"HTTP/1.1 103 Early\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	     LOAD_ANSWER_DONE, 200, true, 0},
	    {"HTTP/1.1 101 Switching\r\n\r\n", LOAD_ANSWER_BAD, 0, false, 0},
	};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		check(&list[i]);
}

static void test_what_is_none(void **state)
{
	(void)state;
	static const char *const list[] = {
	    "SSH-2.0-x\r\n",
	    "HTTP/2 200\r\n",
	    "HTTP/1.1 20 OK\r\n",
	    "HTTP/1.1 2000\r\n",
	    "HTTP/1.1 600 x\r\n",
	    "\r\n",
	    "HTTP/1.1 200 OK\r\nno colon\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length:\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
	};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		check(&(struct example){list[i], LOAD_ANSWER_BAD, 0, false, 0});
}

/* Without a length and chunks the connection's end is the answer's; anywhere else it is cut. */
static void test_the_end_of_the_connection(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum load_answer_step step;
	} list[] = {
	    {"HTTP/1.1 200 OK\r\n\r\nhello", LOAD_ANSWER_DONE},
	    {"", LOAD_ANSWER_BAD},
	    {"HTTP/1.1 200 OK\r\n", LOAD_ANSWER_BAD},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", LOAD_ANSWER_BAD},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", LOAD_ANSWER_BAD},
	};
	struct load_answer a;
	size_t used;

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		assert_int_equal(feed(&a, list[i].text, 4, &used), LOAD_ANSWER_MORE);
		assert_int_equal(load_answer_end(&a), list[i].step);
		assert_int_equal(a.begun, list[i].text[0] != '\0');
		assert_false(a.keep);
	}
}

/* A long header is passed over, an endless one is not. */
static void test_limits(void **state)
{
	(void)state;
	static char text[2 * LOAD_HEAD_MAX];
	struct load_answer a;
	size_t used;
	int n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nX: %04000d\r\nContent-Length: 0\r\n\r\n", 0);

	assert_true(n > 4000);
	assert_int_equal(feed(&a, text, 7, &used), LOAD_ANSWER_DONE);
	snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n");
	memset(text + 17, 'x', LOAD_HEAD_MAX);
	assert_int_equal(feed(&a, text, 1000, &used), LOAD_ANSWER_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole_answers),
	    cmocka_unit_test(test_chunks),
	    cmocka_unit_test(test_interim_answers),
	    cmocka_unit_test(test_what_is_none),
	    cmocka_unit_test(test_the_end_of_the_connection),
	    cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
