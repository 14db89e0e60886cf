/* JSON, strictly by RFC 8259. */
#include "core/scan.h"
#include "unit.h"

#include <stdlib.h>

/* Checks a copy of exactly its size, so that the address checks see a byte read too far. */
static bool valid_bytes(const char *text, size_t size)
{
	struct scan s;
	char *copy = malloc(size + (size == 0));
	assert_non_null(copy);
	memcpy(copy, text, size);
	scan_init(&s, copy, size, 8);
	bool good = scan_skip(&s, NULL) && scan_end(&s);
	free(copy);
	return good;
}

static void right(void **state)
{
	(void)state;
	static const char *const texts[] = {
	    "{}",
	    "[]",
	    " [ ] ",
	    "0",
	    "-0",
	    "-0.5e-10",
	    "1E+2",
	    "\"\"",
	    "true",
	    "false",
	    "null",
	    "{\"a\":1,\"a\":[{},[]],\"\":null}",
	    "[1,2 ,\t3\r\n]",
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
	    "\"\\ud83d\\ude00\"",
	    "\"\\uD83D\\uDE00\"",
	    "\"\xf0\x9f\x98\x80 \xc3\xa9 \x7f\"",
	    "\"\\u0000\"",
	    "[[[[[[[[1]]]]]]]]",
	    "\"\xef\xbf\xbf\"",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!valid_bytes(texts[i], strlen(texts[i])))
			fail_msg("refused: %s", texts[i]);
}

static const char *const wrong_texts[] = {
    "",
    " ",
    "{",
    "[",
    "}",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "{\"a\":1 \"b\":2}",
    "[1}",
    "{\"a\":1]",
    "01",
    "-",
    "1.",
    ".5",
    "+1",
    "1e",
    "0x1",
    "1a",
    "NaN",
    "Infinity",
    "-Infinity",
    "tru",
    "nul",
    "True",
    "truex",
    "nulll",
    "'a'",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\\ud800x\"",
    "\"\\ud800\\ud800\"",
    "\"\n\"",
    "\"\t\"",
    "\"\x1f\"",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xe2\x82\"",
    "\"\xe2\x82",
    "\"\xe2",
    "1 2",
    "{} x",
    "[]]",
    "null,",
    "[[[[[[[[[1]]]]]]]]]",
    "\xef\xbb\xbf[]",
    "// a\n1",
    "[1,/**/2]",
    "\v1",
};

static void wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wrong_texts / sizeof *wrong_texts; i++)
		if (valid_bytes(wrong_texts[i], strlen(wrong_texts[i])))
			fail_msg("taken: %s", wrong_texts[i]);
	assert_false(valid_bytes("[1\0]", 4));
	assert_false(valid_bytes("\"a\0\"", 4));
	assert_false(valid_bytes("1\0", 2));
}

/* Every cut of a text is no text. */
static void cut(void **state)
{
	(void)state;
	static const char text[] =
	    "{\"a\\u00e9\\ud83d\\ude00\":[1.5e-3,true,false,null,\"\xf0\x9f\x98\x80\"],\"b\":{}}";
	for (size_t size = 0; size < sizeof text - 1; size++)
		assert_false(valid_bytes(text, size));
	assert_true(valid_bytes(text, sizeof text - 1));
}

static struct scan_span string_of(const char *text)
{
	struct scan s;
	struct scan_span span;
	scan_init(&s, text, strlen(text), 8);
	assert_true(scan_string(&s, &span) && scan_end(&s));
	return span;
}

static void strings(void **state)
{
	(void)state;
	char text[16];
	struct scan_span span = string_of("\"a\\u00e9\\n\\ud83d\\ude00\\u20ac\"");

	assert_int_equal(scan_decode(span, text, sizeof text), 11);
	assert_string_equal(text, "a\xc3\xa9\n\xf0\x9f\x98\x80\xe2\x82\xac");
	assert_true(scan_is(span, text));
	assert_false(scan_is(span, "a\xc3\xa9\n"));
	assert_false(scan_is(span, "a\xc3\xa9\n\xf0\x9f\x98\x80\xe2\x82\xac!"));
	assert_int_equal(scan_decode(span, text, 8), 11);
	assert_string_equal(text, "a\xc3\xa9\n"); /* cut before the character that does not fit */
	assert_true(scan_is(string_of("\"\\u0061bc\""), "abc"));
	assert_false(scan_is(string_of("\"ab\""), "abc"));
	assert_false(scan_is(string_of("\"abcd\""), "abc"));
	assert_false(scan_is(string_of("\"abc\\u0000\""), "abc"));
	assert_true(scan_is(string_of("\"\""), ""));
}

static void pulled(void **state)
{
	(void)state;
	static const char text[] = "{\"n\":-12.5,\"list\":[true,null],\"skip\":{\"a\":[{}]},\"s\":\"x\"}";
	struct scan s;
	struct scan_span key, span;
	struct number n;
	enum scan_kind kind;
	bool first = true, inner = true;

	scan_init(&s, text, sizeof text - 1, 8);
	assert_int_equal(scan_peek(&s), SCAN_OBJECT);
	assert_true(scan_object(&s));
	assert_true(scan_member(&s, &first, &key) && scan_is(key, "n") && scan_number(&s, &n));
	assert_true(number_double(&n) == -12.5);
	assert_true(scan_member(&s, &first, &key) && scan_array(&s));
	assert_true(scan_element(&s, &inner) && scan_literal(&s, &kind) && kind == SCAN_TRUE);
	assert_true(scan_element(&s, &inner) && scan_literal(&s, &kind) && kind == SCAN_NULL);
	assert_false(scan_element(&s, &inner));
	assert_true(scan_member(&s, &first, &key) && scan_skip(&s, &span));
	assert_memory_equal(span.at, "{\"a\":[{}]}", span.size);
	assert_true(scan_member(&s, &first, &key) && scan_string(&s, &span));
	assert_false(scan_member(&s, &first, &key));
	assert_true(scan_end(&s));
}

static void sentences(void **state)
{
	(void)state;
	struct scan s;
	struct err e;
	scan_init(&s, "[1, NaN]", 8, 8);
	assert_false(scan_skip(&s, NULL));
	assert_int_equal(scan_err(&s, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.text, "the body is not valid JSON: expected a value at byte 4 (an absent value is null)");
	/* The first problem sticks. */
	assert_false(scan_array(&s));
	assert_int_equal(scan_peek(&s), SCAN_NONE);
	assert_string_equal(s.problem, "expected a value");
}

static bool lenient_valid(const char *text)
{
	struct scan s;
	scan_init(&s, text, strlen(text), 8);
	s.lenient = true;
	return scan_skip(&s, NULL) && scan_end(&s);
}

static void not_finite(void **state)
{
	(void)state;
	static const char *const good[] = {"NaN", "Infinity", "-Infinity",         "-NaN",
					   "Inf", "-Inf",     "[NaN,-1,Infinity]", "{\"a\": -Infinity }"};
	static const char *const bad[] = {"N",   "Na",       "NaNN",      "I",          "-I",        "Infinit",
					  "nan", "infinity", "+Infinity", "--Infinity", "[NaN NaN]", "-"};
	struct scan s;
	double value;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!lenient_valid(good[i]))
			fail_msg("refused: %s", good[i]);
		if (valid_bytes(good[i], strlen(good[i])))
			fail_msg("let in by strict reading: %s", good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (lenient_valid(bad[i]))
			fail_msg("let in: %s", bad[i]);
	scan_init(&s, "-Infinity", 9, 8);
	s.lenient = true;
	assert_true(scan_not_finite(&s, &value) && value < 0 && value * 2 == value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(not_finite), cmocka_unit_test(right),  cmocka_unit_test(wrong),     cmocka_unit_test(cut),
	    cmocka_unit_test(strings),    cmocka_unit_test(pulled), cmocka_unit_test(sentences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
