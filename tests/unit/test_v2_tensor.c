/* Tensors of every datatype, matched by name to a signature, and how they are written. */
#include "runtime/protocol/v2.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>

#define PARTS_MAX 4096

static struct tensor_spec outputs[] = {{"predict", "FP64", 2, {-1, 1}}, {"raw_score", "FP32", 2, {-1, 2}}};
static struct arena arena;
static struct inference inference;
static struct v2_request request;
static struct err error;

static struct tensor_spec typed_inputs[] = {
    {"f16", "FP16", 1, {-1}},     {"b16", "BF16", 1, {-1}},  {"truth", "BOOL", 1, {-1}}, {"i8", "INT8", 1, {-1}},
    {"i64", "INT64", 2, {-1, 2}}, {"u64", "UINT64", 1, {2}}, {"text", "BYTES", 1, {-1}}, {"scalar", "INT32", 0, {0}},
};
static const struct manifest typed = {.input_count = 8, .inputs = typed_inputs, .output_count = 2, .outputs = outputs};
static const struct engine any = {.name = "any"};

#define TENSOR(name, shape, type, data) \
	"{\"name\":\"" name "\",\"shape\":" shape ",\"datatype\":\"" type "\",\"data\":" data "}"
#define TYPED                                                                                              \
	TENSOR("text", "[2]", "BYTES", "[\"a\\u0000b\",\"\\u00e9\"]")                                      \
	"," TENSOR("f16", "[2]", "FP16", "[0.1,null]") "," TENSOR("b16", "[1]", "INT8", "[3]") "," TENSOR( \
	    "truth", "[2]", "BOOL",                                                                        \
	    "[true,0]") "," TENSOR("i8", "[1]", "INT64",                                                   \
				   "[-128]") "," TENSOR("i64", "[1,2]", "INT64",                           \
							"[[-9223372036854775808,9223372036854775807]"      \
							"]") "," TENSOR("u64", "[2]", "UINT64",            \
									"[18446744073709551615,0]")

static int parse_typed(const char *json, const void *bytes, size_t size)
{
	static char body[PARTS_MAX];
	size_t json_size = strlen(json);
	memcpy(body, json, json_size);
	if (size > 0)
		memcpy(body + json_size, bytes, size);
	arena_reset(&arena);
	assert_int_equal(inference_begin(&inference, &typed, &arena, &error), 0);
	return v2_parse(&any, body, json_size + size, json_size, &request, &inference, &error);
}

static void every_datatype(void **state)
{
	(void)state;
	if (parse_typed("{\"inputs\":[" TYPED "," TENSOR("scalar", "[]", "INT32", "[-7]") "]}", NULL, 0) != 0)
		fail_msg("%s", error.text);
	const struct tensor *t = inference.inputs;
	assert_int_equal(((uint16_t *)t[0].data)[0], 0x2e66);
	assert_true(isnan(tensor_double(&t[0], 1)));
	assert_true(tensor_double(&t[1], 0) == 3);
	assert_true(tensor_double(&t[2], 0) == 1 && tensor_double(&t[2], 1) == 0);
	assert_true(tensor_double(&t[3], 0) == -128);
	assert_true(((int64_t *)t[4].data)[0] == INT64_MIN && ((int64_t *)t[4].data)[1] == INT64_MAX);
	assert_true(((uint64_t *)t[5].data)[0] == UINT64_MAX);
	const struct bytes *text = t[6].data;
	assert_int_equal(text[0].size, 3);
	assert_memory_equal(text[0].data, "a\0b", 3);
	assert_memory_equal(text[1].data, "\xc3\xa9", 2);
	assert_int_equal(t[7].rank, 0);
	assert_true(tensor_double(&t[7], 0) == -7);
	/* Without `outputs`, all there are. */
	assert_int_equal(request.output_count, 2);

	struct buf out;
	buf_init(&out);
	v2_tensor_write(&out, "t", &t[6], false);
	v2_tensor_write(&out, "t", &t[4], false);
	v2_tensor_write(&out, "t", &t[2], false);
	v2_tensor_write(&out, "t", &t[0], false);
	v2_tensor_write(&out, "t", &t[7], true);
	assert_string_equal(
	    out.data, "{\"name\":\"t\",\"shape\":[2],\"datatype\":\"BYTES\",\"data\":[\"a\\u0000b\",\"\xc3\xa9\"]}"
		      "{\"name\":\"t\",\"shape\":[1,2],\"datatype\":\"INT64\",\"data\":[-9223372036854775808,"
		      "9223372036854775807]}"
		      "{\"name\":\"t\",\"shape\":[2],\"datatype\":\"BOOL\",\"data\":[true,false]}"
		      "{\"name\":\"t\",\"shape\":[2],\"datatype\":\"FP16\",\"data\":[0.099975586,null]}"
		      "{\"name\":\"t\",\"shape\":[],\"datatype\":\"INT32\",\"parameters\":{\"binary_data_size\":4}}");
	buf_clear(&out);
	v2_tensor_write_bytes(&out, &t[6]);
	assert_int_equal(out.size, 13);
	assert_memory_equal(out.data, "\3\0\0\0a\0b\2\0\0\0\xc3\xa9", 13);
	buf_release(&out);
}

static void bytes_of_strings(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t size;
		const char *sentence;
	} cases[] = {
	    {"\1\0\0\0a\0\0\0\0", 9, NULL},
	    {"\1\0\0\0a", 5, "input `text` needs 2 values, its binary_data_size is 5"},
	    {"\xff\xff\xff\xff"
	     "abcd",
	     8, "element 0 of input `text` is longer than the bytes that are left"},
	    {"\1\0\0\0a\1\0\0", 8, "element 1 of input `text` is longer than the bytes that are left"},
	    {"\0\0\0\0\0\0\0\0x", 9, "1 bytes behind the 2 elements of input `text`"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char json[200];
		snprintf(json, sizeof json,
			 "{\"inputs\":[{\"name\":\"text\",\"shape\":[2],\"datatype\":\"BYTES\","
			 "\"parameters\":{\"binary_data_size\":%zu}}]}",
			 cases[i].size);
		assert_int_equal(parse_typed(json, cases[i].bytes, cases[i].size), -1);
		/* The good one misses only the other inputs. */
		assert_string_equal(error.text, cases[i].sentence != NULL
						    ? cases[i].sentence
						    : "input `f16` is missing: the model takes 8, got 1");
	}
}

static void signature_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *json, *sentence;
	} cases[] = {
	    {TENSOR("x", "[1]", "FP64", "[1]"), "this model has no input `x`"},
	    {TENSOR("i8", "[1]", "INT8", "[1]") "," TENSOR("i8", "[1]", "INT8", "[1]"), "input `i8` is given twice"},
	    {TENSOR("i8", "[1]", "FP64", "[1]"), "input `i8` has datatype FP64; the model takes INT8"},
	    {TENSOR("i8", "[1]", "INT64", "[128]"), "element 0 of input `i8` is not of datatype INT64: 128"},
	    {TENSOR("i8", "[1]", "INT8", "[null]"), "element 0 of input `i8` is not of datatype INT8: null"},
	    {TENSOR("text", "[1]", "BYTES", "[1]"), "element 0 of input `text` is not of datatype BYTES: 1"},
	    {TENSOR("f16", "[1]", "BYTES", "[\"a\"]"), "input `f16` has datatype BYTES; the model takes FP16"},
	    {TENSOR("truth", "[1]", "UINT8", "[1]"), "input `truth` has datatype UINT8; the model takes BOOL"},
	    {TENSOR("u64", "[3]", "UINT64", "[1,2,3]"), "input `u64` has the shape [3]; the model takes [2]"},
	    {TENSOR("i64", "[2]", "INT64", "[1,2]"), "input `i64` has the shape [2]; the model takes [-1, 2]"},
	    {TENSOR("scalar", "[1]", "INT32", "[1]"), "input `scalar` has the shape [1]; the model takes []"},
	};
	char json[PARTS_MAX];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(json, sizeof json, "{\"inputs\":[%s]}", cases[i].json);
		assert_int_equal(parse_typed(json, NULL, 0), -1);
		assert_int_equal(error.code, ERR_INPUT);
		assert_string_equal(error.text, cases[i].sentence);
	}
	assert_int_equal(parse_typed("", "abc", 3), -1);
	assert_string_equal(error.text, "this model does not take a body without JSON");
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
	    cmocka_unit_test(every_datatype),
	    cmocka_unit_test(bytes_of_strings),
	    cmocka_unit_test(signature_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, release);
}
