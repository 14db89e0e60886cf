#include "core/registry/registry_verify.h"

#include "core/digest.h"
#include "core/registry/registry_internal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Columns of AUDIT_COLUMNS, and what follows them. */
enum {
	A_ID,
	A_AT_MS,
	A_UID,
	A_WHO,
	A_CLIENT,
	A_ACTION,
	A_MODEL,
	A_VERSION,
	A_REVISION,
	A_BASED_ON,
	A_OUTCOME,
	A_REASON,
	A_DETAIL,
	A_FORCED,
	A_DATA,
	A_HASH
};

struct verify {
	struct db *db;
	struct statement *rows, *revision, *version;
	const struct audit_head *kept;
	struct audit_verdict *verdict;
	struct buf scratch;
	int64_t revision_count;
	struct statement *decides[REGISTRY_ROW_COUNT];
	int64_t decides_count[REGISTRY_ROW_COUNT];
};

/* What is wrong, once; gives 1, which is neither a failure nor the end. */
static int fault(struct verify *v, int64_t id, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fault(struct verify *v, int64_t id, const char *format, ...)
{
	struct audit_verdict *verdict = v->verdict;
	char text[ERR_TEXT_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	verdict->whole = false;
	verdict->fault_id = id;
	/* Names out of a database that somebody altered. */
	text_clean(verdict->fault, sizeof verdict->fault, text);
	return 1;
}

static int check_hash(struct verify *v, struct err *e)
{
	char want[AUDIT_HASH_SIZE];
	int64_t id = db_integer(v->rows, A_ID), before = v->verdict->head.id;
	if (registry_chain_hash(v->rows, v->verdict->head.hash, &v->scratch, want, e) != 0)
		return -1;
	const char *has = db_text(v->rows, A_HASH);
	if (want[0] != '\0' && db_size(v->rows, A_HASH) == strlen(want) && strcmp(has, want) == 0)
		return 0;
	if (id > before + 1)
		return fault(v, id,
			     "record %" PRId64 " does not follow from %s%" PRId64 ": what was between was removed, "
			     "or it was changed",
			     id, before == 0 ? "the beginning, " : "record ", before);
	return fault(v, id, "record %" PRId64 " was changed, or what is before it was removed or put in", id);
}

static int check_kept(struct verify *v)
{
	const struct audit_head *head = &v->verdict->head;
	if (v->kept == NULL || v->kept->id != head->id || strcmp(v->kept->hash, head->hash) == 0)
		return 0;
	return fault(v, head->id, "record %" PRId64 " is not the one whose hash was kept: the audit was written anew",
		     head->id);
}

static bool same(struct statement *a, int column, struct statement *b, int other)
{
	if (db_type(a, column) != db_type(b, other) || db_type(a, column) == DB_OTHER)
		return false;
	if (db_type(a, column) == DB_INTEGER)
		return db_integer(a, column) == db_integer(b, other);
	size_t size = db_size(a, column);
	/* The text is asked for first: it fixes what the size is of. */
	return size == db_size(b, other) && memcmp(db_text(a, column), db_text(b, other), size) == 0;
}

/* The columns of a revision, each with the audit's that it equals; the route and its place are in the data. */
#define REVISION_SELECT                                                                        \
	"SELECT r.based_on, r.at_ms, r.action, r.uid, r.who, r.reason, r.forced, r.position, " \
	"r.undo, r.route FROM revision r JOIN model m ON m.id = r.model_id WHERE m.name = ?1 AND r.revision = ?2"

static const struct {
	int audit;
	const char *name;
} equal[] = {
    {A_BASED_ON, "base"}, {A_AT_MS, "time"},    {A_ACTION, "action"}, {A_UID, "uid"},
    {A_WHO, "author"},    {A_REASON, "reason"}, {A_FORCED, "force"},
};
enum { R_POSITION = sizeof equal / sizeof *equal, R_UNDO, R_ROUTE };

/* Whether the data begins with the very route that the revision has. */
static int check_route(struct verify *v, bool *agrees, struct err *e)
{
	struct statement *revision = v->revision;
	*agrees = false;
	if (db_type(revision, R_POSITION) != DB_INTEGER || db_type(revision, R_UNDO) != DB_INTEGER ||
	    db_type(revision, R_ROUTE) != DB_TEXT || strlen(db_text(revision, R_ROUTE)) != db_size(revision, R_ROUTE))
		return 0;
	int64_t position = db_integer(revision, R_POSITION), undo = db_integer(revision, R_UNDO);
	if (position < 0 || position > UINT32_MAX || undo < 0 || undo > UINT32_MAX)
		return 0;
	char *start = registry_revision_data((uint32_t)position, (uint32_t)undo, db_text(revision, R_ROUTE));
	if (start == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while verifying the audit");
	size_t size = strlen(start);
	const char *data = db_text(v->rows, A_DATA);
	*agrees = strncmp(data, start, size) == 0 && (data[size] == ',' || data[size] == '}');
	free(start);
	return 0;
}

static int compare_revision(struct verify *v, struct err *e)
{
	int64_t id = db_integer(v->rows, A_ID), number = db_integer(v->rows, A_REVISION);
	const char *model = db_text(v->rows, A_MODEL);
	bool agrees;
	for (size_t i = 0; i < sizeof equal / sizeof *equal; i++)
		if (!same(v->rows, equal[i].audit, v->revision, (int)i))
			return fault(v, id,
				     "revision %" PRId64 " of %s does not agree with record %" PRId64 ": its %s was "
				     "changed",
				     number, model, id, equal[i].name);
	if (check_route(v, &agrees, e) != 0)
		return -1;
	if (!agrees)
		return fault(v, id,
			     "revision %" PRId64 " of %s does not agree with record %" PRId64 ": its route was changed",
			     number, model, id);
	v->revision_count++;
	return 0;
}

static int check_revision(struct verify *v, struct err *e)
{
	int64_t number = db_integer(v->rows, A_REVISION);
	if (number == 0)
		return 0;
	db_bind_text(v->revision, 1, db_text(v->rows, A_MODEL));
	db_bind_integer(v->revision, 2, number);
	int row = db_step(v->revision, e);
	int result = row == 1   ? compare_revision(v, e)
		     : row == 0 ? fault(v, db_integer(v->rows, A_ID),
					"revision %" PRId64 " of %s, which record %" PRId64 " speaks of, is missing",
					number, db_text(v->rows, A_MODEL), db_integer(v->rows, A_ID))
				: -1;
	db_reset(v->revision);
	return result;
}

/* A version is the file that its deploy recorded. */
static int check_file(struct verify *v, struct err *e)
{
	if (strcmp(db_text(v->rows, A_ACTION), "deploy") != 0 || strcmp(db_text(v->rows, A_OUTCOME), "done") != 0 ||
	    strstr(db_text(v->rows, A_DATA), "\"sha256\"") == NULL)
		return 0;
	db_bind_text(v->version, 1, db_text(v->rows, A_MODEL));
	db_bind_integer(v->version, 2, db_integer(v->rows, A_VERSION));
	db_bind_text(v->version, 3, db_text(v->rows, A_DATA));
	int row = db_step(v->version, e);
	int result = row < 0 ? -1 : 0;
	if (row == 0)
		result = fault(v, db_integer(v->rows, A_ID),
			       "v%" PRId64 " of %s is not the file that record %" PRId64 " deployed",
			       db_integer(v->rows, A_VERSION), db_text(v->rows, A_MODEL), db_integer(v->rows, A_ID));
	db_reset(v->version);
	return result;
}

/* Which row the record wrote; REGISTRY_ROW_COUNT for none. */
static enum registry_row row_written(struct verify *v)
{
	static const char *const actions[] = {
	    [REGISTRY_ROW_POLICY] = "policy",
	    [REGISTRY_ROW_APPROVAL] = "approve",
	    [REGISTRY_ROW_TEST] = "tested",
	    [REGISTRY_ROW_ACKNOWLEDGEMENT] = "acknowledge",
	};
	const char *action = db_text(v->rows, A_ACTION);
	if (strcmp(db_text(v->rows, A_OUTCOME), "done") != 0)
		return REGISTRY_ROW_COUNT;
	for (size_t row = 0; row < sizeof actions / sizeof *actions; row++)
		if (strcmp(action, actions[row]) == 0)
			return (enum registry_row)row;
	const char *data = db_text(v->rows, A_DATA);
	if (strstr(data, ",\"preregistered\":{") != NULL)
		return REGISTRY_ROW_PREREGISTERED;
	return strstr(data, ",\"terms\":{") != NULL ? REGISTRY_ROW_TERMS : REGISTRY_ROW_COUNT;
}

/* What decides what may serve is as its record says. */
static int check_row(struct verify *v, struct err *e)
{
	enum registry_row row = row_written(v);
	if (row == REGISTRY_ROW_COUNT)
		return 0;
	struct statement *s = v->decides[row];
	db_bind_text(s, 1, db_text(v->rows, A_DATA)[0] != '\0' ? db_text(v->rows, A_DATA) : "{}");
	if (row == REGISTRY_ROW_POLICY)
		db_bind_text(s, 2, db_text(v->rows, A_MODEL));
	if (row == REGISTRY_ROW_TERMS || row == REGISTRY_ROW_PREREGISTERED)
		db_bind_integer(s, 3, db_integer(v->rows, A_BASED_ON));
	int found = db_step(s, e);
	int result = found < 0 ? -1 : 0;
	if (found == 1)
		v->decides_count[row] += db_integer(s, 0) == 1;
	else if (found == 0)
		result = fault(v, db_integer(v->rows, A_ID),
			       "the %s that record %" PRId64 " speaks of was changed or removed",
			       registry_row_name(row), db_integer(v->rows, A_ID));
	db_reset(s);
	return result;
}

/* 0 when the record is sound. */
static int check_record(struct verify *v, struct err *e)
{
	struct audit_head *head = &v->verdict->head;
	v->verdict->records++;
	int result = check_hash(v, e);
	if (result == 0)
		result = check_revision(v, e);
	if (result == 0)
		result = check_file(v, e);
	if (result == 0)
		result = check_row(v, e);
	if (result != 0)
		return result;
	head->id = db_integer(v->rows, A_ID);
	snprintf(head->hash, sizeof head->hash, "%s", db_text(v->rows, A_HASH));
	return check_kept(v);
}

/* The first row of a query into a number and a name. */
static int ask(struct db *db, const char *sql, int64_t *number, char name[80], struct err *e)
{
	struct statement *s = db_prepare(db, sql, e);
	if (s == NULL)
		return -1;
	int row = db_step(s, e);
	if (row == 1) {
		*number = db_integer(s, 0);
		text_clean(name, 80, db_text(s, 1));
	}
	db_end(s);
	return row;
}

static int check_unrecorded(struct verify *v, enum registry_row row, struct err *e)
{
	struct statement *s = registry_row_prepare_count(v->db, row, e);
	int found = s != NULL ? db_step(s, e) : -1;
	bool same = found == 1 && db_integer(s, 0) == v->decides_count[row];
	db_end(s);
	if (found < 0 || same)
		return found < 0 ? -1 : 0;
	return fault(v, 0, "a row is in no record as it is now: the %s was put in, or changed", registry_row_name(row));
}

/* What a walk from record to record does not meet: a tail that was cut, and revisions that nobody recorded. */
static int check_rest(struct verify *v, struct err *e)
{
	int64_t last = 0, count = 0, revision = 0, id = v->verdict->head.id;
	char name[80] = "";
	if (v->kept != NULL && v->kept->id > id)
		return fault(v, id + 1,
			     "records %" PRId64 " to %" PRId64 " are missing: the end of the audit was cut off", id + 1,
			     v->kept->id);
	/* Whoever deletes records usually leaves the counter. */
	if (ask(v->db, "SELECT seq, name FROM sqlite_sequence WHERE name = 'audit'", &last, name, e) < 0)
		return -1;
	if (last > id)
		return fault(v, id + 1,
			     "records %" PRId64 " to %" PRId64 " are missing: the end of the audit was cut off", id + 1,
			     last);
	if (ask(v->db, "SELECT count(*), '' FROM revision", &count, name, e) < 0)
		return -1;
	if (count == v->revision_count) {
		int result = 0;
		for (int row = 0; result == 0 && row < REGISTRY_ROW_COUNT; row++)
			result = check_unrecorded(v, (enum registry_row)row, e);
		return result;
	}
	int row = ask(v->db,
		      "SELECT r.revision, coalesce(m.name, 'no model') FROM revision r"
		      " LEFT JOIN model m ON m.id = r.model_id"
		      " EXCEPT SELECT revision, model FROM audit WHERE revision > 0 LIMIT 1",
		      &revision, name, e);
	return row < 0 ? -1 : fault(v, 0, "revision %" PRId64 " of %s is in no record: it was put in", revision, name);
}

static int walk(struct verify *v, struct err *e)
{
	int row, result = 0;
	snprintf(v->verdict->head.hash, sizeof v->verdict->head.hash, "%s", registry_chain_start);
	result = check_kept(v);
	while (result == 0 && (row = db_step(v->rows, e)) != 0)
		result = row < 0 ? -1 : check_record(v, e);
	if (result == 0)
		result = check_rest(v, e);
	return result < 0 ? -1 : 0;
}

static int prepare(struct verify *v, struct err *e)
{
	v->rows = db_prepare(v->db, "SELECT " AUDIT_COLUMNS ", hash FROM audit ORDER BY id", e);
	if (v->rows != NULL)
		v->revision = db_prepare(v->db, REVISION_SELECT, e);
	if (v->revision != NULL)
		v->version = db_prepare(v->db,
					"SELECT 1 FROM version v JOIN model m ON m.id = v.model_id WHERE m.name = ?1"
					" AND v.version = ?2 AND instr(?3, '\"sha256\":\"' || v.sha256 || '\"')",
					e);
	bool prepared = v->version != NULL;
	for (int row = 0; prepared && row < REGISTRY_ROW_COUNT; row++)
		prepared = (v->decides[row] = registry_row_prepare(v->db, (enum registry_row)row, e)) != NULL;
	return prepared ? 0 : -1;
}

/* Opens the database of a state directory, or that very file, in which there must be a chain. */
static int open_state(const char *state, struct db **db, struct err *e)
{
	char path[PATH_MAX];
	struct stat status;
	size_t version;
	bool file = stat(state, &status) == 0 && S_ISREG(status.st_mode);
	int length = snprintf(path, sizeof path, file ? "%s" : "%s/mldeck.db", state);
	if (length < 0 || (size_t)length >= sizeof path)
		return err_set(e, ERR_INPUT, "the state directory's path is too long");
	if (db_open_read(path, db, e) != 0)
		return -1;
	if (db_version(*db, &version, e) == 0) {
		size_t chained = 0;
		while (registry_schema[chained++] != registry_schema_chain)
			;
		if (version >= chained && version <= registry_schema_count)
			return 0;
		err_set(e, ERR_UNSUPPORTED,
			version < chained
			    ? "%s is of an older mldeck and has no chain yet: start the runtime of this one "
			      "on it once"
			    : "%s was written by a newer mldeck: use that one",
			path);
	}
	db_close(*db);
	return -1;
}

int registry_verify(const char *state, const struct audit_head *kept, struct audit_verdict *verdict, struct err *e)
{
	struct verify v = {.kept = kept, .verdict = verdict};
	*verdict = (struct audit_verdict){.whole = true};
	if (open_state(state, &v.db, e) != 0)
		return -1;
	buf_init(&v.scratch);
	/* One moment for all queries, whatever a runtime writes meanwhile. */
	int result = db_run(v.db, "BEGIN", e);
	if (result == 0)
		result = prepare(&v, e);
	if (result == 0)
		result = walk(&v, e);
	for (int row = 0; row < REGISTRY_ROW_COUNT; row++)
		db_end(v.decides[row]);
	db_end(v.version);
	db_end(v.revision);
	db_end(v.rows);
	buf_release(&v.scratch);
	db_close(v.db);
	return result;
}

int registry_read_head(const char *state, struct audit_head *head, struct err *e)
{
	struct db *db;
	if (open_state(state, &db, e) != 0)
		return -1;
	int result = registry_chain_head(db, head, e);
	db_close(db);
	return result;
}

int audit_head_read(const char *text, struct audit_head *head, struct err *e)
{
	const char *colon = strchr(text, ':');
	char number[24] = "";
	long long id;
	if (colon != NULL && (size_t)(colon - text) < sizeof number)
		memcpy(number, text, (size_t)(colon - text));
	if (colon == NULL || !text_integer(number, 0, INT64_MAX, &id) || !digest_valid(colon + 1))
		return err_set(e, ERR_INPUT, "a head is ID:HASH, as mldeck audit --head prints it, not `%.100s`", text);
	head->id = id;
	snprintf(head->hash, sizeof head->hash, "%s", colon + 1);
	return 0;
}

cJSON *audit_head_to_json(const struct audit_head *head)
{
	cJSON *json = cJSON_CreateObject();
	if (cJSON_AddNumberToObject(json, "id", (double)head->id) != NULL &&
	    cJSON_AddStringToObject(json, "hash", head->hash) != NULL)
		return json;
	cJSON_Delete(json);
	return NULL;
}

cJSON *audit_verdict_to_json(const struct audit_verdict *verdict)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *fault = verdict->whole ? cJSON_CreateNull() : cJSON_CreateObject();
	bool done = cJSON_AddBoolToObject(json, "ok", verdict->whole) != NULL &&
		    cJSON_AddNumberToObject(json, "records", (double)verdict->records) != NULL &&
		    cJSON_AddItemToObject(json, "head", audit_head_to_json(&verdict->head)) &&
		    (verdict->whole || (cJSON_AddNumberToObject(fault, "id", (double)verdict->fault_id) != NULL &&
					cJSON_AddStringToObject(fault, "text", verdict->fault) != NULL));
	if (done && cJSON_AddItemToObject(json, "fault", fault))
		return json;
	cJSON_Delete(fault);
	cJSON_Delete(json);
	return NULL;
}
