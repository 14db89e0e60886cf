/* Histories of tests in the registry: of all models, the one before, who told it, and how old results come into it. */
#include "core/registry/registry_internal.h"
#include "core/registry/registry_policy.h"

#include "registry_fixture.h"

static char directory[256];
static struct registry *r;

static int set_up(void **state)
{
	struct deploy_result result;
	(void)state;
	fixture_directory(directory);
	r = fixture_open(directory);
	for (int i = 0; i < 3; i++) {
		const char content[] = {(char)('1' + i), '\0'};
		assert_int_equal(fixture_deploy(r, "churn", content, false, &result, NULL), 0);
		assert_int_equal(fixture_deploy(r, "price", content, false, &result, NULL), 0);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	registry_close(r);
	fixture_remove(directory);
	return 0;
}

static int64_t tell(const char *model, const char *kind, uint32_t version, uint32_t against, const char *report)
{
	struct test_result result = {
	    .kind = "", .version = version, .against = against, .summary = "s", .report = report};
	struct err e = {0};
	snprintf(result.kind, sizeof result.kind, "%s", kind);
	if (registry_report_test(r, model, &result, &operator, & e) != 0)
		fail_msg("%s", e.text);
	return result.id;
}

static void a_list_is_of_all_models_or_of_one(void **state)
{
	struct test_filter filter = {.limit = 10};
	struct test_result *results;
	struct err e = {0};
	size_t count;
	(void)state;
	tell("churn", "benchmark", 2, 1, "{\"verdict\":\"regression\"}");
	tell("price", "stress", 1, 0, NULL);
	assert_int_equal(registry_test_results(r, NULL, &filter, &results, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_string_equal(results[0].model, "price");
	assert_string_equal(results[0].verdict, "fail"); /* no report said more */
	assert_string_equal(results[1].model, "churn");
	assert_string_equal(results[1].verdict, "regression");
	assert_string_equal(results[1].who, "ada");
	free(results);
	assert_int_equal(registry_test_results(r, "churn", &filter, &results, &count, &e), 0);
	assert_int_equal(count, 1);
	free(results);
	filter.limit = 1;
	assert_int_equal(registry_test_results(r, NULL, &filter, &results, &count, &e), 0);
	assert_int_equal(count, 1);
	free(results);
}

static int64_t before(int64_t id)
{
	struct test_result of, found;
	struct err e = {0};
	char *report;
	assert_int_equal(registry_test_report(r, NULL, id, &of, &report, &e), 0);
	free(report);
	assert_int_equal(registry_test_before(r, &of, &found, &e), 0);
	return found.id;
}

static void the_one_before_is_of_the_same_versions(void **state)
{
	struct test_result found;
	struct err e = {0};
	char *report;
	(void)state;
	int64_t first = tell("churn", "benchmark", 2, 1, NULL), other = tell("churn", "benchmark", 3, 1, NULL);
	int64_t elsewhere = tell("price", "benchmark", 2, 1, NULL), kind = tell("churn", "differential", 2, 1, NULL);
	int64_t last = tell("churn", "benchmark", 2, 1, NULL), run = tell("churn", "training", 0, 0, NULL);
	assert_int_equal(before(last), first);
	assert_int_equal(before(first), 0);
	assert_int_equal(before(other), 0);
	assert_int_equal(before(elsewhere), 0);
	assert_int_equal(before(kind), 0);
	/* Each training makes another version, or none. */
	assert_int_equal(before(tell("churn", "training", 3, 0, NULL)), run);
	assert_int_equal(registry_test_report(r, NULL, 99, &found, &report, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

/* A database of before lists had verdicts and names. */
static void old_results_get_verdict_and_name(void **state)
{
	static const char *const back =
	    "DROP TABLE experiment_look; DROP TABLE experiment_key; DROP TABLE experiment_request;"
	    "DROP TABLE experiment_unit; DROP TABLE experiment_memory; DROP TABLE experiment_seen; DROP TABLE "
	    "experiment;"
	    "DROP TRIGGER test_result_no_update; DROP TRIGGER test_result_no_delete; DROP INDEX test_result_pair;"
	    "DROP INDEX test_result_model; ALTER TABLE test_result DROP COLUMN verdict;"
	    "ALTER TABLE test_result DROP COLUMN who;"
	    "CREATE TRIGGER test_result_no_update BEFORE UPDATE ON test_result BEGIN SELECT 1; END;"
	    "CREATE TRIGGER test_result_no_delete BEFORE DELETE ON test_result BEGIN SELECT 1; END;"
	    "UPDATE test_result SET report = 'no JSON' WHERE id = 2; PRAGMA user_version = 6;";
	struct test_filter filter = {.limit = 10};
	struct test_result *results;
	struct err e = {0};
	size_t count;
	(void)state;
	tell("churn", "benchmark", 2, 1, "{\"verdict\":\"inconclusive\"}");
	tell("churn", "stress", 1, 0, "{\"verdict\":\"slo\"}");
	if (db_run(r->db, back, &e) != 0)
		fail_msg("%s", e.text);
	registry_close(r);
	r = fixture_open(directory);
	assert_int_equal(registry_test_results(r, "churn", &filter, &results, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_string_equal(results[1].verdict, "inconclusive");
	assert_string_equal(results[1].who, "ada");
	assert_string_equal(results[0].verdict, "fail"); /* its report can be read no more */
	free(results);
	assert_int_equal(db_run(r->db, "UPDATE test_result SET verdict = 'pass'", &e), -1);
}

/* No list may read more rows than it shows: the plans have an index, and no sorting. */
static void lists_cost_what_they_show(void **state)
{
	static const char *const plans[] = {
	    "EXPLAIN QUERY PLAN SELECT summary FROM test_result WHERE model_id = 1 AND ('' = '' OR kind = '')"
	    " AND id < 9 ORDER BY id DESC LIMIT 200",
	    "EXPLAIN QUERY PLAN SELECT summary FROM test_result WHERE model_id = 1 AND kind = 'stress' AND version = 1"
	    " AND against = 0 AND id < 9 ORDER BY id DESC LIMIT 1",
	    "EXPLAIN QUERY PLAN SELECT summary FROM test_result WHERE id < 9 ORDER BY id DESC LIMIT 200"};
	struct err e = {0};
	(void)state;
	for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
		struct statement *s = db_prepare(r->db, plans[i], &e);
		assert_non_null(s);
		while (db_step(s, &e) == 1) {
			assert_non_null(strstr(db_text(s, 3), "SEARCH"));
			assert_null(strstr(db_text(s, 3), "TEMP B-TREE"));
		}
		db_end(s);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_list_is_of_all_models_or_of_one),
	    TEST(the_one_before_is_of_the_same_versions),
	    TEST(old_results_get_verdict_and_name),
	    TEST(lists_cost_what_they_show),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
