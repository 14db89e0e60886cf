/*
 * job_child: a job's process: this executable in a session of its own, nice'd, its output in a
 * pipe.
 *
 * Owner: the jobs' own thread, which must be the one that starts it: when that thread goes, however
 * the runtime dies, the kernel sends the child SIGTERM. Nothing of the runtime's memory or
 * descriptors is in the child.
 */
#ifndef RUNTIME_JOB_CHILD_H
#define RUNTIME_JOB_CHILD_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define JOB_CHILD_ARGUMENTS_MAX 40

struct job_child {
	pid_t pid;      /* 0: none */
	int process_fd; /* readable when it ended; -1 where the kernel has no such thing */
	int output_fd;  /* its stdout and stderr, not blocking */
};

/* arguments start with the name and end with NULL; the environment is ours and MLDECK_JOB=id.
 * executable: a path, or NULL for this one. */
int job_child_start(const char *executable, char *const *arguments, int64_t id, struct job_child *child, struct err *e);
/* To its whole process group. */
void job_child_signal(const struct job_child *child, int number);
/* Whether it has ended; then *status is what waitpid() gave, the group is gone and pid is 0. */
bool job_child_ended(struct job_child *child, int *status);
/* Closes the descriptors. */
void job_child_release(struct job_child *child);

/* A descriptor that is readable when the process has ended, or -1. */
int job_process_fd(pid_t pid);

#endif
