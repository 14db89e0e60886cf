/* Figures of a report as rows, and what became of numbers since an earlier run. */
#include "unit.h"

#include "core/test/figures.h"

#include <math.h>
#include <stdio.h>

static void test_rows(void **context)
{
	static const char *const text =
	    "{\"kind\":\"stress\",\"verdict\":\"slo\",\"findings\":[],\"plots\":[{}],\"worst\":[1],"
	    "\"latency\":{\"p99_us\":7307.264,\"kind\":\"inner\"},\"made\":true,\"none\":null,"
	    "\"list\":[1,2,3],\"word\":\"a\\u001bb\",\"x\":1e300}";
	cJSON *report = cJSON_Parse(text);
	struct figure figures[8];
	(void)context;
	assert_int_equal(figures_of(report, figures, 8), 7);
	assert_string_equal(figures[0].name, "latency.p99_us");
	assert_string_equal(figures[0].text, "7307.26");
	assert_true(figures[0].value == 7307.264);
	assert_string_equal(figures[1].name, "latency.kind"); /* only at the top is it a head's */
	assert_string_equal(figures[2].text, "yes");
	assert_string_equal(figures[3].text, "-");
	assert_string_equal(figures[4].text, "3 listed");
	assert_string_equal(figures[5].text, "a\\x1bb");
	assert_true(isnan(figures[5].value));
	assert_int_equal(figures_of(report, figures, 2), 2);
	assert_int_equal(figures_of(NULL, figures, 8), 0);
	assert_ptr_equal(figures_find(figures, 2, "latency.kind"), &figures[1]);
	assert_null(figures_find(figures, 2, "made"));
	cJSON_Delete(report);
}

static struct finding finding(enum finding_verdict verdict, double value, double threshold, const char *unit)
{
	struct finding f = {.name = "f", .verdict = verdict, .value = value, .threshold = threshold};
	snprintf(f.unit, sizeof f.unit, "%s", unit);
	return f;
}

static enum trend since(struct finding before, struct finding now)
{
	return finding_trend(&before, &now);
}

static void test_findings(void **context)
{
	const struct finding ok = finding(FINDING_PASS, 2, 5, "ms");
	(void)context;
	assert_int_equal(finding_trend(NULL, &ok), TREND_NONE);
	assert_int_equal(since(ok, ok), TREND_SAME);
	assert_int_equal(since(ok, finding(FINDING_PASS, 2.1, 5, "ms")), TREND_SAME); /* within a tenth */
	assert_int_equal(since(ok, finding(FINDING_PASS, 3, 5, "ms")), TREND_WORSE);
	assert_int_equal(since(ok, finding(FINDING_PASS, 1, 5, "ms")), TREND_BETTER);
	assert_int_equal(since(ok, finding(FINDING_FAIL, 6, 5, "ms")), TREND_WORSE);
	/* The verdict counts more than the number. */
	assert_int_equal(since(finding(FINDING_FAIL, 6, 5, "ms"), finding(FINDING_PASS, 9, 10, "ms")), TREND_BETTER);
	assert_int_equal(since(ok, finding(FINDING_WAIT, 2, 5, "ms")), TREND_WORSE);
	/* Where it passes above its threshold, less is worse. */
	assert_int_equal(since(finding(FINDING_PASS, 9, 5, "/s"), finding(FINDING_PASS, 7, 5, "/s")), TREND_WORSE);
	assert_int_equal(since(finding(FINDING_FAIL, 4, 5, "/s"), finding(FINDING_FAIL, 2, 5, "/s")), TREND_WORSE);
	/* A p value that moves says nothing, nor does a number without a threshold. */
	assert_int_equal(since(finding(FINDING_PASS, .9, .01, "p"), finding(FINDING_PASS, .1, .01, "p")), TREND_MOVED);
	assert_int_equal(since(finding(FINDING_PASS, 1, NAN, "x"), finding(FINDING_PASS, 2, NAN, "x")), TREND_MOVED);
	/* From nothing to a hundredth of the threshold is nothing. */
	assert_int_equal(since(finding(FINDING_PASS, 0, 1, "%"), finding(FINDING_PASS, .01, 1, "%")), TREND_SAME);
	assert_int_equal(since(finding(FINDING_PASS, 0, 1, "%"), finding(FINDING_PASS, .02, 1, "%")), TREND_WORSE);
	assert_int_equal(since(finding(FINDING_PASS, NAN, NAN, ""), finding(FINDING_PASS, NAN, NAN, "")), TREND_SAME);
}

static enum trend figure_since(const char *name, double before, double now)
{
	struct figure a = {.value = before}, b = {.value = now};
	snprintf(a.name, sizeof a.name, "%s", name);
	snprintf(b.name, sizeof b.name, "%s", name);
	return figure_trend(&a, &b);
}

static void test_figures(void **context)
{
	struct figure a = {.name = "host", .text = "here", .value = NAN}, b = a;
	(void)context;
	assert_int_equal(figure_since("latency.p99_us", 100, 120), TREND_WORSE);
	assert_int_equal(figure_since("latency.p99_us", 100, 105), TREND_SAME);
	assert_int_equal(figure_since("peak_bytes", 100, 50), TREND_BETTER);
	assert_int_equal(figure_since("maximum_rps", 100, 50), TREND_WORSE);
	assert_int_equal(figure_since("errors.reset", 0, 1), TREND_WORSE);
	assert_int_equal(figure_since("settings.slo_p99_us", 1, 5), TREND_MOVED);
	assert_int_equal(figure_since("rows", 1, 5), TREND_MOVED);
	assert_int_equal(figure_since("generator_lag.max_us", 1, 5), TREND_MOVED);
	assert_int_equal(figure_trend(NULL, &b), TREND_NONE);
	assert_int_equal(figure_trend(&a, &b), TREND_SAME);
	snprintf(b.text, sizeof b.text, "there");
	assert_int_equal(figure_trend(&a, &b), TREND_MOVED);
}

static void expect_text(double before, double now, const char *expected)
{
	char text[24];
	trend_text(before, now, text, sizeof text);
	assert_string_equal(text, expected);
}

static void test_text(void **context)
{
	(void)context;
	expect_text(100, 112, "+12%");
	expect_text(100, 97.5, "-2.5%");
	expect_text(10, 42, "x4.2");
	expect_text(6, 33420, "x5.6k");
	expect_text(0, 3, "+3");
	expect_text(-1, 1, "+2");
	expect_text(5, 5, "=");
	expect_text(NAN, 5, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_findings),
					   cmocka_unit_test(test_figures), cmocka_unit_test(test_text)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
