/* The dialogs of jobs: what is to be typed, what would happen, and what came of it. */
#include "ui/console/console_state.h"

#include "core/json.h"
#include "ui/console/line_edit.h"

#include <stdio.h>
#include <string.h>

void job_dialog_dry_run(struct console *c)
{
	struct job_dialog *j = &c->job;
	char path[160];
	struct err e = {0};

	if (j->kind == JOB_DIALOG_CANCEL || j->last_id)
		return;
	j->dry_done = false;
	if (j->dry_id) {
		j->dry_again = true;
		return;
	}
	j->dry_again = false;
	j->dry_error[0] = '\0';
	cJSON *body = job_dialog_check(j, &e) == 0 ? job_dialog_body(j, true, path, sizeof(path), &e) : NULL;

	if (body)
		j->dry_id = fetcher_post(c->fetcher, path, body);
	else
		job_dialog_word(j, e.text, j->dry_error, sizeof(j->dry_error));
}

/* --- keys --- */

static void send(struct console *c)
{
	struct job_dialog *j = &c->job;
	struct err e = {0};
	char path[160];
	cJSON *body = job_dialog_body(j, false, path, sizeof(path), &e);

	j->dialog.error[0] = '\0';
	if (!body)
		job_dialog_word(j, e.text, j->dialog.error, sizeof(j->dialog.error));
	else if (!(j->send_id = fetcher_post(c->fetcher, path, body)))
		snprintf(j->dialog.error, sizeof(j->dialog.error), "memory is out");
}

/* The first field with something wrong is where it is to be typed. */
static void focus_bad(struct dialog *d)
{
	for (size_t i = 0; i < d->field_count; i++)
		if (d->fields[i].bad) {
			d->focus = i;
			return;
		}
}

static void start_or_say(struct console *c)
{
	struct job_dialog *j = &c->job;
	struct dialog *d = &j->dialog;

	if (j->dry_error[0]) {
		snprintf(d->error, sizeof(d->error), "%s", j->dry_error);
		focus_bad(d);
	} else if (!j->dry_done) {
		snprintf(d->error, sizeof(d->error),
			 "the runtime has not yet said what would happen; press enter again");
	} else if (j->asks_consent && !job_dialog_consents(j)) {
		snprintf(d->error, sizeof(d->error), "it touches live traffic: type %s to go on", j->model);
		d->focus = d->field_count - 1;
	} else {
		send(c);
	}
}

/* Enter: do it; a file to predict is named field by field before. */
static void confirm(struct console *c)
{
	struct job_dialog *j = &c->job;
	struct dialog *d = &j->dialog;
	bool by_field = j->kind == JOB_DIALOG_START && !j->job_kind->test;

	job_dialog_refresh(c);
	d->error[0] = '\0';
	if (d->disabled)
		snprintf(d->error, sizeof(d->error), "the picture is not current; wait until it is");
	else if (by_field && d->focus == 0 && !d->fields[0].value[0])
		snprintf(d->error, sizeof(d->error), "name the file to predict");
	else if (by_field && d->focus + 1 < d->field_count)
		d->focus++;
	else if (j->kind == JOB_DIALOG_CANCEL)
		send(c);
	else
		start_or_say(c);
}

/* Up is newer; below the oldest is none, "the live one". */
static void version_step(struct console *c, int step)
{
	struct job_dialog *j = &c->job;
	const struct snapshot_model *m = snapshot_find(c->snapshot, j->model);
	struct dialog_field *f = &j->dialog.fields[j->dialog.focus];
	long long now = 0;
	size_t at = 0;

	if (!m)
		return;
	text_integer(f->value, 0, UINT32_MAX, &now);
	while (at < m->version_count && (long long)m->versions[at].version <= now)
		at++;
	/* at: how many are up to the one shown. */
	if (step > 0 && at < m->version_count)
		at++;
	else if (step < 0 && at > 0)
		at--;
	f->value[0] = '\0';
	if (at > 0)
		snprintf(f->value, sizeof(f->value), "%u", m->versions[at - 1].version);
	f->cursor = strlen(f->value);
	job_dialog_dry_run(c);
}

/* The choice after, or before, the one shown; behind the last is none. */
static void choice_step(struct console *c, const struct job_field *field, int step)
{
	struct job_dialog *j = &c->job;
	struct dialog_field *f = &j->dialog.fields[j->dialog.focus];
	const char *choices = field->type == JOB_FIELD_SWITCH ? "yes" : field->choices, *at = choices;
	char names[8][32] = {""}; /* the first is none */
	int count = 1, now = 0;

	for (; at && count < 8; at = strchr(at, '|')) {
		at += *at == '|';
		snprintf(names[count], sizeof(names[0]), "%.*s", (int)strcspn(at, "|"), at);
		if (strcmp(names[count], f->value) == 0)
			now = count;
		count++;
	}
	snprintf(f->value, sizeof(f->value), "%s", names[(now + step + count) % count]);
	f->cursor = strlen(f->value);
	j->dialog.error[0] = '\0';
	job_dialog_dry_run(c);
}

/* Up and down, and on a switch or a choice space: false where that means nothing. */
static bool step(struct console *c, int key)
{
	struct job_dialog *j = &c->job;
	const struct job_field *field;
	int direction = key == DRAW_KEY_DOWN ? -1 : 1;

	if (j->kind != JOB_DIALOG_START || (key != DRAW_KEY_UP && key != DRAW_KEY_DOWN && key != ' '))
		return false;
	field = job_dialog_field_at(j, j->dialog.focus);
	if (field && (field->type == JOB_FIELD_SWITCH || field->type == JOB_FIELD_CHOICE))
		choice_step(c, field, direction);
	else if (key == ' ')
		return false;
	else if (j->dialog.focus == j->version_at || (field && field->type == JOB_FIELD_VERSION))
		version_step(c, direction);
	return true;
}

static void type(struct console *c, int key)
{
	struct job_dialog *j = &c->job;
	struct dialog_field *f = &j->dialog.fields[j->dialog.focus];
	size_t size = j->kind == JOB_DIALOG_CANCEL ? REASON_SIZE : sizeof(f->value);
	char before[DIALOG_VALUE_SIZE];

	if (j->dialog.field_count == 0)
		return;
	memcpy(before, f->value, sizeof(before));
	if (!line_edit(f->value, size, &f->cursor, key))
		return;
	if (strcmp(before, f->value) == 0) {
		if (key >= ' ' && key < DRAW_KEY_UP)
			snprintf(j->dialog.error, sizeof(j->dialog.error), "no more than %zu bytes fit here", size - 1);
		return;
	}
	j->dialog.error[0] = '\0';
	/* The name that is typed to go on changes nothing of what would happen. */
	if (!j->asks_consent || j->dialog.focus + 1 < j->dialog.field_count)
		job_dialog_dry_run(c);
}

void job_dialog_key(struct console *c, int key)
{
	struct job_dialog *j = &c->job;
	struct dialog *d = &j->dialog;

	if (key == DRAW_KEY_ESCAPE) {
		if (j->send_id)
			console_say(c, ROLE_WARNING, "it was already sent; its answer will show here");
		c->mode = MODE_VIEW;
		return;
	}
	if (j->send_id)
		return;
	if (key == DRAW_KEY_ENTER)
		confirm(c);
	else if ((key == DRAW_KEY_TAB || key == DRAW_KEY_BACK_TAB) && d->field_count > 0)
		d->focus = (d->focus + (key == DRAW_KEY_TAB ? 1 : d->field_count - 1)) % d->field_count;
	else if (!step(c, key))
		type(c, key);
	job_dialog_refresh(c);
}

/* --- answers --- */

/* Shows the field for the model's name, or takes it away. */
static void ask_consent(struct job_dialog *j, bool asks)
{
	struct dialog *d = &j->dialog;

	if (asks && !j->asks_consent)
		dialog_field(d, "type the name", "of the model, to confirm");
	else if (!asks && j->asks_consent)
		d->field_count--;
	if (d->focus >= d->field_count && d->focus > 0)
		d->focus = d->field_count - 1;
	j->asks_consent = asks;
}

static void facts_take(struct job_dialog *j, const cJSON *json)
{
	const cJSON *item;

	j->fact_count = 0;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "facts"))
	{
		struct job_dialog_fact *f = &j->facts[j->fact_count];

		if (j->fact_count == JOB_FACTS_SHOWN)
			break;
		text_clean(f->name, sizeof(f->name), json_find_text(item, "name"));
		text_clean(f->text, sizeof(f->text), json_find_text(item, "text"));
		f->warning = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "warning"));
		j->fact_count++;
	}
	j->version = (uint32_t)json_find_number(json, "version");
	j->running = (unsigned)json_find_number(json, "running");
	j->waits = (unsigned)json_find_number(json, "waits");
	ask_consent(j, cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "asks_consent")));
}

static void dry_answer(struct console *c, const struct fetcher_answer *a)
{
	struct job_dialog *j = &c->job;

	j->dry_id = 0;
	if (j->dry_again) {
		job_dialog_dry_run(c);
	} else if (a->status == 0) {
		j->dry_done = true;
		facts_take(j, a->json);
	} else {
		job_dialog_word(j, a->err.text, j->dry_error, sizeof(j->dry_error));
		if (j->kind == JOB_DIALOG_START)
			job_dialog_mark(j, a->err.text);
	}
}

static void send_answer(struct console *c, const struct fetcher_answer *a)
{
	struct job_dialog *j = &c->job;
	char title[JOB_TITLE_SIZE];
	double id = json_find_number(a->json, "id");

	j->send_id = 0;
	if (a->status != 0) {
		job_dialog_word(j, a->err.text, j->dialog.error, sizeof(j->dialog.error));
		if (c->mode != MODE_JOB)
			console_say(c, ROLE_BAD, "%s", a->err.text);
		return;
	}
	job_dialog_command(c, j, c->last_command, sizeof(c->last_command));
	text_clean(title, sizeof(title), json_find_text(a->json, "title"));
	if (j->kind == JOB_DIALOG_CANCEL)
		console_say(c, ROLE_OK, "job %.0f is asked to stop", id);
	else
		console_say(c, ROLE_OK, "job %.0f %s: %s; 2 shows the jobs, x cancels it there", id,
			    json_find_number(a->json, "waits") > 0 ? "waits for its turn" : "started", title);
	if (j->kind != JOB_DIALOG_CANCEL)
		c->ui.job = (int64_t)id;
	if (c->mode == MODE_JOB)
		c->mode = MODE_VIEW;
}

bool job_dialog_answer(struct console *c, const struct fetcher_answer *a)
{
	if (a->id == c->job.dry_id && a->id)
		dry_answer(c, a);
	else if (a->id == c->job.send_id && a->id)
		send_answer(c, a);
	else if (!job_dialog_last(c, a))
		return false;
	job_dialog_refresh(c);
	return true;
}
