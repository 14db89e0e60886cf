/* The dialogs of jobs: what is to be typed, what would happen, and what came of it. */
#include "ui/console/console_state.h"

#include "core/json.h"
#include "ui/view/job_pane.h"
#include "ui/console/line_edit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One dry run at a time. */
static void dry_run(struct console *c)
{
	struct job_dialog *j = &c->job;
	char path[160];
	struct err e = {0};

	if (j->kind == JOB_DIALOG_CANCEL)
		return;
	j->dry_done = false;
	if (j->dry_id) {
		j->dry_again = true;
		return;
	}
	j->dry_again = false;
	j->dry_error[0] = '\0';
	cJSON *body = job_dialog_body(j, true, path, sizeof(path), &e);

	if (body)
		j->dry_id = fetcher_post(c->fetcher, path, body);
	else
		snprintf(j->dry_error, sizeof(j->dry_error), "%s", e.text);
}

/* --- opening --- */

static void start_fields(struct job_dialog *j, const struct snapshot_model *m)
{
	char hint[DIALOG_LABEL_SIZE];

	for (size_t i = 0; i < j->job_kind->field_count; i++)
		dialog_field(&j->dialog, j->job_kind->fields[i].label, j->job_kind->fields[i].hint);
	if (m->live)
		snprintf(hint, sizeof(hint), "the live one, v%u; up, down or a number", m->live);
	else
		snprintf(hint, sizeof(hint), "up, down or a number");
	dialog_field(&j->dialog, "version", hint);
}

static bool open_start(struct console *c)
{
	struct job_dialog *j = &c->job;
	const struct snapshot_model *m = snapshot_find(c->snapshot, c->ui.model);
	char title[96];

	if (!m || m->version_count == 0) {
		console_say(c, ROLE_WARNING,
			    m ? "%s has no version yet; deploy one with :deploy" : "no model is selected%s",
			    m ? m->name : "");
		return false;
	}
	j->job_kind = job_kind_find("predict");
	snprintf(j->model, sizeof(j->model), "%s", m->name);
	snprintf(title, sizeof(title), "%s with %s", j->job_kind->title, m->name);
	dialog_init(&j->dialog, title);
	start_fields(j, m);
	return true;
}

static bool open_other(struct console *c)
{
	struct job_dialog *j = &c->job;
	const struct job_record *job = job_selected(&c->ui);
	bool cancel = j->kind == JOB_DIALOG_CANCEL;
	char title[96];

	if (!job || job_ended(job) == cancel || (!cancel && job->in_shell)) {
		console_say(c, ROLE_WARNING, "%s",
			    !job              ? "there is no job"
			    : cancel          ? "this job has ended already"
			    : !job_ended(job) ? "this job has not ended yet"
					      : "this job ran in a shell; run its command there again");
		return false;
	}
	j->id = job->id;
	j->version = job->version;
	snprintf(j->model, sizeof(j->model), "%s", job->model);
	snprintf(title, sizeof(title), "%s job %" PRId64, cancel ? "Cancel" : "Start again", job->id);
	dialog_init(&j->dialog, title);
	if (cancel)
		dialog_field(&j->dialog, "reason, for the audit", "may stay empty");
	return true;
}

void job_dialog_open(struct console *c, enum job_dialog_kind kind)
{
	struct job_dialog *j = &c->job;

	if (!console_fresh(c)) {
		console_say(c, ROLE_WARNING, "the picture is not current, so nothing can be started or cancelled");
		return;
	}
	memset(j, 0, sizeof(*j));
	j->kind = kind;
	if (!(kind == JOB_DIALOG_START ? open_start(c) : open_other(c)))
		return;
	c->mode = MODE_JOB;
	c->ui.message[0] = '\0';
	if (kind == JOB_DIALOG_AGAIN)
		dry_run(c);
	job_dialog_refresh(c);
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
		snprintf(j->dialog.error, sizeof(j->dialog.error), "%s", e.text);
	else if (!(j->send_id = fetcher_post(c->fetcher, path, body)))
		snprintf(j->dialog.error, sizeof(j->dialog.error), "memory is out");
}

/* Enter: through the fields, and on the last one, do it. */
static void confirm(struct console *c)
{
	struct job_dialog *j = &c->job;
	struct dialog *d = &j->dialog;

	job_dialog_refresh(c);
	d->error[0] = '\0';
	if (d->disabled) {
		snprintf(d->error, sizeof(d->error), "the picture is not current; wait until it is");
	} else if (j->kind == JOB_DIALOG_START && d->focus == 0 && !d->fields[0].value[0]) {
		snprintf(d->error, sizeof(d->error), "name the file to predict");
	} else if (j->kind == JOB_DIALOG_START && d->focus + 1 < d->field_count) {
		d->focus++;
	} else if (j->kind != JOB_DIALOG_CANCEL && j->dry_error[0]) {
		snprintf(d->error, sizeof(d->error), "%s", j->dry_error);
	} else if (j->kind != JOB_DIALOG_CANCEL && !j->dry_done) {
		snprintf(d->error, sizeof(d->error),
			 "the runtime has not yet said what would happen; press enter again");
	} else {
		send(c);
	}
}

/* Up is newer; below the oldest is "the live one". */
static void version_step(struct console *c, int step)
{
	struct job_dialog *j = &c->job;
	const struct snapshot_model *m = snapshot_find(c->snapshot, j->model);
	struct dialog_field *f = &j->dialog.fields[j->dialog.focus];
	long long now = 0;
	size_t at = 0;

	if (!m || j->kind != JOB_DIALOG_START || j->dialog.focus != j->job_kind->field_count)
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
	dry_run(c);
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
	dry_run(c);
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
	else if (key == DRAW_KEY_UP || key == DRAW_KEY_DOWN)
		version_step(c, key == DRAW_KEY_UP ? 1 : -1);
	else
		type(c, key);
	job_dialog_refresh(c);
}

/* --- answers --- */

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
	j->queued = (unsigned)json_find_number(json, "queued");
}

static void dry_answer(struct console *c, const struct fetcher_answer *a)
{
	struct job_dialog *j = &c->job;

	j->dry_id = 0;
	if (j->dry_again) {
		dry_run(c);
	} else if (a->status == 0) {
		j->dry_done = true;
		facts_take(j, a->json);
	} else {
		snprintf(j->dry_error, sizeof(j->dry_error), "%s", a->err.text);
	}
}

static void send_answer(struct console *c, const struct fetcher_answer *a)
{
	struct job_dialog *j = &c->job;
	char title[JOB_TITLE_SIZE];
	double id = json_find_number(a->json, "id");

	j->send_id = 0;
	if (a->status != 0) {
		snprintf(j->dialog.error, sizeof(j->dialog.error), "%s", a->err.text);
		if (c->mode != MODE_JOB)
			console_say(c, ROLE_BAD, "%s", a->err.text);
		return;
	}
	job_dialog_command(c, j, c->last_command, sizeof(c->last_command));
	text_clean(title, sizeof(title), json_find_text(a->json, "title"));
	if (j->kind == JOB_DIALOG_CANCEL)
		console_say(c, ROLE_OK, "job %.0f is asked to stop", id);
	else
		console_say(c, ROLE_OK, "job %.0f: %s; 2 shows the jobs, x cancels there", id, title);
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
	else
		return false;
	job_dialog_refresh(c);
	return true;
}
