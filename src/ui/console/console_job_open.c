/* The dialogs of jobs as they open, and what is filled in: what is likely wanted, and what the last run was given. */
#include "ui/console/console_state.h"

#include "core/json.h"
#include "ui/view/job_pane.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill(struct dialog_field *f, const char *text)
{
	snprintf(f->value, sizeof(f->value), "%s", text);
	f->cursor = strlen(f->value);
}

static void fill_version(struct dialog_field *f, uint32_t version)
{
	char text[16] = "";

	if (version)
		snprintf(text, sizeof(text), "%u", version);
	fill(f, text);
}

/* --- start --- */

/* The version that is most likely to be tested: that of the open rollout, else the newest that is not live. A load has
 * something to say of the live one, too. */
static uint32_t version_likely(const struct snapshot_model *m, const struct job_kind *kind)
{
	uint32_t newest = 0;

	if (m->rollout && !rollout_ended(m->rollout))
		return m->rollout->version;
	for (size_t i = 0; i < m->version_count; i++)
		if (m->versions[i].version != m->live && m->versions[i].version > newest)
			newest = m->versions[i].version;
	return newest || kind->version == JOB_VERSION_ARGUMENT ? newest : m->live;
}

static void version_field(struct job_dialog *j, const struct snapshot_model *m)
{
	char hint[DIALOG_LABEL_SIZE];

	if (m->live && !j->job_kind->test)
		snprintf(hint, sizeof(hint), "the live one, v%u; up, down or a number", m->live);
	else
		snprintf(hint, sizeof(hint), "up, down or a number");
	j->version_at = j->dialog.field_count;
	struct dialog_field *f = dialog_field(&j->dialog, "version", hint);

	if (j->job_kind->test)
		fill_version(f, version_likely(m, j->job_kind));
}

static void start_fields(struct job_dialog *j, const struct snapshot_model *m)
{
	const struct job_kind *kind = j->job_kind;

	if (kind->test)
		version_field(j, m);
	for (size_t i = 0; i < kind->field_count; i++) {
		if (kind->fields[i].type == JOB_FIELD_CONSENT)
			continue;
		struct dialog_field *f = dialog_field(&j->dialog, kind->fields[i].label, kind->fields[i].hint);
		/* What is live now, not what was when it was last run. */
		if (strcmp(kind->fields[i].name, "against") == 0)
			fill_version(f, m->live);
	}
	if (!kind->test)
		version_field(j, m);
}

/* Asks what the last run was given. */
static void ask_last(struct console *c)
{
	struct job_dialog *j = &c->job;
	char path[160];

	snprintf(path, sizeof(path), "/control/v1/jobs/last/%s/%s", j->job_kind->name, j->model);
	j->last_id = fetcher_get(c->fetcher, path);
}

static bool opens(struct console *c, enum job_dialog_kind kind)
{
	if (!console_fresh(c)) {
		console_say(c, ROLE_WARNING, "the picture is not current, so nothing can be started or cancelled");
		return false;
	}
	memset(&c->job, 0, sizeof(c->job));
	c->job.kind = kind;
	return true;
}

void job_dialog_start(struct console *c, const char *kind)
{
	struct job_dialog *j = &c->job;
	char title[96];

	if (!opens(c, JOB_DIALOG_START))
		return;
	const struct snapshot_model *m = snapshot_find(c->snapshot, c->ui.model);

	if (!m || m->version_count == 0) {
		console_say(c, ROLE_WARNING,
			    m ? "%s has no version yet; deploy one with :deploy" : "no model is selected%s",
			    m ? m->name : "");
		return;
	}
	j->job_kind = job_kind_find(kind);
	snprintf(j->model, sizeof(j->model), "%s", m->name);
	snprintf(title, sizeof(title), "%s %s %s", j->job_kind->title, j->job_kind->test ? "of" : "with", m->name);
	dialog_init(&j->dialog, title);
	j->dialog.form = j->job_kind->test;
	start_fields(j, m);
	c->mode = MODE_JOB;
	c->ui.message[0] = '\0';
	if (j->job_kind->test)
		ask_last(c);
	job_dialog_refresh(c);
}

/* --- what it was last given --- */

static void fill_last(struct job_dialog *j, const cJSON *start)
{
	for (size_t i = 0; i < j->job_kind->field_count; i++) {
		struct dialog_field *f = job_dialog_field(j, i);
		const char *value = json_find_text(start, j->job_kind->fields[i].name);

		if (f && !f->value[0] && strlen(value) < sizeof(f->value))
			fill(f, value);
	}
}

bool job_dialog_last(struct console *c, const struct fetcher_answer *a)
{
	struct job_dialog *j = &c->job;
	const cJSON *job = cJSON_GetObjectItemCaseSensitive(a->json, "job");

	if (!a->id || a->id != j->last_id)
		return false;
	j->last_id = 0;
	/* Without it the fields stay as they are: nothing depends on it. */
	if (a->status == 0 && cJSON_IsObject(job)) {
		j->filled_from = (int64_t)json_find_number(job, "id");
		fill_last(j, cJSON_GetObjectItemCaseSensitive(a->json, "start"));
	}
	if (c->mode == MODE_JOB)
		job_dialog_dry_run(c);
	return true;
}

/* --- again, cancel --- */

static const char *refusal(const struct job_record *job, bool cancel)
{
	if (!job)
		return "there is no job";
	if (cancel)
		return job_ended(job) ? "this job has ended already" : NULL;
	if (!job_ended(job))
		return "this job has not ended yet";
	return job->in_shell ? "this job ran in a shell; run its command there again" : NULL;
}

void job_dialog_open(struct console *c, enum job_dialog_kind kind)
{
	struct job_dialog *j = &c->job;
	bool cancel = kind == JOB_DIALOG_CANCEL;
	char title[96];

	if (!opens(c, kind))
		return;
	const struct job_record *job = job_selected(&c->ui);

	if (refusal(job, cancel)) {
		console_say(c, ROLE_WARNING, "%s", refusal(job, cancel));
		return;
	}
	j->id = job->id;
	j->version = job->version;
	snprintf(j->model, sizeof(j->model), "%s", job->model);
	snprintf(title, sizeof(title), "%s job %" PRId64, cancel ? "Cancel" : "Start again", job->id);
	dialog_init(&j->dialog, title);
	if (cancel)
		dialog_field(&j->dialog, "reason, for the audit", "may stay empty");
	c->mode = MODE_JOB;
	c->ui.message[0] = '\0';
	if (!cancel)
		job_dialog_dry_run(c);
	job_dialog_refresh(c);
}
