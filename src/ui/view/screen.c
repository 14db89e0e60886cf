/* screen: the whole screen around a view: top line, tab bar, footer, key bar, and what is said
 * instead of a view when there is nothing to show. */
#include "ui/view/job_pane.h"
#include "ui/view/keys.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MIN 24 /* below 40x10 the screen is cut, below this it only says so */
#define ROWS_MIN 6
#define COLUMNS_FOR_PLAIN_KEYS 60 /* narrower, enter and esc leave the key bar: one guesses them */
#define ROWS_COMFORTABLE 14       /* from here on there are a tab bar and a line for messages */

static bool is_stale(const struct ui_state *state)
{
	return state->snapshot != NULL && (state->age_ms > UI_STALE_MS || state->connection == CONNECTION_LOST);
}

static void age_text(const struct canvas *c, const struct ui_state *state, char *text, size_t size)
{
	long long s = state->age_ms / 1000;
	if (is_stale(state))
		snprintf(text, size, "%s stale %lld s", canvas_glyph(c, "▲", "!"), s);
	else if (state->snapshot == NULL)
		snprintf(text, size, "%s no picture yet", canvas_glyph(c, "○", "o"));
	else if (s == 0)
		snprintf(text, size, "%s now", canvas_glyph(c, "●", "*"));
	else
		snprintf(text, size, "%s %lld s ago", canvas_glyph(c, "●", "*"), s);
}

/* Adds "label value" to the top line if it ends before the limit; returns the next column. */
static int top_figure(struct canvas *c, int column, int limit, const char *label, enum canvas_role role,
		      const char *value)
{
	if (column + canvas_width(label) + 1 + canvas_width(value) > limit)
		return column;
	column = canvas_put(c, 0, column, -1, ROLE_DIM, label);
	return canvas_put(c, 0, column + 1, -1, role, value) + 3;
}

/* "● 3 jobs", and how many of them wait. */
static int top_jobs(struct canvas *c, int column, int limit, const struct snapshot_server *s)
{
	char text[64];
	if (s->jobs_running + s->jobs_queued == 0)
		return column;
	snprintf(text, sizeof(text), "%u job%s", s->jobs_running, s->jobs_running == 1 ? "" : "s");
	size_t brief = strlen(text);
	if (s->jobs_queued > 0)
		snprintf(text + brief, sizeof(text) - brief, ", %u wait%s", s->jobs_queued,
			 s->jobs_queued == 1 ? "s" : "");
	if (column + 2 + canvas_width(text) > limit)
		text[brief] = '\0';
	return top_figure(c, column, limit, canvas_glyph(c, "●", "*"), ROLE_TEXT, text);
}

/* "▲ 1 firing": the columns that it takes with the blanks before it; 0: nothing fires. */
static int alerts_width(const struct snapshot_server *s)
{
	return s->alerts_firing > 0 ? 3 + snprintf(NULL, 0, "! %u firing", s->alerts_firing) : 0;
}

static int top_alerts(struct canvas *c, int column, const struct snapshot_server *s)
{
	if (s->alerts_firing == 0)
		return column;
	int end =
	    canvas_format(c, 0, column, -1, ROLE_BAD, "%s %u firing", canvas_glyph(c, "▲", "!"), s->alerts_firing);
	canvas_bold(c, 0, column, end - column);
	return end + 3;
}

/* Alerts find room before anything else. */
static void draw_top_figures(struct canvas *c, int column, int limit, const struct snapshot_server *s)
{
	char text[64];
	struct snapshot_stats all = {.requests = s->requests, .refused = s->refused, .errors = s->errors};
	int before = limit - alerts_width(s);
	text_count(text, sizeof(text), s->rate_rps);
	column = top_figure(c, column, before, "req/s", ROLE_TEXT, text);
	double percent = snapshot_error_percent(&all);
	snprintf(text, sizeof(text), "%.2f%%", percent);
	column = top_figure(c, column, before, "err", percent >= 1 ? ROLE_BAD : ROLE_TEXT, text);
	column = top_alerts(c, column, s);
	column = top_jobs(c, column, limit, s);
	if (s->draining)
		column = top_figure(c, column, limit, canvas_glyph(c, "▲", "!"), ROLE_WARNING, "draining");
	text_uptime(text, sizeof(text), s->uptime_s);
	column = top_figure(c, column, limit, "up", ROLE_TEXT, text);
	if (s->lost_samples > 0) {
		text_count(text, sizeof(text), (double)s->lost_samples);
		column = top_figure(c, column, limit, "lost samples", ROLE_WARNING, text);
	}
	top_figure(c, column, limit, "serving", ROLE_TEXT, s->listen);
}

static void draw_top(struct canvas *c, const struct ui_state *state)
{
	char clock[24], age[48];
	panes_time(state, state->now_ms, false, clock, sizeof(clock));
	age_text(c, state, age, sizeof(age));
	bool roomy = c->columns >= 60;
	if (state->utc && roomy)
		snprintf(clock + strlen(clock), sizeof(clock) - strlen(clock), " UTC");
	int column = canvas_put(c, 0, 1, -1, ROLE_TITLE, "mldeck");
	canvas_bold(c, 0, 1, column - 1);
	int right = c->columns - 1 - canvas_width(clock);
	canvas_put(c, 0, right, -1, ROLE_DIM, clock);
	right -= canvas_width(age) + 2;
	enum canvas_role role = is_stale(state) ? ROLE_BAD : state->snapshot != NULL ? ROLE_OK : ROLE_DIM;
	canvas_put(c, 0, right, -1, role, age);
	if (state->snapshot == NULL)
		return;
	int room = right - 1 - (column + 2), alerts = alerts_width(&state->snapshot->server);
	int name = roomy ? (room < 60 ? room / 3 : 24) : room - alerts;
	column = canvas_put(c, 0, column + 2, name, ROLE_TEXT, state->snapshot->server.name) + 3;
	draw_top_figures(c, column, right - 2, &state->snapshot->server);
}

static bool in_view(const struct ui_state *state, const char *name)
{
	return strcmp(state->view, name) == 0;
}

static bool on_tab(const struct view *v, const struct ui_state *state)
{
	const struct view *shown = view_find(state->view);
	return shown != NULL && strcmp(shown->tab != NULL ? shown->tab : shown->name, v->name) == 0;
}

/* What is open, beside its tab. */
static int draw_opened(struct canvas *c, int column, const struct ui_state *state)
{
	const char *arrow = canvas_glyph(c, "▸", ">");
	const struct job_record *job = state->snapshot != NULL ? job_selected(state) : NULL;
	const struct view *v = view_find(state->view);
	if (in_view(state, "model"))
		return canvas_format(c, 1, column + 1, 60, ROLE_TITLE, "%s %s", arrow, state->model);
	if (v != NULL && v->tab != NULL && strcmp(v->tab, "models") == 0)
		return canvas_format(c, 1, column + 1, 60, ROLE_TITLE, "%s %s %s %s", arrow, state->model, arrow,
				     v->name);
	if (in_view(state, "job") && job != NULL)
		return canvas_format(c, 1, column + 1, 60, ROLE_TITLE, "%s %" PRId64, arrow, job->id);
	if (in_view(state, "tests") && state->tests_of[0] != '\0')
		return canvas_format(c, 1, column + 1, 60, ROLE_TITLE, "%s %s", arrow, state->tests_of);
	if (in_view(state, "test") && state->test_with != 0)
		return canvas_format(c, 1, column + 1, 60, ROLE_TITLE, "%s %" PRId64 ", %" PRId64, arrow,
				     state->test < state->test_with ? state->test : state->test_with,
				     state->test < state->test_with ? state->test_with : state->test);
	if (in_view(state, "test"))
		return canvas_format(c, 1, column + 1, 60, ROLE_TITLE, "%s %" PRId64, arrow, state->test);
	if (in_view(state, "experiment") && state->experiment[0] != '\0')
		return canvas_format(c, 1, column + 1, 60, ROLE_TITLE, "%s %s %s %s", arrow, state->experiment_model,
				     arrow, state->experiment);
	return column;
}

static void draw_tabs(struct canvas *c, const struct ui_state *state)
{
	int column = 1;
	for (size_t i = 0; i < view_count; i++) {
		const struct view *v = view_table[i];
		if (v->title == NULL)
			continue;
		int start = column;
		canvas_format(c, 1, column, -1, ROLE_KEY, "%c", v->key);
		column = canvas_put(c, 1, column + 2, -1, ROLE_DIM, v->title);
		if (on_tab(v, state)) {
			canvas_paint(c, 1, start + 2, 1, column - start - 2, ROLE_TITLE);
			canvas_bold(c, 1, start, column - start);
		}
		if (on_tab(v, state))
			column = draw_opened(c, column, state);
		column += 3;
	}
	const char *filter = in_view(state, "audit")    ? state->audit_filter
			     : in_view(state, "tests")  ? state->tests_filter
			     : in_view(state, "models") ? state->filter
							: "";
	if (filter[0] == '\0')
		return;
	column = canvas_format(c, 1, column, -1, ROLE_WARNING, "filter: %s", filter);
	if (column + 14 <= c->columns)
		canvas_put(c, 1, column, -1, ROLE_WARNING, "  (esc clears)");
}

/* Views that say something without a single model. */
static bool without_models(const struct ui_state *state)
{
	static const char *const views[] = {"jobs",   "job",   "tests",       "test",
					    "alerts", "audit", "experiments", "experiment"};
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		if (in_view(state, views[i]))
			return true;
	}
	return false;
}

static bool in_bar(const struct key *k, const struct ui_state *state)
{
	return k->label[0] != '\0' && key_shown(k, state);
}

static int key_width(const struct key *k, const struct ui_state *state)
{
	return canvas_width(k->text) + 1 + canvas_width(key_label(k, state)) + 2;
}

static int put_key(struct canvas *c, int row, int column, const char *key, const char *label)
{
	column = canvas_put(c, row, column, -1, ROLE_KEY, key);
	return canvas_put(c, row, column + 1, -1, ROLE_DIM, label) + 2;
}

/* Help and quit always find room; the others as far as the line goes. */
static void draw_keys(struct canvas *c, int row, const struct ui_state *state)
{
	int column = 1, reserved = 0;
	if (state->prompt != 0) {
		column = put_key(c, row, column, "enter", state->prompt == '/' ? "filter" : "run");
		put_key(c, row, column, "esc", "cancel");
		return;
	}
	for (size_t i = 0; i < key_count; i++) {
		const struct key *k = &key_table[i];
		if ((k->action == ACT_HELP || k->action == ACT_QUIT) && in_bar(k, state))
			reserved += key_width(k, state);
	}
	for (size_t i = 0; i < key_count; i++) {
		const struct key *k = &key_table[i];
		bool last = k->action == ACT_HELP || k->action == ACT_QUIT;
		bool plain = k->action == ACT_OPEN || k->action == ACT_BACK;
		if (!in_bar(k, state) || (plain && c->columns < COLUMNS_FOR_PLAIN_KEYS))
			continue;
		if (!last && column + key_width(k, state) + reserved > c->columns + 2)
			continue;
		column = put_key(c, row, column, k->text, key_label(k, state));
	}
}

static void draw_prompt(struct canvas *c, int row, const struct ui_state *state)
{
	canvas_fill(c, row, 0, 1, c->columns, ' ', ROLE_INPUT);
	int column = canvas_format(c, row, 1, 1, ROLE_INPUT, "%c", state->prompt);
	/* A long line shows its end, where the typing is. */
	const char *text = state->input;
	while (*text != '\0' && canvas_width(text) > c->columns - 4) {
		size_t size = text_character_size(text);
		text += size > 0 ? size : 1;
	}
	column = canvas_put(c, row, column, -1, ROLE_INPUT, text);
	canvas_cell(c, row, column, c->charset == CHARSET_ASCII ? '_' : 0x2588, ROLE_INPUT);
}

/* The last answer, and for how long it can be undone: "v3 is live (r12) · u undo 27 s". */
static void draw_answer(struct canvas *c, int row, const struct ui_state *state)
{
	char undo[160] = "";
	int room = c->columns - 2;
	if (state->undo_s > 0)
		snprintf(undo, sizeof(undo), "%s%s%s %d s", " undo", state->undone[0] != '\0' ? " " : "", state->undone,
			 state->undo_s);
	int width = undo[0] != '\0' ? 1 + canvas_width(undo) + 3 : 0;
	int column = canvas_put(c, row, 1, room - width > 8 ? room - width : 8, state->message_role, state->message);
	if (undo[0] == '\0')
		return;
	if (state->message[0] != '\0')
		column = canvas_put(c, row, column, -1, ROLE_DIM, canvas_glyph(c, " · ", " - "));
	column = canvas_put(c, row, column, -1, ROLE_KEY, "u");
	canvas_put(c, row, column, -1, ROLE_TEXT, undo);
}

/* The line above the key bar; false where there is nothing to say. */
static bool draw_message(struct canvas *c, int row, const struct ui_state *state)
{
	if (state->prompt != 0) {
		draw_prompt(c, row, state);
		return true;
	}
	if (state->message[0] != '\0' || state->undo_s > 0) {
		draw_answer(c, row, state);
		return true;
	}
	if (is_stale(state)) {
		canvas_put(c, row, 1, c->columns - 2, ROLE_BAD,
			   state->connection == CONNECTION_LOST
			       ? "connection lost: trying again; what you see is old, changes are off"
			       : "no answer from the runtime: what you see is old, changes are off");
		return true;
	}
	const char *note = state->demo       ? "demo: recorded flights are replayed as live requests"
			   : state->embedded ? "embedded runtime: started by this console; q asks whether it stays"
					     : "";
	if (note[0] != '\0')
		canvas_put(c, row, 1, c->columns - 2, ROLE_DIM, note);
	return note[0] != '\0';
}

static void draw_centered(struct canvas *c, int row, enum canvas_role role, const char *text)
{
	int width = canvas_width(text);
	int column = width < c->columns - 2 ? (c->columns - width) / 2 : 1;
	canvas_put(c, row, column, c->columns - column - 1, role, text);
}

static void draw_notice(struct canvas *c, int top, int bottom, const char *const *lines, size_t count)
{
	int row = top + (bottom - top - (int)count) / 2;
	for (size_t i = 0; i < count; i++) {
		if (row + (int)i >= top && row + (int)i < bottom)
			draw_centered(c, row + (int)i, i == 0 ? ROLE_TITLE : ROLE_DIM, lines[i]);
	}
}

static void draw_waiting(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	static const char *const starting[] = {
	    "starting the runtime", "", "the models appear here as soon as it answers", "q leaves, ? shows the keys"};
	static const char *const lost[] = {"no runtime answers", "", "trying again each second",
					   "start one with: mldeck serve", "or see one at work: mldeck demo"};
	if (state->connection == CONNECTION_LOST)
		draw_notice(c, top, bottom, lost, sizeof(lost) / sizeof(lost[0]));
	else
		draw_notice(c, top, bottom, starting, sizeof(starting) / sizeof(starting[0]));
}

static void draw_no_models(struct canvas *c, int top, int bottom)
{
	static const char *const lines[] = {
	    "no models yet",
	    "",
	    "deploy the first one:",
	    "mldeck deploy NAME FILE",
	    "a LightGBM text file or an XGBoost JSON or UBJSON file",
	};
	draw_notice(c, top, bottom, lines, sizeof(lines) / sizeof(lines[0]));
}

static void draw_body(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const struct view *v = view_find(state->view);
	v = v != NULL ? v : view_table[0];
	bool data = strcmp(v->name, "help") != 0;
	if (data && state->snapshot == NULL) {
		draw_waiting(c, top, bottom, state);
		return;
	}
	if (data && state->snapshot->model_count == 0 && !without_models(state))
		draw_no_models(c, top, bottom);
	else
		v->draw(c, top, bottom, state);
	if (data && is_stale(state))
		canvas_paint(c, top, 0, bottom - top, c->columns, ROLE_STALE);
}

void screen_draw(struct canvas *c, const struct ui_state *state)
{
	canvas_clear(c);
	if (c->columns < COLUMNS_MIN || c->rows < ROWS_MIN) {
		canvas_put(c, 0, 0, -1, ROLE_TEXT, "mldeck: too small, at least 40x10");
		return;
	}
	bool comfortable = c->rows >= ROWS_COMFORTABLE;
	int top = comfortable ? 2 : 1, bottom = c->rows - (comfortable ? 2 : 1);
	/* The view first: whatever it may draw beyond its rows is drawn over. */
	draw_body(c, top, bottom, state);
	canvas_fill(c, 0, 0, top, c->columns, ' ', ROLE_TEXT);
	canvas_fill(c, bottom, 0, c->rows - bottom, c->columns, ' ', ROLE_TEXT);
	draw_top(c, state);
	if (comfortable)
		draw_tabs(c, state);
	bool said = false;
	/* Where one line is left, what is typed, was answered or is wrong goes before the keys. */
	if (comfortable || state->prompt != 0 || state->message[0] != '\0' || state->undo_s > 0 || is_stale(state))
		said = draw_message(c, bottom, state);
	if (comfortable || !said)
		draw_keys(c, c->rows - 1, state);
}
