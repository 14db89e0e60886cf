/* Keys of the views and of the prompt; they act only on what is drawn. */
#include "ui/console/console_state.h"

#include "ui/view/job_pane.h"
#include "ui/view/keys.h"
#include "core/clock.h"
#include "core/digest.h"
#include "ui/console/line_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_C 3
#define CONTROL_Y 25

/* Where esc leads from a view. */
static void back(struct console *c)
{
	const struct view *v = view_find(c->ui.view);

	c->ui.message[0] = '\0';
	if (console_in(c, "help"))
		console_show(c, *c->back_view ? c->back_view : "models");
	else if (console_in(c, "model") || !v)
		console_show(c, "models");
	else if (console_in(c, "tests") && tests_back(c))
		return;
	else if (v->tab)
		console_show(c, strcmp(v->tab, "models") == 0 ? c->model_view : v->tab);
	else if (console_in(c, "audit") && c->ui.audit_filter[0])
		c->ui.audit_filter[0] = '\0';
	else if (!console_in(c, "models"))
		console_show(c, "models");
	else
		c->ui.filter[0] = '\0';
	console_select(c);
}

/* The filter of the view that is shown. */
static char *filter_of(struct console *c)
{
	if (console_in(c, "tests"))
		return c->ui.tests_filter;
	return console_in(c, "audit") ? c->ui.audit_filter : c->ui.filter;
}

static void prompt_open(struct console *c, int prompt)
{
	c->mode = MODE_PROMPT;
	c->ui.prompt = prompt;
	c->ui.input[0] = '\0';
	if (prompt == '/') {
		if (!console_in(c, "models") && !console_in(c, "tests") && !console_in(c, "audit"))
			console_show(c, "models");
		memcpy(c->filter_before, filter_of(c), sizeof(c->filter_before));
		snprintf(c->ui.input, sizeof(c->ui.input), "%s", filter_of(c));
	}
	c->cursor = strlen(c->ui.input);
	c->ui.message[0] = '\0';
}

static void prompt_close(struct console *c)
{
	c->mode = MODE_VIEW;
	c->ui.prompt = 0;
}

static void filter_live(struct console *c)
{
	if (c->ui.prompt != '/')
		return;
	snprintf(filter_of(c), UI_FILTER_SIZE, "%.*s", UI_FILTER_SIZE - 1, c->ui.input);
	console_select(c);
}

static void prompt_enter(struct console *c)
{
	int prompt = c->ui.prompt;

	prompt_close(c);
	if (prompt != ':')
		return;
	snprintf(c->last_line, sizeof(c->last_line), "%s", c->ui.input);
	command_line_run(c, c->last_line);
}

static void prompt_key(struct console *c, int key)
{
	size_t size = c->ui.prompt == '/' ? UI_FILTER_SIZE : sizeof(c->ui.input);

	if (key == DRAW_KEY_ENTER) {
		prompt_enter(c);
	} else if (key == DRAW_KEY_ESCAPE || (key == DRAW_KEY_BACKSPACE && !*c->ui.input)) {
		if (c->ui.prompt == '/')
			memcpy(filter_of(c), c->filter_before, UI_FILTER_SIZE);
		prompt_close(c);
		console_select(c);
	} else if (key == DRAW_KEY_UP && c->ui.prompt == ':') {
		memcpy(c->ui.input, c->last_line, sizeof(c->ui.input));
		c->cursor = strlen(c->ui.input);
	} else {
		/* The prompt is drawn without a text cursor: it is edited at its end. */
		c->cursor = strlen(c->ui.input);
		if (key != DRAW_KEY_LEFT && key != DRAW_KEY_RIGHT && key != DRAW_KEY_HOME && key != DRAW_KEY_END)
			line_edit(c->ui.input, size, &c->cursor, key);
		filter_live(c);
	}
}

/* Asks the terminal to put text on the clipboard (OSC 52). Terminals without it swallow the sequence; those
 * too old to know such sequences at all are left alone. */
static void clipboard_copy(struct console *c, const char *text)
{
	const char *type = getenv("TERM");
	char coded[CONSOLE_COMMAND_SIZE * 2];

	if (!type || strncmp(type, "linux", 5) == 0 || strncmp(type, "vt", 2) == 0)
		return;
	digest_base64(text, coded, sizeof(coded));
	draw_raw(c->draw, "\033]52;c;", 7);
	draw_raw(c->draw, coded, strlen(coded));
	draw_raw(c->draw, "\a", 1);
}

static void copy(struct console *c)
{
	if (!*c->last_command) {
		console_say(c, ROLE_DIM, "nothing was done yet; p, r, s and f show their command before they act");
		return;
	}
	clipboard_copy(c, c->last_command);
	console_say(c, ROLE_TEXT, "%s", c->last_command);
}

/* Of a dialog, before it is done. */
static void copy_shown(struct console *c)
{
	if (c->mode == MODE_JOB)
		job_dialog_command(c, &c->job, c->last_command, sizeof(c->last_command));
	else
		change_command(&c->change, c->last_command, sizeof(c->last_command));
	copy(c);
}

static void theme_next(struct console *c)
{
	struct theme theme;
	struct err e = {0};
	size_t count = 0, at = 0;

	for (; theme_files[count].name; count++)
		if (strcmp(theme_files[count].name, c->theme.name) == 0)
			at = count + 1;
	if (count == 0)
		return;
	if (theme_load(theme_files[at % count].name, &theme, &e) != 0) {
		console_say(c, ROLE_BAD, "%s", e.text);
		return;
	}
	c->theme = theme;
	draw_theme(c->draw, &c->theme);
	console_say(c, ROLE_DIM, "theme %s", c->theme.name);
}

/* A view of the selected model; esc leads back to where it was opened. */
static void model_view_show(struct console *c, const char *view)
{
	const struct view *v = view_find(c->ui.view);

	if (!c->snapshot || !snapshot_find(c->snapshot, c->ui.model))
		return;
	if (console_in(c, "models") || console_in(c, "model"))
		snprintf(c->model_view, sizeof(c->model_view), "%s", c->ui.view);
	else if (!v || !v->tab)
		snprintf(c->model_view, sizeof(c->model_view), "model");
	console_show(c, view);
	c->ui.revision = 0;
}

static void open_selected(struct console *c)
{
	const struct alert *alert = view_alert(&c->ui);

	if (!c->snapshot)
		return;
	if (console_in(c, "models") && snapshot_find(c->snapshot, c->ui.model)) {
		console_show(c, "model");
	} else if (console_in(c, "jobs") && job_selected(&c->ui)) {
		c->ui.job = job_selected(&c->ui)->id; /* whatever comes to be the first */
		console_show(c, "job");
	} else if (console_in(c, "tests")) {
		tests_open(c);
	} else if (console_in(c, "experiments")) {
		experiment_open(c);
	} else if (console_in(c, "alerts") && alert && snapshot_find(c->snapshot, alert->model)) {
		snprintf(c->ui.model, sizeof(c->ui.model), "%s", alert->model);
		c->ui.version = alert->version;
		console_show(c, "model");
	} else if (console_in(c, "policy")) {
		change_open(c, CHANGE_POLICY);
	}
}

/* The rollout of the selected model, or the dialog that starts one. */
static void rollout_show(struct console *c)
{
	const struct snapshot_model *m = c->snapshot ? snapshot_find(c->snapshot, c->ui.model) : NULL;

	if (m && m->rollout && (!rollout_ended(m->rollout) || !console_in(c, "rollout")))
		model_view_show(c, "rollout");
	else
		change_open(c, CHANGE_ROLLOUT);
}

/* Keys that open a dialog: only where what it is about is in sight. */
static bool act_change(struct console *c, enum key_action action)
{
	const struct snapshot_model *m = c->snapshot ? snapshot_find(c->snapshot, c->ui.model) : NULL;
	bool paused = m && m->rollout && m->rollout->state == ROLLOUT_PAUSED;

	switch (action) {
	case ACT_PROMOTE:
		change_open(c, CHANGE_PROMOTE);
		return true;
	case ACT_ROLLBACK:
		change_open(c, CHANGE_ROLLBACK);
		return true;
	case ACT_SPLIT:
		change_open(c, CHANGE_SPLIT);
		return true;
	case ACT_PAUSE:
		change_open(c, paused ? CHANGE_RESUME : CHANGE_PAUSE);
		return true;
	case ACT_SKIP:
		change_open(c, CHANGE_SKIP);
		return true;
	case ACT_ACKNOWLEDGE:
		change_open(c, CHANGE_ACKNOWLEDGE);
		return true;
	case ACT_FILE:
		job_dialog_start(c, "predict");
		return true;
	case ACT_DIFF:
		job_dialog_start(c, "diff");
		return true;
	case ACT_BENCH:
		job_dialog_start(c, "bench");
		return true;
	case ACT_STRESS:
		job_dialog_start(c, "stress");
		return true;
	case ACT_AGAIN:
		job_dialog_open(c, JOB_DIALOG_AGAIN);
		return true;
	case ACT_CANCEL:
		if (console_in(c, "rollout"))
			change_open(c, CHANGE_ABORT);
		else
			job_dialog_open(c, JOB_DIALOG_CANCEL);
		return true;
	case ACT_UNDO:
		undo_do(c);
		return true;
	default:
		return false;
	}
}

static void help_toggle(struct console *c)
{
	if (console_in(c, "help")) {
		back(c);
		return;
	}
	memcpy(c->back_view, c->ui.view, sizeof(c->back_view));
	console_show(c, "help");
}

static void act(struct console *c, const struct key *k)
{
	if (key_acts(k, &c->ui) && act_change(c, k->action))
		return;
	switch (k->action) {
	case ACT_UP:
	case ACT_DOWN:
		console_move(c, k->action == ACT_UP ? -1 : 1);
		break;
	case ACT_OPEN:
		open_selected(c);
		break;
	case ACT_BACK:
		back(c);
		break;
	case ACT_ROLLOUT:
	case ACT_HISTORY:
	case ACT_POLICY:
		if (console_in(c, "rollout") && k->action == ACT_ROLLOUT)
			rollout_show(c);
		else if (!key_shown(k, &c->ui))
			break;
		else if (k->action == ACT_ROLLOUT)
			rollout_show(c);
		else
			model_view_show(c, k->action == ACT_HISTORY ? "history" : "policy");
		break;
	case ACT_TESTS:
		tests_of_model(c);
		break;
	case ACT_MARK:
		tests_mark(c);
		break;
	case ACT_FILTER:
	case ACT_COMMAND:
		prompt_open(c, k->action == ACT_FILTER ? '/' : ':');
		break;
	case ACT_COPY:
		copy(c);
		break;
	case ACT_THEME:
		theme_next(c);
		break;
	case ACT_HELP:
		help_toggle(c);
		break;
	case ACT_QUIT:
		console_quit(c);
		break;
	default:
		break;
	}
}

static const struct key *key_of(int key)
{
	if (key == DRAW_KEY_ENTER)
		key = '\n';
	else if (key == DRAW_KEY_ESCAPE)
		key = 27;
	for (size_t i = 0; i < key_count; i++)
		if (key_table[i].key == key)
			return &key_table[i];
	return NULL;
}

static void view_key(struct console *c, int key)
{
	long page = c->rows > 12 ? (c->rows - 8) / 2 : 2;

	switch (key) {
	case DRAW_KEY_UP:
	case DRAW_KEY_DOWN:
		console_move(c, key == DRAW_KEY_UP ? -1 : 1);
		return;
	case DRAW_KEY_PAGE_UP:
	case DRAW_KEY_PAGE_DOWN:
		console_move(c, key == DRAW_KEY_PAGE_UP ? -page : page);
		return;
	case 'g':
	case 'G':
	case DRAW_KEY_HOME:
	case DRAW_KEY_END:
		console_move(c, key == 'g' || key == DRAW_KEY_HOME ? -1000000 : 1000000);
		return;
	default:
		break;
	}
	for (size_t i = 0; i < view_count; i++)
		if (view_table[i]->title && view_table[i]->key && view_table[i]->key == key) {
			console_show(c, view_table[i]->name);
			c->ui.tests_of[0] = c->tests_view[0] = '\0';
			return;
		}
	if (key_of(key))
		act(c, key_of(key));
}

static void quit_key(struct console *c, int key)
{
	if (key == 'y' || key == CONTROL_C) {
		c->done = true;
	} else if (key == 'n') {
		cJSON *body = cJSON_CreateObject();

		cJSON_AddStringToObject(body, "reason", "the console that started it was left");
		c->stop_id = fetcher_post(c->fetcher, "/control/v1/stop", body);
		c->stop_until_ms = clock_ms() + 15000;
		c->mode = MODE_VIEW;
		console_say(c, ROLE_TEXT, "stopping the runtime; it answers what it has accepted first");
	} else if (key == DRAW_KEY_ESCAPE) {
		c->mode = MODE_VIEW;
	}
}

void console_key(struct console *c, int key)
{
	bool tiny = c->columns < CONSOLE_COLUMNS_MIN || c->rows < CONSOLE_ROWS_MIN;

	if (key == 12) {
		draw_anew(c->draw);
	} else if (c->stop_until_ms) {
		c->done = c->done || key == 'q' || key == CONTROL_C;
	} else if (c->mode == MODE_QUIT) {
		quit_key(c, key);
	} else if (key == CONTROL_C) {
		console_quit(c);
	} else if (tiny) {
		if (key == 'q')
			console_quit(c);
	} else if (key == CONTROL_Y && (c->mode == MODE_CHANGE || c->mode == MODE_JOB)) {
		copy_shown(c);
	} else if (c->mode == MODE_CHANGE) {
		change_key(c, key);
	} else if (c->mode == MODE_JOB) {
		job_dialog_key(c, key);
	} else if (c->mode == MODE_PROMPT) {
		prompt_key(c, key);
	} else if (c->mode == MODE_OUTPUT) {
		output_key(c, key);
	} else {
		view_key(c, key);
	}
}
