#include "core/tensor_spec.h"
#include "unit.h"

static const struct tensor_spec specs[] = {
    {"rows", "FP32", 2, {-1, 3}},
    {"label", "INT64", 1, {-1}},
    {"odd", "FP8", 0, {0}},
};

static void a_shape_fits_its_dimensions(void **state)
{
	(void)state;
	assert_true(tensor_spec_fits(&specs[0], (int64_t[]){0, 3}, 2));
	assert_true(tensor_spec_fits(&specs[2], NULL, 0));
	assert_false(tensor_spec_fits(&specs[0], (int64_t[]){5, 4}, 2));
	assert_false(tensor_spec_fits(&specs[0], (int64_t[]){5}, 1));
	assert_int_equal(tensor_spec_type(&specs[1]), DATATYPE_INT64);
	assert_int_equal(tensor_spec_type(&specs[2]), DATATYPE_COUNT);
}

static void refusals_say_what_there_is(void **state)
{
	struct err e;
	(void)state;
	assert_int_equal(tensor_spec_refuse(&specs[0], (int64_t[]){5}, 1, &e), -1);
	assert_string_equal(e.text, "input `rows` has the shape [5]; the model takes [-1, 3]");
	assert_int_equal(tensor_specs_refuse_output(specs, 3, "x", &e), -1);
	assert_string_equal(e.text, "there is no output `x`; the model has `rows`, `label` and `odd`");
	tensor_specs_refuse_output(specs, 1, "x", &e);
	assert_string_equal(e.text, "there is no output `x`; the model has `rows`");
	assert_int_equal(tensor_rows_check(TENSOR_ROWS_MAX, &e), 0);
	assert_int_equal(tensor_rows_check(TENSOR_ROWS_MAX + 1, &e), -1);
	assert_string_equal(e.text, "1000001 rows; a request has at most 1000000");
}

static void names_are_found_exactly(void **state)
{
	(void)state;
	assert_int_equal(tensor_specs_find(specs, 3, "label"), 1);
	assert_int_equal(tensor_specs_find(specs, 3, "labels"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_shape_fits_its_dimensions),
	    cmocka_unit_test(refusals_say_what_there_is),
	    cmocka_unit_test(names_are_found_exactly),
	};
	return cmocka_run_group_tests_name("tensor_spec", tests, NULL, NULL);
}
