/*
 * launch: one run of a program whose output is taken: what a benchmark measures is such a process.
 *
 * Owner: the caller; one thread. The child has no input and a process group of its own, which is killed when the wait
 * is stopped. Not here: what the output means (bench_run), runs that pass their output on (timed_run).
 */
#ifndef CORE_TEST_LAUNCH_H
#define CORE_TEST_LAUNCH_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>

#define LAUNCH_OUTPUT_MAX ((size_t)1 << 20) /* of either stream; more of it is dropped */

struct launch {
	int pid;                  /* while it runs: a go_on that wants a good end signals it, and goes on */
	int status;               /* as waitpid() gives it */
	struct buf output, fault; /* what it wrote to stdout and stderr; may be without data */
};

/* Runs the program (a path) with argv[0], ..., NULL and waits for its end. go_on, which may be NULL, is asked ten times
 * a second; when it says false the child is killed and the error is ERR_CONFLICT. launch_release() in any case. */
int launch_run(const char *program, const char *const *argv, bool (*go_on)(void *context), void *context,
	       struct launch *launch, struct err *e);
void launch_release(struct launch *launch);

#endif
