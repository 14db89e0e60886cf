#include "runtime/capture/capture_text.h"

#include "core/csv.h"
#include "core/text.h"
#include "core/v2_tensor.h"

#include <stdlib.h>
#include <string.h>

/* What the rows of one version are worth to the wanted ones: found when its first row comes. */
struct capture_source {
	bool known, fits;
	struct columns *columns;      /* CSV */
	const struct column **fields; /* CSV: [column_count], of those columns */
};

/* --- columns --- */

static bool has_column(const struct capture_text *t, const char *name)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (strcmp(t->columns[i]->name, name) == 0)
			return true;
	return false;
}

static int add_columns(struct capture_text *t, const struct columns *c, struct err *e)
{
	const struct column **more = realloc(t->columns, (t->column_count + c->count) * sizeof *more);

	if (more == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for captured rows");
	t->columns = more;
	bool first = t->column_count == 0;
	for (size_t i = 0; i < c->count; i++)
		if (first || !has_column(t, c->list[i].name))
			t->columns[t->column_count++] = &c->list[i];
	return 0;
}

static int begin_csv(struct capture_text *t, struct err *e)
{
	for (size_t i = 0; i < t->wanted_count; i++) {
		t->wanted_columns[i] = columns_new(&t->manifests[t->wanted[i] - 1], t->model, e);
		if (t->wanted_columns[i] == NULL || add_columns(t, t->wanted_columns[i], e) != 0)
			return -1;
	}
	for (size_t i = 0; i < t->column_count; i++) {
		if (i > 0)
			buf_add_char(&t->out, ',');
		csv_write(&t->out, t->columns[i]->name, strlen(t->columns[i]->name));
	}
	buf_add_char(&t->out, '\n');
	return 0;
}

/* Whether the text of one column can be read for the other. */
static bool takes(enum datatype wanted, enum datatype given)
{
	enum datatype_kind kind = datatype_kind(given);
	return wanted == given || (datatype_kind(wanted) == KIND_FLOAT && kind != KIND_BYTES && kind != KIND_BOOL);
}

static bool find_fields(const struct capture_text *t, struct capture_source *s)
{
	for (size_t i = 0; i < t->column_count; i++) {
		const char *name = t->columns[i]->name;
		size_t place = columns_find(s->columns, name, strlen(name));
		if (place == COLUMNS_NONE)
			return false;
		s->fields[i] = &s->columns->list[place];
		for (size_t k = 0; k < t->wanted_count; k++) {
			size_t at = columns_find(t->wanted_columns[k], name, strlen(name));
			if (at != COLUMNS_NONE &&
			    !takes(t->wanted_columns[k]->list[at].datatype, s->fields[i]->datatype))
				return false;
		}
	}
	return true;
}

/* --- which versions' rows fit --- */

static bool source_fits(const struct capture_text *t, uint32_t version, struct capture_source *s)
{
	const struct manifest *m = &t->manifests[version - 1];
	char ignored[MANIFEST_DIFFERENCE_SIZE];
	struct err none;

	if (t->form == CAPTURE_V2) {
		for (size_t i = 0; i < t->wanted_count; i++)
			if (!manifest_same_inputs(m, &t->manifests[t->wanted[i] - 1], false, ignored))
				return false;
		return true;
	}
	s->columns = columns_new(m, t->model, &none);
	s->fields = calloc(t->column_count, sizeof(struct column *));
	return s->columns != NULL && s->fields != NULL && find_fields(t, s);
}

static struct capture_source *source_of(struct capture_text *t, const struct capture_row *row)
{
	/* A version that was deployed since is not wanted. */
	if (row->version == 0 || row->version > t->version_count)
		return NULL;
	struct capture_source *s = &t->sources[row->version - 1];
	if (!s->known)
		s->fits = source_fits(t, row->version, s);
	s->known = true;
	return s->fits ? s : NULL;
}

/* --- a row --- */

static bool is_text(const char *data, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t length = data[i] == '\0' ? 0 : text_character_within(data + i, size - i);
		if (length == 0)
			return false;
		i += length;
	}
	return true;
}

static bool write_csv(struct capture_text *t, const struct capture_source *s, const struct capture_row *row)
{
	size_t start = t->out.size;

	for (size_t i = 0; i < t->column_count; i++) {
		const struct column *field = s->fields[i];
		const struct tensor *tensor = &row->inputs[field->input];
		if (field->index >= tensor->count || tensor->count != s->columns->inputs[field->input].width)
			return false;
		if (i > 0)
			buf_add_char(&t->out, ',');
		columns_write_csv(&t->out, tensor, field->index);
	}
	/* An empty line is no row. */
	if (t->out.size == start)
		buf_add_string(&t->out, "\"\"");
	buf_add_char(&t->out, '\n');
	return true;
}

static bool write_v2(struct capture_text *t, const struct capture_row *row)
{
	const struct manifest *m = &t->manifests[row->version - 1];

	buf_add_string(&t->out, t->rows > 0 ? ",{\"inputs\":[" : "{\"inputs\":[");
	for (size_t i = 0; i < row->input_count; i++) {
		if (i > 0)
			buf_add_char(&t->out, ',');
		v2_tensor_write(&t->out, m->inputs[i].name, &row->inputs[i], false);
	}
	buf_add_string(&t->out, "]}");
	return true;
}

static bool texts_are_text(const struct capture_row *row)
{
	for (size_t i = 0; i < row->input_count; i++) {
		const struct bytes *texts = row->inputs[i].data;
		for (size_t k = 0; row->inputs[i].datatype == DATATYPE_BYTES && k < row->inputs[i].count; k++)
			if (!is_text(texts[k].data, texts[k].size))
				return false;
	}
	return true;
}

bool capture_text_add(void *context, const struct capture_row *row)
{
	struct capture_text *t = context;
	const struct capture_source *s = source_of(t, row);
	size_t start = t->out.size;

	if (t->cut || t->out.failed)
		return true; /* nothing follows */
	bool fits =
	    s != NULL && texts_are_text(row) && (t->form == CAPTURE_V2 ? write_v2(t, row) : write_csv(t, s, row));
	t->cut = t->out.size > CAPTURE_TEXT_MAX;
	if (!fits || t->cut) {
		t->out.size = start;
		t->unfit += !fits;
		return t->cut;
	}
	t->from_ms = t->rows == 0 || row->at_ms < t->from_ms ? row->at_ms : t->from_ms;
	t->to_ms = row->at_ms > t->to_ms ? row->at_ms : t->to_ms;
	t->rows++;
	return true;
}

/* --- life --- */

int capture_text_init(struct capture_text *t, enum capture_form form, const char *model,
		      const struct manifest *manifests, size_t version_count, const uint32_t *wanted,
		      size_t wanted_count, struct err *e)
{
	*t = (struct capture_text){.form = form,
				   .model = model,
				   .manifests = manifests,
				   .version_count = version_count,
				   .wanted_count = wanted_count};
	memcpy(t->wanted, wanted, wanted_count * sizeof *wanted);
	buf_init(&t->out);
	t->sources = calloc(version_count, sizeof *t->sources);
	if (t->sources == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for captured rows");
	return form == CAPTURE_CSV ? begin_csv(t, e) : 0;
}

void capture_text_release(struct capture_text *t)
{
	for (size_t i = 0; t->sources != NULL && i < t->version_count; i++) {
		columns_free(t->sources[i].columns);
		free(t->sources[i].fields);
	}
	for (size_t i = 0; i < t->wanted_count; i++)
		columns_free(t->wanted_columns[i]);
	free(t->sources);
	free(t->columns);
	buf_release(&t->out);
}
