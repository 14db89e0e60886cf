#include "core/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT_SIZE 24

void columns_free(struct columns *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; c->list != NULL && i < c->count; i++)
		free(c->list[i].name);
	free(c->list);
	free(c->sorted);
	free(c->inputs);
	free(c);
}

/* The columns of a row; 0 where the input has none. */
static size_t input_width(const struct tensor_spec *spec)
{
	const int64_t *d = spec->dimensions;

	if (spec->dimension_count < 1 || spec->dimension_count > 2 || (d[0] != -1 && d[0] != 1))
		return 0;
	if (spec->dimension_count == 1)
		return 1;
	return d[1] < 1 || d[1] > COLUMNS_MAX ? 0 : (size_t)d[1];
}

/* Reads the shapes; returns the number of columns, 0 on failure. */
static size_t read_inputs(struct columns *c, const struct manifest *m, const char *model, struct err *e)
{
	size_t total = 0;

	c->row_max = SIZE_MAX;
	for (size_t i = 0; i < m->input_count; i++) {
		const struct tensor_spec *spec = &m->inputs[i];
		struct column_input *input = &c->inputs[i];
		char shape[TENSOR_SHAPE_SIZE];

		input->datatype = tensor_spec_type(spec);
		input->width = input_width(spec);
		input->rank = spec->dimension_count;
		if (input->datatype == DATATYPE_COUNT || input->width == 0) {
			tensor_shape_text(spec->dimensions, spec->dimension_count, shape);
			err_set(e, ERR_INPUT,
				"%s takes tensors, not columns: its input `%s` is %s of shape %s; send it to "
				"/v2/models/%s/infer",
				model, spec->name, spec->datatype, shape, model);
			return 0;
		}
		if (spec->dimensions[0] == 1)
			c->row_max = 1;
		total += input->width;
	}
	if (total == 0)
		err_set(e, ERR_INPUT, "%s has no inputs, so it takes no columns; ask /v2/models/%s/infer", model,
			model);
	if (total > COLUMNS_MAX) {
		err_set(e, ERR_INPUT, "%s has %zu columns; at most %d can be named", model, total, COLUMNS_MAX);
		return 0;
	}
	return total;
}

static char *column_name(const struct manifest *m, size_t input, size_t width, size_t index)
{
	char text[TENSOR_NAME_SIZE + NUMBER_TEXT_SIZE];

	if (m->input_count == 1 && m->feature_names != NULL && m->feature_count == width)
		return strdup(m->feature_names[index]);
	if (width == 1)
		return strdup(m->inputs[input].name);
	snprintf(text, sizeof text, "%s_%zu", m->inputs[input].name, index);
	return strdup(text);
}

static int name_columns(struct columns *c, const struct manifest *m)
{
	size_t at = 0;

	for (size_t i = 0; i < m->input_count; i++)
		for (size_t k = 0; k < c->inputs[i].width; k++, at++) {
			c->list[at] = (struct column){.name = column_name(m, i, c->inputs[i].width, k),
						      .datatype = c->inputs[i].datatype,
						      .input = i,
						      .index = k};
			if (c->list[at].name == NULL)
				return -1;
			c->sorted[at] = at;
		}
	return 0;
}

static int by_name(const void *a, const void *b, void *list)
{
	const struct column *columns = list;
	return strcmp(columns[*(const size_t *)a].name, columns[*(const size_t *)b].name);
}

static int sort_names(struct columns *c, const char *model, struct err *e)
{
	qsort_r(c->sorted, c->count, sizeof *c->sorted, by_name, c->list);
	for (size_t i = 1; i < c->count; i++) {
		const char *name = c->list[c->sorted[i]].name;
		if (strcmp(c->list[c->sorted[i - 1]].name, name) == 0)
			return err_set(e, ERR_INPUT,
				       "%s has two columns named `%s`, so they cannot be told apart by name; send "
				       "tensors to /v2/models/%s/infer",
				       model, name, model);
	}
	return 0;
}

struct columns *columns_new(const struct manifest *m, const char *model, struct err *e)
{
	struct columns *c = calloc(1, sizeof *c);

	if (c != NULL)
		c->inputs = calloc(m->input_count + 1, sizeof *c->inputs);
	if (c == NULL || c->inputs == NULL) {
		err_set(e, ERR_MEMORY, "memory is out for the columns of %s", model);
		goto fail;
	}
	c->input_count = m->input_count;
	c->count = read_inputs(c, m, model, e);
	if (c->count == 0)
		goto fail;
	c->list = calloc(c->count, sizeof *c->list);
	c->sorted = calloc(c->count, sizeof *c->sorted);
	if (c->list == NULL || c->sorted == NULL || name_columns(c, m) != 0) {
		err_set(e, ERR_MEMORY, "memory is out for the columns of %s", model);
		goto fail;
	}
	if (sort_names(c, model, e) == 0)
		return c;
fail:
	columns_free(c);
	return NULL;
}

/* strcmp() of a name with text of a given size. */
static int compare(const char *name, const char *text, size_t size)
{
	int order = strncmp(name, text, size);
	return order != 0 ? order : name[size] != '\0';
}

size_t columns_find(const struct columns *c, const char *name, size_t size)
{
	size_t low = 0, high = c->count;

	if (memchr(name, '\0', size) != NULL)
		return COLUMNS_NONE;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(c->list[c->sorted[middle]].name, name, size);
		if (order == 0)
			return c->sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return COLUMNS_NONE;
}

size_t columns_spec_width(const struct tensor_spec *spec)
{
	size_t width = 1;

	for (size_t i = 1; i < spec->dimension_count; i++)
		if (spec->dimensions[i] < 0 || __builtin_mul_overflow(width, (size_t)spec->dimensions[i], &width))
			return 0;
	return width;
}

int columns_output_width(const struct tensor *t, const char *name, size_t rows, size_t *width, struct err *e)
{
	if (t->rank == 0 || t->shape[0] < 0 || (size_t)t->shape[0] != rows || rows == 0)
		return err_set(e, ERR_UPSTREAM,
			       "the model answered %lld rows of `%s` for %zu rows, so they cannot be told apart",
			       t->rank == 0 ? 0LL : (long long)t->shape[0], name, rows);
	*width = t->count / rows;
	return 0;
}

void columns_output_name(struct buf *out, const char *name, size_t width, size_t i)
{
	if (width <= 1)
		buf_add_string(out, name);
	else
		buf_format(out, "%s_%zu", name, i);
}
