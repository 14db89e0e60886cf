/* Findings on the screen: what a refusal says is read to its end at every width, and not only its beginning. */
#include "ui/view/findings.h"
#include "ui/view/render.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>

#define LONG                                                                                                   \
	"the differential test of v2 against v1 failed 41 s ago: rows 100% (limit 0.1%), flips 14.41% (limit " \
	"0.1%), negative_flips 0 p (limit 0.01 p), and 2 more"

static void every_number_of_a_refusal_shows(void **state)
{
	(void)state;
	static const int columns[] = {60, 74, 100, 120, 200};
	static const char *const parts[] = {"100%", "14.41%", "negative_flips", "more", "ready"};
	struct finding findings[] = {
	    {.name = "ready", .verdict = FINDING_PASS, .value = (double)NAN, .threshold = (double)NAN, .text = "it is"},
	    {.name = "tests", .verdict = FINDING_FAIL, .value = 1, .threshold = 3, .text = LONG},
	};
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		int rows = findings_rows(findings, 2, columns[i]);
		struct canvas *c = canvas_new(columns[i], rows, CHARSET_BLOCKS);
		struct buf b;
		buf_init(&b);
		findings_draw(c, (struct area){0, 0, rows, columns[i]}, findings, 2);
		render_text(c, &b);
		for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
			if (strstr(b.data, parts[k]) == NULL)
				fail_msg("no `%s` in %d columns:\n%s", parts[k], columns[i], b.data);
		buf_release(&b);
		canvas_free(c);
	}
}

static void a_short_sentence_stands_beside(void **state)
{
	(void)state;
	struct finding f = {
	    .name = "min_age", .verdict = FINDING_WAIT, .value = 1, .threshold = 2, .text = "too young"};
	assert_int_equal(findings_rows(&f, 1, 120), 2);
	assert_int_equal(findings_rows(&f, 1, 60), 3);
	assert_int_equal(findings_rows(&f, 0, 60), 0);
}

static void values_have_their_units(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *unit, *text;
	} cases[] = {
	    {96.4, "%", "96.4%"},          {1.05, "x", "1.05x"},    {8, "ms", "8 ms"},
	    {0.01, "p", "p 0.01"},         {450, "/s", "450/s"},    {5400, "s", "90m"},
	    {3.25, "MiB/h", "3.25 MiB/h"}, {0.12345, "", "0.1235"}, {-1, "s", "-1 s"},
	    {33416.8, "/s", "33417/s"},    {0, "p", "p <1e-300"},   {0, "", "0"},
	    {1e300, "/s", "1e+300/s"},     {(double)NAN, "%", "-"}, {(double)INFINITY, "x", "-"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[FINDING_VALUE_SIZE];
		finding_value_text(cases[i].value, cases[i].unit, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* Short, for a narrow column: an age is no count of seconds. */
static void numbers_in_a_column(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *unit, *text;
	} cases[] = {
	    {2.1, "%", "2.1%"},    {7661, "/s", "7.7k/s"}, {7.31, "ms", "7.31 ms"}, {259200, "s", "3 days"},
	    {3600, "s", "60 min"}, {0, "s", "0 s"},        {(double)NAN, "s", "-"}, {1.5, "x", "1.5x"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[48];
		findings_number_text(cases[i].value, cases[i].unit, text, sizeof text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_number_of_a_refusal_shows),
	    cmocka_unit_test(a_short_sentence_stands_beside),
	    cmocka_unit_test(values_have_their_units),
	    cmocka_unit_test(numbers_in_a_column),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
