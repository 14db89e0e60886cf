/* Gates: what each says in every case that it knows, and when it is asked. */
#include "core/registry/registry_alerts.h"
#include "core/registry/registry_experiments.h"
#include "gates_fixture.h"

static void expect(struct world *w, const char *name, enum finding_verdict verdict, const char *text)
{
	const struct gate *gate = gate_find(name);
	struct finding f = {.value = NAN, .threshold = NAN, .verdict = FINDING_VERDICT_COUNT};
	assert_non_null(gate);
	assert_true(gate->applies(&w->c));
	gate->judge(&w->c, &f);
	if (f.verdict != verdict || strstr(f.text, text) == NULL)
		fail_msg("%s: %d %s", name, f.verdict, f.text);
}

static void expect_none(struct world *w, const char *name)
{
	if (gate_find(name)->applies(&w->c))
		fail_msg("%s applies", name);
}

static void the_list_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < gate_count; i++) {
		const struct gate *gate = gate_table[i];
		assert_true(strlen(gate->name) > 2 && strlen(gate->name) < FINDING_NAME_SIZE);
		assert_true(strlen(gate->summary) > 10 && strlen(gate->summary) < 80);
		assert_true(gate->applies != NULL && gate->judge != NULL);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(gate->name, gate_table[k]->name);
	}
	assert_null(gate_find("luck"));
}

static void nothing_is_demanded_without_a_policy(void **state)
{
	struct world *w = *state;
	for (size_t i = 0; i < gate_count; i++)
		if (strcmp(gate_table[i]->name, "ready") != 0 && strcmp(gate_table[i]->name, "signature") != 0)
			expect_none(w, gate_table[i]->name);
	expect(w, "ready", FINDING_PASS, "v2 is loaded and answers");
	expect(w, "signature", FINDING_PASS, "v2 has the inputs and outputs of v1");
}

static void ready(void **state)
{
	struct world *w = *state;
	w->list[1]->engine = &away_engine;
	expect(w, "ready", FINDING_WAIT, "v2 is away: its server is away");
	w->list[1]->engine = NULL;
	w->list[1]->unloaded = true;
	strcpy(w->list[1]->note, "ada unloaded it");
	expect(w, "ready", FINDING_WAIT, "v2 is unloaded: ada unloaded it");
	w->change.dry_run = true;
	expect(w, "ready", FINDING_PASS, "v2 is unloaded; it is loaded and asked its sample rows first");
	w->change.dry_run = false;
	w->list[1]->unloaded = false;
	strcpy(w->list[1]->note, "the file is cut");
	expect(w, "ready", FINDING_FAIL, "v2 is failed: the file is cut");
}

static void permission(void **state)
{
	struct world *w = *state;
	set(w, "promoters", "ada bob");
	expect(w, "permission", FINDING_PASS, "ada may promote");
	strcpy(w->actor.name, "eve");
	expect(w, "permission", FINDING_FAIL, "eve may not promote; ada bob may");
	w->c.shadow = true;
	expect(w, "permission", FINDING_FAIL, "eve may not promote");
}

static void signature(void **state)
{
	struct world *w = *state;
	struct tensor_spec other = w->output;
	strcpy(other.datatype, "INT64");
	w->list[1]->manifest.outputs = &other;
	expect(w, "signature", FINDING_FAIL, "v2 is not called like v1: output `y` is INT64");
	w->list[1]->manifest.outputs = &w->output;
	w->list[1]->manifest.inputs = &other;
	expect(w, "signature", FINDING_FAIL, "it has no input `x`");
	w->c.shadow = true;
	expect_none(w, "signature");
	w->c.shadow = false;
	w->c.under_way = true;
	expect_none(w, "signature");
	w->c.under_way = false;
	w->c.live = NULL;
	expect_none(w, "signature");
	w->c.live = w->list[0];
	set(w, "same_signature", "no");
	expect_none(w, "signature");
}

static void min_age(void **state)
{
	struct world *w = *state;
	set(w, "min_age", "1h");
	expect(w, "min_age", FINDING_PASS, "v2 was deployed 60 min ago");
	set(w, "min_age", "2h");
	expect(w, "min_age", FINDING_WAIT, "has to be 2h old");
	w->list[1]->created_ms = w->c.now_ms + 5000;
	expect(w, "min_age", FINDING_WAIT, "v2 was deployed 0 s ago");
	w->c.first = w->c.all = false;
	expect_none(w, "min_age");
}

static void shadow(void **state)
{
	struct world *w = *state;
	set(w, "shadow_requests", "100");
	expect(w, "shadow", FINDING_WAIT, "v2 was not compared with v1: mldeck shadow churn 2=10%");
	w->compared = (struct shadow_stats){.against = 1, .compared = 99, .rows = 198, .flips = 198};
	expect(w, "shadow", FINDING_WAIT, "v2 was compared with v1 on 99 of 100 requests");
	w->compared.compared = 100;
	expect(w, "shadow", FINDING_FAIL, "198 of 198 rows of v2 are of another class");
	w->compared.flips = 1;
	expect(w, "shadow", FINDING_PASS, "v2 was compared with v1 on 100 requests");
	w->compared.incomparable = 1;
	expect(w, "shadow", FINDING_FAIL, "2 of 198 rows of v2 are of another class than v1's, or not comparable");
	w->compared.incomparable = 0;
	w->compared.absolute_sum = 198;
	set(w, "shadow_difference_max", "1");
	expect(w, "shadow", FINDING_PASS, "predictions differ by 1 on average");
	set(w, "shadow_difference_max", "0.9");
	expect(w, "shadow", FINDING_FAIL, "predictions of v2 differ from v1's by 1 on average");
	w->compared.against = 3;
	expect(w, "shadow", FINDING_WAIT, "v2 was not compared with v1");
	w->c.first = false;
	expect_none(w, "shadow");
}

static void add_result(struct world *w, const char *kind, bool passed, int64_t age_s)
{
	struct test_result result = {.version = 2,
				     .against = 1,
				     .passed = passed,
				     .summary = "12 rows differ",
				     .at_ms = w->c.now_ms - age_s * 1000};
	struct err e = {.text = ""};
	snprintf(result.kind, sizeof result.kind, "%s", kind);
	assert_int_equal(registry_add_test_result(w->r, "churn", &result, &e), 0);
}

static void tests(void **state)
{
	struct world *w = *state;
	set(w, "tests", "differential:1d benchmark");
	expect(w, "tests", FINDING_WAIT, "there is no differential test of v2 against v1");
	add_result(w, "differential", true, 3600);
	expect(w, "tests", FINDING_WAIT, "there is no benchmark test of v2 against v1");
	add_result(w, "benchmark", true, 90 * 86400);
	expect(w, "tests", FINDING_PASS, "2 of 2 tests of v2 against v1 passed");
	add_result(w, "benchmark", false, 7200);
	expect(w, "tests", FINDING_FAIL, "the benchmark test of v2 against v1 failed 2 h ago: 12 rows differ");
	add_result(w, "differential", true, 2 * 86400);
	expect(w, "tests", FINDING_FAIL, "the benchmark test");
	add_result(w, "benchmark", true, 0);
	expect(w, "tests", FINDING_WAIT, "the differential test of v2 against v1 passed 2 days ago, and may be 1d old");
	w->c.version = w->list[2];
	expect(w, "tests", FINDING_WAIT, "there is no differential test of v3 against v1");
}

static void add_report(struct world *w, const char *kind, bool passed, const char *report)
{
	struct test_result result = {.version = 2,
				     .against = 1,
				     .passed = passed,
				     .summary = "rows: so many differ",
				     .at_ms = w->c.now_ms,
				     .report = report};
	struct err e = {.text = ""};
	snprintf(result.kind, sizeof result.kind, "%s", kind);
	assert_int_equal(registry_add_test_result(w->r, "churn", &result, &e), 0);
}

static void tests_say_their_numbers(void **state)
{
	struct world *w = *state;
	set(w, "tests", "differential");
	add_report(
	    w, "differential", false,
	    "{\"verdict\":\"fail\",\"findings\":["
	    "{\"name\":\"rows\",\"verdict\":\"fail\",\"value\":96.4,\"threshold\":0.1,\"unit\":\"%\",\"text\":\"\"},"
	    "{\"name\":\"mean\",\"verdict\":\"wait\",\"value\":3,\"threshold\":1,\"unit\":\"\",\"text\":\"\"},"
	    "{\"name\":\"slow\",\"verdict\":\"fail\",\"value\":8,\"threshold\":5,\"unit\":\"ms\",\"text\":\"\"},"
	    "{\"name\":\"live\",\"verdict\":\"fail\",\"value\":null,\"threshold\":null,\"unit\":\"\",\"text\":\"\"}"
	    "]}");
	expect(
	    w, "tests", FINDING_FAIL,
	    "the differential test of v2 against v1 failed 0 s ago: rows 96.4% (limit 0.1%), slow 8 ms (limit 5 ms), "
	    "live");
	add_report(w, "differential", false, "{\"verdict\":\"wait\",\"findings\":[]}");
	expect(w, "tests", FINDING_FAIL,
	       "the differential test of v2 against v1 ended in `wait` 0 s ago: rows: so many differ");
	/* Reports of other programs say what they want. */
	add_report(w, "differential", true, "{\"findings\":7,\"settings\":[1],\"verdict\":{}}");
	expect(w, "tests", FINDING_PASS, "1 of 1 tests");
	add_report(w, "differential", true, "no JSON");
	expect(w, "tests", FINDING_PASS, "1 of 1 tests");
}

static void tests_that_ran_looser_do_not_count(void **state)
{
	struct world *w = *state;
	set(w, "tests", "differential stress:1h");
	set(w, "diff_atol", "0.01");
	set(w, "diff_rtol", "0");
	add_report(w, "stress", true, NULL);
	add_report(w, "differential", true,
		   "{\"settings\":{\"diff_atol\":5,\"diff_rtol\":0,\"diff_rows_max\":0.1,\"diff_flips_max\":0.1,"
		   "\"diff_mean_max\":0.02,\"diff_quantile_max\":0.1,\"diff_alpha\":0.01}}");
	expect(w, "tests", FINDING_WAIT,
	       "the differential test of v2 against v1 ran with diff_atol 5, the policy has 0.01");
	/* Tightened, and loosened, later. */
	set(w, "diff_atol", "5");
	expect(w, "tests", FINDING_PASS, "2 of 2 tests");
	set(w, "diff_rows_max", "0.05%");
	expect(w, "tests", FINDING_WAIT, "ran with diff_rows_max 0.1%, the policy has 0.05%");
	set(w, "diff_rows_max", "50%");
	expect(w, "tests", FINDING_PASS, "2 of 2 tests");
}

static void approve(struct world *w, uint32_t uid, const char *name)
{
	struct actor actor = {.uid = uid};
	struct approval approval;
	struct err e = {.text = ""};
	strcpy(actor.name, name);
	assert_int_equal(registry_approve(w->r, "churn", 2, "fine", &actor, &approval, &e), 0);
}

static void approval(void **state)
{
	struct world *w = *state;
	set(w, "second_person", "yes");
	expect(w, "approval", FINDING_WAIT, "somebody else must approve v2: mldeck approve churn 2 --reason TEXT");
	approve(w, w->actor.uid, "ada");
	expect(w, "approval", FINDING_WAIT, "the approval by ada is by the same person");
	approve(w, 1001, "bob");
	expect(w, "approval", FINDING_PASS, "bob approved v2 0 s ago");
	/* An older one that counts is not hidden by a newer one that does not. */
	approve(w, w->actor.uid, "ada");
	expect(w, "approval", FINDING_PASS, "bob approved v2");
	set(w, "promoters", "ada carl");
	expect(w, "approval", FINDING_WAIT, "the approval by ada is by the same person");
	set(w, "promoters", "");
	w->c.now_ms += 25 * 3600 * 1000;
	expect(w, "approval", FINDING_WAIT, "is too long ago");
	w->c.now_ms -= 25 * 3600 * 1000;
	w->c.live = w->list[2];
	expect(w, "approval", FINDING_WAIT, "is against another live version");
	w->c.under_way = true;
	expect_none(w, "approval");
}

static void canary(void **state)
{
	struct world *w = *state;
	set(w, "canary_requests", "50");
	expect(w, "canary", FINDING_WAIT, "v2 does not serve beside v1: mldeck split churn 1=95 2=5");
	w->c.version_arm = &w->version_arm;
	w->c.live_arm = &w->live_arm;
	w->version_arm.answered = 49;
	expect(w, "canary", FINDING_WAIT, "v2 answered 49 requests beside v1");
	w->version_arm.answered = 50;
	expect(w, "canary", FINDING_PASS, "v2 answered 50 requests beside v1");
	w->change.rollout = &w->rollout;
	expect_none(w, "canary");
	w->c.under_way = true;
	expect(w, "canary", FINDING_PASS, "v2 answered 50 requests beside v1");
	w->c.all = false;
	expect_none(w, "canary");
}

static void experiment(void **state)
{
	struct world *w = *state;
	const struct experiment plan = {.model = "churn", .name = "stale", .salt = "s"};
	struct experiment_change own = {.id = 1};
	expect_none(w, "experiment");
	w->m.tap = tap_new(&plan, 2);
	expect(w, "experiment", FINDING_FAIL, "the A/B test stale runs on churn");
	w->change.action = "shadow";
	expect_none(w, "experiment");
	w->change.action = "promote";
	w->change.experiment = &own;
	expect_none(w, "experiment");
	tap_release(w->m.tap);
	w->m.tap = NULL;
}

static void alerts(void **state)
{
	struct world *w = *state;
	struct alert alert = {
	    .rule = "rollout", .model = "price", .text = "it went back", .value = NAN, .threshold = NAN};
	struct err e = {.text = ""};
	set(w, "no_alerts", "yes");
	assert_int_equal(registry_fire_alert(w->r, &alert, &e), 0);
	expect(w, "alerts", FINDING_PASS, "no alert of churn is firing");
	strcpy(alert.model, "churn");
	alert.id = 0;
	assert_int_equal(registry_fire_alert(w->r, &alert, &e), 0);
	expect(w, "alerts", FINDING_FAIL, "an alert is firing (rollout): it went back");
	assert_int_equal(registry_acknowledge_alert(w->r, alert.id, "seen", &operator, NULL, &alert, &e), 0);
	expect(w, "alerts", FINDING_PASS, "no alert of churn is firing");
	w->c.all = false;
	expect_none(w, "alerts");
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(the_list_is_sound),
	    TEST(nothing_is_demanded_without_a_policy),
	    TEST(ready),
	    TEST(permission),
	    TEST(signature),
	    TEST(min_age),
	    TEST(shadow),
	    TEST(tests),
	    TEST(tests_say_their_numbers),
	    TEST(tests_that_ran_looser_do_not_count),
	    TEST(approval),
	    TEST(canary),
	    TEST(experiment),
	    TEST(alerts),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
