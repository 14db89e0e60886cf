/*
 * The tables. A change of them is a further step, never an edit: old state directories run what
 * they miss. Times are Unix milliseconds. History is never rewritten, and the database itself
 * refuses to.
 */
#include "core/registry/registry_internal.h"

#define IMMUTABLE(table)                                                 \
	"CREATE TRIGGER " table "_no_update BEFORE UPDATE ON " table     \
	" BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;" \
	"CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table     \
	" BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;"

static const char first[] =
    "CREATE TABLE model ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE,"
    " created_ms INTEGER NOT NULL);"

    "CREATE TABLE version ("
    " model_id INTEGER NOT NULL REFERENCES model (id),"
    " version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 100000),"
    " sha256 TEXT NOT NULL CHECK (length(sha256) = 64),"
    " created_ms INTEGER NOT NULL,"
    " created_by TEXT NOT NULL,"
    " manifest TEXT NOT NULL,"
    " UNIQUE (model_id, version),"
    " UNIQUE (model_id, sha256));"
    "CREATE INDEX version_sha256 ON version (sha256);"

    /* Written once a version, at its deploy or when enough live predictions were seen. */
    "CREATE TABLE baseline ("
    " model_id INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " baseline TEXT NOT NULL,"
    " PRIMARY KEY (model_id, version),"
    " FOREIGN KEY (model_id, version) REFERENCES version (model_id, version));"

    /* position: the revision whose route this one restored (a rollback), else itself. */
    "CREATE TABLE revision ("
    " model_id INTEGER NOT NULL REFERENCES model (id),"
    " revision INTEGER NOT NULL CHECK (revision > 0),"
    " based_on INTEGER NOT NULL CHECK (based_on = revision - 1),"
    " position INTEGER NOT NULL CHECK (position BETWEEN 1 AND revision),"
    " at_ms INTEGER NOT NULL,"
    " action TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " route TEXT NOT NULL,"
    " PRIMARY KEY (model_id, revision));"

    /* model is a name, not a reference: an attempt on a model that is not there is recorded too. */
    "CREATE TABLE audit ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at_ms INTEGER NOT NULL,"
    " uid INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " client TEXT NOT NULL,"
    " action TEXT NOT NULL,"
    " model TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " revision INTEGER NOT NULL,"
    " based_on INTEGER NOT NULL,"
    " outcome TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " detail TEXT NOT NULL);"
    "CREATE INDEX audit_model ON audit (model, id);"

    IMMUTABLE("version") IMMUTABLE("baseline") IMMUTABLE("revision") IMMUTABLE("audit");

static const char jobs[] =
    /* start: what it was started with, as JSON, to start it again; "" for one of a shell. output: the end of
     * what it printed. ended_ms 0: not yet. */
    "CREATE TABLE job ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind TEXT NOT NULL,"
    " model TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " title TEXT NOT NULL,"
    " command TEXT NOT NULL,"
    " target TEXT NOT NULL,"
    " start TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " in_shell INTEGER NOT NULL,"
    " queued_ms INTEGER NOT NULL,"
    " started_ms INTEGER NOT NULL DEFAULT 0,"
    " ended_ms INTEGER NOT NULL DEFAULT 0,"
    " state TEXT NOT NULL"
    "  CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')),"
    " summary TEXT NOT NULL DEFAULT '',"
    " progress TEXT NOT NULL DEFAULT '{}',"
    " output TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX job_open ON job (id) WHERE ended_ms = 0;"
    "CREATE TRIGGER job_ended BEFORE UPDATE ON job WHEN OLD.ended_ms > 0"
    " BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;"
    "CREATE TRIGGER job_no_delete BEFORE DELETE ON job"
    " BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;";

static const char routes[] =
    /* How often a gate was overridden is written where the change is, for ever. */
    "ALTER TABLE revision ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;"

    /* plan: everything of a rollout but what has a column, as JSON. One a model is open. */
    "CREATE TABLE rollout ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " model_id INTEGER NOT NULL REFERENCES model (id),"
    " state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'done', 'aborted', 'rolled back')),"
    " ended_ms INTEGER NOT NULL DEFAULT 0,"
    " plan TEXT NOT NULL);"
    "CREATE UNIQUE INDEX rollout_open ON rollout (model_id) WHERE ended_ms = 0;"
    "CREATE INDEX rollout_model ON rollout (model_id, id);"
    "CREATE TRIGGER rollout_ended BEFORE UPDATE ON rollout WHEN OLD.ended_ms > 0"
    " BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;"
    "CREATE TRIGGER rollout_no_delete BEFORE DELETE ON rollout"
    " BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;"

    "CREATE TABLE policy ("
    " model_id INTEGER NOT NULL REFERENCES model (id),"
    " number INTEGER NOT NULL CHECK (number > 0),"
    " at_ms INTEGER NOT NULL,"
    " uid INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " policy TEXT NOT NULL,"
    " PRIMARY KEY (model_id, number));"

    "CREATE TABLE approval ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " model_id INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " against INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " uid INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " FOREIGN KEY (model_id, version) REFERENCES version (model_id, version));"
    "CREATE INDEX approval_version ON approval (model_id, version, id);"

    "CREATE TABLE test_result ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " model_id INTEGER NOT NULL,"
    " kind TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " against INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " job INTEGER NOT NULL,"
    " passed INTEGER NOT NULL,"
    " summary TEXT NOT NULL,"
    " FOREIGN KEY (model_id, version) REFERENCES version (model_id, version));"
    "CREATE INDEX test_result_pair ON test_result (model_id, kind, version, against, id);"

    /* Rows that a version is warmed up with, as CSV with a header, and of each, in a character, whether the version
     * answered it with a finite number when it was deployed. Written once. */
    "CREATE TABLE sample ("
    " model_id INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " rows TEXT NOT NULL,"
    " finite TEXT NOT NULL,"
    " PRIMARY KEY (model_id, version),"
    " FOREIGN KEY (model_id, version) REFERENCES version (model_id, version));"

    "CREATE TABLE alert ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " rule TEXT NOT NULL,"
    " model TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('firing', 'acknowledged', 'resolved')),"
    " since_ms INTEGER NOT NULL,"
    " acknowledged_ms INTEGER NOT NULL DEFAULT 0,"
    " resolved_ms INTEGER NOT NULL DEFAULT 0,"
    " value REAL,"
    " threshold REAL,"
    " text TEXT NOT NULL,"
    " who TEXT NOT NULL DEFAULT '',"
    " note TEXT NOT NULL DEFAULT '');"
    "CREATE UNIQUE INDEX alert_open ON alert (rule, model, version) WHERE state <> 'resolved';"

    IMMUTABLE("policy") IMMUTABLE("approval") IMMUTABLE("test_result") IMMUTABLE("sample");

const char registry_schema_chain[] =
    /* undo: the revision that an undo of this one goes back to, 0 for none. Of those that a rollout made it is the
     * route before the rollout, which is undone as a whole. */
    "ALTER TABLE revision ADD COLUMN undo INTEGER NOT NULL DEFAULT 0;"
    "DROP TRIGGER revision_no_update;"
    "UPDATE revision SET undo = position - 1;"
    "CREATE TRIGGER revision_no_update BEFORE UPDATE ON revision"
    " BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;"

    /* docs/AUDIT.md says what is in data and what hash is of. Old records get both in this step, the hash by
     * registry_chain_all(); that is the only change of a record there ever is. */
    "DROP TRIGGER audit_no_update;"
    "ALTER TABLE audit ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE audit ADD COLUMN data TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT '';"
    "UPDATE audit SET data = coalesce((SELECT '{\"position\":' || r.position || ',\"undo\":' || r.undo ||"
    " ',\"route\":' || r.route || '}' FROM revision r JOIN model m ON m.id = r.model_id"
    " WHERE m.name = audit.model AND r.revision = audit.revision), '') WHERE revision > 0;"
    "UPDATE audit SET data = CASE data WHEN '' THEN '{' ELSE substr(data, 1, length(data) - 1) || ',' END ||"
    " '\"sha256\":\"' || v.sha256 || '\"}' FROM version v JOIN model m ON m.id = v.model_id"
    " WHERE action = 'deploy' AND outcome = 'done' AND m.name = audit.model AND v.version = audit.version;"
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit WHEN OLD.hash <> ''"
    " BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;";

static const char tests[] =
    /* report: all that a test found, as JSON; "" where only its outcome was told. */
    "ALTER TABLE test_result ADD COLUMN report TEXT NOT NULL DEFAULT '';";

static const char trainings[] =
    /* version may be NULL: a training is kept although the file that it made is no version yet. */
    "DROP TRIGGER test_result_no_update;"
    "DROP TRIGGER test_result_no_delete;"
    "ALTER TABLE test_result RENAME TO test_result_before;"
    "CREATE TABLE test_result ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " model_id INTEGER NOT NULL REFERENCES model (id),"
    " kind TEXT NOT NULL,"
    " version INTEGER,"
    " against INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " job INTEGER NOT NULL,"
    " passed INTEGER NOT NULL,"
    " summary TEXT NOT NULL,"
    " report TEXT NOT NULL DEFAULT '',"
    " FOREIGN KEY (model_id, version) REFERENCES version (model_id, version));"
    "INSERT INTO test_result (id, model_id, kind, version, against, at_ms, job, passed, summary, report)"
    " SELECT id, model_id, kind, version, against, at_ms, job, passed, summary, report FROM test_result_before;"
    "DROP TABLE test_result_before;"
    "CREATE INDEX test_result_pair ON test_result (model_id, kind, version, against, id);" IMMUTABLE("test_result");

static const char test_histories[] =
    /* verdict and who: for lists, which read no report; before it in the row, whose pages they would else go through.
     * Both from what was kept: the report, and the audit record of the result. */
    "DROP TRIGGER test_result_no_update;"
    "DROP TRIGGER test_result_no_delete;"
    "ALTER TABLE test_result RENAME TO test_result_before;"
    "CREATE TABLE test_result ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " model_id INTEGER NOT NULL REFERENCES model (id),"
    " kind TEXT NOT NULL,"
    " version INTEGER,"
    " against INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " job INTEGER NOT NULL,"
    " passed INTEGER NOT NULL,"
    " summary TEXT NOT NULL,"
    " verdict TEXT NOT NULL DEFAULT '',"
    " who TEXT NOT NULL DEFAULT '',"
    " report TEXT NOT NULL DEFAULT '',"
    " FOREIGN KEY (model_id, version) REFERENCES version (model_id, version));"
    "INSERT INTO test_result (id, model_id, kind, version, against, at_ms, job, passed, summary, verdict, who, report)"
    " SELECT t.id, model_id, kind, version, against, t.at_ms, job, passed, summary,"
    " coalesce(iif(json_valid(report), json_extract(report, '$.verdict'), NULL), iif(passed, 'pass', 'fail')),"
    " coalesce(a.who, ''), report FROM test_result_before t LEFT JOIN"
    " (SELECT iif(json_valid(data), json_extract(data, '$.test.id'), NULL) AS test, max(who) AS who FROM audit"
    " WHERE action = 'tested' AND outcome = 'done' GROUP BY 1) a ON a.test = t.id;"
    "DROP TABLE test_result_before;"
    "CREATE INDEX test_result_pair ON test_result (model_id, kind, version, against, id);"
    "CREATE INDEX test_result_model ON test_result (model_id, id);" IMMUTABLE("test_result");

static const char experiments[] =
    /* What was preregistered never changes, and an end is final. closes_ms, from the end on: when nothing of it can
     * come any more. */
    "CREATE TABLE experiment ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " model_id INTEGER NOT NULL REFERENCES model (id),"
    " name TEXT NOT NULL,"
    " plan TEXT NOT NULL,"
    " sha256 TEXT NOT NULL CHECK (length(sha256) = 64),"
    " started_ms INTEGER NOT NULL,"
    " before INTEGER NOT NULL,"
    " revision INTEGER NOT NULL,"
    " uid INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('running', 'stopped', 'invalid')),"
    " ended_ms INTEGER NOT NULL DEFAULT 0,"
    " end_revision INTEGER NOT NULL DEFAULT 0,"
    " ended_by TEXT NOT NULL DEFAULT '',"
    " note TEXT NOT NULL DEFAULT '',"
    " closes_ms INTEGER NOT NULL DEFAULT 0,"
    " CHECK ((state = 'running') = (ended_ms = 0)),"
    " UNIQUE (model_id, name),"
    " FOREIGN KEY (model_id, revision) REFERENCES revision (model_id, revision) DEFERRABLE INITIALLY DEFERRED);"
    "CREATE UNIQUE INDEX experiment_running ON experiment (model_id) WHERE ended_ms = 0;"
    "CREATE TRIGGER experiment_no_update BEFORE UPDATE ON experiment WHEN OLD.ended_ms <> 0 OR"
    " OLD.model_id <> NEW.model_id OR OLD.name <> NEW.name OR OLD.plan <> NEW.plan OR OLD.sha256 <> NEW.sha256 OR"
    " OLD.started_ms <> NEW.started_ms OR OLD.before <> NEW.before OR OLD.revision <> NEW.revision"
    " BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;"
    "CREATE TRIGGER experiment_no_delete BEFORE DELETE ON experiment"
    " BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;"

    /* What every batch writes, in one row of constant size: step counts the batches that changed the state. And what
     * only looks write. */
    "CREATE TABLE experiment_seen (experiment INTEGER PRIMARY KEY REFERENCES experiment (id),"
    " horizon_ms INTEGER NOT NULL, step INTEGER NOT NULL, counts TEXT NOT NULL, state TEXT NOT NULL);"
    "CREATE TABLE experiment_memory (experiment INTEGER PRIMARY KEY REFERENCES experiment (id),"
    " history TEXT NOT NULL);"

    /* Of units, requests and keys a hash of 16 bytes. A request without a unit had an id that several units used. No
     * second index: what has expired is found by going through. */
    "CREATE TABLE experiment_unit (experiment INTEGER NOT NULL, unit BLOB NOT NULL, arm INTEGER NOT NULL,"
    " first_ms INTEGER NOT NULL, kept BLOB NOT NULL, PRIMARY KEY (experiment, unit)) WITHOUT ROWID;"
    "CREATE TABLE experiment_request (experiment INTEGER NOT NULL, request BLOB NOT NULL, unit BLOB,"
    " prediction REAL, expires_ms INTEGER NOT NULL, PRIMARY KEY (experiment, request)) WITHOUT ROWID;"
    "CREATE TABLE experiment_key (experiment INTEGER NOT NULL, key BLOB NOT NULL, said INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL, PRIMARY KEY (experiment, key)) WITHOUT ROWID;"

    /* What is large last: lists do not read it. history is what was remembered before the look. */
    "CREATE TABLE experiment_look (experiment INTEGER NOT NULL REFERENCES experiment (id), number INTEGER NOT NULL,"
    " times INTEGER NOT NULL, at_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, elapsed_s INTEGER NOT NULL,"
    " last_elapsed_s INTEGER NOT NULL, is_stopped INTEGER NOT NULL, exposed INTEGER NOT NULL, step INTEGER NOT NULL,"
    " verdict TEXT NOT NULL, sentence TEXT NOT NULL, report TEXT NOT NULL, history TEXT NOT NULL,"
    " state TEXT NOT NULL, PRIMARY KEY (experiment, number));";

const char *const registry_schema[] = {first, jobs,      routes,         registry_schema_chain,
				       tests, trainings, test_histories, experiments};
const size_t registry_schema_count = sizeof registry_schema / sizeof *registry_schema;
