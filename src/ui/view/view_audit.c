/* view_audit: every change and every denied attempt, newest first, and the selected one in full. */
#include "ui/view/grid.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include <stdio.h>
#include <string.h>

#define DETAIL_ROWS 6      /* with its rule */
#define DETAIL_ROWS_MIN 14 /* of the view, before the selected one is shown in full */

enum { ID, AT, WHO, ACTION, MODEL, OUTCOME, DETAIL, REASON, COLUMN_COUNT };

static const struct grid_column columns_all[COLUMN_COUNT] = {
    [ID] = {"ID", 8, 4, 7, true, 0},          [AT] = {"AT", 0, 11, 11, false, 0},
    [WHO] = {"WHO", 1, 7, 12, false, 0},      [ACTION] = {"ACTION", 2, 11, 13, false, 0},
    [MODEL] = {"MODEL", 4, 12, 24, false, 0}, [OUTCOME] = {"OUTCOME", 3, 10, 14, false, 0},
    [DETAIL] = {"WHAT", 6, 12, 40, false, 0}, [REASON] = {"REASON", 7, 10, 60, false, 0},
};

static bool contains(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

static bool passes(const struct audit_record *a, const char *filter)
{
	return contains(a->who, filter) || contains(a->action, filter) || contains(a->model, filter) ||
	       contains(a->outcome, filter) || contains(a->reason, filter) || contains(a->detail, filter) ||
	       contains(a->client, filter);
}

size_t view_audits(const struct ui_state *state, size_t *indexes, size_t max)
{
	const struct snapshot *s = state->snapshot;
	size_t count = 0;
	for (size_t i = 0; s != NULL && i < s->audit_count; i++) {
		if (!passes(&s->audits[i], state->audit_filter))
			continue;
		if (count < max)
			indexes[count] = i;
		count++;
	}
	return count;
}

static bool done(const struct audit_record *a)
{
	return strcmp(a->outcome, "done") == 0;
}

static void draw_cell(struct canvas *c, int row, int at, int width, int column, const struct ui_state *state,
		      const struct audit_record *a)
{
	char text[64];
	switch (column) {
	case ID:
		snprintf(text, sizeof(text), "%lld", (long long)a->id);
		canvas_put_right(c, row, at, width, ROLE_DIM, text);
		break;
	case AT:
		panes_time(state, a->at_ms, true, text, sizeof(text));
		canvas_put(c, row, at, width, ROLE_DIM, text);
		break;
	case WHO:
		canvas_put(c, row, at, width, ROLE_TEXT, a->who);
		break;
	case ACTION:
		canvas_format(c, row, at, width, a->forced ? ROLE_BAD : ROLE_TEXT, "%s%s", a->action,
			      a->forced ? canvas_glyph(c, " ▲", " !") : "");
		break;
	case MODEL:
		canvas_put(c, row, at, width, ROLE_TEXT, a->model);
		break;
	case OUTCOME:
		canvas_format(c, row, at, width, done(a) ? ROLE_OK : ROLE_BAD, "%s %s",
			      done(a) ? canvas_glyph(c, "✓", "+") : canvas_glyph(c, "✕", "x"), a->outcome);
		break;
	case DETAIL:
		canvas_put(c, row, at, width, done(a) ? ROLE_LIVE : ROLE_DIM, a->detail);
		break;
	default:
		canvas_put(c, row, at, width, ROLE_DIM, a->reason);
		break;
	}
}

static void draw_row(struct canvas *c, int row, const struct grid_column *columns, const struct ui_state *state,
		     const struct audit_record *a, bool selected)
{
	int at = GRID_MARKER, end = GRID_MARKER;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].width == 0)
			continue;
		draw_cell(c, row, at, columns[i].width, i, state, a);
		at += columns[i].width + GRID_GAP;
		end = i <= AT ? at - GRID_GAP : end;
	}
	if (!selected)
		return;
	canvas_put(c, row, 0, 1, ROLE_SELECTED, canvas_glyph(c, "▸", ">"));
	canvas_select(c, row, 0, end);
}

static void draw_selected(struct canvas *c, int top, int bottom, const struct audit_record *a)
{
	char title[128], route[64] = "";
	snprintf(title, sizeof(title), "record %lld  %s %s  %.12s", (long long)a->id, a->action, a->model, a->hash);
	panes_rule(c, top++, 0, c->columns, title);
	if (a->revision > 0)
		snprintf(route, sizeof(route), ", r%u on r%u%s", a->revision, a->based_on, a->forced ? ", forced" : "");
	int column = canvas_format(c, top, 2, -1, done(a) ? ROLE_OK : ROLE_BAD, "%s %s",
				   done(a) ? canvas_glyph(c, "✓", "+") : canvas_glyph(c, "✕", "x"), a->outcome);
	canvas_format(c, top++, column + 2, -1, ROLE_TEXT, "by %s (uid %u) with %s%s", a->who, a->uid, a->client,
		      route);
	top += canvas_put_wrapped(c, top, 2, c->columns - 4, 2, done(a) ? ROLE_LIVE : ROLE_BAD, a->detail);
	if (top < bottom && a->reason[0] != '\0')
		canvas_put_wrapped(c, top, 2, c->columns - 4, bottom - top, ROLE_TEXT, a->reason);
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	struct grid_column columns[COLUMN_COUNT];
	size_t indexes[SNAPSHOT_AUDITS_MAX], selected = 0;
	int count = (int)view_audits(state, indexes, SNAPSHOT_AUDITS_MAX);
	if (count == 0) {
		if (state->audit_filter[0] != '\0')
			canvas_format(c, top + 1, 2, -1, ROLE_DIM,
				      "nothing in the audit contains \"%s\"; esc shows all", state->audit_filter);
		else
			canvas_put(c, top + 1, 2, -1, ROLE_DIM, "reading the audit");
		return;
	}
	for (int i = 0; i < count; i++) {
		if (state->snapshot->audits[indexes[i]].id == state->audit)
			selected = (size_t)i;
	}
	int detail = bottom - top >= DETAIL_ROWS_MIN ? DETAIL_ROWS : 0, rows = bottom - top - detail - 1;
	rows = rows < count ? rows : count;
	memcpy(columns, columns_all, sizeof(columns));
	grid_lay_out(columns, COLUMN_COUNT, c->columns - GRID_MARKER - 1);
	int end = grid_headings(c, top, columns, COLUMN_COUNT);
	int first = grid_first(0, count, (int)selected, rows);
	for (int i = 0; i < rows; i++)
		draw_row(c, top + 1 + i, columns, state, &state->snapshot->audits[indexes[first + i]],
			 first + i == (int)selected);
	if (count > rows)
		grid_position(c, top, end, first, rows, count);
	if (detail > 0)
		draw_selected(c, top + 1 + rows, bottom, &state->snapshot->audits[indexes[selected]]);
}

const struct view view_audit = {
    .name = "audit",
    .title = "Audit",
    .key = '5',
    .audits = true,
    .summary = "every change and every denied attempt: who, when, why, what came of it",
    .draw = draw,
};
