#include "core/rows.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELD_SIZE 512

/* Where reading stands. */
struct reader {
	const char *at;
	size_t line;
	char field[FIELD_SIZE];
	bool end_of_line; /* after the field just read */
};

static int next_quoted(struct reader *r, size_t *used, struct err *e)
{
	size_t line = r->line;
	r->at++;
	for (; *r->at != '\0'; r->at++) {
		if (*r->at == '"' && *++r->at != '"')
			return 0;
		if (*r->at == '\n')
			r->line++;
		if (*used + 1 >= FIELD_SIZE)
			return err_set(e, ERR_INPUT, "line %zu has a field of more than %d bytes", r->line,
				       FIELD_SIZE - 1);
		r->field[(*used)++] = *r->at;
	}
	return err_set(e, ERR_INPUT, "line %zu has a quote that is not closed", line);
}

/* Reads one field and what ends it. */
static int next_field(struct reader *r, struct err *e)
{
	size_t used = 0;
	if (*r->at == '"' && next_quoted(r, &used, e) != 0)
		return -1;
	while (*r->at != '\0' && *r->at != ',' && *r->at != '\n') {
		if (used + 1 >= FIELD_SIZE)
			return err_set(e, ERR_INPUT, "line %zu has a field of more than %d bytes", r->line,
				       FIELD_SIZE - 1);
		r->field[used++] = *r->at++;
	}
	if (used > 0 && r->field[used - 1] == '\r')
		used--;
	r->field[used] = '\0';
	r->end_of_line = *r->at != ',';
	if (*r->at != '\0')
		r->at++;
	return 0;
}

static size_t feature_index(char *const *features, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(features[i], name) == 0)
			return i;
	return SIZE_MAX;
}

/* Reads the header into column -> feature (SIZE_MAX: ignored); returns the columns, 0 on failure. */
static size_t read_header(struct reader *r, char *const *features, size_t feature_count,
			  size_t *feature_of, struct err *e)
{
	bool *seen = calloc(feature_count, sizeof *seen);
	size_t columns = 0, found = 0;
	if (seen == NULL) {
		err_set(e, ERR_MEMORY, "memory is out while reading rows");
		return 0;
	}
	do {
		if (columns == ROWS_COLUMNS_MAX) {
			err_set(e, ERR_INPUT, "the header has more than %d columns", ROWS_COLUMNS_MAX);
			goto fail;
		}
		if (next_field(r, e) != 0)
			goto fail;
		size_t i = feature_index(features, feature_count, r->field);
		if (i != SIZE_MAX && seen[i]) {
			err_set(e, ERR_INPUT, "the header names column `%s` twice", r->field);
			goto fail;
		}
		if (i != SIZE_MAX) {
			seen[i] = true;
			found++;
		}
		feature_of[columns++] = i;
	} while (!r->end_of_line);
	for (size_t i = 0; found < feature_count && i < feature_count; i++)
		if (!seen[i]) {
			err_set(e, ERR_INPUT, "the rows have no column `%s`, which the model needs",
				features[i]);
			goto fail;
		}
	free(seen);
	return columns;
fail:
	free(seen);
	return 0;
}

/* The process keeps LC_NUMERIC at "C" (main), so strtod() reads a point. */
static bool parse_number(const char *field, double *number)
{
	if (field[0] == '\0' || strcasecmp(field, "na") == 0 || strcasecmp(field, "nan") == 0) {
		*number = NAN;
		return true;
	}
	char *end;
	*number = strtod(field, &end);
	return end != field && *end == '\0';
}

static int read_row(struct reader *r, const size_t *feature_of, size_t columns, char *const *features,
		    double *row, struct err *e)
{
	size_t line = r->line;
	for (size_t column = 0; column < columns; column++) {
		if (next_field(r, e) != 0)
			return -1;
		size_t i = feature_of[column];
		if (i != SIZE_MAX && !parse_number(r->field, &row[i]))
			return err_set(e, ERR_INPUT, "line %zu, column `%s`: `%s` is not a number", line,
				       features[i], r->field);
		if (r->end_of_line != (column == columns - 1))
			return err_set(e, ERR_INPUT, "line %zu has not the %zu fields of the header", line,
				       columns);
	}
	r->line++;
	return 0;
}

static bool at_blank_end(const char *at)
{
	return at[strspn(at, "\r\n")] == '\0';
}

int rows_from_csv(const char *csv, char *const *features, size_t feature_count, double **rows,
		  size_t *row_count, struct err *e)
{
	struct reader r = {.at = csv, .line = 1};
	size_t *feature_of = malloc(ROWS_COLUMNS_MAX * sizeof *feature_of);
	double *data = NULL;
	size_t count = 0, capacity = 0, columns;

	if (feature_of == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while reading rows");
	columns = read_header(&r, features, feature_count, feature_of, e);
	r.line = 2;
	while (columns > 0 && !at_blank_end(r.at)) {
		if (count == capacity) {
			capacity = capacity == 0 ? 256 : capacity * 2;
			double *more = realloc(data, capacity * feature_count * sizeof *more);
			if (more == NULL || count >= ROWS_MAX) {
				data = more != NULL ? more : data;
				err_set(e, more == NULL ? ERR_MEMORY : ERR_INPUT,
					"more rows than memory or the limit of %d allow", ROWS_MAX);
				goto fail;
			}
			data = more;
		}
		if (read_row(&r, feature_of, columns, features, data + count * feature_count, e) != 0)
			goto fail;
		count++;
	}
	if (columns > 0 && count == 0)
		err_set(e, ERR_INPUT, "there are no rows after the header");
	if (count == 0)
		goto fail;
	free(feature_of);
	*rows = data;
	*row_count = count;
	return 0;
fail:
	free(feature_of);
	free(data);
	return -1;
}
