/* Tables: queries, CSV and JSON in; bare numbers, CSV and JSON out. */
#include "runtime/protocol/table.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static char *features[] = {"month", "version", "size"};
static struct tensor_spec table_inputs[] = {{"rows", "FP64", 2, {-1, 3}}};
static struct tensor_spec table_outputs[] = {{"predict", "FP64", 2, {-1, 3}}, {"raw", "FP32", 2, {-1, 1}}};
static const struct manifest matrix = {
    .input_count = 1,
    .inputs = table_inputs,
    .output_count = 2,
    .outputs = table_outputs,
    .feature_count = 3,
    .feature_names = features,
};
static struct tensor_spec named_inputs[] = {{"tag", "BYTES", 1, {-1}}, {"age", "INT16", 2, {-1, 1}}};
static struct tensor_spec named_outputs[] = {{"label", "BYTES", 1, {-1}}};
static const struct manifest named = {
    .input_count = 2, .inputs = named_inputs, .output_count = 1, .outputs = named_outputs};
static struct tensor_spec fixed_inputs[] = {{"a", "FP32", 2, {1, 1}}};
static const struct manifest fixed = {
    .input_count = 1, .inputs = fixed_inputs, .output_count = 1, .outputs = fixed_inputs};

static const struct engine forest = {.tabular = true, .default_outputs = 1}, any = {.name = "any"};
static const struct prediction_kind classes = {.output = 0, .column = PREDICTION_ARGMAX, .class_count = 3};
static const struct prediction_kind number = {.output = 0, .column = 0};
static const struct prediction_kind text = {.output = PREDICTION_NONE};

static struct arena arena;
static struct inference inference;
static struct table_request request;
static struct infer_version version;
static struct columns *columns;
static struct err error;

static void begin(const struct manifest *m)
{
	arena_reset(&arena);
	columns_free(columns);
	columns = columns_new(m, "m", NULL);
	version = (struct infer_version){
	    .model = "m",
	    .version = 7,
	    .engine = m == &matrix ? &forest : &any,
	    .manifest = m,
	    .columns = columns,
	    .kind = m == &matrix  ? &classes
		    : m == &named ? &text
				  : &number,
	};
	error = (struct err){0};
	assert_int_equal(inference_begin(&inference, m, &arena, &error), 0);
	assert_int_equal(table_begin(&request, &version, &inference, &error), 0);
}

/* The query "a=1&b": names and values are as they are, decoded. */
static int put_query(const char *query)
{
	char copy[512], *rest = copy, *one;
	snprintf(copy, sizeof copy, "%s", query);
	while ((one = strsep(&rest, "&")) != NULL && *one != '\0') {
		char *value = strchr(one, '=');
		if (value != NULL)
			*value++ = '\0';
		enum table_option option = table_option(columns, one);
		if (option != TABLE_OPTION_COUNT ? table_set(&request, option, version.manifest, value, &error) != 0
						 : table_put(&request, one, value, &error) != 0)
			return -1;
	}
	return table_put_end(&request, &error) != 0 ||
		       table_end(&request, &version, &inference, TABLE_TEXT, &error) != 0
		   ? -1
		   : 0;
}

static int read_body(const char *body, bool json)
{
	size_t size = strlen(body);
	char *copy = malloc(size + (size == 0));
	assert_non_null(copy);
	memcpy(copy, body, size);
	int result = (json ? table_read_json : table_read_csv)(&request, copy, size, &error);
	free(copy);
	return result != 0 || table_end(&request, &version, &inference, json ? TABLE_JSON : TABLE_CSV, &error) != 0 ? -1
														    : 0;
}

static void expect_row(size_t row, double a, double b, double c)
{
	const double *got = (const double *)inference.inputs[0].data + 3 * row, want[] = {a, b, c};
	for (size_t i = 0; i < 3; i++)
		assert_true(isnan(want[i]) ? isnan(got[i]) : got[i] == want[i]);
}

static void a_query_is_a_row(void **state)
{
	(void)state;
	begin(&matrix);
	if (put_query("size=-2.5e1&month=4&version=") != 0)
		fail_msg("%s", error.text);
	assert_int_equal(inference.inputs[0].shape[0], 1);
	expect_row(0, 4, (double)NAN, -25);
	assert_int_equal(request.format, TABLE_TEXT);
	assert_int_equal(request.output_count, 1);
	begin(&named);
	assert_int_equal(put_query("tag=a, b&age=-7&format=json"), 0);
	const struct bytes *tag = inference.inputs[0].data;
	assert_true(tag->size == 4 && memcmp(tag->data, "a, b", 4) == 0);
	assert_int_equal(*(const int16_t *)inference.inputs[1].data, -7);
	assert_int_equal(request.format, TABLE_JSON);
}

static void a_feature_takes_an_options_word(void **state)
{
	(void)state;
	begin(&matrix);
	assert_int_equal(table_option(columns, "version"), TABLE_OPTION_COUNT);
	assert_int_equal(table_option(columns, "mldeck-version"), TABLE_VERSION);
	assert_int_equal(table_option(columns, "unit"), TABLE_UNIT);
	assert_int_equal(table_option(columns, "mldeck-month"), TABLE_OPTION_COUNT);
	assert_int_equal(table_option(NULL, "version"), TABLE_VERSION);
	begin(&named);
	assert_int_equal(table_option(columns, "version"), TABLE_VERSION);
}

static const struct {
	const struct manifest *manifest;
	const char *query, *sentence;
} bad_queries[] = {
    {&matrix, "", "feature `month` is missing; where its value is not known, give it none: `month=`"},
    {&matrix, "month=1&size=2", "feature `version` is missing; where its value is not known, give it none: `version=`"},
    {&matrix, "month=May", "feature `month`: `May` is not a number"},
    {&matrix, "month=2,5", "feature `month`: `2,5` is not a number (decimals are written with a point)"},
    {&matrix, "month=1e999", "feature `month`: `1e999` is out of range"},
    {&matrix, "month=1&month=1", "feature `month`: `month` is given twice"},
    {&matrix, "mouth=1", "the model has no feature `mouth`; it takes `month`, `version`, `size`"},
    {&matrix, "format=xml", "there is no format `xml`; there are text, csv and json"},
    {&matrix, "format=csv&format=csv", "the format is given twice"},
    {&matrix, "output=x", "there is no output `x`; the model has `predict` and `raw`"},
    {&matrix, "output=predict_3", "there is no output `predict_3`; the model has `predict` and `raw`"},
    {&matrix, "output=raw_0", "there is no output `raw_0`; the model has `predict` and `raw`"},
    {&matrix, "output=raw&output=raw", "the output `raw` is named twice"},
    {&named, "age=1.5", "feature `age`: `1.5` is not a whole number"},
    {&named, "age=40000", "feature `age`: `40000` is out of range"},
    {&named, "age=", "feature `age`: the value is absent, which only floats can be"},
};

static void bad_queries_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_queries / sizeof *bad_queries; i++) {
		begin(bad_queries[i].manifest);
		if (put_query(bad_queries[i].query) == 0)
			fail_msg("let in: %s", bad_queries[i].query);
		assert_int_equal(error.code, ERR_INPUT);
		assert_string_equal(error.text, bad_queries[i].sentence);
	}
}

static void bodies_are_rows(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		bool json;
	} bodies[] = {
	    {"month,size,version\n1,3,2\n4,6,\n", false},
	    {"\xef\xbb\xbfname,version,month,size\r\n\"a,b\",2,1,3\r\nc,NA,4,6", false},
	    {"[{\"month\":1,\"version\":2,\"size\":3},{\"size\":\"6\",\"x\":[{}],\"m\\u006fnth\":4,"
	     "\"version\":null}]",
	     true},
	    {" [ [1,2,3] , [4,null,6] ] ", true},
	};
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		begin(&matrix);
		if (read_body(bodies[i].body, bodies[i].json) != 0)
			fail_msg("%s: %s", bodies[i].body, error.text);
		assert_int_equal(inference.inputs[0].shape[0], 2);
		expect_row(0, 1, 2, 3);
		expect_row(1, 4, (double)NAN, 6);
		assert_false(request.one);
	}
	begin(&matrix);
	assert_int_equal(read_body("{\"month\":1,\"version\":2,\"size\":3}", true), 0);
	assert_true(request.one);
}

static const struct {
	const struct manifest *manifest;
	const char *body, *sentence;
	bool json;
} bad_bodies[] = {
    {&matrix, "", "there are no rows", false},
    {&matrix, "month,version,size\n", "there are no rows after the header", false},
    {&matrix, "month,size\n1,2\n",
     "the rows have no column `version`, which the model needs (the first line names the columns)", false},
    {&matrix, "month,version,size\n1,2,3\n\n1,x,3\n", "line 4, column `version`: `x` is not a number", false},
    {&matrix, "month;version;size\n1;2;3\n",
     "the first line is one field, `month;version;size`; fields are separated by commas", false},
    {&matrix, "month,version,size\n1,2\n", "line 2: it has 2 fields, the header 3", false},
    {&matrix, "", "the body is empty", true},
    {&matrix, "1", "the body is neither a JSON object nor a list of them", true},
    {&matrix, "[]", "there are no rows", true},
    {&matrix, "[1]", "row 1: it is neither an object {\"feature\": value} nor an array of values", true},
    {&matrix, "[[1,2]]", "row 1: the array has 2 values for 3 columns", true},
    {&matrix, "[[1,2,3],[1,2,3,4]]", "row 2: the array has 4 values for 3 columns", true},
    {&matrix, "{\"month\":1}", "row 1: there is no `version`, which the model needs", true},
    {&matrix, "[[1,2,3],{\"month\":\"x\"}]", "row 2, column `month`: `x` is not a number", true},
    {&matrix, "{\"month\":[1]}", "row 1, column `month`: it is an array, not one value", true},
    {&matrix, "{\"month\":1,\"month\":1}", "row 1, column `month`: `month` is given twice", true},
    {&matrix, "[[1,2,NaN]]", "the body is not valid JSON: expected a value at byte 6 (an absent value is null)", true},
    {&matrix, "[[1,2,3]]]", "the body is not valid JSON: something behind the end of the JSON at byte 9", true},
    {&fixed, "a\n1\n2\n", "the model takes one row at a time, got 2", false},
};

static void bad_bodies_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_bodies / sizeof *bad_bodies; i++) {
		begin(bad_bodies[i].manifest);
		if (read_body(bad_bodies[i].body, bad_bodies[i].json) == 0)
			fail_msg("let in: %s", bad_bodies[i].body);
		assert_int_equal(error.code, ERR_INPUT);
		assert_string_equal(error.text, bad_bodies[i].sentence);
	}
}

static void too_many_rows(void **state)
{
	(void)state;
	struct buf body;
	begin(&fixed);
	buf_init(&body);
	buf_add_string(&body, "a\n");
	for (size_t i = 0; i <= TENSOR_ROWS_MAX; i++)
		buf_add_string(&body, "1\n");
	assert_int_equal(table_read_csv(&request, body.data, body.size, &error), -1);
	assert_int_equal(error.code, ERR_TOO_LARGE);
	buf_release(&body);
}

static void what_a_body_is(void **state)
{
	(void)state;
	static const struct {
		const char *type, *body;
		int result;
		bool json;
	} cases[] = {
	    {NULL, "a,b\n", 0, false},
	    {NULL, " \n{\"a\":1}", 0, true},
	    {"", "[1]", 0, true},
	    {"text/csv", "[1]", 0, false},
	    {"Text/CSV ; charset=utf-8; header=present", "{", 0, false},
	    {"application/json", "a,b", 0, true},
	    {"application/json;charset=utf-8", "", 0, true},
	    {"application/geo+json", "", 0, true},
	    {"application/x-www-form-urlencoded", "a,b", 0, false},
	    {"application/x-www-form-urlencoded", "{}", 0, true},
	    {"text/plain;charset=UTF-8", "a", 0, false},
	    {"application/vnd.ms-excel", "a", 0, false},
	    {"image/png", "a", -1, false},
	    {"multipart/form-data; boundary=x", "a", -1, false},
	    {"text/html", "{}", -1, false},
	    {"application/xml", "a", -1, false},
	    {"text", "a", -1, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool json;
		int result = table_body_is_json(cases[i].type, cases[i].body, strlen(cases[i].body), &json, &error);
		if (result != cases[i].result || (result == 0 && json != cases[i].json))
			fail_msg("%s: %d", cases[i].type != NULL ? cases[i].type : "none", result);
		if (result != 0)
			assert_int_equal(error.code, ERR_UNSUPPORTED);
	}
	assert_int_equal(table_accepted(NULL), TABLE_FORMAT_COUNT);
	assert_int_equal(table_accepted("*/*"), TABLE_FORMAT_COUNT);
	assert_int_equal(table_accepted("application/json, text/plain, */*"), TABLE_JSON);
	assert_int_equal(table_accepted(" text/html , TEXT/CSV;q=0.9"), TABLE_CSV);
	assert_int_equal(table_accepted("text/plain"), TABLE_TEXT);
	assert_int_equal(table_accepted("text/plainer,,"), TABLE_FORMAT_COUNT);
}

/* --- answers --- */

static void give(size_t spec, enum datatype type, size_t rows, size_t width, void *data)
{
	struct inference_output *o = inference_output_of(&inference, spec);
	assert_non_null(o);
	o->tensor = (struct tensor){
	    .datatype = type, .rank = 2, .shape = {(int64_t)rows, (int64_t)width}, .count = rows * width, .data = data};
}

static void expect_answer(const char *want)
{
	struct buf out;
	buf_init(&out);
	if (table_write(&out, &request, &version, &inference, &error) != 0)
		fail_msg("%s", error.text);
	assert_string_equal(out.data, want);
	buf_release(&out);
}

static void expect_refused_answer(const char *sentence)
{
	struct buf out;
	buf_init(&out);
	assert_int_equal(table_write(&out, &request, &version, &inference, &error), -1);
	assert_string_equal(error.text, sentence);
	buf_release(&out);
}

static double scores[] = {0.25, 0.5, (double)NAN, 3, 1, 2};
static float raw[] = {0.1f, -1e30f};

static void answer_row(const char *options)
{
	char query[256];
	begin(&matrix);
	snprintf(query, sizeof query, "month=1&version=2&size=3%s", options);
	if (put_query(query) != 0)
		fail_msg("%s: %s", query, error.text);
	inference_want(&inference, 0); /* what is counted */
	give(0, DATATYPE_FP64, 1, 3, scores);
	if (inference_output_of(&inference, 1) != NULL)
		give(1, DATATYPE_FP32, 1, 1, raw);
}

static void a_row_by_itself(void **state)
{
	(void)state;
	answer_row("");
	expect_answer("1"); /* the class */
	answer_row("&output=raw");
	expect_answer("0.1");
	answer_row("&output=predict_0");
	expect_answer("0.25");
	answer_row("&output=predict");
	expect_refused_answer("`predict` has 3 columns, which are no single value; ask for one "
			      "with output=predict_0, "
			      "or for all with format=csv or format=json");
	answer_row("&output=predict&output=raw");
	expect_refused_answer("several outputs are no single value; ask for format=csv or format=json");
	answer_row("&format=json");
	expect_answer("{\"model\":\"m\",\"version\":7,\"outputs\":{\"predict\":[0.25,0.5,null]}}");
	answer_row("&format=json&output=raw&output=predict_2");
	expect_answer("{\"model\":\"m\",\"version\":7,\"outputs\":{\"raw\":0.1,\"predict_2\":null}}");
	answer_row("&format=csv&output=raw&output=predict");
	expect_answer("raw,predict_0,predict_1,predict_2\n0.1,0.25,0.5,NaN\n");
	answer_row("&mldeck-format=csv&output=predict_1");
	expect_answer("predict_1\n0.5\n");
}

static void answer_rows(enum table_format format)
{
	begin(&matrix);
	assert_int_equal(table_set(&request, TABLE_FORMAT, &matrix,
				   format == TABLE_TEXT  ? "text"
				   : format == TABLE_CSV ? "csv"
							 : "json",
				   &error),
			 0);
	assert_int_equal(read_body("[[1,2,3],[4,5,6]]", true), 0);
	give(0, DATATYPE_FP64, 2, 3, scores);
}

static void several_rows(void **state)
{
	(void)state;
	answer_rows(TABLE_TEXT);
	expect_answer("1\n0");
	answer_rows(TABLE_CSV);
	expect_answer("predict_0,predict_1,predict_2\n0.25,0.5,NaN\n3,1,2\n");
	answer_rows(TABLE_JSON);
	expect_answer("{\"model\":\"m\",\"version\":7,\"rows\":[{\"predict\":[0.25,0.5,null]},{"
		      "\"predict\":[3,1,2]}]}");
	answer_rows(TABLE_CSV);
	give(0, DATATYPE_FP64, 1, 3, scores);
	expect_refused_answer("the model answered 1 rows of `predict` for 2 rows, so they cannot be told apart");
	assert_int_equal(error.code, ERR_UPSTREAM);
}

static void labels(void **state)
{
	(void)state;
	struct bytes names[] = {{"a,\"b\"", 5}, {"", 0}};
	begin(&named);
	assert_int_equal(read_body("tag,age\nx,1\ny,2\n", false), 0);
	give(0, DATATYPE_BYTES, 2, 1, names);
	expect_answer("label\n\"a,\"\"b\"\"\"\n\"\"\n");
	begin(&named);
	assert_int_equal(put_query("tag=x&age=1"), 0);
	give(0, DATATYPE_BYTES, 1, 1, names);
	expect_answer("a,\"b\"");
}

static int end(void **state)
{
	(void)state;
	columns_free(columns);
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_query_is_a_row),
	    cmocka_unit_test(a_feature_takes_an_options_word),
	    cmocka_unit_test(bad_queries_are_refused),
	    cmocka_unit_test(bodies_are_rows),
	    cmocka_unit_test(bad_bodies_are_refused),
	    cmocka_unit_test(too_many_rows),
	    cmocka_unit_test(what_a_body_is),
	    cmocka_unit_test(a_row_by_itself),
	    cmocka_unit_test(several_rows),
	    cmocka_unit_test(labels),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
