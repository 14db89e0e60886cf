/* The chain of the audit: the canonical form of a record, which docs/AUDIT.md describes, and its hash. */
#include "core/registry/registry_internal.h"

#include "core/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FORM "mldeck-audit-1"

const char registry_chain_start[AUDIT_HASH_SIZE] = "0000000000000000000000000000000000000000000000000000000000000000";

/* What AUDIT_COLUMNS hold: i whole numbers, t text. */
static const char kinds[AUDIT_COLUMN_COUNT + 1] = "iiittttiiitttit";

/* "5:value," so that no two lists of fields have the same bytes. */
static void add_field(struct buf *form, const char *bytes, size_t size)
{
	buf_format(form, "%zu:", size);
	buf_add(form, bytes, size);
	buf_add_char(form, ',');
}

static bool add_column(struct buf *form, struct statement *row, int column)
{
	enum db_type type = db_type(row, column);
	if (type != (kinds[column] == 'i' ? DB_INTEGER : DB_TEXT))
		return false;
	if (type == DB_TEXT) {
		const char *text = db_text(row, column);
		add_field(form, text, db_size(row, column));
		return true;
	}
	char number[24];
	int size = snprintf(number, sizeof number, "%" PRId64, db_integer(row, column));
	add_field(form, number, (size_t)size);
	return true;
}

int registry_chain_hash(struct statement *row, const char *previous, struct buf *scratch, char hash[AUDIT_HASH_SIZE],
			struct err *e)
{
	bool sound = true;
	buf_clear(scratch);
	add_field(scratch, FORM, strlen(FORM));
	add_field(scratch, previous, strlen(previous));
	for (int column = 0; sound && column < AUDIT_COLUMN_COUNT; column++)
		sound = add_column(scratch, row, column);
	hash[0] = '\0';
	if (scratch->failed)
		return err_set(e, ERR_MEMORY, "memory ran out over a record of the audit");
	return sound ? digest_of(scratch->data, scratch->size, hash, e) : 0;
}

int registry_chain_head(struct db *db, struct audit_head *head, struct err *e)
{
	struct statement *s = db_prepare(db, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1", e);
	if (s == NULL)
		return -1;
	*head = (struct audit_head){0};
	int row = db_step(s, e);
	if (row == 1)
		head->id = db_integer(s, 0);
	snprintf(head->hash, sizeof head->hash, "%s", row == 1 ? db_text(s, 1) : registry_chain_start);
	db_end(s);
	return row < 0 ? -1 : 0;
}

static int write_hash(struct statement *update, int64_t id, const char *hash, struct err *e)
{
	db_bind_integer(update, 1, id);
	db_bind_text(update, 2, hash);
	int row = db_step(update, e);
	db_reset(update);
	return row;
}

static int chain_rows(struct statement *rows, struct statement *update, struct buf *scratch, struct err *e)
{
	char hash[AUDIT_HASH_SIZE], previous[AUDIT_HASH_SIZE];
	int row;
	memcpy(hash, registry_chain_start, sizeof hash);
	while ((row = db_step(rows, e)) == 1) {
		memcpy(previous, hash, sizeof previous);
		if (registry_chain_hash(rows, previous, scratch, hash, e) != 0 ||
		    write_hash(update, db_integer(rows, 0), hash, e) != 0)
			return -1;
	}
	return row;
}

int registry_chain_all(struct db *db, struct err *e)
{
	struct statement *rows = db_prepare(db, "SELECT " AUDIT_COLUMNS " FROM audit ORDER BY id", e);
	struct statement *update = rows != NULL ? db_prepare(db, "UPDATE audit SET hash = ?2 WHERE id = ?1", e) : NULL;
	struct buf scratch;
	buf_init(&scratch);
	int result = update != NULL ? chain_rows(rows, update, &scratch, e) : -1;
	buf_release(&scratch);
	db_end(update);
	db_end(rows);
	return result;
}
