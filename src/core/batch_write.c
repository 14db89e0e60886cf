/* batch: writing: the rows of a slot, in the input's order, and the rejects. */
#include "core/batch_internal.h"
#include "core/json_write.h"
#include "core/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUTS_SHOWN_SIZE 240 /* bytes of a sentence that the names of outputs may take */

void batch_layout_release(struct batch_layout *layout)
{
	for (size_t i = 0; i < layout->count; i++)
		free(layout->outputs[i].name);
	free(layout->outputs);
	free(layout->names);
	*layout = (struct batch_layout){0};
}

static int layout_add(struct batch_layout *layout, const char *name, size_t width, struct err *e)
{
	struct batch_output *more = realloc(layout->outputs, (layout->count + 1) * sizeof *more);

	if (more == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	layout->outputs = more;
	more[layout->count] = (struct batch_output){.name = strdup(name), .width = width};
	if (more[layout->count].name == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	layout->count++;
	return 0;
}

/* The next name in a list with commas; false behind the last. */
static bool next_name(const char **list, char name[TENSOR_NAME_SIZE])
{
	size_t size = strcspn(*list, ",");

	if (**list == '\0')
		return false;
	snprintf(name, TENSOR_NAME_SIZE, "%.*s", (int)size, *list);
	*list += size + ((*list)[size] == ',');
	return true;
}

/* Without a wish: all but the score before the last transformation, which few want. */
static int all_outputs(struct batch *b, struct err *e)
{
	const struct manifest *m = b->manifest;

	for (size_t i = 0; i < m->output_count; i++)
		if ((m->output_count == 1 || strcmp(m->outputs[i].name, "raw_score") != 0) &&
		    layout_add(&b->layout, m->outputs[i].name, columns_spec_width(&m->outputs[i]), e) != 0)
			return -1;
	return 0;
}

int batch_layout_names(struct batch_layout *layout, struct err *e)
{
	layout->names = calloc(layout->count + 1, sizeof *layout->names);
	if (layout->names == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < layout->count; i++)
		layout->names[i] = layout->outputs[i].name;
	return 0;
}

static int refuse_output(const struct batch *b, const char *name, struct err *e)
{
	const struct manifest *m = b->manifest;
	char names[OUTPUTS_SHOWN_SIZE] = "";
	size_t used = 0;

	for (size_t i = 0; i < m->output_count && used < sizeof names; i++)
		used += (size_t)snprintf(names + used, sizeof names - used, "%s`%s`", i > 0 ? ", " : "",
					 m->outputs[i].name);
	return err_set(e, ERR_INPUT, "v%u of %s has no output `%s`; it has %s", (unsigned)b->identity.version,
		       b->options.model, name, names);
}

int batch_layout_of_manifest(struct batch *b, struct err *e)
{
	const char *list = b->options.asked_outputs;
	char name[TENSOR_NAME_SIZE];

	if (*list == '\0')
		return all_outputs(b, e);
	while (next_name(&list, name)) {
		const struct manifest *m = b->manifest;
		size_t place = tensor_specs_find(m->outputs, m->output_count, name);
		for (size_t i = 0; i < b->layout.count; i++)
			if (strcmp(b->layout.outputs[i].name, name) == 0)
				return err_set(e, ERR_INPUT, "--outputs names `%s` twice", name);
		if (place == m->output_count)
			return refuse_output(b, name, e);
		if (layout_add(&b->layout, name, columns_spec_width(&m->outputs[place]), e) != 0)
			return -1;
	}
	return 0;
}

bool batch_layout_open(const struct batch_layout *layout)
{
	for (size_t i = 0; i < layout->count; i++)
		if (layout->outputs[i].width == 0)
			return true;
	return false;
}

/* An answer has to be as the layout says. */
static int check_layout(struct batch *b, const struct batch_part *part, struct err *e)
{
	for (size_t i = 0; i < b->layout.count; i++) {
		const struct v2_named *o = &part->outputs[i];
		struct batch_output *known = &b->layout.outputs[i];
		size_t width;
		if (columns_output_width(&o->tensor, o->name, part->count, &width, e) != 0)
			return -1;
		if (known->width == 0)
			known->width = width;
		if (strcmp(known->name, o->name) != 0 || known->width != width)
			return err_set(e, ERR_UPSTREAM,
				       "the model answered %zu columns of `%s` where there were %zu of `%s`; a file of "
				       "rows needs the same each time",
				       width, o->name, known->width, known->name);
	}
	return 0;
}

static bool is_kept_name(const struct batch *b, const char *name, size_t size)
{
	for (size_t k = 0; k < b->rows.kept_count; k++)
		if (b->rows.kept[k].name_size == size && memcmp(b->rows.kept[k].name, name, size) == 0)
			return true;
	return false;
}

static int write_names(struct batch *b, const struct batch_output *o, bool *first, struct err *e)
{
	struct buf name;
	int result = 0;

	buf_init(&name);
	for (size_t i = 0; result == 0 && i < o->width; i++) {
		buf_clear(&name);
		columns_output_name(&name, o->name, o->width, i);
		if (name.failed)
			result = err_set(e, ERR_MEMORY, "memory is out");
		else if (is_kept_name(b, name.data, name.size))
			result = err_set(e, ERR_INPUT,
					 "the input's column `%s` is to be kept and has the name of an output; keep "
					 "others by their names: --keep A,B",
					 name.data);
		if (result != 0)
			break;
		if (!*first)
			buf_add_char(&b->out, ',');
		csv_write(&b->out, name.data, name.size);
		*first = false;
	}
	buf_release(&name);
	return result;
}

int batch_write_header(struct batch *b, struct err *e)
{
	size_t before = b->out.size;
	bool first = true;

	if (b->header_written || b->options.output_format == ROWS_JSON)
		return 0;
	for (size_t k = 0; k < b->rows.kept_count; k++) {
		csv_write(&b->out, b->rows.kept[k].name, b->rows.kept[k].name_size);
		buf_add_char(&b->out, ',');
	}
	for (size_t i = 0; i < b->layout.count; i++) {
		if (b->layout.outputs[i].width == 0)
			b->layout.outputs[i].width = 1;
		if (write_names(b, &b->layout.outputs[i], &first, e) != 0)
			return -1;
	}
	buf_add_char(&b->out, '\n');
	b->place.output_bytes += b->out.size - before;
	b->header_written = true;
	return 0;
}

/* part NULL: the row has no answer, and its fields are empty. */
static void write_csv(struct batch *b, const struct batch_part *part, size_t row)
{
	size_t start = b->out.size;
	bool first = true;

	for (size_t i = 0; i < b->layout.count; i++) {
		size_t width = b->layout.outputs[i].width;
		for (size_t k = 0; k < width; k++, first = false) {
			if (!first)
				buf_add_char(&b->out, ',');
			if (part != NULL)
				columns_write_csv(&b->out, &part->outputs[i].tensor, row * width + k);
		}
	}
	/* An empty line would be passed over by who reads it. */
	if (b->out.size == start && b->rows.kept_count == 0)
		buf_add_string(&b->out, "\"\"");
	buf_add_char(&b->out, '\n');
}

static void write_json(struct batch *b, const struct batch_part *part, size_t row)
{
	struct buf *out = &b->out;

	for (size_t i = 0; i < b->layout.count; i++) {
		const struct batch_output *o = &b->layout.outputs[i];
		if (i > 0)
			buf_add_char(out, ',');
		json_write_string(out, o->name, strlen(o->name));
		buf_add_char(out, ':');
		if (part == NULL) {
			buf_add_string(out, "null");
			continue;
		}
		columns_write_json_row(out, &part->outputs[i].tensor, o->width, row);
	}
	buf_add_string(out, "}\n");
}

static void add_number(struct buf *out, uint64_t number)
{
	char text[NUMBER_SIZE];

	buf_add(out, text, number_write_unsigned(text, number));
	buf_add_char(out, ',');
}

static void write_reject(struct batch *b, const struct batch_row *row, uint64_t number)
{
	size_t before = b->rejects.size;

	b->place.rejected++;
	if (b->files.rejects_part == NULL) {
		if (b->calls->reject != NULL)
			b->calls->reject(b->calls->context, row->line, row->column, row->reason);
		return;
	}
	if (b->place.rejects_bytes == 0)
		buf_add_string(&b->rejects, "line,row,column,reason\n");
	add_number(&b->rejects, row->line);
	add_number(&b->rejects, number);
	csv_write(&b->rejects, row->column, strlen(row->column));
	buf_add_char(&b->rejects, ',');
	csv_write(&b->rejects, row->reason, strlen(row->reason));
	buf_add_char(&b->rejects, '\n');
	b->place.rejects_bytes += b->rejects.size - before;
}

static void write_row(struct batch *b, const struct batch_slot *slot, size_t i, const struct batch_part *part)
{
	const struct batch_row *row = &slot->list[i];
	size_t kept_start = i > 0 ? slot->list[i - 1].kept_end : 0;

	if (b->options.output_format == ROWS_JSON)
		buf_add_char(&b->out, '{');
	if (row->kept_end > kept_start)
		buf_add(&b->out, slot->kept.data + kept_start, row->kept_end - kept_start);
	const struct batch_part *answer = row->reason == NULL ? part : NULL;
	size_t at = answer != NULL ? row->good - answer->first : 0;
	if (b->options.output_format == ROWS_JSON)
		write_json(b, answer, at);
	else
		write_csv(b, answer, at);
}

int batch_write_slot(struct batch *b, struct batch_slot *slot, struct err *e)
{
	const struct batch_part *part = slot->parts, *end = slot->parts + slot->part_count;

	for (size_t i = 0; i < slot->part_count; i++)
		if (check_layout(b, &slot->parts[i], e) != 0)
			return -1;
	if (batch_write_header(b, e) != 0)
		return -1;
	size_t before = b->out.size;
	for (size_t i = 0; i < slot->row_count; i++) {
		const struct batch_row *row = &slot->list[i];
		while (row->reason == NULL && part < end && row->good >= part->first + part->count)
			part++;
		write_row(b, slot, i, part);
		if (row->reason != NULL)
			write_reject(b, row, b->place.rows + i + 1);
	}
	b->place.output_bytes += b->out.size - before;
	b->place.rows += slot->row_count;
	b->place.offset = slot->end_offset;
	b->place.line = slot->end_line;
	return b->out.failed || b->rejects.failed ? err_set(e, ERR_MEMORY, "memory is out for the output") : 0;
}
