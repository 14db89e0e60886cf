#include "ui/command/table.h"

#include "core/text.h"
#include "ui/view/canvas.h"
#include "ui/command/output.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct row {
	char *cells[TABLE_COLUMNS_MAX];
};

struct table {
	size_t columns, rows, capacity, next;
	bool right[TABLE_COLUMNS_MAX];
	struct row *data; /* [rows]; the first is the header */
	bool failed;
};

struct table *table_new(const char *const *headers)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	while (headers[t->columns])
		t->columns++;
	assert(t->columns <= TABLE_COLUMNS_MAX);
	table_row(t);
	for (size_t i = 0; i < t->columns; i++) {
		t->right[i] = headers[i][0] == '>';
		table_cell(t, "%s", headers[i] + t->right[i]);
	}
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows; i++)
		for (size_t j = 0; j < t->columns; j++)
			free(t->data[i].cells[j]);
	free(t->data);
	free(t);
}

void table_row(struct table *t)
{
	if (t->rows == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 16;
		struct row *data = realloc(t->data, capacity * sizeof(*data));

		if (!data) {
			t->failed = true;
			return;
		}
		t->data = data;
		t->capacity = capacity;
	}
	memset(&t->data[t->rows++], 0, sizeof(struct row));
	t->next = 0;
}

void table_cell(struct table *t, const char *format, ...)
{
	char raw[TABLE_CELL_SIZE], clean[TABLE_CELL_SIZE];
	va_list list;

	if (t->failed)
		return;
	assert(t->next < t->columns);
	va_start(list, format);
	vsnprintf(raw, sizeof(raw), format, list);
	va_end(list);
	text_clean(clean, sizeof(clean), raw);
	if (output_ascii()) {
		char *to = clean;

		for (const char *from = clean; *from; from++)
			if ((unsigned char)*from < 0x80)
				*to++ = *from;
			else if ((unsigned char)*from >= 0xc0)
				*to++ = '?';
		*to = '\0';
	}
	t->data[t->rows - 1].cells[t->next] = strdup(clean);
	t->failed = !t->data[t->rows - 1].cells[t->next++];
}

static int column_width(const struct table *t, size_t column)
{
	int width = 0;

	for (size_t i = 0; i < t->rows; i++) {
		const char *cell = t->data[i].cells[column];

		if (cell && canvas_width(cell) > width)
			width = canvas_width(cell);
	}
	return width;
}

/* Cuts the line that starts at data at width cells, between whole characters. */
static void line_cut(struct buf *b, size_t start, int width)
{
	size_t at = start;
	int used = 0;

	while (at < b->size) {
		size_t size = text_character_size(b->data + at);
		char character[5] = {0};

		if (size == 0)
			size = 1;
		memcpy(character, b->data + at, size);
		used += canvas_width(character);
		if (used > width)
			break;
		at += size;
	}
	b->size = at;
	b->data[at] = '\0';
}

static void line_add(const struct table *t, const struct row *row, const int *widths, int width, struct buf *b)
{
	size_t start = b->size;

	for (size_t j = 0; j < t->columns; j++) {
		const char *cell = row->cells[j] ? row->cells[j] : "";
		int space = widths[j] - canvas_width(cell);

		if (j > 0)
			buf_add_string(b, "  ");
		if (t->right[j])
			buf_format(b, "%*s", space, "");
		buf_add_string(b, cell);
		if (!t->right[j])
			buf_format(b, "%*s", space, "");
	}
	if (b->failed)
		return;
	while (b->size > start && b->data[b->size - 1] == ' ')
		b->data[--b->size] = '\0';
	if (width > 0)
		line_cut(b, start, width);
	buf_add_char(b, '\n');
}

int table_text(const struct table *t, int width, struct buf *b, struct err *e)
{
	int widths[TABLE_COLUMNS_MAX] = {0};

	if (t->failed)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t j = 0; j < t->columns; j++)
		widths[j] = column_width(t, j);
	for (size_t i = 0; i < t->rows; i++)
		line_add(t, &t->data[i], widths, width, b);
	return b->failed ? err_set(e, ERR_MEMORY, "memory is out") : 0;
}

int table_print(const struct table *t, struct err *e)
{
	struct buf b;
	int result;

	buf_init(&b);
	result = table_text(t, output_width(stdout), &b, e);
	if (result == 0) {
		fwrite(b.data, 1, b.size, stdout);
		result = output_end(e);
	}
	buf_release(&b);
	return result;
}
