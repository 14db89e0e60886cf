/* view_model: one model: its versions, their charts, the revisions of its route. */
#include "ui/view/history.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BESIDE_COLUMNS 130 /* from here on versions and history stand side by side */
#define HISTORY_ROWS 4     /* with its rule, below the charts */
#define POLICY_ROWS_MIN 20 /* of the view, before the policy gets a line */
#define GAP 2
#define MARKER 2

static void draw_title(struct canvas *c, int row, const struct ui_state *state, const struct snapshot_model *m)
{
	char text[200];
	struct model_state s = panes_state(c, state, m);
	int column = canvas_put(c, row, 1, c->columns / 3, ROLE_TITLE, m->name);
	canvas_bold(c, row, 1, column - 1);
	column = canvas_put(c, row, column + 2, -1, s.role, s.text) + 2;
	if (m->live != 0) {
		int start = column;
		column = canvas_format(c, row, column, -1, ROLE_LIVE, "v%u live", m->live) + 1;
		canvas_bold(c, row, start, column - start);
	}
	if (c->columns >= 70 && m->route_count > 0) {
		chart_split(c, row, column + 1, 10, m->route, m->route_count);
		column += 12;
	}
	panes_split_text(m, false, text, sizeof(text));
	if (c->columns >= 56)
		column = canvas_put(c, row, column, -1, ROLE_CANARY, text) + 2;
	char rate[32], p99[32];
	text_count(rate, sizeof(rate), m->stats.rate_rps);
	panes_duration(c, m->stats.latency.p99_ns, p99, sizeof(p99));
	snprintf(text, sizeof(text), "%s req/s  p99 %s  err %.2f%%", rate, p99, snapshot_error_percent(&m->stats));
	int width = canvas_width(text);
	if (column + width + 1 < c->columns)
		canvas_put_right(c, row, column, c->columns - column - 1, ROLE_TEXT, text);
}

/* What of the policy was set, on one line. */
static void draw_policy(struct canvas *c, int row, const struct snapshot_model *m)
{
	char value[POLICY_NAMES_SIZE];
	const char *name, *help;
	int column = canvas_put(c, row, 1, -1, ROLE_DIM, "policy") + 2, start = column;
	for (size_t i = 0; policy_row(&m->policy, i, &name, value, &help) && column < c->columns - 1; i++) {
		if (policy_is_default(&m->policy, i))
			continue;
		column = canvas_format(c, row, column, c->columns - column - 1, ROLE_TEXT, "%s%s=%s",
				       column > start ? ", " : "", name, value[0] != '\0' ? value : "none");
	}
	if (column == start)
		canvas_put(c, row, column, c->columns - column - 1, ROLE_DIM, "the defaults; P shows and sets it");
}

/* How a shadow's answers differ from those that were given, on one line; returns the next row. */
static int draw_shadows(struct canvas *c, int row, const struct snapshot_model *m)
{
	for (size_t i = 0; i < m->per_version_count; i++) {
		const struct shadow_stats *s = &m->per_version[i].shadow;
		double rows = s->rows > 0 ? (double)s->rows : 1;
		char compared[16], lost[16];
		if (s->against == 0)
			continue;
		text_count(compared, sizeof(compared), (double)s->compared);
		text_count(lost, sizeof(lost), (double)(s->dropped + s->failed));
		int column = canvas_put(c, row, 1, -1, ROLE_SHADOW, canvas_glyph(c, "◌ shadow", ". shadow"));
		canvas_format(
		    c, row++, column + 1, c->columns - column - 2, ROLE_TEXT,
		    "v%u against v%u: %s compared, %.3g%% differ, %.3g%% flip, mean |difference| %.3g, %s lost",
		    m->per_version[i].version, s->against, compared, 100 * (double)s->differing / rows,
		    100 * (double)s->flips / rows, s->absolute_sum / rows, lost);
	}
	return row;
}

/* --- versions --- */

enum version_column { VERSION, SHARE, STATE, RATE, P50, P99, ERRORS, FORMAT, SIZE, SHA, DEPLOYED, BY, COLUMN_COUNT };

/* Taken in the order of the ranks as long as they fit. */
static const struct {
	const char *heading;
	int width, rank;
	bool right;
} version_columns[COLUMN_COUNT] = {
    [VERSION] = {"VERSION", 7, 0, false},
    [SHARE] = {"ROLE", 11, 1, false},
    [STATE] = {"STATE", 8, 2, false},
    [RATE] = {"REQ/S", 5, 3, true},
    [P50] = {"p50", 5, 6, true},
    [P99] = {"p99", 5, 4, true},
    [ERRORS] = {"ERR%", 5, 5, true},
    [FORMAT] = {"FORMAT", 13, 8, false},
    [SIZE] = {"SIZE", 5, 10, true},
    [SHA] = {"SHA-256", 8, 11, false},
    [DEPLOYED] = {"DEPLOYED", 11, 7, false},
    [BY] = {"BY", 10, 9, false},
};

static void choose_columns(int room, bool *chosen)
{
	for (int rank = 0; rank < COLUMN_COUNT; rank++) {
		for (int i = 0; i < COLUMN_COUNT; i++) {
			if (version_columns[i].rank != rank)
				continue;
			int width = version_columns[i].width + (rank > 0 ? GAP : 0);
			chosen[i] = width <= room;
			room -= chosen[i] ? width : 0;
		}
	}
}

static const struct route_entry *entry_of(const struct snapshot_model *m, uint32_t version)
{
	for (size_t i = 0; i < m->route_count; i++) {
		if (m->route[i].version == version)
			return &m->route[i];
	}
	return NULL;
}

static void size_text(uint64_t bytes, char *text, size_t size)
{
	text_count(text, size, (double)bytes);
	if (bytes < 1000)
		snprintf(text + strlen(text), size - strlen(text), "B");
}

/* One in no route may well be unloaded: it is loaded again when a route names it. */
static enum canvas_role state_text(const struct canvas *c, const struct snapshot_version *v, bool routed, char *text,
				   size_t size)
{
	bool ready = strcmp(v->state, "ready") == 0, loading = strcmp(v->state, "loading") == 0;
	bool unloaded = strcmp(v->state, "unloaded") == 0;
	snprintf(text, size, "%s %s",
		 ready                 ? canvas_glyph(c, "●", "*")
		 : loading             ? canvas_glyph(c, "◐", "%")
		 : unloaded && !routed ? canvas_glyph(c, "○", "o")
				       : canvas_glyph(c, "✕", "x"),
		 v->state);
	return ready ? ROLE_OK : loading ? ROLE_CANARY : unloaded && !routed ? ROLE_DIM : ROLE_BAD;
}

/* The text and the role of one cell of the table. */
static enum canvas_role version_cell(const struct canvas *c, enum version_column column, const struct ui_state *state,
				     const struct snapshot_model *m, const struct snapshot_version *v, char *text,
				     size_t size)
{
	const struct route_entry *entry = entry_of(m, v->version);
	const struct snapshot_version_stats *stats = snapshot_stats_of(m, v->version);
	bool served = stats != NULL && stats->stats.requests > 0;
	text[0] = '\0';
	switch (column) {
	case VERSION:
		snprintf(text, size, "v%u", v->version);
		return entry != NULL ? panes_role(entry) : ROLE_TEXT;
	case SHARE:
		if (entry != NULL)
			snprintf(text, size, "%s %.4g%%", route_role_name(entry->role), entry->weight_bp / 100.0);
		return panes_role(entry);
	case STATE:
		return state_text(c, v, entry != NULL, text, size);
	case RATE:
		if (served)
			text_count(text, size, stats->stats.rate_rps);
		return ROLE_TEXT;
	case P50:
	case P99:
		if (served)
			panes_duration(c, column == P50 ? stats->stats.latency.p50_ns : stats->stats.latency.p99_ns,
				       text, size);
		return ROLE_TEXT;
	case ERRORS:
		if (served)
			snprintf(text, size, "%.2f", snapshot_error_percent(&stats->stats));
		return served && stats->stats.errors > 0 ? ROLE_BAD : ROLE_TEXT;
	case FORMAT:
		snprintf(text, size, "%s", v->format);
		return ROLE_DIM;
	case SIZE:
		size_text(v->size_bytes, text, size);
		return ROLE_DIM;
	case SHA:
		snprintf(text, size, "%.8s", v->sha256);
		return ROLE_DIM;
	case DEPLOYED:
		panes_time(state, v->created_ms, true, text, size);
		return ROLE_DIM;
	case BY:
		snprintf(text, size, "%s", v->created_by);
		return ROLE_DIM;
	default:
		return ROLE_TEXT;
	}
}

uint32_t view_version(const struct ui_state *state, const struct snapshot_model *m)
{
	const struct route_entry *canary = NULL;
	if (strcmp(state->view, "model") == 0 && snapshot_version_of(m, state->version) != NULL)
		return state->version;
	for (uint32_t i = 0; i < m->route_count; i++) {
		if (m->route[i].role == ROUTE_CANARY && (canary == NULL || m->route[i].weight_bp > canary->weight_bp))
			canary = &m->route[i];
	}
	if (canary != NULL)
		return canary->version;
	for (size_t i = m->version_count; i > 0; i--) {
		if (m->versions[i - 1].version != m->live)
			return m->versions[i - 1].version;
	}
	return m->version_count > 0 ? m->versions[m->version_count - 1].version : 0;
}

static void draw_version(struct canvas *c, struct area row, const bool *chosen, const struct ui_state *state,
			 const struct snapshot_model *m, const struct snapshot_version *v, bool selected)
{
	char text[300];
	int at = row.column + MARKER, start = at;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (!chosen[i])
			continue;
		enum canvas_role role = version_cell(c, (enum version_column)i, state, m, v, text, sizeof(text));
		if (version_columns[i].right)
			canvas_put_right(c, row.row, at, version_columns[i].width, role, text);
		else
			canvas_put(c, row.row, at, version_columns[i].width, role, text);
		at += version_columns[i].width + GAP;
	}
	/* Why a version cannot answer matters more than its figures. */
	bool idle = strcmp(v->state, "unloaded") == 0 && entry_of(m, v->version) == NULL;
	if (v->note[0] != '\0' && strcmp(v->state, "ready") != 0) {
		int from = start + 7 + GAP + 11 + GAP + 8 + GAP;
		int columns = row.column + row.columns - from - 1;
		if (columns > 10) {
			canvas_fill(c, row.row, from, 1, columns, ' ', ROLE_TEXT);
			canvas_put(c, row.row, from, columns, idle ? ROLE_DIM : ROLE_BAD, v->note);
		}
	}
	if (selected) {
		canvas_put(c, row.row, row.column, 1, ROLE_SELECTED, canvas_glyph(c, "▸", ">"));
		canvas_select(c, row.row, row.column, row.columns);
	}
}

/* Newest first. The lines that are in sight hold the selected one. */
static void draw_versions(struct canvas *c, struct area area, const struct ui_state *state,
			  const struct snapshot_model *m)
{
	bool chosen[COLUMN_COUNT];
	int count = (int)m->version_count, rows = area.rows - 1, selected = 0;
	choose_columns(area.columns - MARKER - 1, chosen);
	int at = area.column + MARKER;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (!chosen[i])
			continue;
		if (version_columns[i].right)
			canvas_put_right(c, area.row, at, version_columns[i].width, ROLE_HEADER,
					 version_columns[i].heading);
		else
			canvas_put(c, area.row, at, version_columns[i].width, ROLE_HEADER, version_columns[i].heading);
		at += version_columns[i].width + GAP;
	}
	for (int i = 0; i < count; i++) {
		if (m->versions[count - 1 - i].version == view_version(state, m))
			selected = i;
	}
	int first = selected >= rows ? selected - rows + 1 : 0;
	for (int i = 0; i < rows && first + i < count; i++) {
		struct area row = {area.row + 1 + i, area.column, 1, area.columns};
		draw_version(c, row, chosen, state, m, &m->versions[count - 1 - first - i], first + i == selected);
	}
}

/* --- history --- */

static void draw_revision(struct canvas *c, int row, struct area area, const struct ui_state *state,
			  const struct snapshot_revision *r)
{
	char at[32];
	bool wide = area.columns >= 90;
	int end = area.column + area.columns - 1, column = area.column + MARKER;
	panes_time(state, r->at_ms, true, at, sizeof(at));
	canvas_format(c, row, column, 5, ROLE_TEXT, "r%u", r->revision);
	canvas_put(c, row, column + 5, 11, ROLE_DIM, at);
	column += 18;
	canvas_format(c, row, column, 12, history_role(r), "%s %s%s", history_glyph(c, r->action), r->action,
		      r->forced ? canvas_glyph(c, " ▲", " !") : "");
	column += 14;
	int route = wide ? 24 : 18;
	canvas_put(c, row, column, column + route <= end ? route : end - column, ROLE_LIVE, r->route);
	column += route + 2;
	if (column + 8 > end)
		return;
	canvas_put(c, row, column, wide ? 12 : 8, ROLE_TEXT, r->who);
	column += (wide ? 12 : 8) + 2;
	if (column < end)
		canvas_put(c, row, column, end - column, ROLE_DIM, r->reason);
}

static void draw_history(struct canvas *c, struct area area, const struct ui_state *state,
			 const struct snapshot_model *m)
{
	panes_rule(c, area.row, area.column, area.columns, "history");
	if (m->history_count == 0)
		canvas_put(c, area.row + 1, area.column + MARKER, area.columns - MARKER, ROLE_DIM, "no revisions yet");
	for (int i = 0; i < (int)m->history_count && i < area.rows - 1; i++)
		draw_revision(c, area.row + 1 + i, area, state, &m->history[i]);
}

/* --- the view --- */

static int at_most(int value, int limit)
{
	return value < limit ? value : limit;
}

static int at_least(int value, int limit)
{
	return value > limit ? value : limit;
}

static void draw_charts(struct canvas *c, int top, int bottom, const struct ui_state *state,
			const struct snapshot_model *m)
{
	struct shown shown[PANES_VERSIONS_MAX];
	size_t count = panes_collect(m, state->version, shown, PANES_VERSIONS_MAX);
	if (bottom - top < 3)
		return;
	panes_draw(c, (struct area){top, 2, bottom - top, c->columns - 3}, m, shown, count, state->now_ms);
}

/* Wide: versions beside history, the charts below both. */
static void draw_wide(struct canvas *c, int top, int bottom, const struct ui_state *state,
		      const struct snapshot_model *m)
{
	int wanted = at_least((int)m->version_count, (int)m->history_count) + 1;
	int rows = at_least(at_most(wanted, (bottom - top) / 3), 3);
	int left = c->columns / 2;
	panes_rule(c, top, 0, left - 1, "versions");
	draw_versions(c, (struct area){top + 1, 0, rows, left - 1}, state, m);
	draw_history(c, (struct area){top, left, rows + 1, c->columns - left}, state, m);
	panes_rule(c, top + rows + 1, 0, c->columns, "");
	draw_charts(c, top + rows + 2, bottom, state, m);
}

static void draw_narrow(struct canvas *c, int top, int bottom, const struct ui_state *state,
			const struct snapshot_model *m)
{
	int rows = bottom - top, versions = (int)m->version_count + 1;
	bool roomy = rows >= 15;
	int history = roomy ? at_most(at_least((int)m->history_count + 1, 2), at_least(HISTORY_ROWS, rows / 5)) : 0;
	versions = at_most(versions, at_least(rows / 3, 3));
	draw_versions(c, (struct area){top, 0, versions, c->columns}, state, m);
	top += versions;
	if (roomy)
		panes_rule(c, top++, 0, c->columns, "");
	draw_charts(c, top, bottom - history, state, m);
	if (history > 0)
		draw_history(c, (struct area){bottom - history, 0, history, c->columns}, state, m);
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const struct snapshot_model *m = snapshot_find(state->snapshot, state->model);
	if (m == NULL) {
		canvas_format(c, top + 1, 2, -1, ROLE_DIM, "there is no model \"%s\" any more; esc goes back",
			      state->model);
		return;
	}
	draw_title(c, top, state, m);
	if (bottom - top >= POLICY_ROWS_MIN)
		draw_policy(c, ++top, m);
	if (bottom - top >= POLICY_ROWS_MIN - 1)
		top = draw_shadows(c, top + 1, m) - 1;
	if (c->columns >= BESIDE_COLUMNS && bottom - top >= 18)
		draw_wide(c, top + 1, bottom, state, m);
	else
		draw_narrow(c, top + 1, bottom, state, m);
}

const struct view view_model = {
    .name = "model",
    .title = NULL,
    .key = 0,
    .tab = "models",
    .summary = "one model: its versions, their latencies and predictions, its history",
    .draw = draw,
};
