/*
 * db: the one file that knows SQLite: a database of one writer, its statements, transactions and schema.
 *
 * Owner: whoever opened it; not thread-safe (the registry's mutex guards it). WAL with synchronous=FULL: a
 * transaction whose db_commit() returned 0 survives kill -9 and a power cut.
 * Not here: tables and what they mean (registry).
 */
#ifndef CORE_DB_H
#define CORE_DB_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

struct db;

/* Opens or makes (0600) the file at path. ERR_SYSTEM with a sentence when it is no database or damaged. */
int db_open(const char *path, struct db **result, struct err *e);
void db_close(struct db *db);

/* The same for reading alone, also of a copy and beside a writer; makes no file. It may lie in a folder that may not be
 * written. */
int db_open_read(const char *path, struct db **result, struct err *e);

/* What SQL cannot do of a step, in its transaction and after its SQL; version counts from 1. */
typedef int db_fill(void *context, size_t version, struct err *e);
/* Brings the schema from PRAGMA user_version to count by running steps[version ...], each a transaction of
 * its own; fill may be NULL. *before gets the version found. ERR_UNSUPPORTED for a database of a newer schema. */
int db_migrate(struct db *db, const char *const *steps, size_t count, db_fill *fill, void *context, size_t *before,
	       struct err *e);
/* The schema's version of a database. */
int db_version(struct db *db, size_t *version, struct err *e);

/* Runs SQL that gives no rows. */
int db_run(struct db *db, const char *sql, struct err *e);

/* A transaction that writes. After a failed commit the caller still calls db_rollback(), which never fails
 * and does nothing outside a transaction. */
int db_begin(struct db *db, struct err *e);
int db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db);

/* A commit appends to the write-ahead log and syncs it, and no more: bringing the log into the file takes many times
 * as long. That is db_checkpoint(): on a connection of its own it delays no commit. */
int db_checkpoint(struct db *db, struct err *e);
/* Pages of 4 KiB in the log after this connection's last commit. Any thread. */
size_t db_log_pages(const struct db *db);

/* --- statements: owned by the caller until db_end(); text is copied when bound --- */

struct statement;
struct statement *db_prepare(struct db *db, const char *sql, struct err *e);
/* index starts at 1. A failed binding shows in the next db_step(). */
void db_bind_integer(struct statement *s, int index, int64_t value);
void db_bind_text(struct statement *s, int index, const char *text);
void db_bind_number(struct statement *s, int index, double value); /* NaN becomes NULL */
void db_bind_bytes(struct statement *s, int index, const void *bytes, size_t size);
/* 1: a row, 0: no more rows, -1: failed. */
int db_step(struct statement *s, struct err *e);
/* column starts at 0. The text is valid until the next step, "" for NULL. */
int64_t db_integer(struct statement *s, int column);
const char *db_text(struct statement *s, int column);
/* What the row really holds, for whoever must not be fooled by a conversion. */
enum db_type { DB_INTEGER, DB_TEXT, DB_OTHER };
enum db_type db_type(struct statement *s, int column);
/* The bytes of db_text(), which may hold a NUL. */
size_t db_size(struct statement *s, int column);
/* A blob, or NULL for none or what is no blob; valid until the next step. */
const unsigned char *db_bytes(struct statement *s, int column, size_t *size);
/* Ready for other values; what was bound stays until it is bound anew. */
void db_reset(struct statement *s);
double db_number(struct statement *s, int column); /* NaN for NULL */
void db_end(struct statement *s);

#endif
