/* view_tests: what tests gave, newest first, of all models or of one, and the selected result in full. */
#include "ui/view/grid.h"
#include "ui/view/panes.h"
#include "ui/view/test_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DETAIL_ROWS 6      /* with its rule */
#define DETAIL_ROWS_MIN 14 /* of the view, before the selected one is shown in full */
#define WIDE 140

enum { ID, AT, MODEL, KIND, VERSIONS, VERDICT, SUMMARY, WHO, JOB, COLUMN_COUNT };

static const struct grid_column columns_all[COLUMN_COUNT] = {
    [ID] = {"TEST", 0, 4, 6, true, 0},
    [AT] = {"WHEN", 4, 10, 10, false, 0},
    [MODEL] = {"MODEL", 3, 12, 24, false, 0},
    [KIND] = {"KIND", 2, 12, 12, false, 0},
    [VERSIONS] = {"VERSIONS", 5, 8, 9, false, 0},
    [VERDICT] = {"VERDICT", 1, 12, 14, false, 0},
    [SUMMARY] = {"WHAT CAME OF IT", 6, 20, 100, false, 0},
    [WHO] = {"BY", 7, 8, 12, false, 0},
    [JOB] = {"JOB", 8, 4, 5, true, 0},
};

static bool contains(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

static bool passes(const struct test_result *t, const struct ui_state *state)
{
	const char *filter = state->tests_filter;
	char version[16];
	if (state->tests_of[0] != '\0' && strcmp(state->tests_of, t->model) != 0)
		return false;
	snprintf(version, sizeof(version), "v%u", t->version);
	return contains(t->model, filter) || contains(t->kind, filter) || contains(t->verdict, filter) ||
	       contains(t->who, filter) || contains(t->summary, filter) || contains(version, filter) ||
	       contains(t->passed ? "passed" : "failed", filter);
}

size_t view_tests_shown(const struct ui_state *state, size_t *indexes, size_t max)
{
	const struct snapshot *s = state->snapshot;
	size_t count = 0;
	for (size_t i = 0; s != NULL && i < s->test_count; i++) {
		if (!passes(&s->tests[i], state))
			continue;
		if (count < max)
			indexes[count] = i;
		count++;
	}
	return count;
}

const struct test_result *test_selected(const struct ui_state *state)
{
	size_t indexes[SNAPSHOT_TESTS_MAX], count = view_tests_shown(state, indexes, SNAPSHOT_TESTS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (state->snapshot->tests[indexes[i]].id == state->test)
			return &state->snapshot->tests[indexes[i]];
	}
	return count > 0 ? &state->snapshot->tests[indexes[0]] : NULL;
}

static void draw_cell(struct canvas *c, int row, int at, const struct grid_column *columns, int column,
		      const struct ui_state *state, const struct test_result *t)
{
	char text[64] = "";
	enum canvas_role role = ROLE_TEXT;
	switch (column) {
	case ID:
		snprintf(text, sizeof(text), "%" PRId64, t->id);
		role = t == test_selected(state) ? ROLE_SELECTED : ROLE_TEXT;
		break;
	case AT:
		panes_ago(state->now_ms, t->at_ms, text, sizeof(text));
		role = ROLE_DIM;
		break;
	case KIND:
		snprintf(text, sizeof(text), "%s", t->kind);
		break;
	case VERSIONS:
		test_versions_text(c, t, text, sizeof(text));
		break;
	case VERDICT:
		role = test_verdict_text(c, t, text, sizeof(text));
		break;
	case JOB:
		snprintf(text, sizeof(text), t->job > 0 ? "%" PRId64 : "-", t->job);
		role = ROLE_DIM;
		break;
	default:
		canvas_put(c, row, at, columns[column].width, column == MODEL ? ROLE_TEXT : ROLE_DIM,
			   column == MODEL     ? t->model
			   : column == SUMMARY ? t->summary
					       : t->who);
		return;
	}
	grid_put(c, row, at, &columns[column], role, text);
}

static void draw_row(struct canvas *c, int row, const struct grid_column *columns, const struct ui_state *state,
		     const struct test_result *t)
{
	int at = GRID_MARKER;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].width == 0)
			continue;
		draw_cell(c, row, at, columns, i, state, t);
		at += columns[i].width + GRID_GAP;
	}
	if (t->id == state->test_marked)
		canvas_put(c, row, 1, 1, ROLE_WARNING, canvas_glyph(c, "◆", "*"));
	if (t != test_selected(state))
		return;
	canvas_put(c, row, 0, 1, ROLE_SELECTED, canvas_glyph(c, "▸", ">"));
	canvas_select(c, row, 0, GRID_MARKER + columns[ID].width);
}

static void draw_marked(struct canvas *c, int row, const struct ui_state *state, const struct test_result *t)
{
	int at = canvas_format(c, row, 2, -1, ROLE_WARNING, "%s test %" PRId64 " is marked", canvas_glyph(c, "◆", "*"),
			       state->test_marked);
	canvas_put(c, row, at, c->columns - at - 1, ROLE_DIM,
		   t->id == state->test_marked ? ": m on another one opens both beside each other"
					       : ": m opens this one beside it");
}

static void draw_selected(struct canvas *c, int top, int bottom, const struct ui_state *state,
			  const struct test_result *t)
{
	char title[160], versions[32], verdict[40], ago[32], at[32];
	test_versions_text(c, t, versions, sizeof(versions));
	snprintf(title, sizeof(title), "test %" PRId64 "  %s %s %s", t->id, t->kind, t->model,
		 t->version != 0 ? versions : "");
	panes_rule(c, top++, 0, c->columns, title);
	panes_ago(state->now_ms, t->at_ms, ago, sizeof(ago));
	panes_time(state, t->at_ms, true, at, sizeof(at));
	enum canvas_role role = test_verdict_text(c, t, verdict, sizeof(verdict));
	int column = canvas_put(c, top, 2, -1, role, verdict);
	canvas_format(c, top++, column + 2, c->columns - column - 3, ROLE_DIM, "%s, %s%s%s", ago, at,
		      t->who[0] != '\0' ? ", by " : "", t->who);
	bool marked = state->test_marked != 0;
	int rows = bottom - top - (marked ? 1 : 0);
	top += canvas_put_wrapped(c, top, 2, c->columns - 4, rows, ROLE_TEXT,
				  t->summary[0] != '\0' ? t->summary : "nothing more was told of it");
	if (marked)
		draw_marked(c, top, state, t);
}

static void draw_lines(struct canvas *c, int top, int bottom, const char *const *lines, int count)
{
	int row = top + (bottom - top - count) / 2;
	for (int i = 0; i < count; i++) {
		int column = (c->columns - canvas_width(lines[i])) / 2;
		if (row + i >= top && row + i < bottom)
			canvas_put(c, row + i, column > 1 ? column : 1, c->columns - 2, i == 0 ? ROLE_TITLE : ROLE_DIM,
				   lines[i]);
	}
}

static void draw_none(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	char first[160];
	const char *const all[] = {first,
				   "",
				   "mldeck diff MODEL NEW --data rows.csv",
				   "mldeck bench MODEL NEW",
				   "mldeck stress MODEL --rate 500",
				   "each compares or loads a version and keeps what it found"};
	if (!state->snapshot->tests_known)
		snprintf(first, sizeof(first), "reading the tests");
	else if (state->tests_filter[0] != '\0')
		snprintf(first, sizeof(first), "no test contains \"%s\"; esc shows all", state->tests_filter);
	else if (state->tests_of[0] != '\0')
		snprintf(first, sizeof(first), "no tests of %s yet", state->tests_of);
	else
		snprintf(first, sizeof(first), "no tests yet");
	bool alone = !state->snapshot->tests_known || state->tests_filter[0] != '\0';
	draw_lines(c, top, bottom, all, alone ? 1 : bottom - top >= 8 ? 6 : 3);
}

static void lay_out(const struct canvas *c, const struct ui_state *state, struct grid_column *columns)
{
	memcpy(columns, columns_all, COLUMN_COUNT * sizeof(*columns));
	if (state->tests_of[0] != '\0')
		columns[MODEL].rank = GRID_RANKS; /* the tab says it */
	if (c->columns < WIDE) {
		columns[MODEL].most = 15;
		columns[JOB].rank = GRID_RANKS;
		columns[VERDICT].most = columns[VERDICT].least;
	}
	grid_lay_out(columns, COLUMN_COUNT, c->columns - GRID_MARKER - 1);
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	struct grid_column columns[COLUMN_COUNT];
	size_t indexes[SNAPSHOT_TESTS_MAX];
	int count = (int)view_tests_shown(state, indexes, SNAPSHOT_TESTS_MAX), selected = 0;
	const struct test_result *chosen = test_selected(state);
	if (chosen == NULL) {
		draw_none(c, top, bottom, state);
		return;
	}
	for (int i = 0; i < count; i++) {
		if (&state->snapshot->tests[indexes[i]] == chosen)
			selected = i;
	}
	int detail = bottom - top >= DETAIL_ROWS_MIN ? DETAIL_ROWS : 0, rows = bottom - top - detail - 1;
	rows = rows < count ? rows : count;
	lay_out(c, state, columns);
	int end = grid_headings(c, top, columns, COLUMN_COUNT);
	int first = grid_first(0, count, selected, rows);
	for (int i = 0; i < rows; i++)
		draw_row(c, top + 1 + i, columns, state, &state->snapshot->tests[indexes[first + i]]);
	if (count > rows)
		grid_position(c, top, end, first, rows, count);
	if (detail > 0)
		draw_selected(c, top + 1 + rows, bottom, state, chosen);
}

const struct view view_tests = {
    .name = "tests",
    .title = "Tests",
    .key = '3',
    .tests = true,
    .summary = "what tests gave, newest first; one in full, two side by side",
    .draw = draw,
};
