/* view_policy: what must hold before a version of the selected model gets traffic. */
#include "ui/view/grid.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include <stdio.h>
#include <string.h>

#define NAME_COLUMNS 22
#define EXPLAINED_ROWS 12 /* from here on the selected setting is explained in full below, and the list scrolls */
#define VALUE_COLUMNS 26

/* The longest value, within bounds. */
static int value_columns(const struct policy *p)
{
	const char *name, *help;
	char value[POLICY_NAMES_SIZE];
	int longest = 8;
	for (size_t i = 0; policy_row(p, i, &name, value, &help); i++) {
		int width = canvas_width(value);
		longest = width > longest ? width : longest;
	}
	return longest < VALUE_COLUMNS ? longest : VALUE_COLUMNS;
}

static void draw_row(struct canvas *c, int row, const struct ui_state *state, const struct policy *p, size_t i)
{
	const char *name, *help;
	char value[POLICY_NAMES_SIZE];
	bool selected = i == state->setting;
	if (!policy_row(p, i, &name, value, &help))
		return;
	bool set = !policy_is_default(p, i);
	int at = GRID_MARKER, room = c->columns - GRID_MARKER - NAME_COLUMNS - GRID_GAP;
	int width = room < VALUE_COLUMNS ? room : value_columns(p);
	canvas_put(c, row, at, NAME_COLUMNS, selected ? ROLE_SELECTED : ROLE_TEXT, name);
	canvas_put(c, row, at += NAME_COLUMNS + GRID_GAP, width, set ? ROLE_TITLE : ROLE_DIM,
		   value[0] != '\0' ? value : "none");
	at += width + GRID_GAP;
	if (at + 12 <= c->columns)
		canvas_put(c, row, at, c->columns - at - 1, ROLE_DIM, help);
	if (!selected)
		return;
	canvas_put(c, row, 0, 1, ROLE_SELECTED, canvas_glyph(c, "▸", ">"));
	canvas_select(c, row, 0, GRID_MARKER + NAME_COLUMNS);
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const struct snapshot_model *m = snapshot_find(state->snapshot, state->model);
	const char *name, *help;
	char value[POLICY_NAMES_SIZE];
	int count = 0;
	if (m == NULL) {
		canvas_format(c, top + 1, 2, -1, ROLE_DIM, "there is no model \"%s\" any more; esc goes back",
			      state->model);
		return;
	}
	while (policy_row(&m->policy, (size_t)count, &name, value, &help))
		count++;
	canvas_format(c, top, 1, -1, ROLE_TEXT, "%s",
		      m->policy_set ? "what must hold before a version gets requests; what was set stands out"
				    : "nobody set a policy: these are the defaults");
	canvas_format(c, top + 1, GRID_MARKER, -1, ROLE_HEADER, "%-*s  %s", NAME_COLUMNS, "SETTING", "VALUE");
	bool explained = bottom - top >= EXPLAINED_ROWS;
	int rows = bottom - top - 2 - (explained ? 2 : 0), first = grid_first(0, count, (int)state->setting, rows);
	for (int i = 0; i < rows && first + i < count; i++)
		draw_row(c, top + 2 + i, state, &m->policy, (size_t)(first + i));
	if (count > rows)
		grid_position(c, top + 1, GRID_MARKER + NAME_COLUMNS + 8, first, rows, count);
	if (explained && policy_row(&m->policy, state->setting, &name, value, &help)) {
		panes_rule(c, bottom - 2, 0, c->columns, name);
		canvas_put(c, bottom - 1, GRID_MARKER, c->columns - GRID_MARKER - 1, ROLE_TEXT, help);
	}
}

const struct view view_policy = {
    .name = "policy",
    .title = NULL,
    .key = 0,
    .tab = "models",
    .summary = "what must hold before a version of a model gets requests",
    .draw = draw,
};
