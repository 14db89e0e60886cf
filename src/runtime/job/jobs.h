/*
 * jobs: the runtime's list of jobs: those of its own, run as child processes, and those that
 * registered from a shell.
 *
 * Owner: the server. Thread-safe: one mutex, which waits for the disk and which no prediction ever
 * takes. One thread of its own starts children, reads what they print, and notices their end.
 * Memory and crashes of a job are its process's; what survives is in the registry. Limits:
 * JOBS_CHILDREN_MAX children at once, the others wait in order; JOBS_OPEN_MAX jobs that have not
 * ended; the last JOB_OUTPUT_SIZE bytes of each output. Not here: what a kind of job is given
 * (job_plan), HTTP (control_jobs).
 */
#ifndef RUNTIME_JOBS_H
#define RUNTIME_JOBS_H

#include "core/job.h"
#include "core/registry/registry_jobs.h"
#include "runtime/job/job_plan.h"

#include <stdbool.h>
#include <sys/types.h>

#define JOBS_CHILDREN_MAX 2
#define JOBS_OPEN_MAX 100
#define JOBS_GRACE_MS 10000 /* from the request to stop until a child is killed */
/* A job of a shell whose process cannot be seen from here, for it is in another pid namespace, has ended when it was
 * silent for so long. */
#define JOBS_SILENCE_MS 300000

struct jobs;

struct jobs_options {
	struct registry *registry;
	const char *socket, *state; /* told to children; must outlive the jobs */
	const char *executable;     /* NULL: this one */
	int grace_ms;               /* 0: JOBS_GRACE_MS */
	int silence_ms;             /* 0: JOBS_SILENCE_MS */
};

/* Ends what an earlier runtime left open as interrupted. */
int jobs_new(const struct jobs_options *options, struct jobs **result, struct err *e);
/* Kills what still runs. */
void jobs_free(struct jobs *j);

/* Runs the plan, now or when its turn comes. ERR_CONFLICT, naming the other job, when one that is open makes the
 * same file or is the same test (job_same()); ERR_BUSY when too many wait. Of two at the same moment one wins. */
int jobs_start(struct jobs *j, const struct job_plan *plan, const struct actor *actor, int64_t *id, struct err *e);
/* Whether jobs_start() would take it now; with the same refusals. */
int jobs_check(struct jobs *j, const struct job_plan *plan, struct err *e);
/* Takes over kind, model, version, title, command and target of a job whose process runs already; start: what it was
 * started with, as JSON, or "". Refused as by jobs_start(). */
int jobs_register(struct jobs *j, const struct job_record *job, const char *start, pid_t pid, const struct actor *actor,
		  int64_t *id, struct err *e);
/* Whether jobs_register() would take it now; with the same refusals. */
int jobs_check_shell(struct jobs *j, const struct job_record *job, struct err *e);
/* What a job's process says of itself; *cancel says that it should stop. */
int jobs_progress(struct jobs *j, int64_t id, const struct job_progress *progress, bool *cancel, struct err *e);
/* outcome: JOB_DONE, JOB_FAILED or JOB_CANCELLED. A child has ended when its process has, too. */
int jobs_end(struct jobs *j, int64_t id, enum job_state outcome, const char *summary, struct err *e);
/* Asks it to stop: SIGTERM to a child, killed after a grace period; one of a shell hears it with
 * its next progress. One that waits is cancelled at once. */
int jobs_cancel(struct jobs *j, int64_t id, const char *reason, const struct actor *actor, struct err *e);

struct jobs_counts {
	unsigned running, queued;
	unsigned waits; /* the place that one more would have among those that wait; 0: it would begin at once */
};
/* How many are open, and those that a snapshot shows, at most max: running, queued, then the latest
 * ended. */
struct jobs_counts jobs_list(struct jobs *j, struct job_record *records, size_t max, size_t *count);
/* Whether the job is among those in memory, whose progress is newer than the registry's; output may
 * be NULL, else gets the end of what it printed, to be freed, NULL when memory is out. */
bool jobs_find(struct jobs *j, int64_t id, struct job_record *record, char **output);

/* The drain: nothing starts any more, and what runs is asked to stop. */
void jobs_stop(struct jobs *j);
/* Waits until every child has ended, at most so long; then kills. */
void jobs_wait(struct jobs *j, int deadline_ms);

#endif
