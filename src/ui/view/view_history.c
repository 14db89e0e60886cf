/* view_history: the revisions of a model's route on a time axis, as a list, and the selected one in full. */
#include "ui/view/grid.h"
#include "ui/view/history.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BAR 10
#define AXIS_FINE_S 30.0  /* about here the axis turns from linear to logarithmic */
#define CHART_ROWS_MIN 10 /* below the list, before there are charts */
#define WIDE 110
#define DETAIL_ROWS 7     /* with its rule */
#define AXIS_ROWS 3       /* with its rule */
#define AXIS_ROWS_MIN 12  /* of the view, before there is an axis */
#define ROOMY_ROWS_MIN 16 /* of the view, before the selected one is shown in full */

enum { REVISION, ACTION, AT, BEFORE, AFTER, ROUTE, WHO, REASON, COLUMN_COUNT };

static const struct grid_column columns_all[COLUMN_COUNT] = {
    [REVISION] = {"REV", 0, 4, 5, false, 0},    [ACTION] = {"ACTION", 1, 12, 19, false, 0},
    [AT] = {"AT", 3, 11, 11, false, 0},         [BEFORE] = {"BEFORE", 7, BAR, BAR, false, 0},
    [AFTER] = {"AFTER", 5, BAR, BAR, false, 0}, [ROUTE] = {"ROUTE", 2, 12, 30, false, 0},
    [WHO] = {"WHO", 4, 7, 12, false, 0},        [REASON] = {"REASON", 6, 12, 80, false, 0},
};

/* "↑ promote ▲ forced"; where it is narrow "↑ promote ▲", for the selected one is shown in full. */
static void action_text(const struct canvas *c, const struct snapshot_revision *r, int width, char *text, size_t size)
{
	const char *glyph = history_glyph(c, r->action);
	snprintf(text, size, "%s %s%s", glyph, r->action, r->forced ? canvas_glyph(c, " ▲ forced", " ! forced") : "");
	if (r->forced && canvas_width(text) > width)
		snprintf(text, size, "%s %s%s", glyph, r->action, canvas_glyph(c, " ▲", " !"));
}

static void draw_cell(struct canvas *c, int row, int at, int width, int column, const struct ui_state *state,
		      const struct snapshot_model *m, const struct history *h, size_t i)
{
	const struct snapshot_revision *r = &h->list[i];
	char text[64];
	switch (column) {
	case REVISION:
		canvas_format(c, row, at, width, i == history_selected(state, h) ? ROLE_SELECTED : ROLE_TEXT, "r%u",
			      r->revision);
		break;
	case ACTION:
		action_text(c, r, width, text, sizeof(text));
		canvas_put(c, row, at, width, history_role(r), text);
		break;
	case AT:
		panes_time(state, r->at_ms, true, text, sizeof(text));
		canvas_put(c, row, at, width, ROLE_DIM, text);
		break;
	case BEFORE:
		history_bar(c, row, at, width, m, h, i + 1);
		break;
	case AFTER:
		history_bar(c, row, at, width, m, h, i);
		break;
	case ROUTE:
		canvas_put(c, row, at, width, ROLE_LIVE, r->route);
		break;
	case WHO:
		canvas_put(c, row, at, width, ROLE_TEXT, r->who);
		break;
	default:
		canvas_put(c, row, at, width, ROLE_DIM, r->reason);
		break;
	}
}

static void draw_row(struct canvas *c, int row, const struct grid_column *columns, const struct ui_state *state,
		     const struct snapshot_model *m, const struct history *h, size_t i)
{
	int at = GRID_MARKER;
	for (int j = 0; j < COLUMN_COUNT; j++) {
		if (columns[j].width == 0)
			continue;
		draw_cell(c, row, at, columns[j].width, j, state, m, h, i);
		at += columns[j].width + GRID_GAP;
	}
	if (i != history_selected(state, h))
		return;
	canvas_put(c, row, 0, 1, ROLE_SELECTED, canvas_glyph(c, "▸", ">"));
	canvas_select(c, row, 0, GRID_MARKER + columns[0].width);
}

static void draw_list(struct canvas *c, int top, int bottom, const struct ui_state *state,
		      const struct snapshot_model *m, const struct history *h)
{
	struct grid_column columns[COLUMN_COUNT];
	int rows = bottom - top - 1, count = (int)h->count;
	memcpy(columns, columns_all, sizeof(columns));
	if (c->columns < WIDE) /* who and why matter more than the words of a mark */
		columns[ACTION].most = columns[ACTION].least;
	grid_lay_out(columns, COLUMN_COUNT, c->columns - GRID_MARKER - 1);
	int end = grid_headings(c, top, columns, COLUMN_COUNT);
	int first = grid_first(0, count, (int)history_selected(state, h), rows);
	for (int i = 0; i < rows && first + i < count; i++)
		draw_row(c, top + 1 + i, columns, state, m, h, (size_t)(first + i));
	if (count > rows)
		grid_position(c, top, end, first, rows, count);
}

/* --- the time axis --- */

/* By the logarithm of age: the last minutes and the last weeks are seen on one line. */
static int axis_column(const struct ui_state *state, int64_t at_ms, double span_s, int columns)
{
	double age_s = fmax((double)(state->now_ms - at_ms) / 1000, 0);
	double part = log1p(age_s / AXIS_FINE_S) / log1p(span_s / AXIS_FINE_S);
	return (int)lround((1 - fmin(part, 1)) * (columns - 1));
}

static void draw_ticks(struct canvas *c, int row, const struct ui_state *state, double span_s, int columns)
{
	static const struct {
		int64_t age_s;
		const char *label;
	} ticks[] = {{60, "1 min"},        {600, "10 min"},          {3600, "1 h"},
		     {6 * 3600, "6 h"},    {86400, "1 d"},           {7 * 86400, "1 week"},
		     {30 * 86400, "30 d"}, {91 * 86400, "3 months"}, {365 * 86400, "1 year"}};
	int end = columns - 3;
	canvas_put(c, row, 2 + end, 3, ROLE_DIM, "now");
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		int width = 1 + canvas_width(ticks[i].label);
		int at = axis_column(state, state->now_ms - ticks[i].age_s * 1000, span_s, columns);
		if ((double)ticks[i].age_s > span_s || at + width + 1 > end)
			continue;
		canvas_cell(c, row, 2 + at, c->charset == CHARSET_ASCII ? '|' : 0x2575, ROLE_BORDER);
		canvas_put(c, row, 3 + at, width - 1, ROLE_DIM, ticks[i].label);
		end = at;
	}
}

/* Where several fall on one cell the newest shows, but the selected one always does. */
static void draw_axis(struct canvas *c, int top, const struct ui_state *state, const struct history *h)
{
	int columns = c->columns - 4;
	double span_s = fmax((double)(state->now_ms - h->list[h->count - 1].at_ms) / 1000, AXIS_FINE_S);
	size_t selected = history_selected(state, h);
	const struct snapshot_revision *r = &h->list[selected];
	char text[16];
	canvas_fill(c, top + 1, 2, 1, columns, 0x2500, ROLE_BORDER);
	for (size_t i = h->count; i-- > 0;)
		canvas_put(c, top + 1, 2 + axis_column(state, h->list[i].at_ms, span_s, columns), 1,
			   history_role(&h->list[i]), history_glyph(c, h->list[i].action));
	int at = 2 + axis_column(state, r->at_ms, span_s, columns);
	canvas_put(c, top + 1, at, 1, history_role(r), history_glyph(c, r->action));
	canvas_bold(c, top + 1, at, 1);
	int width = snprintf(text, sizeof(text), "r%u", r->revision), label = at - width / 2;
	label = label < 2 ? 2 : label + width > c->columns - 2 ? c->columns - 2 - width : label;
	canvas_put(c, top, label, width, ROLE_SELECTED, text);
	draw_ticks(c, top + 2, state, span_s, columns);
}

/* --- the selected one in full --- */

static void draw_route(struct canvas *c, int row, const char *label, const struct snapshot_model *m,
		       const struct history *h, size_t at)
{
	bool roomy = c->columns >= 60;
	canvas_put(c, row, 2, 8, ROLE_DIM, label);
	if (roomy)
		history_bar(c, row, 11, 20, m, h, at);
	canvas_put(c, row, roomy ? 33 : 11, c->columns - (roomy ? 35 : 13), at == h->count ? ROLE_DIM : ROLE_TEXT,
		   at < h->count ? h->list[at].route : "before the first that is known");
}

static void draw_selected(struct canvas *c, int top, int bottom, const struct ui_state *state,
			  const struct snapshot_model *m, const struct history *h)
{
	size_t at = history_selected(state, h);
	const struct snapshot_revision *r = &h->list[at];
	char title[96], ago[32], action[64];
	snprintf(title, sizeof(title), "r%u%s", r->revision, r->revision == m->revision ? ", in force now" : "");
	panes_rule(c, top++, 0, c->columns, title);
	panes_ago(state->now_ms, r->at_ms, ago, sizeof(ago));
	action_text(c, r, c->columns, action, sizeof(action));
	int column = canvas_put(c, top, 2, -1, history_role(r), action);
	canvas_format(c, top++, column + 2, -1, ROLE_TEXT, "by %s, %s%s", r->who, ago,
		      r->forced ? ", over gates that did not pass" : "");
	draw_route(c, top++, "before", m, h, at + 1);
	draw_route(c, top++, "after", m, h, at);
	if (top >= bottom)
		return;
	canvas_put(c, top, 2, 8, ROLE_DIM, "reason");
	canvas_put_wrapped(c, top, 11, c->columns - 13, bottom - top, ROLE_TEXT,
			   r->reason[0] != '\0' ? r->reason : "none was given");
}

static void draw_charts(struct canvas *c, int top, int bottom, const struct ui_state *state,
			const struct snapshot_model *m)
{
	struct shown shown[PANES_VERSIONS_MAX];
	size_t count = panes_collect(m, 0, shown, PANES_VERSIONS_MAX);
	panes_rule(c, top, 0, c->columns, "");
	panes_draw(c, (struct area){top + 1, 2, bottom - top - 1, c->columns - 3}, m, shown, count, state->now_ms);
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const struct snapshot_model *m = snapshot_find(state->snapshot, state->model);
	int rows = bottom - top;
	if (m == NULL || (m->history_count == 0 && m->revision_count == 0)) {
		canvas_format(c, top + 1, 2, -1, ROLE_DIM, "%s has no revisions yet", state->model);
		return;
	}
	struct history h = history_of(m);
	if (rows >= AXIS_ROWS_MIN) {
		draw_axis(c, top, state, &h);
		top += AXIS_ROWS;
	}
	int detail = rows >= ROOMY_ROWS_MIN ? DETAIL_ROWS : 0;
	int list = (int)h.count + 1 < bottom - top - detail ? (int)h.count + 1 : bottom - top - detail;
	draw_list(c, top, top + list, state, m, &h);
	top += list;
	bool charts = detail > 0 && bottom - top - detail >= CHART_ROWS_MIN;
	if (detail > 0)
		draw_selected(c, top, charts ? top + detail : bottom, state, m, &h);
	if (charts)
		draw_charts(c, top + detail, bottom, state, m);
}

const struct view view_history = {
    .name = "history",
    .title = NULL,
    .key = 0,
    .tab = "models",
    .detail = true,
    .summary = "who changed a model's route, when, how and why",
    .draw = draw,
};
