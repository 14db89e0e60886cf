/* Captured rows as text that the wanted versions take: their columns, what does not fit, and what text cannot carry. */
#include "runtime/capture/capture_text.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define VERSIONS 4

/* v1 takes a and s; v2 the same and more; v3 a as a whole number; v4 a matrix. */
static struct tensor_spec inputs[VERSIONS][3] = {
    {{"a", "FP64", 1, {-1}}, {"s", "BYTES", 1, {-1}}},
    {{"s", "BYTES", 1, {-1}}, {"a", "FP32", 1, {-1}}, {"b", "BOOL", 1, {-1}}},
    {{"a", "INT32", 1, {-1}}},
    {{"x", "FP32", 3, {-1, 2, 2}}},
};
static struct manifest manifests[VERSIONS] = {{.input_count = 2, .inputs = inputs[0]},
					      {.input_count = 3, .inputs = inputs[1]},
					      {.input_count = 1, .inputs = inputs[2]},
					      {.input_count = 1, .inputs = inputs[3]}};

static struct capture_text begin(enum capture_form form, uint32_t first, uint32_t second)
{
	const uint32_t wanted[] = {first, second};
	struct capture_text t;
	struct err e;
	assert_int_equal(capture_text_init(&t, form, "m", manifests, VERSIONS, wanted, second > 0 ? 2 : 1, &e), 0);
	return t;
}

/* A row of a request to v1. */
static bool add(struct capture_text *t, double a, const char *s, size_t size, int64_t at_ms)
{
	struct bytes text = {s, size};
	const struct tensor tensors[] = {{DATATYPE_FP64, 1, {1}, 1, &a}, {DATATYPE_BYTES, 1, {1}, 1, &text}};
	const struct capture_request request = {1, 2, tensors, at_ms};
	struct capture_row *row = malloc(capture_row_size(&request, 0, 1));

	capture_row_fill(row, &request, 0, 1);
	bool fits = capture_text_add(t, row);
	free(row);
	return fits;
}

/* A row of a request to v3. */
static bool add_whole(struct capture_text *t, int32_t a)
{
	const struct tensor tensor = {DATATYPE_INT32, 1, {1}, 1, &a};
	const struct capture_request request = {3, 1, &tensor, 7};
	struct capture_row *row = malloc(capture_row_size(&request, 0, 1));

	capture_row_fill(row, &request, 0, 1);
	bool fits = capture_text_add(t, row);
	free(row);
	return fits;
}

static void rows_have_the_columns_of_the_wanted_version(void **state)
{
	struct capture_text t = begin(CAPTURE_CSV, 1, 0);
	(void)state;

	assert_true(add(&t, 0.1, "x,\"y\"\nz", 7, 20));
	assert_true(add(&t, -2, "", 0, 10));
	assert_string_equal(t.out.data, "a,s\n0.1,\"x,\"\"y\"\"\nz\"\n-2,\n");
	assert_int_equal(t.rows, 2);
	assert_int_equal(t.from_ms, 10);
	assert_int_equal(t.to_ms, 20);
	capture_text_release(&t);
}

static void a_row_must_fit_all_wanted_versions(void **state)
{
	struct capture_text t = begin(CAPTURE_CSV, 1, 2);
	(void)state;

	/* v2 takes b, which a request to v1 has not. */
	assert_string_equal(t.out.data, "a,s,b\n");
	assert_false(add(&t, 1, "x", 1, 1));
	assert_false(add_whole(&t, 5));
	assert_int_equal(t.unfit, 2);
	assert_int_equal(t.rows, 0);
	assert_string_equal(t.out.data, "a,s,b\n");
	capture_text_release(&t);
	/* A whole number is a float, not the other way round. */
	t = begin(CAPTURE_CSV, 3, 0);
	assert_true(add_whole(&t, 5));
	assert_false(add(&t, 1.5, "x", 1, 1));
	assert_string_equal(t.out.data, "a\n5\n");
	capture_text_release(&t);
}

static void what_text_cannot_carry_is_passed_over(void **state)
{
	struct capture_text t = begin(CAPTURE_CSV, 1, 0);
	(void)state;

	assert_false(add(&t, 1, "a\xff", 2, 1));
	assert_false(add(&t, 1, "a\0b", 3, 1));
	assert_true(add(&t, 1, "Z\xc3\xbcrich", 7, 1));
	assert_int_equal(t.unfit, 2);
	assert_string_equal(t.out.data, "a,s\n1,Z\xc3\xbcrich\n");
	capture_text_release(&t);
}

static void requests_of_v2(void **state)
{
	struct capture_text t = begin(CAPTURE_V2, 1, 0);
	(void)state;

	assert_true(add(&t, 1.5, "x", 1, 1));
	assert_true(add(&t, 2, "", 0, 1));
	assert_false(add_whole(&t, 5));
	assert_string_equal(t.out.data,
			    "{\"inputs\":[{\"name\":\"a\",\"shape\":[1],\"datatype\":\"FP64\",\"data\":[1.5]},"
			    "{\"name\":\"s\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"x\"]}]},"
			    "{\"inputs\":[{\"name\":\"a\",\"shape\":[1],\"datatype\":\"FP64\",\"data\":[2]},"
			    "{\"name\":\"s\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"\"]}]}");
	capture_text_release(&t);
}

static void matrices_are_no_columns(void **state)
{
	const uint32_t wanted = 4;
	struct capture_text t;
	struct err e;
	(void)state;

	assert_int_equal(capture_text_init(&t, CAPTURE_CSV, "m", manifests, VERSIONS, &wanted, 1, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	capture_text_release(&t);
	t = begin(CAPTURE_V2, 4, 0);
	assert_false(add(&t, 1, "x", 1, 1));
	capture_text_release(&t);
	/* A version that was deployed since. */
	assert_int_equal(capture_text_init(&t, CAPTURE_CSV, "m", manifests, 0, (const uint32_t[]){1}, 1, &e), 0);
	assert_false(add(&t, 1, "x", 1, 1));
	capture_text_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_have_the_columns_of_the_wanted_version),
	    cmocka_unit_test(a_row_must_fit_all_wanted_versions),
	    cmocka_unit_test(what_text_cannot_carry_is_passed_over),
	    cmocka_unit_test(requests_of_v2),
	    cmocka_unit_test(matrices_are_no_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
