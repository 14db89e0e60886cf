/* Verdicts of A/B tests: each one of them, what breaks a test, looking again, several metrics and arms. */
#include "core/stat/stat_anytime.h"
#include "experiment_fixture.h"

/* The verdict of one look at so many conversions. */
static enum experiment_verdict once(const struct experiment *x, uint64_t events_a, uint64_t units_a, uint64_t events_b,
				    uint64_t units_b)
{
	struct experiment_state *s = experiment_state_new(x);
	struct experiment_history h = {0};
	add(s, 0, 0, events_a, units_a);
	add(s, 1, 0, events_b, units_b);
	enum experiment_verdict verdict = look(x, s, &h, 1000);
	experiment_state_free(s);
	return verdict;
}

static void each_verdict(void **state)
{
	(void)state;
	struct experiment x = conversion();
	assert_int_equal(once(&x, 600, 2000, 800, 2000), EXPERIMENT_BETTER);
	assert_string_equal(report.sentence, "v2 is better than v1 on conversion: 40% against 30%, a difference of +10 "
					     "points [+5.31, +14.7].");
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_MIXTURE);
	assert_true(report.is_early);
	assert_says(report.note, "looks larger than it is");
	assert_int_equal(once(&x, 800, 2000, 600, 2000), EXPERIMENT_WORSE);
	assert_int_equal(once(&x, 600, 2000, 610, 2000), EXPERIMENT_CONTINUE);
	assert_says(report.sentence, "Go on: no difference of conversion between v2 and v1 is sure yet");
	assert_says(report.sentence, "; 25 min to go at this rate.");
	assert_true(report.units == 4000 && report.units_per_s == 4 && report.left_s == 1500);
	assert_int_equal(once(&x, 1500, 5000, 1510, 5000), EXPERIMENT_INCONCLUSIVE);
	assert_says(report.note, "may also go on");
	x.metrics[0].margin = 0.05;
	assert_int_equal(once(&x, 1500, 5000, 1510, 5000), EXPERIMENT_EQUIVALENT);
	assert_says(report.sentence, "are equal on conversion, within the margin of 5 points");
	/* What is lower is better. */
	x.metrics[0].direction = EXPERIMENT_LOWER;
	assert_int_equal(once(&x, 600, 2000, 400, 2000), EXPERIMENT_BETTER);
	x.metrics[0].direction = EXPERIMENT_SAME;
	assert_int_equal(once(&x, 600, 2000, 400, 2000), EXPERIMENT_WORSE);
	assert_int_equal(once(&x, 400, 2000, 600, 2000), EXPERIMENT_WORSE);
}

static void rare_events_and_unequal_shares_are_counted(void **state)
{
	(void)state;
	struct experiment x = conversion();
	assert_int_equal(once(&x, 10, 2000, 60, 2000), EXPERIMENT_BETTER);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_COUNTS);
	/* The evidence is that of the counts, less what the rate of both costs. */
	double log_e, weights[2] = {0.5, 0.5};
	assert_int_equal(stat_counts_log_e((uint64_t[]){10, 60}, weights, 2, 20, &log_e, NULL), 0);
	assert_true(fabs(first()->evidence.log_e - log_e - log(0.95)) < 1e-12);
	/* Nearly all have the event: those without are counted. */
	assert_int_equal(once(&x, 1940, 2000, 1990, 2000), EXPERIMENT_BETTER);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_COUNTS);
	assert_true(first()->interval.low > 0 && first()->interval.low < 0.025 && first()->interval.high > 0.025);
	/* Fewer than 30 of either in an arm, however different they are: never by the normal distribution. */
	assert_int_equal(once(&x, 0, 60, 60, 60), EXPERIMENT_BETTER);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_COUNTS);
	assert_int_equal(once(&x, 29, 200, 40, 200), EXPERIMENT_CONTINUE);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_COUNTS);
	assert_int_equal(once(&x, 30, 200, 40, 200), EXPERIMENT_CONTINUE);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_MIXTURE);
	x.arms[0].share_bp = 9500;
	x.arms[1].share_bp = 500;
	assert_int_equal(once(&x, 570, 1900, 30, 100), EXPERIMENT_CONTINUE);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_COUNTS);
	/* The interval leaves out 0 exactly when the evidence suffices. */
	for (uint64_t events = 30; events < 80; events++) {
		once(&x, 570, 1900, events, 100);
		bool excludes = first()->evidence.interval.low > 0 || first()->evidence.interval.high < 0;
		assert_int_equal(excludes, first()->evidence.log_e >= log(20));
		assert_int_equal(excludes, report.verdict == EXPERIMENT_BETTER);
	}
}

static void what_breaks_a_test(void **state)
{
	(void)state;
	struct experiment x = conversion();
	assert_int_equal(once(&x, 600, 2000, 900, 2600), EXPERIMENT_INVALID);
	assert_string_equal(report.sentence,
			    "The test is void: units fell to its arms as 2000 : 2600, planned is 50 : 50; "
			    "look for what loses or repeats units.");
	/* It stays void when the ratio recovers. */
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	add(s, 0, 0, 600, 2000);
	add(s, 1, 0, 900, 2600);
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_INVALID);
	add(s, 0, 0, 180, 600);
	assert_int_equal(look(&x, s, &h, 1100), EXPERIMENT_INVALID);
	assert_true(report.is_ratio_broken);
	experiment_state_free(s);
	for (int fault = 0; fault < EXPERIMENT_FAULT_COUNT; fault++) {
		memset(&h, 0, sizeof h);
		s = experiment_state_new(&x);
		add(s, 0, 0, 600, 2000);
		add(s, 1, 0, 800, 2000);
		s->faults = 1u << fault;
		assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_INVALID);
		assert_says(report.sentence, experiment_fault_sentence((enum experiment_fault)fault));
		experiment_state_free(s);
	}
}

/* All units are as planned, but outcomes of one version reach us half as often. */
static void outcomes_that_depend_on_the_version(void **state)
{
	(void)state;
	struct experiment x = conversion();
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	add(s, 0, 0, 300, 2000);
	add(s, 1, 0, 300, 1000);
	s->exposed[1] = 2000;
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_INVALID);
	assert_false(report.is_ratio_broken);
	assert_says(report.sentence, "who reports depends on the version");
	experiment_state_free(s);
}

static void nothing_to_compare(void **state)
{
	(void)state;
	struct experiment x = conversion();
	assert_int_equal(once(&x, 0, 0, 0, 0), EXPERIMENT_CONTINUE);
	assert_true(isnan(report.left_s));
	assert_int_equal(once(&x, 3, 10, 0, 0), EXPERIMENT_CONTINUE);
	assert_says(report.sentence, "too few values of conversion to compare: v2 has 0, v1 10");
	/* An arm that stays empty is not one of its luck. */
	assert_int_equal(once(&x, 300, 1000, 0, 0), EXPERIMENT_INVALID);
	assert_int_equal(once(&x, 0, 1000, 0, 1000), EXPERIMENT_CONTINUE);
	assert_says(report.sentence, "no value of conversion has varied");
	x.metrics[0] =
	    (struct experiment_metric){.name = "revenue", .kind = EXPERIMENT_CONTINUOUS, .low = -9, .high = 9};
	/* Not even values that differ between the arms, when they are the same within both. */
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	for (int i = 0; i < 2000; i++) {
		experiment_sums_add(&s->sums[i % 2][0], 0, 5 + i % 2);
		s->exposed[i % 2]++;
	}
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_CONTINUE);
	assert_says(report.sentence, "no value of revenue has varied");
	assert_true(isinf(first()->interval.low) && first()->evidence.log_e == 0 && first()->evidence.effect > 0);
	experiment_state_free(s);
	/* Zeros are no values to take a mean of; where shares are unequal more are needed. */
	once(&x, 29, 1000, 50, 1000);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_NOTHING);
	assert_says(report.sentence, "too few values of revenue other than 0 to compare: v2 has 50, v1 29");
	once(&x, 30, 1000, 50, 1000);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_MIXTURE);
	x.arms[0].share_bp = 7600;
	x.arms[1].share_bp = 2400;
	once(&x, 300, 1600, 99, 500);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_NOTHING);
	once(&x, 300, 1600, 100, 500);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_MIXTURE);
}

static void minimum_events_and_duration(void **state)
{
	(void)state;
	struct experiment x = conversion();
	x.minimum_events = 100;
	assert_int_equal(once(&x, 10, 2000, 60, 2000), EXPERIMENT_CONTINUE);
	assert_says(report.sentence, "70 events of conversion are too few, the plan asks for 100");
	/* Harm is told at once. */
	assert_int_equal(once(&x, 60, 2000, 10, 2000), EXPERIMENT_WORSE);
	x.minimum_duration_s = 5000;
	assert_int_equal(once(&x, 600, 2000, 800, 2000), EXPERIMENT_CONTINUE);
	assert_true(report.left_s == 4000);
	x.minimum_duration_s = 1000;
	assert_int_equal(once(&x, 600, 2000, 800, 2000), EXPERIMENT_BETTER);
	x.maximum_duration_s = 1000;
	assert_int_equal(once(&x, 600, 2000, 610, 2000), EXPERIMENT_INCONCLUSIVE);
	assert_true(report.is_over && report.left_s == 0);
}

/* --- looks --- */

static void a_verdict_stays(void **state)
{
	(void)state;
	struct experiment x = conversion();
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	add(s, 0, 0, 600, 2000);
	add(s, 1, 0, 720, 2000);
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_BETTER);
	struct stat_interval before = first()->interval;
	/* Less sure by itself, but what was shown is shown. */
	add(s, 0, 0, 350, 1000);
	add(s, 1, 0, 290, 1000);
	assert_int_equal(look(&x, s, &h, 1500), EXPERIMENT_BETTER);
	assert_true(first()->evidence.log_e < log(20) && first()->evidence.interval.low < 0);
	assert_true(first()->interval.low == before.low && first()->p < 0.05);
	assert_true(h.looks == 2 && report.looks == 2);
	/* The opposite for sure: the effect was not the same all the time. */
	add(s, 0, 0, 2000, 3000);
	add(s, 1, 0, 0, 3000);
	assert_int_equal(look(&x, s, &h, 3000), EXPERIMENT_INCONCLUSIVE);
	assert_says(report.sentence, "changed while the test ran");
	experiment_state_free(s);
}

static void fixed_is_judged_once(void **state)
{
	(void)state;
	struct experiment x = conversion();
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	x.form = EXPERIMENT_FIXED;
	add(s, 0, 0, 600, 2000);
	add(s, 1, 0, 900, 2000);
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_CONTINUE);
	assert_says(report.sentence, "conversion is judged once, at the planned size of 10000 units");
	assert_true(first()->p == 1 && isinf(first()->interval.low) && isinf(first()->evidence.interval.high));
	add(s, 0, 0, 950, 3000);
	add(s, 1, 0, 780, 3000);
	assert_int_equal(look(&x, s, &h, 2000), EXPERIMENT_BETTER);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_RATES);
	double p = first()->p;
	/* Whatever comes later. */
	add(s, 0, 0, 2000, 3000);
	add(s, 1, 0, 0, 3000);
	assert_int_equal(look(&x, s, &h, 3000), EXPERIMENT_BETTER);
	assert_true(first()->p == p && first()->evidence.units[0] == 5000);
	experiment_state_free(s);
	/* Rare events by the conditional binomial, means by Welch, latency with its ranks. */
	assert_int_equal(once(&x, 5, 5000, 15, 5000), EXPERIMENT_BETTER);
	assert_true(fabs(first()->p - 0.04138946533203125) < 1e-12);
	x.metrics[0] =
	    (struct experiment_metric){.name = "revenue", .kind = EXPERIMENT_CONTINUOUS, .low = -9, .high = 9};
	once(&x, 1500, 5000, 1510, 5000);
	assert_int_equal(report.verdict, EXPERIMENT_INCONCLUSIVE);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_WELCH);
}

/* --- several metrics, several arms --- */

static void guardrails(void **state)
{
	(void)state;
	struct experiment x = conversion();
	metric(&x, "errors", EXPERIMENT_BINARY, EXPERIMENT_GUARDRAIL, EXPERIMENT_LOWER);
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	add(s, 0, 0, 600, 2000);
	add(s, 1, 0, 850, 2000);
	add(s, 0, 1, 10, 2000);
	add(s, 1, 1, 10, 2000);
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_BETTER);
	assert_true(report.decide_level == 0.025);
	/* With a margin it must be shown that it is kept. */
	x.metrics[1].margin = 0.005;
	assert_int_equal(look(&x, s, &h, 1001), EXPERIMENT_CONTINUE);
	assert_says(report.sentence, "it is not sure yet that errors is not worse than v1 by its margin");
	x.metrics[1].margin = 0.05;
	assert_int_equal(look(&x, s, &h, 1002), EXPERIMENT_BETTER);
	assert_int_equal(report.comparisons[1].verdict, EXPERIMENT_EQUIVALENT);
	x.metrics[1].margin = 0.005;
	/* Harm outweighs the gain, whatever the form. */
	add(s, 1, 1, 60, 60);
	x.form = EXPERIMENT_FIXED;
	assert_int_equal(look(&x, s, &h, 1003), EXPERIMENT_WORSE);
	assert_says(report.sentence, "v2 is worse than v1 on errors");
	experiment_state_free(s);
}

/* A p of 0.03 alone is enough for one metric, not for one of two, but then when the other one is below 0.025. */
static void metrics_share_alpha(void **state)
{
	(void)state;
	struct experiment x = conversion();
	struct experiment_history h = {0};
	struct experiment_state *s = experiment_state_new(&x);
	uint64_t events = 600;
	do {
		memset(&h, 0, sizeof h);
		memset(&s->sums[1][0], 0, sizeof s->sums[1][0]);
		memset(&s->sums[0][0], 0, sizeof s->sums[0][0]);
		s->exposed[0] = s->exposed[1] = 0;
		add(s, 0, 0, 600, 2000);
		add(s, 1, 0, events++, 2000);
	} while (look(&x, s, &h, 1000) != EXPERIMENT_BETTER);
	assert_true(first()->p > 0.03);
	metric(&x, "second", EXPERIMENT_BINARY, EXPERIMENT_PRIMARY, EXPERIMENT_HIGHER);
	experiment_state_free(s);
	for (int strong = 0; strong < 2; strong++) {
		memset(&h, 0, sizeof h);
		s = experiment_state_new(&x);
		add(s, 0, 0, 600, 2000);
		add(s, 1, 0, events - 1, 2000);
		add(s, 0, 1, 600, 2000);
		add(s, 1, 1, strong ? 900 : 600, 2000);
		look(&x, s, &h, 1000);
		assert_int_equal(first()->verdict, strong ? EXPERIMENT_BETTER : EXPERIMENT_CONTINUE);
		experiment_state_free(s);
	}
}

/* The others neither cost the primary anything nor decide anything. */
static void others_are_corrected_by_themselves(void **state)
{
	(void)state;
	struct experiment x = conversion();
	for (int i = 0; i < 4; i++) {
		char name[32];
		snprintf(name, sizeof name, "other-%d", i);
		metric(&x, name, EXPERIMENT_BINARY, EXPERIMENT_OTHER, EXPERIMENT_LOWER);
	}
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	for (size_t i = 0; i < 5; i++) {
		add(s, 0, i, 600, 2000);
		add(s, 1, i, i == 0 ? 610 : i < 3 ? 850 : 600, 2000);
	}
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_CONTINUE);
	assert_true(report.decide_level == 0.05 && report.other_level == 0.0125);
	assert_int_equal(report.comparisons[1].verdict, EXPERIMENT_WORSE);
	assert_int_equal(report.comparisons[2].verdict, EXPERIMENT_WORSE);
	assert_int_equal(report.comparisons[3].verdict, EXPERIMENT_CONTINUE);
	/* Evidence of 30 is enough for the one of one, and for the second of two of four, not for the first. */
	struct experiment_history edited = h;
	for (size_t i = 1; i < 5; i++)
		edited.tracks[1][i].log_e = i < 3 ? log(45) : 0;
	memset(&s->sums[1][1], 0, 2 * sizeof s->sums[1][1]);
	look(&x, s, &edited, 1000);
	assert_true(report.comparisons[1].is_rejected && report.comparisons[2].is_rejected);
	edited.tracks[1][2].log_e = 0;
	look(&x, s, &edited, 1000);
	assert_false(report.comparisons[1].is_rejected || report.comparisons[2].is_rejected);
	experiment_state_free(s);
}

static void several_arms(void **state)
{
	(void)state;
	struct experiment x = plan(4);
	metric(&x, "conversion", EXPERIMENT_BINARY, EXPERIMENT_PRIMARY, EXPERIMENT_HIGHER);
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	static const uint64_t events[] = {600, 850, 900, 300};
	for (size_t arm = 0; arm < 4; arm++)
		add(s, arm, 0, events[arm], 2000);
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_BETTER);
	assert_int_equal(report.arm, 2);
	assert_says(report.sentence, "v3 is better than v1");
	assert_int_equal(report.arms[1].verdict, EXPERIMENT_BETTER);
	assert_int_equal(report.arms[3].verdict, EXPERIMENT_WORSE);
	assert_true(fabs(report.decide_level - 0.05 / 3) < 1e-15);
	experiment_state_free(s);
}

static void the_same_version_twice(void **state)
{
	(void)state;
	struct experiment x = conversion();
	x.mode = EXPERIMENT_AA;
	x.arms[1].version = 1;
	assert_int_equal(once(&x, 600, 2000, 610, 2000), EXPERIMENT_CONTINUE);
	assert_int_equal(once(&x, 600, 2000, 850, 2000), EXPERIMENT_INVALID);
	assert_says(report.sentence, "arm 2 (v1) and arm 1 (v1) are the same version and differ on conversion");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_verdict),
	    cmocka_unit_test(rare_events_and_unequal_shares_are_counted),
	    cmocka_unit_test(what_breaks_a_test),
	    cmocka_unit_test(outcomes_that_depend_on_the_version),
	    cmocka_unit_test(nothing_to_compare),
	    cmocka_unit_test(minimum_events_and_duration),
	    cmocka_unit_test(a_verdict_stays),
	    cmocka_unit_test(fixed_is_judged_once),
	    cmocka_unit_test(guardrails),
	    cmocka_unit_test(metrics_share_alpha),
	    cmocka_unit_test(others_are_corrected_by_themselves),
	    cmocka_unit_test(several_arms),
	    cmocka_unit_test(the_same_version_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
