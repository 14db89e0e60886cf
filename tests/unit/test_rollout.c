/* Rollouts: the plan as text, and what is to be done next. */
#include "core/rollout.h"
#include "unit.h"

#include <math.h>
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
	check_plan("1,5,25", "5m,1h, 300s", 4, usual, (int64_t[]){300000, 3600000, 300000, 0});
	check_plan("0.01,99.99", "0s,30d", 3, (uint32_t[]){1, 9999, 10000}, (int64_t[]){0, ROLLOUT_HOLD_MAX_MS, 0});
	check_plan("12.5", "90s", 2, (uint32_t[]){1250, 10000}, (int64_t[]){90000, 0});
	/* As it is written, so it is read. */
	static const int64_t written[] = {0, 1, 999, 1000, 61000, 5400000, 90061001, ROLLOUT_HOLD_MAX_MS};
	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		char hold[64];
		rollout_hold_text(hold, sizeof hold, written[i]);
		check_plan("5", hold, 2, (uint32_t[]){500, 10000}, (int64_t[]){written[i], 0});
	}
	check_plan("5", "1h30m", 2, (uint32_t[]){500, 10000}, (int64_t[]){5400000, 0});
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
	static const char *const holds[] = {
	    "",     "5",     "m",    "-5m",       "1.5m",   "5min", "5M",   "1..5m",
	    ".5m",  "31d",   "5m ,", "inf",       "nan",    "1e3s", "721h", "99999999999999999d",
	    "1h30", "30m1h", "1h1h", "29d24h1ms", "1h30m,", "1h-1m"};
	for (size_t i = 0; i < sizeof holds / sizeof *holds; i++) {
		struct rollout r = {0};
		struct err e = {0};
		assert_int_equal(rollout_plan(&r, "1,5", holds[i], &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
	}
	check_refused("1,5", "-5m", "a hold time is a whole number with ms, s, m, h or d");
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

static struct rollout running(void)
{
	struct rollout r = planned("1,25", "5m,10m");
	r.id = 7;
	strcpy(r.model, "churn");
	r.version = 3;
	r.from = 2;
	policy_init(&r.thresholds);
	r.thresholds.p99_ratio_max = 2;
	r.state = ROLLOUT_PAUSED;
	r.step = 1;
	r.held_ms = 61000;
	r.first_revision = 4;
	r.revision = 6;
	r.started_ms = 1700000000123;
	r.changed_ms = 1700000300456;
	r.uid = 1000;
	r.forced = true;
	strcpy(r.who, "ada");
	strcpy(r.reason, "better");
	strcpy(r.note, "lunch");
	r.finding_count = 1;
	r.findings[0] = (struct finding){.name = "error_rate", .verdict = FINDING_WAIT, .value = NAN, .n = 12};
	return r;
}

static void there_and_back(void **state)
{
	(void)state;
	struct rollout r = running(), back;
	struct err e = {0};
	cJSON *json = rollout_to_json(&r);
	char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	json = cJSON_Parse(text);
	if (rollout_from_json(json, &back, &e) != 0)
		fail_msg("%s", e.text);
	cJSON_Delete(json);
	assert_int_equal(back.id, 7);
	assert_string_equal(back.model, "churn");
	assert_int_equal(back.version, 3);
	assert_int_equal(back.from, 2);
	assert_int_equal(back.step_count, 3);
	assert_int_equal(back.steps[1].weight_bp, 2500);
	assert_int_equal(back.steps[1].hold_ms, 600000);
	assert_true(back.thresholds.p99_ratio_max == 2);
	assert_int_equal(back.state, ROLLOUT_PAUSED);
	assert_int_equal(back.held_ms, 61000);
	assert_true(back.forced);
	assert_string_equal(back.note, "lunch");
	assert_true(isnan(back.findings[0].value));
	/* Nothing is lost: the same text comes out again. */
	json = rollout_to_json(&back);
	char *again = cJSON_PrintUnformatted(json);
	assert_string_equal(again, text);
	cJSON_Delete(json);
	cJSON_free(text);
	cJSON_free(again);
}

static void hostile_json(void **state)
{
	(void)state;
	static const struct {
		const char *field, *value;
	} wrong[] = {
	    {"state", "\"failed\""},
	    {"model", "\"Churn\""},
	    {"version", "0"},
	    {"step", "3"},
	    {"step", "-1"},
	    {"held_ms", "-1"},
	    {"held_ms", "1e300"},
	    {"steps", "[]"},
	    {"steps", "[{\"weight_bp\":10000,\"hold_ms\":0}]"},
	    {"steps", "[{\"weight_bp\":100,\"hold_ms\":1},{\"weight_bp\":500,\"hold_ms\":0}]"},
	    {"steps", "[{\"weight_bp\":500,\"hold_ms\":1},{\"weight_bp\":500,\"hold_ms\":1},"
		      "{\"weight_bp\":10000,\"hold_ms\":0}]"},
	    {"steps", "[{\"weight_bp\":500,\"hold_ms\":-1},{\"weight_bp\":10000,\"hold_ms\":0}]"},
	    {"steps", "[1,{\"weight_bp\":10000,\"hold_ms\":0}]"},
	    {"findings", "[1]"},
	    {"findings", "{}"},
	    {"thresholds", "[]"},
	    {"thresholds", "{\"p99_ratio_max\":\"many\"}"},
	    {"note", "5"},
	};
	struct rollout r = running(), back;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct err e = {0};
		cJSON *json = rollout_to_json(&r);
		cJSON_ReplaceItemInObjectCaseSensitive(json, wrong[i].field, cJSON_Parse(wrong[i].value));
		if (rollout_from_json(json, &back, &e) == 0)
			fail_msg("%s %s is taken", wrong[i].field, wrong[i].value);
		assert_int_equal(e.code, ERR_INPUT);
		cJSON_Delete(json);
	}
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
	    cmocka_unit_test(what_is_left), cmocka_unit_test(states_have_names), cmocka_unit_test(there_and_back),
	    cmocka_unit_test(hostile_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
