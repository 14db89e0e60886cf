/* Rollouts: the plan as text, and what is to be done next. */
#include "core/rollout.h"
#include "unit.h"

#include <string.h>

static struct rollout planned(const char *steps, const char *hold)
{
	struct rollout r = {0};
	struct err e = {0};
	if (rollout_plan(&r, steps, hold, &e) != 0)
		fail_msg("%s, %s: %s", steps, hold, e.text);
	return r;
}

static void check_plan(const char *steps, const char *hold, uint32_t count, const uint32_t *weights,
		       const int64_t *holds)
{
	struct rollout r = planned(steps, hold);
	assert_int_equal(r.step_count, count);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(r.steps[i].weight_bp, weights[i]);
		assert_int_equal(r.steps[i].hold_ms, holds[i]);
	}
}

static void plans(void **state)
{
	(void)state;
	const uint32_t usual[] = {100, 500, 2500, 10000};
	const int64_t minutes[] = {300000, 300000, 300000, 0};
	check_plan("1,5,25,100", "5m", 4, usual, minutes);
	check_plan("1, 5 ,25", "300s", 4, usual, minutes);
	check_plan("1%,5%,25.00%,100%", "300000ms", 4, usual, minutes);
	check_plan("1,5,25", "5m,0.083333h, 300s", 4, usual, (int64_t[]){300000, 299999, 300000, 0});
	check_plan("0.01,99.99", "0s,30d", 3, (uint32_t[]){1, 9999, 10000}, (int64_t[]){0, ROLLOUT_HOLD_MAX_MS, 0});
	check_plan("12.5", "1.5m", 2, (uint32_t[]){1250, 10000}, (int64_t[]){90000, 0});
	/* The most there can be. */
	assert_int_equal(planned("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19", "1s").step_count, 20);
	assert_int_equal(planned("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,100", "1s").step_count, 20);
}

static void check_refused(const char *steps, const char *hold, const char *why)
{
	struct rollout r = {0};
	struct err e = {0};
	if (rollout_plan(&r, steps, hold, &e) == 0)
		fail_msg("%s, %s is a plan", steps, hold);
	assert_int_equal(e.code, ERR_INPUT);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s, %s: %s", steps, hold, e.text);
}

static void bad_plans(void **state)
{
	(void)state;
	static const char *const shares[] = {"",
					     ",",
					     "1,",
					     "1,,5",
					     "x",
					     "-1,5",
					     "1,101",
					     "100.01",
					     "1.234",
					     "1.",
					     ".5",
					     "1e1",
					     "1 5",
					     "1,5%%",
					     "1;5",
					     "0x5",
					     "999999",
					     "1,5,a",
					     "99999999999999999999",
					     "+5",
					     "1\n",
					     "1,\t5"};
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
		check_refused(shares[i], "5m", "percentages above 0");
	check_refused("0,5", "5m", "0% does not");
	check_refused("0.001,5", "5m", "two decimals");
	check_refused("5,5", "5m", "must ascend");
	check_refused("5,1", "5m", "1% does not");
	check_refused("5,100,100", "5m", "must ascend");
	check_refused("100", "5m", "mldeck promote");
	check_refused("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20", "5m", "at most 20 steps");
	check_refused("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,100", "5m", "at most 20 steps");
	static const char *const holds[] = {"",    "5",   "m",    "-5m", "5 m", "5min", "5M",   "1..5m",
					    ".5m", "31d", "5m ,", "inf", "nan", "1e3s", "721h", "99999999999999999d"};
	for (size_t i = 0; i < sizeof holds / sizeof *holds; i++) {
		struct rollout r = {0};
		struct err e = {0};
		assert_int_equal(rollout_plan(&r, "1,5", holds[i], &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
	}
	check_refused("1,5", "-5m", "a hold time is a number with ms, s, m, h or d");
	check_refused("1,5,25", "5m,5m", "2 hold times do not fit 3 steps");
	check_refused("1,5", "5m,5m,5m", "3 hold times do not fit 2 steps");
}

/* One finding of each verdict that is asked for. */
static void find(struct rollout *r, const enum finding_verdict *verdicts, size_t count)
{
	r->finding_count = count;
	for (size_t i = 0; i < count; i++)
		r->findings[i] = (struct finding){.verdict = verdicts[i]};
}

#define P FINDING_PASS
#define W FINDING_WAIT
#define F FINDING_FAIL

static void what_is_next(void **state)
{
	(void)state;
	static const struct {
		enum rollout_state state;
		uint32_t step; /* of three: two that are held, and 100% */
		int64_t held_ms;
		size_t count;
		enum finding_verdict verdicts[2];
		enum rollout_action action;
	} rows[] = {
	    /* The hold is not over. */
	    {ROLLOUT_RUNNING, 0, 999, 2, {P, P}, ROLLOUT_WAIT},
	    {ROLLOUT_RUNNING, 0, 0, 2, {P, F}, ROLLOUT_BREACH},
	    {ROLLOUT_RUNNING, 0, 0, 2, {W, F}, ROLLOUT_BREACH},
	    /* It is. */
	    {ROLLOUT_RUNNING, 0, 1000, 2, {P, P}, ROLLOUT_ADVANCE},
	    {ROLLOUT_RUNNING, 0, 5000, 2, {P, P}, ROLLOUT_ADVANCE},
	    {ROLLOUT_RUNNING, 0, 1000, 2, {P, W}, ROLLOUT_WAIT},
	    {ROLLOUT_RUNNING, 0, 1000, 2, {F, P}, ROLLOUT_BREACH},
	    {ROLLOUT_RUNNING, 1, 1000, 2, {P, P}, ROLLOUT_FINISH},
	    {ROLLOUT_RUNNING, 1, 1000, 2, {W, P}, ROLLOUT_WAIT},
	    /* Nothing was looked at yet. */
	    {ROLLOUT_RUNNING, 0, 1000, 0, {P, P}, ROLLOUT_WAIT},
	    /* Paused, it does not go on, but it is still watched. */
	    {ROLLOUT_PAUSED, 0, 1000, 2, {P, P}, ROLLOUT_WAIT},
	    {ROLLOUT_PAUSED, 1, 0, 2, {P, F}, ROLLOUT_BREACH},
	    /* Ended, nothing happens any more. */
	    {ROLLOUT_DONE, 2, 1000, 2, {P, P}, ROLLOUT_WAIT},
	    {ROLLOUT_DONE, 2, 1000, 2, {F, F}, ROLLOUT_WAIT},
	    {ROLLOUT_ABORTED, 0, 1000, 2, {F, F}, ROLLOUT_WAIT},
	    {ROLLOUT_FAILED, 0, 1000, 2, {F, P}, ROLLOUT_WAIT},
	    /* The last step is never left, even where a damaged one says that it runs. */
	    {ROLLOUT_RUNNING, 2, 1000, 2, {P, P}, ROLLOUT_WAIT},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rollout r = planned("5,50", "1s");
		r.state = rows[i].state;
		r.step = rows[i].step;
		r.held_ms = rows[i].held_ms;
		find(&r, rows[i].verdicts, rows[i].count);
		if (rollout_next(&r) != rows[i].action)
			fail_msg("row %zu: %d", i, rollout_next(&r));
	}
}

static void what_is_left(void **state)
{
	(void)state;
	struct rollout r = planned("5,50", "1s,2s");
	assert_int_equal(rollout_left_ms(&r), 1000);
	r.held_ms = 400;
	assert_int_equal(rollout_left_ms(&r), 600);
	r.held_ms = 1400;
	assert_int_equal(rollout_left_ms(&r), 0);
	r.step = 1;
	assert_int_equal(rollout_left_ms(&r), 600);
	r.step = 2;
	assert_int_equal(rollout_left_ms(&r), 0);
}

static void states_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < ROLLOUT_STATE_COUNT; i++)
		assert_int_equal(rollout_state_by_name(rollout_state_name((enum rollout_state)i)), i);
	assert_int_equal(rollout_state_by_name("failed"), ROLLOUT_STATE_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plans),        cmocka_unit_test(bad_plans),         cmocka_unit_test(what_is_next),
	    cmocka_unit_test(what_is_left), cmocka_unit_test(states_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
