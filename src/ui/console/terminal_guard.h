/*
 * terminal_guard: puts the terminal back however the process ends or stops.
 *
 * One a process, entered and left by the drawing thread. Fatal signals (TERM, INT, HUP, QUIT, SEGV, ABRT,
 * BUS, FPE, ILL) write the reset bytes, restore the line settings and are raised again; SIGTSTP does the same
 * and stops. Handlers use async-signal-safe calls only, on a stack of their own.
 * Not here: drawing again after a stop (the events say when).
 */
#ifndef UI_TERMINAL_GUARD_H
#define UI_TERMINAL_GUARD_H

#include "core/err.h"

#include <stddef.h>

#define TERMINAL_GUARD_RESET_MAX 256

enum { TERMINAL_RESIZED = 1, TERMINAL_CONTINUED = 2 };

/* Saves the line settings of tty, makes it raw and installs the handlers. reset (copied, cut at
 * TERMINAL_GUARD_RESET_MAX) is what brings the screen back. */
int terminal_guard_enter(int tty, const void *reset, size_t reset_size, struct err *e);
/* Restores all; does nothing when it is not entered. */
void terminal_guard_leave(void);
/* A descriptor that becomes readable after SIGWINCH and after a stop; -1 when it is not entered. */
int terminal_guard_events(void);
/* What happened since the last call: TERMINAL_ bits. */
unsigned terminal_guard_take(void);
/* Gives the terminal to the shell until the process is continued (Ctrl-Z). */
void terminal_guard_suspend(void);

#endif
