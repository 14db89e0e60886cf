/*
 * grid: which columns a table on a canvas has room for, its headings, and which lines are in
 * sight.
 *
 * Pure drawing; the caller draws the cells. Not here: tables of plain text (table).
 */
#ifndef UI_GRID_H
#define UI_GRID_H

#include "ui/view/canvas.h"

#include <stdbool.h>
#include <stddef.h>

#define GRID_GAP 2    /* blank cells between columns */
#define GRID_RANKS 16 /* ranks are below */
#define GRID_MARKER 2 /* "▸ " before the first */

/* Columns are taken in the order of their rank as long as their least widths fit. */
struct grid_column {
	const char *heading;
	int rank, least, most;
	bool right; /* flush */
	int width;  /* what it got; 0: not shown */
};

/* Gives every column that fits its least width, then the room that is left to those that want more.
 */
void grid_lay_out(struct grid_column *columns, size_t count, int room);
/* A text in its column, which begins at `at`; flush right where the column is. */
void grid_put(struct canvas *c, int row, int at, const struct grid_column *column, enum canvas_role role,
	      const char *text);
/* The headings from `at` on. Returns the column after the last one. */
int grid_headings_at(struct canvas *c, int row, int at, const struct grid_column *columns, size_t count);
/* The same behind the marker, on a line that is theirs alone. */
int grid_headings(struct canvas *c, int row, const struct grid_column *columns, size_t count);
/* The first of count lines that is shown in rows, so that the selected one (-1: none) is in sight.
 */
int grid_first(int scroll, int count, int selected, int rows);
/* Which lines of how many are in sight: arrows always, figures where the headings leave room. */
void grid_position(struct canvas *c, int top, int headings_end, int first, int rows, int count);

#endif
