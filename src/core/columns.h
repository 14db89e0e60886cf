/*
 * columns: a model's inputs as a flat list of named columns, rows of fields as tensors, and outputs as columns.
 *
 * A single input [-1, k] of a model with feature names has those names; an input [-1] or [-1, 1] has its own;
 * another [-1, k] has NAME_0 ... NAME_(k-1). So have outputs. CSV, JSON lines, query arguments, instances and
 * baselines all go through here.
 * Owner: whoever made it; constant afterwards, any thread. A struct columns_rows is one thread's.
 * Limits: COLUMNS_MAX columns, TENSOR_ROWS_MAX rows. Not here: text of several fields (rows), wire forms (v2).
 */
#ifndef CORE_COLUMNS_H
#define CORE_COLUMNS_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/manifest.h"
#include "core/scan.h"
#include "core/tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLUMNS_MAX 65536
#define COLUMNS_NONE SIZE_MAX

struct column {
	char *name;
	enum datatype datatype;
	size_t input; /* of the manifest */
	size_t index; /* within that input's rows */
};

struct columns {
	size_t count; /* at least 1 */
	struct column *list;
	size_t *sorted; /* private: indices by name */
	size_t row_max; /* rows of one prediction: 1 where the first dimension is fixed, else no limit */
	size_t input_count;
	struct column_input {
		enum datatype datatype;
		size_t width; /* columns of a row */
		size_t rank;  /* 1: [rows], 2: [rows, width] */
	} * inputs;
};

/* model: for the sentence. ERR_INPUT where an input is no columns: it has more than two dimensions, or one
 * but the first that is not known. */
struct columns *columns_new(const struct manifest *m, const char *model, struct err *e);
void columns_free(struct columns *c);
/* The column of that name, or COLUMNS_NONE. */
size_t columns_find(const struct columns *c, const char *name, size_t size);

/* Rows that are being put together. */
struct columns_rows {
	const struct columns *columns; /* borrowed */
	struct arena *arena;           /* borrowed; holds all data */
	size_t count, capacity;
	void **data;   /* [inputs]: [capacity][width] elements */
	size_t *given; /* private: the row in which a column was last put, plus 1 */
	size_t given_count;
};

/* Room for capacity rows, which grows. -1 with ERR_MEMORY. */
int columns_rows_init(struct columns_rows *r, const struct columns *c, struct arena *arena, size_t capacity,
		      struct err *e);
/* A row is begun, every column is put once, in any order, and the row is ended. A row that is not ended is as if
 * it had never been. */
int columns_rows_begin(struct columns_rows *r, struct err *e);
/* The field's text as the column's datatype. Numbers are rounded correctly; an empty text, NA and NaN are absent
 * values, for floats only; BOOL is true, false, 1 or 0; integers are checked for their range; BYTES are as they are.
 * ERR_INPUT without the column's name: "`x` is not a number". */
int columns_put(struct columns_rows *r, size_t column, const char *text, size_t size, struct err *e);
/* A value of JSON, checked; text keeps a string without its escapes. null is an absent value. */
int columns_put_json(struct columns_rows *r, size_t column, struct scan_span value, struct buf *text, struct err *e);
/* An absent value: NaN for floats, ERR_INPUT for others. */
int columns_put_absent(struct columns_rows *r, size_t column, struct err *e);
/* ERR_INPUT when a column was not put; *missing (may be NULL) is the first such one, else COLUMNS_NONE. */
int columns_rows_end(struct columns_rows *r, size_t *missing, struct err *e);
/* Rows [first, first + count) as tensors[columns->input_count]; the data stays the arena's. */
void columns_rows_tensors(const struct columns_rows *r, size_t first, size_t count, struct tensor *tensors);

/* Columns that an output of an answer to `rows` rows has: the elements of a row. ERR_UPSTREAM when its first
 * dimension is not rows. */
int columns_output_width(const struct tensor *t, const char *name, size_t rows, size_t *width, struct err *e);
/* The same from the signature; 0 where a dimension is known only from an answer. */
size_t columns_spec_width(const struct tensor_spec *spec);
/* NAME, or NAME_i where the width is more than 1. */
void columns_output_name(struct buf *out, const char *name, size_t width, size_t i);
/* Element i as text: numbers in the shortest form that reads back to the same, true and false, BYTES as they are.
 * NaN, inf and -inf are such words; in JSON they are null. */
void columns_write_text(struct buf *out, const struct tensor *t, size_t i);
void columns_write_json(struct buf *out, const struct tensor *t, size_t i);
/* The same text as a field of CSV, in quotes where it needs them. */
void columns_write_csv(struct buf *out, const struct tensor *t, size_t i);
/* A row of an output in JSON: its one value, or an array. */
void columns_write_json_row(struct buf *out, const struct tensor *t, size_t width, size_t row);

#endif
