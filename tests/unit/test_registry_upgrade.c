/* State directories of every earlier schema: what they hold is there after the upgrade, and as unchangeable as before.
 */
#include "core/db.h"
#include "core/registry/registry_alerts.h"
#include "core/registry/registry_experiments.h"
#include "core/registry/registry_internal.h"
#include "core/registry/registry_jobs.h"
#include "core/registry/registry_policy.h"
#include "core/registry/registry_samples.h"
#include "registry_fixture.h"

#include <sys/stat.h>

/* What each step made room for, as the steps' own SQL has it; the chain (the fourth) changed only columns. Its records
 * have hashes, which only the registry writes: test_registry_audit.c has those. */
static const char models[] =
    "INSERT INTO model VALUES (7, 'm', 1), (9, 'other', 2);"
    "INSERT INTO version VALUES (7, 1, printf('%064d', 1), 11, 'ada', '{}'),"
    " (7, 2, printf('%064d', 2), 12, 'bob', '{}'), (9, 1, printf('%064d', 1), 13, 'ada', '{}');"
    "INSERT INTO revision (model_id, revision, based_on, position, at_ms, action, uid, who, reason, route)"
    " SELECT id, 1, 0, 1, 14, 'deploy', 7, 'ada', 'first', '{\"entries\":[{\"version\":1,\"role\":\"live\","
    "\"weight_bp\":10000,\"ranges\":[[0,10000]]}]}' FROM model;";
static const char jobs[] =
    "INSERT INTO job (id, kind, model, version, title, command, target, start, uid, who, in_shell, queued_ms, "
    "started_ms,"
    " ended_ms, state, summary, progress, output) VALUES"
    " (3, 'predict', 'm', 1, 'rows to out', 'mldeck predict', '/out', '{\"a\":1}', 7, 'ada', 0, 21, 22, 23, 'done',"
    " '5 rows', '{\"done\":5}', 'said'),"
    " (8, 'diff', 'm', 2, 'v2 against v1', 'mldeck diff', '', '', 7, 'bob', 1, 24, 25, 0, 'running', '', '{}', '');";
static const char routes[] =
    "INSERT INTO policy VALUES (7, 1, 31, 7, 'ada', 'why', '{\"tests\":\"benchmark\"}'),"
    " (7, 2, 32, 7, 'bob', 'safer', '{\"tests\":\"differential:7d\"}');"
    "INSERT INTO approval (id, model_id, version, against, at_ms, uid, who, reason) VALUES (4, 7, 2, 1, 33, 7, 'eve', "
    "'ok');"
    "INSERT INTO test_result (id, model_id, kind, version, against, at_ms, job, passed, summary) VALUES"
    " (5, 7, 'differential', 2, 1, 34, 8, 0, 'a flip'), (6, 7, 'stress', 1, 0, 35, 0, 1, '1k/s'),"
    " (12, 9, 'benchmark', 1, 0, 36, 0, 1, 'quick');"
    "INSERT INTO sample VALUES (7, 1, 'x\n1\n', '1');"
    "INSERT INTO alert (id, rule, model, version, state, since_ms, text) VALUES (2, 'rollout', 'm', 2, 'firing', 37, "
    "'no');"
    "INSERT INTO rollout (id, model_id, state, ended_ms, plan) VALUES (1, 7, 'done', 38, '{}');";
static const char tests[] =
    "INSERT INTO test_result (id, model_id, kind, version, against, at_ms, job, passed, summary, report) VALUES"
    " (20, 7, 'training', 2, 0, 41, 0, 1, 'took 3 s', '{\"wall_s\":3}');";
static const char trainings[] =
    "INSERT INTO test_result (id, model_id, kind, version, against, at_ms, job, passed, summary, report) VALUES"
    " (21, 7, 'training', NULL, 0, 42, 0, 0, 'no version', '{\"wall_s\":4}');";
static const char histories[] =
    "INSERT INTO test_result (id, model_id, kind, version, against, at_ms, job, passed, summary, verdict, who, report)"
    " VALUES (22, 7, 'stress', 2, 0, 43, 0, 0, 'slow', 'slo', 'ada', '{}');";
static const char experiments[] =
    "INSERT INTO experiment (id, model_id, name, plan, sha256, started_ms, before, revision, uid, who, reason, state,"
    " ended_ms, closes_ms) VALUES (4, 7, 'first', '{\"model\":\"m\",\"name\":\"first\",\"salt\":\"s\",\"arms\":["
    "{\"version\":1,\"share_bp\":5000},{\"version\":2,\"share_bp\":5000}],\"metrics\":[{\"name\":\"clicks\",\"kind\":"
    "\"count\",\"role\":\"primary\",\"direction\":\"higher\"}],\"planned_size\":1000}', printf('%064d', 1), 51, 0, 1, "
    "7,"
    " 'ada', 'to know', 'stopped', 52, 53);"
    "INSERT INTO experiment_seen VALUES (4, 52, 3, '{\"requests\":1,\"units\":1,\"lost\":0,\"outcomes\":{}}', '{}');"
    "INSERT INTO experiment_unit VALUES (4, x'00112233445566778899aabbccddeeff', 1, 51, x'0000');"
    "INSERT INTO experiment_look VALUES (4, 1, 1, 52, 52, 0, 0, 0, 1, 3, 'CONTINUE', 'not yet', '{}', '{}', '{}');";
/* By step, from the first. A step that is new here needs what it made room for, so that the next ones are held to it.
 */
static const char *const rows[] = {models, jobs, routes, "", tests, trainings, histories, experiments};

static void make_state(const char *directory, size_t steps)
{
	char path[300];
	struct db *db;
	size_t before;
	struct err e = {.text = ""};

	snprintf(path, sizeof path, "%s/mldeck.db", directory);
	assert_int_equal(db_open(path, &db, NULL), 0);
	if (db_migrate(db, registry_schema, steps, NULL, NULL, &before, &e) != 0)
		fail_msg("step %zu: %s", steps, e.text);
	for (size_t i = 0; i < steps; i++)
		if (db_run(db, rows[i], &e) != 0)
			fail_msg("rows of step %zu: %s", i + 1, e.text);
	db_close(db);
}

static void check_models(struct registry *r)
{
	char(*names)[TEXT_NAME_MAX + 1];
	struct revision_record *revisions;
	size_t count;

	assert_int_equal(registry_models(r, &names, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "m");
	free(names);
	assert_int_equal(registry_revisions(r, "m", 9, &revisions, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(revisions[0].at_ms, 14);
	assert_int_equal(route_live(&revisions[0].route), 1);
	free(revisions);
}

static void check_jobs(struct registry *r)
{
	struct job_record *records;
	struct job_details details;
	size_t count;

	assert_int_equal(registry_jobs(r, 0, 9, &records, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(records[0].id, 8);
	assert_int_equal(records[0].state, JOB_RUNNING);
	assert_true(records[0].in_shell);
	assert_int_equal(records[1].id, 3);
	assert_int_equal(records[1].state, JOB_DONE);
	assert_string_equal(records[1].summary, "5 rows");
	assert_int_equal(records[1].progress.done, 5);
	assert_int_equal(registry_job(r, 3, &records[0], &details, NULL), 0);
	assert_string_equal(details.start, "{\"a\":1}");
	assert_string_equal(details.output, "said");
	job_details_release(&details);
	free(records);
}

static void check_policy(struct registry *r)
{
	struct policy_record policy;
	struct approval *approvals;
	struct sample_rows samples;
	struct alert *alerts;
	size_t count;

	assert_int_equal(registry_policy(r, "m", &policy, NULL), 0);
	assert_int_equal(policy.number, 2);
	assert_string_equal(policy.who, "bob");
	assert_string_equal(policy.policy.tests[0].kind, "differential");
	assert_int_equal(policy.policy.tests[0].max_age_s, 7 * 86400);
	assert_int_equal(registry_approvals(r, "m", 2, 9, &approvals, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_string_equal(approvals[0].who, "eve");
	free(approvals);
	assert_int_equal(registry_samples(r, "m", 1, &samples, NULL), 0);
	assert_string_equal(samples.csv, "x\n1\n");
	sample_rows_release(&samples);
	assert_int_equal(registry_alerts(r, 9, &alerts, &count, NULL), 0);
	assert_int_equal(count, 1);
	free(alerts);
}

static void check_tests(struct registry *r, size_t steps)
{
	const struct test_filter all = {.limit = 99};
	struct test_result *results, found;
	char *report;
	size_t count, newer = (steps >= 5) + (size_t)(steps >= 6) + (steps >= 7);

	assert_int_equal(registry_test_results(r, "m", &all, &results, &count, NULL), 0);
	assert_int_equal(count, 2 + newer);
	assert_int_equal(results[newer].id, 6);
	assert_string_equal(results[newer].kind, "stress");
	assert_int_equal(results[newer].against, 0);
	assert_true(results[newer].passed);
	const struct test_result *first = &results[newer + 1];
	assert_true(first->id == 5 && first->version == 2 && first->against == 1 && first->at_ms == 34 &&
		    first->job == 8 && !first->passed);
	assert_string_equal(first->summary, "a flip");
	assert_string_equal(first->verdict, "fail");
	if (steps >= 6) {
		assert_int_equal(results[newer - 2].id, 21);
		assert_int_equal(results[newer - 2].version, 0);
	}
	if (steps >= 7) {
		assert_string_equal(results[0].verdict, "slo");
		assert_string_equal(results[0].who, "ada");
	}
	free(results);
	assert_int_equal(registry_test_result(r, "m", "differential", 2, 1, &found, NULL), 0);
	assert_int_equal(found.id, 5);
	assert_int_equal(registry_test_report(r, "m", 5, &found, &report, NULL), 0);
	assert_string_equal(report, "");
	free(report);
	if (steps < 5)
		return;
	assert_int_equal(registry_test_report(r, "m", 20, &found, &report, NULL), 0);
	assert_string_equal(report, "{\"wall_s\":3}");
	free(report);
}

static void check_experiments(struct registry *r)
{
	struct experiment_record *records;
	struct experiment_look_row *looks;
	size_t count;

	assert_int_equal(registry_experiments(r, "m", 9, &records, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_true(records[0].id == 4 && records[0].run == EXPERIMENT_RUN_STOPPED && records[0].ended_ms == 52);
	assert_string_equal(records[0].plan.metrics[0].name, "clicks");
	free(records);
	assert_int_equal(registry_experiment_looks(r, 4, 0, 9, &looks, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_string_equal(looks[0].sentence, "not yet");
	free(looks);
}

/* What is new comes after what was, and what was cannot be changed. */
static void check_goes_on(struct registry *r, size_t steps)
{
	struct test_result early = {.kind = "training", .alone = true}, pair = {.kind = "benchmark", .version = 2};
	struct err e = {.text = ""};

	if (registry_report_test(r, "m", &early, &operator, & e) != 0 ||
	    registry_report_test(r, "m", &pair, &operator, & e) != 0)
		fail_msg("%s", e.text);
	assert_true(early.id > (steps >= 7 ? 22 : steps >= 6 ? 21 : steps >= 5 ? 20 : steps >= 3 ? 12 : 0));
	assert_int_equal(pair.against, 1);
	assert_int_equal(db_run(r->db, "UPDATE test_result SET passed = 1", &e), -1);
	assert_int_equal(db_run(r->db, "DELETE FROM test_result", &e), -1);
	assert_int_equal(db_run(r->db, "DELETE FROM job", &e), steps >= 2 ? -1 : 0);
	assert_int_equal(db_run(r->db, "DELETE FROM policy", &e), steps >= 3 ? -1 : 0);
	/* No row may speak of a version that is not there. */
	assert_int_equal(
	    db_run(r->db,
		   "INSERT INTO test_result (model_id, kind, version, against, at_ms, job, passed, summary, verdict,"
		   " who) VALUES (7, 'stress', 99, 0, 1, 0, 1, '', '', '')",
		   &e),
	    -1);
}

static void every_schema_comes_up_to_date(void **state)
{
	(void)state;
	char directory[256];

	assert_int_equal(sizeof rows / sizeof *rows, registry_schema_count);
	for (size_t steps = 1; steps <= registry_schema_count; steps++) {
		fixture_directory(directory);
		make_state(directory, steps);
		for (int again = 0; again < 2; again++) {
			struct registry *r = fixture_open(directory);
			check_models(r);
			if (steps >= 2)
				check_jobs(r);
			if (steps >= 8)
				check_experiments(r);
			if (steps >= 3) {
				check_policy(r);
				if (again == 0)
					check_tests(r, steps);
			}
			if (again == 0)
				check_goes_on(r, steps);
			registry_close(r);
		}
		fixture_remove(directory);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {cmocka_unit_test(every_schema_comes_up_to_date)};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
