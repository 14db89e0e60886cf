/*
 * table: predictions for spreadsheets and sites: named values or a CSV in, a bare number, CSV or
 * plain JSON out.
 *
 * A request's rows are put into the model's columns; which outputs it wants, and in what form, are
 * options of its query. A word that is an option gives way to a feature of that name; `mldeck-`
 * before the word is always the option. All memory is the inference's arena. Limits:
 * TENSOR_ROWS_MAX rows. Not here: HTTP, which version answers (protocol_table), what a field may
 * say (columns), lines of CSV (rows).
 */
#ifndef RUNTIME_TABLE_H
#define RUNTIME_TABLE_H

#include "core/buf.h"
#include "core/columns.h"
#include "core/err.h"
#include "runtime/router/infer.h"

#include <stdbool.h>
#include <stddef.h>

/* The three forms of an answer: the word of ?format=, its media type, and its schema in
 * /openapi.json. */
#define TABLE_FORMATS(X)                                     \
	X(TEXT, "text", "text/plain; charset=utf-8", "Text") \
	X(CSV, "csv", "text/csv; charset=utf-8", "Csv")      \
	X(JSON, "json", "application/json", "TableAnswer")

enum table_format {
#define X(name, word, type, schema) TABLE_##name,
	TABLE_FORMATS(X)
#undef X
	    TABLE_FORMAT_COUNT /* also: none was asked for */
};
const char *table_format_type(enum table_format format);

enum table_option { TABLE_VERSION, TABLE_UNIT, TABLE_OUTPUT, TABLE_FORMAT, TABLE_OPTION_COUNT };
/* The option that a name of a query is, or TABLE_OPTION_COUNT; columns NULL: the query holds no
 * features. */
enum table_option table_option(const struct columns *columns, const char *name);

/* An output that is asked for: all of its columns, or one. */
struct table_output {
	size_t spec;
	size_t column; /* TABLE_WHOLE: all */
};
#define TABLE_WHOLE SIZE_MAX

struct table_request {
	enum table_format format;
	bool unit;                /* was given */
	bool one;                 /* a row by itself, not a list of them: JSON answers an object */
	struct columns_rows rows; /* being put together; rows.columns are the model's */
	size_t output_count;
	struct table_output *outputs; /* in the arena */
	bool named;                   /* outputs were asked for by name */
};

/* Before anything is put. */
int table_begin(struct table_request *t, const struct infer_version *version, struct inference *inference,
		struct err *e);
/* An option's value: output and format count here; the unit is only checked, the version passed over. */
int table_set(struct table_request *t, enum table_option option, const struct manifest *m, const char *value,
	      struct err *e);
/* One feature of the row that a query is (value NULL or "": absent), and the end of that row. */
int table_put(struct table_request *t, const char *name, const char *value, struct err *e);
int table_put_end(struct table_request *t, struct err *e);

/* What a body is by its Content-Type (NULL: none): ERR_UNSUPPORTED for what is clearly neither. */
int table_body_is_json(const char *content_type, const char *body, size_t size, bool *json, struct err *e);
/* The first form of an Accept header that is one of ours; TABLE_FORMAT_COUNT when there is none. */
enum table_format table_accepted(const char *accept);
/* All rows of a body: CSV with a header line; {"feature": value}, a list of such objects, or of
 * arrays. */
int table_read_csv(struct table_request *t, const char *body, size_t size, struct err *e);
int table_read_json(struct table_request *t, const char *body, size_t size, struct err *e);
/* Fills the inputs and says what is wanted. fallback: the form when none was asked for. */
int table_end(struct table_request *t, const struct infer_version *version, struct inference *inference,
	      enum table_format fallback, struct err *e);

/* Writes the answer in its form. -1: it cannot be given so; out is to be emptied. */
int table_write(struct buf *out, const struct table_request *t, const struct infer_version *version,
		struct inference *inference, struct err *e);

#endif
