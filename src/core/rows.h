/*
 * rows: rows of named fields out of CSV with a header line, or out of JSON lines, put into a model's columns.
 *
 * Owner: the caller, from rows_init() to rows_release(); not thread-safe. Text arrives in pieces (csv).
 * A JSON line is an object by the columns' names, or an array in their order. Columns that the model has not are
 * passed over; one that it has and a row has not makes a bad row. Fields may be kept for the answer beside it.
 * Not here: what a field may say (columns).
 */
#ifndef CORE_ROWS_H
#define CORE_ROWS_H

#include "core/columns.h"
#include "core/csv.h"

#define ROWS_KEEP_MAX 1024

enum rows_format { ROWS_CSV, ROWS_JSON };

/* A field as it was written. */
enum rows_kind { ROWS_ABSENT, ROWS_TEXT, ROWS_TEXT_JSON };
struct rows_value {
	enum rows_kind kind;
	const char *data;
	size_t size;
};

/* What is kept of an input's rows beside the columns. */
struct rows_keep {
	bool all;
	size_t count;
	const char *names[ROWS_KEEP_MAX];
};

struct rows_kept {
	const char *name;
	size_t name_size;
	bool escaped; /* the name is as in JSON, with its escapes */
	struct rows_value value;
};

struct rows {
	struct csv csv; /* line and offset of the row last read are in it */
	enum rows_format format;
	const struct columns *columns; /* borrowed, as is keep */
	const struct rows_keep *keep;
	/* Of the row last read; valid until the next call. In CSV and with names they are always the same, in
	 * the same order; of JSON lines kept whole they are what the line has. */
	size_t kept_count;
	struct rows_kept *kept;
	const char *bad_column; /* of ROWS_BAD: the column at fault, "" for the whole row */

	size_t field_count; /* private, as is the rest: of the header */
	size_t *column_of;
	size_t *kept_field;
	char *names; /* the header's, for `kept` */
	size_t kept_capacity;
	struct buf text; /* a string without its escapes */
	bool header_read;
};

enum rows_step {
	ROWS_FAILED = -1,
	ROWS_MORE,   /* feed more */
	ROWS_HEADER, /* CSV: the header was read and fits; `kept` has its names */
	ROWS_ROW,    /* one row more is in the columns_rows */
	ROWS_BAD,    /* the row was passed over: the error says why, without its line */
	ROWS_END,
};

/* keep may be NULL: nothing is kept. -1 with ERR_MEMORY. */
int rows_init(struct rows *r, enum rows_format format, const struct columns *columns, const struct rows_keep *keep,
	      struct err *e);
void rows_release(struct rows *r);
/* Goes on in the middle of an input whose header was read. */
void rows_seek(struct rows *r, uint64_t offset, uint64_t line);
int rows_feed(struct rows *r, const char *data, size_t size, bool last, struct err *e);
enum rows_step rows_next(struct rows *r, struct columns_rows *into, struct err *e);

/* All of a text at once, into rows that were initialised. ERR_INPUT names line and column; also when there are
 * no rows at all. */
int rows_read(const char *text, size_t size, enum rows_format format, struct columns_rows *into, struct err *e);

/* A kept field in a line of CSV or in JSON. Of CSV's fields, what is a number of JSON becomes one and an empty
 * one null; all else is a string. */
void rows_write_csv(struct buf *out, const struct rows_value *value);
void rows_write_json(struct buf *out, const struct rows_value *value);

#endif
