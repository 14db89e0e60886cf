#include "ui/console/dialog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MARGIN 2 /* blank columns inside the frame */
#define EVIDENCE_ROWS_MIN 3
#define VALUE_COLUMN 14 /* where values start behind their labels */
#define FORM_LABEL_MAX 18
#define FORM_ROWS 8 /* before facts go for more of them */
#define FORM_ROWS_MIN 2

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
	if (focused)
		canvas_put(p->c, p->row, p->column, 1, ROLE_KEY, canvas_glyph(p->c, "▸", ">"));
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

/* Whether what was typed is what is wanted. */
static void draw_mark(struct place *p, int column, const struct dialog_field *f)
{
	if (f->bad)
		canvas_put(p->c, p->row, column, 2, ROLE_BAD, canvas_glyph(p->c, "✗", "x"));
	else if (f->done)
		canvas_put(p->c, p->row, column, 2, ROLE_OK, canvas_glyph(p->c, "✓", "ok"));
}

/* A field of a form: label, value or hint, mark, in one row. */
static void draw_form_field(struct place *p, const struct dialog_field *f, int labels, bool focused)
{
	if (p->row >= p->bottom)
		return;
	int column = p->column + labels + 3, columns = p->columns - labels - 6, cursor;
	const char *value = visible_part(f, columns, &cursor);
	bool hint = f->value[0] == '\0';
	canvas_put(p->c, p->row, p->column, 1, ROLE_KEY, focused ? canvas_glyph(p->c, "▸", ">") : " ");
	canvas_put(p->c, p->row, p->column + 2, labels, focused ? ROLE_TITLE : ROLE_DIM, f->label);
	canvas_fill(p->c, p->row, column, 1, columns, ' ', ROLE_INPUT);
	/* The cursor stands before the hint. */
	canvas_put(p->c, p->row, column + (hint && focused), columns - (hint && focused), hint ? ROLE_DIM : ROLE_INPUT,
		   hint ? f->hint : value);
	draw_mark(p, column + columns + 1, f);
	if (focused) {
		p->cursor_row = p->row;
		p->cursor_column = column + cursor;
	}
	p->row++;
}

/* The rows of a form that there is room for, with the one that is typed in. */
static void draw_form(struct place *p, const struct dialog *d, int rows)
{
	int count = (int)d->field_count, labels = 0;
	for (size_t i = 0; i < d->field_count; i++) {
		int width = canvas_width(d->fields[i].label);
		labels = width > labels ? width : labels;
	}
	labels = labels > FORM_LABEL_MAX ? FORM_LABEL_MAX : labels;
	labels = labels > p->columns / 3 ? p->columns / 3 : labels;
	int top = (int)d->focus - rows / 2;
	top = top > count - rows ? count - rows : top;
	top = top < 0 ? 0 : top;
	for (int i = top; i < count && i < top + rows; i++) {
		bool more = (i == top && top > 0) || (i == top + rows - 1 && i + 1 < count);
		int row = p->row;
		draw_form_field(p, &d->fields[i], labels, (size_t)i == d->focus && !d->busy && !d->focus_elsewhere);
		if (more)
			canvas_put(p->c, row, p->column + labels + 2, 1, ROLE_DIM,
				   i == top ? canvas_glyph(p->c, "↑", "^") : canvas_glyph(p->c, "↓", "v"));
	}
}

static void draw_wrapped(struct place *p, enum canvas_role role, const char *text, int rows_max)
{
	int rows = rows_max < p->bottom - p->row ? rows_max : p->bottom - p->row;
	if (rows <= 0)
		return;
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

/* How the rows of a dialog are shared out. */
struct layout {
	int rows, evidence, body, outcome, warning, fields, command, error;
	bool brief, air; /* only the field that is typed in has a line of its own; blank lines between the parts */
};

static int cut(int *part, int least, int over)
{
	int rows = *part - least;
	rows = rows < over ? rows : over;
	rows = rows < 0 ? 0 : rows;
	*part -= rows;
	return rows;
}

/* What is typed, a warning and an error stay. */
static void cut_other(struct layout *l, const struct dialog *d, int over)
{
	over -= cut(&l->command, 0, over);
	over -= cut(&l->outcome, 0, over);
	over -= cut(&l->body, d->body.rows_min, over);
	over -= cut(&l->evidence, l->body > 0 ? 2 : EVIDENCE_ROWS_MIN, over);
	over -= cut(&l->body, 0, over);
	cut(&l->warning, 0, over);
}

/* A form has many fields, which scroll; its last two lines of evidence say nothing of this one. */
static void cut_form(struct layout *l, int over)
{
	over -= cut(&l->evidence, l->evidence - 2, over);
	over -= cut(&l->command, 1, over);
	over -= cut(&l->fields, FORM_ROWS, over);
	over -= cut(&l->command, 0, over);
	over -= cut(&l->evidence, EVIDENCE_ROWS_MIN, over);
	over -= cut(&l->fields, FORM_ROWS_MIN, over);
	over -= cut(&l->evidence, 1, over);
	cut(&l->warning, 0, over);
}

/* Where rows are short the command goes first, then the outcome, then facts; what is typed, a warning and an error
 * stay. */
static struct layout lay_out(const struct dialog *d, int rows_max, int inner)
{
	struct layout l = {.evidence = (int)d->line_count, .body = d->body.rows};
	l.fields = d->form ? (int)d->field_count : 2 * (int)d->field_count;
	l.command = wrapped_rows(d->command, inner - 2, 3);
	l.error = wrapped_rows(d->error, inner, 3);
	l.outcome = wrapped_rows(d->outcome, inner, 2);
	l.warning = wrapped_rows(d->warning, inner, 2);
	int parts = (l.body > 0) + (l.outcome + l.warning > 0) + (l.fields > 0) + (l.command > 0) + (l.error > 0);
	int needed = l.evidence + l.body + l.outcome + l.warning + l.fields + l.command + l.error + 1;
	l.air = needed + parts + 1 + 2 <= rows_max;
	if (l.air) {
		l.rows = needed + parts + 1 + 2;
		return l;
	}
	int over = needed + 2 - rows_max;
	if (over > 0 && d->field_count > 1 && !d->form) {
		l.brief = true;
		over -= (int)d->field_count - 1;
		l.fields = (int)d->field_count + 1;
	}
	if (d->form)
		cut_form(&l, over);
	else
		cut_other(&l, d, over);
	l.rows = l.evidence + l.body + l.outcome + l.warning + l.fields + l.command + l.error + 3;
	l.rows = l.rows < rows_max ? l.rows : rows_max;
	return l;
}

static void draw_body(struct place *p, const struct dialog *d, int rows)
{
	if (rows <= 0)
		return;
	d->body.draw(p->c, (struct area){p->row, p->column, rows, p->columns}, d->body.context);
	p->row += rows;
}

static void draw_fields(struct place *p, const struct dialog *d, int rows, bool brief)
{
	if (d->form) {
		draw_form(p, d, rows);
		return;
	}
	for (size_t i = 0; i < d->field_count; i++) {
		bool focused = i == d->focus && !d->busy && !d->focus_elsewhere;
		if (brief && i != d->focus)
			draw_field_brief(p, &d->fields[i]);
		else
			draw_field(p, &d->fields[i], focused);
	}
}

static void draw_command(struct place *p, const struct dialog *d, int rows)
{
	if (rows <= 0)
		return;
	canvas_put(p->c, p->row, p->column, 1, ROLE_DIM, "$");
	p->column += 2;
	p->columns -= 2;
	draw_wrapped(p, ROLE_DIM, d->command, rows);
	p->column -= 2;
	p->columns += 2;
}

void dialog_draw(struct canvas *c, const struct dialog *d, int *cursor_row, int *cursor_column)
{
	int most = d->columns_max > 0 ? d->columns_max : DIALOG_COLUMNS;
	int columns = c->columns - 4 < most ? c->columns - (c->columns >= 60 ? 4 : 0) : most;
	struct layout l = lay_out(d, c->rows, columns - 2 - 2 * MARGIN);
	int top = (c->rows - l.rows) / 2, left = (c->columns - columns) / 2;
	canvas_fill(c, top, left, l.rows, columns, ' ', ROLE_DIALOG);
	canvas_frame(c, top, left, l.rows, columns, ROLE_BORDER, d->title);
	struct place p = {c, top + 1, left + 1 + MARGIN, columns - 2 - 2 * MARGIN, top + l.rows - 2, -1, -1};
	draw_evidence(&p, d, l.evidence);
	p.row += l.air && l.body > 0;
	draw_body(&p, d, l.body);
	p.row += l.air && l.outcome + l.warning > 0;
	draw_wrapped(&p, ROLE_TITLE, d->outcome, l.outcome);
	draw_wrapped(&p, ROLE_BAD, d->warning, l.warning);
	p.row += l.air && l.fields > 0;
	draw_fields(&p, d, l.fields, l.brief);
	p.row += l.air && l.command > 0;
	draw_command(&p, d, l.command);
	p.row += l.air && l.error > 0;
	draw_wrapped(&p, ROLE_BAD, d->error, l.error);
	draw_buttons(&p, d, top + l.rows - 2);
	if (cursor_row != NULL)
		*cursor_row = p.cursor_row;
	if (cursor_column != NULL)
		*cursor_column = p.cursor_column;
}
