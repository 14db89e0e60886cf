/* What a remote server's answers are taken for: honest ones, and lies. */
#include "unit.h"

#include "runtime/engine/remote_internal.h"

#include <math.h>
#include <stdlib.h>

#define URL "http://h/v2/models/m"

static struct tensor_spec inputs[] = {{"rows", "FP32", 2, {-1, 2}}};
static struct tensor_spec outputs[] = {
    {"score", "FP64", 2, {-1, 2}}, {"label", "BYTES", 1, {-1}}, {"count", "INT64", 1, {3}}, {"half", "FP16", 1, {2}}};
static const struct manifest manifest = {.inputs = inputs, .input_count = 1, .outputs = outputs, .output_count = 4};

struct fixture {
	struct arena arena;
	struct inference inference;
	float rows[4];
};

static void begin(struct fixture *f, size_t spec)
{
	struct err e;

	*f = (struct fixture){.rows = {1, 2.5f, NAN, -0.0f}};
	assert_int_equal(inference_begin(&f->inference, &manifest, &f->arena, &e), 0);
	f->inference.inputs[0] =
	    (struct tensor){.datatype = DATATYPE_FP32, .rank = 2, .shape = {2, 2}, .count = 4, .data = f->rows};
	inference_want(&f->inference, spec);
}

static int read_bytes(struct fixture *f, const char *body, size_t size, size_t json_size, bool free_rows, struct err *e)
{
	/* Of exactly its size, so that the address checks see a byte read too far; and gone before
	 * it is used. */
	char *copy = malloc(size + (size == 0));
	memcpy(copy, body, size);
	int result = remote_answer_read(&f->inference, free_rows, URL, copy, size, json_size, e);
	free(copy);
	return result;
}

static const struct tensor *take(struct fixture *f, const char *body, size_t binary_size)
{
	struct err e;
	size_t size = strlen(body);
	/* A binary part is written behind a NUL, so that a test can have NULs in it. */
	char *whole = malloc(size + binary_size);
	memcpy(whole, body, size);
	memcpy(whole + size, body + size + 1, binary_size);
	if (read_bytes(f, whole, size + binary_size, size, false, &e) != 0)
		fail_msg("%s: %s", body, e.text);
	free(whole);
	return &f->inference.outputs[0].tensor;
}

static void refuse(size_t spec, const char *body, const char *part)
{
	struct fixture f;
	struct err e = {0};

	begin(&f, spec);
	if (read_bytes(&f, body, strlen(body), strlen(body), false, &e) == 0)
		fail_msg("%s was taken", body);
	assert_int_equal(e.code, ERR_UPSTREAM);
	if (strstr(e.text, part) == NULL || strstr(e.text, URL) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", body, e.text, part);
	arena_release(&f.arena);
}

#define SCORE(shape, data) \
	"{\"outputs\":[{\"name\":\"score\",\"datatype\":\"FP64\",\"shape\":" shape ",\"data\":" data "}]}"
#define OUTPUT(name, datatype, shape, rest) \
	"{\"outputs\":[{\"name\":\"" name "\",\"datatype\":\"" datatype "\",\"shape\":" shape "," rest "}]}"

static void test_json(void **state)
{
	struct fixture f;
	const struct tensor *t;
	(void)state;

	begin(&f, 0);
	t = take(&f, SCORE("[2,2]", "[0.1,2,3e300,-4]"), 0);
	assert_int_equal(t->count, 4);
	assert_true(((double *)t->data)[0] == 0.1 && ((double *)t->data)[2] == 3e300);
	t = take(&f, SCORE("[2,2]", "[[1,2],[3,4]]"), 0);
	assert_true(((double *)t->data)[3] == 4);
	t = take(&f,
		 "{\"model_name\":\"m\",\"id\":\"\",\"parameters\":{},\"outputs\":[{\"name\":"
		 "\"other\",\"datatype\":"
		 "\"INT8\",\"shape\":[1],\"data\":[1]},{\"name\":\"score\",\"datatype\":\"FP64\","
		 "\"shape\":[2,2],"
		 "\"parameters\":{\"content_type\":\"np\"},\"data\":[1,2,3,4]}]}",
		 0);
	assert_true(((double *)t->data)[0] == 1);
	arena_release(&f.arena);

	begin(&f, 1);
	t = take(&f, OUTPUT("label", "BYTES", "[2]", "\"data\":[\"caf\\u00e9\",\"\"]"), 0);
	assert_int_equal(((struct bytes *)t->data)[0].size, 5);
	assert_int_equal(((struct bytes *)t->data)[1].size, 0);
	arena_release(&f.arena);
}

static void test_binary(void **state)
{
	struct fixture f;
	const struct tensor *t;
	(void)state;

	begin(&f, 1);
	t = take(&f,
		 OUTPUT("label", "BYTES", "[2]", "\"parameters\":{\"binary_data_size\":11}") "\0\3\0\0\0a\0b\0\0\0\0",
		 11);
	assert_int_equal(((struct bytes *)t->data)[0].size, 3);
	assert_memory_equal(((struct bytes *)t->data)[0].data, "a\0b", 3);
	arena_release(&f.arena);
	begin(&f, 3);
	t = take(&f, OUTPUT("half", "FP16", "[2]", "\"parameters\":{\"binary_data_size\":4}") "\0\0\x3c\0\x7c", 4);
	assert_true(tensor_double(t, 0) == 1 && isinf(tensor_double(t, 1)));
	arena_release(&f.arena);
}

/* No rows are no lie where they are free, and where none were asked for. */
static void test_rows(void **state)
{
	static const char none[] = SCORE("[0,2]", "[]"), one[] = SCORE("[1,2]", "[1,2]");
	struct fixture f;
	struct err e;
	(void)state;

	begin(&f, 0);
	assert_int_equal(read_bytes(&f, none, strlen(none), strlen(none), true, &e), 0);
	assert_int_equal(f.inference.outputs[0].tensor.count, 0);
	assert_int_equal(read_bytes(&f, one, strlen(one), strlen(one), true, &e), 0);
	assert_int_equal(f.inference.outputs[0].tensor.count, 2);
	arena_release(&f.arena);
	refuse(0, one, "has 1 rows, 2 were asked for");
	refuse(0, none, "has 0 rows, 2 were asked for");
}

static void test_lies(void **state)
{
	(void)state;
	refuse(0, "", "nothing instead of JSON");
	refuse(0, " <html>", "HTML or XML instead of JSON");
	refuse(0, "404 page not found", "something else instead of JSON");
	refuse(0, "[]", "");
	refuse(0, "{", "");
	refuse(0, "{}", "it has no `outputs`");
	refuse(0, "{\"outputs\":{}}", "not an array");
	refuse(0, "{\"outputs\":[]}", "output `score` is missing");
	refuse(0, "{\"outputs\":[],\"outputs\":[]}", "twice");
	refuse(0, OUTPUT("Score", "FP64", "[2,2]", "\"data\":[1,2,3,4]"), "output `score` is missing");
	refuse(0, OUTPUT("score", "FP32", "[2,2]", "\"data\":[1,2,3,4]"), "datatype FP32, its signature says FP64");
	refuse(0, OUTPUT("score", "FP65", "[2,2]", "\"data\":[1,2,3,4]"), "no datatype `FP65`");
	refuse(0, SCORE("[2]", "[1,2]"), "shape [2], its signature says [-1, 2]");
	refuse(0, SCORE("[2,3]", "[1,2,3,4,5,6]"), "shape [2, 3], its signature says [-1, 2]");
	refuse(0, SCORE("[3,2]", "[1,2,3,4,5,6]"), "has 3 rows, 2 were asked for");
	refuse(0, SCORE("[2,2]", "[1,2,3]"), "needs 4 values, got 3");
	refuse(0, SCORE("[2,2]", "[1,2,3,4,5]"), "needs 4 values, got 5");
	refuse(0, SCORE("[2,2]", "[[1,2,3],[4]]"), "does not have the shape");
	refuse(0, SCORE("[2,2]", "[1,2,3,\"4\"]"), "not of datatype FP64");
	refuse(0, SCORE("[2,2]", "[1,2,3,1e999]"), "not of datatype FP64");
	refuse(0, SCORE("[2,2]", "[1,2,3,NaN]"), "");
	refuse(0, SCORE("[-2,2]", "[]"), "whole number from 0 up");
	refuse(0, SCORE("[4611686018427387904,4611686018427387904]", "[1]"), "too large");
	refuse(0, SCORE("[2,2]", "[1,2,3,4]") "x", "");
	refuse(2, OUTPUT("count", "INT64", "[3]", "\"data\":[1,2,9223372036854775808]"), "not of datatype INT64");
	refuse(2, OUTPUT("count", "INT64", "[3]", "\"data\":[1,2,2.5]"), "not of datatype INT64");
	refuse(0, OUTPUT("score", "FP64", "[2,2]", "\"parameters\":{\"binary_data_size\":32}"), "bytes are left");
	refuse(0, OUTPUT("score", "FP64", "[2,2]", "\"parameters\":{\"binary_data_size\":0}"), "needs 4 values");
}

static void test_binary_lies(void **state)
{
	static const char body[] =
	    OUTPUT("label", "BYTES", "[2]", "\"parameters\":{\"binary_data_size\":10}") "\xff\xff\xff\xff      ";
	static const char more[] = OUTPUT("half", "FP16", "[2]", "\"parameters\":{\"binary_data_size\":4}") "12345";
	struct fixture f;
	struct err e;
	(void)state;

	begin(&f, 1);
	assert_int_equal(read_bytes(&f, body, sizeof body - 1, sizeof body - 11, false, &e), -1);
	assert_non_null(strstr(e.text, "longer than the bytes that are left"));
	arena_release(&f.arena);
	begin(&f, 3);
	assert_int_equal(read_bytes(&f, more, sizeof more - 1, sizeof more - 6, false, &e), -1);
	assert_non_null(strstr(e.text, "1 bytes behind the JSON"));
	assert_int_equal(e.code, ERR_UPSTREAM);
	arena_release(&f.arena);
}

static void refusal(int status, const char *body, enum err_code code, const char *part)
{
	struct fetch_answer answer = {.status = status};
	struct err e;

	buf_init(&answer.body);
	buf_add_string(&answer.body, body);
	assert_int_equal(remote_refusal(URL, &answer, &e), -1);
	assert_int_equal(e.code, code);
	if (strstr(e.text, part) == NULL)
		fail_msg("%d %s: \"%s\" does not say \"%s\"", status, body, e.text, part);
	buf_release(&answer.body);
}

static void test_refusals(void **state)
{
	(void)state;
	refusal(400, "{\"error\":\"bad\\nrow\"}", ERR_INPUT, "HTTP 400: bad\\x0arow");
	refusal(422, "{\"detail\":\"no\"}", ERR_INPUT, "HTTP 422: no");
	refusal(413, "", ERR_TOO_LARGE, "HTTP 413");
	refusal(429, "{\"error\":{\"message\":\"slow down\"}}", ERR_BUSY, ": slow down");
	refusal(500, "<h1>oops</h1>", ERR_UPSTREAM, "HTTP 500, with HTML or XML instead of JSON");
	refusal(500, "Internal Server Error\n", ERR_UPSTREAM, "HTTP 500: Internal Server Error");
	refusal(503, "{\"error\":\"\"}", ERR_UPSTREAM, "HTTP 503");
	refusal(504, "", ERR_TIMEOUT, "HTTP 504");
	refusal(404, "{\"error\":\"unknown model\"}", ERR_UPSTREAM, "does not exist (HTTP 404): unknown model");
	refusal(401, "", ERR_UPSTREAM, "check the token's file");
	refusal(307, "", ERR_UPSTREAM, "redirect");
	refusal(200 + 4, "", ERR_UPSTREAM, "HTTP 204");
	char *long_text = calloc(1, 3000);
	memcpy(long_text, "{\"error\":\"", 10);
	memset(long_text + 10, 'x', 2000);
	strcat(long_text, "\"}");
	refusal(500, long_text, ERR_UPSTREAM, "xxx");
	free(long_text);
}

static void request(struct fixture *f, bool binary, const char *expected, size_t json_size)
{
	struct buf out;
	struct err e;
	size_t size;

	buf_init(&out);
	assert_int_equal(remote_request_write(&f->inference, binary, &out, &size, &e), 0);
	assert_int_equal(size, json_size);
	assert_memory_equal(out.data, expected, strlen(expected));
	buf_release(&out);
}

static void test_requests(void **state)
{
	static const char json[] = "{\"inputs\":[{\"name\":\"rows\",\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":"
				   "[1,2.5,null,-0.0]}],\"outputs\":[{\"name\":\"score\"}]}";
	static const char binary[] =
	    "{\"inputs\":[{\"name\":\"rows\",\"shape\":[2,2],\"datatype\":\"FP32\",\"parameters\":"
	    "{\"binary_data_size\":16}}],\"outputs\":[{\"name\":\"score\",\"parameters\":{\"binary_"
	    "data\":true}}]}";
	struct fixture f;
	struct buf out;
	struct err e;
	size_t size;
	(void)state;

	begin(&f, 0);
	request(&f, false, json, strlen(json));
	request(&f, true, binary, strlen(binary));
	buf_init(&out);
	assert_int_equal(remote_request_write(&f.inference, true, &out, &size, &e), 0);
	assert_int_equal(out.size, size + 16);
	assert_memory_equal(out.data + size, f.rows, 16);
	/* Infinity has no JSON. */
	f.rows[1] = INFINITY;
	assert_int_equal(remote_request_write(&f.inference, true, &out, &size, &e), 0);
	assert_int_equal(remote_request_write(&f.inference, false, &out, &size, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_non_null(strstr(e.text, "element 1 of input `rows` is infinite"));
	buf_release(&out);
	arena_release(&f.arena);
}

static int describe(const char *model, const char *signature, struct manifest *m, struct err *e)
{
	struct remote r;
	cJSON *json = cJSON_Parse(model);
	cJSON *server = cJSON_Parse("{\"name\":\"triton\",\"version\":\"2\",\"extensions\":[\"x\","
				    "\"binary_tensor_data\"]}");

	remote_init(&r);
	strcpy(r.url, URL);
	r.signature = signature == NULL ? NULL : cJSON_Parse(signature);
	manifest_init(m);
	int result = remote_describe(&r, json, server, m, e);
	cJSON_Delete(json);
	cJSON_Delete(server);
	remote_release(&r);
	return result;
}

static void refuse_metadata(const char *model, const char *part)
{
	struct manifest m;
	struct err e = {0};

	if (describe(model, NULL, &m, &e) == 0)
		fail_msg("%s was taken", model);
	assert_int_equal(e.code, ERR_UPSTREAM);
	if (strstr(e.text, part) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", model, e.text, part);
	manifest_release(&m);
}

#define OUT "\"outputs\":[{\"name\":\"o\",\"datatype\":\"FP32\",\"shape\":[-1]}]"

static void test_metadata(void **state)
{
	struct manifest m;
	struct prediction_kind kind;
	struct err e;
	(void)state;

	assert_int_equal(describe("{\"versions\":[\"1\",\"2\"],\"platform\":\"onnx\",\"inputs\":[{\"name\":\"x\","
				  "\"datatype\":\"fp32\",\"shape\":[null,\"3\"]}],\"outputs\":[{\"name\":\"l\","
				  "\"datatype\":"
				  "\"BYTES\",\"shape\":[-1]},{\"name\":\"p\",\"datatype\":\"FP32\",\"shape\":[-1,4]}]"
				  "}",
				  NULL, &m, &e),
			 0);
	assert_string_equal(m.inputs[0].datatype, "FP32");
	assert_int_equal(m.inputs[0].dimensions[0], -1);
	assert_int_equal(m.inputs[0].dimensions[1], 3);
	assert_int_equal(m.feature_count, 3);
	assert_true(remote_takes_binary(&m));
	remote_kind(&m, &kind);
	assert_int_equal(kind.output, 1);
	assert_int_equal(kind.class_count, 4);
	assert_true(kind.column == PREDICTION_ARGMAX);
	manifest_release(&m);

	/* The operator's signature is taken in place of an empty one. */
	assert_int_equal(describe("{\"inputs\":[],\"outputs\":[]}",
				  "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP64\",\"shape\":[-1,2]}]," OUT "}", &m,
				  &e),
			 0);
	assert_string_equal(m.inputs[0].name, "x");
	manifest_release(&m);
}

static void test_metadata_refused(void **state)
{
#define IN(text) "{\"inputs\":[" text "]," OUT "}"
	(void)state;
	refuse_metadata("{}", "--signature FILE");
	refuse_metadata("{\"inputs\":[]," OUT "}", "--signature FILE");
	refuse_metadata("{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1]}]}", "it has no `outputs`");
	refuse_metadata(IN("{\"datatype\":\"FP32\",\"shape\":[1]}"), "no name");
	refuse_metadata(IN("{\"name\":\"x\",\"shape\":[1]}"), "datatype ``");
	refuse_metadata(IN("{\"name\":\"x\",\"datatype\":\"FP128\",\"shape\":[1]}"), "datatype `FP128`");
	refuse_metadata(IN("{\"name\":\"x\",\"datatype\":\"FP32XXXXXXXXXXXX\",\"shape\":[1]}"), "does not know");
	refuse_metadata(IN("{\"name\":\"x\",\"datatype\":\"FP32\"}"), "no `shape`");
	refuse_metadata(IN("{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,1,1,1,1,1,1,1,1]}"), "at most 8");
	refuse_metadata(IN("{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[-2]}"), "whole numbers and -1");
	refuse_metadata(IN("{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1]},{\"name\":\"x\","
			   "\"datatype\":\"FP32\","
			   "\"shape\":[1]}"),
			"two of its `inputs` are named `x`");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_binary),
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_binary_lies),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_metadata),
	    cmocka_unit_test(test_metadata_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
