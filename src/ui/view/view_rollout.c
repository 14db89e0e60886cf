/* view_rollout: the rollout of the selected model: its steps, its analyses, why it waits, and what it did. */
#include "ui/view/findings.h"
#include "ui/view/history.h"
#include "ui/view/panes.h"
#include "ui/view/rollout_pane.h"
#include "ui/view/view.h"

#include <stdio.h>
#include <string.h>

#define CHART_ROWS_MIN 8
#define HISTORY_ROWS_MAX 12

static int draw_title(struct canvas *c, int row, const struct ui_state *state, const struct snapshot_model *m)
{
	const struct rollout *r = m->rollout;
	char text[64], ago[32];
	enum canvas_role role = rollout_state_text(c, r, false, text, sizeof(text));
	int column = canvas_put(c, row, 1, c->columns / 3, ROLE_TITLE, m->name);
	canvas_bold(c, row, 1, column - 1);
	column = canvas_put(c, row, column + 2, -1, role, text) + 2;
	int start = column;
	column = canvas_format(c, row, column, -1, ROLE_CANARY, "v%u", r->version);
	canvas_bold(c, row, start, column - start);
	column = canvas_format(c, row, column, -1, ROLE_DIM, " instead of v%u", r->from) + 2;
	panes_ago(state->now_ms, r->ended_ms > 0 ? r->ended_ms : r->started_ms, ago, sizeof(ago));
	canvas_format(c, row, column, -1, ROLE_DIM, "by %s, %s %s", r->who, r->ended_ms > 0 ? "ended" : "begun", ago);
	return row + 1;
}

/* The versions' traffic, a line each: what the analyses are about. */
static int draw_traffic(struct canvas *c, int row, const struct snapshot_model *m)
{
	const uint32_t versions[] = {m->rollout->from, m->rollout->version};
	for (int i = 0; i < 2; i++, row++) {
		const struct snapshot_version_stats *s = snapshot_stats_of(m, versions[i]);
		const struct route_entry *entry = NULL;
		char rate[16], p50[16], p99[16];
		for (uint32_t j = 0; j < m->route_count; j++)
			entry = m->route[j].version == versions[i] ? &m->route[j] : entry;
		int column = canvas_format(c, row, 2, -1, panes_role(entry), "v%u", versions[i]);
		canvas_bold(c, row, 2, column - 2);
		canvas_format(c, row, 7, 11, panes_role(entry), "%s %.4g%%",
			      entry != NULL ? route_role_name(entry->role) : "no share",
			      entry != NULL ? entry->weight_bp / 100.0 : 0.0);
		if (s == NULL || s->stats.requests == 0) {
			canvas_format(c, row, 20, -1, ROLE_DIM, "no requests in the last %u s", m->window_s);
			continue;
		}
		text_count(rate, sizeof(rate), s->stats.rate_rps);
		panes_duration(c, s->stats.latency.p50_ns, p50, sizeof(p50));
		panes_duration(c, s->stats.latency.p99_ns, p99, sizeof(p99));
		canvas_format(c, row, 20, -1, s->stats.errors > 0 ? ROLE_WARNING : ROLE_TEXT,
			      "%5s req/s  err %.2f%%  p99 %s  p50 %s", rate, snapshot_error_percent(&s->stats), p99,
			      p50);
	}
	return row;
}

static int draw_analysis(struct canvas *c, int row, int bottom, const struct rollout *r)
{
	char summary[80], title[128];
	findings_summary(r->findings, r->finding_count, summary, sizeof(summary));
	snprintf(title, sizeof(title), "analysis of this step%s%s", summary[0] != '\0' ? ": " : "", summary);
	panes_rule(c, row++, 0, c->columns, title);
	if (r->finding_count == 0) {
		canvas_put(c, row, 2, -1, ROLE_DIM, "nothing judged yet");
		return row + 1;
	}
	int rows = findings_rows(r->findings, r->finding_count, c->columns - 4);
	rows = rows < bottom - row ? rows : bottom - row;
	findings_draw(c, (struct area){row, 2, rows, c->columns - 4}, r->findings, r->finding_count);
	return row + rows;
}

/* Revisions that it made, and the one that ended it. */
static bool made_by(const struct rollout *r, const struct snapshot_revision *v)
{
	return v->revision > r->first_revision && v->revision <= r->revision;
}

static int history_rows(const struct snapshot_model *m)
{
	struct history h = history_of(m);
	int rows = 1;
	for (size_t i = 0; i < h.count; i++)
		rows += made_by(m->rollout, &h.list[i]);
	return rows;
}

static void draw_history(struct canvas *c, int row, int bottom, const struct ui_state *state,
			 const struct snapshot_model *m)
{
	struct history h = history_of(m);
	panes_rule(c, row++, 0, c->columns, "what it did");
	for (size_t i = 0; i < h.count && row < bottom; i++) {
		const struct snapshot_revision *v = &h.list[i];
		char at[32];
		if (!made_by(m->rollout, v))
			continue;
		panes_time(state, v->at_ms, false, at, sizeof(at));
		canvas_format(c, row, 2, 5, ROLE_TEXT, "r%u", v->revision);
		canvas_put(c, row, 8, 8, ROLE_DIM, at);
		canvas_put(c, row, 18, 1, history_role(v), history_glyph(c, v->action));
		history_bar(c, row, 20, 10, m, &h, i);
		int column = canvas_put(c, row, 32, 24, ROLE_LIVE, v->route);
		column = column + 2 > 54 ? column + 2 : 54;
		if (column < c->columns - 10)
			canvas_put(c, row, column, c->columns - column - 1, ROLE_DIM, v->reason);
		row++;
	}
}

static void draw_charts(struct canvas *c, int top, int bottom, const struct ui_state *state,
			const struct snapshot_model *m)
{
	struct shown all[PANES_VERSIONS_MAX], two[2];
	size_t count = panes_collect(m, 0, all, PANES_VERSIONS_MAX), kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept < 2 && (all[i].version == m->rollout->from || all[i].version == m->rollout->version))
			two[kept++] = all[i];
	}
	panes_rule(c, top, 0, c->columns, "");
	panes_draw(c, (struct area){top + 1, 2, bottom - top - 1, c->columns - 3}, m, two, kept, state->now_ms);
}

static void draw_none(struct canvas *c, int top, const struct ui_state *state)
{
	canvas_format(c, top + 1, 2, c->columns - 3, ROLE_TITLE, "no rollout of %s is open", state->model);
	canvas_put(c, top + 3, 2, c->columns - 3, ROLE_DIM,
		   "o starts one: shares step by step, each held for a while,");
	canvas_put(c, top + 4, 2, c->columns - 3, ROLE_DIM, "and a version that does worse goes back by itself.");
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const struct snapshot_model *m = snapshot_find(state->snapshot, state->model);
	char why[REASON_SIZE + 64];
	if (m == NULL || m->rollout == NULL) {
		draw_none(c, top, state);
		return;
	}
	bool air = bottom - top >= 24;
	int row = draw_title(c, top, state, m) + air;
	int steps = bottom - top >= 12 ? 3 : 2;
	rollout_steps_draw(c, (struct area){row, 2, steps, c->columns - 4}, m->rollout);
	row += steps + air;
	rollout_why(m->rollout, why, sizeof(why));
	row += canvas_put_wrapped(c, row, 2, c->columns - 4, air ? 2 : 1,
				  m->rollout->state == ROLLOUT_FAILED ? ROLE_BAD : ROLE_TEXT, why);
	if (bottom - top >= 16)
		row = draw_traffic(c, row + air, m);
	row = draw_analysis(c, row + air, bottom, m->rollout) + air;
	int history = history_rows(m);
	history = history > HISTORY_ROWS_MAX ? HISTORY_ROWS_MAX : history;
	if (bottom - row - history - 1 >= CHART_ROWS_MIN + 1) {
		draw_charts(c, row, bottom - history - 1, state, m);
		row = bottom - history;
	}
	if (bottom - row >= 2)
		draw_history(c, row, bottom, state, m);
}

const struct view view_rollout = {
    .name = "rollout",
    .title = NULL,
    .key = 0,
    .tab = "models",
    .detail = true,
    .summary = "a model's stepwise promotion: steps, analyses, time left",
    .draw = draw,
};
