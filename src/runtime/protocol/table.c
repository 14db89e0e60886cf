/* table: options, and what is wanted. */
#include "runtime/protocol/table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define OPTION_PREFIX "mldeck-"

const char *table_format_type(enum table_format format)
{
	static const char *const types[] = {
#define X(name, word, type, schema) type,
	    TABLE_FORMATS(X)
#undef X
	};
	return types[format];
}

enum table_option table_option(const struct columns *columns, const char *name)
{
	static const char *const words[TABLE_OPTION_COUNT] = {
	    [TABLE_VERSION] = "version",
	    [TABLE_UNIT] = "unit",
	    [TABLE_OUTPUT] = "output",
	    [TABLE_FORMAT] = "format",
	};
	size_t prefix = strlen(OPTION_PREFIX);
	bool sure = strncmp(name, OPTION_PREFIX, prefix) == 0;
	const char *word = sure ? name + prefix : name;

	for (int i = 0; i < TABLE_OPTION_COUNT; i++)
		if (strcmp(word, words[i]) == 0 &&
		    (sure || columns == NULL || columns_find(columns, name, strlen(name)) == COLUMNS_NONE))
			return (enum table_option)i;
	return TABLE_OPTION_COUNT;
}

int table_begin(struct table_request *t, const struct infer_version *version, struct inference *inference,
		struct err *e)
{
	const struct columns *columns = infer_columns(version, e);

	if (columns == NULL)
		return -1;
	*t = (struct table_request){.format = TABLE_FORMAT_COUNT};
	return columns_rows_init(&t->rows, columns, inference->arena, 1, e);
}

/* --- outputs --- */

/* NAME, or NAME_i of an output with several columns. */
static bool find_output(const struct manifest *m, const char *name, struct table_output *found)
{
	for (size_t i = 0; i < m->output_count; i++) {
		size_t length = strlen(m->outputs[i].name), width = columns_spec_width(&m->outputs[i]);
		long long column;
		if (strncmp(name, m->outputs[i].name, length) != 0)
			continue;
		*found = (struct table_output){i, TABLE_WHOLE};
		if (name[length] == '\0')
			return true;
		if (width == 1 || name[length] != '_' ||
		    !text_integer(name + length + 1, 0, width > 0 ? (long long)width - 1 : COLUMNS_MAX, &column))
			continue;
		found->column = (size_t)column;
		return true;
	}
	return false;
}

static int add_output(struct table_request *t, const struct manifest *m, const char *name, struct err *e)
{
	struct table_output found;
	size_t count = t->output_count;

	if (!find_output(m, name, &found))
		return tensor_specs_refuse_output(m->outputs, m->output_count, name, e);
	for (size_t i = 0; i < count; i++)
		if (t->outputs[i].spec == found.spec && t->outputs[i].column == found.column)
			return err_set(e, ERR_INPUT, "the output `%.64s` is named twice", name);
	struct table_output *more = arena_array(t->rows.arena, count + 1, sizeof *more);
	if (more == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for %zu outputs", count + 1);
	if (count > 0)
		memcpy(more, t->outputs, count * sizeof *more);
	more[count] = found;
	t->outputs = more;
	t->output_count++;
	t->named = true;
	return 0;
}

/* --- forms --- */

static enum table_format find_format(const char *word)
{
	static const char *const words[] = {
#define X(name, word, type, schema) word,
	    TABLE_FORMATS(X)
#undef X
	};
	int i = 0;
	while (i < TABLE_FORMAT_COUNT && strcmp(words[i], word) != 0)
		i++;
	return (enum table_format)i;
}

static int set_format(struct table_request *t, const char *word, struct err *e)
{
	if (t->format != TABLE_FORMAT_COUNT)
		return err_set(e, ERR_INPUT, "the format is given twice");
	t->format = find_format(word);
	if (t->format == TABLE_FORMAT_COUNT)
		return err_set(e, ERR_INPUT, "there is no format `%.40s`; there are text, csv and json", word);
	return 0;
}

/* Cut, two units could become one. */
static int check_unit(struct table_request *t, const char *unit, struct err *e)
{
	if (t->unit)
		return err_set(e, ERR_INPUT, "the unit is given twice");
	t->unit = true;
	if (strlen(unit) >= INFER_UNIT_SIZE)
		return err_set(e, ERR_INPUT, "the unit is longer than %d bytes", INFER_UNIT_SIZE - 1);
	return 0;
}

int table_set(struct table_request *t, enum table_option option, const struct manifest *m, const char *value,
	      struct err *e)
{
	if (option == TABLE_OUTPUT)
		return add_output(t, m, value, e);
	if (option == TABLE_UNIT)
		return check_unit(t, value, e);
	return option == TABLE_FORMAT ? set_format(t, value, e) : 0;
}

/* Whether a media range (of size bytes, parameters and all) names this type. */
static bool is_type(const char *range, size_t size, const char *type)
{
	const char *end = memchr(range, ';', size);
	size_t length = end != NULL ? (size_t)(end - range) : size, wanted = strcspn(type, ";");

	while (length > 0 && (range[length - 1] == ' ' || range[length - 1] == '\t'))
		length--;
	return length == wanted && strncasecmp(range, type, wanted) == 0;
}

enum table_format table_accepted(const char *accept)
{
	while (accept != NULL && *accept != '\0') {
		accept += strspn(accept, " \t,");
		size_t size = strcspn(accept, ",");
		for (int i = 0; i < TABLE_FORMAT_COUNT; i++)
			if (is_type(accept, size, table_format_type((enum table_format)i)))
				return (enum table_format)i;
		accept += size;
	}
	return TABLE_FORMAT_COUNT;
}

/* What curl, browsers and scripts call a body that they do not know, or a CSV. */
static const char *const vague_types[] = {
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/csv",
    "application/vnd.ms-excel",
    "text/csv",
    "text/plain",
    "text/comma-separated-values",
    "text/x-csv",
    "application/x-csv",
};

static bool is_vague(const char *type, size_t size)
{
	for (size_t i = 0; i < sizeof vague_types / sizeof *vague_types; i++)
		if (is_type(type, size, vague_types[i]))
			return true;
	return size == 0;
}

int table_body_is_json(const char *content_type, const char *body, size_t size, bool *json, struct err *e)
{
	const char *type = content_type != NULL ? content_type + strspn(content_type, " \t") : "";
	size_t length = strlen(type), name = strcspn(type, "; \t"), blanks = 0;

	*json =
	    is_type(type, length, "application/json") || (name > 5 && strncasecmp(type + name - 5, "+json", 5) == 0);
	if (*json)
		return 0;
	if (!is_vague(type, length))
		return err_set(e, ERR_UNSUPPORTED, "`%.80s` is not taken here; send text/csv or application/json",
			       type);
	if (is_type(type, length, "text/csv"))
		return 0;
	while (blanks < size && memchr(" \t\r\n", body[blanks], 4) != NULL)
		blanks++;
	*json = blanks < size && (body[blanks] == '{' || body[blanks] == '[');
	return 0;
}

/* --- the end of a request --- */

static int want_outputs(struct table_request *t, const struct infer_version *version, struct inference *inference,
			struct err *e)
{
	for (size_t i = 0; i < t->output_count; i++)
		inference_want(inference, t->outputs[i].spec);
	if (t->named)
		return 0;
	inference_want_default(inference, version->engine);
	if (inference->output_count == 0)
		return err_set(e, ERR_INPUT, "the model has no outputs");
	t->outputs = arena_array(inference->arena, inference->output_count, sizeof *t->outputs);
	if (t->outputs == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for %zu outputs", inference->output_count);
	for (; t->output_count < inference->output_count; t->output_count++)
		t->outputs[t->output_count] =
		    (struct table_output){inference->outputs[t->output_count].spec, TABLE_WHOLE};
	return 0;
}

int table_end(struct table_request *t, const struct infer_version *version, struct inference *inference,
	      enum table_format fallback, struct err *e)
{
	if (t->format == TABLE_FORMAT_COUNT)
		t->format = fallback;
	if (t->rows.count > t->rows.columns->row_max)
		return err_set(e, ERR_INPUT, "the model takes one row at a time, got %zu", t->rows.count);
	columns_rows_tensors(&t->rows, 0, t->rows.count, inference->inputs);
	return want_outputs(t, version, inference, e);
}
