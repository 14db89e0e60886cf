/* What the dialogs of jobs say before anything is done. */
#include "ui/console/console_state.h"

#include "ui/view/job_pane.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void job_lines(struct dialog *d, const struct job_record *job)
{
	char rows[40], left[32];

	dialog_line(d, ROLE_TEXT, "job\t%s %s v%u", job->kind, job->model, job->version);
	dialog_line(d, ROLE_TEXT, "\t%.100s", job->title);
	job_rows_text(job, rows, sizeof(rows));
	job_left_text(job, left, sizeof(left));
	if (job->state == JOB_QUEUED)
		dialog_line(d, ROLE_TEXT, "so far\tit waits for its turn");
	else
		dialog_line(d, ROLE_TEXT, "so far\t%s %s%s%s%s", rows, job_counted(job) ? job_counted(job) : "done",
			    *left ? ", " : "", left, *left ? " left" : "");
}

static void cancel_facts(struct job_dialog *j, const struct job_record *job)
{
	struct dialog *d = &j->dialog;

	job_lines(d, job);
	if (job_ended(job))
		dialog_line(d, ROLE_WARNING, "now\tit has ended meanwhile: %s", job_state_name(job->state));
	else if (job->in_shell)
		dialog_line(d, ROLE_TITLE, "then\tit is told with its next report, and stops");
	else if (job->state == JOB_QUEUED)
		dialog_line(d, ROLE_TITLE, "then\tit never starts");
	else
		dialog_line(d, ROLE_TITLE, "then\tit is asked to stop, and killed if it does not");
	dialog_line(d, ROLE_TEXT, "%s", "");
	const struct job_kind *kind = job_kind_find(job->kind);
	if (job_ended(job) || job->state == JOB_QUEUED)
		return;
	if (kind && kind->test && !kind->shell_only)
		dialog_line(d, ROLE_DIM, "A test that is stopped gives no result; A starts it again.");
	else if (!kind || !kind->test)
		dialog_line(d, ROLE_DIM, "What is done is kept: %s goes on there.",
			    job->in_shell ? "the same command" : "A, or the same command,");
}

static void fact_line(struct dialog *d, const char *name, const struct job_dialog_fact *f)
{
	dialog_line(d, f->warning ? ROLE_WARNING : ROLE_TEXT, "%s\t%s", name, f->text);
}

/* A field: the path that it comes to, where that is not what was typed, and what the runtime said of it. */
static void field_lines(struct job_dialog *j, size_t at)
{
	const struct job_field *field = &j->job_kind->fields[at];
	const char *name = field->name;
	char path[JOB_TYPED_SIZE];
	bool said = false;

	for (size_t i = 0; j->dry_done && i < j->fact_count; i++)
		said = said || strcmp(j->facts[i].name, field->name) == 0;
	path[0] = '\0';
	if (field->type == JOB_FIELD_INPUT || field->type == JOB_FIELD_OUTPUT)
		job_dialog_path(j, at, path, sizeof(path));
	if (*path && (!said || strcmp(path, job_dialog_field(j, at)->value) != 0)) {
		dialog_line(&j->dialog, ROLE_TEXT, "%s\t%.140s", name, path);
		name = "";
	}
	for (size_t i = 0; j->dry_done && i < j->fact_count; i++)
		if (strcmp(j->facts[i].name, field->name) == 0)
			fact_line(&j->dialog, name, &j->facts[i]);
}

static bool names_a_field(const struct job_dialog *j, const char *name)
{
	for (size_t i = 0; j->kind == JOB_DIALOG_START && i < j->job_kind->field_count; i++)
		if (strcmp(j->job_kind->fields[i].name, name) == 0)
			return true;
	return false;
}

/* What the runtime said besides, and when it would begin. */
static void planned_lines(struct job_dialog *j)
{
	struct dialog *d = &j->dialog;

	for (size_t i = 0; i < j->fact_count; i++)
		if (!names_a_field(j, j->facts[i].name))
			fact_line(d, j->facts[i].name, &j->facts[i]);
	if (j->waits)
		dialog_line(d, ROLE_WARNING, "when\tafter others: number %u of those that wait", j->waits);
	else
		dialog_line(d, ROLE_TITLE, "when\tat once");
}

static void model_line(struct job_dialog *j, const struct snapshot_model *m)
{
	bool live = m && m->live == j->version, test = j->kind == JOB_DIALOG_START && j->job_kind->test;

	if (j->dry_done)
		dialog_line(&j->dialog,
			    live && !test ? ROLE_LIVE
			    : test        ? ROLE_TEXT
					  : ROLE_WARNING,
			    "model\t%s v%u, %s", j->model, j->version, live ? "live" : "not live");
	else
		dialog_line(&j->dialog, ROLE_TEXT, "model\t%s", j->model);
}

static void start_facts(struct console *c)
{
	struct job_dialog *j = &c->job;
	struct dialog *d = &j->dialog;
	bool test = j->kind == JOB_DIALOG_START && j->job_kind->test;

	model_line(j, snapshot_find(c->snapshot, j->model));
	if (j->dry_error[0] && !test)
		dialog_line(d, ROLE_BAD, "but\t%.140s", j->dry_error);
	if (j->dry_done && test)
		planned_lines(j);
	for (size_t i = 0; j->kind == JOB_DIALOG_START && i < j->job_kind->field_count; i++)
		field_lines(j, i);
	if (j->dry_done && !test)
		planned_lines(j);
	else if (j->dry_id || j->last_id)
		dialog_line(d, ROLE_DIM, "\tasking the runtime");
	if (j->filled_from)
		dialog_line(d, ROLE_DIM, "filled in\tas job %" PRId64 " was", j->filled_from);
	dialog_line(d, ROLE_TEXT, "%s", "");
	dialog_line(d, ROLE_DIM, "It runs as a process of its own, behind the requests that are served.");
}

/* A check mark where the runtime agreed, a cross where something is wrong. */
static void mark_fields(struct job_dialog *j)
{
	struct dialog *d = &j->dialog;

	for (size_t i = 0; j->kind == JOB_DIALOG_START && i < d->field_count; i++)
		d->fields[i].done = j->dry_done && (!d->form || d->fields[i].value[0]);
	if (j->asks_consent)
		d->fields[d->field_count - 1].done = job_dialog_consents(j);
	d->warning[0] = '\0';
	if (d->form && !d->error[0])
		snprintf(d->warning, sizeof(d->warning), "%.255s", j->dry_error);
	if (j->asks_consent && !j->dry_error[0])
		snprintf(d->warning, sizeof(d->warning), "It sends load to live traffic: type %s to go on.", j->model);
}

void job_dialog_refresh(struct console *c)
{
	struct job_dialog *j = &c->job;
	struct dialog *d = &j->dialog;
	const struct job_record *job = c->snapshot ? snapshot_job(c->snapshot, j->id) : NULL;

	if (c->mode != MODE_JOB)
		return;
	d->disabled = !console_fresh(c);
	d->busy = j->send_id != 0;
	d->line_count = 0;
	if (j->kind == JOB_DIALOG_CANCEL && job)
		cancel_facts(j, job);
	else if (j->kind == JOB_DIALOG_CANCEL)
		dialog_line(d, ROLE_WARNING, "now\tit has left the picture; mldeck jobs %" PRId64 " has it", j->id);
	else
		start_facts(c);
	mark_fields(j);
	bool more = j->kind == JOB_DIALOG_START && d->focus + 1 < d->field_count;

	snprintf(d->buttons, sizeof(d->buttons), "%s · esc %s",
		 d->form                        ? "enter start · tab next · ctrl-y copy"
		 : more                         ? "enter next · tab next"
		 : j->kind == JOB_DIALOG_CANCEL ? "enter cancel the job"
						: "enter start",
		 j->kind == JOB_DIALOG_CANCEL ? "leave it" : "leave");
	job_dialog_command(c, j, d->command, sizeof(d->command));
}
