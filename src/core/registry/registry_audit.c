/* The audit: who did, or tried, what, when and why. Rows are only ever added. */
#include "core/registry/registry_internal.h"

#include "core/clock.h"

#include <stdlib.h>
#include <string.h>

void registry_audit_init(struct audit_record *record, const struct actor *actor, const char *action, const char *model,
			 const char *outcome, const char *reason)
{
	*record = (struct audit_record){.at_ms = clock_unix_ms(), .uid = actor->uid};
	text_clean(record->who, sizeof record->who, actor->name);
	text_clean(record->client, sizeof record->client, actor->client);
	text_clean(record->action, sizeof record->action, action);
	text_clean(record->model, sizeof record->model, model != NULL ? model : "");
	text_clean(record->outcome, sizeof record->outcome, outcome);
	text_clean(record->reason, sizeof record->reason, reason != NULL ? reason : "");
}

int registry_insert_audit(struct registry *r, const struct audit_record *record, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "INSERT INTO audit (at_ms, uid, who, client, action, model,"
					 " version, revision, based_on, outcome, reason, detail)"
					 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, record->at_ms);
	db_bind_integer(s, 2, record->uid);
	db_bind_text(s, 3, record->who);
	db_bind_text(s, 4, record->client);
	db_bind_text(s, 5, record->action);
	db_bind_text(s, 6, record->model);
	db_bind_integer(s, 7, record->version);
	db_bind_integer(s, 8, record->revision);
	db_bind_integer(s, 9, record->based_on);
	db_bind_text(s, 10, record->outcome);
	db_bind_text(s, 11, record->reason);
	db_bind_text(s, 12, record->detail);
	int result = db_step(s, e);
	db_end(s);
	return result < 0 ? -1 : 0;
}

int registry_audit(struct registry *r, const struct actor *actor, const char *action, const char *model,
		   uint32_t version, const char *outcome, const char *reason, const char *detail, struct err *e)
{
	struct audit_record record;
	registry_audit_init(&record, actor, action, model, outcome, reason);
	record.version = version;
	text_clean(record.detail, sizeof record.detail, detail != NULL ? detail : "");
	registry_lock(r);
	int result = registry_insert_audit(r, &record, e);
	registry_unlock(r);
	return result;
}

static void read_record(struct statement *s, struct audit_record *record)
{
	*record = (struct audit_record){
	    .id = db_integer(s, 0),
	    .at_ms = db_integer(s, 1),
	    .uid = (uint32_t)db_integer(s, 2),
	    .version = (uint32_t)db_integer(s, 7),
	    .revision = (uint32_t)db_integer(s, 8),
	    .based_on = (uint32_t)db_integer(s, 9),
	};
	text_clean(record->who, sizeof record->who, db_text(s, 3));
	text_clean(record->client, sizeof record->client, db_text(s, 4));
	text_clean(record->action, sizeof record->action, db_text(s, 5));
	text_clean(record->model, sizeof record->model, db_text(s, 6));
	text_clean(record->outcome, sizeof record->outcome, db_text(s, 10));
	text_clean(record->reason, sizeof record->reason, db_text(s, 11));
	text_clean(record->detail, sizeof record->detail, db_text(s, 12));
}

#define SELECT                                                                                     \
	"SELECT id, at_ms, uid, who, client, action, model, version, revision, based_on, outcome," \
	" reason, detail FROM audit WHERE"
#define NEWEST " id < ?2 ORDER BY id DESC LIMIT ?3"

static int read_records(struct registry *r, const char *model, int64_t before, size_t limit,
			struct audit_record **records, size_t *count, struct err *e)
{
	/* Two queries: with one condition for both, the index on the model would not be used. */
	bool one = model != NULL && model[0] != '\0';
	struct statement *s =
	    db_prepare(r->db, one ? SELECT " model = ?1 AND" NEWEST : SELECT " ?1 = '' AND" NEWEST, e);
	if (s == NULL)
		return -1;
	db_bind_text(s, 1, one ? model : "");
	db_bind_integer(s, 2, before > 0 ? before : INT64_MAX);
	db_bind_integer(s, 3, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	size_t capacity = 0;
	int row;
	while ((row = db_step(s, e)) == 1) {
		if (*count == capacity) {
			capacity = capacity == 0 ? 32 : capacity * 2;
			struct audit_record *more = realloc(*records, capacity * sizeof *more);
			if (more == NULL) {
				row = err_set(e, ERR_MEMORY, "memory ran out while reading the audit");
				break;
			}
			*records = more;
		}
		read_record(s, &(*records)[(*count)++]);
	}
	db_end(s);
	return row;
}

int registry_audits(struct registry *r, const char *model, int64_t before, size_t limit, struct audit_record **records,
		    size_t *count, struct err *e)
{
	struct audit_record *found = NULL;
	size_t found_count = 0;
	registry_lock(r);
	int result = read_records(r, model, before, limit, &found, &found_count, e);
	/* A name that was never heard of is a typing error, not an empty history. */
	int64_t id;
	if (result == 0 && found_count == 0 && before == 0 && model != NULL && model[0] != '\0')
		result = registry_find_model(r, model, &id, e);
	registry_unlock(r);
	if (result != 0) {
		free(found);
		return -1;
	}
	*records = found;
	*count = found_count;
	return 0;
}
