/* The rows of a benchmark: different ones, as many as there must be, from the seed alone. */
#include "core/csv.h"
#include "core/test/bench_rows.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

/* Lines without the header; fails where two are the same. */
static size_t different_lines(const struct bench_rows *rows)
{
	char *text = strdup(rows->csv.data), *rest = text, *lines[BENCH_ROWS + 2];
	size_t count = 0;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line != '\0' && count < BENCH_ROWS + 2)
			lines[count++] = line;
	for (size_t i = 1; i < count; i++)
		for (size_t j = i + 1; j < count; j += 97) /* some of all pairs: all are 8 million */
			assert_string_not_equal(lines[i], lines[j]);
	free(text);
	return count - 1;
}

static struct bench_rows make(const char *csv, uint64_t seed)
{
	struct bench_rows rows;
	struct err e;

	if (bench_rows_from_csv(csv, strlen(csv), seed, &rows, &e) != 0)
		fail_msg("%s", e.text);
	return rows;
}

static void a_large_source_is_drawn_from(void **unused)
{
	(void)unused;
	struct buf csv;

	buf_init(&csv);
	buf_add_string(&csv, "x,y\n");
	for (int i = 0; i < 10000; i++)
		buf_format(&csv, "%d,\"a,%d\"\n", i / 2, i / 2); /* every row twice */
	struct bench_rows rows = make(csv.data, 1), again = make(csv.data, 1), other = make(csv.data, 2);
	assert_int_equal(rows.origin, BENCH_ROWS_GIVEN);
	assert_int_equal(rows.source_count, 5000);
	assert_int_equal(different_lines(&rows), BENCH_ROWS);
	assert_memory_equal(rows.csv.data, "x,y\n", 4);
	assert_string_equal(rows.csv.data, again.csv.data);
	assert_string_not_equal(rows.csv.data, other.csv.data);
	assert_non_null(strstr(rows.csv.data, ",\"a,"));
	bench_rows_release(&rows);
	bench_rows_release(&again);
	bench_rows_release(&other);
	buf_release(&csv);
}

static void few_rows_are_added_to_within_their_ranges(void **unused)
{
	(void)unused;
	struct bench_rows rows = make("whole,real,word\n3,0.5,one\n90,2.25,two\n40,-7e1,\n", 5);
	struct csv csv;
	struct err e;
	size_t words = 0;

	assert_int_equal(rows.origin, BENCH_ROWS_JITTERED);
	assert_int_equal(rows.source_count, 3);
	assert_int_equal(different_lines(&rows), BENCH_ROWS);
	csv_init(&csv);
	assert_int_equal(csv_feed(&csv, rows.csv.data, rows.csv.size, true, &e), 0);
	assert_int_equal(csv_next(&csv, &e), CSV_RECORD);
	while (csv_next(&csv, &e) == CSV_RECORD) {
		char text[64];
		snprintf(text, sizeof text, "%.*s", (int)csv.fields[0].size, csv.fields[0].data);
		assert_null(strpbrk(text, ".e"));
		assert_in_range(strtol(text, NULL, 10), 3, 90);
		snprintf(text, sizeof text, "%.*s", (int)csv.fields[1].size, csv.fields[1].data);
		assert_true(strtod(text, NULL) >= -70 && strtod(text, NULL) <= 2.25);
		words += csv.fields[2].size == 0 || csv.fields[2].size == 3;
	}
	assert_int_equal(words, BENCH_ROWS);
	csv_release(&csv);
	bench_rows_release(&rows);
}

static void what_gives_no_rows_is_said(void **unused)
{
	(void)unused;
	static const char *const cases[][2] = {
	    {"x\n", "there are no rows"},
	    {"x\n1\n", "only 1 different rows can be made of these 1"},
	    {"x,y\n1,2\n3\n", "line 3 has 1 fields, and the header 2"},
	    {"b\n0\n1\n", "only 2 different rows"},
	    /* By value, however it is written; and never beyond the range. */
	    {"x,y\n1.0,2\n1,2.00\n", "only 1 different rows can be made of these 1"},
	    {"x,y\n0,1\n-0,1.0\n", "only 1 different rows can be made of these 1"},
	    {"x,y\n100000000000000,3.50\n", "only 1 different rows can be made of these 1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bench_rows rows;
		struct err e;
		assert_int_equal(bench_rows_from_csv(cases[i][0], strlen(cases[i][0]), 1, &rows, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		if (strstr(e.text, cases[i][1]) == NULL)
			fail_msg("%s", e.text);
		bench_rows_release(&rows);
	}
}

static void a_signature_is_enough(void **unused)
{
	(void)unused;
	struct tensor_spec inputs[] = {{"x", "FP32", 2, {-1, 2}}, {"n", "INT64", 1, {-1}}, {"s", "BYTES", 2, {-1, 1}}};
	const struct manifest manifest = {.input_count = 3, .inputs = inputs};
	struct tensor_spec flag = {"b", "BOOL", 1, {-1}};
	const struct manifest poor = {.input_count = 1, .inputs = &flag};
	struct bench_rows rows;
	struct err e;

	assert_int_equal(bench_rows_from_signature(&manifest, "m", 1, &rows, &e), 0);
	assert_int_equal(rows.origin, BENCH_ROWS_MADE_UP);
	assert_memory_equal(rows.csv.data, "x_0,x_1,n,s\n", 12);
	assert_int_equal(different_lines(&rows), BENCH_ROWS);
	bench_rows_release(&rows);
	assert_int_equal(bench_rows_from_signature(&poor, "m", 1, &rows, &e), -1);
	assert_non_null(strstr(e.text, "only 2 different rows"));
	bench_rows_release(&rows);
}

static void long_fields_do_not_fill_the_memory(void **unused)
{
	(void)unused;
	enum { LONG = 200000 };
	struct bench_rows rows;
	struct buf csv;
	struct err e;

	buf_init(&csv);
	buf_add_string(&csv, "x,word\n");
	for (int i = 0; i < 3; i++) {
		buf_format(&csv, "%d.5,", i);
		for (int j = 0; j < LONG; j++)
			buf_add_char(&csv, 'a');
		buf_add_char(&csv, '\n');
	}
	assert_int_equal(bench_rows_from_csv(csv.data, csv.size, 1, &rows, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_non_null(strstr(e.text, "more than 256 MiB"));
	bench_rows_release(&rows);
	buf_release(&csv);
}

static void a_version_takes_the_rows_or_says_where_not(void **unused)
{
	(void)unused;
	struct tensor_spec inputs[] = {{"x", "FP32", 2, {-1, 2}}, {"n", "INT64", 1, {-1}}};
	const struct manifest manifest = {.input_count = 2, .inputs = inputs};
	static const char *const cases[][2] = {
	    {"n,x_1,x_0\n1,2,3\n4,5,6\n7,8,nine\n", "line 4, column `x_0`: `nine` is not a number"},
	    {"x_0,x_1,n\n1,2,1.5\n", "line 2, column `n`"},
	    {"x_0,n\n1,2\n", "the rows have no column `x_1`"},
	    {"x_0,x_1,n\n1,2\n", "line 2: it has 2 fields, the header 3"},
	    {"x_0,x_1,n\n", "there are no rows"},
	    {"", "there are no rows"},
	};
	struct err e;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(bench_rows_check(&manifest, "m", cases[i][0], strlen(cases[i][0]), &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		if (strstr(e.text, cases[i][1]) == NULL)
			fail_msg("%s", e.text);
	}
	struct buf csv;
	buf_init(&csv);
	buf_add_string(&csv, "more,n,x_1,x_0\n");
	for (int i = 0; i < 5000; i++)
		buf_format(&csv, "q,%d,1,\n", i);
	assert_int_equal(bench_rows_check(&manifest, "m", csv.data, csv.size, &e), 0);
	buf_add_string(&csv, "q,1,1,far\n");
	assert_int_equal(bench_rows_check(&manifest, "m", csv.data, csv.size, &e), -1);
	assert_non_null(strstr(e.text, "line 5002, column `x_0`"));
	buf_release(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_large_source_is_drawn_from),
	    cmocka_unit_test(few_rows_are_added_to_within_their_ranges),
	    cmocka_unit_test(what_gives_no_rows_is_said),
	    cmocka_unit_test(a_signature_is_enough),
	    cmocka_unit_test(long_fields_do_not_fill_the_memory),
	    cmocka_unit_test(a_version_takes_the_rows_or_says_where_not),
	};
	return cmocka_run_group_tests_name("bench_rows", tests, NULL, NULL);
}
