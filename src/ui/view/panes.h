/*
 * panes: what several views show of a model: its versions' latencies, predictions and requests a
 * second.
 *
 * Pure drawing. All versions of a pane stand one above the other on one shared horizontal axis;
 * panes of the same height and versions line up with each other.
 */
#ifndef UI_PANES_H
#define UI_PANES_H

#include "core/snapshot.h"
#include "ui/view/chart.h"
#include "ui/view/view.h"

#define PANES_VERSIONS_MAX 16

/* A version worth showing. */
struct shown {
	uint32_t version;
	const struct route_entry *entry;            /* NULL: not in the route */
	const struct snapshot_version_stats *stats; /* NULL: nothing known */
};

/* The versions with statistics: live, selected, canaries, shadows, the rest newest first. */
size_t panes_collect(const struct snapshot_model *m, uint32_t selected, struct shown *shown, size_t max);

/* Rows that the panes want at least: a heading, a line a version, the axis. */
int panes_rows_min(size_t shown_count);
/* Draws as many panes side by side as the width allows: latency, predictions, requests a second with a mark where the
 * route changed. */
void panes_draw(struct canvas *c, struct area area, const struct snapshot_model *m, const struct shown *shown,
		size_t count, int64_t now_ms);

/* "● ok": the state of a model as glyph plus word; "? unknown" once the picture is not current. brief is what stands
 * where text is too long. */
struct model_state {
	char text[48];
	char brief[24];
	enum canvas_role role;
};
struct model_state panes_state(const struct canvas *c, const struct ui_state *state, const struct snapshot_model *m);
/* "v3 canary 20%", with a comma between several; without the words where brief. */
void panes_split_text(const struct snapshot_model *m, bool brief, char *text, size_t size);

enum canvas_role panes_role(const struct route_entry *entry);
/* The glyph of a role: █ live, ▒ canary, ◌ shadow, · none; # = . - in ASCII. */
uint32_t panes_role_glyph(const struct route_entry *entry);

/* Durations "38µs" and "-" for 0. */
void panes_duration(const struct canvas *c, uint64_t ns, char *text, size_t size);
/* "14:02:11", or "11-24 14:02" where a day matters; "-" for 0. */
void panes_time(const struct ui_state *state, int64_t at_ms, bool date, char *text, size_t size);
/* "12 s ago", "5 min ago", "3 h ago", "12 d ago". */
void panes_ago(int64_t now_ms, int64_t at_ms, char *text, size_t size);
/* A rule across the width with a title in it. */
void panes_rule(struct canvas *c, int row, int column, int columns, const char *title);
/* A page of so many lines in rows [top, bottom): how many of them are above it, of those that were scrolled by. */
int panes_scroll(const struct ui_state *state, int top, int bottom, int lines);
/* Marks the edges beyond which the page goes on; after the page. */
void panes_scroll_marks(struct canvas *c, int top, int bottom, int lines, int scroll);

#endif
