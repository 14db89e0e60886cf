/* Plots: filled within their limits, as JSON and back, and refusals that say what is wrong. */
#include "core/json.h"
#include "core/plot.h"
#include "core/plot_track.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct plot plots[PLOTS_MAX], back[PLOTS_MAX];

static size_t read_text(const char *text, struct err *e)
{
	size_t count = 7;
	cJSON *json = cJSON_Parse(text);
	assert_non_null(json);
	int result = plots_from_json(json, back, &count, e);
	assert_true(result == 0 || count == 0);
	cJSON_Delete(json);
	return result == 0 ? count : SIZE_MAX;
}

static void refuse(const char *text, const char *sentence)
{
	struct err e = {0};
	if (read_text(text, &e) != SIZE_MAX)
		fail_msg("%s was taken", text);
	assert_int_equal(e.code, ERR_INPUT);
	if (strstr(e.text, sentence) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, sentence);
}

static void fill(void)
{
	plot_begin(&plots[0], PLOT_HISTOGRAM, "latency", PLOT_IN_NS, PLOT_IN_COUNT);
	plots[0].x_low = 1e3;
	plots[0].x_high = 1e6;
	plots[0].x_log = true;
	plots[0].count = 3;
	snprintf(plots[0].name, sizeof plots[0].name, "new");
	snprintf(plots[0].other_name, sizeof plots[0].other_name, "old");
	plot_count(&plots[0], 2e3, false);
	plot_count(&plots[0], 1e9, false);
	plot_count(&plots[0], -5, true);
	plot_mark(&plots[0], PLOT_AXIS_X, 5e4, "SLO");

	plot_begin(&plots[1], PLOT_SERIES, "rate", PLOT_IN_SECONDS, PLOT_IN_RATE);
	plots[1].x_high = 2;
	plots[1].count = 2;
	plots[1].y[0] = NAN;
	plots[1].y[1] = 1234567.8;

	plot_begin(&plots[2], PLOT_POINTS, "steps", PLOT_IN_RATE, PLOT_IN_NS);
	plot_point(&plots[2], 500, 1e6, false);
	plot_point(&plots[2], 1000, 9e6, true);

	plot_begin(&plots[3], PLOT_INTERVALS, "ratio", PLOT_IN_VALUE, PLOT_IN_RATIO);
	plot_interval(&plots[3], "batch 1", 0.9, 1, 1.1, false);
	plot_interval(&plots[3], "memory", NAN, 1.4, NAN, true);
}

static void test_round_trip(void **state)
{
	struct err e = {0};
	(void)state;
	fill();
	cJSON *json = plots_to_json(plots, PLOTS_MAX);
	char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	if (read_text(text, &e) != PLOTS_MAX)
		fail_msg("%s", e.text);
	free(text);

	assert_string_equal(back[0].marks[0].label, "SLO");
	assert_true(back[0].x_log && back[0].marks[0].value == 5e4 && back[0].y[0] == 1 && back[0].y[2] == 1);
	assert_true(plot_has_other(&back[0]) && back[0].y_other[0] == 1);
	assert_true(isnan(back[1].y[0]) && back[1].y[1] == 1234570); /* six digits */
	assert_true(back[2].x[1] == 1000 && back[2].bad[1] && !back[2].bad[0]);
	assert_string_equal(back[3].labels[1], "memory");
	assert_true(isnan(back[3].low[1]) && back[3].high[0] == 1.1 && back[3].bad[1]);
	assert_int_equal(back[3].y_unit, PLOT_IN_RATIO);
}

static void test_fill_limits(void **state)
{
	struct plot *p = &plots[0];
	(void)state;
	plot_begin(p, PLOT_POINTS, "a title that is longer than all the place that there is for titles", PLOT_IN_VALUE,
		   PLOT_IN_VALUE);
	assert_int_equal(strlen(p->title), PLOT_TITLE_SIZE - 1);
	plot_point(p, NAN, 1, false);
	plot_point(p, 1, INFINITY, false);
	plot_mark(p, PLOT_AXIS_Y, NAN, "none");
	assert_int_equal(p->count, 0);
	assert_int_equal(p->mark_count, 0);
	for (int i = 0; i < 2 * PLOT_POINTS_MAX; i++) {
		plot_point(p, i, i, false);
		plot_mark(p, PLOT_AXIS_Y, i, "mark");
	}
	assert_int_equal(p->count, PLOT_POINTS_MAX);
	assert_int_equal(p->mark_count, PLOT_MARKS_MAX);
	plot_begin(p, PLOT_INTERVALS, "i", PLOT_IN_VALUE, PLOT_IN_RATIO);
	plot_interval(p, "upside down", 2, 1, 0, false);
	assert_true(isnan(p->low[0]));
	for (int i = 0; i < 2 * PLOT_INTERVALS_MAX; i++)
		plot_interval(p, "i", 0, 1, 2, false);
	assert_int_equal(p->count, PLOT_INTERVALS_MAX);
}

#define Y_HEAD "[{\"kind\":\"%s\",\"title\":\"t\",\"x_unit\":\"ns\",\"y_unit\":\"count\","

static void test_refused(void **state)
{
	char text[4096];
	(void)state;
	refuse("{}", "list of at most 4");
	refuse("[{},{},{},{},{}]", "list of at most 4");
	refuse("[3]", "must be an object");
	refuse("[{\"kind\":\"pie\"}]", "no meaning \"pie\"");
	refuse("[{\"kind\":\"series\",\"x_unit\":\"miles\"}]", "`x_unit`");
	static const struct {
		const char *kind, *rest, *sentence;
	} cases[] = {
	    {"series", "\"x_low\":0,\"x_high\":1", "`y`"},
	    {"series", "\"y\":[1],\"x_low\":1,\"x_high\":1", "below `x_high`"},
	    {"series", "\"y\":[1e999],\"x_low\":0,\"x_high\":1", "finite numbers"},
	    {"series", "\"y\":[1e200],\"x_low\":0,\"x_high\":1", "finite numbers"},
	    {"series", "\"y\":[\"NaN\"],\"x_low\":0,\"x_high\":1", "finite numbers"},
	    {"series", "\"y\":[1],\"y_other\":[1],\"x_low\":0,\"x_high\":1", "`other_name`"},
	    {"series", "\"y\":[1],\"other_name\":\"o\",\"y_other\":[1,2],\"x_low\":0,\"x_high\":1", "y_other"},
	    {"histogram", "\"y\":[null],\"x_low\":0,\"x_high\":1", "finite numbers"},
	    {"histogram", "\"y\":[-1],\"x_low\":0,\"x_high\":1", "negative"},
	    {"histogram", "\"y\":[1],\"x_log\":true,\"x_low\":0,\"x_high\":1", "above 0"},
	    {"points", "\"y\":[1,2],\"x\":[1]", "must have 2 numbers"},
	    {"points", "\"y\":[1],\"x\":[0],\"x_log\":true", "above 0"},
	    {"points", "\"y\":[1],\"x\":[1],\"bad\":[1]", "places of `y`"},
	    {"points", "\"y\":[1],\"x\":[1],\"bad\":[-1]", "places of `y`"},
	    {"intervals", "\"y\":[1],\"low\":[2],\"high\":[1],\"labels\":[\"a\"]", "`low` up to `high`"},
	    {"intervals", "\"y\":[1],\"low\":[null],\"high\":[1],\"labels\":[\"a\"]", "or neither"},
	    {"intervals", "\"y\":[1],\"low\":[1],\"high\":[1],\"labels\":[]", "1 texts"},
	    {"intervals", "\"y\":[1],\"low\":[1],\"high\":[1],\"labels\":[1]", "must hold text"},
	    {"intervals", "\"y\":[1,1,1,1,1,1,1,1,1,1,1,1,1]", "at most 12"},
	    {"points", "\"y\":[],\"x\":[],\"marks\":[{\"axis\":\"z\",\"value\":1,\"label\":\"l\"}]", "x or y"},
	    {"points", "\"y\":[],\"x\":[],\"marks\":[{\"axis\":\"x\",\"label\":\"l\"}]", "`value`"},
	    {"points", "\"y\":[],\"x\":[],\"marks\":[1,2,3,4,5]", "at most 4"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, Y_HEAD "%s}]", cases[i].kind, cases[i].rest);
		refuse(text, cases[i].sentence);
	}
	int used = snprintf(text, sizeof text, Y_HEAD "\"x_low\":0,\"x_high\":1,\"y\":[0", "series");
	for (int i = 0; i < PLOT_POINTS_MAX; i++)
		used += snprintf(text + used, sizeof text - (size_t)used, ",0");
	snprintf(text + used, sizeof text - (size_t)used, "]}]");
	refuse(text, "at most 80");
}

static void test_cleaned(void **state)
{
	struct err e = {0};
	(void)state;
	assert_int_equal(read_text("[{\"kind\":\"intervals\",\"title\":\"\\u001b[31mred\",\"x_unit\":\"value\","
				   "\"y_unit\":\"ratio\",\"y\":[1],\"low\":[1],\"high\":[1],\"labels\":[\"\\u0007\"],"
				   "\"marks\":[{\"axis\":\"y\",\"value\":1,\"label\":\"\\n\"}]}]",
				   &e),
			 1);
	assert_string_equal(back[0].title, "\\x1b[31mred");
	assert_string_equal(back[0].labels[0], "\\x07");
	assert_string_equal(back[0].marks[0].label, "\\x0a");
	assert_int_equal(read_text("null", &e), 0);
}

static void test_values_as_text(void **state)
{
	static const struct {
		enum plot_unit unit;
		double value;
		const char *text;
	} cases[] = {
	    {PLOT_IN_NS, 1.2e6, "1.2ms"},     {PLOT_IN_BYTES, 96.7e6, "96.7 MB"}, {PLOT_IN_RATE, 412e3, "412k/s"},
	    {PLOT_IN_RATIO, 1.05, "1.05x"},   {PLOT_IN_PERCENT, 3, "3%"},         {PLOT_IN_SECONDS, 90, "90s"},
	    {PLOT_IN_SECONDS, 1200, "20m"},   {PLOT_IN_COUNT, 1e6, "1.0M"},       {PLOT_IN_VALUE, -0.125, "-0.125"},
	    {PLOT_IN_BYTES, 0, "0"},          {PLOT_IN_BYTES, -5, "-5"},          {PLOT_IN_RATE, 1e99, "1e+99/s"},
	    {PLOT_IN_NS, -1e-100, "-1e-100"},
	};
	char text[PLOT_VALUE_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		plot_value_text(cases[i].unit, cases[i].value, false, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_track(void **state)
{
	struct plot_track mean = {.step = 1}, peak = {.step = 1, .greatest = true};
	struct plot p;
	(void)state;
	for (int i = 0; i < 1000; i++) {
		plot_track_add(&mean, i, i + 1, i == 500 ? 1001 : 1);
		plot_track_add(&peak, i, i + 1, i == 500 ? 1001 : 1);
	}
	plot_track_add(&mean, -1, 1, 5);
	plot_track_add(&mean, 1, 1e300, 5);
	plot_track_add(&mean, 5, 6, NAN);
	plot_begin(&p, PLOT_SERIES, "t", PLOT_IN_SECONDS, PLOT_IN_VALUE);
	plot_track_show(&peak, 0, &p);
	assert_int_equal(p.count, 63); /* steps of 16 */
	assert_true(p.x_high == 1008 && p.y[500 / 16] == 1001 && p.y[0] == 1);
	plot_track_show(&mean, 2000, &p);
	assert_int_equal(p.count, 63); /* steps of 32, those after the last value without one */
	assert_true(p.x_high == 2016 && fabs(p.y[500 / 32] - (1 + 1000.0 / 32)) < 1e-9);
	assert_true(isnan(p.y[62]));
}

static void test_rate(void **state)
{
	struct plot_rate r = {.track = {.step = 1}};
	struct plot p;
	(void)state;
	plot_rate_add(&r, 0.1, 3); /* too soon: the next one counts it */
	for (int i = 1; i <= 10; i++)
		plot_rate_add(&r, i, 100.0 * i);
	plot_rate_add(&r, 11, 0);    /* it fell: nothing is known of that step */
	plot_rate_add(&r, 12.5, 75); /* a late one leaves no gap: it is the mean of all that time */
	plot_rate_end(&r, 12.75, 100);
	plot_begin(&p, PLOT_SERIES, "r", PLOT_IN_SECONDS, PLOT_IN_RATE);
	plot_track_show(&r.track, 0, &p);
	assert_int_equal(p.count, 13);
	assert_true(p.y[0] == 100 && p.y[9] == 100 && isnan(p.y[10]) && p.y[11] == 50);
	assert_true(fabs(p.y[12] - 200.0 / 3) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip), cmocka_unit_test(test_fill_limits),    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_cleaned),    cmocka_unit_test(test_values_as_text), cmocka_unit_test(test_track),
	    cmocka_unit_test(test_rate)};
	return cmocka_run_group_tests_name("plot", tests, NULL, NULL);
}
