#include "ui/view/grid.h"

#include <stdio.h>

void grid_lay_out(struct grid_column *columns, size_t count, int room)
{
	for (int rank = 0; rank < GRID_RANKS; rank++) {
		for (size_t i = 0; i < count; i++) {
			int gap = rank > 0 ? GRID_GAP : 0;
			if (columns[i].rank != rank || columns[i].least + gap > room)
				continue;
			columns[i].width = columns[i].least;
			room -= columns[i].width + gap;
		}
	}
	for (int rank = 0; rank < GRID_RANKS; rank++) {
		for (size_t i = 0; i < count; i++) {
			if (columns[i].rank != rank || columns[i].width == 0)
				continue;
			int more = columns[i].most - columns[i].width;
			more = more > room ? room : more;
			columns[i].width += more;
			room -= more;
		}
	}
}

void grid_put(struct canvas *c, int row, int at, const struct grid_column *column, enum canvas_role role,
	      const char *text)
{
	if (column->right)
		canvas_put_right(c, row, at, column->width, role, text);
	else
		canvas_put(c, row, at, column->width, role, text);
}

int grid_headings_at(struct canvas *c, int row, int at, const struct grid_column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (columns[i].width == 0)
			continue;
		grid_put(c, row, at, &columns[i], ROLE_HEADER, columns[i].heading);
		at += columns[i].width + GRID_GAP;
	}
	return at - GRID_GAP;
}

int grid_headings(struct canvas *c, int row, const struct grid_column *columns, size_t count)
{
	canvas_fill(c, row, 0, 1, c->columns, ' ', ROLE_HEADER);
	return grid_headings_at(c, row, GRID_MARKER, columns, count);
}

void grid_position(struct canvas *c, int top, int headings_end, int first, int rows, int count)
{
	char text[48];
	int last = first + rows < count ? first + rows : count;
	if (first > 0)
		canvas_put(c, top + 1, c->columns - 1, 1, ROLE_DIM, canvas_glyph(c, "↑", "^"));
	if (last < count)
		canvas_put(c, top + rows, c->columns - 1, 1, ROLE_DIM, canvas_glyph(c, "↓", "v"));
	snprintf(text, sizeof(text), "%d-%d of %d", first + 1, last, count);
	int column = c->columns - 1 - canvas_width(text);
	if (column >= headings_end + GRID_GAP)
		canvas_put(c, top, column, -1, ROLE_DIM, text);
}

int grid_first(int scroll, int count, int selected, int rows)
{
	int first = scroll < 0 ? 0 : scroll;
	if (selected >= 0 && selected < first)
		first = selected;
	if (selected >= first + rows)
		first = selected - rows + 1;
	if (first > count - rows)
		first = count - rows;
	return first < 0 ? 0 : first;
}
