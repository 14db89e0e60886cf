/*
 * process: starting another program as one of ours, and waiting for its end.
 *
 * Any thread. The program is in a process group of its own, so that all of it can be ended with kill(-pid, ...), and
 * has no signal blocked or handled. Not here: what it writes (launch, run), and a child whose life is tied to ours
 * (job_child).
 */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

#include <sys/types.h>

#define PROCESS_OURS (-1)

/* Runs argv[0], ..., NULL from program, a path or a name that PATH has. Its output and errors go to the descriptors,
 * and it has no input; PROCESS_OURS for output: all three streams are ours. Returns 0 or the number of the system's
 * error. */
int process_start(const char *program, const char *const *argv, int output, int errors, pid_t *pid);
/* Its end, as waitpid() gives it. */
int process_wait(pid_t pid);

#endif
