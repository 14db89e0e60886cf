/* openapi: requests to a model, with zeros for its numbers. */
#include "core/csv.h"
#include "core/json_write.h"
#include "runtime/protocol/openapi.h"

#include <string.h>

#define VALUES_MAX 4096 /* an example with more shows nothing to anybody */

static enum datatype_kind kind_of(const struct tensor_spec *spec)
{
	enum datatype type = tensor_spec_type(spec);
	return type < DATATYPE_COUNT ? datatype_kind(type) : KIND_FLOAT;
}

static const char *value_of(enum datatype_kind kind)
{
	return kind == KIND_BYTES ? "\"a\"" : kind == KIND_BOOL ? "false" : "0";
}

static size_t size_of(int64_t dimension)
{
	return dimension < 0 ? 1 : (size_t)dimension;
}

static size_t value_count(const struct manifest *m)
{
	size_t total = 0;

	for (size_t i = 0; i < m->input_count; i++) {
		size_t count = 1;
		for (size_t k = 0; k < m->inputs[i].dimension_count; k++)
			if (__builtin_mul_overflow(count, size_of(m->inputs[i].dimensions[k]), &count))
				return SIZE_MAX;
		if (__builtin_add_overflow(total, count, &total))
			return SIZE_MAX;
	}
	return total;
}

bool openapi_has_example(enum example example, const struct openapi_model *model)
{
	if (example == EXAMPLE_NONE || model == NULL || value_count(model->manifest) > VALUES_MAX)
		return false;
	return example == EXAMPLE_V2 || example == EXAMPLE_V1 || model->columns != NULL;
}

static void write_name(struct buf *out, const char *name)
{
	json_write_string(out, name, strlen(name));
}

static void write_v2_input(struct buf *out, const struct tensor_spec *spec)
{
	size_t count = 1;

	buf_add_string(out, "{\"name\":");
	write_name(out, spec->name);
	buf_add_string(out, ",\"shape\":[");
	for (size_t i = 0; i < spec->dimension_count; i++) {
		buf_format(out, "%s%zu", i > 0 ? "," : "", size_of(spec->dimensions[i]));
		count *= size_of(spec->dimensions[i]);
	}
	buf_format(out, "],\"datatype\":\"%s\",\"data\":[", spec->datatype);
	for (size_t i = 0; i < count; i++)
		buf_format(out, "%s%s", i > 0 ? "," : "", value_of(kind_of(spec)));
	buf_add_string(out, "]}");
}

static void write_v2(struct buf *out, const struct manifest *m)
{
	buf_add_string(out, "{\"inputs\":[");
	for (size_t i = 0; i < m->input_count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		write_v2_input(out, &m->inputs[i]);
	}
	buf_add_string(out, "]}");
}

static void write_lists(struct buf *out, const struct tensor_spec *spec, size_t level)
{
	if (level == spec->dimension_count) {
		buf_add_string(out, value_of(kind_of(spec)));
		return;
	}
	buf_add_char(out, '[');
	for (size_t i = 0; i < size_of(spec->dimensions[level]); i++) {
		if (i > 0)
			buf_add_char(out, ',');
		write_lists(out, spec, level + 1);
	}
	buf_add_char(out, ']');
}

/* One row by the columns' names; as text where a query is meant. */
static void write_row(struct buf *out, const struct columns *c, bool text)
{
	buf_add_char(out, '{');
	for (size_t i = 0; i < c->count; i++) {
		const char *value = value_of(datatype_kind(c->list[i].datatype));
		bool quoted = text && *value != '"';
		if (i > 0)
			buf_add_char(out, ',');
		write_name(out, c->list[i].name);
		buf_format(out, quoted ? ":\"%s\"" : ":%s", value);
	}
	buf_add_char(out, '}');
}

static void write_v1(struct buf *out, const struct openapi_model *model)
{
	const struct manifest *m = model->manifest;

	if (model->columns != NULL) {
		buf_add_string(out, "{\"instances\":[");
		write_row(out, model->columns, false);
		buf_add_string(out, "]}");
		return;
	}
	buf_add_string(out, "{\"inputs\":{");
	for (size_t i = 0; i < m->input_count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		write_name(out, m->inputs[i].name);
		buf_add_char(out, ':');
		write_lists(out, &m->inputs[i], 0);
	}
	buf_add_string(out, "}}");
}

static void write_csv(struct buf *out, const struct columns *c)
{
	struct buf csv;

	buf_init(&csv);
	for (size_t i = 0; i < c->count; i++) {
		if (i > 0)
			buf_add_char(&csv, ',');
		csv_write(&csv, c->list[i].name, strlen(c->list[i].name));
	}
	buf_add_char(&csv, '\n');
	for (size_t i = 0; i < c->count; i++) {
		enum datatype_kind kind = datatype_kind(c->list[i].datatype);
		buf_format(&csv, "%s%s", i > 0 ? "," : "", kind == KIND_BYTES ? "a" : value_of(kind));
	}
	buf_add_char(&csv, '\n');
	json_write_string(out, csv.data != NULL ? csv.data : "", csv.size);
	out->failed |= csv.failed;
	buf_release(&csv);
}

void openapi_write_example(struct buf *out, enum example example, const struct openapi_model *model)
{
	switch (example) {
	case EXAMPLE_V2:
		write_v2(out, model->manifest);
		break;
	case EXAMPLE_V1:
		write_v1(out, model);
		break;
	case EXAMPLE_CSV:
		write_csv(out, model->columns);
		break;
	case EXAMPLE_QUERY:
	case EXAMPLE_JSON:
		write_row(out, model->columns, example == EXAMPLE_QUERY);
		break;
	case EXAMPLE_NONE:
		buf_add_string(out, "null");
		break;
	}
}
