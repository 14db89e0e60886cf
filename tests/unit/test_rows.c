/* Rows of CSV and JSON lines: matched to columns by name, with sentences that name line and column. */
#include "core/rows.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>

static char *names[] = {"a", "b"};
static struct tensor_spec input = {"rows", "FP64", 2, {-1, 2}};
static const struct manifest manifest = {
    .input_count = 1, .inputs = &input, .feature_count = 2, .feature_names = names};
static struct arena arena;
static struct columns *columns;

static int set_up(void **state)
{
	struct err e;
	(void)state;
	columns = columns_new(&manifest, "m", &e);
	return columns == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	columns_free(columns);
	arena_release(&arena);
	return 0;
}

/* The cells of all rows; their number in *count. */
static const double *read_all(const char *text, enum rows_format format, size_t *count)
{
	struct columns_rows into;
	struct err e = {0};
	assert_int_equal(columns_rows_init(&into, columns, &arena, 1, &e), 0);
	if (rows_read(text, strlen(text), format, &into, &e) != 0)
		fail_msg("%s", e.text);
	*count = into.count;
	return into.data[0];
}

static void columns_are_matched_by_name(void **state)
{
	size_t count;
	(void)state;
	const double *rows = read_all("b,other,a\n1,x,2\r\n,y,\"-3e2\"\nNaN,,na\n\n", ROWS_CSV, &count);
	assert_int_equal(count, 3);
	assert_true(rows[0] == 2 && rows[1] == 1 && rows[2] == -300);
	assert_true(isnan(rows[3]) && isnan(rows[4]) && isnan(rows[5]));
}

/* A data frame's names, as LightGBM's file does not have them. */
static void a_blank_in_a_name_is_explained(void **state)
{
	static char *with[] = {"petal_width_(cm)"};
	static struct tensor_spec one = {"rows", "FP64", 2, {-1, 1}};
	static const struct manifest m = {.input_count = 1, .inputs = &one, .feature_count = 1, .feature_names = with};
	const char text[] = "id,petal width (cm)\n1,2\n";
	struct columns_rows into;
	struct err e = {0};
	(void)state;

	struct columns *c = columns_new(&m, "m", &e);
	assert_non_null(c);
	assert_int_equal(columns_rows_init(&into, c, &arena, 1, &e), 0);
	assert_int_equal(rows_read(text, sizeof text - 1, ROWS_CSV, &into, &e), -1);
	assert_string_equal(e.text, "the rows have no column `petal_width_(cm)`, which the model needs; name "
				    "`petal width (cm)` so (LightGBM writes blanks in names as `_`)");
	columns_free(c);
}

static void json_lines_are_objects_or_arrays(void **state)
{
	size_t count;
	(void)state;
	const double *rows = read_all("{\"b\": 1, \"more\": {\"x\": [1]}, \"a\": \"2.5\"}\r\n"
				      "\n[3, null]\n{\"\\u0061\":-1e-2,\"b\":null}",
				      ROWS_JSON, &count);
	assert_int_equal(count, 3);
	assert_true(rows[0] == 2.5 && rows[1] == 1 && rows[2] == 3 && isnan(rows[3]));
	assert_true(rows[4] == -0.01 && isnan(rows[5]));
}

static void bad_rows_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *sentence;
	} cases[] = {
	    {"", "there are no rows"},
	    {"a\n1\n", "the rows have no column `b`, which the model needs (the first line names the columns)"},
	    {"a;b\n1;2\n", "the first line is one field, `a;b`; fields are separated by commas"},
	    {"a,b,a\n1,2,3\n", "the header names column `a` twice"},
	    {"a,b\n", "there are no rows after the header"},
	    {"a,b\n1,2\n1\n", "line 3: it has 1 field, the header 2"},
	    {"a,b\n1,2,3\n", "line 2: it has 3 fields, the header 2"},
	    {"a,b\n1,x\n", "line 2, column `b`: `x` is not a number"},
	    {"a,b\n1,\"2\n", "line 2 has a quote that is not closed"},
	    {"a,b\n1,\"2\"3\n", "line 2: field 2 goes on behind its closing quote"},
	    {"{\"a\":1}\n", "line 1, column `b`: there is no `b`, which the model needs"},
	    {"{\"a\":1,\"b\":2,\"a\":3}", "line 1, column `a`: `a` is given twice"},
	    {"{\"a\":1,\"b\":[2]}", "line 1, column `b`: it is an array, not one value"},
	    {"{\"a\":true,\"b\":2}", "line 1, column `a`: `true` is not a number"},
	    {"[1,2]\n[1]\n", "line 2: the array has 1 value for 2 columns"},
	    {"[1,2,3]\n", "line 1: the array has 3 values for 2 columns"},
	    {"[1,2\n", "line 1: it is not valid JSON: expected `,` or `]` at byte 5"},
	    {"[1,2] x\n", "line 1: it is not valid JSON: something behind the end of the JSON at byte 7"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct columns_rows into;
		struct err e = {0};
		bool json = cases[i].text[0] == '{' || cases[i].text[0] == '[';
		assert_int_equal(columns_rows_init(&into, columns, &arena, 1, &e), 0);
		assert_int_equal(
		    rows_read(cases[i].text, strlen(cases[i].text), json ? ROWS_JSON : ROWS_CSV, &into, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_string_equal(e.text, cases[i].sentence);
	}
}

/* Reads one row, fed byte by byte, and writes its kept fields as CSV and as JSON. */
static void check_kept(const char *text, enum rows_format format, const struct rows_keep *keep, const char *csv,
		       const char *json)
{
	struct rows r;
	struct columns_rows into;
	struct buf as_csv, as_json;
	struct err e;
	enum rows_step step;
	const char *at = text;

	buf_init(&as_csv);
	buf_init(&as_json);
	assert_int_equal(columns_rows_init(&into, columns, &arena, 4, &e), 0);
	assert_int_equal(rows_init(&r, format, columns, keep, &e), 0);
	while ((step = rows_next(&r, &into, &e)) == ROWS_MORE || step == ROWS_HEADER)
		if (step == ROWS_MORE) {
			assert_int_equal(rows_feed(&r, at, *at != '\0', *at == '\0', &e), 0);
			at += *at != '\0';
		}
	for (size_t k = 0; k < r.kept_count; k++) {
		buf_format(&as_csv, "%.*s=", (int)r.kept[k].name_size, r.kept[k].name);
		rows_write_csv(&as_csv, &r.kept[k].value);
		buf_add_char(&as_csv, ';');
		rows_write_json(&as_json, &r.kept[k].value);
		buf_add_char(&as_json, ';');
	}
	assert_string_equal(as_csv.data, csv);
	assert_string_equal(as_json.data, json);
	buf_release(&as_csv);
	buf_release(&as_json);
	rows_release(&r);
}

static void fields_are_kept(void **state)
{
	const struct rows_keep all = {.all = true}, some = {.count = 2, .names = {"id", "b"}};
	(void)state;
	check_kept("id,a,b\n\"x,\"\"1\",007,\n", ROWS_CSV, &all, "id=\"x,\"\"1\";a=007;b=;",
		   "\"x,\\\"1\";\"007\";null;");
	check_kept("a,b,id\n1,2,-0.5\n", ROWS_CSV, &some, "id=-0.5;b=2;", "-0.5;2;");
	check_kept("{\"id\":\"x\\n\",\"a\":1,\"b\":2}", ROWS_JSON, &some, "id=\"x\n\";b=2;", "\"x\\n\";2;");
	/* Also of a row that is refused. */
	check_kept("{\"a\":\"no\",\"id\":7,\"b\":null}", ROWS_JSON, &some, "id=7;b=;", "7;null;");
	check_kept("{\"a\":1,\"n\":[1, 2],\"b\":2}", ROWS_JSON, &all, "a=1;n=\"[1, 2]\";b=2;", "1;[1, 2];2;");
	check_kept("[5,6]", ROWS_JSON, &some, "id=;b=6;", "null;6;");
}

static void a_kept_column_must_be_there(void **state)
{
	const struct rows_keep keep = {.count = 1, .names = {"id"}};
	struct rows r;
	struct columns_rows into;
	struct err e;
	(void)state;
	assert_int_equal(columns_rows_init(&into, columns, &arena, 4, &e), 0);
	assert_int_equal(rows_init(&r, ROWS_CSV, columns, &keep, &e), 0);
	assert_int_equal(rows_feed(&r, "a,b\n", 4, true, &e), 0);
	assert_int_equal(rows_next(&r, &into, &e), ROWS_FAILED);
	assert_string_equal(e.text, "the input has no column `id`, which is to be kept");
	rows_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(columns_are_matched_by_name),
	    cmocka_unit_test(a_blank_in_a_name_is_explained),
	    cmocka_unit_test(json_lines_are_objects_or_arrays),
	    cmocka_unit_test(bad_rows_are_named),
	    cmocka_unit_test(fields_are_kept),
	    cmocka_unit_test(a_kept_column_must_be_there),
	};
	return cmocka_run_group_tests_name("rows", tests, set_up, tear_down);
}
