/* rows: JSON lines in, and kept fields out. */
#include "core/json_write.h"
#include "core/number.h"
#include "core/rows_internal.h"
#include "core/scan.h"

#include <string.h>

#define DEPTH_MAX 64

void rows_kept_clear(struct rows *r)
{
	if (r->format == ROWS_JSON && r->keep != NULL && r->keep->all)
		r->kept_count = 0;
	for (size_t k = 0; k < r->kept_count; k++)
		r->kept[k].value = (struct rows_value){.kind = ROWS_ABSENT};
}

static int keep_value(struct rows *r, struct scan_span name, struct scan_span value, bool escaped, struct err *e)
{
	const struct rows_value kept = {ROWS_TEXT_JSON, value.at, value.size};

	if (r->keep == NULL)
		return 0;
	if (r->keep->all) {
		if (rows_kept_reserve(r, r->kept_count + 1, e) != 0)
			return -1;
		rows_keep_add(r, name.at, name.size, &kept);
		r->kept[r->kept_count - 1].escaped = escaped;
		return 0;
	}
	for (size_t k = 0; k < r->kept_count; k++)
		if (scan_is(name, r->kept[k].name))
			r->kept[k].value = kept;
	return 0;
}

/* Lines mostly have the same keys in the same order: the column that was at this position last time is tried
 * first. */
static size_t find_column(struct rows *r, size_t position, struct scan_span name)
{
	size_t guess = position < CSV_FIELDS_MAX ? r->column_of[position] : COLUMNS_NONE, size;

	if (guess < r->columns->count && scan_is(name, r->columns->list[guess].name))
		return guess;
	const char *text = scan_plain(name, &r->text, &size);
	size_t found = text != NULL ? columns_find(r->columns, text, size) : COLUMNS_NONE;
	if (position < CSV_FIELDS_MAX)
		r->column_of[position] = found;
	return found;
}

static int wrong(const struct scan *s, struct err *e)
{
	return err_set(e, ERR_INPUT, "it is not valid JSON: %s at byte %zu",
		       s->problem != NULL ? s->problem : "a problem", (size_t)(s->at - s->start) + 1);
}

/* Puts a member or an element. The first refusal stays in `first`. */
static void take(struct rows *r, struct columns_rows *into, size_t column, struct scan_span value, size_t *at_fault,
		 struct err *first)
{
	struct err e = {0};

	if (column == COLUMNS_NONE || columns_put_json(into, column, value, &r->text, &e) == 0)
		return;
	if (first->code == ERR_NONE || e.code == ERR_MEMORY) {
		*first = e;
		*at_fault = column;
	}
}

static void read_object(struct rows *r, struct columns_rows *into, struct scan *s, size_t *at_fault,
			struct err *problem)
{
	struct scan_span name, value;
	bool first = true;

	if (!scan_object(s))
		return;
	for (size_t i = 0; scan_member(s, &first, &name) && scan_skip(s, &value); i++) {
		if (keep_value(r, name, value, true, problem) != 0)
			return;
		take(r, into, find_column(r, i, name), value, at_fault, problem);
	}
}

static void read_array(struct rows *r, struct columns_rows *into, struct scan *s, size_t *at_fault, struct err *problem)
{
	const struct columns *c = r->columns;
	struct scan_span value;
	bool first = true;
	size_t i = 0;

	if (!scan_array(s))
		return;
	for (; scan_element(s, &first) && scan_skip(s, &value); i++) {
		if (i >= c->count)
			continue;
		struct scan_span name = {c->list[i].name, strlen(c->list[i].name)};
		if (keep_value(r, name, value, false, problem) != 0)
			return;
		take(r, into, i, value, at_fault, problem);
	}
	if (s->problem == NULL && i != c->count && problem->code == ERR_NONE)
		err_set(problem, ERR_INPUT, "the array has %zu value%s for %zu columns", i, i == 1 ? "" : "s",
			c->count);
}

int rows_json(struct rows *r, struct columns_rows *into, size_t *column, struct err *e)
{
	struct err problem = {0};
	struct scan s;

	*column = COLUMNS_NONE;
	scan_init(&s, r->csv.fields[0].data, r->csv.fields[0].size, DEPTH_MAX);
	switch (scan_peek(&s)) {
	case SCAN_OBJECT:
		read_object(r, into, &s, column, &problem);
		break;
	case SCAN_ARRAY:
		read_array(r, into, &s, column, &problem);
		break;
	default:
		return err_set(e, ERR_INPUT, "a line is an object {\"column\": value} or an array of values");
	}
	if (problem.code != ERR_MEMORY && !scan_end(&s)) {
		*column = COLUMNS_NONE;
		return wrong(&s, e);
	}
	if (problem.code == ERR_NONE)
		return 0;
	if (e != NULL)
		*e = problem;
	return -1;
}

void rows_write_csv(struct buf *out, const struct rows_value *value)
{
	struct buf text;
	size_t size;

	if (value->kind == ROWS_TEXT) {
		csv_write(out, value->data, value->size);
	} else if (value->kind == ROWS_TEXT_JSON && value->data[0] == '"') {
		buf_init(&text);
		const char *plain = scan_plain((struct scan_span){value->data + 1, value->size - 2}, &text, &size);
		if (plain != NULL)
			csv_write(out, plain, size);
		else
			out->failed = true;
		buf_release(&text);
	} else if (value->kind == ROWS_TEXT_JSON && value->data[0] != 'n') {
		csv_write(out, value->data, value->size);
	}
}

void rows_write_json(struct buf *out, const struct rows_value *value)
{
	struct number n;

	if (value->kind == ROWS_ABSENT || value->size == 0)
		buf_add_string(out, "null");
	else if (value->kind == ROWS_TEXT_JSON)
		buf_add(out, value->data, value->size);
	else if (number_read(value->data, value->data + value->size, &n) == value->size &&
		 (n.text[n.negative] != '0' || value->size == (size_t)n.negative + 1 || n.text[n.negative + 1] < '0' ||
		  n.text[n.negative + 1] > '9'))
		buf_add(out, value->data, value->size);
	else
		json_write_string(out, value->data, value->size);
}
