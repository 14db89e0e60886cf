/* CSV: records out of pieces of any size, places, limits, and fields written. */
#include "core/csv.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

/* All records as "line@offset:field|field;", `!reason;` for a bad one and `#sentence` for the end of a failure. */
static char *read_in_pieces(const char *text, size_t size, size_t piece, bool lines)
{
	struct csv c;
	struct buf out;
	struct err e;
	size_t at = 0;
	enum csv_step step;

	csv_init(&c);
	buf_init(&out);
	c.lines = lines;
	while ((step = csv_next(&c, &e)) != CSV_END && step != CSV_FAILED) {
		size_t next = size - at < piece ? size - at : piece;
		if (step == CSV_MORE) {
			assert_int_equal(csv_feed(&c, text + at, next, at + next == size, &e), 0);
			at += next;
			continue;
		}
		buf_format(&out, "%d@%d:", (int)c.line, (int)c.offset);
		if (step == CSV_BAD)
			buf_format(&out, "!%s", e.text);
		for (size_t i = 0; step == CSV_RECORD && i < c.field_count; i++) {
			if (i > 0)
				buf_add_char(&out, '|');
			buf_add(&out, c.fields[i].data, c.fields[i].size);
		}
		buf_add_char(&out, ';');
	}
	if (step == CSV_FAILED)
		buf_format(&out, "#%s", e.text);
	buf_add(&out, "", 0);
	csv_release(&c);
	return buf_take(&out);
}

static void check(const char *text, const char *expected, bool lines)
{
	for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
		char *got = read_in_pieces(text, strlen(text), piece, lines);
		assert_string_equal(got, expected);
		free(got);
	}
}

static void records_are_read_in_pieces_of_any_size(void **state)
{
	(void)state;
	check("", "", false);
	check("a,b\n1,2", "1@4:a|b;2@7:1|2;", false);
	check("\xef\xbb\xbf"
	      "a\r\n\r\n\n1\r\n",
	      "1@6:a;4@12:1;", false);
	check("\xef\xbb", "1@2:\xef\xbb;", false);
	check("\"a\"\"b\",\",\n\r\n\"\nx,\"\"\n\"\"\n", "1@14:a\"b|,\n\r\n;4@19:x|;5@22:;", false);
	check("\"a\"\"\nb\"\"\n\",2\n3", "1@13:a\"\nb\"\n|2;4@14:3;", false);
	check("a\"b\",5\"\n,\n", "1@8:a\"b\"|5\";2@10:|;", false);
	check("\"a\"b,c\nd\n", "1@7:!field 1 goes on behind its closing quote;2@9:d;", false);
	check("a\n\"b\nc\n", "1@2:a;#line 2 has a quote that is not closed", false);
	check("{\"a\": \"x,y\"}\n\n\"\n", "1@13:{\"a\": \"x,y\"};3@16:\";", true);
}

static void a_record_has_a_limit(void **state)
{
	static const struct {
		const char *start, *sentence;
	} cases[] = {
	    {"x\n", "1@2:x;#line 2 is longer than 16 MiB"},
	    {"x\n\"", "1@2:x;#line 2 has a quote that is not closed within 16 MiB"},
	};
	size_t size = CSV_RECORD_MAX + 16;
	char *text = malloc(size);
	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 2; i++) {
		memset(text, 'y', size);
		memcpy(text, cases[i].start, strlen(cases[i].start));
		char *got = read_in_pieces(text, size, 1 << 20, false);
		assert_string_equal(got, cases[i].sentence);
		free(got);
	}
	memset(text, ',', CSV_FIELDS_MAX);
	memcpy(text + CSV_FIELDS_MAX, "\n1\n", 3);
	char *got = read_in_pieces(text, CSV_FIELDS_MAX + 3, 1 << 16, false);
	assert_string_equal(got, "1@65537:!it has more than 65536 fields;2@65539:1;");
	free(got);
	free(text);
}

static void reading_goes_on_in_the_middle(void **state)
{
	struct csv c;
	struct err e;
	(void)state;
	csv_init(&c);
	csv_seek(&c, 100, 7);
	assert_int_equal(csv_feed(&c, "5,6\n", 4, true, &e), 0);
	assert_int_equal(csv_next(&c, &e), CSV_RECORD);
	assert_int_equal(c.line, 7);
	assert_int_equal(c.offset, 104);
	csv_release(&c);
}

static void fields_are_quoted_where_needed(void **state)
{
	static const char *const cases[][2] = {
	    {"plain text", "plain text"}, {"", ""},         {"a,b", "\"a,b\""}, {"5\"", "\"5\"\"\""},
	    {"a\nb", "\"a\nb\""},         {"\r", "\"\r\""},
	};
	struct buf out;
	(void)state;
	buf_init(&out);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_clear(&out);
		buf_add_string(&out, "");
		csv_write(&out, cases[i][0], strlen(cases[i][0]));
		assert_string_equal(out.data, cases[i][1]);
	}
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_are_read_in_pieces_of_any_size),
	    cmocka_unit_test(a_record_has_a_limit),
	    cmocka_unit_test(reading_goes_on_in_the_middle),
	    cmocka_unit_test(fields_are_quoted_where_needed),
	};
	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
