/*
 * dialog: the confirmation that a change of a route goes through: evidence, fields to type, the
 * equal command.
 *
 * A plain value of fixed size that the console fills and edits; dialog_draw() only draws it, over
 * whatever the canvas holds. Strings are cleaned when they are drawn. Not here: keys, what
 * confirming does (console).
 */
#ifndef UI_DIALOG_H
#define UI_DIALOG_H

#include "core/text.h"
#include "ui/view/canvas.h"
#include "ui/view/chart.h"

#include <stdbool.h>
#include <stddef.h>

#define DIALOG_COLUMNS 84
#define DIALOG_LINES_MAX 16
#define DIALOG_LINE_SIZE 160
#define DIALOG_FIELDS_MAX 16
#define DIALOG_LABEL_SIZE 64
#define DIALOG_VALUE_SIZE 1024 /* a path is the longest that is typed */

/* One fact. "" is a blank line, the first to go when the screen is short. A tab in the text starts
 * the value: values stand in one column. */
struct dialog_line {
	enum canvas_role role;
	char text[DIALOG_LINE_SIZE];
};

/* One line to type. */
struct dialog_field {
	char label[DIALOG_LABEL_SIZE]; /* "type flight-delay to confirm" */
	char hint[DIALOG_LABEL_SIZE];  /* shown dim while the value is empty; may be "" */
	char value[DIALOG_VALUE_SIZE]; /* UTF-8 */
	size_t cursor;                 /* a byte offset into value, between characters */
	bool done;                     /* what was typed is what is wanted: a check mark shows */
	bool bad;                      /* it is not: a cross shows */
};

/* A part that somebody else draws, between the facts and the fields: a table of gates, an editor. */
struct dialog_body {
	int rows, rows_min; /* that it wants, and the fewest with which it makes sense; 0: there is none */
	void (*draw)(struct canvas *c, struct area area, const void *context);
	const void *context;
};

struct dialog {
	char title[160];
	size_t line_count;
	struct dialog_line lines[DIALOG_LINES_MAX];
	size_t field_count;
	struct dialog_field fields[DIALOG_FIELDS_MAX];
	size_t focus; /* the field that is typed in */
	struct dialog_body body;
	char outcome[320];    /* what will happen, one sentence, below the body; "" none */
	char warning[256];    /* what must not be overlooked; "" none */
	bool form;            /* a row a field, label before value; those that find no room scroll */
	bool focus_elsewhere; /* keys go to the body, not to a field */
	int columns_max;      /* 0: DIALOG_COLUMNS */
	char command[512];    /* "mldeck promote flight-delay 3 --reason …"; "" none */
	char error[512];      /* why it was refused; "" none */
	char buttons[96];     /* "" = "enter confirm · tab next · esc cancel" */
	bool busy;            /* sent, no answer yet: says so in place of the buttons */
	bool disabled;        /* the picture is stale or the connection lost: says so, confirming is off */
};

void dialog_init(struct dialog *d, const char *title);
/* Adds a line of evidence; dropped, not an error, beyond DIALOG_LINES_MAX. */
void dialog_line(struct dialog *d, enum canvas_role role, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds an empty field and returns it; NULL beyond DIALOG_FIELDS_MAX. */
struct dialog_field *dialog_field(struct dialog *d, const char *label, const char *hint);
/* Draws it in the middle of the canvas, as large as it needs and the canvas allows. Gives the cell
 * of the text cursor out (-1, -1 when there is none); row and column may be NULL. */
void dialog_draw(struct canvas *c, const struct dialog *d, int *cursor_row, int *cursor_column);

#endif
