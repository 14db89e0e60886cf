/* route_editor_draw: the rows of the route editor, each with a bar and what its share comes to. */
#include "ui/console/route_editor.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_COLUMNS 5
#define ROLE_COLUMNS 8
#define SHARE_COLUMNS 7
#define EFFECT_COLUMNS 24

int route_editor_rows(const struct route_editor *editor)
{
	return (int)editor->row_count + 1;
}

static enum canvas_role role_of(const struct route_editor *editor, const struct route_editor_row *row,
				const char **word)
{
	if (row->weight_bp == 0) {
		*word = !row->ready ? "failed" : row->shadow ? "shadow" : "none";
		return row->ready ? ROLE_DIM : ROLE_BAD;
	}
	if (row->shadow) {
		*word = "shadow";
		return ROLE_SHADOW;
	}
	bool live = row->version == route_editor_live(editor);
	*word = live ? "live" : "canary";
	return live ? ROLE_LIVE : ROLE_CANARY;
}

/* "1.0k req/s  +20%": what the share comes to, and how it differs from now. */
static void effect_text(const struct route_editor *editor, const struct route_editor_row *row, char *text, size_t size)
{
	char rate[16], change[24] = "";
	double delta = ((double)row->weight_bp - row->before_bp) / 100;
	text_count(rate, sizeof(rate), editor->rate_rps * row->weight_bp / ROUTE_BUCKETS);
	if (row->weight_bp != row->before_bp)
		snprintf(change, sizeof(change), "  %+.4g%%", delta);
	snprintf(text, size, "%5s %s%s", row->weight_bp > 0 ? rate : "-", row->shadow ? "copies/s" : "req/s", change);
}

static void draw_row(struct canvas *c, int row, int column, int columns, const struct route_editor *editor, size_t i,
		     bool focused)
{
	const struct route_editor_row *r = &editor->rows[i];
	bool here = focused && i == editor->at;
	const char *word;
	char text[64];
	enum canvas_role role = role_of(editor, r, &word);
	int at = column, end = column + columns;
	canvas_put(c, row, at, 1, here ? ROLE_KEY : ROLE_DIM, here ? canvas_glyph(c, "▸", ">") : " ");
	canvas_format(c, row, at + 2, NAME_COLUMNS, role == ROLE_DIM ? ROLE_TEXT : role, "%sv%u",
		      r->shadow ? canvas_glyph(c, "◌", ".") : "", r->version);
	if (here)
		canvas_bold(c, row, at + 2, NAME_COLUMNS);
	at += 2 + NAME_COLUMNS + 1;
	int bar = columns - 2 - NAME_COLUMNS - 1 - SHARE_COLUMNS - 1;
	bool effect = bar - EFFECT_COLUMNS - ROLE_COLUMNS - 4 >= 10, words = bar - ROLE_COLUMNS - 2 >= 8;
	bar -= (effect ? EFFECT_COLUMNS + 2 : 0) + (words ? ROLE_COLUMNS + 1 : 0);
	if (words) {
		canvas_put(c, row, at, ROLE_COLUMNS, role, word);
		at += ROLE_COLUMNS + 1;
	}
	if (here && editor->typed[0] != '\0')
		snprintf(text, sizeof(text), "%s_%%", editor->typed);
	else
		snprintf(text, sizeof(text), "%.4g%%", r->weight_bp / 100.0);
	chart_progress(c, row, at, bar, r->weight_bp / (double)ROUTE_BUCKETS, role);
	canvas_put_right(c, row, at + bar, SHARE_COLUMNS, here ? ROLE_TITLE : ROLE_TEXT, text);
	at += bar + SHARE_COLUMNS + 2;
	if (effect && at < end) {
		effect_text(editor, r, text, sizeof(text));
		canvas_put(c, row, at, end - at, r->weight_bp != r->before_bp ? ROLE_TITLE : ROLE_DIM, text);
	}
}

static void draw_sum(struct canvas *c, int row, int column, int columns, const struct route_editor *editor)
{
	uint32_t moved = route_editor_moved_bp(editor);
	char text[120];
	if (moved == 0)
		snprintf(text, sizeof(text), "no unit moves to another version");
	else
		snprintf(text, sizeof(text), "%.4g%% of the units move to another version, the others stay",
			 moved / 100.0);
	canvas_put(c, row, column + 2, columns - 2, moved > 0 ? ROLE_TEXT : ROLE_DIM, text);
}

void route_editor_draw(struct canvas *c, struct area area, const struct route_editor *editor, bool focused)
{
	int rows = area.rows - (area.rows > 3), count = (int)editor->row_count;
	int first = (int)editor->at >= rows ? (int)editor->at - rows + 1 : 0;
	for (int i = 0; i < rows && first + i < count; i++)
		draw_row(c, area.row + i, area.column, area.columns, editor, (size_t)(first + i), focused);
	if (first > 0)
		canvas_put(c, area.row, area.column + area.columns - 1, 1, ROLE_DIM, canvas_glyph(c, "↑", "^"));
	if (first + rows < count)
		canvas_put(c, area.row + rows - 1, area.column + area.columns - 1, 1, ROLE_DIM,
			   canvas_glyph(c, "↓", "v"));
	if (area.rows > 3)
		draw_sum(c, area.row + (count < rows ? count : rows), area.column, area.columns, editor);
}
