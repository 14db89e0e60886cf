/*
 * check_run: one test of a check, as a process of this very executable.
 *
 * It is the command that an operator would type, so it registers itself as a job and keeps its own result. A signal
 * that comes to us goes on to it, and it ends in good order. Progress is on stderr: a line of the job list on a
 * terminal, else what the command says itself. Main thread. Not here: which and with what (check_plan).
 */
#ifndef UI_CHECK_RUN_H
#define UI_CHECK_RUN_H

#include "core/client.h"
#include "ui/command/check_plan.h"

/* Runs it and fills code, seconds and fault. *stopped: an operator ended it, and nothing is known. */
int check_run(const struct check_plan *p, struct check_test *t, struct client *client, bool *stopped, struct err *e);

#endif
