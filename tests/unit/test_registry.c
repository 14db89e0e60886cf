/* The registry: deploys, routes, refusals that name facts, and the audit of it all. */
#include "registry_fixture.h"

#include <pthread.h>

static char directory[256];
static struct registry *r;

static int set_up(void **state)
{
	(void)state;
	fixture_directory(directory);
	r = fixture_open(directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	registry_close(r);
	fixture_remove(directory);
	return 0;
}

static void deploy(const char *model, const char *content, uint32_t version)
{
	struct deploy_result result;
	struct err e = {0};
	if (fixture_deploy(r, model, content, false, &result, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(result.version, version);
}

static void promote(const char *model, uint32_t version)
{
	struct revision_record revision;
	struct err e = {0};
	if (fixture_promote(r, model, version, -1, &revision, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(route_live(&revision.route), version);
}

/* Rolls back once and says what is live now, 0 for a refusal. */
static uint32_t undo(const char *model)
{
	struct revision_record revision;
	struct err e = {0};
	if (fixture_rollback(r, model, 0, &revision, &e) == 0)
		return route_live(&revision.route);
	assert_int_equal(e.code, ERR_CONFLICT);
	return 0;
}

static size_t audit_count(void)
{
	struct audit_record *records;
	size_t count;
	assert_int_equal(registry_audits(r, NULL, 0, 100000, &records, &count, NULL), 0);
	free(records);
	return count;
}

static void first_goes_live(void **state)
{
	(void)state;
	struct deploy_result result;
	assert_int_equal(fixture_deploy(r, "churn", "a", false, &result, NULL), 0);
	assert_true(result.created && result.live && result.version == 1 && result.revision == 1);
	assert_int_equal(fixture_deploy(r, "churn", "b", false, &result, NULL), 0);
	assert_true(result.created && !result.live && result.version == 2 && result.revision == 1);
	assert_int_equal(fixture_deploy(r, "churn", "a", false, &result, NULL), 0);
	assert_true(!result.created && result.version == 1 && result.revision == 1);
	assert_int_equal(fixture_deploy(r, "other", "a", true, &result, NULL), 0);
	assert_true(result.created && !result.live && result.revision == 0);
	assert_int_equal(fixture_deploy(r, "other", "b", false, &result, NULL), 0);
	assert_true(!result.live);

	char(*names)[TEXT_NAME_MAX + 1];
	size_t count;
	assert_int_equal(registry_models(r, &names, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "churn");
	free(names);

	struct version_record *versions;
	assert_int_equal(registry_versions(r, "churn", &versions, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(versions[1].created_by, "ada");
	assert_string_equal(versions[1].manifest.inputs[0].name, "x");
	assert_int_equal(versions[1].manifest.inputs[0].dimensions[0], -1);
	assert_int_equal(versions[1].baseline.bin_count, 0);
	version_records_free(versions, count);
}

static void undo_goes_ever_further_back(void **state)
{
	(void)state;
	deploy("m", "1", 1);
	deploy("m", "2", 2);
	deploy("m", "3", 3);
	deploy("m", "4", 4);
	assert_int_equal(undo("m"), 0);
	promote("m", 2);
	promote("m", 3);
	assert_int_equal(undo("m"), 2);
	assert_int_equal(undo("m"), 1);
	assert_int_equal(undo("m"), 0);
	promote("m", 4); /* r6 */
	assert_int_equal(undo("m"), 1);
	promote("m", 2); /* r8 */
	promote("m", 4); /* r9 */
	assert_int_equal(undo("m"), 2);
	promote("m", 3); /* r11 */
	assert_int_equal(undo("m"), 2);
	assert_int_equal(undo("m"), 1);
	assert_int_equal(undo("m"), 0);

	/* To a revision by its number: exactly that one, and the next undo goes on before it. */
	struct revision_record revision;
	assert_int_equal(fixture_rollback(r, "m", 9, &revision, NULL), 0);
	assert_int_equal(route_live(&revision.route), 4);
	assert_int_equal(undo("m"), 2);
	struct err e = {0};
	assert_int_equal(fixture_rollback(r, "m", 99, &revision, &e), -1);
	assert_string_equal(e.text, "m has no revision 99; it has 1 to 15");

	struct revision_record *records;
	size_t count;
	assert_int_equal(registry_revisions(r, "m", 100, &records, &count, NULL), 0);
	assert_int_equal(count, 15);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(records[i].revision, 15 - i);
		assert_int_equal(records[i].based_on, 14 - i);
	}
	assert_string_equal(records[14].action, "deploy");
	assert_string_equal(records[0].action, "rollback");
	assert_string_equal(records[0].reason, "worse");
	free(records);
}

static void splits(void **state)
{
	(void)state;
	deploy("m", "1", 1);
	deploy("m", "2", 2);
	const struct route_entry weights[] = {{2, ROUTE_CANARY, 2000}, {1, ROUTE_LIVE, 8000}};
	struct route_change change = {.model = "m",
				      .action = "split",
				      .weights = weights,
				      .weight_count = 2,
				      .expect_revision = 1,
				      .reason = NULL};
	struct revision_record revision;
	struct err e = {0};
	size_t audits = audit_count();
	change.dry_run = true;
	assert_int_equal(registry_change_route(r, &change, &operator, & revision, &e), 0);
	assert_int_equal(revision.revision, 2);
	assert_int_equal(audit_count(), audits);
	change.dry_run = false;
	assert_int_equal(registry_change_route(r, &change, &operator, & revision, &e), 0);
	char text[64];
	route_text(&revision.route, text, sizeof text);
	assert_string_equal(text, "v1 80% v2 20%");
	change.expect_revision = 2;
	assert_int_equal(registry_change_route(r, &change, &operator, & revision, &e), -1);
	assert_string_equal(e.text, "the route of m already is v1 80% v2 20%");
	assert_int_equal(undo("m"), 1);
}

static void refusals_name_facts(void **state)
{
	(void)state;
	struct revision_record revision;
	struct err e = {0};
	assert_int_equal(fixture_promote(r, "nowhere", 1, -1, &revision, &e), -1);
	assert_string_equal(e.text, "there is no model nowhere; none is deployed");
	deploy("flight-delay", "1", 1);
	deploy("flight-delay", "2", 2);
	size_t audits = audit_count();
	assert_int_equal(fixture_promote(r, "nowhere", 1, -1, &revision, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_string_equal(e.text, "there is no model nowhere; there is flight-delay");
	assert_int_equal(fixture_promote(r, "flight-delay", 9, -1, &revision, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_string_equal(e.text, "flight-delay has no version 9; it has 1 to 2");
	assert_int_equal(fixture_promote(r, "flight-delay", 1, -1, &revision, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.text, "v1 of flight-delay already gets all requests");
	assert_int_equal(fixture_promote(r, "flight-delay", 2, 5, &revision, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_non_null(strstr(e.text, "the route of flight-delay is at revision 1 (deploy v1 by ada, "));
	assert_non_null(strstr(e.text, " s ago), not 5 as expected"));
	assert_int_equal(audit_count(), audits + 4);

	struct audit_record *records;
	size_t count;
	assert_int_equal(registry_audits(r, "flight-delay", 0, 1, &records, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_string_equal(records[0].outcome, "conflict");
	assert_string_equal(records[0].detail, e.text);
	assert_int_equal(records[0].version, 2);
	assert_int_equal(records[0].revision, 0);
	free(records);
	assert_int_equal(registry_audits(r, "flihgt", 0, 1, &records, &count, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void strings_are_cleaned(void **state)
{
	(void)state;
	deploy("m", "1", 1);
	deploy("m", "2", 2);
	char reason[300];
	struct route_change change = {
	    .model = "m", .action = "promote", .version = 2, .expect_revision = -1, .reason = reason};
	struct revision_record revision;
	struct err e = {0};
	memset(reason, 'x', sizeof reason);
	reason[256] = '\0';
	assert_int_equal(registry_change_route(r, &change, &operator, & revision, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	strcpy(reason, "a\033[2Jb");
	assert_int_equal(registry_change_route(r, &change, &operator, & revision, &e), 0);
	assert_string_equal(revision.reason, "a\\x1b[2Jb");
	struct deploy_result result;
	assert_int_equal(fixture_deploy(r, "Bad\nname", "x", false, &result, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
}

static void baselines_freeze_once(void **state)
{
	(void)state;
	deploy("m", "1", 1);
	double values[] = {1, 2, 3};
	struct baseline b;
	struct err e = {0};
	assert_int_equal(baseline_make(&b, values, 3, 0, false, "live", NULL), 0);
	assert_int_equal(registry_set_baseline(r, "m", 2, &b, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(registry_set_baseline(r, "m", 1, &b, NULL), 0);
	assert_int_equal(registry_set_baseline(r, "m", 1, &b, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	struct version_record *versions;
	size_t count;
	assert_int_equal(registry_versions(r, "m", &versions, &count, NULL), 0);
	assert_int_equal(versions[0].baseline.bin_count, b.bin_count);
	assert_true(versions[0].baseline.edges[0] == b.edges[0]);
	version_records_free(versions, count);
}

static void survives_reopening(void **state)
{
	(void)state;
	deploy("m", "1", 1);
	deploy("m", "2", 2);
	promote("m", 2);
	size_t audits = audit_count();
	registry_close(r);
	r = fixture_open(directory);
	assert_int_equal(audit_count(), audits);
	struct revision_record *records;
	size_t count;
	assert_int_equal(registry_revisions(r, "m", 1, &records, &count, NULL), 0);
	assert_int_equal(route_live(&records[0].route), 2);
	assert_int_equal(records[0].revision, 2);
	free(records);
}

#define RACERS 4
#define RACES 25

/* Promotes on the revision that it saw, again and again; counts its wins. */
static void *race(void *argument)
{
	int *wins = argument;
	for (int i = 0; i < RACES; i++) {
		struct revision_record *seen, won;
		size_t count;
		struct err e = {0};
		if (registry_revisions(r, "m", 1, &seen, &count, &e) != 0)
			return NULL;
		uint32_t other = route_live(&seen->route) % 2 + 1;
		if (fixture_promote(r, "m", other, seen->revision, &won, &e) == 0)
			++*wins;
		free(seen);
	}
	return NULL;
}

static void one_winner_a_revision(void **state)
{
	(void)state;
	deploy("m", "1", 1);
	deploy("m", "2", 2);
	pthread_t threads[RACERS];
	int wins[RACERS] = {0}, total = 0;
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &wins[i]), 0);
	for (int i = 0; i < RACERS; i++) {
		pthread_join(threads[i], NULL);
		total += wins[i];
	}
	struct revision_record *records;
	size_t count;
	assert_int_equal(registry_revisions(r, "m", 100000, &records, &count, NULL), 0);
	assert_int_equal(count, total + 1);
	assert_true(total >= RACES);
	free(records);
	/* Two deploys, and every attempt of the race, won or refused. */
	assert_int_equal(audit_count(), 2 + RACERS * RACES);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(first_goes_live),     CASE(undo_goes_ever_further_back), CASE(splits),
	    CASE(refusals_name_facts), CASE(strings_are_cleaned),         CASE(baselines_freeze_once),
	    CASE(survives_reopening),  CASE(one_winner_a_revision),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
