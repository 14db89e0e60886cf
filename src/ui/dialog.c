#include "ui/dialog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 84
#define MARGIN 2 /* blank columns inside the frame */
#define EVIDENCE_ROWS_MIN 3
#define VALUE_COLUMN 14 /* where values start behind their labels */

void dialog_init(struct dialog *d, const char *title)
{
	memset(d, 0, sizeof(*d));
	text_clean(d->title, sizeof(d->title), title);
}

void dialog_line(struct dialog *d, enum canvas_role role, const char *format, ...)
{
	if (d->line_count == DIALOG_LINES_MAX)
		return;
	struct dialog_line *line = &d->lines[d->line_count++];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line->text, sizeof(line->text), format, arguments);
	va_end(arguments);
	line->role = role;
}

struct dialog_field *dialog_field(struct dialog *d, const char *label, const char *hint)
{
	if (d->field_count == DIALOG_FIELDS_MAX)
		return NULL;
	struct dialog_field *field = &d->fields[d->field_count++];
	memset(field, 0, sizeof(*field));
	text_clean(field->label, sizeof(field->label), label);
	text_clean(field->hint, sizeof(field->hint), hint);
	return field;
}

/* Where the next row goes, and what there is of them. */
struct place {
	struct canvas *c;
	int row, column, columns, bottom;
	int cursor_row, cursor_column;
};

static void draw_line(struct place *p, const struct dialog_line *line)
{
	char label[DIALOG_LINE_SIZE];
	const char *tab = strchr(line->text, '\t');
	if (p->row >= p->bottom)
		return;
	if (tab == NULL) {
		canvas_put(p->c, p->row++, p->column, p->columns, line->role, line->text);
		return;
	}
	int length = (int)(tab - line->text);
	snprintf(label, sizeof(label), "%.*s", length, line->text);
	canvas_put(p->c, p->row, p->column, VALUE_COLUMN - 1, ROLE_DIM, label);
	canvas_put(p->c, p->row++, p->column + VALUE_COLUMN, p->columns - VALUE_COLUMN, line->role, tab + 1);
}

/* The part of a value that is shown so that the cursor is in sight. */
static const char *visible_part(const struct dialog_field *f, int columns, int *cursor)
{
	char before[DIALOG_VALUE_SIZE];
	size_t size = f->cursor < sizeof(before) - 1 ? f->cursor : sizeof(before) - 1;
	memcpy(before, f->value, size);
	before[size] = '\0';
	const char *start = before;
	while (*start != '\0' && canvas_width(start) > columns - 1) {
		size_t step = text_character_size(start);
		start += step > 0 ? step : 1;
	}
	*cursor = canvas_width(start);
	return f->value + (start - before);
}

static void draw_field(struct place *p, const struct dialog_field *f, bool focused)
{
	if (p->row + 1 >= p->bottom)
		return;
	int end = canvas_put(p->c, p->row, p->column, p->columns - 3, focused ? ROLE_TITLE : ROLE_DIM, f->label);
	if (f->done)
		canvas_put(p->c, p->row, end + 1, 2, ROLE_OK, canvas_glyph(p->c, "✓", "ok"));
	p->row++;
	int cursor;
	const char *value = visible_part(f, p->columns - 2, &cursor);
	canvas_fill(p->c, p->row, p->column, 1, p->columns, ' ', ROLE_INPUT);
	canvas_put(p->c, p->row, p->column, 1, focused ? ROLE_KEY : ROLE_DIM, canvas_glyph(p->c, "▸", ">"));
	bool hint = f->value[0] == '\0' && f->hint[0] != '\0' && !focused;
	end = canvas_put(p->c, p->row, p->column + 2, p->columns - 2, hint ? ROLE_DIM : ROLE_INPUT,
			 hint ? f->hint : value);
	if (focused) {
		p->cursor_row = p->row;
		p->cursor_column = p->column + 2 + cursor;
	}
	p->row++;
}

/* A field that is not being typed in, where rows are short. */
static void draw_field_brief(struct place *p, const struct dialog_field *f)
{
	if (p->row >= p->bottom)
		return;
	int half = p->columns * 2 / 3, end = p->column + p->columns;
	int at = canvas_put(p->c, p->row, p->column, half, ROLE_DIM, f->label);
	if (f->done)
		at = canvas_put(p->c, p->row, at + 1, 2, ROLE_OK, canvas_glyph(p->c, "✓", "ok"));
	canvas_put(p->c, p->row, at + 1, end - at - 1, ROLE_INPUT, f->value);
	p->row++;
}

static void draw_wrapped(struct place *p, enum canvas_role role, const char *text, int rows_max)
{
	int rows = rows_max < p->bottom - p->row ? rows_max : p->bottom - p->row;
	p->row += canvas_put_wrapped(p->c, p->row, p->column, p->columns, rows, role, text);
}

static int wrapped_rows(const char *text, int columns, int rows_max)
{
	int width = canvas_width(text);
	/* A little more than the plain quotient: breaking at blanks leaves room unused. */
	int rows = width == 0 ? 0 : 1 + (width - 1) / (columns > 8 ? columns - 8 : 1);
	if (width <= columns && width > 0)
		rows = 1;
	return rows < rows_max ? rows : rows_max;
}

static void draw_buttons(struct place *p, const struct dialog *d, int row)
{
	const char *text = d->disabled          ? "stale picture: confirming is off - esc cancels"
			   : d->busy            ? "sent, waiting for the answer"
			   : d->buttons[0]      ? d->buttons
			   : d->field_count > 1 ? "enter confirm · tab next field · esc cancel"
						: "enter confirm · esc cancel";
	if (canvas_width(text) > p->columns && !d->disabled && !d->busy && !d->buttons[0])
		text = "enter confirm · esc cancel";
	enum canvas_role role = d->disabled ? ROLE_WARNING : d->busy ? ROLE_DIM : ROLE_KEY;
	canvas_put(p->c, row, p->column, p->columns, role, text);
}

/* Blank lines of evidence go first when rows are short, then the last ones. */
static void draw_evidence(struct place *p, const struct dialog *d, int room)
{
	bool tight = (int)d->line_count > room;
	int bottom = p->bottom;
	p->bottom = p->row + room < bottom ? p->row + room : bottom;
	for (size_t i = 0; i < d->line_count; i++) {
		if (!tight || d->lines[i].text[0] != '\0')
			draw_line(p, &d->lines[i]);
	}
	p->bottom = bottom;
}

void dialog_draw(struct canvas *c, const struct dialog *d, int *cursor_row, int *cursor_column)
{
	int columns = c->columns - 4 < COLUMNS_MAX ? c->columns - (c->columns >= 60 ? 4 : 0) : COLUMNS_MAX;
	int inner = columns - 2 - 2 * MARGIN;
	int command = wrapped_rows(d->command, inner - 2, 3), error = wrapped_rows(d->error, inner, 3);
	/* Where rows are short, what is known about the change comes before the command that equals
	 * it. */
	int fields = 2 * (int)d->field_count;
	bool brief = c->rows < 2 + (int)d->line_count + fields + error + 3;
	if (brief && d->field_count > 1)
		fields = (int)d->field_count + 1;
	int spare = c->rows - 3 - fields - error - EVIDENCE_ROWS_MIN;
	command = command > spare ? (spare > 0 ? spare : 0) : command;
	int fixed = fields + command + error + 1;
	int wanted = 2 + (int)d->line_count + fixed + 2 + (command > 0) + (error > 0);
	int rows = wanted < c->rows ? wanted : c->rows;
	bool air = rows == wanted;
	int top = (c->rows - rows) / 2, left = (c->columns - columns) / 2;
	canvas_fill(c, top, left, rows, columns, ' ', ROLE_DIALOG);
	canvas_frame(c, top, left, rows, columns, ROLE_BORDER, d->title);
	struct place p = {c, top + 1, left + 1 + MARGIN, inner, top + rows - 1, -1, -1};
	draw_evidence(&p, d, air ? (int)d->line_count : rows - 2 - fixed);
	p.row += air;
	for (size_t i = 0; i < d->field_count; i++) {
		if (brief && d->field_count > 1 && i != d->focus)
			draw_field_brief(&p, &d->fields[i]);
		else
			draw_field(&p, &d->fields[i], i == d->focus && !d->busy);
	}
	if (command > 0) {
		p.row += air;
		canvas_put(c, p.row, p.column, 1, ROLE_DIM, "$");
		p.column += 2;
		p.columns -= 2;
		draw_wrapped(&p, ROLE_DIM, d->command, command);
		p.column -= 2;
		p.columns += 2;
	}
	if (error > 0) {
		p.row += air;
		draw_wrapped(&p, ROLE_BAD, d->error, error);
	}
	draw_buttons(&p, d, top + rows - 2);
	if (cursor_row != NULL)
		*cursor_row = p.cursor_row;
	if (cursor_column != NULL)
		*cursor_column = p.cursor_column;
}
