/* A/B tests start and end with a change of the route: what is preregistered, what ends one, and that the audit holds
 * it.
 */
#include "core/registry/registry_internal.h"
#include "core/registry/registry_verify.h"
#include "experiment_store_fixture.h"

#define HOUR_MS 3600000

static void check_whole(struct store *s)
{
	struct audit_verdict verdict;
	struct err e = {.text = ""};
	if (registry_verify(s->directory, NULL, &verdict, &e) != 0)
		fail_msg("%s", e.text);
	if (!verdict.whole)
		fail_msg("%s", verdict.fault);
}

static void a_start_is_preregistered(void **state)
{
	(void)state;
	struct store s;
	struct audit_record *audits;
	size_t count;
	store_begin(&s);
	char *plan = experiment_canonical(&s.plan), sha256[DIGEST_SIZE], part[DIGEST_SIZE + 16];
	assert_int_equal(experiment_digest(&s.plan, sha256, NULL), 0);
	assert_string_equal(s.record.sha256, sha256);
	assert_int_equal(s.record.run, EXPERIMENT_RUN_RUNNING);
	assert_true(s.record.before == 1 && s.record.revision == 2 && s.record.ended_ms == 0);
	assert_string_equal(s.record.who, "ada");
	assert_string_equal(s.record.reason, "to know");
	/* The record holds the plan and its digest. */
	assert_int_equal(registry_audits(s.r, "m", 0, 1, &audits, &count, NULL), 0);
	assert_string_equal(audits[0].action, "experiment");
	assert_int_equal(audits[0].revision, 2);
	assert_says(audits[0].detail, "test first starts");
	assert_says(audits[0].data, plan);
	snprintf(part, sizeof part, "\"sha256\":\"%s\"", sha256);
	assert_says(audits[0].data, part);
	free(audits);
	free(plan);
	check_whole(&s);
	store_close(&s);
}

static void refuse_start(struct store *s, const char *sentence)
{
	struct experiment_record *records;
	struct err e = {.text = ""};
	size_t before, after;
	assert_int_equal(registry_experiments(s->r, NULL, 9, &records, &before, NULL), 0);
	free(records);
	assert_int_equal(store_start(s, &e), -1);
	assert_says(e.text, sentence);
	assert_int_equal(registry_experiments(s->r, NULL, 9, &records, &after, NULL), 0);
	free(records);
	assert_int_equal(before, after);
}

static void a_start_that_cannot_be_is_refused(void **state)
{
	(void)state;
	struct store s;
	struct experiment_record record;
	struct revision_record revision;
	struct err e = {.text = ""};
	store_open(&s);
	assert_int_equal(registry_experiment(s.r, "m", NULL, &record, &e), -1);
	assert_string_equal(e.text, "m has had no A/B test");
	s.plan.arms[1].version = 9;
	refuse_start(&s, "has no version 9");
	s.plan.arms[1].version = 2;
	snprintf(s.plan.model, sizeof s.plan.model, "other");
	refuse_start(&s, "the plan is of model other, not of m");
	snprintf(s.plan.model, sizeof s.plan.model, "m");
	s.plan.alpha = 2;
	refuse_start(&s, "alpha");
	s.plan.alpha = 0.05;
	assert_int_equal(store_change(&s, "experiment", NULL, false, &revision, &e), -1);
	assert_says(e.text, "is started with its plan");
	assert_int_equal(store_start(&s, &e), 0);
	refuse_start(&s, "m runs the A/B test `first`, by ada: stop it first, mldeck ab stop m");
	assert_int_equal(registry_experiment(s.r, "m", "second", &record, &e), -1);
	assert_string_equal(e.text, "m has no A/B test `second`; it has first");
	/* A name is of one test for ever. */
	struct experiment_change end = {.id = s.record.id, .run = EXPERIMENT_RUN_STOPPED};
	assert_int_equal(store_change(&s, "promote", &end, false, &revision, &e), 0);
	refuse_start(&s, "m has had an A/B test `first`: choose another name");
	end.id = s.record.id;
	assert_int_equal(store_change(&s, "promote", &end, false, &revision, &e), -1);
	assert_says(e.text, "has ended meanwhile");
	store_close(&s);
}

static void an_end_is_final(void **state)
{
	(void)state;
	struct store s;
	struct revision_record revision;
	struct experiment_record *open;
	struct err e = {.text = ""};
	size_t count;
	store_begin(&s);
	struct experiment_change end = {.id = s.record.id, .run = EXPERIMENT_RUN_STOPPED};
	assert_int_equal(store_change(&s, "promote", &end, false, &revision, &e), 0);
	assert_int_equal(registry_experiment(s.r, "m", NULL, &s.record, &e), 0);
	assert_int_equal(s.record.run, EXPERIMENT_RUN_STOPPED);
	assert_int_equal(s.record.end_revision, 3);
	assert_string_equal(s.record.note, "to know");
	assert_string_equal(s.record.ended_by, "ada");
	check_whole(&s);
	/* Outcomes may still come for so long. */
	int64_t closes_ms = s.record.ended_ms + HOUR_MS + EXPERIMENT_ARRIVAL_MS;
	assert_int_equal(registry_open_experiments(s.r, closes_ms, &open, &count, &e), 0);
	assert_int_equal(count, 1);
	free(open);
	assert_int_equal(registry_open_experiments(s.r, closes_ms + 1, &open, &count, &e), 0);
	assert_int_equal(count, 0);
	free(open);
	assert_int_equal(db_run(s.r->db, "UPDATE experiment SET note = ''", &e), -1);
	assert_int_equal(db_run(s.r->db, "DELETE FROM experiment", &e), -1);
	store_close(&s);
}

/* What was preregistered, or how it ended, changed by hand. */
static void a_changed_plan_is_noticed(void **state)
{
	(void)state;
	static const struct {
		const char *sql, *sentence;
	} cases[] = {
	    {"UPDATE experiment SET plan = replace(plan, '\"alpha\":0.05', '\"alpha\":0.5')", "preregistered"},
	    {"UPDATE experiment SET sha256 = printf('%064d', 1)", "preregistered"},
	    {"UPDATE experiment SET state = 'invalid', ended_ms = 5", ""},
	    {"UPDATE experiment SET started_ms = 7", "preregistered"},
	    {"INSERT INTO experiment (model_id, name, plan, sha256, started_ms, before, revision, uid, who, reason,"
	     " state, ended_ms) SELECT model_id, 'second', plan, sha256, 1, 1, 2, uid, who, reason, 'stopped', 2"
	     " FROM experiment",
	     "the preregistered was put in"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct store s;
		struct audit_verdict verdict;
		struct revision_record revision;
		struct err e = {.text = ""};
		store_begin(&s);
		struct experiment_change end = {.id = s.record.id, .run = EXPERIMENT_RUN_STOPPED};
		assert_int_equal(store_change(&s, "promote", &end, false, &revision, &e), 0);
		check_whole(&s);
		assert_int_equal(db_run(s.r->db, "DROP TRIGGER experiment_no_update", &e), 0);
		if (db_run(s.r->db, cases[i].sql, &e) != 0)
			fail_msg("%s", e.text);
		assert_int_equal(registry_verify(s.directory, NULL, &verdict, &e), 0);
		if (verdict.whole)
			fail_msg("not noticed: %s", cases[i].sql);
		assert_says(verdict.fault, cases[i].sentence);
		store_close(&s);
	}
}

static void other_changes_end_it(void **state)
{
	(void)state;
	struct store s;
	struct revision_record revision;
	struct err e = {.text = ""};
	store_begin(&s);
	assert_int_equal(store_change(&s, "split", NULL, false, &revision, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_says(e.text,
		    "m runs the A/B test `first`, by ada, which other arms would make worthless: stop it first");
	/* Shadows answer nobody. */
	const struct route_entry shadow = {3, ROUTE_SHADOW, 1000};
	const struct route_change copied = {
	    .model = "m", .action = "shadow", .weights = &shadow, .weight_count = 1, .expect_revision = -1};
	assert_int_equal(registry_change_route(s.r, &copied, &operator, & revision, &e), 0);
	assert_int_equal(registry_experiment(s.r, "m", NULL, &s.record, &e), 0);
	assert_int_equal(s.record.run, EXPERIMENT_RUN_RUNNING);
	assert_int_equal(store_change(&s, "split", NULL, true, &revision, &e), 0);
	assert_int_equal(registry_experiment(s.r, "m", NULL, &s.record, &e), 0);
	assert_int_equal(s.record.run, EXPERIMENT_RUN_INVALID);
	assert_string_equal(s.record.note, "a split by ada changed the route while it ran: to know");
	struct experiment_state *seen = store_state(&s);
	assert_int_equal(seen->faults, 1u << EXPERIMENT_FAULT_ARMS);
	experiment_state_free(seen);
	check_whole(&s);
	store_close(&s);
}

/* A rollback is never held up, and goes to the route before the test. */
static void a_rollback_ends_it(void **state)
{
	(void)state;
	struct store s;
	struct revision_record revision;
	struct err e = {.text = ""};
	store_open(&s);
	assert_int_equal(fixture_promote(s.r, "m", 3, -1, &revision, &e), 0);
	assert_int_equal(fixture_promote(s.r, "m", 1, -1, &revision, &e), 0);
	assert_int_equal(store_start(&s, &e), 0);
	/* Not to the test without its shadow. */
	const struct route_entry third = {3, ROUTE_SHADOW, 1000};
	const struct route_change more = {
	    .model = "m", .action = "shadow", .weights = &third, .weight_count = 1, .expect_revision = -1};
	assert_int_equal(registry_change_route(s.r, &more, &operator, & revision, &e), 0);
	assert_int_equal(fixture_rollback(s.r, "m", 0, &revision, &e), 0);
	assert_int_equal(route_live(&revision.route), 1);
	assert_int_equal(revision.route.entry_count, 1);
	assert_int_equal(registry_experiment(s.r, "m", NULL, &s.record, &e), 0);
	assert_int_equal(s.record.run, EXPERIMENT_RUN_INVALID);
	check_whole(&s);
	store_close(&s);
}

/* All units get the same version, but by another salt nobody is in an arm any more. */
static void a_test_of_one_version_is_disturbed_too(void **state)
{
	(void)state;
	static struct route route, now;
	const struct route_entry halves[] = {{1, ROUTE_LIVE, 5000}, {1, ROUTE_CANARY, 5000}};
	struct store s;
	struct revision_record revision;
	struct err e = {.text = ""};
	store_open(&s);
	s.plan.mode = EXPERIMENT_AA;
	s.plan.arms[1].version = 1;
	route_single(&now, 1);
	assert_int_equal(route_experiment(&route, &now, s.plan.salt, halves, 2, &e), 0);
	s.change = (struct experiment_change){.plan = &s.plan, .route = &route};
	if (store_change(&s, "experiment", &s.change, false, &revision, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(fixture_promote(s.r, "m", 1, -1, &revision, &e), -1);
	assert_says(e.text, "m runs the A/B test `first`");
	/* An end may leave the route as it is. */
	struct experiment_change end = {.id = s.change.id, .run = EXPERIMENT_RUN_STOPPED, .route = &route};
	assert_int_equal(store_change(&s, "experiment", &end, false, &revision, &e), 0);
	check_whole(&s);
	store_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_start_is_preregistered),
	    cmocka_unit_test(a_start_that_cannot_be_is_refused),
	    cmocka_unit_test(an_end_is_final),
	    cmocka_unit_test(a_changed_plan_is_noticed),
	    cmocka_unit_test(other_changes_end_it),
	    cmocka_unit_test(a_rollback_ends_it),
	    cmocka_unit_test(a_test_of_one_version_is_disturbed_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
