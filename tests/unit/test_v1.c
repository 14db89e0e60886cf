/* Bodies of V1: rows and columns in, predictions and outputs out. */
#include "core/v2_tensor.h"
#include "runtime/protocol/v1.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static char *features[] = {"month", "distance", "a\"b"};
static struct tensor_spec table_inputs[] = {{"rows", "FP64", 2, {-1, 3}}};
static struct tensor_spec table_outputs[] = {{"predict", "FP64", 2, {-1, 1}}, {"raw_score", "FP64", 2, {-1, 1}}};
static const struct manifest table = {
    .input_count = 1,
    .inputs = table_inputs,
    .output_count = 2,
    .outputs = table_outputs,
    .feature_count = 3,
    .feature_names = features,
};
static struct tensor_spec named_inputs[] = {
    {"tag", "BYTES", 1, {-1}}, {"signal", "FP32", 2, {-1, 2}}, {"age", "INT64", 2, {-1, 1}}};
static struct tensor_spec named_outputs[] = {
    {"tag_bytes", "BYTES", 1, {-1}}, {"signal", "FP32", 2, {-1, 2}}, {"age", "INT64", 2, {-1, 1}}};
static const struct manifest named = {
    .input_count = 3, .inputs = named_inputs, .output_count = 3, .outputs = named_outputs};
static struct tensor_spec image_inputs[] = {{"image", "UINT8", 3, {-1, 2, 2}}};
static struct tensor_spec image_outputs[] = {{"label", "INT64", 1, {-1}}};
static const struct manifest image = {
    .input_count = 1, .inputs = image_inputs, .output_count = 1, .outputs = image_outputs};
static struct tensor_spec scalar_inputs[] = {{"x", "FP64", 0, {0}}};
static struct tensor_spec scalar_outputs[] = {{"y", "FP64", 0, {0}}};
static const struct manifest scalar = {
    .input_count = 1, .inputs = scalar_inputs, .output_count = 1, .outputs = scalar_outputs};

static const struct engine tabular = {.name = "forest", .tabular = true, .default_outputs = 1};
static const struct engine any = {.name = "any"};

static struct arena arena;
static struct inference inference;
static struct v1_request request;
static struct err error;

static struct v1_model model_of(const struct manifest *m)
{
	return (struct v1_model){m == &table ? &tabular : &any, columns_new(m, "m", NULL)};
}

static void forget(struct v1_model *model)
{
	columns_free((struct columns *)(uintptr_t)model->columns);
}

/* Parses a copy of exactly its size, so that the address checks see a byte read too far. */
static int parse(const struct v1_model *model, const struct manifest *m, const char *body)
{
	size_t size = strlen(body);
	char *copy = malloc(size + (size == 0));
	assert_non_null(copy);
	memcpy(copy, body, size);
	arena_reset(&arena);
	error = (struct err){0};
	assert_int_equal(inference_begin(&inference, m, &arena, &error), 0);
	int result = v1_parse(model, copy, size, &request, &inference, &error);
	free(copy);
	return result;
}

/* The inputs as V2 writes them, without quotes: "month[2]=1,2". */
static void write_inputs(struct buf *out, const struct manifest *m)
{
	for (size_t i = 0; i < m->input_count; i++) {
		const struct tensor *t = &inference.inputs[i];
		buf_format(out, "%s%s[", i > 0 ? " " : "", m->inputs[i].name);
		for (size_t k = 0; k < t->rank; k++)
			buf_format(out, "%s%lld", k > 0 ? "," : "", (long long)t->shape[k]);
		buf_add_string(out, "]=");
		for (size_t k = 0; k < t->count; k++) {
			buf_add_string(out, k > 0 ? "," : "");
			if (t->datatype == DATATYPE_BYTES || !isinf(tensor_double(t, k)))
				columns_write_text(out, t, k);
			else
				buf_add_string(out, tensor_double(t, k) > 0 ? "inf" : "-inf");
		}
	}
}

static void expect_inputs(const struct manifest *m, const char *body, const char *want)
{
	struct v1_model model = model_of(m);
	struct buf out;

	buf_init(&out);
	if (parse(&model, m, body) != 0)
		fail_msg("%s: %s", body, error.text);
	write_inputs(&out, m);
	assert_string_equal(out.data, want);
	buf_release(&out);
	forget(&model);
}

static void expect_refusal(const struct manifest *m, const char *body, const char *sentence)
{
	struct v1_model model = model_of(m);
	if (parse(&model, m, body) == 0)
		fail_msg("let in: %s", body);
	assert_int_equal(error.code, ERR_INPUT);
	assert_string_equal(error.text, sentence);
	forget(&model);
}

static void rows_of_a_matrix(void **state)
{
	(void)state;
	static const char want[] = "rows[2,3]=1,2.5,NaN,4,-5,600";
	expect_inputs(&table, "{\"instances\":[[1,2.5,null],[4,-5,6e2]]}", want);
	expect_inputs(&table,
		      " {\"signature_name\":\"serving_default\", \"x\":{\"y\":[]}, \"instances\" : "
		      "[[1,2.5,NaN],[4,-5,600.0]] } ",
		      want);
	expect_inputs(&table, "{\"inputs\":[[1,2.5,null],[4,-5,6e2]],\"signature_name\":null}", want);
	expect_inputs(&table, "{\"instances\":[{\"rows\":[1,2.5,null]},{\"rows\":[4,-5,6e2]}]}", want);
	expect_inputs(&table, "{\"inputs\":{\"rows\":[[1,2.5,null],[4,-5,6e2]]}}", want);
	/* By the features' names, in any order, escaped or not. */
	expect_inputs(&table,
		      "{\"instances\":[{\"month\":1,\"distance\":2.5,\"a\\\"b\":null},"
		      "{\"a\\u0022b\":6e2,\"distance\":-5,\"m\\u006fnth\":4}]}",
		      want);
	expect_inputs(&table,
		      "{\"inputs\":[{\"month\":1,\"distance\":2.5,\"a\\\"b\":null},"
		      "{\"a\\\"b\":6e2,\"distance\":-5,\"month\":4}]}",
		      want);
	expect_inputs(&table, "{\"inputs\":{\"a\\\"b\":[NaN,600],\"month\":[1,4],\"distance\":[[2.5],[-5]]}}", want);
	expect_inputs(&table, "{\"inputs\":{\"a\\\"b\":3,\"month\":1,\"distance\":2}}", "rows[1,3]=1,2,3");
	expect_inputs(&table, "{\"instances\":[[Infinity,-Infinity,-Inf]]}", "rows[1,3]=inf,-inf,-inf");
}

static void named_rows_and_columns(void **state)
{
	(void)state;
	static const char want[] = "tag[2]=a,b signal[2,2]=1,2,3,4 age[2,1]=7,8";
	expect_inputs(&named,
		      "{\"instances\":[{\"tag\":\"a\",\"signal\":[1,2],\"age\":7},{\"age\":8,"
		      "\"tag\":\"b\",\"signal\":[3,4]}]}",
		      want);
	expect_inputs(&named,
		      "{\"instances\":[{\"tag\":[\"a\"],\"signal\":[1,2],\"age\":[7]},{\"tag\":["
		      "\"b\"],\"signal\":[3,4],\"age\":[8]}]}",
		      want);
	expect_inputs(&named,
		      "{\"inputs\":{\"tag\":[\"a\",{\"b64\":\"Yg==\"}],\"signal\":[[1,2],[3,4]],"
		      "\"age\":[7.0,8]}}",
		      want);
	expect_inputs(&named,
		      "{\"instances\":[{\"tag\":{\"b64\":\"YQ\\u003d=\"},\"signal_0\":1,\"signal_"
		      "1\":2,\"age\":7},"
		      "{\"tag\":\"b\",\"signal_1\":4,\"signal_0\":3,\"age\":8}]}",
		      want);
}

static void shapes_of_lists(void **state)
{
	(void)state;
	expect_inputs(&image, "{\"instances\":[[[1,2],[3,4]]]}", "image[1,2,2]=1,2,3,4");
	expect_inputs(&image, "{\"inputs\":[[[1,2],[3,4]],[[5,6],[7,255]]]}", "image[2,2,2]=1,2,3,4,5,6,7,255");
	expect_inputs(&scalar, "{\"inputs\":-1.5}", "x[]=-1.5");
	expect_inputs(&scalar, "{\"inputs\":{\"x\":3}}", "x[]=3");
}

static const struct {
	const struct manifest *manifest;
	const char *body, *sentence;
} refusals[] = {
    {&table, "", "the body is empty"},
    {&table, "[]", "the body is not a JSON object"},
    {&table, "{}", "the body has neither `instances` nor `inputs`"},
    {&table, "{\"instances\":[]}", "`instances` is empty"},
    {&table, "{\"instances\":1}", "`instances` is not a list"},
    {&table, "{\"instances\":{\"rows\":[[1,2,3]]}}", "`instances` is not a list"},
    {&table, "{\"instances\":[[1,2,3]],\"inputs\":[[1,2,3]]}",
     "the body has both `instances` and `inputs`; it may have one of them"},
    {&table, "{\"inputs\":[[1,2,3]],\"inputs\":[[1,2,3]]}", "`inputs` occurs twice"},
    {&table, "{\"instances\":[[1,2]]}", "expected 3 features a row, got 2"},
    {&table, "{\"instances\":[1,2,3]}", "input `rows` has the shape [3]; the model takes [-1, 3]"},
    {&table, "{\"instances\":[[1,2,3],[4,5]]}",
     "the values of input `rows` have no common shape: its lists differ in length or depth"},
    {&table, "{\"instances\":[[1,2,[3]]]}",
     "the values of input `rows` have no common shape: its lists differ in length or depth"},
    {&table, "{\"instances\":[[[1],2,3]]}",
     "the values of input `rows` have no common shape: its lists differ in length or depth"},
    {&table, "{\"instances\":[[1,2,\"x\"]]}", "element 2 of input `rows` is not of datatype FP64: \"x\""},
    {&table, "{\"instances\":[[1,2,{\"b64\":\"YQ==\"}]]}",
     "element 2 of input `rows` is not of datatype FP64: {\"b64\":\"YQ==\"}"},
    {&table, "{\"instances\":[[1,2,1e999]]}", "element 2 of input `rows` is not of datatype FP64: 1e999"},
    {&table, "{\"instances\":[{}]}", "element 0 of `instances`: there is no `month`, which the model needs"},
    {&table, "{\"instances\":[{\"month\":1,\"distance\":2,\"a\\\"b\":3},{\"month\":1,\"a\\\"b\":3}]}",
     "element 1 of `instances`: there is no `distance`, which the model needs"},
    {&table, "{\"instances\":[{\"month\":1,\"mouth\":2}]}", "this model has no input or column `mouth`"},
    {&table, "{\"instances\":[{\"month\":1,\"month\":2}]}", "element 0 of `instances` gives `month` twice"},
    {&table, "{\"instances\":[{\"month\":\"May\"}]}", "element 0 of column `month` is not of datatype FP64: \"May\""},
    {&table, "{\"instances\":[{\"rows\":[1,2,3]},[1,2,3]]}", "element 1 of `instances` is no object, as the first is"},
    {&table, "{\"inputs\":{\"month\":[1,2],\"distance\":[1],\"a\\\"b\":[1,2]}}",
     "column `month` has 2 rows, `distance` has 1"},
    {&table, "{\"inputs\":{\"month\":[1],\"month\":[1]}}", "`month` is given twice"},
    {&table, "{\"inputs\":{\"month\":[1]}}", "there is no `distance`, which the model needs"},
    {&table, "{\"inputs\":{\"month\":[[[1]]],\"distance\":[1],\"a\\\"b\":[1]}}",
     "column `month` has 3 dimensions; it is one value a row"},
    {&table, "{\"instances\":[[1,2,nan]]}", "the body is not valid JSON: expected a value at byte 19"},
    {&table, "{\"instances\":[[1,2,3]]", "the body is not valid JSON: expected `,` or `}` at byte 22"},
    {&table, "{\"instances\":[[1,2,3]]}}",
     "the body is not valid JSON: something behind the end of the JSON at byte 23"},
    {&table, "{\"instances\":[[[[[[[[[[1]]]]]]]]]]}", "input `rows` has more than 8 dimensions"},
    {&table, "{\"signature_name\":\"other\",\"instances\":[[1,2,3]]}",
     "there is no signature `other`; there is only `serving_default`"},
    {&table, "{\"signature_name\":1,\"instances\":[[1,2,3]]}", "`signature_name` is not a string"},
    {&named, "{\"instances\":[\"a\"]}",
     "the model takes 3 inputs, so `instances` must be by their names: {\"tag\": ...}"},
    {&named, "{\"instances\":[{\"tag\":1}]}", "element 0 of input `tag` is not of datatype BYTES: 1"},
    {&named, "{\"instances\":[{\"tag\":{\"b64\":\"Y\"}}]}", "element 0 of input `tag`: 1 characters are no base64"},
    {&named, "{\"instances\":[{\"tag\":{\"b64\":1}}]}",
     "element 0 of input `tag` is neither a string nor {\"b64\": \"...\"}"},
    {&named, "{\"instances\":[{\"tag\":{}}]}", "element 0 of input `tag` is an empty object"},
    {&named, "{\"instances\":[{\"age\":9223372036854775808}]}",
     "element 0 of input `age` is not of datatype INT64: 9223372036854775808"},
    {&named, "{\"instances\":[{\"age\":NaN}]}", "element 0 of input `age` is not of datatype INT64: NaN"},
    {&named, "{\"inputs\":{\"tag\":[\"a\"],\"signal\":[[1,2,3]],\"age\":[7]}}",
     "input `signal` has the shape [1, 3]; the model takes [-1, 2]"},
    {&image, "{\"instances\":[{\"x\":1}]}", "this model has no input `x`"},
    {&image, "{\"instances\":[[[1,256],[1,1]]]}", "element 1 of input `image` is not of datatype UINT8: 256"},
};

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		expect_refusal(refusals[i].manifest, refusals[i].body, refusals[i].sentence);
}

/* --- answers --- */

static void give(size_t i, enum datatype type, const int64_t *shape, size_t rank, void *data)
{
	struct tensor *t = &inference.outputs[i].tensor;
	*t = (struct tensor){.datatype = type, .rank = rank, .data = data};
	for (size_t k = 0; k < rank; k++)
		t->shape[k] = shape[k];
	assert_true(tensor_count(shape, rank, &t->count));
}

static void expect_answer(const struct v1_model *model, const char *want)
{
	struct buf out;
	buf_init(&out);
	if (v1_write(&out, model, &request, &inference, &error) != 0)
		fail_msg("%s", error.text);
	assert_string_equal(out.data, want);
	buf_release(&out);
}

static void one_output_has_no_name(void **state)
{
	(void)state;
	struct v1_model forest = model_of(&table), pixels = model_of(&image), one = model_of(&scalar);
	double values[] = {0.5, (double)NAN, -(double)INFINITY, 1e22};
	int64_t labels[] = {3, -4};

	assert_int_equal(parse(&forest, &table, "{\"instances\":[[1,2,3],[1,2,3]]}"), 0);
	give(0, DATATYPE_FP64, (int64_t[]){2, 1}, 2, values);
	inference_want(&inference, 1); /* what is counted besides is not answered */
	expect_answer(&forest, "{\"predictions\":[0.5,NaN]}");
	give(0, DATATYPE_FP64, (int64_t[]){2, 2}, 2, values);
	expect_answer(&forest, "{\"predictions\":[[0.5,NaN],[-Infinity,1e22]]}");
	assert_int_equal(parse(&forest, &table, "{\"inputs\":[[1,2,3],[1,2,3]]}"), 0);
	give(0, DATATYPE_FP64, (int64_t[]){2, 1}, 2, values);
	expect_answer(&forest, "{\"outputs\":[0.5,NaN]}");

	assert_int_equal(parse(&pixels, &image, "{\"instances\":[[[1,2],[3,4]],[[1,2],[3,4]]]}"), 0);
	give(0, DATATYPE_INT64, (int64_t[]){2}, 1, labels);
	expect_answer(&pixels, "{\"predictions\":[3,-4]}");
	/* Only of a table of features a column of one is a plain number. */
	give(0, DATATYPE_INT64, (int64_t[]){2, 1}, 2, labels);
	expect_answer(&pixels, "{\"predictions\":[[3],[-4]]}");
	give(0, DATATYPE_INT64, (int64_t[]){1, 2}, 2, labels);
	struct buf out;
	buf_init(&out);
	assert_int_equal(v1_write(&out, &pixels, &request, &inference, &error), -1);
	assert_int_equal(error.code, ERR_INPUT);
	assert_string_equal(error.text, "output `label` of shape [1, 2] has no value for each of 2 instances; send "
					"`inputs` instead");
	assert_int_equal(out.size, 0);

	assert_int_equal(parse(&one, &scalar, "{\"inputs\":1}"), 0);
	give(0, DATATYPE_FP64, NULL, 0, values);
	expect_answer(&one, "{\"outputs\":0.5}");
	forget(&forest);
	forget(&pixels);
	forget(&one);
}

static void several_outputs_are_named(void **state)
{
	(void)state;
	struct v1_model model = model_of(&named);
	struct bytes tags[] = {{"a", 1}, {"\xff\0", 2}};
	float signal[] = {1, 2, 3, 4.5f};
	int64_t age[] = {7, 8};
	static const char rows[] = "{\"instances\":[{\"tag\":\"a\",\"signal\":[1,2],\"age\":7},"
				   "{\"tag\":\"a\",\"signal\":[1,2],\"age\":7}]}";
	static const char columns[] = "{\"inputs\":{\"tag\":[\"a\",\"b\"],\"signal\":[[1,2],[1,2]],\"age\":[1,2]}}";

	for (int form = 0; form < 2; form++) {
		assert_int_equal(parse(&model, &named, form == 0 ? rows : columns), 0);
		assert_int_equal(request.output_count, 3);
		give(0, DATATYPE_BYTES, (int64_t[]){2}, 1, tags);
		give(1, DATATYPE_FP32, (int64_t[]){2, 2}, 2, signal);
		give(2, DATATYPE_INT64, (int64_t[]){2, 1}, 2, age);
		expect_answer(&model, form == 0 ? "{\"predictions\":["
						  "{\"tag_bytes\":{\"b64\":\"YQ==\"},\"signal\":[1,2],\"age\":[7]},"
						  "{\"tag_bytes\":{\"b64\":\"/wA=\"},\"signal\":[3,4.5],\"age\":[8]}]}"
						: "{\"outputs\":{\"tag_bytes\":[{\"b64\":\"YQ==\"},{\"b64\":\"/wA=\"}],"
						  "\"signal\":[[1,2],[3,4.5]],\"age\":[[7],[8]]}}");
	}
	forget(&model);
}

static void signature(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out);
	v1_write_metadata(&out, "m", 7, &image);
	assert_string_equal(out.data,
			    "{\"model_spec\":{\"name\":\"m\",\"signature_name\":\"\",\"version\":\"7\"},"
			    "\"metadata\":"
			    "{\"signature_def\":{\"signature_def\":{\"serving_default\":{\"inputs\":{\"image\":{"
			    "\"dtype\":"
			    "\"DT_UINT8\",\"tensor_shape\":{\"dim\":[{\"size\":\"-1\",\"name\":\"\"},{\"size\":"
			    "\"2\","
			    "\"name\":\"\"},{\"size\":\"2\",\"name\":\"\"}],\"unknown_rank\":false},\"name\":"
			    "\"image\"}},"
			    "\"outputs\":{\"label\":{\"dtype\":\"DT_INT64\",\"tensor_shape\":{\"dim\":[{\"size\":"
			    "\"-1\","
			    "\"name\":\"\"}],\"unknown_rank\":false},\"name\":\"label\"}},\"method_name\":"
			    "\"tensorflow/serving/predict\"}}}}}");
	buf_release(&out);
}

static int end(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_of_a_matrix),
	    cmocka_unit_test(named_rows_and_columns),
	    cmocka_unit_test(shapes_of_lists),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(one_output_has_no_name),
	    cmocka_unit_test(several_outputs_are_named),
	    cmocka_unit_test(signature),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
