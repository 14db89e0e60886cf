/* table: rows out of a query, CSV or JSON. */
#include "core/rows.h"
#include "runtime/protocol/table.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 32
#define NAMES_SIZE 320

/* --- a query --- */

static int refuse_name(const struct columns *c, const char *name, struct err *e)
{
	char names[NAMES_SIZE] = "";
	size_t used = 0;

	for (size_t i = 0; i < c->count; i++) {
		int size = snprintf(names + used, sizeof names - used, "%s`%s`", i > 0 ? ", " : "", c->list[i].name);
		if ((size_t)size >= sizeof names - used) {
			snprintf(names + used, sizeof names - used, " ...");
			break;
		}
		used += (size_t)size;
	}
	return err_set(e, ERR_INPUT, "the model has no feature `%.64s`; it takes %s", name, names);
}

int table_put(struct table_request *t, const char *name, const char *value, struct err *e)
{
	const struct columns *c = t->rows.columns;
	size_t column = columns_find(c, name, strlen(name));
	struct err why;

	if (!t->one && columns_rows_begin(&t->rows, e) != 0)
		return -1;
	t->one = true;
	if (column == COLUMNS_NONE)
		return refuse_name(c, name, e);
	if (columns_put(&t->rows, column, value != NULL ? value : "", value != NULL ? strlen(value) : 0, &why) == 0)
		return 0;
	bool comma = value != NULL && strchr(value, ',') != NULL;
	return err_set(e, why.code, "feature `%.128s`: %.300s%s", c->list[column].name, why.text,
		       comma ? " (decimals are written with a point)" : "");
}

int table_put_end(struct table_request *t, struct err *e)
{
	const struct columns *c = t->rows.columns;
	size_t missing;
	struct err why;

	if (!t->one && columns_rows_begin(&t->rows, e) != 0)
		return -1;
	t->one = true;
	if (columns_rows_end(&t->rows, &missing, &why) == 0)
		return 0;
	return missing == COLUMNS_NONE ? err_set(e, why.code, "%s", why.text)
				       : err_set(e, ERR_INPUT,
						 "feature `%.128s` is missing; where its value is "
						 "not known, give it none: `%.128s=`",
						 c->list[missing].name, c->list[missing].name);
}

/* --- bodies --- */

int table_read_csv(struct table_request *t, const char *body, size_t size, struct err *e)
{
	return rows_read(body, size, ROWS_CSV, &t->rows, e);
}

/* Reads a JSON body. */
struct reader {
	struct table_request *request;
	struct scan scan;
	struct buf text; /* a string without its escapes */
	struct err *error;
};

/* Says in which row, and column, it is wrong. */
static int refuse_value(struct reader *r, size_t column, const struct err *why)
{
	const struct columns *c = r->request->rows.columns;
	if (column == COLUMNS_NONE)
		return err_set(r->error, why->code, "row %zu: %.400s", r->request->rows.count + 1, why->text);
	return err_set(r->error, why->code, "row %zu, column `%.128s`: %.300s", r->request->rows.count + 1,
		       c->list[column].name, why->text);
}

static int put(struct reader *r, size_t column)
{
	struct scan_span value;
	struct err why;

	if (!scan_skip(&r->scan, &value))
		return scan_err(&r->scan, r->error);
	if (column == COLUMNS_NONE || columns_put_json(&r->request->rows, column, value, &r->text, &why) == 0)
		return 0;
	return refuse_value(r, column, &why);
}

/* Members that are no columns are passed over, as other columns of a CSV are. */
static int put_object(struct reader *r)
{
	const struct columns *c = r->request->rows.columns;
	struct scan_span key;
	bool first = true;

	for (scan_object(&r->scan); scan_member(&r->scan, &first, &key);) {
		size_t size;
		const char *name = scan_plain(key, &r->text, &size);
		if (name == NULL)
			return err_set(r->error, ERR_MEMORY, "memory is out while reading rows");
		if (put(r, columns_find(c, name, size)) != 0)
			return -1;
	}
	return 0;
}

static int put_array(struct reader *r)
{
	size_t count = r->request->rows.columns->count, i = 0;
	bool first = true;
	struct err why;

	for (scan_array(&r->scan); scan_element(&r->scan, &first); i++)
		if (put(r, i < count ? i : COLUMNS_NONE) != 0)
			return -1;
	if (r->scan.problem != NULL || i == count)
		return 0;
	err_set(&why, ERR_INPUT, "the array has %zu value%s for %zu columns", i, i == 1 ? "" : "s", count);
	return refuse_value(r, COLUMNS_NONE, &why);
}

static int read_row(struct reader *r)
{
	struct columns_rows *rows = &r->request->rows;
	size_t missing;
	struct err why;

	if (columns_rows_begin(rows, r->error) != 0)
		return -1;
	switch (scan_peek(&r->scan)) {
	case SCAN_OBJECT:
		if (put_object(r) != 0)
			return -1;
		break;
	case SCAN_ARRAY:
		if (put_array(r) != 0)
			return -1;
		break;
	default:
		if (!scan_skip(&r->scan, NULL))
			break;
		err_set(&why, ERR_INPUT, "it is neither an object {\"feature\": value} nor an array of values");
		return refuse_value(r, COLUMNS_NONE, &why);
	}
	if (r->scan.problem != NULL)
		return scan_err(&r->scan, r->error);
	if (columns_rows_end(rows, &missing, &why) != 0)
		return refuse_value(r, COLUMNS_NONE, &why);
	return 0;
}

static int read_json(struct reader *r)
{
	struct scan *s = &r->scan;
	bool first = true;

	if (scan_peek(s) == SCAN_OBJECT) {
		r->request->one = true;
		if (read_row(r) != 0)
			return -1;
	} else if (scan_peek(s) == SCAN_ARRAY) {
		for (scan_array(s); scan_element(s, &first);)
			if (read_row(r) != 0)
				return -1;
	} else if (s->problem == NULL) {
		return err_set(r->error, ERR_INPUT,
			       s->at == s->end ? "the body is empty"
					       : "the body is neither a JSON object nor a list of them");
	}
	if (!scan_end(s))
		return scan_err(s, r->error);
	return r->request->rows.count > 0 ? 0 : err_set(r->error, ERR_INPUT, "there are no rows");
}

int table_read_json(struct table_request *t, const char *body, size_t size, struct err *e)
{
	struct reader r = {.request = t, .error = e};

	buf_init(&r.text);
	scan_init(&r.scan, body, size, DEPTH_MAX);
	int result = read_json(&r);
	buf_release(&r.text);
	return result;
}
