/* view_alerts: what is wrong, since when, and who looks after it. */
#include "ui/view/grid.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DETAIL_ROWS 7     /* with its rule */
#define DETAIL_ROWS_FEW 4 /* what it gets at least */
#define DETAIL_ROWS_MIN 8 /* of the view, before the selected one is shown in full */
#define DETAIL_ROWS_ENOUGH 14

enum { STATE, MODEL, RULE, SINCE, SENTENCE, WHO, COLUMN_COUNT };

static const struct grid_column columns_all[COLUMN_COUNT] = {
    [STATE] = {"STATE", 0, 14, 14, false, 0},    [MODEL] = {"MODEL", 1, 12, 24, false, 0},
    [RULE] = {"RULE", 4, 8, 16, false, 0},       [SINCE] = {"SINCE", 3, 10, 10, false, 0},
    [SENTENCE] = {"WHAT", 2, 24, 140, false, 0}, [WHO] = {"BY", 5, 7, 12, false, 0},
};

const struct alert *view_alert(const struct ui_state *state)
{
	const struct snapshot *s = state->snapshot;
	for (size_t i = 0; s != NULL && i < s->alert_count; i++) {
		if (s->alerts[i].id == state->alert)
			return &s->alerts[i];
	}
	return s != NULL && s->alert_count > 0 ? &s->alerts[0] : NULL;
}

static enum canvas_role state_text(const struct canvas *c, const struct alert *a, char *text, size_t size)
{
	snprintf(text, size, "%s %s",
		 a->state == ALERT_FIRING     ? canvas_glyph(c, "▲", "!")
		 : a->state == ALERT_RESOLVED ? canvas_glyph(c, "✓", "+")
					      : canvas_glyph(c, "◐", "%"),
		 alert_state_name(a->state));
	return a->state == ALERT_FIRING ? ROLE_BAD : a->state == ALERT_RESOLVED ? ROLE_DIM : ROLE_WARNING;
}

static void draw_cell(struct canvas *c, int row, int at, int width, int column, const struct ui_state *state,
		      const struct alert *a)
{
	char text[64];
	enum canvas_role dim = a->state == ALERT_RESOLVED ? ROLE_DIM : ROLE_TEXT;
	switch (column) {
	case STATE:
		canvas_put(c, row, at, width, state_text(c, a, text, sizeof(text)), text);
		break;
	case MODEL:
		at = canvas_put(c, row, at, width, a == view_alert(state) ? ROLE_SELECTED : dim, a->model);
		break;
	case RULE:
		canvas_put(c, row, at, width, dim, a->rule);
		break;
	case SINCE:
		panes_ago(state->now_ms, a->since_ms, text, sizeof(text));
		canvas_put(c, row, at, width, ROLE_DIM, text);
		break;
	case SENTENCE:
		canvas_put(c, row, at, width, dim, a->text);
		break;
	default:
		canvas_put(c, row, at, width, ROLE_DIM, a->who);
		break;
	}
}

static void draw_row(struct canvas *c, int row, const struct grid_column *columns, const struct ui_state *state,
		     const struct alert *a)
{
	int at = GRID_MARKER;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].width == 0)
			continue;
		draw_cell(c, row, at, columns[i].width, i, state, a);
		at += columns[i].width + GRID_GAP;
	}
	if (a != view_alert(state))
		return;
	canvas_put(c, row, 0, 1, ROLE_SELECTED, canvas_glyph(c, "▸", ">"));
	canvas_select(c, row, 0, GRID_MARKER + columns[0].width + GRID_GAP + columns[1].width);
}

/* "resolved 12 min ago", "acknowledged by mara 3 min ago". */
static void draw_fate(struct canvas *c, int row, const struct ui_state *state, const struct alert *a)
{
	char since[32], ago[32] = "";
	panes_time(state, a->since_ms, true, since, sizeof(since));
	int column = canvas_format(c, row, 2, -1, ROLE_DIM, "since %s", since);
	if (a->acknowledged_ms > 0) {
		panes_ago(state->now_ms, a->acknowledged_ms, ago, sizeof(ago));
		column = canvas_format(c, row, column, -1, ROLE_DIM, " · acknowledged by %s %s", a->who, ago);
	}
	if (a->resolved_ms > 0) {
		panes_ago(state->now_ms, a->resolved_ms, ago, sizeof(ago));
		canvas_format(c, row, column, -1, ROLE_DIM, " · resolved %s", ago);
	}
}

static void draw_selected(struct canvas *c, int top, int bottom, const struct ui_state *state, const struct alert *a)
{
	char title[128], version[16] = "", text[48];
	if (a->version > 0)
		snprintf(version, sizeof(version), " v%u", a->version);
	snprintf(title, sizeof(title), "alert %lld  %s%s", (long long)a->id, a->model, version);
	panes_rule(c, top++, 0, c->columns, title);
	int column = canvas_put(c, top, 2, -1, state_text(c, a, text, sizeof(text)), text);
	column = canvas_format(c, top, column + 2, -1, ROLE_TEXT, "%s", a->rule);
	if (isfinite(a->value) && isfinite(a->threshold))
		canvas_format(c, top, column + 2, -1, ROLE_TEXT, "%.3g, limit %.3g", a->value, a->threshold);
	top++;
	if (bottom - top >= 3)
		draw_fate(c, top++, state, a);
	top += canvas_put_wrapped(c, top, 2, c->columns - 4, bottom - top < 2 ? bottom - top : 2, ROLE_TEXT, a->text);
	if (a->note[0] != '\0' && top < bottom)
		canvas_format(c, top, 2, c->columns - 4, ROLE_DIM, "%s: %s", a->who, a->note);
}

static void draw_none(struct canvas *c, int top, int bottom)
{
	static const char *const lines[] = {"nothing is firing", "",
					    "a rollout that had to go back shows here, with what was wrong"};
	int count = (int)(sizeof(lines) / sizeof(lines[0])), row = top + (bottom - top - count) / 2;
	for (int i = 0; i < count; i++) {
		int column = (c->columns - canvas_width(lines[i])) / 2;
		if (row + i >= top && row + i < bottom)
			canvas_put(c, row + i, column > 1 ? column : 1, c->columns - 2, i == 0 ? ROLE_OK : ROLE_DIM,
				   lines[i]);
	}
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const struct snapshot *s = state->snapshot;
	const struct alert *selected = view_alert(state);
	struct grid_column columns[COLUMN_COUNT];
	if (selected == NULL) {
		draw_none(c, top, bottom);
		return;
	}
	int detail = bottom - top >= DETAIL_ROWS_ENOUGH ? DETAIL_ROWS
		     : bottom - top >= DETAIL_ROWS_MIN  ? DETAIL_ROWS_FEW
							: 0;
	int count = (int)s->alert_count, rows = bottom - top - detail - 1;
	rows = rows < count ? rows : count;
	memcpy(columns, columns_all, sizeof(columns));
	grid_lay_out(columns, COLUMN_COUNT, c->columns - GRID_MARKER - 1);
	int end = grid_headings(c, top, columns, COLUMN_COUNT);
	int first = grid_first(0, count, (int)(selected - s->alerts), rows);
	for (int i = 0; i < rows; i++)
		draw_row(c, top + 1 + i, columns, state, &s->alerts[first + i]);
	if (count > rows)
		grid_position(c, top, end, first, rows, count);
	if (detail > 0)
		draw_selected(c, top + 1 + rows + (bottom - top > rows + detail + 1), bottom, state, selected);
}

const struct view view_alerts = {
    .name = "alerts",
    .title = "Alerts",
    .key = '4',
    .summary = "what is wrong, since when, and who looks after it",
    .draw = draw,
};
