/* table: answers. */
#include "core/csv.h"
#include "core/json_write.h"
#include "core/v2_tensor.h"
#include "runtime/protocol/table.h"

#include <string.h>

/* An output, or one column of it, that was answered. */
struct shown {
	const char *name;
	const struct tensor *tensor;
	size_t width;        /* columns of the output */
	size_t first, count; /* those of them that are shown */
};

static int show(const struct table_output *o, const struct table_request *t, struct inference *inference,
		struct shown *shown, struct err *e)
{
	*shown = (struct shown){.name = inference->manifest->outputs[o->spec].name,
				.tensor = &inference_output_of(inference, o->spec)->tensor};
	if (columns_output_width(shown->tensor, shown->name, t->rows.count, &shown->width, e) != 0)
		return -1;
	shown->count = shown->width;
	if (o->column == TABLE_WHOLE)
		return 0;
	if (o->column >= shown->width)
		return err_set(e, ERR_INPUT, "output `%s` has %zu column%s, so there is no `%s_%zu`", shown->name,
			       shown->width, shown->width == 1 ? "" : "s", shown->name, o->column);
	shown->first = o->column;
	shown->count = 1;
	return 0;
}

/* --- a bare value a row --- */

static int refuse_several(const struct shown *s, struct err *e)
{
	return err_set(e, ERR_INPUT,
		       "`%s` has %zu columns, which are no single value; ask for one with "
		       "output=%s_0, or for all "
		       "with format=csv or format=json",
		       s->name, s->count, s->name);
}

static void write_lines(struct buf *out, const struct shown *s, size_t rows)
{
	for (size_t i = 0; i < rows; i++) {
		if (i > 0)
			buf_add_char(out, '\n');
		columns_write_text(out, s->tensor, i * s->width + s->first);
	}
}

/* The class of each row: the greatest of its columns. */
static int write_classes(struct buf *out, const struct table_request *t, const struct infer_version *version,
			 struct inference *inference, struct err *e)
{
	size_t count;
	const double *values = prediction_values(version->kind, inference, &count);

	if (values == NULL || count != t->rows.count)
		return err_set(e, ERR_MEMORY, "memory is out while answering");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(out, '\n');
		v2_write_unsigned(out, (uint64_t)values[i]);
	}
	return 0;
}

/* What is counted of the model is its value, unless an output was named. */
static int write_text(struct buf *out, const struct table_request *t, const struct infer_version *version,
		      struct inference *inference, struct err *e)
{
	const struct prediction_kind *kind = version->kind;
	struct table_output wanted = t->outputs[0];
	struct shown s;

	if (t->named && t->output_count > 1)
		return err_set(e, ERR_INPUT, "several outputs are no single value; ask for format=csv or format=json");
	if (!t->named && kind->output != PREDICTION_NONE)
		wanted =
		    (struct table_output){kind->output, kind->column == PREDICTION_ARGMAX ? TABLE_WHOLE : kind->column};
	if (show(&wanted, t, inference, &s, e) != 0)
		return -1;
	if (!t->named && kind->output != PREDICTION_NONE && kind->column == PREDICTION_ARGMAX && s.count > 1)
		return write_classes(out, t, version, inference, e);
	if (s.count != 1)
		return refuse_several(&s, e);
	write_lines(out, &s, t->rows.count);
	return 0;
}

/* --- all that is wanted --- */

static void write_csv_header(struct buf *out, const struct shown *list, size_t count)
{
	struct buf name;

	buf_init(&name);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < list[i].count; k++) {
			buf_clear(&name);
			columns_output_name(&name, list[i].name, list[i].width, list[i].first + k);
			if (i + k > 0)
				buf_add_char(out, ',');
			csv_write(out, name.data != NULL ? name.data : "", name.size);
			out->failed |= name.failed;
		}
	buf_add_char(out, '\n');
	buf_release(&name);
}

static void write_csv_row(struct buf *out, const struct shown *list, size_t count, size_t row)
{
	size_t start = out->size;
	bool first = true;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < list[i].count; k++, first = false) {
			if (!first)
				buf_add_char(out, ',');
			columns_write_csv(out, list[i].tensor, row * list[i].width + list[i].first + k);
		}
	/* An empty line would be passed over by who reads it. */
	if (out->size == start)
		buf_add_string(out, "\"\"");
	buf_add_char(out, '\n');
}

static void write_json_row(struct buf *out, const struct shown *list, size_t count, size_t row)
{
	struct buf name;

	buf_init(&name);
	buf_add_char(out, '{');
	for (size_t i = 0; i < count; i++) {
		const struct shown *s = &list[i];
		bool part = s->count < s->width;
		buf_clear(&name);
		columns_output_name(&name, s->name, part ? s->width : 1, s->first);
		if (i > 0)
			buf_add_char(out, ',');
		json_write_string(out, name.data != NULL ? name.data : "", name.size);
		buf_add_char(out, ':');
		if (part)
			columns_write_json(out, s->tensor, row * s->width + s->first);
		else
			columns_write_json_row(out, s->tensor, s->width, row);
		out->failed |= name.failed;
	}
	buf_add_char(out, '}');
	buf_release(&name);
}

static void write_json(struct buf *out, const struct table_request *t, const struct infer_version *version,
		       const struct shown *list)
{
	buf_add_string(out, "{\"model\":");
	v2_write_string(out, version->model);
	buf_add_string(out, ",\"version\":");
	v2_write_unsigned(out, version->version);
	buf_add_string(out, t->one ? ",\"outputs\":" : ",\"rows\":[");
	for (size_t row = 0; row < t->rows.count; row++) {
		if (row > 0)
			buf_add_char(out, ',');
		write_json_row(out, list, t->output_count, row);
	}
	buf_add_string(out, t->one ? "}" : "]}");
}

int table_write(struct buf *out, const struct table_request *t, const struct infer_version *version,
		struct inference *inference, struct err *e)
{
	struct shown *list = arena_array(inference->arena, t->output_count, sizeof *list);

	if (list == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while answering");
	if (t->format == TABLE_TEXT)
		return write_text(out, t, version, inference, e);
	for (size_t i = 0; i < t->output_count; i++)
		if (show(&t->outputs[i], t, inference, &list[i], e) != 0)
			return -1;
	if (t->format == TABLE_JSON) {
		write_json(out, t, version, list);
		return 0;
	}
	write_csv_header(out, list, t->output_count);
	for (size_t row = 0; row < t->rows.count; row++)
		write_csv_row(out, list, t->output_count, row);
	return 0;
}
