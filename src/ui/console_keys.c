/* Keys of the views and of the prompt; they act only on what is drawn. */
#include "ui/console_state.h"

#include "ui/job_pane.h"
#include "ui/keys.h"
#include "core/clock.h"
#include "core/digest.h"
#include "ui/line_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_C 3
#define FILTERED_MAX 4096

static bool in_view(const struct console *c, const char *name)
{
	return strcmp(c->ui.view, name) == 0;
}

static void view_show(struct console *c, const char *name)
{
	snprintf(c->ui.view, sizeof(c->ui.view), "%s", name);
	c->ui.scroll = 0;
}

static void model_select(struct console *c, size_t index)
{
	snprintf(c->ui.model, sizeof(c->ui.model), "%s", c->snapshot->models[index].name);
	c->ui.version = 0;
}

/* The models drawn, and where in them the selected one is (count when it is not). */
static size_t shown(const struct console *c, size_t *indexes, size_t *at)
{
	size_t count = view_filtered(&c->ui, indexes, FILTERED_MAX);

	if (count > FILTERED_MAX)
		count = FILTERED_MAX;
	for (*at = 0; *at < count; ++*at)
		if (strcmp(c->snapshot->models[indexes[*at]].name, c->ui.model) == 0)
			break;
	return count;
}

void console_select(struct console *c)
{
	size_t indexes[FILTERED_MAX], at, count;

	if (!c->snapshot)
		return;
	if (in_view(c, "model")) {
		if (snapshot_find(c->snapshot, c->ui.model))
			return;
		console_say(c, ROLE_WARNING, "%s is no longer there", c->ui.model);
		view_show(c, "models");
	}
	count = shown(c, indexes, &at);
	if (count == 0)
		c->ui.model[0] = '\0';
	else if (at == count)
		model_select(c, indexes[0]);
}

static size_t moved(size_t at, size_t count, long step)
{
	long to = (long)at + step;

	return to < 0 ? 0 : to >= (long)count ? count - 1 : (size_t)to;
}

static void version_move(struct console *c, long step)
{
	const struct snapshot_model *m = snapshot_find(c->snapshot, c->ui.model);
	size_t at = 0; /* in the order of the screen: the newest first */

	if (!m || m->version_count == 0)
		return;
	while (c->ui.version && at < m->version_count &&
	       m->versions[m->version_count - 1 - at].version != c->ui.version)
		at++;
	if (at == m->version_count)
		at = 0;
	at = moved(at, m->version_count, step);
	c->ui.version = m->versions[m->version_count - 1 - at].version;
}

static void job_move(struct console *c, long step)
{
	const struct job_record *jobs = c->snapshot->jobs, *job = job_selected(&c->ui);

	if (job)
		c->ui.job = jobs[moved((size_t)(job - jobs), c->snapshot->job_count, step)].id;
}

static void move(struct console *c, long step)
{
	size_t indexes[FILTERED_MAX], at, count;

	if (in_view(c, "help")) {
		long scroll = c->ui.scroll + step;

		c->ui.scroll = scroll < 0 ? 0 : scroll > 500 ? 500 : (int)scroll;
	} else if (!c->snapshot) {
		return;
	} else if (in_view(c, "model")) {
		version_move(c, step);
	} else if (in_view(c, "jobs") || in_view(c, "job")) {
		job_move(c, step);
	} else {
		count = shown(c, indexes, &at);
		if (count > 0)
			model_select(c, indexes[moved(at == count ? 0 : at, count, step)]);
	}
}

static void back(struct console *c)
{
	c->ui.message[0] = '\0';
	if (in_view(c, "help"))
		view_show(c, *c->back_view ? c->back_view : "models");
	else if (in_view(c, "job"))
		view_show(c, "jobs");
	else if (!in_view(c, "models"))
		view_show(c, "models");
	else
		c->ui.filter[0] = '\0';
	console_select(c);
}

static void prompt_open(struct console *c, int prompt)
{
	c->mode = MODE_PROMPT;
	c->ui.prompt = prompt;
	c->ui.input[0] = '\0';
	if (prompt == '/') {
		if (!in_view(c, "models"))
			view_show(c, "models");
		memcpy(c->filter_before, c->ui.filter, sizeof(c->filter_before));
		snprintf(c->ui.input, sizeof(c->ui.input), "%s", c->ui.filter);
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
	snprintf(c->ui.filter, sizeof(c->ui.filter), "%.*s", (int)sizeof(c->ui.filter) - 1, c->ui.input);
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
	size_t size = c->ui.prompt == '/' ? sizeof(c->ui.filter) : sizeof(c->ui.input);

	if (key == DRAW_KEY_ENTER) {
		prompt_enter(c);
	} else if (key == DRAW_KEY_ESCAPE || (key == DRAW_KEY_BACKSPACE && !*c->ui.input)) {
		if (c->ui.prompt == '/')
			memcpy(c->ui.filter, c->filter_before, sizeof(c->ui.filter));
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

static void open_selected(struct console *c)
{
	if (!c->snapshot)
		return;
	if (in_view(c, "models") && snapshot_find(c->snapshot, c->ui.model)) {
		view_show(c, "model");
	} else if (in_view(c, "jobs") && job_selected(&c->ui)) {
		c->ui.job = job_selected(&c->ui)->id; /* whatever comes to be the first */
		view_show(c, "job");
	}
}

static void act(struct console *c, enum key_action action)
{
	switch (action) {
	case ACT_UP:
		move(c, -1);
		break;
	case ACT_DOWN:
		move(c, 1);
		break;
	case ACT_OPEN:
		open_selected(c);
		break;
	case ACT_BACK:
		back(c);
		break;
	case ACT_FILE:
		if (!in_view(c, "help") && !in_view(c, "job"))
			job_dialog_open(c, JOB_DIALOG_START);
		break;
	case ACT_CANCEL:
	case ACT_AGAIN:
		if (c->snapshot && (in_view(c, "jobs") || in_view(c, "job")))
			job_dialog_open(c, action == ACT_CANCEL ? JOB_DIALOG_CANCEL : JOB_DIALOG_AGAIN);
		break;
	case ACT_PROMOTE:
	case ACT_ROLLBACK:
	case ACT_SPLIT:
		/* Only where the model that it is about is in sight. */
		if (in_view(c, "models") || in_view(c, "model"))
			change_open(c, action == ACT_PROMOTE    ? CHANGE_PROMOTE
				       : action == ACT_ROLLBACK ? CHANGE_ROLLBACK
								: CHANGE_SPLIT);
		break;
	case ACT_FILTER:
	case ACT_COMMAND:
		prompt_open(c, action == ACT_FILTER ? '/' : ':');
		break;
	case ACT_COPY:
		copy(c);
		break;
	case ACT_THEME:
		theme_next(c);
		break;
	case ACT_HELP:
		if (in_view(c, "help")) {
			back(c);
			break;
		}
		memcpy(c->back_view, c->ui.view, sizeof(c->back_view));
		view_show(c, "help");
		break;
	case ACT_QUIT:
		console_quit(c);
		break;
	case ACT_REDRAW:
	case ACT_NOTHING:
		break;
	}
}

static enum key_action action_of(int key)
{
	if (key == DRAW_KEY_ENTER)
		key = '\n';
	else if (key == DRAW_KEY_ESCAPE)
		key = 27;
	for (size_t i = 0; i < key_count; i++)
		if (key_table[i].key == key)
			return key_table[i].action;
	return ACT_NOTHING;
}

static void view_key(struct console *c, int key)
{
	long page = c->rows > 12 ? (c->rows - 8) / 2 : 2;

	switch (key) {
	case DRAW_KEY_UP:
	case DRAW_KEY_DOWN:
		move(c, key == DRAW_KEY_UP ? -1 : 1);
		return;
	case DRAW_KEY_PAGE_UP:
	case DRAW_KEY_PAGE_DOWN:
		move(c, key == DRAW_KEY_PAGE_UP ? -page : page);
		return;
	case 'g':
	case 'G':
	case DRAW_KEY_HOME:
	case DRAW_KEY_END:
		move(c, key == 'g' || key == DRAW_KEY_HOME ? -1000000 : 1000000);
		return;
	default:
		break;
	}
	for (size_t i = 0; i < view_count; i++)
		if (view_table[i]->title && view_table[i]->key && view_table[i]->key == key) {
			view_show(c, view_table[i]->name);
			return;
		}
	act(c, action_of(key));
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
