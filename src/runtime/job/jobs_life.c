/* From the start to the drain, and a job's own end. */
#include "runtime/job/jobs_internal.h"

#include "core/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define KILLED_MS 5000 /* that a killed child may take to be gone */

void jobs_wake(struct jobs *j)
{
	const uint64_t one = 1;
	ssize_t written = write(j->wake_fd, &one, sizeof one);
	(void)written; /* a full counter wakes as well */
}

/* --- one job --- */

void job_free(struct job *job)
{
	for (size_t i = 0; i < JOB_CHILD_ARGUMENTS_MAX; i++)
		free(job->arguments[i]);
	job_child_release(&job->child);
	free(job);
}

void jobs_ask_to_stop(struct jobs *j, struct job *job)
{
	job_child_signal(&job->child, SIGTERM);
	if (job->kill_at_ms == 0)
		job->kill_at_ms = clock_ms() + j->options.grace_ms;
	jobs_wake(j);
}

void jobs_finish(struct jobs *j, struct job *job, enum job_state state, const char *summary)
{
	struct err e;
	job->record.state = state;
	job->record.ended_ms = clock_unix_ms();
	job->record.pid = 0;
	job->record.cancelling = false;
	job->kill_at_ms = 0;
	job->record.progress.left_s = (double)NAN;
	text_clean(job->record.summary, sizeof job->record.summary, summary);
	job_set_lines(&job->record, job->output);
	job_child_release(&job->child);
	job->unsaved = registry_job_end(j->options.registry, &job->record, job->output, &e) != 0;
	if (job->unsaved)
		fprintf(stderr, "mldeck: the end of job %" PRId64 " is not written yet: %s\n", job->record.id, e.text);
}

/* --- all of them --- */

size_t jobs_children(const struct jobs *j)
{
	size_t children = 0;
	for (size_t i = 0; i < j->count; i++)
		children += j->list[i]->child.pid > 0;
	return children;
}

void jobs_trim(struct jobs *j)
{
	size_t ended = 0;
	for (size_t i = 0; i < j->count; i++)
		ended += job_ended(&j->list[i]->record);
	for (size_t i = 0; i < j->count && ended > JOBS_KEPT;) {
		if (!job_ended(&j->list[i]->record) || j->list[i]->unsaved) {
			i++;
			continue;
		}
		job_free(j->list[i]);
		memmove(&j->list[i], &j->list[i + 1], (--j->count - i) * sizeof j->list[0]);
		ended--;
	}
}

static int start_thread(struct jobs *j, struct err *e)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&j->thread, NULL, jobs_thread, j);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	j->threaded = error == 0;
	return error == 0 ? 0 : err_errno(e, error, "the thread for jobs cannot be started");
}

/* The latest ones, oldest first: a console shows them after a restart, too. */
static int load_ended(struct jobs *j, struct err *e)
{
	struct job_record *records;
	size_t count;
	if (registry_jobs(j->options.registry, 0, JOBS_KEPT, &records, &count, e) != 0)
		return -1;
	for (size_t i = count; i > 0; i--) {
		struct job *job = calloc(1, sizeof *job);
		if (job == NULL) {
			free(records);
			return err_set(e, ERR_MEMORY, "memory is out while reading the jobs");
		}
		job->record = records[i - 1];
		job->child.process_fd = job->child.output_fd = -1;
		j->list[j->count++] = job;
	}
	free(records);
	return 0;
}

int jobs_new(const struct jobs_options *options, struct jobs **result, struct err *e)
{
	struct jobs *j = calloc(1, sizeof *j);
	size_t interrupted;

	*result = NULL;
	if (j == NULL)
		return err_set(e, ERR_MEMORY, "memory is out at start");
	j->options = *options;
	if (j->options.grace_ms == 0)
		j->options.grace_ms = JOBS_GRACE_MS;
	pthread_mutex_init(&j->mutex, NULL);
	clock_cond_init(&j->idle);
	j->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int failed = j->wake_fd < 0 ? err_errno(e, errno, "cannot make the descriptors that jobs need") : 0;
	if (failed != 0 || registry_jobs_interrupt(options->registry, &interrupted, e) != 0 || load_ended(j, e) != 0 ||
	    start_thread(j, e) != 0) {
		jobs_free(j);
		return -1;
	}
	*result = j;
	return 0;
}

void jobs_free(struct jobs *j)
{
	if (j == NULL)
		return;
	if (j->threaded) {
		jobs_stop(j);
		jobs_wait(j, 0);
		pthread_mutex_lock(&j->mutex);
		j->ending = true;
		jobs_wake(j);
		pthread_mutex_unlock(&j->mutex);
		pthread_join(j->thread, NULL);
	}
	for (size_t i = 0; i < j->count; i++)
		job_free(j->list[i]);
	if (j->wake_fd >= 0)
		close(j->wake_fd);
	pthread_cond_destroy(&j->idle);
	pthread_mutex_destroy(&j->mutex);
	free(j);
}

/* --- the drain --- */

void jobs_stop(struct jobs *j)
{
	pthread_mutex_lock(&j->mutex);
	j->stopping = true;
	for (size_t i = 0; i < j->count; i++) {
		struct job *job = j->list[i];
		if (job->record.state == JOB_QUEUED)
			jobs_finish(j, job, JOB_INTERRUPTED, "the runtime stopped before it began");
		else if (job->child.pid > 0)
			jobs_ask_to_stop(j, job);
	}
	jobs_wake(j);
	pthread_mutex_unlock(&j->mutex);
}

/* Until no child is left; false when the time was over. */
static bool wait_idle(struct jobs *j, int deadline_ms)
{
	const struct timespec at = clock_deadline(clock_ms() + deadline_ms);
	int error = 0;
	while (error == 0 && jobs_children(j) > 0)
		error = pthread_cond_timedwait(&j->idle, &j->mutex, &at);
	return jobs_children(j) == 0;
}

void jobs_wait(struct jobs *j, int deadline_ms)
{
	pthread_mutex_lock(&j->mutex);
	if (!wait_idle(j, deadline_ms)) {
		for (size_t i = 0; i < j->count; i++)
			job_child_signal(&j->list[i]->child, SIGKILL);
		wait_idle(j, KILLED_MS);
	}
	for (size_t i = 0; i < j->count; i++) {
		if (j->list[i]->record.state == JOB_RUNNING)
			jobs_finish(j, j->list[i], JOB_INTERRUPTED,
				    "the runtime stopped; its process goes on, and comes back as a new job");
	}
	pthread_mutex_unlock(&j->mutex);
}
