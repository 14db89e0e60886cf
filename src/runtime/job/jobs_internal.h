/*
 * jobs_internal: what jobs.c (what is asked of the list), jobs_life.c (start to drain) and
 * jobs_watch.c (the thread with the children) share. Nobody else includes it. Functions here expect
 * the mutex to be held.
 */
#ifndef RUNTIME_JOBS_INTERNAL_H
#define RUNTIME_JOBS_INTERNAL_H

#include "runtime/job/job_child.h"
#include "runtime/job/jobs.h"

#include <pthread.h>

#define JOBS_KEPT 20 /* ended ones in memory, for snapshots */

struct job {
	struct job_record record;
	char *arguments[JOB_CHILD_ARGUMENTS_MAX]; /* of a child; the strings are ours */
	struct job_child child;
	pid_t shell_pid; /* of one that registered; 0: not to be seen from here */
	char output[JOB_OUTPUT_SIZE + 1];
	size_t output_size;
	bool reported; /* it said itself how it ended */
	enum job_state outcome;
	char summary[REASON_SIZE];    /* with the outcome */
	int64_t saved_ms, kill_at_ms; /* monotonic; kill_at_ms 0: no */
	int64_t heard_ms;             /* when it last said something; monotonic */
	bool unsaved;                 /* it has ended and the registry could not be told */
};

struct jobs {
	struct jobs_options options;
	pthread_mutex_t mutex;
	pthread_cond_t idle; /* no child is left */
	pthread_t thread;
	bool threaded, stopping, ending;
	int wake_fd;  /* an eventfd */
	size_t count; /* by id */
	struct job *list[JOBS_OPEN_MAX + JOBS_KEPT + 1];
};

void jobs_wake(struct jobs *j);
/* Marks it as ended and tells the registry. */
void jobs_finish(struct jobs *j, struct job *job, enum job_state state, const char *summary);
/* SIGTERM now, SIGKILL after the grace period. */
void jobs_ask_to_stop(struct jobs *j, struct job *job);
void job_free(struct job *job);
/* Forgets the oldest ended ones; the registry keeps them. */
void jobs_trim(struct jobs *j);
size_t jobs_children(const struct jobs *j);

void *jobs_thread(void *jobs);

#endif
