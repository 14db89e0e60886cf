/*
 * process: starts another program, which gets of ours only what it is given.
 *
 * Any thread. In the child no signal is blocked, and each does what it usually does; it leads a process group of its
 * own, so that a signal to the group is one to all that it starts. Not here: waiting for it and taking its output (the
 * caller), jobs, whose lives are tied to the runtime's (runtime/job/job_child).
 */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#define PROCESS_SELF "/proc/self/exe"

struct process_start {
	const char *program;     /* a path; NULL: argv[0], found as a shell does */
	const char *const *argv; /* argv[0], ..., NULL */
	bool inherits;           /* input and output are ours; else the input is empty, and what it writes goes to: */
	int output, fault;       /* stdout and stderr; may be the same */
	const char *log;         /* both, appended to this file; NULL: to the descriptors */
	bool session;            /* it leads a session of its own, and so outlives our terminal */
};

/* 0, and *pid is to be waited for; else the number of the error, ENOENT when there is no such program. */
int process_start(const struct process_start *p, pid_t *pid);

#endif
