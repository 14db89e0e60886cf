/* view_experiments: A/B tests, running ones first, and what the selected one says. */
#include "ui/view/experiment_text.h"
#include "ui/view/grid.h"
#include "ui/view/panes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DETAIL_ROWS 7      /* with its rule */
#define DETAIL_ROWS_MIN 14 /* of the view, before the selected one is shown in full */

enum { MODEL, NAME, VERDICT, EFFECT, STATE, ARMS, UNITS, METRIC, INTERVAL, SENTENCE, COLUMN_COUNT };

static const struct grid_column columns_all[COLUMN_COUNT] = {
    [MODEL] = {"MODEL", 2, 12, 20, false, 0},       [NAME] = {"TEST", 0, 12, 20, false, 0},
    [VERDICT] = {"VERDICT", 1, 14, 14, false, 0},   [EFFECT] = {"EFFECT", 4, 10, 10, true, 0},
    [STATE] = {"STATE", 3, 15, 19, false, 0},       [ARMS] = {"ARMS", 6, 14, 26, false, 0},
    [UNITS] = {"UNITS", 7, 14, 16, true, 0},        [METRIC] = {"ON", 8, 12, 16, false, 0},
    [INTERVAL] = {"INTERVAL", 9, 16, 18, false, 0}, [SENTENCE] = {"WHAT IT SAYS", 10, 30, 160, false, 0},
};

static void units_text(const struct snapshot_experiment *s, char *text, size_t size)
{
	char seen[16], planned[16];
	text_count(seen, sizeof seen, (double)s->exposed);
	text_count(planned, sizeof planned, (double)s->planned_size);
	snprintf(text, size, "%s of %s", seen, planned);
}

/* "● 4 h left": the state's glyph, with what is more than its word. */
static enum canvas_role state_text(const struct canvas *c, const struct ui_state *state,
				   const struct snapshot_experiment *s, char *text, size_t size)
{
	char word[32], left[48];
	size_t glyph;
	enum canvas_role role = experiment_state_text(c, s, word, sizeof word);
	canvas_decode(word, &glyph);
	experiment_left_text(state, s, left, sizeof left);
	snprintf(text, size, "%.*s %s", (int)glyph, word, left);
	return role;
}

static enum canvas_role cell_text(const struct canvas *c, int column, const struct ui_state *state,
				  const struct snapshot_experiment *s, char *text, size_t size)
{
	char number[EXPERIMENT_NUMBER_SIZE];
	bool known = s->metric[0] != '\0';
	switch (column) {
	case MODEL:
		snprintf(text, size, "%s", s->model);
		return ROLE_TEXT;
	case NAME:
		snprintf(text, size, "%s", s->name);
		return s == experiment_selected(state) ? ROLE_SELECTED : ROLE_TEXT;
	case VERDICT:
		return experiment_verdict_text(c, s->verdict, text, size);
	case STATE:
		return state_text(c, state, s, text, size);
	case EFFECT:
		experiment_effect_text(known ? s->effect : (double)NAN, s->is_share, number);
		snprintf(text, size, "%s", number);
		return ROLE_TEXT;
	case INTERVAL:
		experiment_interval_text(known ? s->low : (double)NAN, known ? s->high : (double)NAN, s->is_share, text,
					 size);
		return ROLE_DIM;
	case ARMS:
		experiment_arms_text(s, text, size);
		return ROLE_TEXT;
	case UNITS:
		units_text(s, text, size);
		return ROLE_TEXT;
	case METRIC:
		snprintf(text, size, "%s", known ? s->metric : "-");
		return ROLE_TEXT;
	default:
		snprintf(text, size, "%s", s->sentence);
		return ROLE_DIM;
	}
}

static void draw_row(struct canvas *c, int row, const struct grid_column *columns, const struct ui_state *state,
		     const struct snapshot_experiment *s)
{
	int at = GRID_MARKER, name_end = 0;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		char text[EXPERIMENT_SENTENCE_SIZE];
		if (columns[i].width == 0)
			continue;
		enum canvas_role role = cell_text(c, i, state, s, text, sizeof text);
		if (columns[i].right)
			canvas_put_right(c, row, at, columns[i].width, role, text);
		else
			canvas_put(c, row, at, columns[i].width, role, text);
		at += columns[i].width + GRID_GAP;
		name_end = i == NAME ? at - GRID_GAP : name_end;
	}
	if (s != experiment_selected(state))
		return;
	canvas_put(c, row, 0, 1, ROLE_SELECTED, canvas_glyph(c, "▸", ">"));
	canvas_select(c, row, 0, name_end);
}

static void draw_selected(struct canvas *c, int top, int bottom, const struct ui_state *state,
			  const struct snapshot_experiment *s)
{
	char title[2 * TEXT_NAME_MAX + 8], verdict[32], units[40], arms[160], ago[32];
	snprintf(title, sizeof title, "%s  %s", s->model, s->name);
	panes_rule(c, top++, 0, c->columns, title);
	enum canvas_role role = experiment_verdict_text(c, s->verdict, verdict, sizeof verdict);
	units_text(s, units, sizeof units);
	experiment_arms_text(s, arms, sizeof arms);
	panes_ago(state->now_ms, s->started_ms, ago, sizeof ago);
	int end = canvas_put(c, top, 2, -1, role, verdict);
	canvas_bold(c, top, 2, end - 2);
	canvas_format(c, top++, end + 2, c->columns - end - 3, ROLE_DIM, "%s; %s units; started %s by %s", arms, units,
		      ago, s->who);
	top += canvas_put_wrapped(c, top, 2, c->columns - 4, bottom - top, ROLE_TEXT,
				  s->sentence[0] != '\0' ? s->sentence : "nobody has looked at it yet");
	if (s->note[0] != '\0' && top < bottom)
		canvas_put_wrapped(c, top, 2, c->columns - 4, bottom - top, ROLE_WARNING, s->note);
}

static void draw_none(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const char *const lines[] = {state->snapshot->experiments_known ? "no A/B tests yet" : "reading the A/B tests",
				     "", "an A/B test shares live requests out to versions",
				     "and judges them by what became of the users"};
	int count = state->snapshot->experiments_known ? 4 : 1, row = top + (bottom - top - count) / 2;
	for (int i = 0; i < count; i++) {
		int column = (c->columns - canvas_width(lines[i])) / 2;
		if (row + i >= top && row + i < bottom)
			canvas_put(c, row + i, column > 1 ? column : 1, c->columns - 2, i == 0 ? ROLE_TITLE : ROLE_DIM,
				   lines[i]);
	}
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	struct grid_column columns[COLUMN_COUNT];
	const struct snapshot *s = state->snapshot;
	const struct snapshot_experiment *chosen = experiment_selected(state);
	if (chosen == NULL) {
		draw_none(c, top, bottom, state);
		return;
	}
	int count = (int)s->experiment_count, detail = bottom - top >= DETAIL_ROWS_MIN ? DETAIL_ROWS : 0;
	int rows = bottom - top - detail - 1;
	rows = rows < count ? rows : count;
	memcpy(columns, columns_all, sizeof columns);
	grid_lay_out(columns, COLUMN_COUNT, c->columns - GRID_MARKER - 1);
	int end = grid_headings(c, top, columns, COLUMN_COUNT);
	int first = grid_first(0, count, (int)(chosen - s->experiments), rows);
	for (int i = 0; i < rows; i++)
		draw_row(c, top + 1 + i, columns, state, &s->experiments[first + i]);
	if (count > rows)
		grid_position(c, top, end, first, rows, count);
	if (detail > 0)
		draw_selected(c, top + 1 + rows, bottom, state, chosen);
}

const struct view view_experiments = {
    .name = "experiments",
    .title = "Experiments",
    .key = '6',
    .experiments = true,
    .summary = "A/B tests, running ones first, with their verdicts",
    .draw = draw,
};
