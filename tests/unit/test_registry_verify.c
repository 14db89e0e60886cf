/* Verifying the audit: whatever is altered in the file is found, and at the record where it was. */
#include "core/registry/registry_alerts.h"
#include "core/registry/registry_internal.h"
#include "core/registry/registry_policy.h"
#include "core/registry/registry_rollouts.h"
#include "core/registry/registry_verify.h"
#include "registry_fixture.h"

#include <inttypes.h>
#include <sys/stat.h>

#define MUTATIONS 400

static char directory[256], copy[300], database[300];
static struct registry *r;
static struct audit_head head;

static void change(struct route_change change)
{
	struct revision_record revision;
	change.model = change.model != NULL ? change.model : "m";
	change.expect_revision = -1;
	registry_change_route(r, &change, &operator, & revision, NULL);
}

/* What decides, and is in no route. */
static void make_decisions(void)
{
	struct policy policy;
	struct policy_record set;
	struct approval approval;
	struct test_result test = {.kind = "stress", .version = 1, .passed = true, .summary = "fast"};
	struct alert alert = {.rule = "rollout", .model = "m", .version = 3, .text = "slow"};
	struct err e = {0};
	policy_init(&policy);
	for (int i = 1; i <= 3; i++) {
		policy.min_age_s = i;
		if (registry_set_policy(r, "m", &policy, i - 1, "c", &operator, & set, &e) != 0)
			fail_msg("%s", e.text);
		assert_int_equal(registry_approve(r, "m", 3, "d", &operator, & approval, &e), 0);
		test.against = 0;
		test.passed = i != 2;
		assert_int_equal(registry_report_test(r, "m", &test, &operator, & e), 0);
	}
	assert_int_equal(registry_add_test_result(r, "m", &test, &e), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(registry_fire_alert(r, &alert, &e), 0);
		assert_int_equal(registry_acknowledge_alert(r, alert.id, "looking", &operator, NULL, &alert, &e), 0);
		assert_int_equal(registry_acknowledge_alert(r, alert.id, "found", &operator, NULL, &alert, &e), 0);
		if (i == 0)
			assert_int_equal(registry_resolve_alerts(r, "rollout", "m", 3, &e), 0);
	}
	alert.version = 1;
	assert_int_equal(registry_fire_alert(r, &alert, &e), 0);
}

/* Every kind of record, of two models. */
static void make_history(void)
{
	static const struct route_entry half[] = {{1, ROUTE_LIVE, 5000}, {2, ROUTE_CANARY, 5000}};
	static const struct route_entry shadow[] = {{3, ROUTE_SHADOW, 100}};
	struct deploy_result result;
	for (int i = 0; i < 3; i++) {
		const char content[] = {(char)('1' + i), '\0'};
		assert_int_equal(fixture_deploy(r, "m", content, false, &result, NULL), 0);
		assert_int_equal(fixture_deploy(r, "n", content, i == 0, &result, NULL), 0);
	}
	for (int i = 0; i < 8; i++) {
		change((struct route_change){
		    .action = "promote", .version = 2, .reason = "a", .forced = i == 3, .evidence = "{\"a\":1}"});
		change((struct route_change){.action = "promote", .version = 9});
		change((struct route_change){.action = "split", .weights = half, .weight_count = 2});
		change((struct route_change){.action = "shadow", .weights = shadow, .weight_count = 1});
		change((struct route_change){.model = "n", .action = "promote", .version = 1 + (uint32_t)i % 3});
		change((struct route_change){.action = "rollback", .reason = "b"});
	}
	struct rollout rollout = {.model = "m", .version = 3, .from = 1, .who = "ada"};
	assert_int_equal(rollout_plan(&rollout, "50,100", "1m", NULL), 0);
	policy_init(&rollout.thresholds);
	static const struct route_entry step[] = {{1, 0, 5000}, {3, 0, 5000}};
	change((struct route_change){.action = "rollout", .rollout = &rollout, .weights = step, .weight_count = 2});
	change((struct route_change){.action = "rollback"});
	make_decisions();
	registry_audit(r, &operator, "stop", NULL, 0, "done", "", "", NULL);
}

static int set_up(void **state)
{
	(void)state;
	fixture_directory(directory);
	r = fixture_open(directory);
	make_history();
	assert_int_equal(registry_audit_head(r, &head, NULL), 0);
	registry_close(r);
	snprintf(copy, sizeof copy, "%s/copy", directory);
	snprintf(database, sizeof database, "%s/mldeck.db", directory);
	assert_int_equal(mkdir(copy, 0700), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_remove(directory);
	return 0;
}

/* A fresh copy of the database, as somebody who owns the file has it: without triggers. */
static struct db *open_copy(void)
{
	char command[1000], path[320];
	struct db *db;
	snprintf(command, sizeof command, "rm -f '%s'/* && cp '%s' '%s'", copy, database, copy);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof path, "%s/mldeck.db", copy);
	assert_int_equal(db_open(path, &db, NULL), 0);
	assert_int_equal(db_run(db, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;", NULL), 0);
	struct statement *s = db_prepare(db,
					 "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_master"
					 " WHERE type = 'trigger'",
					 NULL);
	assert_int_equal(db_step(s, NULL), 1);
	char drops[4096];
	snprintf(drops, sizeof drops, "%s", db_text(s, 0));
	db_end(s);
	assert_int_equal(db_run(db, drops, NULL), 0);
	return db;
}

static int64_t number(struct db *db, const char *sql)
{
	struct statement *s = db_prepare(db, sql, NULL);
	assert_non_null(s);
	assert_int_equal(db_step(s, NULL), 1);
	int64_t value = db_integer(s, 0);
	db_end(s);
	return value;
}

/* Runs the SQL on a copy and verifies that; the verdict names the record, -1 for whichever. */
static void check(const char *sql, const struct audit_head *kept, int64_t id)
{
	struct audit_verdict verdict;
	struct err e = {0};
	struct db *db = open_copy();
	if (db_run(db, sql, &e) != 0)
		fail_msg("%s: %s", sql, e.text);
	db_close(db);
	if (registry_verify(copy, kept, &verdict, &e) != 0)
		fail_msg("%s: %s", sql, e.text);
	if (verdict.whole || verdict.fault[0] == '\0')
		fail_msg("not found: %s", sql);
	if (id >= 0 && verdict.fault_id != id)
		fail_msg("%s: at %" PRId64 ": %s", sql, verdict.fault_id, verdict.fault);
}

static void whole(void **state)
{
	(void)state;
	struct audit_verdict verdict;
	struct audit_head early = {.id = 0}, read;
	struct err e = {0};
	assert_int_equal(registry_verify(directory, &head, &verdict, &e), 0);
	assert_string_equal(verdict.fault, "");
	assert_true(verdict.whole);
	assert_int_equal(verdict.records, head.id);
	assert_int_equal(verdict.head.id, head.id);
	assert_string_equal(verdict.head.hash, head.hash);
	memcpy(early.hash, registry_chain_start, sizeof early.hash);
	assert_int_equal(registry_verify(database, &early, &verdict, &e), 0);
	assert_true(verdict.whole);
	assert_int_equal(registry_read_head(directory, &read, &e), 0);
	assert_string_equal(read.hash, head.hash);
	/* It made no file there. */
	char wal[320];
	snprintf(wal, sizeof wal, "%s-wal", database);
	assert_int_not_equal(access(wal, F_OK), 0);
	assert_int_equal(registry_verify("/nowhere", NULL, &verdict, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

/* With the runtime at work on it, too. */
static void beside_a_writer(void **state)
{
	(void)state;
	struct audit_verdict verdict;
	struct err e = {0};
	r = fixture_open(directory);
	for (int i = 0; i < 20; i++) {
		change((struct route_change){.model = "n", .action = "promote", .version = 1 + (uint32_t)i % 3});
		assert_int_equal(registry_verify(directory, &head, &verdict, &e), 0);
		assert_true(verdict.whole);
	}
	assert_true(verdict.records > head.id);
	registry_close(r);
}

static void known_attacks(void **state)
{
	(void)state;
	struct audit_head other = {.id = 5};
	memset(other.hash, 'a', 64);
	check("DELETE FROM audit WHERE id = 7", NULL, 8);
	check("DELETE FROM audit WHERE id < 7", NULL, 7);
	check("UPDATE audit SET id = -id WHERE id IN (8, 9); UPDATE audit SET id = 17 + id WHERE id < 0", NULL, 8);
	check("INSERT INTO audit SELECT id + 1000, at_ms, uid, who, client, action, model, version, revision, based_on,"
	      " outcome, reason, detail, forced, data, hash FROM audit WHERE id = 12",
	      NULL, 1012);
	/* Of one that was put in with a revision of its own, and left out of the audit. */
	check(
	    "INSERT INTO revision SELECT model_id, 1000, 999, position, at_ms, action, uid, who, reason, route, forced,"
	    " undo FROM revision WHERE revision = 3 AND model_id = 1",
	    NULL, 0);
	check("UPDATE revision SET route = (SELECT route FROM revision WHERE revision = 2 AND model_id = 1)"
	      " WHERE revision = 1 AND model_id = 1",
	      NULL, 1);
	check("DELETE FROM revision WHERE model_id = 1 AND revision = 1", NULL, 1);
	check("UPDATE model SET name = 'k' WHERE name = 'n'", NULL, -1);
	check("UPDATE version SET sha256 = printf('%064d', 7) WHERE model_id = 1 AND version = 2", NULL, 3);
	check("UPDATE audit SET who = who || char(0) || 'x' WHERE id = 4", NULL, 4);
	check("UPDATE audit SET who = CAST(who AS BLOB) WHERE id = 4", NULL, 4);
	check("UPDATE audit SET hash = hash || 'x' WHERE id = 4", NULL, 4);
	/* A tail that is cut: by the counter that was left, else by the head that was kept. */
	check("DELETE FROM audit WHERE id > 40 AND revision = 0", NULL, -1);
	check("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)", NULL, head.id);
	static const char cut[] = "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit);"
				  "UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM audit) WHERE name = 'audit'";
	check(cut, &head, head.id);
	check("DELETE FROM audit; DELETE FROM revision; DELETE FROM sqlite_sequence", &head, 1);
	check("", &other, 5);
}

/* A policy, an approval, a test, an acknowledgement or a rollout: each column to something else, rows out and in. */
static void what_decides(void **state)
{
	(void)state;
	static const char *const edits[] = {
	    "UPDATE policy SET number = number + 10 WHERE number = 3",
	    "UPDATE policy SET policy = replace(policy, '3s', '0') WHERE number = 3",
	    "UPDATE policy SET policy = CAST(policy AS BLOB) WHERE number = 3",
	    "UPDATE policy SET policy = 'x' WHERE number = 3",
	    "UPDATE policy SET uid = 0",
	    "UPDATE policy SET who = 'eve' WHERE number = 1",
	    "UPDATE policy SET reason = reason || char(0)",
	    "UPDATE policy SET at_ms = at_ms + 1",
	    "UPDATE policy SET model_id = 2 WHERE number = 3",
	    "DELETE FROM policy WHERE number = 3",
	    "INSERT INTO policy SELECT 2, 1, at_ms, uid, who, reason, policy FROM policy WHERE number = 1",
	    "UPDATE approval SET version = 1 WHERE id = 1",
	    "UPDATE approval SET against = against + 1 WHERE id = 2",
	    "UPDATE approval SET uid = 7 WHERE id = 3",
	    "UPDATE approval SET who = 'eve'",
	    "UPDATE approval SET at_ms = at_ms + 86400000",
	    "UPDATE approval SET model_id = 2 WHERE id = 3",
	    "DELETE FROM approval WHERE id = 1",
	    "INSERT INTO approval SELECT id + 10, model_id, version, against, at_ms, 7, who, reason FROM approval",
	    "UPDATE test_result SET passed = 1 WHERE id = 2",
	    "UPDATE test_result SET kind = 'benchmark'",
	    "UPDATE test_result SET version = 3 WHERE id = 4",
	    "UPDATE test_result SET at_ms = at_ms + 1 WHERE id = 4",
	    "UPDATE test_result SET summary = '' WHERE id = 1",
	    "DELETE FROM test_result WHERE id = 2",
	    "INSERT INTO test_result SELECT id + 10, model_id, 'benchmark', version, against, at_ms, job, passed,"
	    " summary, verdict, who, report FROM test_result",
	    "UPDATE alert SET state = 'firing' WHERE id = 2",
	    "UPDATE alert SET state = 'acknowledged' WHERE version = 1",
	    "UPDATE alert SET acknowledged_ms = 1 WHERE version = 1",
	    "UPDATE alert SET acknowledged_ms = acknowledged_ms + 1 WHERE id = 1",
	    "UPDATE alert SET acknowledged_ms = 0 WHERE id = 1",
	    "UPDATE alert SET who = 'eve' WHERE id = 1",
	    "UPDATE alert SET note = 'none' WHERE id = 2",
	    "UPDATE alert SET model = 'n' WHERE id = 2",
	    "UPDATE alert SET version = 2 WHERE id = 2",
	    "DELETE FROM alert WHERE id = 1",
	    "UPDATE rollout SET plan = replace(plan, 'ada', 'eve')",
	    "UPDATE rollout SET plan = json_set(plan, '$.uid', 7)",
	    "UPDATE rollout SET plan = json_set(plan, '$.forced', json('true'))",
	    "UPDATE rollout SET plan = json_set(plan, '$.first_revision', 1)",
	    "UPDATE rollout SET plan = json_set(plan, '$.steps[0].hold_ms', 1)",
	    "UPDATE rollout SET plan = json_set(plan, '$.thresholds.error_margin', '100%')",
	    "UPDATE rollout SET plan = json_set(plan, '$.model', 'n')",
	    "UPDATE rollout SET plan = 'x'",
	    "UPDATE rollout SET plan = CAST(plan AS BLOB)",
	    "UPDATE rollout SET state = 'running', ended_ms = 0",
	    "UPDATE rollout SET state = 'done'",
	    "DELETE FROM rollout",
	    "INSERT INTO rollout SELECT id + 1, model_id, state, ended_ms, plan FROM rollout",
	};
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
		check(edits[i], NULL, -1);
}

/* One column of one row to something else; gives the record at which it must show. */
static int64_t mutate(struct db *db, char *sql, size_t size)
{
	static const char *const audit[] = {"at_ms",  "uid",     "who",      "client",   "action",
					    "model",  "version", "revision", "based_on", "outcome",
					    "reason", "detail",  "forced",   "data",     "hash"};
	static const char *const revision[] = {"based_on", "position", "undo",   "at_ms",  "action",
					       "uid",      "who",      "reason", "forced", "route"};
	static const char *const edits[] = {"%s + 1",
					    "%s - 1",
					    "%s || 'x'",
					    "substr(%s, 2)",
					    "'x' || %s",
					    "upper(%s)",
					    "%s || char(0)",
					    "CAST(%s AS BLOB)",
					    "%s * 2 + 7",
					    "'ada'",
					    "''",
					    "0.5",
					    "replace(%s, '0', '1')"};
	bool in_audit = rand() % 3 > 0;
	const char *table = in_audit ? "audit" : "revision";
	const char *column = in_audit ? audit[(size_t)rand() % (sizeof audit / sizeof *audit)]
				      : revision[(size_t)rand() % (sizeof revision / sizeof *revision)];
	char query[200], edit[64];
	snprintf(query, sizeof query, "SELECT rowid FROM %s LIMIT 1 OFFSET %d", table,
		 rand() % (int)number(db, in_audit ? "SELECT count(*) FROM audit" : "SELECT count(*) FROM revision"));
	int64_t row = number(db, query);
	char format[64];
	snprintf(format, sizeof format, "%s", edits[(size_t)rand() % (sizeof edits / sizeof *edits)]);
	char *place = strstr(format, "%s");
	if (place != NULL)
		snprintf(edit, sizeof edit, "%.*s%s%s", (int)(place - format), format, column, place + 2);
	else
		snprintf(edit, sizeof edit, "%s", format);
	snprintf(sql, size, "UPDATE %s SET %s = %s WHERE rowid = %" PRId64, table, column, edit, row);
	if (in_audit)
		return row;
	snprintf(query, sizeof query,
		 "SELECT a.id FROM audit a, revision r JOIN model m ON m.id = r.model_id WHERE r.rowid = %" PRId64
		 " AND a.model = m.name AND a.revision = r.revision",
		 row);
	return number(db, query);
}

/* Everything that the file says of its rows, to tell an edit from one that changed nothing. */
static int64_t print_of(struct db *db)
{
	static const char sql[] =
	    "SELECT id, at_ms, uid, who, client, action, model, version, revision, based_on, outcome, reason, detail,"
	    " forced, data, hash FROM audit UNION ALL SELECT model_id, revision, based_on, position, undo, at_ms,"
	    " action, uid, who, reason, forced, route, 0, 0, 0, 0 FROM revision";
	struct statement *s = db_prepare(db, sql, NULL);
	uint64_t print = 14695981039346656037u; /* FNV-1a */
	while (db_step(s, NULL) == 1)
		for (int i = 0; i < 16; i++) {
			/* The type first: reading it as text may convert it. */
			print = (print ^ (uint64_t)db_type(s, i)) * 1099511628211u;
			const char *text = db_text(s, i);
			size_t size = db_size(s, i);
			for (size_t k = 0; k < size; k++)
				print = (print ^ (unsigned char)text[k]) * 1099511628211u;
			print = (print ^ size) * 1099511628211u;
		}
	db_end(s);
	return (int64_t)print;
}

static void random_edits(void **state)
{
	(void)state;
	struct audit_verdict verdict;
	struct err e = {0};
	char sql[400];
	int found = 0;
	srand(20261124);
	for (int i = 0; i < MUTATIONS; i++) {
		struct db *db = open_copy();
		int64_t before = print_of(db), id = mutate(db, sql, sizeof sql);
		bool changed = db_run(db, sql, &e) == 0 && print_of(db) != before;
		db_close(db);
		assert_int_equal(registry_verify(copy, NULL, &verdict, &e), 0);
		if (verdict.whole == changed)
			fail_msg("%s: %s", changed ? "not found" : "found though nothing changed", sql);
		if (changed && verdict.fault_id != id)
			fail_msg("%s: at %" PRId64 ": %s", sql, verdict.fault_id, verdict.fault);
		found += changed;
	}
	assert_true(found > MUTATIONS / 2);
	print_message("%d edits\n", found);
}

static void heads(void **state)
{
	(void)state;
	struct audit_head read;
	struct err e = {0};
	char text[100];
	snprintf(text, sizeof text, "%" PRId64 ":%s", head.id, head.hash);
	assert_int_equal(audit_head_read(text, &read, &e), 0);
	assert_int_equal(read.id, head.id);
	assert_string_equal(read.hash, head.hash);
	static const char *const wrong[] = {"", "7", "7:", ":", "x:y", "7:abc", "-1:", "99999999999999999999999:"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(audit_head_read(wrong[i], &read, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(whole),        CASE(beside_a_writer), CASE(known_attacks),
	    CASE(what_decides), CASE(random_edits),    CASE(heads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
