/*
 * timed_run: a command of somebody else's, run to its end, and what it took.
 *
 * Its input and output are ours; it has a process group of its own, which gets the signals that we get, and is the
 * terminal's foreground where we were. CPU is of it and of all its descendants that have ended and were waited for, by
 * it or, orphaned, by us. Main thread; it sets handlers for SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2.
 * Not here: what is kept of it (training), who is told (ui/command/command_train).
 */
#ifndef CORE_TEST_TIMED_RUN_H
#define CORE_TEST_TIMED_RUN_H

#include "core/err.h"

#include <stdbool.h>

#define TIMED_RUN_SAMPLE_MS 500

struct timed_run {
	double wall_s, user_s, system_s; /* while it runs: of the processes of its group that are there */
	/* Resident, of its largest process; 0 while it runs. The kernel counts what we had when we started it, so it
	 * is never below our own few megabytes. */
	double peak_bytes;
	double group_bytes;      /* resident, of its group together, pages that they share counted more than once */
	double group_peak_bytes; /* the greatest of these that was seen; what lives for less than a sample is not */
	int exit_code;           /* of a shell: 128 and the signal's number when one ended it */
	int signal_number;       /* that ended it; 0: none */
};

/* tick, about twice a second while it runs; false ends it by SIGTERM. ERR_NOT_FOUND or ERR_DENIED when argv[0] cannot
 * be run; then nothing ran. */
int timed_run(const char *const *argv, bool (*tick)(void *context, const struct timed_run *now), void *context,
	      struct timed_run *run, struct err *e);

#endif
