/*
 * rows_internal: what rows*.c share; included by no one else.
 */
#ifndef CORE_ROWS_INTERNAL_H
#define CORE_ROWS_INTERNAL_H

#include "core/rows.h"

/* Room for count kept fields. */
int rows_kept_reserve(struct rows *r, size_t count, struct err *e);
/* One kept field more (reserved); value NULL: absent. */
void rows_keep_add(struct rows *r, const char *name, size_t size, const struct rows_value *value);
/* Before a row of which nothing may be known: all kept fields are absent. */
void rows_kept_clear(struct rows *r);
/* Puts the JSON line in csv.fields[0]; *column is the one at fault, or COLUMNS_NONE. What is kept is read to the
 * line's end all the same. */
int rows_json(struct rows *r, struct columns_rows *into, size_t *column, struct err *e);

#endif
