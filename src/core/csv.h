/*
 * csv: records out of RFC 4180 text that arrives in pieces, and fields back into such text.
 *
 * Owner: the caller, from csv_init() to csv_release(); not thread-safe. Fields are valid until the next call.
 * Lines end with LF or CRLF, the last one also with the end; a byte order mark is passed over, and so are empty
 * lines (an empty field that is alone in its line is written `""`). A quote inside a field that does not start
 * with one is an ordinary character. With `lines` a record is a whole line (JSON lines), taken as one field.
 * Limits: CSV_RECORD_MAX bytes and CSV_FIELDS_MAX fields a record.
 * Not here: headers and what fields mean (rows).
 */
#ifndef CORE_CSV_H
#define CORE_CSV_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_RECORD_MAX ((size_t)16 << 20)
#define CSV_FIELDS_MAX 65536

struct csv_field {
	const char *data; /* unquoted; not NUL-terminated */
	size_t size;
};

struct csv {
	bool lines;      /* set after csv_init() */
	uint64_t offset; /* bytes of the input up to the end of the record last given */
	uint64_t line;   /* where that record starts; the first line is 1 */
	size_t field_count;
	struct csv_field *fields;

	uint64_t next_line; /* private, as is the rest */
	size_t field_capacity, at;
	struct buf pending;
	bool last;
};

enum csv_step {
	CSV_FAILED = -1, /* nothing can follow: the rest cannot be told into records */
	CSV_MORE,        /* feed more */
	CSV_RECORD,
	CSV_BAD, /* this record is no CSV and was passed over; the error says why, without its line */
	CSV_END,
};

void csv_init(struct csv *c);
void csv_release(struct csv *c);
/* Goes on in the middle of an input: at a record's start. */
void csv_seek(struct csv *c, uint64_t offset, uint64_t line);
/* Adds bytes; last: nothing follows them. ERR_MEMORY only. */
int csv_feed(struct csv *c, const char *data, size_t size, bool last, struct err *e);
/* The next record. CSV_FAILED: ERR_INPUT or ERR_TOO_LARGE "line 7 ...", or ERR_MEMORY. */
enum csv_step csv_next(struct csv *c, struct err *e);

/* A field, in quotes where it needs them. */
void csv_write(struct buf *out, const char *data, size_t size);

#endif
