/* The client's side of the Open Inference Protocol: requests with bytes behind, answers of both forms. */
#include "core/v2_client.h"
#include "unit.h"

static struct arena arena;

static int release(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static void a_request_has_its_tensors_behind_it(void **state)
{
	struct tensor_spec inputs[] = {{"x", "INT16", 2, {-1, 2}}, {"s", "BYTES", 1, {-1}}};
	const struct manifest m = {.input_count = 2, .inputs = inputs};
	int16_t numbers[] = {1, -2};
	struct bytes words[] = {{"a\0b", 3}};
	const struct tensor tensors[] = {{DATATYPE_INT16, 2, {1, 2}, 2, numbers}, {DATATYPE_BYTES, 1, {1}, 1, words}};
	const char *outputs[] = {"p", "q\""};
	static const char json[] =
	    "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,2],\"datatype\":\"INT16\",\"parameters\":"
	    "{\"binary_data_size\":4}},{\"name\":\"s\",\"shape\":[1],\"datatype\":\"BYTES\",\"parameters\":"
	    "{\"binary_data_size\":7}}],\"outputs\":[{\"name\":\"p\",\"parameters\":{\"binary_data\":true}},"
	    "{\"name\":\"q\\\"\",\"parameters\":{\"binary_data\":true}}]}";
	struct buf out;
	size_t json_size;
	(void)state;
	buf_init(&out);
	v2_client_write(&out, &m, tensors, outputs, 2, true, &json_size);
	assert_int_equal(json_size, sizeof json - 1);
	assert_int_equal(out.size, json_size + 11);
	assert_memory_equal(out.data, json, json_size);
	assert_memory_equal(out.data + json_size, "\1\0\xfe\xff\3\0\0\0a\0b", 11);
	/* The server chooses. */
	buf_clear(&out);
	v2_client_write(&out, &m, tensors, NULL, 0, true, &json_size);
	assert_non_null(memmem(out.data, json_size, "}}],\"parameters\":{\"binary_data_output\":true}}", 43));
	buf_release(&out);
}

static void an_answer_is_bytes_or_json(void **state)
{
	static const char body[] =
	    "{\"model_name\":\"m\",\"outputs\":[{\"name\":\"p\",\"shape\":[2,1],\"datatype\":\"FP32\","
	    "\"parameters\":{\"binary_data_size\":8}},{\"name\":\"c\",\"shape\":[2],\"datatype\":\"BYTES\","
	    "\"data\":[\"y\\n\",\"\"]}]}\0\0\x80\x3f\0\0\0\xc0";
	struct v2_named *outputs;
	size_t count;
	struct err e;
	(void)state;
	assert_int_equal(v2_client_read(body, sizeof body - 1, &arena, &outputs, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_string_equal(outputs[0].name, "p");
	assert_int_equal(outputs[0].tensor.shape[0], 2);
	assert_true(((float *)outputs[0].tensor.data)[0] == 1.0f && ((float *)outputs[0].tensor.data)[1] == -2.0f);
	const struct bytes *words = outputs[1].tensor.data;
	assert_int_equal(words[0].size, 2);
	assert_memory_equal(words[0].data, "y\n", 2);
	assert_int_equal(words[1].size, 0);
}

static void other_answers_are_refused(void **state)
{
	static const char *const bodies[] = {
	    "",
	    "<html>",
	    "[]",
	    "{}",
	    "{\"outputs\":{}}",
	    "{\"outputs\":[{\"name\":\"p\"}]}",
	    "{\"outputs\":[{\"name\":\"p\",\"shape\":[2],\"datatype\":\"FP32\",\"data\":[1]}]}",
	    "{\"outputs\":[{\"name\":\"p\",\"shape\":[2],\"datatype\":\"FP32\",\"parameters\":"
	    "{\"binary_data_size\":8}}]}1234567",
	    "{\"outputs\":[{\"name\":\"p\",\"shape\":[1],\"datatype\":\"FP32\",\"parameters\":"
	    "{\"binary_data_size\":4}}]}12345",
	    "{\"outputs\":[{\"name\":\"p\",\"shape\":[4611686018427387904,8],\"datatype\":\"FP32\",\"data\":[]}]}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct v2_named *outputs;
		size_t count;
		struct err e = {0};
		assert_int_equal(v2_client_read(bodies[i], strlen(bodies[i]), &arena, &outputs, &count, &e), -1);
		assert_int_equal(e.code, ERR_UPSTREAM);
		assert_true(strstr(e.text, "none of the Open Inference Protocol: ") != NULL);
	}
}

static void a_refusal_has_its_code_and_sentence(void **state)
{
	static const char body[] = "{\"more\":[1],\"error\":\"expected 2 features\\n\"}";
	struct err e;
	(void)state;
	v2_client_refused(body, sizeof body - 1, 400, &e);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.text, "expected 2 features\\x0a");
	v2_client_refused("", 0, 503, &e);
	assert_int_equal(e.code, ERR_UNREACHABLE);
	assert_string_equal(e.text, "HTTP status 503 without a reason");
	v2_client_refused("<", 1, 418, &e);
	assert_int_equal(e.code, ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_has_its_tensors_behind_it),
	    cmocka_unit_test(an_answer_is_bytes_or_json),
	    cmocka_unit_test(other_answers_are_refused),
	    cmocka_unit_test(a_refusal_has_its_code_and_sentence),
	};
	return cmocka_run_group_tests_name("v2_client", tests, NULL, release);
}
