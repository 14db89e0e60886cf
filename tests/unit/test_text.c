/* Names, cleaned strings and numbers for people. */
#include "core/err.h"
#include "core/text.h"
#include "unit.h"

#include <errno.h>

static void names(void **state)
{
	(void)state;
	assert_true(text_name_valid("flight-delay"));
	assert_true(text_name_valid("0a._-"));
	static const char *const wrong[] = {"", "-a", ".a", "A", "a b", "a/b", "a\n", "é"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(text_name_valid(wrong[i]));
	char longest[66];
	memset(longest, 'a', 65);
	longest[65] = '\0';
	assert_false(text_name_valid(longest));
	longest[64] = '\0';
	assert_true(text_name_valid(longest));
}

static void cleaned(void **state)
{
	(void)state;
	static const struct {
		const char *raw, *clean;
	} cases[] = {
	    {"plain µs ▲", "plain µs ▲"},
	    {"a\033[31mb", "a\\x1b[31mb"},
	    {"a\xc2\x9b"
	     "b",
	     "a\\xc2\\x9bb"}, /* C1 control sequence introducer */
	    {"\xe2\x80\xae"
	     "x",
	     "\\xe2\\x80\\xaex"}, /* right-to-left override */
	    {"\xff\xc0\x80", "\\xff\\xc0\\x80"},
	    {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
	    {"tab\tnewline\n", "tab\\x09newline\\x0a"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char clean[64];
		text_clean(clean, sizeof clean, cases[i].raw);
		assert_string_equal(clean, cases[i].clean);
	}
	char small[4];
	text_clean(small, sizeof small, "aaµb");
	assert_string_equal(small, "aa");
}

static void durations(void **state)
{
	(void)state;
	static const struct {
		double ns;
		const char *text;
	} cases[] = {{0, "0ns"},        {850, "850ns"},   {1500, "1.5µs"},  {38400, "38µs"},
		     {999600, "1.0ms"}, {1.2e6, "1.2ms"}, {410e6, "410ms"}, {14e9, "14s"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[16];
		text_duration(text, sizeof text, cases[i].ns, false);
		assert_string_equal(text, cases[i].text);
	}
	char text[16];
	text_duration(text, sizeof text, 38400, true);
	assert_string_equal(text, "38us");
}

static void counts(void **state)
{
	(void)state;
	static const struct {
		double count;
		const char *text;
	} cases[] = {{0, "0"},       {7, "7"},        {0.5, "0.5"},     {310, "310"},
		     {5230, "5.2k"}, {999.6, "1.0k"}, {1.25e6, "1.2M"}, {145e6, "145M"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[16];
		text_count(text, sizeof text, cases[i].count);
		assert_string_equal(text, cases[i].text);
	}
}

static void sizes(void **state)
{
	const struct {
		double bytes;
		const char *text;
	} cases[] = {{0, "0 B"}, {999, "999 B"}, {1000, "1.0 kB"}, {96700, "96.7 kB"}, {1.25e9, "1.2 GB"}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[16];
		text_bytes(text, sizeof text, cases[i].bytes);
		assert_string_equal(text, cases[i].text);
	}
}

static void uptimes(void **state)
{
	(void)state;
	char text[32];
	text_uptime(text, sizeof text, 12 * 86400 + 4 * 3600 + 10 * 60);
	assert_string_equal(text, "12d 04:10");
	text_uptime(text, sizeof text, 3 * 3600 + 62);
	assert_string_equal(text, "03:01:02");
}

static void ages(void **state)
{
	(void)state;
	char text[TEXT_AGE_SIZE];
	static const struct {
		long long seconds;
		const char *text;
	} cases[] = {{-5, "0 s"},   {119, "119 s"},          {120, "2 min"},       {7199, "119 min"},
		     {7200, "2 h"}, {48 * 3600 - 1, "47 h"}, {48 * 3600, "2 days"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		text_age(text, cases[i].seconds);
		assert_string_equal(text, cases[i].text);
	}
}

static void integers(void **state)
{
	(void)state;
	long long number;
	assert_true(text_integer("42", 1, 100, &number) && number == 42);
	static const char *const wrong[] = {"", "x", "1x", "101", "0", " 5", "+5", "99999999999999999999"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(text_integer(wrong[i], 1, 100, &number));
}

static void errors_are_clean_sentences(void **state)
{
	(void)state;
	struct err e;
	assert_int_equal(err_set(&e, ERR_INPUT, "no model `%s`", "a\033]0;x\a"), -1);
	assert_string_equal(e.text, "no model `a\\x1b]0;x\\x07`");
	err_errno(&e, ENOSPC, "%s could not be written", "file");
	assert_int_equal(e.code, ERR_DISK_FULL);
	assert_int_equal(err_exit(e.code), 7);
	assert_int_equal(err_http(ERR_CONFLICT), 409);
	assert_int_equal(err_by_name("conflict"), ERR_CONFLICT);
	assert_int_equal(err_by_name("?"), ERR_SYSTEM);
}

static void ends(void **state)
{
	(void)state;
	assert_true(text_ends_with("rows.csv", ".csv"));
	assert_true(text_ends_with(".csv", ".csv"));
	assert_true(text_ends_with("", ""));
	assert_false(text_ends_with("csv", ".csv"));
	assert_false(text_ends_with("rows.csv.gz", ".csv"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),  cmocka_unit_test(cleaned),  cmocka_unit_test(durations),
	    cmocka_unit_test(counts), cmocka_unit_test(uptimes),  cmocka_unit_test(sizes),
	    cmocka_unit_test(ages),   cmocka_unit_test(integers), cmocka_unit_test(errors_are_clean_sentences),
	    cmocka_unit_test(ends),
	};
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
