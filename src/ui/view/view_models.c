/* view_models: every model on one line, and below them the charts of the selected one. */
#include "ui/view/grid.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_ROWS_MIN 4 /* heading and three models, before the charts get any */
#define DETAIL_ROWS_MIN 5
#define SPLIT_BAR 10
#define ROUTE_BRIEF 22 /* a split column narrower than this leaves the roles' words out */

typedef void draw_cell(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		       const struct snapshot_model *m);

static void draw_name(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		      const struct snapshot_model *m)
{
	bool selected = strcmp(state->model, m->name) == 0;
	canvas_put(c, row, column, columns, selected ? ROLE_SELECTED : ROLE_TEXT, m->name);
}

static void draw_live(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		      const struct snapshot_model *m)
{
	(void)state;
	if (m->live != 0)
		canvas_format(c, row, column, columns, ROLE_LIVE, "v%u", m->live);
	else
		canvas_put(c, row, column, columns, ROLE_DIM, "none");
	canvas_bold(c, row, column, columns);
}

static void draw_split(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		       const struct snapshot_model *m)
{
	char text[200];
	(void)state;
	panes_split_text(m, columns < ROUTE_BRIEF, text, sizeof(text));
	int width = text[0] != '\0' ? columns - canvas_width(text) - 1 : columns;
	width = width > SPLIT_BAR ? SPLIT_BAR : width < 5 ? 5 : width;
	chart_split(c, row, column, width, m->route, m->route_count);
	const struct route_entry *other = NULL;
	for (size_t i = 0; i < m->route_count && other == NULL; i++)
		other = m->route[i].role != ROUTE_LIVE ? &m->route[i] : NULL;
	if (other != NULL)
		canvas_put(c, row, column + width + 1, columns - width - 1, panes_role(other), text);
}

static void draw_rate(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		      const struct snapshot_model *m)
{
	char text[32];
	(void)state;
	text_count(text, sizeof(text), m->stats.rate_rps);
	canvas_put_right(c, row, column, columns, m->stats.requests > 0 ? ROLE_TEXT : ROLE_DIM, text);
}

static void put_duration(struct canvas *c, int row, int column, int columns, uint64_t ns)
{
	char text[32];
	panes_duration(c, ns, text, sizeof(text));
	canvas_put_right(c, row, column, columns, ns != 0 ? ROLE_TEXT : ROLE_DIM, text);
}

static void draw_p50(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		     const struct snapshot_model *m)
{
	(void)state;
	put_duration(c, row, column, columns, m->stats.latency.p50_ns);
}

static void draw_p99(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		     const struct snapshot_model *m)
{
	(void)state;
	put_duration(c, row, column, columns, m->stats.latency.p99_ns);
}

static void draw_errors(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
			const struct snapshot_model *m)
{
	char text[32];
	double percent = snapshot_error_percent(&m->stats);
	(void)state;
	snprintf(text, sizeof(text), "%.*f", percent < 9.995 ? 2 : percent < 99.95 ? 1 : 0, percent);
	enum canvas_role role = percent >= 1 ? ROLE_BAD : percent > 0 ? ROLE_WARNING : ROLE_TEXT;
	canvas_put_right(c, row, column, columns, m->stats.requests > 0 ? role : ROLE_DIM,
			 m->stats.requests > 0 ? text : "-");
}

static void draw_trend(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		       const struct snapshot_model *m)
{
	double values[SNAPSHOT_SERIES] = {0}, max = 0;
	(void)state;
	for (size_t i = 0; i < m->per_version_count; i++) {
		for (int j = 0; j < SNAPSHOT_SERIES; j++)
			values[j] += (double)m->per_version[i].series_rps[j];
	}
	for (int j = 0; j < SNAPSHOT_SERIES; j++)
		max = fmax(max, values[j]);
	chart_series(c, (struct area){row, column, 1, columns}, values, SNAPSHOT_SERIES, max, ROLE_DIM);
}

static void draw_changed(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
			 const struct snapshot_model *m)
{
	char ago[32];
	if (m->history_count == 0)
		return;
	const struct snapshot_revision *r = &m->history[0];
	panes_ago(state->now_ms, r->at_ms, ago, sizeof(ago));
	canvas_format(c, row, column, columns, ROLE_DIM, "%s, %s by %s", ago, r->action, r->who);
}

static void draw_state(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		       const struct snapshot_model *m)
{
	struct model_state s = panes_state(c, state, m);
	canvas_put(c, row, column, columns, s.role, canvas_width(s.text) <= columns ? s.text : s.brief);
}

#define COLUMN_COUNT 10
#define STATE_COLUMN 8
#define STATE_COLUMNS_MIN 11
#define STATE_COLUMNS_MAX 28
#define STATE_WHOLE_FROM 110 /* on narrower screens the split needs the room more */
static const struct grid_column columns_all[COLUMN_COUNT] = {
    {"MODEL", 0, 12, 40, false, 0},
    {"LIVE", 2, 4, 4, false, 0},
    {"SPLIT", 6, 10, 40, false, 0},
    {"REQ/S", 3, 5, 6, true, 0},
    {"LAST 60 S", 8, 12, 30, false, 0},
    {"p50", 7, 5, 6, true, 0},
    {"p99", 4, 5, 6, true, 0},
    {"ERR%", 5, 5, 6, true, 0},
    {"STATE", 1, 9, STATE_COLUMNS_MIN, false, 0},
    {"LAST CHANGE", 9, 20, 40, false, 0},
};
static draw_cell *const cells[COLUMN_COUNT] = {
    draw_name, draw_live, draw_split, draw_rate, draw_trend, draw_p50, draw_p99, draw_errors, draw_state, draw_changed,
};

static int longest_name(const struct snapshot *s)
{
	size_t longest = 0;
	for (size_t i = 0; i < s->model_count; i++) {
		size_t length = strlen(s->models[i].name);
		longest = length > longest ? length : longest;
	}
	return (int)longest;
}

static int longest_state(const struct canvas *c, const struct ui_state *state)
{
	int longest = STATE_COLUMNS_MIN;
	for (size_t i = 0; i < state->snapshot->model_count && longest < STATE_COLUMNS_MAX; i++) {
		struct model_state s = panes_state(c, state, &state->snapshot->models[i]);
		int width = canvas_width(c->columns >= STATE_WHOLE_FROM ? s.text : s.brief);
		longest = width > longest ? width : longest;
	}
	return longest < STATE_COLUMNS_MAX ? longest : STATE_COLUMNS_MAX;
}

static void lay_out(const struct canvas *c, struct grid_column *columns, int room, const struct ui_state *state)
{
	memcpy(columns, columns_all, sizeof(columns_all));
	int name = longest_name(state->snapshot);
	columns[0].most = name < 12 ? 12 : name > 40 ? 40 : name;
	columns[STATE_COLUMN].most = longest_state(c, state);
	grid_lay_out(columns, COLUMN_COUNT, room);
}

static void draw_row(struct canvas *c, int row, const struct grid_column *columns, const struct ui_state *state,
		     const struct snapshot_model *m)
{
	int at = GRID_MARKER;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].width == 0)
			continue;
		cells[i](c, row, at, columns[i].width, state, m);
		at += columns[i].width + GRID_GAP;
	}
	if (strcmp(state->model, m->name) != 0)
		return;
	canvas_put(c, row, 0, 1, ROLE_SELECTED, canvas_glyph(c, "▸", ">"));
	/* Not the whole line: a cursor move would cost three times the bytes on a slow link. */
	canvas_select(c, row, 0, GRID_MARKER + columns[0].width);
}

static int selected_line(const struct ui_state *state, const size_t *indexes, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(state->snapshot->models[indexes[i]].name, state->model) == 0)
			return i;
	}
	return -1;
}

static void draw_table(struct canvas *c, int top, int bottom, const struct ui_state *state, const size_t *indexes,
		       int count)
{
	struct grid_column columns[COLUMN_COUNT];
	int rows = bottom - top - 1, selected = selected_line(state, indexes, count);
	int first = grid_first(state->scroll, count, selected, rows);
	lay_out(c, columns, c->columns - GRID_MARKER, state);
	int end = grid_headings(c, top, columns, COLUMN_COUNT);
	for (int i = 0; i < rows && first + i < count; i++)
		draw_row(c, top + 1 + i, columns, state, &state->snapshot->models[indexes[first + i]]);
	if (count > rows)
		grid_position(c, top, end, first, rows, count);
}

static void draw_detail(struct canvas *c, int top, int bottom, const struct ui_state *state,
			const struct snapshot_model *m)
{
	struct shown shown[PANES_VERSIONS_MAX];
	size_t count = panes_collect(m, state->version, shown, PANES_VERSIONS_MAX);
	panes_rule(c, top, 0, c->columns, m->name);
	panes_draw(c, (struct area){top + 1, 2, bottom - top - 1, c->columns - 3}, m, shown, count, state->now_ms);
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	size_t *indexes = malloc((state->snapshot->model_count + 1) * sizeof(*indexes));
	if (indexes == NULL)
		return;
	int count = (int)view_filtered(state, indexes, state->snapshot->model_count);
	if (count == 0) {
		canvas_format(c, top + 1, 2, -1, ROLE_DIM, "no model's name contains \"%s\"; esc shows all",
			      state->filter);
		free(indexes);
		return;
	}
	const struct snapshot_model *m = snapshot_find(state->snapshot, state->model);
	int rows = bottom - top, table = count + 2;
	int most = rows >= 30 ? rows / 2 : rows - DETAIL_ROWS_MIN - 2;
	table = table > most ? most : table;
	bool detail = m != NULL && table >= TABLE_ROWS_MIN - 1 && rows - table >= DETAIL_ROWS_MIN;
	draw_table(c, top, detail ? top + table - 1 : bottom, state, indexes, count);
	if (detail)
		draw_detail(c, top + table - 1 + (rows > 16), bottom, state, m);
	free(indexes);
}

const struct view view_models = {
    .name = "models",
    .title = "Models",
    .key = '1',
    .summary = "every model: what is live, how much, how fast, how well",
    .draw = draw,
};
