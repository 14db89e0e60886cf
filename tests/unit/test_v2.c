/* Bodies of the Open Inference Protocol: requests in, answers out. */
#include "runtime/protocol/v2.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTS_MAX 4096

static char *features[] = {"month", "distance", "carrier"};
static struct tensor_spec inputs[] = {{"rows", "FP64", 2, {-1, 3}}};
static struct tensor_spec outputs[] = {{"predict", "FP64", 2, {-1, 1}}, {"raw_score", "FP32", 2, {-1, 2}}};
static const struct manifest manifest = {
    .engine = "forest",
    .format = "lightgbm",
    .input_count = 1,
    .output_count = 2,
    .inputs = inputs,
    .outputs = outputs,
    .feature_count = 3,
    .feature_names = features,
};
static const struct engine engine = {.tabular = true, .default_outputs = 1};

static struct arena arena;
static struct inference inference;
static struct v2_request request;
static struct err error;

static int parse_body(const struct engine *by, const struct manifest *m, const char *body, size_t size,
		      size_t json_size)
{
	arena_reset(&arena);
	assert_int_equal(inference_begin(&inference, m, &arena, &error), 0);
	return v2_parse(by, body, size, json_size, &request, &inference, &error);
}

/* Parses a copy of exactly its size, so that the address checks see a byte read too far. */
static int parse(const char *json, const void *bytes, size_t size)
{
	size_t json_size = strlen(json);
	char *body = malloc(json_size + size + 1);
	assert_non_null(body);
	memcpy(body, json, json_size);
	if (size > 0)
		memcpy(body + json_size, bytes, size);
	body = realloc(body, json_size + size + (json_size + size == 0));
	error = (struct err){0};
	int result = parse_body(&engine, &manifest, body, json_size + size, json_size);
	free(body);
	return result;
}

static void expect_doubles(size_t rows, const double *values)
{
	assert_int_equal(inference.inputs[0].shape[0], rows);
	assert_int_equal(inference.inputs[0].shape[1], 3);
	assert_int_equal(inference.inputs[0].datatype, DATATYPE_FP64);
	const double *got = inference.inputs[0].data;
	for (size_t i = 0; i < rows * 3; i++)
		if (isnan(values[i]) ? !isnan(got[i]) : got[i] != values[i])
			fail_msg("element %zu is %g, expected %g", i, got[i], values[i]);
}

static void expect_rows(const char *json, size_t rows, const double *values)
{
	if (parse(json, NULL, 0) != 0)
		fail_msg("%s: %s", json, error.text);
	expect_doubles(rows, values);
}

#define ROWS(...)                                                          \
	(sizeof((double[]){__VA_ARGS__}) / sizeof(double) / 3), (double[]) \
	{                                                                  \
		__VA_ARGS__                                                \
	}
#define NONE ((double)NAN)

static void one_tensor(void **state)
{
	(void)state;
	expect_rows("{\"inputs\":[{\"name\":\"x\",\"shape\":[2,3],\"datatype\":\"FP64\",\"data\":["
		    "1,2.5,-3,4,null,6e2]}]}",
		    ROWS(1, 2.5, -3, 4, NONE, 600));
	/* Nested, in any order, with unknown members. */
	expect_rows("{\"x\":[{}],\"inputs\":[{\"data\":[[1,2,3],[4,5,6]],\"y\":{\"data\":1},"
		    "\"datatype\":\"FP64\","
		    "\"shape\":[2,3],\"name\":\"rows\"}],\"model_name\":\"a\"}",
		    ROWS(1, 2, 3, 4, 5, 6));
	expect_rows(" { \"inputs\" : [ { \"name\" : \"r\" , \"shape\" : [ 3 ] , \"datatype\" : "
		    "\"FP64\" , \"data\" : [ 1 , "
		    "2 , 3 ] } ] } ",
		    ROWS(1, 2, 3));
	expect_rows("{\"inputs\":[{\"name\":\"r\",\"shape\":[1,3],\"datatype\":\"INT64\",\"data\":["
		    "-9223372036854775808,"
		    "9223372036854775807,1.0]}]}",
		    ROWS(-0x1p63, 0x1p63, 1));
	expect_rows("{\"inputs\":[{\"name\":\"r\",\"shape\":[3],\"datatype\":\"UINT64\",\"data\":["
		    "18446744073709551615,0,"
		    "-0]}]}",
		    ROWS(0x1p64, 0, 0));
	expect_rows("{\"inputs\":[{\"name\":\"r\",\"shape\":[3],\"datatype\":\"BOOL\",\"data\":["
		    "true,false,null]}]}",
		    ROWS(1, 0, NONE));
	expect_rows("{\"id\":null,\"parameters\":null,\"outputs\":[],\"inputs\":[{\"name\":\"r\","
		    "\"shape\":[3],"
		    "\"datatype\":\"FP16\",\"data\":[1,2,65504]}]}",
		    ROWS(1, 2, 65504));
	assert_int_equal(request.output_count, 1);
	assert_int_equal(request.outputs[0].spec, 0);
	assert_false(request.outputs[0].binary);
}

static void float_rows(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"inputs\":[{\"name\":\"r\",\"shape\":[3],\"datatype\":\"FP32\","
			       "\"data\":[0.1,null,"
			       "1.00000005960464477539062500000000000001]}]}",
			       NULL, 0),
			 0);
	assert_int_equal(inference.inputs[0].datatype, DATATYPE_FP32);
	const float *got = inference.inputs[0].data;
	assert_true(got[0] == 0.1f && isnan(got[1]) && got[2] == 1.0000001192092896f);
	/* Together with another datatype: doubles, of which FP32 has fewer bits. */
	expect_rows("{\"inputs\":[{\"name\":\"month\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[0.1]},"
		    "{\"name\":\"distance\",\"shape\":[1],\"datatype\":\"FP64\",\"data\":[0.1]},"
		    "{\"name\":\"carrier\",\"shape\":[1],\"datatype\":\"UINT8\",\"data\":[255]}]}",
		    ROWS((double)0.1f, 0.1, 255));
}

static void tensor_a_feature(void **state)
{
	(void)state;
	expect_rows("{\"inputs\":[{\"name\":\"carrier\",\"shape\":[2,1],\"datatype\":\"INT32\",\"data\":[["
		    "3],[6]]},"
		    "{\"name\":\"m\\u006fnth\",\"shape\":[2],\"datatype\":\"FP64\",\"data\":[1,4]},"
		    "{\"name\":\"distance\",\"shape\":[2,1],\"datatype\":\"FP64\",\"data\":[2,null]}]}",
		    ROWS(1, 2, 3, 4, NONE, 6));
}

static void options(void **state)
{
	(void)state;
	static const char input[] =
	    "\"inputs\":[{\"name\":\"r\",\"shape\":[3],\"datatype\":\"FP64\",\"data\":[1,2,3]}]}";
	char body[PARTS_MAX];

	snprintf(body, sizeof body,
		 "{\"id\":\"\\u00e91\",\"parameters\":{\"unit\":\"N1\",\"binary_data_output\":true}"
		 ",\"outputs\":[{\"name\":"
		 "\"raw_score\",\"parameters\":{\"binary_data\":false}},{\"name\":\"predict\","
		 "\"parameters\":null}],%s",
		 input);
	assert_int_equal(parse(body, NULL, 0), 0);
	assert_string_equal(request.id, "\xc3\xa9"
					"1");
	assert_string_equal(request.unit, "N1");
	assert_int_equal(request.unit_size, 2);
	assert_int_equal(request.output_count, 2);
	assert_int_equal(request.outputs[0].spec, 1);
	assert_false(request.outputs[0].binary);
	assert_int_equal(request.outputs[1].spec, 0);
	assert_true(request.outputs[1].binary);

	snprintf(body, sizeof body, "{\"parameters\":{\"unit\":-12},\"outputs\":[{\"name\":\"raw_score\"}],%s", input);
	assert_int_equal(parse(body, NULL, 0), 0);
	assert_string_equal(request.unit, "-12");
	assert_int_equal(request.output_count, 1);
	assert_int_equal(request.outputs[0].spec, 1);
}

#define ONE(shape, type, data) \
	"{\"inputs\":[{\"name\":\"r\",\"shape\":" shape ",\"datatype\":\"" type "\",\"data\":" data "}]}"
#define FEATURE(name, shape) "{\"name\":\"" name "\",\"shape\":" shape ",\"datatype\":\"FP64\",\"data\":[1]}"
#define OPTION(text) "{" text ",\"inputs\":[" FEATURE("r", "[1]") "]}"

static const struct {
	const char *json, *sentence;
} refusals[] = {
    {"", "the body is empty"},
    {"[]", "the body is not a JSON object"},
    {"{}", "the request has no `inputs`"},
    {"{\"inputs\":[]}", "the request has no `inputs`"},
    {"{\"inputs\":{}}", "`inputs` is not an array"},
    {"{\"inputs\":[],\"inputs\":[]}", "`inputs` occurs twice"},
    {"{\"inputs\":[1]}", "an element of `inputs` is not an object"},
    {"{\"inputs\":[{}]}", "an input has no `name`"},
    {"{\"inputs\":[{\"name\":\"a\\u001b\"}]}", "input `a\\x1b` has no `datatype`"},
    {"{\"inputs\":[{\"name\":\"a\",\"datatype\":\"FP64\"}]}", "input `a` has no `shape`"},
    {"{\"inputs\":[{\"name\":\"a\",\"datatype\":\"FP64\",\"shape\":[3]}]}", "input `a` has no `data`"},
    {"{\"inputs\":[{\"name\":1}]}", "the `name` of an input is not a string"},
    {"{} x", "the body is not valid JSON: something behind the end of the JSON at byte 3"},
    {ONE("[1,2]", "FP64", "[1,2]"), "expected 3 features a row, got 2"},
    {ONE("[4]", "FP64", "[1,2,3,4]"), "expected 3 features a row, got 4"},
    {ONE("[1,1,3]", "FP64", "[1,2,3]"), "input `r` has 3 dimensions; expected [rows, 3]"},
    {ONE("[2,3]", "FP64", "[1,2,3,4,5]"), "input `r` needs 6 values, got 5"},
    {ONE("[1,3]", "FP64", "[1,2,3,4]"), "input `r` needs 3 values, got 4"},
    {ONE("[1,3]", "FP64", "[]"), "input `r` needs 3 values, got 0"},
    {ONE("[2,3]", "FP64", "[[1,2],[3,4],[5,6]]"), "the nested `data` of input `r` does not have the shape [2, 3]"},
    {ONE("[2,3]", "FP64", "[[1,2,3],[4,5,6,7]]"), "the nested `data` of input `r` does not have the shape [2, 3]"},
    {ONE("[2,3]", "FP64", "[[1,2,3],4,5,6]"), "the nested `data` of input `r` does not have the shape [2, 3]"},
    {ONE("[2,3]", "FP64", "[[1,2,3],[4,5,6],[7,8,9]]"),
     "the nested `data` of input `r` does not have the shape [2, 3]"},
    {ONE("[3]", "FP64", "[[1,2,3]]"), "the nested `data` of input `r` does not have the shape [3]"},
    {ONE("[1,3]", "FP64", "[1,[2],3]"), "element 1 of input `r` is not of datatype FP64: [2]"},
    {ONE("[0,3]", "FP64", "[]"), "a `shape` with a dimension of 0: there are no rows"},
    {ONE("[-1,3]", "FP64", "[1,2,3]"), "a dimension of a `shape` is not a whole number from 0 up"},
    {ONE("[1.5,3]", "FP64", "[1,2,3]"), "a dimension of a `shape` is not a whole number from 0 up"},
    {ONE("[\"1\",3]", "FP64", "[1,2,3]"), "a dimension of a `shape` is not a whole number from 0 up"},
    {ONE("[9223372036854775807,3]", "FP64", "[1,2,3]"), "the `shape` of input `r` is too large"},
    {ONE("[99999999999999999999,3]", "FP64", "[1]"), "a dimension of a `shape` is not a whole number from 0 up"},
    {ONE("[1000001,3]", "FP64", "[1,2,3]"), "1000001 rows; a request has at most 1000000"},
    {ONE("[1000000,3]", "FP64", "[1,[2,3 ] ]"), "input `r` needs 3000000 values, got 3"},
    {ONE("[1,1,1,1,1,1,1,1,3]", "FP64", "[1,2,3]"), "a `shape` of more than 8 dimensions"},
    {ONE("[]", "FP64", "[1]"), "input `r` has no `shape`"},
    {ONE("3", "FP64", "[1,2,3]"), "the `shape` of an input is not an array"},
    {ONE("[3]", "FP64", "{}"), "the `data` of an input is not an array"},
    {ONE("[3]", "BYTES", "[\"a\",\"b\",\"c\"]"), "datatype BYTES is not taken: this model's features are numbers"},
    {ONE("[3]", "fp64", "[1,2,3]"), "there is no datatype `fp64`; it is FP64, FP32, FP16, "
				    "BF16, BOOL, BYTES, INT8 to INT64 or UINT8 to UINT64"},
    {ONE("[3]", "FP64", "[1,\"2\",3]"), "element 1 of input `r` is not of datatype FP64: \"2\""},
    {ONE("[3]", "FP64", "[1,true,3]"), "element 1 of input `r` is not of datatype FP64: true"},
    {ONE("[3]", "FP64", "[1,2,1e309]"), "element 2 of input `r` is not of datatype FP64: 1e309"},
    {ONE("[3]", "FP32", "[1,2,3.5e38]"), "element 2 of input `r` is not of datatype FP32: 3.5e38"},
    {ONE("[3]", "FP16", "[1,65520,3]"), "element 1 of input `r` is not of datatype FP16: 65520"},
    {ONE("[3]", "INT8", "[1,-128,128]"), "element 2 of input `r` is not of datatype INT8: 128"},
    {ONE("[3]", "INT8", "[1,-129,1]"), "element 1 of input `r` is not of datatype INT8: -129"},
    {ONE("[3]", "UINT8", "[255,-1,1]"), "element 1 of input `r` is not of datatype UINT8: -1"},
    {ONE("[3]", "INT32", "[1,2.5,3]"), "element 1 of input `r` is not of datatype INT32: 2.5"},
    {ONE("[3]", "INT64", "[1,9223372036854775808,3]"),
     "element 1 of input `r` is not of datatype INT64: 9223372036854775808"},
    {ONE("[3]", "UINT64", "[1,18446744073709551616,3]"),
     "element 1 of input `r` is not of datatype UINT64: 18446744073709551616"},
    {ONE("[3]", "BOOL", "[true,2,false]"), "element 1 of input `r` is not of datatype BOOL: 2"},
    {ONE("[3]", "FP64", "[1,NaN,3]"),
     "the body is not valid JSON: expected a value at byte 63 (an absent value is null)"},
    {"{\"inputs\":[" FEATURE("month", "[1]") "," FEATURE("x", "[1]") "]}", "this model has no feature `x`"},
    {"{\"inputs\":[" FEATURE("month", "[1]") "," FEATURE("month", "[1]") "]}", "feature `month` is given twice"},
    {"{\"inputs\":[" FEATURE("month", "[1]") "," FEATURE("carrier", "[1]") "]}",
     "feature `distance` is missing: expected 3 features, got 2"},
    {"{\"inputs\":[" FEATURE("month", "[1,1]") "]}", "feature `distance` is missing: expected 3 features, got 1"},
    {"{\"inputs\":[" FEATURE("month", "[1]") "," FEATURE("carrier", "[1]") "," FEATURE("distance", "[2]") "]}",
     "input `month` has 1 rows, `distance` has 2"},
    {"{\"inputs\":[" FEATURE("month", "[1]") "," FEATURE("carrier", "[1,2]") "," FEATURE("distance", "[1]") "]}",
     "input `carrier` is one feature: its shape is [rows] or [rows, 1]"},
    {OPTION("\"id\":1"), "`id` is not a string"},
    {OPTION("\"id\":\"a\\u0000b\""), "`id` holds a NUL character"},
    {OPTION("\"parameters\":[]"), "`parameters` is not an object"},
    {OPTION("\"parameters\":{\"unit\":1.5}"), "the parameter `unit` is neither a string nor an integer"},
    {OPTION("\"parameters\":{\"unit\":[]}"), "the parameter `unit` is neither a string nor an integer"},
    {OPTION("\"parameters\":{\"binary_data_output\":1}"),
     "the parameter `binary_data_output` is neither true nor false"},
    {OPTION("\"outputs\":[{\"name\":\"x\"}]"), "there is no output `x`; the model has `predict` and `raw_score`"},
    {OPTION("\"outputs\":[{\"name\":\"predict\"},{\"name\":\"predict\"}]"), "the output `predict` is named twice"},
    {OPTION("\"outputs\":[{\"name\":\"predict\",\"parameters\":{\"classification\":-1}}]"),
     "the parameter `classification` is not a whole number from 0 to 1000000"},
    {OPTION("\"outputs\":[{}]"), "an element of `outputs` has no name"},
    {OPTION("\"outputs\":[1]"), "an element of `outputs` is not an object"},
    {"{\"inputs\":[{\"name\":\"r\",\"shape\":[3],\"datatype\":\"FP64\",\"parameters\":{"
     "\"binary_data_size\":24},"
     "\"data\":[1,2,3]}]}",
     "input `r` has both `data` and a `binary_data_size`"},
    {"{\"inputs\":[{\"name\":\"r\",\"shape\":[3],\"datatype\":\"FP64\",\"parameters\":{"
     "\"binary_data_size\":24}}]}",
     "input `r` has a binary_data_size of 24, but 0 bytes are left"},
};

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		if (parse(refusals[i].json, NULL, 0) == 0)
			fail_msg("taken: %s", refusals[i].json);
		assert_int_equal(error.code, ERR_INPUT);
		assert_string_equal(error.text, refusals[i].sentence);
	}
}

static void long_texts(void **state)
{
	(void)state;
	char body[PARTS_MAX], text[300];
	memset(text, 'a', sizeof text);
	text[256] = '\0';
	snprintf(body, sizeof body, "{\"id\":\"%s\"}", text);
	assert_int_equal(parse(body, NULL, 0), -1);
	assert_string_equal(error.text, "`id` is longer than 255 bytes");
	snprintf(body, sizeof body, "{\"parameters\":{\"unit\":\"%s\"}}", text);
	assert_int_equal(parse(body, NULL, 0), -1);
	assert_string_equal(error.text, "the parameter `unit` is longer than 255 bytes");
	char deep[2 * V2_DEPTH_MAX + 20] = "{\"a\":";
	memset(deep + 5, '[', V2_DEPTH_MAX);
	assert_int_equal(parse(deep, NULL, 0), -1);
	assert_non_null(strstr(error.text, "too many values inside each other"));
}

static void binary(void **state)
{
	(void)state;
	static const unsigned char halves[] = {0x00, 0x3c, 0x01, 0x00, 0x00, 0xfe}; /* 1, 2^-24, NaN */
	const double wide[] = {0.1, -2, NONE, 1, 2, 3};
	const float narrow[] = {0.5f, -2, 3};
	static const signed char small[] = {-128, 0, 127};
	static const char one[] = "{\"inputs\":[{\"name\":\"r\",\"shape\":[%d,3],\"datatype\":\"%s\",\"parameters\":{"
				  "\"binary_data_size\":%d}}]}";
	char json[PARTS_MAX];

	snprintf(json, sizeof json, one, 2, "FP64", 48);
	assert_int_equal(parse(json, wide, 48), 0);
	expect_doubles(2, wide);
	snprintf(json, sizeof json, one, 1, "FP32", 12);
	assert_int_equal(parse(json, narrow, 12), 0);
	assert_int_equal(inference.inputs[0].datatype, DATATYPE_FP32);
	assert_memory_equal(inference.inputs[0].data, narrow, 12);
	snprintf(json, sizeof json, one, 1, "FP16", 6);
	assert_int_equal(parse(json, halves, 6), 0);
	expect_doubles(1, (double[]){1, 0x1p-24, NONE});
	snprintf(json, sizeof json, one, 1, "INT8", 3);
	assert_int_equal(parse(json, small, 3), 0);
	expect_doubles(1, (double[]){-128, 0, 127});

	snprintf(json, sizeof json, one, 1, "INT8", 3);
	assert_int_equal(parse(json, halves, 6), -1);
	assert_string_equal(error.text, "3 bytes behind the JSON belong to no input");
	snprintf(json, sizeof json, one, 2, "INT8", 3);
	assert_int_equal(parse(json, small, 3), -1);
	assert_string_equal(error.text, "input `r` needs 6 values, its binary_data_size is 3");
	snprintf(json, sizeof json, one, 1, "INT8", 6);
	assert_int_equal(parse(json, halves, 6), -1);
	assert_string_equal(error.text, "input `r` needs 3 bytes (3 of INT8), its binary_data_size is 6");

	/* JSON and bytes mixed; bytes are in the order of the list, not of the features. */
	assert_int_equal(parse("{\"inputs\":[{\"name\":\"carrier\",\"shape\":[1],\"datatype\":\"INT8\","
			       "\"parameters\":{"
			       "\"binary_data_size\":1}},{\"name\":\"month\",\"shape\":[1],\"datatype\":"
			       "\"FP64\",\"data\":[7]},"
			       "{\"name\":\"distance\",\"shape\":[1],\"datatype\":\"BOOL\",\"parameters\":{"
			       "\"binary_data_size\":1}}]}",
			       "\xff\x01", 2),
			 0);
	expect_doubles(1, (double[]){7, 1, -1});
	/* No JSON at all: rows in the manifest's datatype. */
	assert_int_equal(parse("", wide, 48), 0);
	expect_doubles(2, wide);
	assert_true(request.outputs[0].binary);
	assert_int_equal(parse("", wide, 47), -1);
	assert_string_equal(error.text, "47 bytes are not a FP64 of the shape [-1, 3]");
}

/* No beginning of a body is a body, and a second request of a size uses the memory of the first. */
static void cut(void **state)
{
	(void)state;
	static const char whole[] = "{\"inputs\":[{\"name\":\"r\",\"data\":[[1,2,3],[4,\"]\\\"[\",6]],\"shape\":[2,3],"
				    "\"datatype\":\"FP64\"}],\"outputs\":[{\"name\":\"predict\"}],\"id\":\"x\"}";
	char json[sizeof whole];

	for (size_t size = 0; size < sizeof whole; size++) {
		memcpy(json, whole, size);
		json[size] = '\0';
		assert_int_equal(parse(json, NULL, 0), -1);
		assert_int_equal(error.code, ERR_INPUT);
	}
	/* A number in place of the string. */
	char *string = strstr(json, ",\"]");
	assert_non_null(string);
	memcpy(string, ",5     ", 7);
	assert_int_equal(parse(json, NULL, 0), 0);
	expect_doubles(2, (double[]){1, 2, 3, 4, 5, 6});
	const void *before = inference.inputs[0].data;
	assert_int_equal(parse(json, NULL, 0), 0);
	assert_ptr_equal(before, inference.inputs[0].data);
}

static void peeked(void **state)
{
	(void)state;
	static const struct {
		const char *json, *unit;
	} cases[] = {
	    {"{\"parameters\":{\"unit\":\"N1\"}}", "N1"},
	    {"{\"inputs\":[{\"parameters\":{\"unit\":\"no\"}}],\"parameters\":{\"a\":1,\"unit\":42}"
	     "}",
	     "42"},
	    {"{\"p\\u0061rameters\":{\"un\\u0069t\":\"\\u00e9\"}}", "\xc3\xa9"},
	    {"{\"parameters\":{\"unit\":null}}", ""},
	    {"{\"parameters\":{\"unit\":[]}}", ""},
	    {"{\"parameters\":\"unit\"}", ""},
	    {"{\"unit\":1}", ""},
	    {"{\"parameters\":{\"unit\":\"N1\"", ""},
	    {"[\"unit\"]", ""},
	    {"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char unit[V2_UNIT_SIZE];
		size_t size;
		v2_peek_unit(cases[i].json, strlen(cases[i].json), unit, &size);
		assert_string_equal(unit, cases[i].unit);
		assert_int_equal(size, strlen(cases[i].unit));
	}
	char unit[V2_UNIT_SIZE];
	size_t size;
	v2_peek_unit(NULL, 0, unit, &size);
	assert_int_equal(size, 0);
}

/* Asks for these outputs of two rows and gives them these values. */
static void answer_with(const char *asked, double *predict, float *raw)
{
	char json[PARTS_MAX];
	snprintf(json, sizeof json,
		 "{\"id\":\"a\\\"b\",%s\"inputs\":[{\"name\":\"r\",\"shape\":[2,3],\"datatype\":\"FP64\","
		 "\"data\":[1,2,3,4,5,6]}]}",
		 asked);
	assert_int_equal(parse(json, NULL, 0), 0);
	for (size_t i = 0; i < inference.output_count; i++) {
		struct inference_output *o = &inference.outputs[i];
		o->tensor = (struct tensor){.rank = 2, .shape = {2, (int64_t)o->spec + 1}};
		o->tensor.datatype = o->spec == 0 ? DATATYPE_FP64 : DATATYPE_FP32;
		o->tensor.count = 2 * (o->spec + 1);
		o->tensor.data = o->spec == 0 ? (void *)predict : (void *)raw;
	}
}

static void answers(void **state)
{
	(void)state;
	double output[] = {0.25, (double)NAN};
	float raw[] = {0.1f, -3, 1e30f, 0};
	struct buf out;
	size_t json_size;

	buf_init(&out);
	answer_with("", output, raw);
	v2_write(&out, "m", 3, &request, &inference, &json_size);
	assert_string_equal(out.data, "{\"model_name\":\"m\",\"model_version\":\"3\",\"id\":\"a\\\"b\",\"outputs\":"
				      "[{\"name\":"
				      "\"predict\",\"shape\":[2,1],\"datatype\":\"FP64\",\"data\":[0.25,null]}]}");
	assert_int_equal(json_size, out.size);

	buf_clear(&out);
	answer_with("\"outputs\":[{\"name\":\"raw_score\"},{\"name\":\"predict\",\"parameters\":{"
		    "\"binary_data\":true}}],",
		    output, raw);
	v2_write(&out, "m", 3, &request, &inference, &json_size);
	assert_int_equal(out.size, json_size + sizeof output);
	assert_memory_equal(out.data + json_size, output, sizeof output);
	out.data[json_size] = '\0';
	assert_string_equal(out.data,
			    "{\"model_name\":\"m\",\"model_version\":\"3\",\"id\":\"a\\\"b\",\"outputs\":[{\"name\":"
			    "\"raw_score\","
			    "\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[0.1,-3,1e30,0]},{\"name\":\"predict\","
			    "\"shape\":[2,1],\"datatype\":\"FP64\",\"parameters\":{\"binary_data_size\":16}}]}");
	buf_release(&out);
}

/* Of each row the greatest values with their places, greatest first; NaN last. */
static void classes(void **state)
{
	(void)state;
	double output[] = {0.25, (double)NAN};
	float raw[] = {0.1f, 0.75f, -3, -1e30f};
	struct buf out;
	size_t json_size;

	buf_init(&out);
	answer_with("\"outputs\":[{\"name\":\"raw_score\",\"parameters\":{\"classification\":2}},"
		    "{\"name\":\"predict\",\"parameters\":{\"classification\":9,\"binary_data\":true}}],",
		    output, raw);
	v2_write(&out, "m", 3, &request, &inference, &json_size);
	assert_memory_equal(out.data + json_size,
			    "\6\0\0\0"
			    "0.25:0\5\0\0\0nan:0",
			    19);
	out.data[json_size] = '\0';
	assert_string_equal(strstr(out.data, "\"outputs\""),
			    "\"outputs\":[{\"name\":\"raw_score\",\"shape\":[2,2],\"datatype\":\"BYTES\",\"data\":["
			    "\"0.75:1\",\"0.1:0\",\"-3:0\",\"-1e30:1\"]},{\"name\":\"predict\",\"shape\":[2,1],"
			    "\"datatype\":\"BYTES\",\"parameters\":{\"binary_data_size\":19}}]}");
	buf_release(&out);
}

static void metadata(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out);
	v2_write_metadata(&out, "delay", 2, &manifest);
	assert_string_equal(out.data, "{\"name\":\"delay\",\"versions\":[\"1\",\"2\"],\"platform\":"
				      "\"forest_lightgbm\",\"inputs\":[{"
				      "\"name\":\"rows\",\"datatype\":\"FP64\",\"shape\":[-1,3]}],"
				      "\"outputs\":[{\"name\":\"predict\","
				      "\"datatype\":\"FP64\",\"shape\":[-1,1]},{\"name\":\"raw_"
				      "score\",\"datatype\":\"FP32\",\"shape\":[-1,"
				      "2]}],\"features\":[\"month\",\"distance\",\"carrier\"]}");
	buf_release(&out);
}

static void strings(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out);
	v2_write_string(&out, "a\"\\\n\x01\x1b\xc3\xa9\xff"
			      "b\xe2\x82");
	assert_string_equal(out.data, "\"a\\\"\\\\\\n\\u0001\\u001b\xc3\xa9\xef\xbf\xbd"
				      "b\xef\xbf\xbd\xef\xbf\xbd\"");
	buf_release(&out);
}

static int release(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_tensor), cmocka_unit_test(float_rows), cmocka_unit_test(tensor_a_feature),
	    cmocka_unit_test(options),    cmocka_unit_test(refused),    cmocka_unit_test(long_texts),
	    cmocka_unit_test(binary),     cmocka_unit_test(cut),        cmocka_unit_test(peeked),
	    cmocka_unit_test(answers),    cmocka_unit_test(classes),    cmocka_unit_test(metadata),
	    cmocka_unit_test(strings),
	};
	return cmocka_run_group_tests(tests, NULL, release);
}
