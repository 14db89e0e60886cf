/*
 * history: the revisions of a model's route as what a screen shows of them: glyphs, bars, a time axis.
 *
 * Pure functions and drawing. Uses all revisions where the snapshot has them, else the latest few that it always has.
 */
#ifndef UI_HISTORY_H
#define UI_HISTORY_H

#include "ui/view/chart.h"
#include "ui/view/view.h"

/* Newest first. */
struct history {
	const struct snapshot_revision *list;
	size_t count;
};

struct history history_of(const struct snapshot_model *m);
/* The selected one of the history view: its place; count when there is none. */
size_t history_selected(const struct ui_state *state, const struct history *h);
/* "↑" of a promotion, "+" of a deploy ...; an ASCII stand-in where it has to be. */
const char *history_glyph(const struct canvas *c, const char *action);
enum canvas_role history_role(const struct snapshot_revision *r);
/*
 * The route that revision `at` made, out of its text. Which one is live is not written there: it follows from those
 * before it, by the rules of route_split(). Returns how many entries.
 */
size_t history_route(const struct snapshot_model *m, const struct history *h, size_t at,
		     struct route_entry entries[ROUTE_ENTRIES_MAX]);
/* A bar with the route that revision `at` made; empty for one that is not at hand. */
void history_bar(struct canvas *c, int row, int column, int columns, const struct snapshot_model *m,
		 const struct history *h, size_t at);
/* Marks of [from_ms, to_ms] over a line of cells: "╵r12" where there is room, later ones first. */
void history_marks(struct canvas *c, int row, int column, int columns, const struct history *h, int64_t from_ms,
		   int64_t to_ms);

#endif
