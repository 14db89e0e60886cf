/* view_help: the keys, the views and the glyphs, out of their lists. */
#include "ui/view/keys.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include <stdio.h>

#define KEY_COLUMNS 10
#define KEYS_COLUMNS 54 /* that the longest help of a key takes */
#define LEGEND_COLUMNS 24

static const struct {
	const char *glyph, *ascii;
	enum canvas_role role;
	const char *meaning;
} legend[] = {
    {"█", "#", ROLE_LIVE, "live"},
    {"▒", "=", ROLE_CANARY, "canary: has a share"},
    {"◌", ".", ROLE_SHADOW, "shadow: gets copies"},
    {"●", "*", ROLE_OK, "ok"},
    {"◐", "%", ROLE_CANARY, "split: several serve"},
    {"▲", "!", ROLE_BAD, "errors: 1% or more"},
    {"○", "o", ROLE_DIM, "idle, or not live"},
    {"✕", "x", ROLE_BAD, "failed: cannot serve"},
    {"░", "'", ROLE_BASELINE, "the baseline"},
    {"✓", "+", ROLE_OK, "job done"},
    {"■", "#", ROLE_WARNING, "job cancelled"},
    {"▲", "!", ROLE_WARNING, "job interrupted"},
};

/* Lines of the help are numbered, so that it scrolls; line() draws one if it is in sight. */
struct page {
	struct canvas *c;
	int top, bottom, column, columns;
	int line, scroll;
	int key_columns;
};

static void line(struct page *p, enum canvas_role key_role, const char *key, const char *text)
{
	int row = p->top + p->line++ - p->scroll;
	if (row < p->top || row >= p->bottom)
		return;
	canvas_put(p->c, row, p->column + 1, p->key_columns - 1, key_role, key);
	canvas_put(p->c, row, p->column + p->key_columns + 1, p->columns - p->key_columns - 1, ROLE_TEXT, text);
}

static void heading(struct page *p, const char *text)
{
	int row = p->top + p->line++ - p->scroll;
	if (row >= p->top && row < p->bottom)
		panes_rule(p->c, row, p->column, p->columns, text);
}

static void draw_legend(struct page *p)
{
	heading(p, "glyphs");
	for (size_t i = 0; i < sizeof(legend) / sizeof(legend[0]); i++)
		line(p, legend[i].role, canvas_glyph(p->c, legend[i].glyph, legend[i].ascii), legend[i].meaning);
	p->line++;
	heading(p, "views");
	for (size_t i = 0; i < view_count; i++) {
		char key[2] = {view_table[i]->key, '\0'}, text[160];
		snprintf(text, sizeof(text), "%s: %s", view_table[i]->name, view_table[i]->summary);
		line(p, ROLE_KEY, key, text);
	}
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	bool beside = c->columns >= KEYS_COLUMNS + LEGEND_COLUMNS;
	int columns = !beside ? c->columns - 2 : c->columns >= 2 * KEYS_COLUMNS ? c->columns / 2 : KEYS_COLUMNS;
	struct page p = {c, top, bottom, 1, columns, 0, state->scroll > 0 ? state->scroll : 0, KEY_COLUMNS};
	heading(&p, "keys");
	for (size_t i = 0; i < key_count; i++)
		line(&p, ROLE_KEY, key_table[i].text, key_table[i].help);
	if (beside) {
		p.column += columns;
		p.columns = c->columns - p.column - 1;
		p.line = 0;
		p.key_columns = p.columns < KEYS_COLUMNS ? 3 : KEY_COLUMNS;
	} else {
		p.line++;
	}
	draw_legend(&p);
}

const struct view view_help = {
    .name = "help",
    .title = NULL,
    .key = 0,
    .summary = "keys, views and glyphs",
    .draw = draw,
};
