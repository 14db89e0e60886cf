/*
 * table: rows of plain text in aligned columns, for terminals and pipes.
 *
 * Owner: the caller. Not thread-safe. Cells are cleaned, and ASCII where the locale demands it. On a
 * terminal lines are cut at its width; in a pipe nothing is.
 */
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include "core/buf.h"
#include "core/err.h"

#include <stddef.h>

#define TABLE_COLUMNS_MAX 12
#define TABLE_CELL_SIZE 320

struct table;

/* headers ends with NULL; a header that starts with '>' makes its column flush right. NULL when memory is
 * out. */
struct table *table_new(const char *const *headers);
void table_free(struct table *t);
/* Starts a row; its cells stay empty until they are set. A failure is kept for table_text(). */
void table_row(struct table *t);
/* Sets the next cell of the last row. */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds the lines to b; width 0: uncut. */
int table_text(const struct table *t, int width, struct buf *b, struct err *e);
/* The lines to stdout, cut at its width when it is a terminal. */
int table_print(const struct table *t, struct err *e);

#endif
