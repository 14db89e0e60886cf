#include "unit.h"

#include "ui/view/canvas.h"
#include "ui/view/render.h"

static void expect(struct canvas *c, const char *text)
{
	struct buf b;
	buf_init(&b);
	render_text(c, &b);
	assert_string_equal(b.data, text);
	buf_release(&b);
	canvas_clear(c);
}

static void test_put(void **context)
{
	struct canvas *c = canvas_new(8, 1, CHARSET_BRAILLE);
	(void)context;
	assert_int_equal(canvas_put(c, 0, 0, -1, ROLE_TEXT, "abc"), 3);
	expect(c, "abc\n");
	assert_int_equal(canvas_put(c, 0, 2, 4, ROLE_TEXT, "abcdef"), 6);
	expect(c, "  abc…\n");
	canvas_put(c, 0, 0, -1, ROLE_TEXT, "123456789");
	expect(c, "1234567…\n");
	canvas_put_right(c, 0, 1, 5, ROLE_TEXT, "ab");
	expect(c, "    ab\n");
	canvas_put(c, 0, 0, 4, ROLE_TEXT, "長い名前");
	expect(c, "長…\n");
	canvas_put(c, 0, 7, -1, ROLE_TEXT, "長");
	expect(c, "       …\n");
	canvas_put(c, 5, 0, -1, ROLE_TEXT, "off");
	canvas_put(c, 0, 90, -1, ROLE_TEXT, "off");
	expect(c, "\n");
	canvas_free(c);
}

static void test_clean(void **context)
{
	struct canvas *c = canvas_new(20, 1, CHARSET_BRAILLE);
	(void)context;
	canvas_put(c, 0, 0, -1, ROLE_TEXT, "a\033[2Jb");
	expect(c, "a\\x1b[2Jb\n");
	canvas_put(c, 0, 0, -1, ROLE_TEXT, "e\xcc\x81\xef\xbb\xbfx");
	expect(c, "ex\n");
	canvas_put(c, 0, 0, -1, ROLE_TEXT, "\xff\xfe");
	expect(c, "\\xff\\xfe\n");
	canvas_cell(c, 0, 0, 0x1b, ROLE_TEXT);
	expect(c, "\n");
	canvas_free(c);
}

static void test_wide_halves(void **context)
{
	struct canvas *c = canvas_new(6, 1, CHARSET_BRAILLE);
	(void)context;
	canvas_put(c, 0, 0, -1, ROLE_TEXT, "長長");
	canvas_cell(c, 0, 1, 'x', ROLE_TEXT);
	expect(c, " x長\n");
	canvas_put(c, 0, 0, -1, ROLE_TEXT, "長長");
	canvas_cell(c, 0, 2, 'x', ROLE_TEXT);
	expect(c, "長x\n");
	canvas_put(c, 0, 1, -1, ROLE_TEXT, "長");
	canvas_put(c, 0, 0, -1, ROLE_TEXT, "長");
	expect(c, "長\n");
	canvas_free(c);
}

static void test_ascii(void **context)
{
	struct canvas *c = canvas_new(12, 3, CHARSET_ASCII);
	(void)context;
	canvas_frame(c, 0, 0, 3, 12, ROLE_BORDER, "T");
	canvas_put(c, 1, 1, -1, ROLE_TEXT, "8µs █▒◌ 長");
	expect(c, "+- T ------+\n|8us #=. ? |\n+----------+\n");
	canvas_free(c);
}

static void test_limits(void **context)
{
	struct canvas *c = canvas_new(100000, -3, CHARSET_BLOCKS);
	(void)context;
	assert_int_equal(c->columns, CANVAS_COLUMNS_MAX);
	assert_int_equal(c->rows, 1);
	canvas_fill(c, -5, -5, 1000, 100000, 'x', ROLE_OK);
	canvas_paint(c, -5, -5, 1000, 100000, ROLE_BAD);
	assert_int_equal(c->cells[0].role, ROLE_BAD);
	canvas_bold(c, 0, -5, 100000);
	canvas_select(c, 99, 0, 5);
	canvas_free(c);
	canvas_free(NULL);
}

static void test_wrapped(void **context)
{
	struct canvas *c = canvas_new(10, 4, CHARSET_BLOCKS);
	struct buf b;
	(void)context;
	buf_init(&b);
	assert_int_equal(canvas_put_wrapped(c, 0, 0, 10, 4, ROLE_TEXT, "two words and a_word_that_is_long"), 4);
	render_text(c, &b);
	assert_string_equal(b.data, "two words\nand\na_word_tha\nt_is_long\n");
	buf_clear(&b);
	canvas_clear(c);
	assert_int_equal(canvas_put_wrapped(c, 0, 0, 10, 2, ROLE_TEXT, "one two three four five"), 2);
	render_text(c, &b);
	assert_string_equal(b.data, "one two\nthree fou…\n\n\n");
	assert_int_equal(canvas_put_wrapped(c, 0, 0, 1, 9, ROLE_TEXT, "漢字"), 1);
	assert_int_equal(canvas_put_wrapped(c, 0, 0, 5, 9, ROLE_TEXT, ""), 0);
	buf_release(&b);
	canvas_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_put),         cmocka_unit_test(test_clean),
					   cmocka_unit_test(test_wide_halves), cmocka_unit_test(test_ascii),
					   cmocka_unit_test(test_limits),      cmocka_unit_test(test_wrapped)};
	return cmocka_run_group_tests_name("canvas", tests, NULL, NULL);
}
