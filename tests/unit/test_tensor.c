/* Datatypes, shapes, and the two half precisions against every value that they have. */
#include "core/tensor.h"
#include "unit.h"

#include <math.h>
#include <string.h>

static void names_are_found_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < DATATYPE_COUNT; i++) {
		const char *name = datatype_name((enum datatype)i);
		assert_int_equal(datatype_find(name, strlen(name)), i);
	}
	assert_int_equal(datatype_find("FP3", 3), DATATYPE_COUNT);
	assert_int_equal(datatype_find("FP320", 5), DATATYPE_COUNT);
	assert_int_equal(datatype_find("", 0), DATATYPE_COUNT);
}

static void shapes_that_overflow_are_refused(void **state)
{
	size_t count;
	(void)state;
	assert_true(tensor_count((int64_t[]){3, 4}, 2, &count));
	assert_int_equal(count, 12);
	assert_true(tensor_count(NULL, 0, &count));
	assert_int_equal(count, 1);
	assert_true(tensor_count((int64_t[]){0, 7}, 2, &count));
	assert_int_equal(count, 0);
	assert_false(tensor_count((int64_t[]){-1, 4}, 2, &count));
	assert_false(tensor_count((int64_t[]){INT64_MAX, 4}, 2, &count));
	assert_false(tensor_count((int64_t[]){INT64_C(1) << 32, INT64_C(1) << 32}, 2, &count));
	assert_false(tensor_count((int64_t[]){INT64_C(1) << 31, INT64_C(1) << 31, 2}, 3, &count));
}

/* Every finite value comes back from its own bits, and the middle between two goes to the even one. */
static void check_narrowing(double (*widen)(uint16_t), uint16_t (*narrow)(double), uint16_t infinity)
{
	for (uint16_t bits = 0; bits < infinity; bits++) {
		double value = widen(bits), next = widen((uint16_t)(bits + 1));
		assert_int_equal(narrow(value), bits);
		assert_int_equal(narrow(-value), bits | 0x8000);
		if (bits + 1 == infinity)
			continue;
		double middle = value + (next - value) / 2;
		assert_int_equal(narrow(middle), bits + (bits & 1));
		assert_int_equal(narrow(nextafter(middle, 0)), bits);
		assert_int_equal(narrow(nextafter(middle, INFINITY)), bits + 1);
	}
	assert_int_equal(narrow((double)INFINITY), infinity);
	assert_int_equal(narrow(-1e300), infinity | 0x8000);
	assert_true(isnan(widen(narrow((double)NAN))));
}

static void halves_round_to_even(void **state)
{
	(void)state;
	check_narrowing(half_to_double, double_to_half, 0x7c00);
	assert_int_equal(double_to_half(65519.99), 0x7bff);
	assert_int_equal(double_to_half(65520), 0x7c00);
}

static void bfloats_round_to_even(void **state)
{
	(void)state;
	check_narrowing(bfloat_to_double, double_to_bfloat, 0x7f80);
}

static void elements_are_read_by_type(void **state)
{
	(void)state;
	struct tensor t = {.datatype = DATATYPE_INT8, .data = (int8_t[]){1, -2}};
	assert_true(tensor_double(&t, 1) == -2);
	t = (struct tensor){.datatype = DATATYPE_UINT64, .data = (uint64_t[]){UINT64_MAX}};
	assert_true(tensor_double(&t, 0) == 18446744073709551616.0);
	t = (struct tensor){.datatype = DATATYPE_BOOL, .data = (uint8_t[]){7}};
	assert_true(tensor_double(&t, 0) == 1);
	t = (struct tensor){.datatype = DATATYPE_FP16, .data = (uint16_t[]){0x3c00}};
	assert_true(tensor_double(&t, 0) == 1);
	t = (struct tensor){.datatype = DATATYPE_BYTES, .data = (struct bytes[]){{"a", 1}}};
	assert_true(isnan(tensor_double(&t, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_found_again),     cmocka_unit_test(shapes_that_overflow_are_refused),
	    cmocka_unit_test(halves_round_to_even),      cmocka_unit_test(bfloats_round_to_even),
	    cmocka_unit_test(elements_are_read_by_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
