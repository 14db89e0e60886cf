/* view_test: one test in full, with what the one before it gave; or two beside each other. A page that scrolls. */
#include "core/text.h"
#include "ui/view/panes.h"
#include "ui/view/plot_pane.h"
#include "ui/view/test_compare.h"
#include "ui/view/test_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SUMMARY_ROWS 4
#define ROOMY 56 /* columns, for the date and the job beside how long ago it was */
#define PLOT_ROWS 10
#define PLOT_COLUMNS_MIN 36 /* narrower, plots stand one above the other */
#define PLOT_COLUMNS_MAX 100
#define OFF_SCREEN (-100000)

/* What of the snapshot is to be shown; first NULL: it is not here yet. */
struct shown_tests {
	const struct snapshot_report *first, *second; /* second: asked for; or the one before */
	bool two;                                     /* asked for */
};

static struct shown_tests shown_of(const struct ui_state *state)
{
	const struct snapshot *s = state->snapshot;
	struct shown_tests t = {.first = snapshot_report(s, state->test), .two = state->test_with != 0};
	if (t.two)
		t.second = snapshot_report(s, state->test_with);
	else if (t.first != NULL && s->report_count > 1 && s->reports[1].before)
		t.second = &s->reports[1];
	return t;
}

/* --- the head --- */

static int draw_facts(struct test_place p, const struct ui_state *state, const struct test_result *t)
{
	char versions[32], at[32], ago[32], job[40] = "", verdict[40];
	test_versions_text(p.c, t, versions, sizeof(versions));
	int end = canvas_format(p.c, p.row, p.column, p.columns, ROLE_TITLE, "test %" PRId64 "  %s %s %s", t->id,
				t->kind, t->model, t->version != 0 ? versions : "");
	canvas_bold(p.c, p.row++, p.column, end - p.column);
	enum canvas_role role = test_verdict_text(p.c, t, verdict, sizeof(verdict));
	end = canvas_put(p.c, p.row, p.column, p.columns, role, verdict);
	canvas_bold(p.c, p.row, p.column, end - p.column);
	panes_time(state, t->at_ms, true, at, sizeof(at));
	panes_ago(state->now_ms, t->at_ms, ago, sizeof(ago));
	if (t->job > 0)
		snprintf(job, sizeof(job), ", job %" PRId64, t->job);
	bool roomy = p.columns >= ROOMY;
	canvas_format(p.c, p.row++, end + 2, p.column + p.columns - end - 2, ROLE_DIM, "%s%s%s%s%s%s", ago,
		      roomy ? ", " : "", roomy ? at : "", t->who[0] != '\0' ? ", by " : "", t->who, roomy ? job : "");
	return p.row + canvas_put_wrapped(p.c, p.row, p.column, p.columns, SUMMARY_ROWS, ROLE_TEXT, t->summary);
}

static int draw_note(struct test_place p, const struct snapshot_report *r)
{
	if (r->note[0] != '\0')
		p.row += canvas_put_wrapped(p.c, p.row, p.column, p.columns, 2, ROLE_WARNING, r->note);
	return p.row;
}

static int draw_before(struct test_place p, const struct ui_state *state, const struct test_result *t)
{
	char verdict[40], ago[32];
	panes_ago(state->now_ms, t->at_ms, ago, sizeof(ago));
	enum canvas_role role = test_verdict_text(p.c, t, verdict, sizeof(verdict));
	int end =
	    canvas_format(p.c, p.row, p.column, p.columns, ROLE_DIM, "last time, test %" PRId64 ", %s:", t->id, ago);
	canvas_put(p.c, p.row, end + 1, p.column + p.columns - end - 1, role, verdict);
	return p.row + 1;
}

static int draw_two_heads(struct test_place p, const struct ui_state *state, const struct test_pair *pair)
{
	int width = (p.columns - 2) / 2, rows = p.row;
	struct test_place left = {p.c, p.row, p.column, width}, right = {p.c, p.row, p.column + width + 2, width};
	const struct test_result *before = &pair->before->test, *now = &pair->now->test;
	left.row =
	    draw_note((struct test_place){p.c, draw_facts(left, state, before), left.column, width}, pair->before);
	right.row = draw_note((struct test_place){p.c, draw_facts(right, state, now), right.column, width}, pair->now);
	rows = left.row > right.row ? left.row : right.row;
	if (strcmp(before->kind, now->kind) != 0 || strcmp(before->model, now->model) != 0) {
		canvas_format(p.c, rows++, p.column, p.columns, ROLE_WARNING,
			      "not of the same %s: what has the same name is compared",
			      strcmp(before->kind, now->kind) != 0 ? "kind" : "model");
	}
	return rows;
}

static int draw_head(struct test_place p, const struct ui_state *state, const struct test_pair *pair, bool two)
{
	if (two)
		return draw_two_heads(p, state, pair);
	p.row = draw_facts(p, state, &pair->now->test);
	p.row = draw_note(p, pair->now);
	return pair->before != NULL ? draw_before(p, state, &pair->before->test) : p.row;
}

/* --- plots --- */

/* Intervals have a line each, below the title and the line of their marks. */
static int plot_rows(const struct plot *plot)
{
	return plot->kind == PLOT_INTERVALS ? (int)plot->count + 3 : PLOT_ROWS;
}

static void draw_plot(struct canvas *c, int row, int column, int columns, const struct plot *plot)
{
	int width = columns < PLOT_COLUMNS_MAX ? columns : PLOT_COLUMNS_MAX;
	plot_pane_draw(c, (struct area){row, column, plot_rows(plot), width}, plot);
}

static const struct plot *plot_of(const struct snapshot_report *r, const char *title)
{
	for (size_t i = 0; i < r->plot_count; i++) {
		if (strcmp(r->plots[i].title, title) == 0)
			return &r->plots[i];
	}
	return NULL;
}

/* The plots of both with the same title side by side, in the order of the later one. */
static int draw_plot_pairs(struct test_place p, const struct test_pair *pair)
{
	int width = (p.columns - 2) / 2;
	bool beside = width >= PLOT_COLUMNS_MIN;
	for (size_t i = 0; i < pair->now->plot_count; i++) {
		const struct plot *now = &pair->now->plots[i], *before = plot_of(pair->before, now->title);
		int rows = before != NULL ? plot_rows(before) : 0;
		if (before != NULL)
			draw_plot(p.c, p.row, p.column, beside ? width : p.columns, before);
		p.row += before != NULL && !beside ? rows + 1 : 0;
		draw_plot(p.c, p.row, beside ? p.column + width + 2 : p.column, beside ? width : p.columns, now);
		p.row += (beside && rows > plot_rows(now) ? rows : plot_rows(now)) + 1;
	}
	return p.row;
}

static int draw_plots(struct test_place p, const struct snapshot_report *r)
{
	int beside = p.columns >= 2 * PLOT_COLUMNS_MIN + 2 && r->plot_count > 1 ? 2 : 1;
	int width = (p.columns - 2 * (beside - 1)) / beside;
	int rows = 0;
	for (size_t i = 0; i < r->plot_count; i++) {
		int at = (int)i % beside;
		rows = at > 0 && rows > plot_rows(&r->plots[i]) ? rows : plot_rows(&r->plots[i]);
		draw_plot(p.c, p.row, p.column + at * (width + 2), width, &r->plots[i]);
		if (at == beside - 1 || i + 1 == r->plot_count)
			p.row += rows + 1;
	}
	return p.row;
}

/* --- the worst rows --- */

/* A line of a shell over as many rows as it takes, broken anywhere: put together again it is the same. */
static int draw_command(struct test_place p, const char *text)
{
	while (*text != '\0' && p.columns >= TEXT_CHARACTER_MAX) {
		int used = 0;
		size_t end = 0;
		while (text[end] != '\0') {
			size_t size, whole = text_character_size(text + end);
			int width = canvas_glyph_width(canvas_decode(text + end, &size));
			if (used + width > p.columns)
				break;
			used += width;
			end += whole > 0 ? whole : 1;
		}
		canvas_format(p.c, p.row++, p.column, p.columns, ROLE_DIM, "%.*s", (int)end, text);
		text += end;
	}
	return p.row;
}

static int draw_worst(struct test_place p, const struct snapshot_report *r)
{
	const char *arrow = canvas_glyph(p.c, "→", ">");
	for (size_t i = 0; i < r->worst_count; i++) {
		const struct snapshot_worst *w = &r->worst[i];
		int end = canvas_format(p.c, p.row, p.column, p.columns, ROLE_TEXT, "line %" PRIu64 "  %s %s %s",
					w->line, w->old_value, arrow, w->new_value);
		canvas_format(p.c, p.row++, end + 2, p.column + p.columns - end - 2, ROLE_DIM, "%s%s%s%s",
			      w->label[0] != '\0' ? "label " : "", w->label, w->segment[0] != '\0' ? "  segment " : "",
			      w->segment);
		p.row = draw_command((struct test_place){p.c, p.row, p.column + 2, p.columns - 2}, w->curl);
	}
	return p.row;
}

/* --- the page --- */

static void rule(struct test_place *p, const char *title)
{
	panes_rule(p->c, p->row++, 0, p->c->columns, title);
}

/* Draws all of it from a row on; returns the row after the last. */
static int draw_page(struct canvas *c, int row, const struct ui_state *state, const struct test_pair *pair, bool two)
{
	struct test_place p = {c, row, 2, c->columns - 4};
	bool plots = pair->now->plot_count > 0;
	bool findings = pair->now->finding_count > 0 || (pair->before != NULL && pair->before->finding_count > 0);
	p.row = draw_head(p, state, pair, two);
	p.row = test_draw_trend(p, pair);
	p.row = test_draw_settings(p, pair);
	if (findings) {
		rule(&p, "findings");
		p.row = test_draw_findings(p, pair);
	}
	if (plots) {
		rule(&p, "charts");
		p.row = two ? draw_plot_pairs(p, pair) : draw_plots(p, pair->now);
	}
	if (pair->now->worst_count > 0) {
		rule(&p, "rows that differ most");
		p.row = draw_worst(p, pair->now);
	}
	rule(&p, "figures");
	if (pair->now->figure_count == 0)
		canvas_put(c, p.row++, 2, c->columns - 4, ROLE_DIM, "only the outcome of this test was told");
	return test_draw_figures(p, pair);
}

/* The later one is what it is about. */
static void pair_of(const struct shown_tests *t, struct test_pair *pair, char headings[2][24])
{
	bool swap = t->two && t->second != NULL && t->second->test.id > t->first->test.id;
	*pair = (struct test_pair){swap ? t->second : t->first, swap ? t->first : t->second, "NOW", "LAST TIME"};
	if (t->two) {
		snprintf(headings[0], 24, "TEST %" PRId64, pair->now->test.id);
		snprintf(headings[1], 24, "TEST %" PRId64, pair->before->test.id);
		pair->now_heading = headings[0];
		pair->before_heading = headings[1];
	} else if (t->second == NULL) {
		pair->now_heading = "VALUE";
	}
}

/* Says why there is nothing to show; false when there is. */
static bool draw_absent(struct canvas *c, int top, const struct ui_state *state, const struct shown_tests *t)
{
	const struct snapshot_report *missing = t->first != NULL && t->first->missing     ? t->first
						: t->second != NULL && t->second->missing ? t->second
											  : NULL;
	if (missing != NULL)
		canvas_format(c, top + 1, 2, c->columns - 4, ROLE_WARNING,
			      "there is no test %" PRId64 "; esc shows those that there are", missing->test.id);
	else if (t->first == NULL || (t->two && t->second == NULL))
		canvas_format(c, top + 1, 2, c->columns - 4, ROLE_DIM,
			      state->test != 0 ? "reading test %" PRId64 : "no test is chosen; esc lists them",
			      state->test);
	else
		return false;
	return true;
}

int view_test_lines(struct canvas *c, const struct ui_state *state)
{
	struct test_pair pair;
	char headings[2][24];
	if (state->snapshot == NULL)
		return 0;
	struct shown_tests t = shown_of(state);
	if (t.first == NULL || t.first->missing || (t.two && (t.second == NULL || t.second->missing)))
		return 0;
	pair_of(&t, &pair, headings);
	return draw_page(c, OFF_SCREEN, state, &pair, t.two) - OFF_SCREEN;
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	struct shown_tests t = shown_of(state);
	struct test_pair pair;
	char headings[2][24];
	if (draw_absent(c, top, state, &t))
		return;
	pair_of(&t, &pair, headings);
	int lines = view_test_lines(c, state), scroll = panes_scroll(state, top, bottom, lines);
	draw_page(c, top - scroll, state, &pair, t.two);
	panes_scroll_marks(c, top, bottom, lines, scroll);
}

const struct view view_test = {
    .name = "test",
    .title = NULL,
    .key = 0,
    .tab = "tests",
    .report = true,
    .summary = "one test: findings, charts, figures, and what it gave last time; or two",
    .draw = draw,
};
