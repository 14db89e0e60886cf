/* Policies, approvals and test results in the registry: what survives, what is refused, what the audit says. */
#include "core/registry/registry_policy.h"

#include "core/registry/registry_internal.h"
#include "core/registry/registry_verify.h"
#include "registry_fixture.h"

static const struct actor second = {.uid = 1001, .name = "bob", .client = "mldeck test"};

struct world {
	char directory[256];
	struct registry *r;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct deploy_result result;
	struct err e = {.text = ""};
	fixture_directory(w->directory);
	w->r = fixture_open(w->directory);
	assert_int_equal(fixture_deploy(w->r, "churn", "one", false, &result, &e), 0);
	assert_int_equal(fixture_deploy(w->r, "churn", "two", false, &result, &e), 0);
	assert_int_equal(fixture_deploy(w->r, "price", "one", false, &result, &e), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	registry_close(w->r);
	fixture_remove(w->directory);
	free(w);
	return 0;
}

static void reopen(struct world *w)
{
	registry_close(w->r);
	w->r = fixture_open(w->directory);
}

static void set(struct world *w, const char *name, const char *text, int64_t expect)
{
	struct policy_record now, result;
	struct err e = {.text = ""};
	assert_int_equal(registry_policy(w->r, "churn", &now, &e), 0);
	assert_int_equal(policy_set(&now.policy, name, text, &e), 0);
	if (registry_set_policy(w->r, "churn", &now.policy, expect, "safer", &operator, & result, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(result.number, now.number + 1);
	assert_true(result.at_ms >= now.at_ms);
}

static void expect_last_audit(struct world *w, const char *model, const char *action, const char *outcome,
			      const char *detail)
{
	struct audit_record *records;
	size_t count;
	struct err e = {.text = ""};
	assert_int_equal(registry_audits(w->r, model, 0, 1, &records, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_string_equal(records[0].action, action);
	assert_string_equal(records[0].outcome, outcome);
	assert_string_equal(records[0].detail, detail);
	free(records);
}

static void a_model_without_one_has_the_default(void **state)
{
	struct world *w = *state;
	struct policy_record record;
	struct err e = {.text = ""};
	assert_int_equal(registry_policy(w->r, "churn", &record, &e), 0);
	assert_int_equal(record.number, 0);
	assert_string_equal(record.who, "");
	for (size_t i = 0; i < 16; i++)
		assert_true(policy_is_default(&record.policy, i));
	assert_int_equal(registry_policy(w->r, "chum", &record, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void the_newest_holds_and_survives(void **state)
{
	struct world *w = *state;
	struct policy_record record;
	struct err e = {.text = ""};
	set(w, "min_age", "1h", 0);
	set(w, "no_alerts", "yes", 1);
	set(w, "min_age", "2h", -1);
	expect_last_audit(w, "churn", "policy", "done", "min_age 1h -> 2h");
	reopen(w);
	assert_int_equal(registry_policy(w->r, "churn", &record, &e), 0);
	assert_int_equal(record.number, 3);
	assert_int_equal(record.policy.min_age_s, 7200);
	assert_true(record.policy.no_alerts);
	assert_string_equal(record.who, "ada");
	assert_string_equal(record.reason, "safer");
	assert_int_equal(registry_policy(w->r, "price", &record, &e), 0);
	assert_int_equal(record.number, 0);
}

static void refusals_are_recorded_and_change_nothing(void **state)
{
	struct world *w = *state;
	struct policy_record record, now;
	struct err e = {.text = ""};
	char reason[REASON_SIZE + 1];
	set(w, "min_age", "1h", 0);
	assert_int_equal(registry_policy(w->r, "churn", &record, &e), 0);

	assert_int_equal(registry_set_policy(w->r, "churn", &record.policy, -1, "", &second, &now, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.text, "the policy of churn already is so");

	record.policy.min_age_s = 1;
	assert_int_equal(registry_set_policy(w->r, "churn", &record.policy, 0, "", &second, &now, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.text, "the policy of churn is number 1, set by ada (safer), not 0 as expected");
	expect_last_audit(w, "churn", "policy", "conflict", e.text);
	assert_int_equal(registry_set_policy(w->r, "price", &record.policy, 3, "", &second, &now, &e), -1);
	assert_string_equal(e.text, "the policy of price was never set; it is not number 3");

	record.policy.shadow_difference_max = 0.5;
	assert_int_equal(registry_set_policy(w->r, "churn", &record.policy, -1, "", &second, &now, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	expect_last_audit(w, "churn", "policy", "bad_input", e.text);

	memset(reason, 'x', REASON_SIZE);
	reason[REASON_SIZE] = '\0';
	record.policy.shadow_difference_max = 0.0 / 0.0;
	assert_int_equal(registry_set_policy(w->r, "churn", &record.policy, -1, reason, &second, &now, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);

	assert_int_equal(registry_set_policy(w->r, "chum", &record.policy, -1, "", &second, &now, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(registry_policy(w->r, "churn", &now, &e), 0);
	assert_int_equal(now.number, 1);
	assert_int_equal(now.policy.min_age_s, 3600);
}

static void approvals_name_what_was_live(void **state)
{
	struct world *w = *state;
	struct approval approval, *approvals;
	struct revision_record revision;
	size_t count;
	struct err e = {.text = ""};
	assert_int_equal(registry_approve(w->r, "churn", 2, "looked at it", &second, &approval, &e), 0);
	assert_int_equal(approval.id, 1);
	assert_int_equal(approval.against, 1);
	expect_last_audit(w, "churn", "approve", "done", "v2 to replace v1");
	assert_int_equal(registry_approve(w->r, "churn", 1, "", &second, &approval, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.text, "v1 of churn is live; there is nothing to approve");
	expect_last_audit(w, "churn", "approve", "conflict", e.text);
	assert_int_equal(registry_approve(w->r, "churn", 3, "", &second, &approval, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(registry_approve(w->r, "chum", 1, "", &second, &approval, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);

	assert_int_equal(fixture_promote(w->r, "churn", 2, -1, &revision, &e), 0);
	assert_int_equal(registry_approve(w->r, "churn", 1, "back", &operator, & approval, &e), 0);
	assert_int_equal(approval.against, 2);
	reopen(w);
	assert_int_equal(registry_approvals(w->r, "churn", 0, 10, &approvals, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_int_equal(approvals[0].version, 1);
	assert_int_equal(approvals[0].uid, 1000);
	assert_int_equal(approvals[1].uid, 1001);
	assert_string_equal(approvals[1].who, "bob");
	assert_string_equal(approvals[1].reason, "looked at it");
	free(approvals);
	assert_int_equal(registry_approvals(w->r, "churn", 2, 10, &approvals, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_int_equal(approvals[0].version, 2);
	free(approvals);
	assert_int_equal(registry_approvals(w->r, "price", 0, 10, &approvals, &count, &e), 0);
	assert_int_equal(count, 0);
	free(approvals);
}

static void the_newest_test_of_a_pair_counts(void **state)
{
	struct world *w = *state;
	struct test_result result = {.kind = "differential",
				     .version = 2,
				     .against = 1,
				     .passed = true,
				     .summary = "0 of 5,000 rows differ",
				     .job = 7},
			   found;
	struct err e = {.text = ""};
	assert_int_equal(registry_test_result(w->r, "churn", "differential", 2, 1, &found, &e), 0);
	assert_int_equal(found.id, 0);
	assert_int_equal(registry_add_test_result(w->r, "churn", &result, &e), 0);
	result.passed = false;
	result.at_ms = 1000;
	assert_int_equal(registry_add_test_result(w->r, "churn", &result, &e), 0);
	reopen(w);
	assert_int_equal(registry_test_result(w->r, "churn", "differential", 2, 1, &found, &e), 0);
	assert_int_equal(found.id, 2);
	assert_false(found.passed);
	assert_int_equal(found.at_ms, 1000);
	assert_int_equal(found.job, 7);
	assert_string_equal(found.summary, "0 of 5,000 rows differ");
	assert_int_equal(registry_test_result(w->r, "churn", "differential", 1, 2, &found, &e), 0);
	assert_int_equal(found.id, 0);
	assert_int_equal(registry_test_result(w->r, "churn", "benchmark", 2, 1, &found, &e), 0);
	assert_int_equal(found.id, 0);
	result.version = 9;
	assert_int_equal(registry_add_test_result(w->r, "churn", &result, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void a_report_is_kept_with_its_test(void **state)
{
	struct world *w = *state;
	struct test_result result = {.kind = "differential",
				     .version = 2,
				     .summary = "3 rows differ",
				     .report = "{\"rows\":3}"},
			   *results, found;
	struct test_filter filter = {.limit = 10};
	struct err e = {.text = ""};
	size_t count;
	char *report;
	assert_int_equal(registry_report_test(w->r, "churn", &result, &second, &e), 0);
	result = (struct test_result){.kind = "stress", .version = 1, .passed = true, .summary = "1k/s"};
	assert_int_equal(registry_report_test(w->r, "churn", &result, &second, &e), 0);
	assert_int_equal(result.against, 0);
	expect_last_audit(w, "churn", "tested", "done", "stress of v1: passed");
	reopen(w);
	assert_int_equal(registry_test_results(w->r, "churn", &filter, &results, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_string_equal(results[0].kind, "stress");
	assert_int_equal(results[1].against, 1);
	filter.before = results[0].id;
	free(results);
	assert_int_equal(registry_test_results(w->r, "churn", &filter, &results, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_string_equal(results[0].summary, "3 rows differ");
	assert_int_equal(registry_test_report(w->r, "churn", results[0].id, &found, &report, &e), 0);
	assert_string_equal(report, "{\"rows\":3}");
	assert_string_equal(found.kind, "differential");
	free(report);
	assert_int_equal(registry_test_report(w->r, "price", results[0].id, &found, &report, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	free(results);
	filter = (struct test_filter){.kind = "stress", .version = 2, .limit = 1};
	assert_int_equal(registry_test_results(w->r, "churn", &filter, &results, &count, &e), 0);
	assert_int_equal(count, 0);
	free(results);
}

static void a_reported_test_is_recorded(void **state)
{
	struct world *w = *state;
	struct test_result result = {.kind = "benchmark", .version = 2, .passed = true, .summary = "build 812"}, found;
	struct err e = {.text = ""};
	assert_int_equal(registry_report_test(w->r, "churn", &result, &second, &e), 0);
	assert_int_equal(result.against, 1);
	expect_last_audit(w, "churn", "tested", "done", "benchmark of v2 against v1: passed");
	assert_int_equal(registry_test_result(w->r, "churn", "benchmark", 2, 1, &found, &e), 0);
	assert_int_equal(found.id, result.id);
	assert_true(found.passed);
	assert_string_equal(found.summary, "build 812");
	result = (struct test_result){.kind = "benchmark", .version = 1};
	assert_int_equal(registry_report_test(w->r, "churn", &result, &second, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	expect_last_audit(w, "churn", "tested", "conflict", e.text);
	result = (struct test_result){.kind = "benchmark", .version = 2, .against = 9};
	assert_int_equal(registry_report_test(w->r, "churn", &result, &second, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

/* A policy as it was kept when there were fewer settings, in a record of the chain. */
static void keep_early_policy(struct world *w, const char *policy)
{
	struct audit_record audit;
	struct err e = {.text = ""};
	char sql[512];
	int64_t id;
	registry_audit_init(&audit, &operator, "policy", "churn", "done", "early");
	snprintf(sql, sizeof sql,
		 "INSERT INTO policy (model_id, number, at_ms, uid, who, reason, policy)"
		 " VALUES ((SELECT id FROM model WHERE name='churn'), 1, 5, 0, 'ada', 'early', '%s')",
		 policy);
	registry_lock(w->r);
	if (db_begin(w->r->db, &e) != 0 || db_run(w->r->db, sql, &e) != 0 || registry_last_id(w->r, &id, &e) != 0 ||
	    registry_insert_audit_of(w->r, &audit, REGISTRY_ROW_POLICY, id, &e) != 0 || db_commit(w->r->db, &e) != 0)
		fail_msg("%s", e.text);
	registry_unlock(w->r);
}

static void a_policy_of_fewer_settings_still_verifies(void **state)
{
	struct world *w = *state;
	struct audit_verdict verdict;
	struct policy_record record;
	struct err e = {.text = ""};
	keep_early_policy(w, "{\"min_age\":\"1h\",\"tests\":\"stress\"}");
	set(w, "stress_rate", "200", 1);
	set(w, "diff_data", "/rows.csv", 2);
	expect_last_audit(w, "churn", "policy", "done", "diff_data none -> /rows.csv");
	reopen(w);
	assert_int_equal(registry_policy(w->r, "churn", &record, &e), 0);
	assert_int_equal(record.number, 3);
	assert_int_equal(record.policy.min_age_s, 3600);
	assert_string_equal(record.policy.diff_data, "/rows.csv");
	if (registry_verify(w->directory, NULL, &verdict, &e) != 0 || !verdict.whole)
		fail_msg("%s%s", e.text, verdict.fault);
}

static void a_pair_is_of_two_versions(void **state)
{
	struct world *w = *state;
	uint32_t against = 0, live = 0;
	struct err e = {.text = ""};
	assert_int_equal(registry_test_pair(w->r, "churn", 2, &against, &live, &e), 0);
	assert_true(against == 1 && live == 1);
	against = 0;
	assert_int_equal(registry_test_pair(w->r, "churn", 1, &against, &live, &e), -1);
	assert_string_equal(e.text, "a test compares two versions, and v1 of churn would be both: it is the live one");
	against = 2;
	assert_int_equal(registry_test_pair(w->r, "churn", 1, &against, &live, &e), 0);
	against = 9;
	assert_int_equal(registry_test_pair(w->r, "churn", 1, &against, &live, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(registry_test_pair(w->r, "chum", 1, &against, &live, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

/* The name is no model, but its tests are those of the model that it becomes. */
static void a_first_training_makes_a_name(void **state)
{
	struct world *w = *state;
	struct test_result result = {.kind = "training", .passed = true, .alone = true, .summary = "took 3 s"},
			   *results;
	struct test_filter filter = {.limit = 10};
	struct deploy_result deployed;
	struct policy_record policy;
	struct err e = {.text = ""};
	char(*names)[TEXT_NAME_MAX + 1];
	size_t count;
	assert_int_equal(registry_test_results(w->r, "fresh", &filter, &results, &count, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(registry_report_test(w->r, "fresh", &result, &second, &e), 0);
	assert_int_equal(registry_report_test(w->r, "fresh", &result, &second, &e), 0);
	expect_last_audit(w, "fresh", "tested", "done", "training: passed");
	assert_int_equal(registry_models(w->r, &names, &count, &e), 0);
	assert_int_equal(count, 2);
	free(names);
	assert_int_equal(registry_policy(w->r, "fresh", &policy, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	reopen(w);
	assert_int_equal(fixture_deploy(w->r, "fresh", "three", false, &deployed, &e), 0);
	assert_int_equal(deployed.version, 1);
	assert_true(deployed.live);
	assert_int_equal(registry_test_results(w->r, "fresh", &filter, &results, &count, &e), 0);
	assert_int_equal(count, 2);
	free(results);
	/* Only a training does, and only under a name. */
	result = (struct test_result){.kind = "stress", .version = 1};
	assert_int_equal(registry_report_test(w->r, "other", &result, &second, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	result = (struct test_result){.kind = "training"};
	assert_int_equal(registry_report_test(w->r, "No Name", &result, &second, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

/* What was run is compared with nothing; a comparison is with the live version unless another is named. */
static void a_training_that_was_run_is_of_no_pair(void **state)
{
	struct world *w = *state;
	struct test_result result = {.kind = "training", .version = 2, .passed = true, .alone = true}, found;
	struct err e = {.text = ""};
	assert_int_equal(registry_report_test(w->r, "churn", &result, &second, &e), 0);
	assert_int_equal(result.against, 0);
	assert_int_equal(registry_test_result(w->r, "churn", "training", 2, 1, &found, &e), 0);
	assert_int_equal(found.id, 0);
	result = (struct test_result){.kind = "training", .version = 2};
	assert_int_equal(registry_report_test(w->r, "churn", &result, &second, &e), 0);
	assert_int_equal(registry_test_result(w->r, "churn", "training", 2, 1, &found, &e), 0);
	assert_int_equal(found.id, result.id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_model_without_one_has_the_default),
	    TEST(the_newest_holds_and_survives),
	    TEST(refusals_are_recorded_and_change_nothing),
	    TEST(approvals_name_what_was_live),
	    TEST(the_newest_test_of_a_pair_counts),
	    TEST(a_reported_test_is_recorded),
	    TEST(a_report_is_kept_with_its_test),
	    TEST(a_first_training_makes_a_name),
	    TEST(a_training_that_was_run_is_of_no_pair),
	    TEST(a_policy_of_fewer_settings_still_verifies),
	    TEST(a_pair_is_of_two_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
