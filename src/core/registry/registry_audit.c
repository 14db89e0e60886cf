/* The audit: who did, or tried, what, when and why. Rows are only ever added. */
#include "core/registry/registry_internal.h"

#include "core/clock.h"

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

static void bind_record(struct statement *s, int64_t id, const struct audit_record *record)
{
	db_bind_integer(s, 1, id);
	db_bind_integer(s, 2, record->at_ms);
	db_bind_integer(s, 3, record->uid);
	db_bind_text(s, 4, record->who);
	db_bind_text(s, 5, record->client);
	db_bind_text(s, 6, record->action);
	db_bind_text(s, 7, record->model);
	db_bind_integer(s, 8, record->version);
	db_bind_integer(s, 9, record->revision);
	db_bind_integer(s, 10, record->based_on);
	db_bind_text(s, 11, record->outcome);
	db_bind_text(s, 12, record->reason);
	db_bind_text(s, 13, record->detail);
	db_bind_integer(s, 14, record->forced);
	db_bind_text(s, 15, record->data != NULL ? record->data : "");
}

#define VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15"

/* The hash that the record will have, of the very values that the database is given. */
static int hash_record(struct registry *r, int64_t id, const struct audit_record *record, const char *previous,
		       char hash[AUDIT_HASH_SIZE], struct err *e)
{
	struct buf scratch;
	struct statement *s = db_prepare(r->db, "SELECT " VALUES, e);
	if (s == NULL)
		return -1;
	buf_init(&scratch);
	bind_record(s, id, record);
	int result = db_step(s, e) == 1 ? registry_chain_hash(s, previous, &scratch, hash, e) : -1;
	buf_release(&scratch);
	db_end(s);
	return result;
}

int registry_append_audit(struct registry *r, const struct audit_record *record, struct err *e)
{
	struct audit_head head;
	char hash[AUDIT_HASH_SIZE];
	if (registry_chain_head(r->db, &head, e) != 0 || hash_record(r, head.id + 1, record, head.hash, hash, e) != 0)
		return -1;
	struct statement *s =
	    db_prepare(r->db, "INSERT INTO audit (" AUDIT_COLUMNS ", hash) VALUES (" VALUES ", ?16)", e);
	if (s == NULL)
		return -1;
	bind_record(s, head.id + 1, record);
	db_bind_text(s, 16, hash);
	int result = db_step(s, e);
	db_end(s);
	return result < 0 ? -1 : 0;
}

/* Of this thread, so that whoever called something can tell whether it has recorded what it did. */
static _Thread_local unsigned long recorded;

unsigned long registry_recorded(void)
{
	return recorded;
}

int registry_insert_audit(struct registry *r, const struct audit_record *record, struct err *e)
{
	bool admitted = true;
	if (strcmp(record->outcome, "done") != 0 && registry_admit_refusal(r, record, &admitted, e) != 0)
		return -1;
	if (admitted && registry_append_audit(r, record, e) != 0)
		return -1;
	recorded++;
	return 0;
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

int registry_audit_head(struct registry *r, struct audit_head *head, struct err *e)
{
	registry_lock(r);
	int result = registry_chain_head(r->db, head, e);
	registry_unlock(r);
	return result;
}
