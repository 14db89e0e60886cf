/* Feature rows from CSV: matched by name, with sentences that name line and column. */
#include "core/rows.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

static char *features[] = {"a", "b"};

static void columns_are_matched_by_name(void **state)
{
	(void)state;
	double *rows;
	size_t count;
	struct err e;
	assert_int_equal(rows_from_csv("b,other,a\n1,x,2\r\n,y,\"-3e2\"\nNaN,,na\n\n", features, 2, &rows,
				       &count, &e),
			 0);
	assert_int_equal(count, 3);
	assert_true(rows[0] == 2 && rows[1] == 1 && rows[2] == -300);
	assert_true(isnan(rows[3]) && isnan(rows[4]) && isnan(rows[5]));
	free(rows);
}

static void bad_rows_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *csv, *sentence;
	} cases[] = {
		{"", "the rows have no column `a`, which the model needs"},
		{"a\n1\n", "the rows have no column `b`, which the model needs"},
		{"a,b,a\n1,2,3\n", "the header names column `a` twice"},
		{"a,b\n", "there are no rows after the header"},
		{"a,b\n1,2\n1\n", "line 3 has not the 2 fields of the header"},
		{"a,b\n1,2,3\n", "line 2 has not the 2 fields of the header"},
		{"a,b\n1,x\n", "line 2, column `b`: `x` is not a number"},
		{"a,b\n1,\"2\n", "line 2 has a quote that is not closed"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double *rows;
		size_t count;
		struct err e;
		assert_int_equal(rows_from_csv(cases[i].csv, features, 2, &rows, &count, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_string_equal(e.text, cases[i].sentence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_matched_by_name),
		cmocka_unit_test(bad_rows_are_named),
	};
	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
