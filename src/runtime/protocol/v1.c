#include "runtime/protocol/v1.h"

#include "runtime/protocol/v1_part.h"
#include "runtime/protocol/v2.h"

#include <stdio.h>
#include <string.h>

/* What is known of a body until all of it is read. */
struct reader {
	struct scan scan;
	const struct v1_model *model;
	struct inference *inference;
	struct v1_request *request;
	const char *key; /* "instances" or "inputs", once it was read */
	bool by_column;  /* parts are columns; else they are inputs */
	size_t part_count;
	struct v1_part *parts;
	struct err *error;
};

static struct arena *memory(const struct reader *r)
{
	return r->inference->arena;
}

static size_t find_input(const struct manifest *m, struct scan_span name)
{
	size_t i = 0;
	while (i < m->input_count && !scan_is(name, m->inputs[i].name))
		i++;
	return i;
}

/* The column of a name with its escapes. */
static size_t find_column(const struct reader *r, struct scan_span name)
{
	const char *text = name.at;
	size_t size = name.size;

	if (memchr(name.at, '\\', name.size) != NULL) {
		char *plain = arena_take(memory(r), name.size + 1);
		if (plain == NULL)
			return COLUMNS_NONE;
		size = scan_decode(name, plain, name.size + 1);
		text = plain;
	}
	return columns_find(r->model->columns, text, size);
}

/* --- parts --- */

static int make_parts(struct reader *r, bool by_column)
{
	const struct manifest *m = r->inference->manifest;
	const struct columns *c = r->model->columns;

	r->by_column = by_column;
	r->part_count = by_column ? c->count : m->input_count;
	r->parts = arena_array(memory(r), r->part_count, sizeof *r->parts);
	if (r->parts == NULL)
		return err_set(r->error, ERR_MEMORY, "memory is out for %zu inputs", r->part_count);
	for (size_t i = 0; i < r->part_count; i++) {
		if (by_column)
			v1_part_init(&r->parts[i], "column", c->list[i].name, c->list[i].datatype);
		else
			v1_part_init(&r->parts[i], "input", m->inputs[i].name, tensor_spec_type(&m->inputs[i]));
	}
	return 0;
}

/* Parts for an object that is next: its names are all of inputs, or there are columns among them.
 */
static int make_named_parts(struct reader *r)
{
	struct scan s = r->scan;
	struct scan_span key;
	bool first = true, inputs = true, empty = true;

	for (scan_object(&s); inputs && scan_member(&s, &first, &key); empty = false) {
		inputs = find_input(r->inference->manifest, key) < r->inference->manifest->input_count;
		scan_skip(&s, NULL);
	}
	return make_parts(r, (!inputs || empty) && r->model->columns != NULL);
}

/* The part of this name; NULL, with the error, when there is none. */
static struct v1_part *find_part(struct reader *r, struct scan_span name)
{
	size_t i = r->by_column ? find_column(r, name) : find_input(r->inference->manifest, name);
	const struct v2_tensor label = {.name = name};

	if (i < r->part_count)
		return &r->parts[i];
	err_set(r->error, ERR_INPUT, "this model has no %s `%s`", r->by_column ? "input or column" : "input",
		v2_tensor_label(&label).text);
	return NULL;
}

static int refuse_missing(struct reader *r, const struct v1_part *p, const char *row)
{
	return err_set(r->error, ERR_INPUT, "%sthere is no `%s`, which the model needs", row,
		       v2_tensor_label(&p->label).text);
}

/* --- the forms of a body --- */

/* One value for the only input. */
static int read_only(struct reader *r)
{
	const struct manifest *m = r->inference->manifest;

	if (m->input_count != 1)
		return err_set(r->error, ERR_INPUT,
			       "the model takes %zu inputs, so `%s` must be by their names: {\"%s\": ...}",
			       m->input_count, r->key, m->input_count > 0 ? m->inputs[0].name : "");
	if (make_parts(r, false) != 0)
		return -1;
	return v1_part_read(&r->parts[0], &r->scan, 0, memory(r), r->error);
}

/* {"name": whole tensor, ...} */
static int read_whole(struct reader *r)
{
	struct scan_span key;
	bool first = true;

	if (make_named_parts(r) != 0)
		return -1;
	for (scan_object(&r->scan); scan_member(&r->scan, &first, &key);) {
		struct v1_part *p = find_part(r, key);
		if (p == NULL)
			return -1;
		if (p->ranked)
			return err_set(r->error, ERR_INPUT, "`%s` is given twice", v2_tensor_label(&p->label).text);
		if (v1_part_read(p, &r->scan, 0, memory(r), r->error) != 0)
			return -1;
	}
	if (r->scan.problem != NULL)
		return scan_err(&r->scan, r->error);
	for (size_t i = 0; i < r->part_count; i++)
		if (!r->parts[i].ranked)
			return refuse_missing(r, &r->parts[i], "");
	return 0;
}

/* One {"name": value, ...} */
static int read_row(struct reader *r, size_t row)
{
	struct scan_span key;
	bool first = true;
	char place[64];

	if (scan_peek(&r->scan) != SCAN_OBJECT && r->scan.problem == NULL)
		return err_set(r->error, ERR_INPUT, "element %zu of `%s` is no object, as the first is", row, r->key);
	for (scan_object(&r->scan); scan_member(&r->scan, &first, &key);) {
		struct v1_part *p = find_part(r, key);
		if (p == NULL)
			return -1;
		if (p->row_count > row)
			return err_set(r->error, ERR_INPUT, "element %zu of `%s` gives `%s` twice", row, r->key,
				       v2_tensor_label(&p->label).text);
		p->row_count++;
		if (v1_part_read(p, &r->scan, 1, memory(r), r->error) != 0)
			return -1;
	}
	if (r->scan.problem != NULL)
		return scan_err(&r->scan, r->error);
	snprintf(place, sizeof place, "element %zu of `%s`: ", row, r->key);
	for (size_t i = 0; i < r->part_count; i++)
		if (r->parts[i].row_count <= row)
			return refuse_missing(r, &r->parts[i], place);
	return 0;
}

static int read_rows(struct reader *r)
{
	size_t row = 0;
	bool first = true;

	scan_array(&r->scan);
	while (scan_element(&r->scan, &first)) {
		if (row == 0 && make_named_parts(r) != 0)
			return -1;
		if (read_row(r, row++) != 0)
			return -1;
	}
	if (r->scan.problem != NULL)
		return scan_err(&r->scan, r->error);
	for (size_t i = 0; i < r->part_count; i++)
		r->parts[i].shape[0] = (int64_t)row;
	return 0;
}

/* Whether a list is next whose first item is an object; *empty: there is no item. */
static bool is_rows(struct scan s, bool *empty)
{
	bool first = true;
	*empty = false;
	if (scan_peek(&s) != SCAN_ARRAY || !scan_array(&s))
		return false;
	*empty = !scan_element(&s, &first) && s.problem == NULL;
	return !*empty && scan_peek(&s) == SCAN_OBJECT && !v1_is_base64(s);
}

static int read_values(struct reader *r, const char *key)
{
	bool empty, rows = is_rows(r->scan, &empty);

	if (r->key != NULL)
		return strcmp(r->key, key) == 0 ? err_set(r->error, ERR_INPUT, "`%s` occurs twice", key)
						: err_set(r->error, ERR_INPUT,
							  "the body has both `instances` and `inputs`; it may have one "
							  "of them");
	r->key = key;
	r->request->by_row = strcmp(key, "instances") == 0;
	if (rows)
		return read_rows(r);
	if (r->request->by_row && scan_peek(&r->scan) != SCAN_ARRAY && r->scan.problem == NULL)
		return err_set(r->error, ERR_INPUT, "`instances` is not a list");
	if (r->request->by_row && empty)
		return err_set(r->error, ERR_INPUT, "`instances` is empty");
	if (scan_peek(&r->scan) == SCAN_OBJECT && !v1_is_base64(r->scan))
		return read_whole(r);
	return read_only(r);
}

/* Every model has one signature. */
static int read_signature(struct reader *r)
{
	struct scan_span name;

	if (scan_peek(&r->scan) != SCAN_STRING && r->scan.problem == NULL)
		return err_set(r->error, ERR_INPUT, "`signature_name` is not a string");
	if (!scan_string(&r->scan, &name))
		return scan_err(&r->scan, r->error);
	const struct v2_tensor label = {.name = name};
	if (name.size > 0 && !scan_is(name, V1_SIGNATURE))
		return err_set(r->error, ERR_INPUT, "there is no signature `%s`; there is only `" V1_SIGNATURE "`",
			       v2_tensor_label(&label).text);
	return 0;
}

static int read_body(struct reader *r)
{
	struct scan *s = &r->scan;
	struct scan_span key;
	bool first = true;

	if (scan_peek(s) != SCAN_OBJECT && s->problem == NULL)
		return err_set(r->error, ERR_INPUT,
			       s->at == s->end ? "the body is empty" : "the body is not a JSON object");
	scan_object(s);
	while (scan_member(s, &first, &key)) {
		int result = 0;
		if (scan_is(key, "instances"))
			result = read_values(r, "instances");
		else if (scan_is(key, "inputs"))
			result = read_values(r, "inputs");
		else if (scan_is(key, "signature_name") && scan_peek(s) != SCAN_NULL)
			result = read_signature(r);
		else if (scan_is(key, "parameters"))
			result = v2_check_unit(s, r->error);
		else
			scan_skip(s, NULL);
		if (result != 0)
			return -1;
	}
	if (!scan_end(s))
		return scan_err(s, r->error);
	return r->key != NULL ? 0 : err_set(r->error, ERR_INPUT, "the body has neither `instances` nor `inputs`");
}

/* --- from parts to inputs --- */

/* A last dimension of 1 may be left out, or be too many. */
static void settle_rank(struct v1_part *p, size_t rank, bool one_at_end)
{
	if (p->rank + 1 == rank && one_at_end)
		p->shape[p->rank++] = 1;
	else if (p->rank == rank + 1 && p->rank > 1 && p->shape[rank] == 1)
		p->rank--;
}

static int refuse_input(struct reader *r, const struct v1_part *p, const struct tensor_spec *spec)
{
	if (r->model->engine->tabular && p->rank == 2)
		return err_set(r->error, ERR_INPUT, "expected %lld features a row, got %lld",
			       (long long)spec->dimensions[1], (long long)p->shape[1]);
	return tensor_spec_refuse(spec, p->shape, p->rank, r->error);
}

static int take_inputs(struct reader *r)
{
	const struct manifest *m = r->inference->manifest;

	for (size_t i = 0; i < m->input_count; i++) {
		const struct tensor_spec *spec = &m->inputs[i];
		struct v1_part *p = &r->parts[i];
		size_t rank = spec->dimension_count;
		settle_rank(p, rank, rank > 0 && spec->dimensions[rank - 1] == 1);
		if (!tensor_spec_fits(spec, p->shape, p->rank))
			return refuse_input(r, p, spec);
		if (p->rank > 0 && tensor_rows_check(p->shape[0], r->error) != 0)
			return -1;
		/* Without elements nothing was taken. */
		if (p->data == NULL && (p->data = arena_take(memory(r), 1)) == NULL)
			return err_set(r->error, ERR_MEMORY, "memory is out for an input");
		struct tensor *t = &r->inference->inputs[i];
		*t = (struct tensor){.datatype = p->label.type, .rank = p->rank, .count = p->count, .data = p->data};
		memcpy(t->shape, p->shape, sizeof t->shape);
	}
	return 0;
}

/* The columns' common length: [rows], [rows, 1], or one value a column. -1 with the error. */
static int64_t column_rows(struct reader *r)
{
	int64_t rows = -1;

	for (size_t i = 0; i < r->part_count; i++) {
		struct v1_part *p = &r->parts[i];
		settle_rank(p, 1, true);
		if (p->rank != 1)
			return err_set(r->error, ERR_INPUT, "column `%s` has %zu dimensions; it is one value a row",
				       v2_tensor_label(&p->label).text, p->rank);
		if (rows >= 0 && rows != p->shape[0])
			return err_set(r->error, ERR_INPUT, "column `%s` has %lld rows, `%s` has %lld",
				       v2_tensor_label(&r->parts[0].label).text, (long long)rows,
				       v2_tensor_label(&p->label).text, (long long)p->shape[0]);
		rows = p->shape[0];
	}
	if (rows > 1 && r->model->columns->row_max == 1)
		return err_set(r->error, ERR_INPUT, "the model takes one row at a time, got %lld", (long long)rows);
	return tensor_rows_check(rows, r->error) == 0 ? rows : -1;
}

/* Weaves columns into the matrices that they are of. */
static int take_columns(struct reader *r)
{
	const struct columns *c = r->model->columns;
	int64_t rows = column_rows(r);

	if (rows < 0)
		return -1;
	for (size_t i = 0; i < c->input_count; i++) {
		struct tensor *t = &r->inference->inputs[i];
		*t = (struct tensor){.datatype = c->inputs[i].datatype,
				     .rank = c->inputs[i].rank,
				     .shape = {rows, (int64_t)c->inputs[i].width},
				     .count = (size_t)rows * c->inputs[i].width};
		t->data = arena_array(memory(r), t->count + 1, datatype_size(t->datatype));
		if (t->data == NULL)
			return err_set(r->error, ERR_MEMORY, "memory is out for %zu values", t->count);
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct column *column = &c->list[i];
		struct tensor *t = &r->inference->inputs[column->input];
		size_t size = datatype_size(t->datatype), width = c->inputs[column->input].width;
		for (size_t row = 0; row < (size_t)rows; row++)
			memcpy((char *)t->data + (row * width + column->index) * size,
			       (const char *)r->parts[i].data + row * size, size);
	}
	return 0;
}

int v1_parse(const struct v1_model *model, const char *body, size_t size, struct v1_request *request,
	     struct inference *inference, struct err *e)
{
	struct reader r = {.model = model, .inference = inference, .request = request, .error = e};

	*request = (struct v1_request){0};
	scan_init(&r.scan, body, size, V2_DEPTH_MAX);
	r.scan.lenient = true;
	if (read_body(&r) != 0 || (r.by_column ? take_columns(&r) : take_inputs(&r)) != 0)
		return -1;
	if (inference->manifest->input_count > 0 && inference->inputs[0].rank > 0)
		request->row_count = (size_t)inference->inputs[0].shape[0];
	inference_want_default(inference, model->engine);
	request->output_count = inference->output_count;
	return 0;
}
