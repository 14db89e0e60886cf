/* Opening and closing, and the small things that the registry's files share. */
#include "core/registry/registry_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The log is brought into the file when it has so many pages: about a hundred changes. */
#define LOG_PAGES 512

void registry_lock(struct registry *r)
{
	pthread_mutex_lock(&r->mutex);
}

void registry_unlock(struct registry *r)
{
	pthread_mutex_unlock(&r->mutex);
}

int registry_clean_reason(const char *raw, char clean[REASON_SIZE], struct err *e)
{
	/* A control character takes four bytes when it is shown, so the cleaned text is what is
	 * measured. */
	char shown[REASON_SIZE * 4];
	text_clean(shown, sizeof shown, raw != NULL ? raw : "");
	size_t length = strlen(shown);
	if (length >= REASON_SIZE || (raw != NULL && strlen(raw) >= REASON_SIZE))
		return err_set(e, ERR_INPUT, "the reason is longer than %d bytes: shorten it", REASON_SIZE - 1);
	memcpy(clean, shown, length + 1);
	return 0;
}

/* What the steps of the schema cannot say in SQL. */
static int fill_step(void *context, size_t version, struct err *e)
{
	struct registry *r = context;
	return registry_schema[version - 1] == registry_schema_chain ? registry_chain_all(r->db, e) : 0;
}

int registry_last_id(struct registry *r, int64_t *id, struct err *e)
{
	struct statement *s = db_prepare(r->db, "SELECT last_insert_rowid()", e);
	int row = s == NULL ? -1 : db_step(s, e);
	if (row == 1)
		*id = db_integer(s, 0);
	db_end(s);
	return row < 0 ? -1 : 0;
}

int registry_finish(struct registry *r, int result, struct err *e)
{
	if (result == 0)
		result = db_commit(r->db, e);
	if (result != 0)
		db_rollback(r->db);
	registry_unlock(r);
	return result;
}

int registry_end_change(struct registry *r, int result, struct audit_record *attempt, struct err *e)
{
	if (result == 0)
		result = db_commit(r->db, e);
	if (result == 0)
		return 0;
	db_rollback(r->db);
	/* The refusal stands whether or not it could be recorded. */
	text_clean(attempt->outcome, sizeof attempt->outcome, err_name(e->code));
	text_clean(attempt->detail, sizeof attempt->detail, e->text);
	registry_insert_audit(r, attempt, NULL);
	return -1;
}

static int open_database(struct registry *r, struct err *e)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof path, "%s/mldeck.db", r->directory);
	if (length < 0 || (size_t)length >= sizeof path)
		return err_set(e, ERR_INPUT, "the state directory's path is too long");
	size_t before;
	if (db_open(path, &r->db, e) != 0 ||
	    db_migrate(r->db, registry_schema, registry_schema_count, fill_step, r, &before, e) != 0 ||
	    registry_sync_directory(r->directory_fd, ".", e) != 0 || db_open(path, &r->log_db, e) != 0)
		return -1;
	/* Beside a database that was just made, old artifacts mean that somebody lost one: keep
	 * them. */
	artifact_clean_store(r, before > 0);
	return 0;
}

int registry_open(const char *directory, struct registry **result, struct err *e)
{
	struct registry *r = calloc(1, sizeof *r);
	if (r == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while opening the state directory");
	pthread_mutex_init(&r->mutex, NULL);
	r->directory_fd = r->lock_fd = -1;
	if (registry_directory_open(r, directory, e) == 0 && artifact_open_store(r, e) == 0 &&
	    open_database(r, e) == 0) {
		*result = r;
		return 0;
	}
	registry_close(r);
	return -1;
}

int registry_checkpoint(struct registry *r, struct err *e)
{
	return db_log_pages(r->db) < LOG_PAGES ? 0 : db_checkpoint(r->log_db, e);
}

void registry_close(struct registry *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; r->db != NULL && i < REFUSERS_MAX; i++)
		registry_count_refusals(r, &r->refusals[i], NULL);
	db_close(r->log_db);
	db_close(r->db);
	/* Last: whoever takes the lock next finds the database closed. */
	registry_directory_close(r);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}
