#include "core/db.h"

#include "core/buf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000

/* A log of so many pages (64 MiB) is brought into the file by the commit itself: nobody else did. */
#define LOG_PAGES_MAX 16384

struct db {
	sqlite3 *handle;
	atomic_int log_pages;
};

struct statement {
	struct db *db;
	sqlite3_stmt *handle;
	int bound; /* the first failure of a binding, or SQLITE_OK */
};

/* Why the system refused. The connection's own note of it is lost when a rollback follows; the WAL
 * and the database file each keep theirs. */
static int system_error(struct db *db)
{
	int error = sqlite3_system_errno(db->handle);
	static const int files[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};
	for (size_t i = 0; error == 0 && i < sizeof files / sizeof *files; i++) {
		sqlite3_file *file = NULL;
		if (sqlite3_file_control(db->handle, "main", files[i], &file) == SQLITE_OK && file != NULL &&
		    file->pMethods != NULL)
			file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
	}
	return error;
}

static int report(struct db *db, int code, struct err *e)
{
	int error;
	switch (code & 0xff) {
	case SQLITE_FULL:
		return err_set(e, ERR_DISK_FULL,
			       "the disk of the state directory is full, so nothing was changed: make room "
			       "and try again");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(e, ERR_SYSTEM,
			       "the database mldeck.db is damaged or is no database (%s): restore it from a "
			       "copy, or move it away to start empty",
			       sqlite3_errmsg(db->handle));
	case SQLITE_NOMEM:
		return err_set(e, ERR_MEMORY, "memory ran out in the database");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_CONFLICT, "another program holds the database mldeck.db: end it and try again");
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return err_set(e, ERR_DENIED, "the database mldeck.db may not be written");
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		error = system_error(db);
		/* EFBIG is a limit on file sizes: for the operator the same as a full disk. */
		if (error == ENOSPC || error == EDQUOT || error == EFBIG)
			return report(db, SQLITE_FULL, e);
		if (error != 0)
			return err_errno(e, error, "the database mldeck.db failed (%s)", sqlite3_errstr(code));
		break;
	default:
		break;
	}
	return err_set(e, ERR_SYSTEM, "the database mldeck.db failed: %s", sqlite3_errmsg(db->handle));
}

int db_run(struct db *db, const char *sql, struct err *e)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : report(db, code, e);
}

/* SQLite would take the umask; its WAL and shared memory take the mode of this file. */
static int make_private(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, errno, "cannot open the database %s", path);
	close(fd);
	return 0;
}

/* The promise broken on purpose, in the variant whose tests must notice (core/fault.h). */
static int forget_the_disk(struct db *db, struct err *e)
{
#ifdef MLDECK_FAULTS
	const char *synchronous = getenv("MLDECK_FAULT_SYNCHRONOUS");
	if (synchronous != NULL && strcmp(synchronous, "OFF") == 0)
		return db_run(db, "PRAGMA synchronous = OFF", e);
#endif
	(void)db;
	(void)e;
	return 0;
}

static int note_log(void *context, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = context;
	atomic_store(&db->log_pages, pages);
	if (pages >= LOG_PAGES_MAX)
		sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

size_t db_log_pages(const struct db *db)
{
	return (size_t)atomic_load(&db->log_pages);
}

int db_checkpoint(struct db *db, struct err *e)
{
	int code = sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return code == SQLITE_OK ? 0 : report(db, code, e);
}

int db_open(const char *path, struct db **result, struct err *e)
{
	struct db *db = calloc(1, sizeof *db);
	if (db == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while opening the database");
	if (make_private(path, e) != 0)
		goto failed;
	int code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		if (db->handle == NULL)
			err_set(e, ERR_MEMORY, "memory ran out while opening the database");
		else
			report(db, code, e);
		goto failed;
	}
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	if (db_run(db,
		   "PRAGMA journal_mode = WAL;"
		   "PRAGMA synchronous = FULL;"
		   "PRAGMA foreign_keys = ON;"
		   /* Or INSERT OR REPLACE would delete without asking the triggers. */
		   "PRAGMA recursive_triggers = ON;"
		   "PRAGMA trusted_schema = OFF;",
		   e) != 0 ||
	    forget_the_disk(db, e) != 0)
		goto failed;
	sqlite3_wal_hook(db->handle, note_log, db);
	*result = db;
	return 0;
failed:
	db_close(db);
	return -1;
}

/* The path as a URI: a database that nobody can be writing (it has no WAL) is read without making a file beside it. */
static void add_uri(struct buf *uri, const char *path)
{
	char wal[PATH_MAX];
	snprintf(wal, sizeof wal, "%s-wal", path);
	buf_add_string(uri, "file:");
	for (const char *c = path; *c != '\0'; c++)
		buf_format(uri, isalnum((unsigned char)*c) || *c == '/' ? "%c" : "%%%02X", (unsigned char)*c);
	if (access(wal, F_OK) != 0)
		buf_add_string(uri, "?immutable=1");
}

int db_open_read(const char *path, struct db **result, struct err *e)
{
	struct db *db = calloc(1, sizeof *db);
	struct buf uri;
	int code = SQLITE_NOMEM;
	if (access(path, R_OK) != 0) {
		free(db);
		return err_errno(e, errno, "cannot read the database %s", path);
	}
	buf_init(&uri);
	add_uri(&uri, path);
	if (db != NULL && !uri.failed)
		code = sqlite3_open_v2(uri.data, &db->handle,
				       SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
	buf_release(&uri);
	if (code == SQLITE_OK) {
		sqlite3_extended_result_codes(db->handle, 1);
		sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
		*result = db;
		return 0;
	}
	if (db == NULL || db->handle == NULL)
		err_set(e, ERR_MEMORY, "memory ran out while opening the database");
	else
		report(db, code, e);
	db_close(db);
	return -1;
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	sqlite3_close(db->handle);
	free(db);
}

int db_begin(struct db *db, struct err *e)
{
	return db_run(db, "BEGIN IMMEDIATE", e);
}

int db_commit(struct db *db, struct err *e)
{
	return db_run(db, "COMMIT", e);
}

void db_rollback(struct db *db)
{
	/* Some failures have rolled back by themselves. */
	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int db_version(struct db *db, size_t *version, struct err *e)
{
	struct statement *s = db_prepare(db, "PRAGMA user_version", e);
	if (s == NULL)
		return -1;
	int row = db_step(s, e);
	*version = row == 1 ? (size_t)db_integer(s, 0) : 0;
	db_end(s);
	return row < 0 ? -1 : 0;
}

static int migrate_one(struct db *db, const char *step, size_t version, db_fill *fill, void *context, struct err *e)
{
	char mark[64];
	snprintf(mark, sizeof mark, "PRAGMA user_version = %zu", version);
	if (db_begin(db, e) == 0 && db_run(db, step, e) == 0 && (fill == NULL || fill(context, version, e) == 0) &&
	    db_run(db, mark, e) == 0 && db_commit(db, e) == 0)
		return 0;
	db_rollback(db);
	return -1;
}

int db_migrate(struct db *db, const char *const *steps, size_t count, db_fill *fill, void *context, size_t *before,
	       struct err *e)
{
	if (db_version(db, before, e) != 0)
		return -1;
	if (*before > count)
		return err_set(e, ERR_UNSUPPORTED,
			       "the state was written by a newer mldeck (schema %zu, this one knows %zu): "
			       "use that one or another state directory",
			       *before, count);
	for (size_t version = *before; version < count; version++)
		if (migrate_one(db, steps[version], version + 1, fill, context, e) != 0)
			return -1;
	return 0;
}

struct statement *db_prepare(struct db *db, const char *sql, struct err *e)
{
	struct statement *s = calloc(1, sizeof *s);
	if (s == NULL) {
		err_set(e, ERR_MEMORY, "memory ran out in the database");
		return NULL;
	}
	s->db = db;
	int code = sqlite3_prepare_v2(db->handle, sql, -1, &s->handle, NULL);
	if (code == SQLITE_OK)
		return s;
	report(db, code, e);
	db_end(s);
	return NULL;
}

void db_bind_integer(struct statement *s, int index, int64_t value)
{
	int code = sqlite3_bind_int64(s->handle, index, value);
	if (s->bound == SQLITE_OK)
		s->bound = code;
}

void db_bind_text(struct statement *s, int index, const char *text)
{
	int code = sqlite3_bind_text(s->handle, index, text, -1, SQLITE_TRANSIENT);
	if (s->bound == SQLITE_OK)
		s->bound = code;
}

void db_bind_bytes(struct statement *s, int index, const void *bytes, size_t size)
{
	int code = sqlite3_bind_blob64(s->handle, index, size > 0 ? bytes : "", size, SQLITE_TRANSIENT);
	if (s->bound == SQLITE_OK)
		s->bound = code;
}

void db_bind_number(struct statement *s, int index, double value)
{
	int code = isnan(value) ? sqlite3_bind_null(s->handle, index) : sqlite3_bind_double(s->handle, index, value);
	if (s->bound == SQLITE_OK)
		s->bound = code;
}

int db_step(struct statement *s, struct err *e)
{
	if (s->bound != SQLITE_OK)
		return report(s->db, s->bound, e);
	int code = sqlite3_step(s->handle);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : report(s->db, code, e);
}

int64_t db_integer(struct statement *s, int column)
{
	return sqlite3_column_int64(s->handle, column);
}

const char *db_text(struct statement *s, int column)
{
	const unsigned char *text = sqlite3_column_text(s->handle, column);
	return text != NULL ? (const char *)text : "";
}

enum db_type db_type(struct statement *s, int column)
{
	int type = sqlite3_column_type(s->handle, column);
	return type == SQLITE_INTEGER ? DB_INTEGER : type == SQLITE_TEXT ? DB_TEXT : DB_OTHER;
}

size_t db_size(struct statement *s, int column)
{
	return (size_t)sqlite3_column_bytes(s->handle, column);
}

const unsigned char *db_bytes(struct statement *s, int column, size_t *size)
{
	*size = 0;
	if (sqlite3_column_type(s->handle, column) != SQLITE_BLOB)
		return NULL;
	const unsigned char *bytes = sqlite3_column_blob(s->handle, column);
	*size = (size_t)sqlite3_column_bytes(s->handle, column);
	return bytes;
}

void db_reset(struct statement *s)
{
	/* It tells how the last step ended, which that step has told. */
	sqlite3_reset(s->handle);
}

double db_number(struct statement *s, int column)
{
	return sqlite3_column_type(s->handle, column) == SQLITE_NULL ? (double)NAN
								     : sqlite3_column_double(s->handle, column);
}

void db_end(struct statement *s)
{
	if (s == NULL)
		return;
	sqlite3_finalize(s->handle);
	free(s);
}
