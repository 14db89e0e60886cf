/* The evaluation of a differential test, against values computed by hand and by scipy 1.15. */
#include "core/test/differential_plots.h"

#include "core/stat/stat_quantile.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct score_kind number = {.output = "y"};
static const struct score_kind probability = {.output = "y", .probability = true};

static struct differential_settings strict(void)
{
	struct policy p;
	struct differential_settings s;
	policy_init(&p);
	differential_settings_of(&p, &s);
	assert_true(isnan(s.atol) && isnan(s.rtol));
	differential_settings_by_noise(&s, 0, 1);
	return s;
}

static struct differential *make(const struct score_kind *kind)
{
	const struct differential_settings s = strict();
	struct differential *d = differential_new(&s, kind);
	assert_non_null(d);
	return d;
}

static void add(struct differential *d, uint64_t line, double old_value, double new_value, double label)
{
	struct differential_row row = {.line = line,
				       .old_values = &old_value,
				       .new_values = &new_value,
				       .old_class = d->has_class ? old_value >= 0.5 : SCORE_NO_CLASS,
				       .new_class = d->has_class ? new_value >= 0.5 : SCORE_NO_CLASS,
				       .label = label};
	differential_add(d, &row);
}

static const struct finding *find(const struct finding *findings, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(findings[i].name, name) == 0)
			return &findings[i];
	return NULL;
}

static enum finding_verdict verdict(struct differential *d, const char *name)
{
	struct finding findings[FINDINGS_MAX];
	const struct finding *f = find(findings, differential_judge(d, findings), name);
	if (f == NULL)
		fail_msg("there is no finding %s", name);
	return f->verdict;
}

static void tolerances_come_from_noise(void **state)
{
	(void)state;
	struct differential_settings s = {.atol = NAN, .rtol = NAN};
	differential_settings_by_noise(&s, 1e-3, 2);
	assert_true(fabs(s.atol - 4e-3) < 1e-15 && fabs(s.rtol - 1e-5) < 1e-18);
	s = (struct differential_settings){.atol = NAN, .rtol = 0};
	differential_settings_by_noise(&s, 1e-9, 2);
	assert_true(fabs(s.atol - 2e-5) < 1e-15 && s.rtol == 0);
	s = (struct differential_settings){.atol = 7, .rtol = NAN};
	differential_settings_by_noise(&s, 100, NAN);
	assert_true(s.atol == 7);
	s.atol = NAN;
	differential_settings_by_noise(&s, 0, NAN);
	assert_true(s.atol == 0);
}

static void the_same_passes(void **state)
{
	(void)state;
	struct differential *d = make(&probability);
	struct finding findings[FINDINGS_MAX];
	for (int i = 0; i < 1000; i++)
		add(d, (uint64_t)i + 2, i / 1000.0, i / 1000.0 + 1e-6, i % 2);
	size_t count = differential_judge(d, findings);
	assert_int_equal(findings_verdict(findings, count), FINDING_PASS);
	assert_non_null(find(findings, count, "negative_flips"));
	assert_int_equal(d->diff.violations, 0);
	differential_free(d);
}

/* scipy.stats.ttest_rel: differences 0.1, 0.2, 0.3, 0.6: mean 0.3, t 2.7774602993, p 0.0691... */
static void figures_are_as_by_hand(void **state)
{
	(void)state;
	const double shifts[] = {0.1, 0.2, 0.3, 0.6};
	struct differential *d = make(&number);
	for (size_t i = 0; i < 4; i++)
		add(d, i + 2, (double)i, (double)i + shifts[i], (double)i);
	cJSON *report = cJSON_CreateObject();
	differential_to_json(d, NULL, report);
	const cJSON *mean = cJSON_GetObjectItem(report, "mean");
	assert_true(fabs(cJSON_GetObjectItem(mean, "shift")->valuedouble - 0.3) < 1e-12);
	assert_true(fabs(cJSON_GetObjectItem(mean, "t")->valuedouble - 2.7774602993176543) < 1e-9);
	assert_true(fabs(cJSON_GetObjectItem(mean, "old_sd")->valuedouble - 1.2909944487358056) < 1e-12);
	const cJSON *difference = cJSON_GetObjectItem(report, "difference");
	assert_true(fabs(cJSON_GetObjectItem(difference, "rmse")->valuedouble - 0.35355339059327379) < 1e-12);
	assert_true(fabs(cJSON_GetObjectItem(difference, "greatest")->valuedouble - 0.6) < 1e-12);
	assert_true(cJSON_GetObjectItem(difference, "violations")->valuedouble == 4);
	const cJSON *labels = cJSON_GetObjectItem(report, "labels");
	assert_true(cJSON_GetObjectItem(labels, "old_error")->valuedouble == 0);
	assert_true(fabs(cJSON_GetObjectItem(labels, "new_error")->valuedouble - 0.3) < 1e-12);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(report, "classes")));
	cJSON_Delete(report);
	differential_free(d);
}

static void flips_are_told_apart(void **state)
{
	(void)state;
	struct differential *d = make(&probability);
	for (int i = 0; i < 1000; i++)
		add(d, (uint64_t)i + 2, i % 2 == 0 ? 0.1 : 0.9, i % 2 == 0 || i < 40 ? 0.1 : 0.9, i % 2);
	assert_int_equal(verdict(d, "flips"), FINDING_FAIL);
	assert_int_equal(verdict(d, "negative_flips"), FINDING_FAIL);
	assert_int_equal(d->flips, 20);
	assert_int_equal(d->labelled.negative, 20);
	assert_int_equal(d->confusion[1][0], 20);
	assert_int_equal(d->confusion[0][1], 0);
	/* All rows are of the first segment. */
	assert_int_equal(d->segments[0].flips, 20);
	assert_int_equal(d->segments[0].negative, 20);
	differential_free(d);
	/* As many the other way: churn, and not worse. */
	d = make(&probability);
	for (int i = 0; i < 1000; i++)
		add(d, (uint64_t)i + 2, 0.1, i < 40 ? 0.9 : 0.1, i < 20);
	assert_int_equal(verdict(d, "flips"), FINDING_FAIL);
	assert_int_equal(verdict(d, "negative_flips"), FINDING_PASS);
	differential_free(d);
}

static void one_sided_nan_fails_and_two_do_not(void **state)
{
	(void)state;
	struct differential *d = make(&number);
	for (int i = 0; i < 5000; i++)
		add(d, (uint64_t)i + 2, i, i, NAN);
	add(d, 6000, NAN, NAN, NAN);
	assert_int_equal(verdict(d, "not_finite"), FINDING_PASS);
	add(d, 6001, 3, NAN, NAN);
	assert_int_equal(verdict(d, "not_finite"), FINDING_FAIL);
	assert_int_equal(verdict(d, "rows"), FINDING_PASS);
	assert_int_equal(d->worst_count, 1);
	assert_int_equal(d->worst[0].line, 6001);
	differential_free(d);
}

static void equal_predictions_tell_nothing(void **state)
{
	(void)state;
	struct differential *d = make(&number), *other = make(&number), *one = make(&number);
	for (int i = 0; i < 100; i++) {
		add(d, (uint64_t)i + 2, 5, 5, NAN);
		add(other, (uint64_t)i + 2, i, 5, NAN);
	}
	add(one, 2, 5, 5, NAN);
	assert_int_equal(verdict(d, "spread"), FINDING_WAIT);
	assert_int_equal(verdict(d, "mean"), FINDING_PASS);
	assert_int_equal(verdict(other, "spread"), FINDING_FAIL);
	assert_int_equal(verdict(one, "mean"), FINDING_WAIT);
	differential_free(d);
	differential_free(other);
	differential_free(one);
}

static void a_mean_needs_rows_to_be_shown_the_same(void **state)
{
	(void)state;
	struct differential *few = make(&number), *many = make(&number), *moved = make(&number);
	/* The old ones' deviation is 0.5; the margin is 0.01, the differences' deviation 0.1. */
	for (int i = 0; i < 4000; i++) {
		double old_value = i % 2, noise = i / 2 % 2 == 0 ? 0.1 : -0.1;
		if (i < 40)
			add(few, (uint64_t)i + 2, old_value, old_value + noise, NAN);
		add(many, (uint64_t)i + 2, old_value, old_value + noise, NAN);
		add(moved, (uint64_t)i + 2, old_value, old_value + noise + 0.02, NAN);
	}
	assert_int_equal(verdict(few, "mean"), FINDING_WAIT);
	assert_int_equal(verdict(many, "mean"), FINDING_PASS);
	assert_int_equal(verdict(moved, "mean"), FINDING_FAIL);
	differential_free(few);
	differential_free(many);
	differential_free(moved);
}

static void a_small_segment_that_is_all_wrong_is_found(void **state)
{
	(void)state;
	struct differential *d = make(&number);
	for (int i = 0; i < 20000; i++) {
		double old_value = i % 100, new_value = i < 15 ? old_value + 1 : old_value;
		size_t segment = differential_segment(d, i < 15 ? "EV" : i % 2 == 0 ? "UA" : "DL", 2);
		const struct differential_row row = {.line = (uint64_t)i + 2,
						     .old_values = &old_value,
						     .new_values = &new_value,
						     .old_class = SCORE_NO_CLASS,
						     .new_class = SCORE_NO_CLASS,
						     .label = NAN,
						     .segment = segment};
		differential_add(d, &row);
	}
	assert_int_equal(verdict(d, "rows"), FINDING_PASS);
	assert_int_equal(verdict(d, "segments"), FINDING_FAIL);
	assert_int_equal(d->segment_count, 3);
	differential_free(d);
}

static void too_many_segments_share_one(void **state)
{
	(void)state;
	struct differential *d = make(&number);
	char name[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "s%d", i);
		assert_int_equal(differential_segment(d, name, strlen(name)), i < DIFFERENTIAL_SEGMENTS ? i : 200);
	}
	assert_string_equal(d->segments[DIFFERENTIAL_SEGMENTS].name, "(others)");
	assert_int_equal(differential_segment(d, "s7", 2), 7);
	differential_free(d);
}

static char *name_row(void *context)
{
	(void)context;
	return strdup("{\"curl\":\"curl x\"}");
}

static void the_worst_rows_are_kept(void **state)
{
	(void)state;
	struct differential *d = make(&number);
	struct finding findings[FINDINGS_MAX];
	d->describe = name_row;
	for (int i = 0; i < 1000; i++)
		add(d, (uint64_t)i, 1, 1 + (i * 7919 % 1000) / 1000.0, NAN);
	differential_judge(d, findings);
	assert_int_equal(d->worst_count, DIFFERENTIAL_WORST);
	for (int i = 0; i < DIFFERENTIAL_WORST; i++) {
		assert_true(fabs(d->worst[i].new_value - 1 - (999 - i) / 1000.0) < 1e-12);
		assert_string_equal(d->worst[i].inputs, "{\"curl\":\"curl x\"}");
	}
	differential_free(d);
}

static void ulp_are_counted_by_powers_of_two(void **state)
{
	(void)state;
	struct differential *d = make(&number);
	float one = 1, next = nextafterf(1, 2), far = 1;
	for (int i = 0; i < 6; i++)
		far = nextafterf(far, 2);
	for (int i = 0; i < 98; i++)
		add(d, 2, (double)one, (double)one, NAN);
	add(d, 3, (double)one, (double)next, NAN);
	add(d, 4, (double)one, (double)far, NAN);
	assert_int_equal(d->ulp_greatest, 6);
	assert_true(differential_ulp_quantile(d, 0.5) == 0);
	assert_true(differential_ulp_quantile(d, 0.99) == 1);
	assert_true(differential_ulp_quantile(d, 1) == 7);
	/* From far below 0 to far above it is more than 2^31 floats. */
	add(d, 5, -1e30, 1e30, NAN);
	assert_true(d->ulp_greatest > 1u << 31);
	assert_true(differential_ulp_quantile(d, 1) == 4294967295.0);
	differential_free(d);
}

static void of_classes_the_one_that_differs_most_counts(void **state)
{
	(void)state;
	const struct score_kind kind = {.output = "y", .column = SCORE_ARGMAX, .class_count = 3};
	struct differential *d = make(&kind);
	const double before[] = {0.5, 0.3, 0.2}, after[] = {0.5, 0.2, 0.3};
	const struct differential_row row = {.line = 2, .old_values = before, .new_values = after, .label = NAN};
	differential_add(d, &row);
	assert_int_equal(d->diff.violations, 1);
	assert_int_equal(d->flips, 0);
	assert_true(fabs(d->diff.greatest - 0.1) < 1e-12);
	differential_free(d);
}

static void a_sketch_is_close(void **state)
{
	(void)state;
	struct sketch *s = sketch_new();
	static double values[10001];
	assert_true(isnan(sketch_quantile(s, 0.5)));
	for (int i = 0; i <= 10000; i++) {
		values[i] = i < 3000 ? -exp((3000 - i) / 300.0) : i < 4000 ? 0 : exp((i - 4000) / 200.0);
		sketch_add(s, values[i]);
	}
	for (size_t i = 0; i < DIFFERENTIAL_QUANTILES; i++) {
		double q = differential_quantiles[i], exact = stat_quantile_sorted(values, 10001, q);
		if (fabs(sketch_quantile(s, q) - exact) > SKETCH_ACCURACY * fabs(exact) + 1e-12)
			fail_msg("q %g: %g, not %g", q, sketch_quantile(s, q), exact);
	}
	sketch_add(s, 1e300);
	sketch_add(s, -1e300);
	sketch_add(s, 1e-300);
	assert_int_equal(sketch_count(s), 10004);
	assert_true(sketch_quantile(s, 1) > 9e29);
	sketch_free(s);
}

static void scores_are_read_as_the_runtime_does(void **state)
{
	(void)state;
	double data[] = {0.9, 0.1, 0.2, 0.8, NAN, NAN}, values[6];
	int64_t classes[3];
	const struct tensor t = {.datatype = DATATYPE_FP64, .rank = 2, .shape = {3, 2}, .count = 6, .data = data};
	struct score_kind kind = {.output = "p", .column = 1, .probability = true};
	struct err e = {.text = ""};
	assert_int_equal(score_read(&kind, &t, 3, values, classes, &e), 0);
	assert_true(values[0] == 0.1 && values[1] == 0.8 && isnan(values[2]));
	assert_int_equal(classes[1], 1);
	assert_int_equal(classes[2], SCORE_NO_CLASS);
	kind = (struct score_kind){.output = "p", .column = SCORE_ARGMAX, .class_count = 2};
	assert_int_equal(score_read(&kind, &t, 3, values, classes, &e), 0);
	assert_int_equal(classes[0], 0);
	assert_int_equal(classes[1], 1);
	/* As the runtime tells of a forest, whose classes' numbers are probabilities: still the greatest counts. */
	cJSON *version = cJSON_Parse("{\"version\":1,\"prediction\":{\"output\":\"p\",\"column\":null,"
				     "\"class_count\":2,\"probability\":true}}");
	assert_int_equal(score_kind_from_json(version, &kind, &e), 0);
	cJSON_Delete(version);
	assert_int_equal(score_read(&kind, &t, 3, values, classes, &e), 0);
	assert_int_equal(classes[0], 0);
	assert_int_equal(classes[1], 1);
	kind.class_count = 3;
	assert_int_equal(score_read(&kind, &t, 3, values, classes, &e), -1);
	assert_int_equal(score_read(&kind, &t, 2, values, classes, &e), -1);
	assert_int_equal(score_kinds_comparable(&kind, "v2", &probability, "v1", &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_non_null(strstr(e.text, "v2 answers a number for each class (`p`) and v1 a probability (`y`)"));
}

static double sum_of(const double *values, size_t from, size_t count)
{
	double sum = 0;
	for (size_t i = from; i < count; i++)
		sum += values[i];
	return sum;
}

/* The charts count the rows that the figures count. */
static void plots_have_the_rows(void **unused)
{
	(void)unused;
	struct differential_settings s = strict();
	struct plot plots[PLOTS_MAX];
	s.atol = 0.5;
	s.rtol = 0;
	struct differential *d = differential_new(&s, &number);
	assert_non_null(d);
	assert_int_equal(differential_plots(d, "v3", "v2", plots), 2);
	assert_int_equal(plots[0].count, 0);
	for (int i = 0; i < 1000; i++) {
		/* 900 equal ones, 60 by less than the tolerance, one by exactly that, 39 by more or not finite. */
		double shift = i < 900 ? 0 : i < 960 ? 0.01 : i == 960 ? 0.5 : i < 999 ? 0.75 : INFINITY;
		add(d, (uint64_t)i, i % 10, i % 10 + shift, (double)NAN);
	}
	add(d, 1001, 1e9, 1e9, (double)NAN); /* far off: the others must not share one bin for it */
	assert_int_equal(differential_plots(d, "v3", "v2", plots), 2);
	assert_true(sum_of(plots[0].y, 0, plots[0].count) == 1000);
	assert_true(sum_of(plots[0].y_other, 0, plots[0].count) == 1000);
	assert_true(plots[0].x_high < 20 && plots[0].y[0] > 80 && plots[0].y[0] < 200);
	assert_string_equal(plots[0].other_name, "v2");
	assert_true(sum_of(plots[1].y, 0, DIFFERENTIAL_SIZES) == 100);
	assert_true(sum_of(plots[1].y, DIFFERENTIAL_SIZES / 2, DIFFERENTIAL_SIZES) == 39);
	assert_int_equal(d->diff.violations, 39);
	assert_true(plots[1].y[DIFFERENTIAL_SIZES - 1] == 1);
	assert_string_equal(plots[1].title, "3.9% of rows beyond tolerance");
	differential_free(d);
}

/* Numbers that a sketch cannot tell apart have few bins, not empty ones by turns. */
static void plots_of_one_number(void **unused)
{
	(void)unused;
	struct differential *d = make(&number);
	struct plot plots[PLOTS_MAX];
	for (uint64_t i = 0; i < 1000; i++)
		add(d, i, 1000 + 0.01 * (double)i, 1000 + 0.01 * (double)i, (double)NAN);
	differential_plots(d, "v3", "v2", plots);
	assert_true(plots[0].x_low < plots[0].x_high && plots[0].count <= 2);
	assert_true(sum_of(plots[0].y, 0, plots[0].count) == 1000);
	differential_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tolerances_come_from_noise),
	    cmocka_unit_test(the_same_passes),
	    cmocka_unit_test(figures_are_as_by_hand),
	    cmocka_unit_test(flips_are_told_apart),
	    cmocka_unit_test(one_sided_nan_fails_and_two_do_not),
	    cmocka_unit_test(equal_predictions_tell_nothing),
	    cmocka_unit_test(a_mean_needs_rows_to_be_shown_the_same),
	    cmocka_unit_test(a_small_segment_that_is_all_wrong_is_found),
	    cmocka_unit_test(too_many_segments_share_one),
	    cmocka_unit_test(the_worst_rows_are_kept),
	    cmocka_unit_test(ulp_are_counted_by_powers_of_two),
	    cmocka_unit_test(of_classes_the_one_that_differs_most_counts),
	    cmocka_unit_test(a_sketch_is_close),
	    cmocka_unit_test(scores_are_read_as_the_runtime_does),
	    cmocka_unit_test(plots_have_the_rows),
	    cmocka_unit_test(plots_of_one_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
