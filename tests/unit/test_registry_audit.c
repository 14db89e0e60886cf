/* The audit's chain: what it holds, and that old state directories come into it. */
#include "core/digest.h"
#include "core/registry/registry_internal.h"
#include "registry_fixture.h"

#include <inttypes.h>
#include <sys/stat.h>

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

static void deploy(const char *content)
{
	struct deploy_result result;
	struct err e = {0};
	if (fixture_deploy(r, "m", content, false, &result, &e) != 0)
		fail_msg("%s", e.text);
}

static void change(struct route_change change, enum err_code code)
{
	struct revision_record revision;
	struct err e = {0};
	change.model = "m";
	change.expect_revision = -1;
	registry_change_route(r, &change, &operator, & revision, &e);
	if (e.code != code)
		fail_msg("%s: %s", change.action, e.text);
}

static void add(struct buf *form, const char *text)
{
	buf_format(form, "%zu:%s,", strlen(text), text);
}

static void add_number(struct buf *form, int64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRId64, number);
	add(form, text);
}

/* As docs/AUDIT.md has it, and not as the registry makes it. */
static void hash(const struct audit_record *a, const char *previous, char sha256[65])
{
	struct buf form;
	buf_init(&form);
	add(&form, "mldeck-audit-1");
	add(&form, previous);
	add_number(&form, a->id);
	add_number(&form, a->at_ms);
	add_number(&form, a->uid);
	add(&form, a->who);
	add(&form, a->client);
	add(&form, a->action);
	add(&form, a->model);
	add_number(&form, a->version);
	add_number(&form, a->revision);
	add_number(&form, a->based_on);
	add(&form, a->outcome);
	add(&form, a->reason);
	add(&form, a->detail);
	add_number(&form, a->forced);
	add(&form, a->data);
	assert_int_equal(digest_of(form.data, form.size, sha256, NULL), 0);
	buf_release(&form);
}

/* Every record follows from the one before it; gives the number of them. */
static size_t check_chain(void)
{
	struct audit_record *records;
	struct audit_head head;
	size_t count;
	char want[65], previous[65];
	memset(previous, '0', 64);
	previous[64] = '\0';
	assert_int_equal(registry_audits(r, NULL, 0, 100000, &records, &count, NULL), 0);
	for (size_t i = count; i-- > 0;) {
		hash(&records[i], previous, want);
		assert_string_equal(records[i].hash, want);
		memcpy(previous, want, sizeof previous);
	}
	assert_int_equal(registry_audit_head(r, &head, NULL), 0);
	assert_int_equal(head.id, count > 0 ? records[0].id : 0);
	assert_string_equal(head.hash, previous);
	free(records);
	return count;
}

static void everything_is_in_the_chain(void **state)
{
	(void)state;
	struct audit_record *records;
	size_t count;
	const struct route_entry half[] = {{1, ROUTE_LIVE, 5000}, {2, ROUTE_CANARY, 5000}};
	const struct route_entry short_of[] = {{1, ROUTE_LIVE, 5000}};
	assert_int_equal(check_chain(), 0);
	deploy("1");
	deploy("2");
	change((struct route_change){.action = "promote",
				     .version = 2,
				     .reason = "it must",
				     .forced = true,
				     .evidence = "[ {\"name\" : \"age\"} ]"},
	       ERR_NONE);
	change((struct route_change){.action = "split", .weights = half, .weight_count = 2}, ERR_NONE);
	change((struct route_change){.action = "split", .weights = short_of, .weight_count = 1}, ERR_INPUT);
	assert_int_equal(registry_audit(r, &operator, "stop", NULL, 0, "done", "", "", NULL), 0);
	assert_int_equal(check_chain(), 6);
	assert_int_equal(registry_audits(r, "m", 0, 100, &records, &count, NULL), 0);
	assert_int_equal(count, 5);
	assert_string_equal(records[0].outcome, "bad_input");
	assert_string_equal(records[0].data, "");
	assert_true(records[2].forced);
	assert_string_equal(records[2].data,
			    "{\"position\":2,\"undo\":1,\"route\":{\"entries\":[{\"version\":2,\"role\":\"live\","
			    "\"weight_bp\":10000,\"ranges\":[[0,10000]]}]},\"evidence\":[{\"name\":\"age\"}]}");
	assert_non_null(strstr(records[4].data, ",\"sha256\":\""));
	assert_int_equal(strncmp(records[3].data, "{\"sha256\":\"", 11), 0);
	free(records);
	struct revision_record *revisions;
	assert_int_equal(registry_revisions(r, "m", 10, &revisions, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_true(!revisions[0].forced && revisions[1].forced && !revisions[2].forced);
	free(revisions);
}

static void filters(void **state)
{
	(void)state;
	struct audit_record *records;
	size_t count;
	struct err e = {0};
	deploy("1");
	deploy("2");
	change((struct route_change){.action = "promote", .version = 2, .forced = true}, ERR_NONE);
	change((struct route_change){.action = "rollback"}, ERR_NONE);
	const struct {
		struct audit_filter filter;
		size_t count;
	} cases[] = {
	    {{0}, 4},
	    {{.who = "ada"}, 4},
	    {{.who = "eve"}, 0},
	    {{.action = "deploy"}, 2},
	    {{.action = "deploy", .model = "m", .before = 2}, 1},
	    {{.forced = true}, 1},
	    {{.since_ms = INT64_MAX}, 0},
	    {{.model = "m", .action = "stop"}, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(registry_find_audits(r, &cases[i].filter, 100, &records, &count, &e), 0);
		assert_int_equal(count, cases[i].count);
		free(records);
	}
	const struct audit_filter typing_error = {.model = "n", .action = "deploy"};
	assert_int_equal(registry_find_audits(r, &typing_error, 100, &records, &count, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

/* One record an attempt, until they come too fast: then how many there were. */
static void a_flood_is_counted(void **state)
{
	(void)state;
	enum { ATTEMPTS = REFUSALS_BURST + 200 };
	static const struct actor other = {.uid = 7, .name = "eve", .client = "c"};
	struct audit_record *records;
	size_t count;
	deploy("1");
	unsigned long recorded = registry_recorded();
	for (int i = 0; i < ATTEMPTS; i++)
		change((struct route_change){.action = "promote", .version = 9}, ERR_NOT_FOUND);
	assert_int_equal(registry_recorded() - recorded, ATTEMPTS);
	/* What is done, and what others are refused, is recorded all the same. */
	deploy("2");
	assert_int_equal(registry_audit(r, &other, "connect", "", 0, "denied", "", "", NULL), 0);
	assert_int_equal(registry_audits(r, NULL, 0, 2, &records, &count, NULL), 0);
	assert_string_equal(records[0].who, "eve");
	assert_string_equal(records[1].outcome, "done");
	free(records);
	registry_close(r);
	r = fixture_open(directory);
	assert_int_equal(registry_audits(r, NULL, 0, 10000, &records, &count, NULL), 0);
	unsigned long refused = 0, left_out = 0, more;
	for (size_t i = 0; i < count; i++) {
		refused += strcmp(records[i].outcome, "not_found") == 0;
		if (strcmp(records[i].action, "left-out") == 0 && sscanf(records[i].detail, "%lu further", &more) == 1)
			left_out += more;
	}
	assert_true(refused >= REFUSALS_BURST && left_out > 0);
	assert_int_equal(refused + left_out, ATTEMPTS);
	free(records);
	check_chain();
}

/* A state directory as the version before the chain left it. */
static void make_old_state(void)
{
	static const char *const sql =
	    "INSERT INTO model VALUES (1, 'm', 1);"
	    "INSERT INTO version VALUES (1, 1, printf('%064d', 1), 1, 'ada', '{}');"
	    "INSERT INTO version VALUES (1, 2, printf('%064d', 2), 1, 'ada', '{}');"
	    "INSERT INTO revision (model_id, revision, based_on, position, at_ms, action, uid, who, reason, route)"
	    " VALUES (1, 1, 0, 1, 5, 'deploy', 7, 'ada', '', '{\"entries\":[{\"version\":1,\"role\":\"live\","
	    "\"weight_bp\":10000,\"ranges\":[[0,10000]]}]}');"
	    "INSERT INTO audit (at_ms, uid, who, client, action, model, version, revision, based_on, outcome, reason,"
	    " detail) VALUES (5, 7, 'ada', 'c', 'deploy', 'm', 1, 1, 0, 'done', '', 'v1 100%'),"
	    " (6, 7, 'ada', 'c', 'deploy', 'm', 2, 0, 0, 'done', '', ''),"
	    " (7, 7, 'eve', 'c', 'promote', 'm', 9, 0, 0, 'not_found', 'why', 'no');";
	char path[300];
	struct db *db;
	size_t before;
	snprintf(path, sizeof path, "%s/mldeck.db", directory);
	assert_int_equal(db_open(path, &db, NULL), 0);
	assert_int_equal(db_migrate(db, registry_schema, 3, NULL, NULL, &before, NULL), 0);
	assert_int_equal(db_run(db, sql, NULL), 0);
	db_close(db);
}

static void old_records_come_into_the_chain(void **state)
{
	(void)state;
	struct audit_record *records;
	size_t count;
	struct err e = {0};
	registry_close(r);
	fixture_remove(directory);
	assert_int_equal(mkdir(directory, 0700), 0);
	make_old_state();
	r = fixture_open(directory);
	assert_int_equal(check_chain(), 3);
	assert_int_equal(registry_audits(r, NULL, 0, 100, &records, &count, NULL), 0);
	assert_string_equal(records[0].data, "");
	assert_string_equal(records[1].data,
			    "{\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000002\"}");
	assert_string_equal(records[2].data,
			    "{\"position\":1,\"undo\":0,\"route\":{\"entries\":[{\"version\":1,\"role\":\"live\","
			    "\"weight_bp\":10000,\"ranges\":[[0,10000]]}]},\"sha256\":"
			    "\"0000000000000000000000000000000000000000000000000000000000000001\"}");
	free(records);
	/* And are as unchangeable as before. */
	assert_int_equal(db_run(r->db, "UPDATE audit SET who = 'eve'", &e), -1);
	assert_int_equal(db_run(r->db, "UPDATE revision SET who = 'eve'", &e), -1);
	change((struct route_change){.action = "promote", .version = 2}, ERR_NONE);
	change((struct route_change){.action = "rollback"}, ERR_NONE);
	change((struct route_change){.action = "rollback"}, ERR_CONFLICT);
	assert_int_equal(check_chain(), 6);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(everything_is_in_the_chain),
	    CASE(filters),
	    CASE(a_flood_is_counted),
	    CASE(old_records_come_into_the_chain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
