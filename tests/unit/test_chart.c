#include "unit.h"

#include "ui/view/chart.h"
#include "ui/view/render.h"

#include <math.h>

static void expect(struct canvas *c, const char *text)
{
	struct buf b;
	buf_init(&b);
	render_text(c, &b);
	assert_string_equal(b.data, text);
	buf_release(&b);
	canvas_clear(c);
}

static void test_resample(void **context)
{
	double bins[] = {4, 8, 0, 2}, out[8];
	(void)context;
	chart_resample(bins, 4, 0, 4, out, 2);
	assert_true(out[0] == 6 && out[1] == 1);
	chart_resample(bins, 4, 0, 4, out, 8);
	assert_true(out[0] == 4 && out[1] == 4 && out[2] == 8 && out[7] == 2);
	chart_resample(bins, 4, -2, 6, out, 4);
	assert_true(out[0] == 0 && out[1] == 6 && out[3] == 0);
	chart_resample(bins, 4, 100, 101, out, 3);
	assert_true(out[0] == 0 && out[2] == 0);
}

static void test_bars(void **context)
{
	double values[] = {0, 0.001, 8, 16}, behind[] = {16, 0, 0, 16};
	struct canvas *c = canvas_new(4, 2, CHARSET_BLOCKS);
	(void)context;
	chart_bars(c, (struct area){0, 0, 2, 4}, values, NULL, 16, ROLE_LIVE);
	expect(c, "   █\n ▁██\n");
	chart_bars(c, (struct area){0, 0, 2, 4}, values, behind, 16, ROLE_LIVE);
	expect(c, "░  █\n░▁██\n");
	chart_bars(c, (struct area){0, 0, 2, 4}, values, NULL, 0, ROLE_LIVE);
	expect(c, "\n\n");
	values[0] = NAN;
	chart_bars(c, (struct area){0, 0, 2, 4}, values, NULL, INFINITY, ROLE_LIVE);
	canvas_free(c);
	c = canvas_new(4, 1, CHARSET_ASCII);
	chart_bars(c, (struct area){0, 0, 1, 4}, values, NULL, 16, ROLE_LIVE);
	expect(c, " .:#\n");
	canvas_free(c);
}

static void test_series(void **context)
{
	double values[] = {1, 2, 3, 4};
	struct canvas *c = canvas_new(2, 1, CHARSET_BRAILLE);
	(void)context;
	chart_series(c, (struct area){0, 0, 1, 2}, values, 4, 4, ROLE_LIVE);
	expect(c, "⣠⣾\n");
	canvas_free(c);
}

static void test_axes(void **context)
{
	struct canvas *c = canvas_new(30, 1, CHARSET_ASCII);
	(void)context;
	chart_log_axis(c, 0, 0, 30, 4, 6.5);
	expect(c, "'10us       '100us      '1ms\n");
	chart_linear_axis(c, 0, 0, 9, 0, 1, false, false);
	expect(c, "0  0.5  1\n");
	chart_linear_axis(c, 0, 0, 13, 0, 1, true, true);
	expect(c, "< 0  0.5  1 >\n");
	canvas_free(c);
}

static void test_split(void **context)
{
	struct route_entry route[] = {{3, ROUTE_CANARY, 1}, {2, ROUTE_LIVE, 9999}, {4, ROUTE_SHADOW, 5000}};
	struct canvas *c = canvas_new(10, 1, CHARSET_BLOCKS);
	(void)context;
	chart_split(c, 0, 0, 10, route, 3);
	expect(c, "▇▇▇▇▇▇▇▇▇▒\n");
	route[0].weight_bp = 5000;
	route[1].weight_bp = 5000;
	chart_split(c, 0, 0, 10, route, 3);
	expect(c, "▇▇▇▇▇▒▒▒▒▒\n");
	chart_split(c, 0, 0, 10, route, 0);
	expect(c, "\n");
	canvas_free(c);
}

static void test_progress(void **context)
{
	struct canvas *c = canvas_new(4, 1, CHARSET_BLOCKS), *ascii = canvas_new(4, 1, CHARSET_ASCII);
	(void)context;
	chart_progress(c, 0, 0, 4, 0, ROLE_LIVE);
	expect(c, "····\n");
	chart_progress(c, 0, 0, 4, 1e-9, ROLE_LIVE); /* what has begun shows */
	expect(c, "▏···\n");
	chart_progress(c, 0, 0, 4, 0.375, ROLE_LIVE);
	expect(c, "█▌··\n");
	chart_progress(c, 0, 0, 4, 0.9999, ROLE_LIVE); /* and only a whole is full */
	expect(c, "███▉\n");
	chart_progress(c, 0, 0, 4, 7, ROLE_LIVE);
	expect(c, "████\n");
	chart_progress(ascii, 0, 0, 4, 0.375, ROLE_LIVE);
	expect(ascii, "##..\n");
	canvas_free(c);
	canvas_free(ascii);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_resample), cmocka_unit_test(test_bars),
					   cmocka_unit_test(test_series),   cmocka_unit_test(test_axes),
					   cmocka_unit_test(test_split),    cmocka_unit_test(test_progress)};
	return cmocka_run_group_tests_name("chart", tests, NULL, NULL);
}
