/*
 * canvas: a grid of character cells that views draw on; curses, text, ANSI and SVG are made from
 * it.
 *
 * Owner: the caller. Not thread-safe. All drawing is clipped, never an error. Strings are UTF-8 and
 * are shown cleaned (text_clean); a double-width character takes two cells, combining ones are
 * dropped. Not here: colours (theme), the terminal (draw).
 */
#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANVAS_COLUMNS_MAX 500
#define CANVAS_ROWS_MAX 200

/* What a cell means; a theme gives every role its colours. The name is the key in a theme file. */
#define CANVAS_ROLES(X)         \
	X(TEXT, "text")         \
	X(DIM, "dim")           \
	X(TITLE, "title")       \
	X(HEADER, "header")     \
	X(BORDER, "border")     \
	X(KEY, "key")           \
	X(SELECTED, "selected") \
	X(OK, "ok")             \
	X(WARNING, "warning")   \
	X(BAD, "bad")           \
	X(STALE, "stale")       \
	X(LIVE, "live")         \
	X(CANARY, "canary")     \
	X(SHADOW, "shadow")     \
	X(BASELINE, "baseline") \
	X(INPUT, "input")       \
	X(DIALOG, "dialog")

enum canvas_role {
#define X(name, key) ROLE_##name,
	CANVAS_ROLES(X)
#undef X
	    ROLE_COUNT
};

/* How rich the glyphs may be: the terminal's locale and the operator decide. Charts fall back in
 * this order. */
enum charset { CHARSET_BRAILLE, CHARSET_BLOCKS, CHARSET_ASCII };

struct cell {
	uint32_t glyph; /* a Unicode scalar; 0: the right half of a double-width character */
	uint8_t role;
	bool bold;
	bool selected; /* stands on the background of SELECTED, whatever its role */
};

struct canvas {
	int columns, rows;
	enum charset charset;
	struct cell *cells; /* [rows][columns] */
};

/* NULL when memory is out; sizes are clamped to the limits above. */
struct canvas *canvas_new(int columns, int rows, enum charset charset);
void canvas_free(struct canvas *c);
void canvas_clear(struct canvas *c);
/* Writes text at (row, column) within width cells (cut with an ellipsis when it is longer; -1: to
 * the right edge). Returns the column after the last cell written. */
int canvas_put(struct canvas *c, int row, int column, int width, enum canvas_role role, const char *text);
int canvas_format(struct canvas *c, int row, int column, int width, enum canvas_role role, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* Over at most rows_max rows of width cells, broken at blanks where it can be; an ellipsis cuts the last one. Returns
 * the rows used. */
int canvas_put_wrapped(struct canvas *c, int row, int column, int width, int rows_max, enum canvas_role role,
		       const char *text);
/* Like canvas_put(), flush right within width cells that start at column. */
void canvas_put_right(struct canvas *c, int row, int column, int width, enum canvas_role role, const char *text);
void canvas_fill(struct canvas *c, int row, int column, int rows, int columns, uint32_t glyph, enum canvas_role role);
void canvas_cell(struct canvas *c, int row, int column, uint32_t glyph, enum canvas_role role);
/* Gives cells another role, keeping glyphs (a selected line). */
void canvas_paint(struct canvas *c, int row, int column, int rows, int columns, enum canvas_role role);
void canvas_bold(struct canvas *c, int row, int column, int columns);
/* Marks cells as part of the selected line: they keep their roles and get its background. */
void canvas_select(struct canvas *c, int row, int column, int columns);
/* A frame with an optional title; ASCII where the charset demands it. */
void canvas_frame(struct canvas *c, int row, int column, int rows, int columns, enum canvas_role role,
		  const char *title);
/* Cells that text takes on a screen. */
int canvas_width(const char *text);
/* "▲" or its ASCII word-like stand-in "!": picks by the charset. */
const char *canvas_glyph(const struct canvas *c, const char *rich, const char *ascii);

/* The number of cells of one character: 0 (combining, invisible), 1 or 2. */
int canvas_glyph_width(uint32_t glyph);
/* Decodes the valid UTF-8 character at text; *size gets its bytes. */
uint32_t canvas_decode(const char *text, size_t *size);
/* Writes a character as UTF-8 with a final NUL; returns its bytes. */
size_t canvas_encode(uint32_t glyph, char text[5]);

#endif
