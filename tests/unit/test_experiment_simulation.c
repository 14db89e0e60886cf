/* What A/B tests promise, by simulation: how often they are wrong when they are looked at again and again, and how
 * often they find what there is. The long form is tests/bench/bench_experiment. */
#include "core/stat/stat_size.h"
#include "lib/experiment_simulation.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>

/* With so few runs the promises are held to loosely. */
#if SIMULATION_IS_SLOW
#define RUNS 20
#define SLACK 0.1
#else
#define RUNS 500
#define SLACK 0.
#endif
#define UNITS 10000
#define STEP 100

static struct experiment plan(enum experiment_kind kind, uint32_t share_bp)
{
	struct experiment x;
	experiment_init(&x);
	snprintf(x.model, sizeof x.model, "model");
	snprintf(x.name, sizeof x.name, "name");
	x.arm_count = 2;
	x.arms[0] = (struct experiment_arm){1, ROUTE_BUCKETS - share_bp};
	x.arms[1] = (struct experiment_arm){2, share_bp};
	x.metric_count = 1;
	x.metrics[0] = (struct experiment_metric){"metric", kind, .high = 1};
	x.minimum_events = 0;
	x.planned_size = UNITS;
	return x;
}

static struct simulation_result simulate(const struct experiment *x, enum simulated_value value, double mean,
					 double effect, uint64_t units, uint64_t runs)
{
	struct simulation s = {x, value, {mean, mean + effect}, {0}, units, STEP, runs, 1};
	struct simulation_result r;
	simulation_run(&s, &r);
	double n = (double)r.runs;
	print_message(
	    "%s, mean %g, effect %.4f: %.3f decided, %.3f by size, coverage %.3f, ratio %.3f, peeked z %.3f\n",
	    experiment_kind_name(x->metrics[0].kind), mean, effect, (double)r.alarms / n, (double)r.by_size / n,
	    1 - (double)r.missed / n, (double)r.ratio / n, (double)r.peeked / n);
	return r;
}

static bool at_most(uint64_t count, uint64_t of, double share)
{
	return (double)count <= (share + SLACK) * (double)of;
}

static void looking_again_does_not_alarm(void **state)
{
	(void)state;
	struct experiment x = plan(EXPERIMENT_BINARY, 5000);
	struct simulation_result r = simulate(&x, SIMULATED_EVENT, 0.3, 0, UNITS, RUNS);
	assert_true(at_most(r.alarms, r.runs, 0.03));
	assert_true(at_most(r.missed, r.runs, 0.04));
	assert_true(at_most(r.ratio, r.runs, 0.01));
	/* The same looks at a test that is made for one look: the harness can fail. 100 looks at a normal mean give
	 * 0.374 (Armitage, McPherson and Rowe 1969); so many runs are two standard errors of 0.02 off at most. */
	assert_true((double)r.peeked >= (0.33 - 2 * SLACK) * (double)r.runs);
	assert_true(at_most(r.peeked, r.runs, 0.41 + SLACK));
	assert_true(at_most(r.once, r.runs, 0.07));
}

static void nor_do_rare_events_of_a_canary(void **state)
{
	(void)state;
	struct experiment x = plan(EXPERIMENT_ERROR_RATE, 500);
	static const double rates[] = {0.02, 0.005, 0.001};
	for (size_t i = 0; i < 3; i++) {
		struct simulation_result r = simulate(&x, SIMULATED_EVENT, rates[i], 0, UNITS, RUNS / 2);
		assert_true(at_most(r.alarms, r.runs, 0.04));
		assert_true(at_most(r.missed, r.runs, 0.04));
		assert_true((double)r.peeked >= (0.36 - 2 * SLACK) * (double)r.runs);
	}
}

/* Money that one unit in fifty spends, which is rare events too. */
static void nor_does_what_few_units_spend(void **state)
{
	(void)state;
	struct experiment x = plan(EXPERIMENT_CONTINUOUS, 500);
	x.metrics[0].high = 16;
	struct simulation s = {&x, SIMULATED_SPENT, {0.02, 0.02}, {0}, 10 * UNITS, 5 * STEP, RUNS / 5, 4};
	struct simulation_result r;
	simulation_run(&s, &r);
	assert_true(at_most(r.alarms, r.runs, 0.04));
	assert_true((double)r.peeked >= 0.5 * (double)r.runs);
}

static void an_effect_is_found(void **state)
{
	(void)state;
	struct experiment x = plan(EXPERIMENT_BINARY, 5000);
	double effect = stat_least_rise(0.3, UNITS / 2, 0.05, 0.8);
	struct simulation_result r = simulate(&x, SIMULATED_EVENT, 0.3, effect, 2 * UNITS, RUNS / 2);
	assert_true((double)r.by_size >= (0.48 - 2 * SLACK) * (double)r.runs);
	assert_true((double)r.alarms >= (0.85 - 2 * SLACK) * (double)r.runs);
	assert_true(at_most(r.missed, r.runs, 0.04));
	assert_true(r.exaggerated > 1.1 && r.exaggerated < 1.7);
}

/* One exposure in twenty of one arm is lost. */
static void lost_exposures_are_noticed(void **state)
{
	(void)state;
	struct experiment x = plan(EXPERIMENT_BINARY, 5000);
	struct simulation s = {&x, SIMULATED_EVENT, {0.3, 0.3}, {0, 0.1}, UNITS, STEP, RUNS / 5, 2};
	struct simulation_result r;
	simulation_run(&s, &r);
	assert_true((double)r.ratio >= 0.9 * (double)r.runs);
	assert_int_equal(r.ratio, r.invalid);
}

/* No difference, and a margin of three standard errors at the end: it is shown. */
static void equivalence_is_shown(void **state)
{
	(void)state;
	struct experiment x = plan(EXPERIMENT_BINARY, 5000);
	x.metrics[0].margin = 0.05;
	struct simulation s = {&x, SIMULATED_EVENT, {0.3, 0.3}, {0}, UNITS, STEP, RUNS / 5, 3};
	struct simulation_result r;
	simulation_run(&s, &r);
	assert_true((double)r.equal >= 0.9 * (double)r.runs);
	/* A difference of the margin is not. */
	s.mean[1] = 0.35;
	simulation_run(&s, &r);
	assert_true(at_most(r.equal, r.runs, 0.03));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(looking_again_does_not_alarm),  cmocka_unit_test(nor_do_rare_events_of_a_canary),
	    cmocka_unit_test(nor_does_what_few_units_spend), cmocka_unit_test(an_effect_is_found),
	    cmocka_unit_test(lost_exposures_are_noticed),    cmocka_unit_test(equivalence_is_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
