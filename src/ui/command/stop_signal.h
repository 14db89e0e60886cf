/*
 * stop_signal: SIGINT, SIGTERM and SIGHUP as a wish to end in good order, for commands that work for long.
 *
 * The first one is remembered; the second ends the process at once. Main thread.
 */
#ifndef UI_STOP_SIGNAL_H
#define UI_STOP_SIGNAL_H

#include <signal.h>

void stop_signal_catch(void);
/* For what looks at it again and again, of any thread: not 0 once one came. */
const volatile sig_atomic_t *stop_signal_flag(void);
/* 0: none came. */
int stop_signal_number(void);
/* The exit code of a command that was stopped, as shells say it: 128 and the signal's number; by an operator over the
 * runtime that of SIGTERM. */
int stop_signal_exit(void);

#endif
