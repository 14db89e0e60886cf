/* How many units an A/B test needs, against the simulation-free formulas and against each other. */
#include "core/experiment/experiment_size.h"
#include "core/stat/stat_size.h"
#include "unit.h"

#include <math.h>

static struct experiment plan(uint32_t control_bp, uint32_t arm_bp)
{
	struct experiment x;
	experiment_init(&x);
	x.arm_count = 2;
	x.arms[0] = (struct experiment_arm){1, control_bp};
	x.arms[1] = (struct experiment_arm){2, arm_bp};
	x.metric_count = 1;
	x.metrics[0] = (struct experiment_metric){"conversion", EXPERIMENT_BINARY, .high = 1};
	x.planned_size = 10000;
	return x;
}

static struct experiment_size size_of(const struct experiment *x, const struct experiment_baseline *b, double effect)
{
	struct experiment_size s;
	struct err e = {.text = ""};
	if (experiment_size(x, 1, 0, b, effect, EXPERIMENT_POWER, &s, &e) != 0)
		fail_msg("%s", e.text);
	return s;
}

static void even_shares_are_the_textbook_case(void **state)
{
	(void)state;
	struct experiment x = plan(5000, 5000);
	struct experiment_baseline b = {.mean = 0.3, .units_per_s = 2};
	struct experiment_size s = size_of(&x, &b, 0.02);
	double each = stat_size_rates(0.3, 0.32, 0.05, 0.8);
	assert_true(s.level == 0.05);
	assert_int_equal(s.fixed_arm, (uint64_t)ceil(each));
	assert_int_equal(s.fixed_control, s.fixed_arm);
	assert_int_equal(s.fixed_units, (uint64_t)ceil(2 * each));
	assert_int_equal(s.anytime_units, (uint64_t)ceil(1.75 * 2 * each));
	assert_true(fabs(s.fixed_s - each) < 1e-9 && fabs(s.anytime_s - 1.75 * each) < 1e-9);
	b.units_per_s = 0;
	assert_true(isinf(size_of(&x, &b, 0.02).anytime_s));
}

/* What the plan's size shows is the effect that needs it. */
static void the_least_effect_needs_the_planned_size(void **state)
{
	(void)state;
	static const uint32_t shares[][2] = {{5000, 5000}, {9500, 500}, {4000, 1000}};
	for (size_t i = 0; i < 3; i++)
		for (int form = 0; form < EXPERIMENT_FORM_COUNT; form++) {
			struct experiment x = plan(shares[i][0], shares[i][1]);
			struct experiment_baseline b = {.sd = 3, .variance_ratio = 0.5};
			x.form = (enum experiment_form)form;
			x.metrics[0].kind = EXPERIMENT_CONTINUOUS;
			double least = size_of(&x, &b, 1).least;
			struct experiment_size s = size_of(&x, &b, least);
			uint64_t units = form == EXPERIMENT_FIXED ? s.fixed_units : s.anytime_units;
			assert_in_range(units, 10000, 10001);
			uint64_t arms = form == EXPERIMENT_FIXED ? s.fixed_arm + s.fixed_control
								 : s.anytime_arm + s.anytime_control;
			assert_in_range(arms, 10000, 10002);
		}
}

static void what_else_counts(void **state)
{
	(void)state;
	struct experiment x = plan(5000, 5000);
	struct experiment_baseline b = {.mean = 0.3};
	struct experiment_size one = size_of(&x, &b, 0.02);
	x.metrics[x.metric_count++] =
	    (struct experiment_metric){"errors", EXPERIMENT_ERROR_RATE, .role = EXPERIMENT_GUARDRAIL, .high = 1};
	x.metrics[x.metric_count++] =
	    (struct experiment_metric){"clicks", EXPERIMENT_COUNT, .role = EXPERIMENT_OTHER, .high = 9};
	assert_true(size_of(&x, &b, 0.02).level == 0.025);
	assert_true(size_of(&x, &b, 0.02).fixed_units > one.fixed_units);
	/* A covariate that leaves half of the variance halves the size. */
	x.metric_count = 1;
	b.variance_ratio = 0.5;
	assert_in_range(2 * size_of(&x, &b, 0.02).fixed_units, one.fixed_units, one.fixed_units + 2);
	/* Too small an effect to be counted. */
	assert_int_equal(size_of(&x, &b, 1e-9).fixed_units, EXPERIMENT_SIZE_MAX);
}

static void refuse(const struct experiment *x, struct experiment_baseline b, double effect, double power,
		   const char *sentence)
{
	struct experiment_size s;
	struct err e = {.text = ""};
	assert_int_equal(experiment_size(x, 1, 0, &b, effect, power, &s, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.text, sentence);
}

static void what_makes_no_sense(void **state)
{
	(void)state;
	struct experiment x = plan(5000, 5000);
	struct experiment_baseline b = {.mean = 0.9};
	refuse(&x, b, 0, 0.8, "the effect to be found on `conversion` must not be 0");
	refuse(&x, b, NAN, 0.8, "the effect to be found on `conversion` must not be 0");
	refuse(&x, b, 0.2, 0.8, "an effect of 0.2 on a rate of 0.9 gives 1.1, which is no rate");
	refuse(&x, b, 0.05, 1, "the power must lie between 0 and 1, got 1");
	refuse(&x, b, 0.05, 0.01, "a power of 0.01 is no more than chance at a level of 0.05");
	x.metrics[0].kind = EXPERIMENT_CONTINUOUS;
	refuse(&x, b, 0.05, 0.8, "the standard deviation of `conversion` must be positive, got 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(even_shares_are_the_textbook_case),
	    cmocka_unit_test(the_least_effect_needs_the_planned_size),
	    cmocka_unit_test(what_else_counts),
	    cmocka_unit_test(what_makes_no_sense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
