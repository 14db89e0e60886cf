/* What is asked of the list, and of a job in it. */
#include "runtime/job/jobs_internal.h"

#include "core/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct job *find(struct jobs *j, int64_t id)
{
	for (size_t i = 0; i < j->count; i++) {
		if (j->list[i]->record.id == id)
			return j->list[i];
	}
	return NULL;
}

/* The job, which has not ended; else NULL and why. */
static struct job *find_open(struct jobs *j, int64_t id, struct err *e)
{
	struct job *job = find(j, id);
	struct job_record old;
	if (job != NULL && !job_ended(&job->record))
		return job;
	if (job != NULL)
		old = job->record;
	else if (registry_job(j->options.registry, id, &old, NULL, e) != 0)
		return NULL;
	err_set(e, ERR_CONFLICT, "job %" PRId64 " has already ended: %s", id, job_state_name(old.state));
	return NULL;
}

static int refuse_same(const struct job_record *other, struct err *e)
{
	char version[16] = "";
	if (other->version > 0)
		snprintf(version, sizeof version, " v%u", other->version);
	return err_set(e, ERR_CONFLICT,
		       "job %" PRId64
		       " (%s of %s%s, %s) is the same: wait for it, or cancel it with mldeck cancel %" PRId64,
		       other->id, other->kind, other->model, version, job_state_name(other->state), other->id);
}

/* Whether the job may be added: none is the same or makes the same file, there is room, and we are not ending. */
static int check_new(struct jobs *j, const struct job_record *job, struct err *e)
{
	size_t open = 0;
	if (j->stopping)
		return err_set(e, ERR_UNREACHABLE, "the runtime is stopping: start the job when it is back");
	for (size_t i = 0; i < j->count; i++) {
		const struct job_record *other = &j->list[i]->record;
		if (job_ended(other))
			continue;
		open++;
		if (job->target[0] != '\0' && strcmp(other->target, job->target) == 0)
			return err_set(e, ERR_CONFLICT,
				       "job %" PRId64 " (%s of %s, %s) already makes %s: wait for it or cancel it",
				       other->id, other->kind, other->model, job_state_name(other->state), job->target);
		if (job_same(other, job) || (!job->in_shell && strcmp(other->command, job->command) == 0))
			return refuse_same(other, e);
	}
	/* The list is full of ended ones only while none of them can be written. */
	if (open >= JOBS_OPEN_MAX || j->count == sizeof j->list / sizeof *j->list)
		return err_set(e, ERR_BUSY, "%d jobs run or wait already: try again when some have ended",
			       JOBS_OPEN_MAX);
	return 0;
}

/* Adds it to the registry and the list, which takes it over. */
static int add(struct jobs *j, struct job *job, const char *start, const struct actor *actor, int64_t *id,
	       struct err *e)
{
	job->record.queued_ms = clock_unix_ms();
	job->record.progress.left_s = (double)NAN;
	job->saved_ms = clock_ms();
	job->child.process_fd = job->child.output_fd = -1;
	text_clean(job->record.who, sizeof job->record.who, actor->name);
	pthread_mutex_lock(&j->mutex);
	jobs_trim(j);
	int result = check_new(j, &job->record, e);
	if (result == 0 && job->record.in_shell)
		job->record.started_ms = job->record.queued_ms;
	if (result == 0)
		result = registry_job_add(j->options.registry, &job->record, start, actor, e);
	if (result == 0) {
		*id = job->record.id;
		if (job->record.in_shell) {
			job->record.pid = job->shell_pid;
			job->child.process_fd = job_process_fd(job->shell_pid);
		}
		j->list[j->count++] = job;
		jobs_wake(j);
	}
	pthread_mutex_unlock(&j->mutex);
	if (result != 0)
		job_free(job);
	return result;
}

/* The arguments of a job as they are put together. */
struct argument_list {
	struct job *job;
	size_t count;
};

static bool add_argument(void *context, const char *word)
{
	struct argument_list *a = context;
	if (a->count + 1 == JOB_CHILD_ARGUMENTS_MAX)
		return false;
	a->job->arguments[a->count] = strdup(word);
	return a->job->arguments[a->count++] != NULL;
}

/* The command, and where the runtime is that it reports to. */
static bool make_arguments(const struct jobs *j, struct job *job, const struct job_plan *plan)
{
	struct argument_list a = {.job = job};
	const char *values[JOB_FIELDS_MAX];
	for (size_t i = 0; i < plan->kind->field_count; i++)
		values[i] = plan->values[i];
	return job_kind_words(plan->kind, plan->model, plan->version, values, add_argument, &a) &&
	       add_argument(&a, "--socket") && add_argument(&a, j->options.socket) && add_argument(&a, "--state") &&
	       add_argument(&a, j->options.state);
}

static void describe(const struct job_plan *plan, struct job_record *record)
{
	*record = (struct job_record){.state = JOB_QUEUED, .version = plan->version};
	text_clean(record->kind, sizeof record->kind, plan->kind->name);
	memcpy(record->model, plan->model, sizeof record->model);
	memcpy(record->title, plan->title, sizeof record->title);
	memcpy(record->command, plan->command, sizeof record->command);
	memcpy(record->target, plan->target, sizeof record->target);
}

int jobs_start(struct jobs *j, const struct job_plan *plan, const struct actor *actor, int64_t *id, struct err *e)
{
	struct job *job = calloc(1, sizeof *job);
	char *start = job_plan_start(plan);
	int result;
	if (job == NULL || start == NULL || !make_arguments(j, job, plan)) {
		if (job != NULL)
			job_free(job);
		result = err_set(e, ERR_MEMORY, "memory is out for starting a job");
	} else {
		describe(plan, &job->record);
		result = add(j, job, start, actor, id, e);
	}
	free(start);
	return result;
}

int jobs_check(struct jobs *j, const struct job_plan *plan, struct err *e)
{
	struct job_record record;
	describe(plan, &record);
	pthread_mutex_lock(&j->mutex);
	int result = check_new(j, &record, e);
	pthread_mutex_unlock(&j->mutex);
	return result;
}

int jobs_check_shell(struct jobs *j, const struct job_record *job, struct err *e)
{
	struct job_record record = *job;
	record.in_shell = true;
	pthread_mutex_lock(&j->mutex);
	int result = check_new(j, &record, e);
	pthread_mutex_unlock(&j->mutex);
	return result;
}

int jobs_register(struct jobs *j, const struct job_record *record, const char *start, pid_t pid,
		  const struct actor *actor, int64_t *id, struct err *e)
{
	struct job *job = calloc(1, sizeof *job);
	if (job == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for registering a job");
	job->record = *record;
	job->record.state = JOB_RUNNING;
	job->record.in_shell = true;
	job->shell_pid = pid;
	job->heard_ms = clock_ms();
	return add(j, job, start, actor, id, e);
}

/* --- what is said of and to a job --- */

int jobs_progress(struct jobs *j, int64_t id, const struct job_progress *progress, bool *cancel, struct err *e)
{
	pthread_mutex_lock(&j->mutex);
	struct job *job = find_open(j, id, e);
	if (job != NULL) {
		job->record.progress = *progress;
		job->heard_ms = clock_ms();
		*cancel = job->record.cancelling || (j->stopping && !job->record.in_shell);
	}
	pthread_mutex_unlock(&j->mutex);
	return job == NULL ? -1 : 0;
}

int jobs_end(struct jobs *j, int64_t id, enum job_state outcome, const char *summary, struct err *e)
{
	pthread_mutex_lock(&j->mutex);
	struct job *job = find_open(j, id, e);
	if (job != NULL && job->record.in_shell) {
		jobs_finish(j, job, outcome, summary);
		jobs_wake(j);
	} else if (job != NULL) {
		job->reported = true;
		job->outcome = outcome;
		text_clean(job->summary, sizeof job->summary, summary);
	}
	pthread_mutex_unlock(&j->mutex);
	return job == NULL ? -1 : 0;
}

static void cancel(struct jobs *j, struct job *job, const struct actor *actor)
{
	char text[REASON_SIZE];
	job->record.cancelling = true;
	if (job->record.state == JOB_QUEUED) {
		snprintf(text, sizeof text, "cancelled by %s before it began", actor->name);
		jobs_finish(j, job, JOB_CANCELLED, text);
		jobs_wake(j);
	} else if (!job->record.in_shell) {
		jobs_ask_to_stop(j, job);
	}
}

int jobs_cancel(struct jobs *j, int64_t id, const char *reason, const struct actor *actor, struct err *e)
{
	char detail[64];
	snprintf(detail, sizeof detail, "job %" PRId64, id);
	pthread_mutex_lock(&j->mutex);
	struct job *job = find_open(j, id, e);
	int result = job == NULL ? -1
				 : registry_audit(j->options.registry, actor, "job-cancel", job->record.model,
						  job->record.version, "done", reason, detail, e);
	if (result == 0)
		cancel(j, job, actor);
	pthread_mutex_unlock(&j->mutex);
	return result;
}

/* --- what there is --- */

/* Where one that waits stands: told as what there is to say of it just now. */
static void note_place(const struct jobs *j, size_t index, struct job_record *record)
{
	unsigned place = 0, waiting = 0;
	for (size_t i = 0; i < j->count; i++) {
		bool waits = j->list[i]->record.state == JOB_QUEUED;
		waiting += waits;
		place += waits && i <= index;
	}
	snprintf(record->progress.note, sizeof record->progress.note, "number %u of %u that wait", place, waiting);
}

static void list_some(const struct jobs *j, bool (*wanted)(const struct job_record *), bool newest_first,
		      struct job_record *records, size_t max, size_t *count)
{
	for (size_t i = 0; i < j->count && *count < max; i++) {
		const struct job *job = j->list[newest_first ? j->count - 1 - i : i];
		if (!wanted(&job->record))
			continue;
		records[*count] = job->record;
		if (!job_ended(&job->record))
			job_set_lines(&records[*count], job->output);
		if (job->record.state == JOB_QUEUED)
			note_place(j, i, &records[*count]);
		++*count;
	}
}

static bool is_running(const struct job_record *job)
{
	return job->state == JOB_RUNNING;
}

static bool is_queued(const struct job_record *job)
{
	return job->state == JOB_QUEUED;
}

struct jobs_counts jobs_list(struct jobs *j, struct job_record *records, size_t max, size_t *count)
{
	struct jobs_counts counts = {0};
	*count = 0;
	pthread_mutex_lock(&j->mutex);
	list_some(j, is_running, true, records, max, count);
	list_some(j, is_queued, false, records, max, count);
	list_some(j, job_ended, true, records, max, count);
	for (size_t i = 0; i < j->count; i++) {
		counts.running += is_running(&j->list[i]->record);
		counts.queued += is_queued(&j->list[i]->record);
	}
	if (jobs_children(j) + counts.queued >= JOBS_CHILDREN_MAX)
		counts.waits = counts.queued + 1;
	pthread_mutex_unlock(&j->mutex);
	return counts;
}

bool jobs_find(struct jobs *j, int64_t id, struct job_record *record, char **output)
{
	pthread_mutex_lock(&j->mutex);
	const struct job *job = find(j, id);
	if (job != NULL) {
		*record = job->record;
		for (size_t i = 0; job->record.state == JOB_QUEUED && i < j->count; i++)
			if (j->list[i] == job)
				note_place(j, i, record);
		if (output != NULL)
			*output = strdup(job->output);
	}
	pthread_mutex_unlock(&j->mutex);
	return job != NULL;
}
