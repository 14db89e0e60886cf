/* The database: newer schemas are refused, history cannot be rewritten, transactions are whole. */
#include "core/db.h"
#include "registry_fixture.h"

static char directory[256];
static char path[300];

static int set_up(void **state)
{
	(void)state;
	fixture_directory(directory);
	snprintf(path, sizeof path, "%s/mldeck.db", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_remove(directory);
	return 0;
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

static void durable_settings(void **state)
{
	(void)state;
	struct db *db;
	assert_int_equal(db_open(path, &db, NULL), 0);
	assert_int_equal(number(db, "PRAGMA synchronous"), 2);
	assert_int_equal(number(db, "PRAGMA foreign_keys"), 1);
	struct statement *s = db_prepare(db, "PRAGMA journal_mode", NULL);
	assert_int_equal(db_step(s, NULL), 1);
	assert_string_equal(db_text(s, 0), "wal");
	db_end(s);
	db_close(db);
}

static void migrations(void **state)
{
	(void)state;
	static const char *const steps[] = {"CREATE TABLE a (x)", "CREATE TABLE b (x)",
					    "CREATE TABLE c (x); CREATE TABLE b (x)"};
	struct db *db;
	size_t before;
	struct err e = {0};
	assert_int_equal(db_open(path, &db, NULL), 0);
	assert_int_equal(db_migrate(db, steps, 1, NULL, NULL, &before, NULL), 0);
	assert_int_equal(before, 0);
	assert_int_equal(db_migrate(db, steps, 2, NULL, NULL, &before, NULL), 0);
	assert_int_equal(before, 1);
	/* A step that fails leaves nothing of itself. */
	assert_int_equal(db_migrate(db, steps, 3, NULL, NULL, &before, &e), -1);
	assert_int_equal(number(db, "PRAGMA user_version"), 2);
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema"), 2);
	assert_int_equal(db_migrate(db, steps, 1, NULL, NULL, &before, &e), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_non_null(strstr(e.text, "written by a newer mldeck (schema 2, this one knows 1)"));
	db_close(db);
}

static void history_stays(void **state)
{
	(void)state;
	struct registry *r = fixture_open(directory);
	struct deploy_result result;
	assert_int_equal(fixture_deploy(r, "m", "1", false, &result, NULL), 0);
	double values[] = {1, 2};
	struct baseline b;
	assert_int_equal(baseline_make(&b, values, 2, 0, false, "live", NULL), 0);
	assert_int_equal(registry_set_baseline(r, "m", 1, &b, NULL), 0);
	registry_close(r);

	static const char *const forbidden[] = {
	    "UPDATE version SET sha256 = sha256",
	    "DELETE FROM version",
	    "UPDATE revision SET route = '{}'",
	    "DELETE FROM revision",
	    "UPDATE audit SET who = 'nobody'",
	    "DELETE FROM audit",
	    "UPDATE baseline SET baseline = '{}'",
	    "DELETE FROM baseline",
	    /* A second revision of the same number. */
	    "INSERT INTO revision SELECT * FROM revision",
	    "INSERT OR REPLACE INTO revision SELECT * FROM revision",
	};
	struct db *db;
	assert_int_equal(db_open(path, &db, NULL), 0);
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
		if (db_run(db, forbidden[i], NULL) == 0)
			fail_msg("%s was allowed", forbidden[i]);
	assert_int_equal(number(db, "SELECT count(*) FROM version JOIN revision JOIN audit"), 1);
	db_close(db);
}

/* Commits leave the log alone; the other connection empties it, and they begin it anew. */
static void the_log_is_another_connections(void **state)
{
	(void)state;
	struct db *db, *other;
	assert_int_equal(db_open(path, &db, NULL), 0);
	assert_int_equal(db_run(db, "CREATE TABLE t (x)", NULL), 0);
	assert_int_equal(db_open(path, &other, NULL), 0);
	for (int i = 0; i < 1500; i++)
		assert_int_equal(db_run(db, "INSERT INTO t VALUES (1)", NULL), 0);
	assert_true(db_log_pages(db) >= 1500);
	assert_int_equal(db_checkpoint(other, NULL), 0);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (1)", NULL), 0);
	assert_true(db_log_pages(db) < 10);
	/* In the middle of a transaction it takes what it can. */
	assert_int_equal(db_begin(db, NULL), 0);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (1)", NULL), 0);
	assert_int_equal(db_checkpoint(other, NULL), 0);
	assert_int_equal(db_commit(db, NULL), 0);
	assert_int_equal(number(other, "SELECT count(*) FROM t"), 1502);
	db_close(other);
	db_close(db);
}

static void bytes_are_kept_as_they_are(void **state)
{
	(void)state;
	struct db *db;
	size_t size;
	assert_int_equal(db_open(path, &db, NULL), 0);
	struct statement *s = db_prepare(db, "SELECT ?1, ?2, 'text'", NULL);
	db_bind_bytes(s, 1, "a\0b", 3);
	db_bind_bytes(s, 2, NULL, 0);
	assert_int_equal(db_step(s, NULL), 1);
	assert_memory_equal(db_bytes(s, 0, &size), "a\0b", 3);
	assert_int_equal(size, 3);
	db_bytes(s, 1, &size);
	assert_int_equal(size, 0);
	assert_null(db_bytes(s, 2, &size));
	db_end(s);
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(durable_settings, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(migrations, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(history_stays, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(bytes_are_kept_as_they_are, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_log_is_another_connections, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
