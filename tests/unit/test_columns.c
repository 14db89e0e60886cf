/* Columns: names out of signatures, fields as every datatype, outputs as text. */
#include "core/columns.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

static struct arena arena;

static struct columns *make(struct tensor_spec *inputs, size_t count, struct err *e)
{
	const struct manifest m = {.input_count = count, .inputs = inputs};
	return columns_new(&m, "m", e);
}

static int release(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static void names_come_from_the_signature(void **state)
{
	static const char *const expected[] = {"age", "city", "x_0", "x_1", "x_2"};
	struct tensor_spec inputs[] = {
	    {"age", "INT64", 1, {-1}}, {"city", "BYTES", 2, {-1, 1}}, {"x", "FP32", 2, {-1, 3}}};
	struct err e;
	struct columns *c = make(inputs, 3, &e);
	(void)state;
	assert_non_null(c);
	assert_int_equal(c->count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(c->list[i].name, expected[i]);
		assert_int_equal(columns_find(c, expected[i], strlen(expected[i])), i);
	}
	assert_int_equal(columns_find(c, "x_3", 3), COLUMNS_NONE);
	assert_int_equal(columns_find(c, "x_", 2), COLUMNS_NONE);
	assert_int_equal(columns_find(c, "x_11", 3), 3);
	assert_true(c->row_max == SIZE_MAX);
	columns_free(c);
}

static void features_name_a_single_input(void **state)
{
	char *names[] = {"b", "a"};
	struct tensor_spec input = {"rows", "FP64", 2, {-1, 2}};
	const struct manifest m = {.input_count = 1, .inputs = &input, .feature_count = 2, .feature_names = names};
	struct err e;
	struct columns *c = columns_new(&m, "m", &e);
	(void)state;
	assert_string_equal(c->list[0].name, "b");
	assert_int_equal(columns_find(c, "a", 1), 1);
	columns_free(c);
}

static void tensors_are_no_columns(void **state)
{
	static const struct {
		struct tensor_spec input;
		const char *sentence;
	} cases[] = {
	    {{"image", "FP32", 4, {-1, 3, 8, 8}},
	     "m takes tensors, not columns: its input `image` is FP32 of shape [-1, 3, 8, 8]; send it to "
	     "/v2/models/m/infer"},
	    {{"x", "FP32", 2, {-1, -1}},
	     "m takes tensors, not columns: its input `x` is FP32 of shape [-1, -1]; send it to "
	     "/v2/models/m/infer"},
	    {{"x", "FP32", 1, {5}},
	     "m takes tensors, not columns: its input `x` is FP32 of shape [5]; send it to /v2/models/m/infer"},
	    {{"x", "FP32", 0, {0}},
	     "m takes tensors, not columns: its input `x` is FP32 of shape []; send it to /v2/models/m/infer"},
	    {{"x", "FP32", 2, {-1, 70000}},
	     "m takes tensors, not columns: its input `x` is FP32 of shape [-1, 70000]; send it to "
	     "/v2/models/m/infer"},
	};
	struct tensor_spec twice[] = {{"x", "FP32", 2, {-1, 2}}, {"x_1", "FP32", 1, {-1}}};
	struct err e;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tensor_spec input = cases[i].input;
		assert_null(make(&input, 1, &e));
		assert_int_equal(e.code, ERR_INPUT);
		assert_string_equal(e.text, cases[i].sentence);
	}
	assert_null(make(twice, 2, &e));
	assert_string_equal(e.text, "m has two columns named `x_1`, so they cannot be told apart by name; send "
				    "tensors to /v2/models/m/infer");
	assert_null(make(twice, 0, &e));
	assert_int_equal(e.code, ERR_INPUT);
}

/* Puts a field in a column of a type; what it is again as text, or the sentence of its refusal. */
static const char *put(const char *type, const char *text)
{
	static char got[ERR_TEXT_SIZE];
	struct tensor_spec input = {"x", "", 1, {-1}};
	struct columns_rows rows;
	struct tensor t;
	struct buf out;
	struct err e;

	memcpy(input.datatype, type, strlen(type) + 1);
	struct columns *c = make(&input, 1, &e);
	assert_non_null(c);
	assert_int_equal(columns_rows_init(&rows, c, &arena, 1, &e), 0);
	assert_int_equal(columns_rows_begin(&rows, &e), 0);
	buf_init(&out);
	int result = text != NULL ? columns_put(&rows, 0, text, strlen(text), &e) : columns_put_absent(&rows, 0, &e);
	if (result == 0) {
		assert_int_equal(columns_rows_end(&rows, NULL, &e), 0);
		columns_rows_tensors(&rows, 0, 1, &t);
		columns_write_text(&out, &t, 0);
	} else {
		assert_int_equal(e.code, ERR_INPUT);
		buf_add_string(&out, e.text);
	}
	memcpy(got, out.data != NULL ? out.data : "", out.size + 1);
	buf_release(&out);
	columns_free(c);
	arena_reset(&arena);
	return got;
}

static void fields_become_every_datatype(void **state)
{
	static const char *const cases[][3] = {
	    {"FP64", "0.1", "0.1"},
	    {"FP64", " -1.5e-3\t", "-0.0015"},
	    {"FP64", "+.5", "0.5"},
	    {"FP64", "1.", "1"},
	    {"FP64", "", "NaN"},
	    {"FP64", "NA", "NaN"},
	    {"FP64", "nan", "NaN"},
	    {"FP64", "inf", "inf"},
	    {"FP64", "-Infinity", "-inf"},
	    {"FP64", "1e400", "`1e400` is out of range"},
	    {"FP64", "0x10", "`0x10` is not a number"},
	    {"FP64", "+-1", "`+-1` is not a number"},
	    {"FP64", "1,5", "`1,5` is not a number"},
	    {"FP64", "true", "`true` is not a number"},
	    {"FP64", "9007199254740993", "9007199254740992"},
	    {"FP32", "0.1", "0.1"},
	    {"FP32", "16777217", "16777216"},
	    {"FP32", "3.5e38", "`3.5e38` is out of range"},
	    {"FP32", "+1e39", "`+1e39` is out of range"},
	    {"FP16", "0.333251953125", "0.33325195"},
	    {"FP16", "70000", "`70000` is out of range"},
	    {"BF16", "1.5", "1.5"},
	    {"INT8", "-128", "-128"},
	    {"INT8", "128", "`128` is out of range"},
	    {"INT8", "+7", "7"},
	    {"INT64", "-9223372036854775808", "-9223372036854775808"},
	    {"INT64", "9223372036854775808", "`9223372036854775808` is out of range"},
	    {"INT32", "3.0", "3"},
	    {"INT32", "1e3", "1000"},
	    {"INT32", "3.5", "`3.5` is not a whole number"},
	    {"INT32", "", "the value is absent, which only floats can be"},
	    {"INT32", "x", "`x` is not a whole number"},
	    {"INT16", "-1e5", "`-1e5` is out of range"},
	    {"UINT64", "18446744073709551615", "18446744073709551615"},
	    {"UINT64", "18446744073709551616", "`18446744073709551616` is out of range"},
	    {"UINT8", "-1", "`-1` is out of range"},
	    {"UINT8", "-0", "0"},
	    {"UINT16", "65535", "65535"},
	    {"UINT32", "4294967295", "4294967295"},
	    {"BOOL", "True", "true"},
	    {"BOOL", "0", "false"},
	    {"BOOL", "yes", "`yes` is neither true nor false"},
	    {"BYTES", " a ", " a "},
	    {"BYTES", "", ""},
	    {"FP32", NULL, "NaN"},
	    {"FP16", NULL, "NaN"},
	    {"BOOL", NULL, "the value is absent, which only floats can be"},
	    {"BYTES", NULL, "the value is absent, which only floats can be"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(put(cases[i][0], cases[i][1]), cases[i][2]);
}

static void rows_grow_and_are_sliced(void **state)
{
	struct tensor_spec inputs[] = {{"n", "INT32", 1, {-1}}, {"x", "FP64", 2, {-1, 2}}};
	struct columns_rows rows;
	struct tensor t[2];
	struct err e;
	size_t missing;
	struct columns *c = make(inputs, 2, &e);
	(void)state;
	assert_int_equal(columns_rows_init(&rows, c, &arena, 2, &e), 0);
	for (int i = 0; i < 100; i++) {
		char text[2] = {(char)('0' + i % 10), '\0'};
		/* A row that is not ended leaves nothing behind. */
		assert_int_equal(columns_rows_begin(&rows, &e), 0);
		assert_int_equal(columns_put(&rows, 1, "77", 2, &e), 0);
		assert_int_equal(columns_rows_begin(&rows, &e), 0);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(columns_put(&rows, k, text, 1, &e), 0);
		assert_int_equal(columns_rows_end(&rows, &missing, &e), 0);
	}
	columns_rows_tensors(&rows, 95, 3, t);
	assert_int_equal(t[0].rank, 1);
	assert_int_equal(t[0].count, 3);
	assert_int_equal(((int32_t *)t[0].data)[2], 7);
	assert_int_equal(t[1].rank, 2);
	assert_int_equal(t[1].shape[1], 2);
	assert_true(((double *)t[1].data)[0] == 5 && ((double *)t[1].data)[5] == 7);

	assert_int_equal(columns_rows_begin(&rows, &e), 0);
	assert_int_equal(columns_put(&rows, 0, "1", 1, &e), 0);
	assert_int_equal(columns_put(&rows, 0, "1", 1, &e), -1);
	assert_string_equal(e.text, "`n` is given twice");
	assert_int_equal(columns_rows_end(&rows, &missing, &e), -1);
	assert_int_equal(missing, 1);
	columns_free(c);
}

static void outputs_are_columns_too(void **state)
{
	double values[] = {1, 0.5, (double)NAN, (double)-INFINITY};
	struct bytes text[] = {{"a\"\n\0", 4}};
	const struct tensor two = {DATATYPE_FP64, 2, {2, 2}, 4, values}, words = {DATATYPE_BYTES, 1, {1}, 1, text};
	const struct tensor_spec known = {"p", "FP64", 3, {-1, 2, 3}}, unknown = {"p", "FP64", 2, {-1, -1}};
	struct buf out;
	size_t width;
	struct err e;
	(void)state;
	buf_init(&out);
	assert_int_equal(columns_output_width(&two, "p", 2, &width, &e), 0);
	assert_int_equal(width, 2);
	assert_int_equal(columns_output_width(&two, "p", 3, &width, &e), -1);
	assert_int_equal(e.code, ERR_UPSTREAM);
	assert_int_equal(columns_spec_width(&known), 6);
	assert_int_equal(columns_spec_width(&unknown), 0);
	columns_output_name(&out, "p", 1, 0);
	columns_output_name(&out, "p", 2, 1);
	for (size_t i = 0; i < 4; i++)
		columns_write_text(&out, &two, i);
	columns_write_json(&out, &two, 2);
	columns_write_json(&out, &words, 0);
	assert_string_equal(out.data, "pp_110.5NaN-infnull\"a\\\"\\n\\u0000\"");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_come_from_the_signature), cmocka_unit_test(features_name_a_single_input),
	    cmocka_unit_test(tensors_are_no_columns),        cmocka_unit_test(fields_become_every_datatype),
	    cmocka_unit_test(rows_grow_and_are_sliced),      cmocka_unit_test(outputs_are_columns_too),
	};
	return cmocka_run_group_tests_name("columns", tests, NULL, release);
}
