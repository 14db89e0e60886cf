/* The self-test: units that are shared out anew have no difference, whatever there was between the arms of the log. */
#include "core/experiment/experiment_selftest.h"
#include "lib/experiment_simulation.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>

#if SIMULATION_IS_SLOW
#define RUNS 100
#else
#define RUNS 200
#endif
#define UNITS 4000
#define LOOKS 40

static struct experiment plan(void)
{
	struct experiment x;
	experiment_init(&x);
	snprintf(x.salt, sizeof x.salt, "salt");
	x.arm_count = 2;
	x.arms[0] = (struct experiment_arm){1, 4000};
	x.arms[1] = (struct experiment_arm){2, 4000};
	x.metric_count = 1;
	x.metrics[0] = (struct experiment_metric){"revenue", EXPERIMENT_CONTINUOUS, .high = 100};
	x.planned_size = 1000000;
	return x;
}

static struct experiment_contribution values[UNITS];
static char names[UNITS][16];
static struct experiment_unit units[UNITS];

/* Heavy tails, and a unit in a hundred that is at the bound; in the log's own arms twice as much in the second. */
static void write_log(const struct experiment *x)
{
	uint64_t seed = 11;
	for (size_t i = 0; i < UNITS; i++) {
		size_t size = (size_t)snprintf(names[i], sizeof names[i], "user-%zu", i);
		double value = exp(2 * simulation_random(&seed)) * (1 + experiment_arm_of(x, names[i], size));
		struct experiment_observation o = {i % 100 == 0 ? 1000 : value, 0, NAN};
		values[i] = (struct experiment_contribution){.is_present = false};
		assert_int_equal(experiment_contribute(x, 0, &o, &values[i], NULL), 0);
		units[i] = (struct experiment_unit){names[i], size, &values[i]};
	}
}

static void a_sound_plan_does_not_alarm(void **state)
{
	(void)state;
	struct experiment x = plan();
	struct experiment_selftest r, again;
	struct err e = {.text = ""};
	write_log(&x);
	assert_int_equal(experiment_selftest(&x, units, UNITS, RUNS, LOOKS, &r, &e), 0);
	print_message("%d runs: %llu alarms, %llu ratio, %llu void\n", RUNS, (unsigned long long)r.alarms,
		      (unsigned long long)r.ratio, (unsigned long long)r.invalid);
	assert_true((double)r.alarms <= r.most_expected && r.ratio <= 2 + RUNS / 100);
	assert_true(r.runs == RUNS && r.looks == LOOKS);
	assert_int_equal(experiment_selftest(&x, units, UNITS, RUNS, LOOKS, &again, &e), 0);
	assert_true(again.alarms == r.alarms && again.invalid == r.invalid);
	/* Nothing is left of a run in the next one: without any variation there is never a verdict. */
	for (size_t i = 0; i < UNITS; i++)
		values[i].y = 1;
	assert_int_equal(experiment_selftest(&x, units, UNITS, RUNS, LOOKS, &r, &e), 0);
	assert_int_equal(r.alarms, 0);
}

/* A level of one half, looked at as often: the harness can fail. */
static void an_unsound_one_does(void **state)
{
	(void)state;
	struct experiment x = plan();
	struct experiment_selftest r;
	x.alpha = 0.5;
	write_log(&x);
	assert_int_equal(experiment_selftest(&x, units, UNITS, RUNS, LOOKS, &r, NULL), 0);
	print_message("%d runs at a level of one half: %llu alarms\n", RUNS, (unsigned long long)r.alarms);
	assert_true(r.alarms > RUNS / 10);
	x.mode = EXPERIMENT_AA;
	x.arms[1].version = 1;
	assert_int_equal(experiment_selftest(&x, units, UNITS, RUNS, LOOKS, &r, NULL), 0);
	assert_true(r.alarms == 0 && r.invalid > RUNS / 10);
}

static void bad_requests(void **state)
{
	(void)state;
	struct experiment x = plan();
	struct experiment_selftest r;
	struct err e = {.text = ""};
	assert_int_equal(experiment_selftest(&x, units, UNITS, 0, 1, &r, &e), -1);
	assert_string_equal(e.text, "a self-test needs one run and one look at least");
	assert_int_equal(experiment_selftest(&x, units, 3, 1, 1, &r, &e), -1);
	assert_string_equal(e.text, "a self-test needs two units an arm at least, got 3 units");
	/* More looks than units: one behind each. */
	write_log(&x);
	assert_int_equal(experiment_selftest(&x, units, 4, 1, 100, &r, &e), 0);
	assert_int_equal(r.looks, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sound_plan_does_not_alarm),
	    cmocka_unit_test(an_unsound_one_does),
	    cmocka_unit_test(bad_requests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
