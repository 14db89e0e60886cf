/* view_help: the keys, the views and the glyphs, out of their lists. */
#include "ui/keys.h"
#include "ui/panes.h"
#include "ui/view.h"

#include <stdio.h>

#define KEY_COLUMNS 10
#define PANE_COLUMNS 58

static const struct {
	const char *glyph, *ascii;
	enum canvas_role role;
	const char *meaning;
} legend[] = {
	{"█", "#", ROLE_LIVE, "live: serves the requests"},
	{"▒", "=", ROLE_CANARY, "canary: serves the share that is shown"},
	{"◌", ".", ROLE_SHADOW, "shadow: gets copies, its answers are not used"},
	{"●", "*", ROLE_OK, "ok"},
	{"◐", "%", ROLE_CANARY, "split: several versions serve"},
	{"▲", "!", ROLE_BAD, "errors: 1% of the requests or more fail"},
	{"○", "o", ROLE_DIM, "idle, or not live"},
	{"✕", "x", ROLE_BAD, "failed: a version in the route cannot serve"},
	{"░", "'", ROLE_BASELINE, "the baseline, where it rises above the predictions"},
};

/* Lines of the help are numbered, so that it scrolls; line() draws one if it is in sight. */
struct page {
	struct canvas *c;
	int top, bottom, column, columns;
	int line, scroll;
};

static void line(struct page *p, enum canvas_role key_role, const char *key, const char *text)
{
	int row = p->top + p->line++ - p->scroll;
	if (row < p->top || row >= p->bottom)
		return;
	canvas_put(p->c, row, p->column + 1, KEY_COLUMNS - 1, key_role, key);
	canvas_put(p->c, row, p->column + KEY_COLUMNS + 1, p->columns - KEY_COLUMNS - 1, ROLE_TEXT, text);
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
		line(p, legend[i].role, canvas_glyph(p->c, legend[i].glyph, legend[i].ascii),
		     legend[i].meaning);
	p->line++;
	heading(p, "views");
	for (size_t i = 0; i < view_count; i++) {
		char name[32];
		if (view_table[i]->key != 0)
			snprintf(name, sizeof(name), "%c %s", view_table[i]->key, view_table[i]->name);
		else
			snprintf(name, sizeof(name), "  %s", view_table[i]->name);
		line(p, ROLE_KEY, name, view_table[i]->summary);
	}
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	bool beside = c->columns >= 2 * PANE_COLUMNS - 10;
	int columns = beside ? (c->columns - 4) / 2 : c->columns - 2;
	struct page p = {c, top, bottom, 1, columns, 0, state->scroll > 0 ? state->scroll : 0};
	heading(&p, "keys");
	for (size_t i = 0; i < key_count; i++)
		line(&p, ROLE_KEY, key_table[i].text, key_table[i].help);
	if (beside) {
		p.column += columns + 2;
		p.line = 0;
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
