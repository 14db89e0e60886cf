#include "core/tensor_put.h"
#include "unit.h"

static void whole_numbers_keep_their_range(void **state)
{
	static const struct {
		enum datatype type;
		uint64_t highest, lowest; /* the lowest without its sign */
	} cases[] = {
	    {DATATYPE_BOOL, 1, 0},
	    {DATATYPE_UINT8, 255, 0},
	    {DATATYPE_INT8, 127, 128},
	    {DATATYPE_INT16, 32767, 32768},
	    {DATATYPE_UINT32, UINT32_MAX, 0},
	    {DATATYPE_INT64, INT64_MAX, UINT64_C(1) << 63},
	    {DATATYPE_UINT64, UINT64_MAX, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t data[2] = {0};
		const struct whole low = {true, cases[i].lowest};
		assert_true(tensor_put_whole(data, cases[i].type, 1, (struct whole){.magnitude = cases[i].highest}));
		assert_true(tensor_put_whole(data, cases[i].type, 0, low));
		assert_false(whole_fits(cases[i].type, (struct whole){true, cases[i].lowest + 1}));
		if (cases[i].highest < UINT64_MAX)
			assert_false(tensor_put_whole(data, cases[i].type, 0,
						      (struct whole){.magnitude = cases[i].highest + 1}));
	}
}

static void elements_are_put_in_their_form(void **state)
{
	/* Longer than is put: gcc warns of the forms that these calls never take. */
	int16_t words[8] = {0};
	float floats[4] = {0};
	uint16_t halves[8] = {0};
	(void)state;
	tensor_put_whole(words, DATATYPE_INT16, 1, (struct whole){true, 2});
	assert_int_equal(words[1], -2);
	assert_int_equal(words[0], 0);
	tensor_put_whole(floats, DATATYPE_FP32, 1, (struct whole){true, 3});
	assert_true(floats[1] == -3.0f);
	tensor_put_real(halves, DATATYPE_FP16, 0, 1);
	tensor_put_real(halves, DATATYPE_BF16, 1, 1);
	assert_int_equal(halves[0], 0x3c00);
	assert_int_equal(halves[1], 0x3f80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_numbers_keep_their_range),
	    cmocka_unit_test(elements_are_put_in_their_form),
	};
	return cmocka_run_group_tests_name("tensor_put", tests, NULL, NULL);
}
