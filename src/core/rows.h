/*
 * rows: feature rows from CSV text with a header line, matched to features by name.
 *
 * Pure; any thread. An empty field, NA and NaN are absent values (NaN). Fields may be quoted (RFC 4180).
 */
#ifndef CORE_ROWS_H
#define CORE_ROWS_H

#include "core/err.h"

#include <stddef.h>

#define ROWS_COLUMNS_MAX 65536
#define ROWS_MAX 1000000

/* Reads csv (NUL-terminated) into rows[*row_count][feature_count], malloc'd. Columns that are no feature are
 * ignored; a feature without a column, a line with too many or too few fields, a field that is no number, and no
 * rows at all are ERR_INPUT with the line's number and the column's name. */
int rows_from_csv(const char *csv, char *const *features, size_t feature_count, double **rows,
		  size_t *row_count, struct err *e);

#endif
