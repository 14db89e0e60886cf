#include "core/rows.h"

#include "core/rows_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SHOWN_MAX 80 /* of a header in a sentence */

int rows_init(struct rows *r, enum rows_format format, const struct columns *columns, const struct rows_keep *keep,
	      struct err *e)
{
	size_t names = keep != NULL ? keep->count : 0;

	*r = (struct rows){.format = format, .columns = columns, .keep = keep, .bad_column = ""};
	csv_init(&r->csv);
	buf_init(&r->text);
	r->csv.lines = format == ROWS_JSON;
	r->column_of = calloc(CSV_FIELDS_MAX, sizeof *r->column_of);
	if (r->column_of == NULL || rows_kept_reserve(r, names + 1, e) != 0)
		return err_set(e, ERR_MEMORY, "memory is out while reading rows");
	for (size_t i = 0; i < names; i++)
		rows_keep_add(r, keep->names[i], strlen(keep->names[i]), NULL);
	return 0;
}

void rows_release(struct rows *r)
{
	csv_release(&r->csv);
	buf_release(&r->text);
	free(r->column_of);
	free(r->kept);
	free(r->kept_field);
	free(r->names);
	*r = (struct rows){0};
}

void rows_seek(struct rows *r, uint64_t offset, uint64_t line)
{
	csv_seek(&r->csv, offset, line);
}

int rows_feed(struct rows *r, const char *data, size_t size, bool last, struct err *e)
{
	return csv_feed(&r->csv, data, size, last, e);
}

int rows_kept_reserve(struct rows *r, size_t count, struct err *e)
{
	size_t capacity = r->kept_capacity < 16 ? 16 : r->kept_capacity;
	struct rows_kept *more;

	if (count <= r->kept_capacity)
		return 0;
	while (capacity < count)
		capacity *= 2;
	more = realloc(r->kept, capacity * sizeof *more);
	if (more == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while reading rows");
	r->kept = more;
	r->kept_capacity = capacity;
	return 0;
}

void rows_keep_add(struct rows *r, const char *name, size_t size, const struct rows_value *value)
{
	r->kept[r->kept_count++] = (struct rows_kept){.name = name, .name_size = size};
	if (value != NULL)
		r->kept[r->kept_count - 1].value = *value;
}

/* Names of a header that outlive it, one behind the other; only those of fields that are kept. */
static int keep_header(struct rows *r, struct err *e)
{
	size_t size = 0, used = 0;

	for (size_t i = 0; i < r->field_count; i++)
		size += r->csv.fields[i].size;
	r->names = malloc(size + 1);
	if (r->names == NULL || rows_kept_reserve(r, r->field_count, e) != 0)
		return err_set(e, ERR_MEMORY, "memory is out while reading rows");
	for (size_t i = 0; i < r->field_count; i++) {
		const struct csv_field *field = &r->csv.fields[i];
		memcpy(r->names + used, field->data, field->size);
		rows_keep_add(r, r->names + used, field->size, NULL);
		r->kept_field[i] = i;
		used += field->size;
	}
	return 0;
}

static int find_kept(struct rows *r, struct err *e)
{
	r->kept_field = calloc(r->field_count + r->kept_count + 1, sizeof *r->kept_field);
	if (r->kept_field == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while reading rows");
	if (r->keep != NULL && r->keep->all)
		return keep_header(r, e);
	for (size_t k = 0; k < r->kept_count; k++) {
		size_t i = 0;
		while (i < r->field_count &&
		       (r->csv.fields[i].size != r->kept[k].name_size ||
			memcmp(r->csv.fields[i].data, r->kept[k].name, r->kept[k].name_size) != 0))
			i++;
		if (i == r->field_count)
			return err_set(e, ERR_INPUT, "the input has no column `%s`, which is to be kept",
				       r->kept[k].name);
		r->kept_field[k] = i;
	}
	return 0;
}

/* Whether the field is the name, with blanks where the name has `_`. */
static bool is_blank_form(const struct csv_field *field, const char *name)
{
	if (strlen(name) != field->size)
		return false;
	for (size_t i = 0; i < field->size; i++)
		if (name[i] != (field->data[i] == ' ' ? '_' : field->data[i]))
			return false;
	return true;
}

/* What a header without this column most likely got wrong. */
static int refuse_header(const struct rows *r, const char *missing, struct err *e)
{
	const struct csv_field *fields = r->csv.fields;

	if (r->field_count == 1 &&
	    (memchr(fields->data, ';', fields->size) != NULL || memchr(fields->data, '\t', fields->size) != NULL))
		return err_set(e, ERR_INPUT, "the first line is one field, `%.*s`; fields are separated by commas",
			       (int)(fields->size < NAME_SHOWN_MAX ? fields->size : NAME_SHOWN_MAX), fields->data);
	for (size_t i = 0; i < r->field_count; i++)
		if (is_blank_form(&fields[i], missing))
			return err_set(e, ERR_INPUT,
				       "the rows have no column `%s`, which the model needs; name `%.*s` so "
				       "(LightGBM writes blanks in names as `_`)",
				       missing, (int)fields[i].size, fields[i].data);
	return err_set(e, ERR_INPUT,
		       "the rows have no column `%s`, which the model needs (the first line names the columns)",
		       missing);
}

static int read_header(struct rows *r, struct err *e)
{
	bool *seen = calloc(r->columns->count, sizeof *seen);
	size_t found = 0;
	int result = -1;

	if (seen == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while reading rows");
	r->field_count = r->csv.field_count;
	for (size_t i = 0; i < r->field_count; i++) {
		const struct csv_field *field = &r->csv.fields[i];
		size_t column = columns_find(r->columns, field->data, field->size);
		r->column_of[i] = column;
		if (column == COLUMNS_NONE)
			continue;
		if (seen[column]) {
			err_set(e, ERR_INPUT, "the header names column `%s` twice", r->columns->list[column].name);
			goto out;
		}
		seen[column] = true;
		found++;
	}
	for (size_t i = 0; found < r->columns->count; i++)
		if (!seen[i]) {
			refuse_header(r, r->columns->list[i].name, e);
			goto out;
		}
	result = find_kept(r, e);
	r->header_read = result == 0;
out:
	free(seen);
	return result;
}

static enum rows_step bad(struct rows *r, size_t column, const struct err *e)
{
	if (e->code == ERR_MEMORY || e->code == ERR_TOO_LARGE)
		return ROWS_FAILED;
	r->bad_column = column == COLUMNS_NONE ? "" : r->columns->list[column].name;
	return ROWS_BAD;
}

static void keep_fields(struct rows *r)
{
	for (size_t k = 0; k < r->kept_count; k++) {
		size_t i = r->kept_field[k];
		r->kept[k].value = (struct rows_value){.kind = ROWS_ABSENT};
		if (i < r->csv.field_count)
			r->kept[k].value = (struct rows_value){ROWS_TEXT, r->csv.fields[i].data, r->csv.fields[i].size};
	}
}

static enum rows_step read_csv(struct rows *r, struct columns_rows *into, struct err *e)
{
	size_t missing;

	keep_fields(r);
	if (r->csv.field_count != r->field_count) {
		err_set(e, ERR_INPUT, "it has %zu field%s, the header %zu", r->csv.field_count,
			r->csv.field_count == 1 ? "" : "s", r->field_count);
		return bad(r, COLUMNS_NONE, e);
	}
	if (columns_rows_begin(into, e) != 0)
		return ROWS_FAILED;
	for (size_t i = 0; i < r->field_count; i++) {
		size_t column = r->column_of[i];
		if (column != COLUMNS_NONE &&
		    columns_put(into, column, r->csv.fields[i].data, r->csv.fields[i].size, e) != 0)
			return bad(r, column, e);
	}
	return columns_rows_end(into, &missing, e) == 0 ? ROWS_ROW : bad(r, missing, e);
}

enum rows_step rows_next(struct rows *r, struct columns_rows *into, struct err *e)
{
	size_t column = COLUMNS_NONE;

	r->bad_column = "";
	switch (csv_next(&r->csv, e)) {
	case CSV_FAILED:
		return ROWS_FAILED;
	case CSV_MORE:
		return ROWS_MORE;
	case CSV_END:
		return ROWS_END;
	case CSV_BAD:
		if (r->header_read) {
			rows_kept_clear(r);
			return bad(r, COLUMNS_NONE, e);
		}
		return ROWS_FAILED;
	case CSV_RECORD:
		break;
	}
	if (r->format == ROWS_CSV) {
		if (r->header_read)
			return read_csv(r, into, e);
		return read_header(r, e) == 0 ? ROWS_HEADER : ROWS_FAILED;
	}
	rows_kept_clear(r);
	if (columns_rows_begin(into, e) != 0)
		return ROWS_FAILED;
	if (rows_json(r, into, &column, e) != 0)
		return bad(r, column, e);
	return columns_rows_end(into, &column, e) == 0 ? ROWS_ROW : bad(r, column, e);
}

/* Line and column before the reason. */
static int name_place(const struct rows *r, struct err *e)
{
	return err_set(e, e->code, "line %llu%s%s%s: %s", (unsigned long long)r->csv.line,
		       r->bad_column[0] != '\0' ? ", column `" : "", r->bad_column, r->bad_column[0] != '\0' ? "`" : "",
		       e->text);
}

int rows_read(const char *text, size_t size, enum rows_format format, struct columns_rows *into, struct err *e)
{
	struct rows r;
	int result = -1;
	enum rows_step step;

	if (rows_init(&r, format, into->columns, NULL, e) != 0 || rows_feed(&r, text, size, true, e) != 0)
		goto out;
	do
		step = rows_next(&r, into, e);
	while (step == ROWS_ROW || step == ROWS_HEADER);
	if (step == ROWS_BAD)
		name_place(&r, e);
	else if (step == ROWS_END && into->count == 0)
		err_set(e, ERR_INPUT, "%s", r.header_read ? "there are no rows after the header" : "there are no rows");
	else if (step == ROWS_END)
		result = 0;
out:
	rows_release(&r);
	return result;
}
