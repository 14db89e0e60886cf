#include "core/registry/registry_jobs.h"

#include "core/clock.h"
#include "core/job_kind.h"
#include "core/registry/registry_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS                                                                                    \
	"id, kind, model, version, title, command, target, who, in_shell, queued_ms, started_ms, " \
	"ended_ms,"                                                                                \
	" state, summary, progress, output, start"

/* What the audit says of a job: its number, then what is said about it. */
static int audit(struct registry *r, const struct job_record *job, const struct actor *actor, const char *action,
		 const char *outcome, const char *said, struct err *e)
{
	struct audit_record record;
	char detail[REASON_SIZE];
	registry_audit_init(&record, actor, action, job->model, outcome, "");
	record.version = job->version;
	snprintf(detail, sizeof detail, "job %" PRId64 ", %s: %s", job->id, job->kind, said);
	text_clean(record.detail, sizeof record.detail, detail);
	return registry_insert_audit(r, &record, e);
}

static int insert(struct registry *r, struct job_record *job, const char *start, uint32_t uid, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db,
		       "INSERT INTO job (kind, model, version, title, command, target, start, uid, who,"
		       " in_shell, queued_ms, started_ms, state)"
		       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		       e);
	if (s == NULL)
		return -1;
	db_bind_text(s, 1, job->kind);
	db_bind_text(s, 2, job->model);
	db_bind_integer(s, 3, job->version);
	db_bind_text(s, 4, job->title);
	db_bind_text(s, 5, job->command);
	db_bind_text(s, 6, job->target);
	db_bind_text(s, 7, start);
	db_bind_integer(s, 8, uid);
	db_bind_text(s, 9, job->who);
	db_bind_integer(s, 10, job->in_shell);
	db_bind_integer(s, 11, job->queued_ms);
	db_bind_integer(s, 12, job->started_ms);
	db_bind_text(s, 13, job_state_name(job->state));
	int row = db_step(s, e);
	db_end(s);
	return row < 0 ? -1 : registry_last_id(r, &job->id, e);
}

/* Commits when all went well, else leaves everything as it was. */
int registry_job_add(struct registry *r, struct job_record *job, const char *start, const struct actor *actor,
		     struct err *e)
{
	registry_lock(r);
	int result = db_begin(r->db, e);
	if (result == 0)
		result = insert(r, job, start, actor->uid, e);
	if (result == 0)
		result = audit(r, job, actor, "job-start", "done", job->title, e);
	return registry_finish(r, result, e);
}

static int update(struct registry *r, const struct job_record *job, const char *output, struct err *e)
{
	struct job_progress kept = job->progress;
	kept.plot_count = 0; /* what a chart shows is in the test's report, and no record of where it was */
	cJSON *json = job_progress_to_json(&kept);
	char *progress = json == NULL ? NULL : cJSON_PrintUnformatted(json);
	struct statement *s = NULL;
	int row = -1;

	cJSON_Delete(json);
	if (progress == NULL)
		err_set(e, ERR_MEMORY, "memory ran out while writing a job");
	else
		s = db_prepare(r->db,
			       "UPDATE job SET started_ms = ?2, ended_ms = ?3, state = ?4, summary = ?5,"
			       " progress = ?6, output = ?7 WHERE id = ?1",
			       e);
	if (s != NULL) {
		db_bind_integer(s, 1, job->id);
		db_bind_integer(s, 2, job->started_ms);
		db_bind_integer(s, 3, job->ended_ms);
		db_bind_text(s, 4, job_state_name(job->state));
		db_bind_text(s, 5, job->summary);
		db_bind_text(s, 6, progress);
		db_bind_text(s, 7, output);
		row = db_step(s, e);
		db_end(s);
	}
	free(progress);
	return row < 0 ? -1 : 0;
}

int registry_job_update(struct registry *r, const struct job_record *job, struct err *e)
{
	registry_lock(r);
	int result = update(r, job, "", e);
	registry_unlock(r);
	return result;
}

static int end_with_audit(struct registry *r, const struct job_record *job, const char *output, struct err *e)
{
	struct actor actor = {.uid = (uint32_t)getuid()};
	const char *said = job->summary[0] != '\0' ? job->summary : job->title;
	text_clean(actor.name, sizeof actor.name, job->who);
	snprintf(actor.client, sizeof actor.client, "job %" PRId64, job->id);
	if (update(r, job, output, e) != 0)
		return -1;
	return audit(r, job, &actor, "job-end", job_state_name(job->state), said, e);
}

int registry_job_end(struct registry *r, const struct job_record *job, const char *output, struct err *e)
{
	registry_lock(r);
	int result = db_begin(r->db, e);
	if (result == 0)
		result = end_with_audit(r, job, output, e);
	return registry_finish(r, result, e);
}

static void read_progress(const char *text, struct job_progress *progress)
{
	static const struct job_progress none = {.left_s = NAN};
	struct err ignored;
	cJSON *json = cJSON_Parse(text);
	if (job_progress_from_json(json, progress, &ignored) != 0)
		*progress = none;
	cJSON_Delete(json);
}

static int read_record(struct statement *s, void *record, struct err *e)
{
	struct job_record *job = record;
	(void)e;
	*job = (struct job_record){
	    .id = db_integer(s, 0),
	    .version = (uint32_t)db_integer(s, 3),
	    .in_shell = db_integer(s, 8) != 0,
	    .queued_ms = db_integer(s, 9),
	    .started_ms = db_integer(s, 10),
	    .ended_ms = db_integer(s, 11),
	    .state = job_state_by_name(db_text(s, 12)),
	};
	text_clean(job->kind, sizeof job->kind, db_text(s, 1));
	text_clean(job->model, sizeof job->model, db_text(s, 2));
	text_clean(job->title, sizeof job->title, db_text(s, 4));
	text_clean(job->command, sizeof job->command, db_text(s, 5));
	text_clean(job->target, sizeof job->target, db_text(s, 6));
	text_clean(job->who, sizeof job->who, db_text(s, 7));
	text_clean(job->summary, sizeof job->summary, db_text(s, 13));
	read_progress(db_text(s, 14), &job->progress);
	job_set_lines(job, db_text(s, 15));
	if (job->state == JOB_STATE_COUNT) /* cannot be: the table checks it */
		job->state = JOB_FAILED;
	return 0;
}

/* Takes the statement, whose -1 is a failure of its preparing, and the lock. */
static int read_jobs(struct registry *r, struct statement *s, struct job_record **jobs, size_t *count, struct err *e)
{
	struct registry_rows rows;
	int result = registry_read_rows(s, sizeof **jobs, read_record, &rows, e);
	registry_unlock(r);
	if (result != 0) {
		free(rows.list);
		rows = (struct registry_rows){0};
	}
	*jobs = rows.list;
	*count = rows.count;
	return result;
}

static int64_t limit_of(size_t limit)
{
	return limit < INT32_MAX ? (int64_t)limit : INT32_MAX;
}

int registry_jobs(struct registry *r, int64_t before, size_t limit, struct job_record **jobs, size_t *count,
		  struct err *e)
{
	registry_lock(r);
	struct statement *s =
	    db_prepare(r->db, "SELECT " COLUMNS " FROM job WHERE id < ?1 ORDER BY id DESC LIMIT ?2", e);
	if (s != NULL) {
		db_bind_integer(s, 1, before > 0 ? before : INT64_MAX);
		db_bind_integer(s, 2, limit_of(limit));
	}
	return read_jobs(r, s, jobs, count, e);
}

int registry_jobs_like(struct registry *r, const char *kind, const char *model, size_t limit, struct job_record **jobs,
		       size_t *count, struct err *e)
{
	registry_lock(r);
	struct statement *s = db_prepare(
	    r->db, "SELECT " COLUMNS " FROM job WHERE kind = ?1 AND model = ?2 ORDER BY id DESC LIMIT ?3", e);
	if (s != NULL) {
		db_bind_text(s, 1, kind);
		db_bind_text(s, 2, model);
		db_bind_integer(s, 3, limit_of(limit));
	}
	return read_jobs(r, s, jobs, count, e);
}

static int read_details(struct statement *s, struct job_details *details, struct err *e)
{
	details->output = strdup(db_text(s, 15));
	details->start = strdup(db_text(s, 16));
	if (details->output != NULL && details->start != NULL)
		return 0;
	job_details_release(details);
	return err_set(e, ERR_MEMORY, "memory ran out while reading a job");
}

int registry_job(struct registry *r, int64_t id, struct job_record *job, struct job_details *details, struct err *e)
{
	int result = -1;
	registry_lock(r);
	struct statement *s = db_prepare(r->db, "SELECT " COLUMNS " FROM job WHERE id = ?1", e);
	if (s != NULL) {
		db_bind_integer(s, 1, id);
		int row = db_step(s, e);
		if (row == 1) {
			read_record(s, job, e);
			result = details != NULL ? read_details(s, details, e) : 0;
		} else if (row == 0) {
			err_set(e, ERR_NOT_FOUND, "there is no job %" PRId64 "; mldeck jobs lists them", id);
		}
		db_end(s);
	}
	registry_unlock(r);
	return result;
}

int registry_job_last(struct registry *r, const char *kind, const char *model, struct job_record *job,
		      struct job_details *details, bool *found, struct err *e)
{
	int result = -1;
	registry_lock(r);
	struct statement *s = db_prepare(r->db,
					 "SELECT " COLUMNS " FROM job WHERE kind = ?1 AND model = ?2 AND start <> ''"
					 " AND state <> 'failed' ORDER BY id DESC LIMIT 1",
					 e);
	if (s != NULL) {
		db_bind_text(s, 1, kind);
		db_bind_text(s, 2, model);
		int row = db_step(s, e);
		*found = row == 1;
		if (row == 1)
			read_record(s, job, e);
		result = row == 1 ? read_details(s, details, e) : row;
		db_end(s);
	}
	registry_unlock(r);
	return result;
}

void job_details_release(struct job_details *details)
{
	free(details->start);
	free(details->output);
	details->start = details->output = NULL;
}

/* The next job that did not end; 0 none, 1 found. */
static int next_open(struct registry *r, struct job_record *job, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db, "SELECT " COLUMNS " FROM job WHERE ended_ms = 0 ORDER BY id LIMIT 1", e);
	if (s == NULL)
		return -1;
	int row = db_step(s, e);
	if (row == 1)
		read_record(s, job, e);
	db_end(s);
	return row;
}

static const char *why_interrupted(const struct job_record *job)
{
	const struct job_kind *kind = job_kind_find(job->kind);
	if (job->in_shell)
		return "the runtime ended before it; a process that still runs comes back as a new job";
	return kind != NULL && kind->test ? "the runtime ended before it had a result; start it again"
					  : "the runtime ended before it; the same command goes on";
}

int registry_jobs_interrupt(struct registry *r, size_t *count, struct err *e)
{
	struct job_record job;
	int row = 0;
	*count = 0;
	registry_lock(r);
	int result = db_begin(r->db, e);
	while (result == 0 && (row = next_open(r, &job, e)) == 1) {
		job.state = JOB_INTERRUPTED;
		job.ended_ms = clock_unix_ms();
		snprintf(job.summary, sizeof job.summary, "%s", why_interrupted(&job));
		result = end_with_audit(r, &job, "", e);
		++*count;
	}
	return registry_finish(r, result == 0 && row < 0 ? -1 : result, e);
}
