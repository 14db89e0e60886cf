/*
 * console: the live screen; what `mldeck` without a verb shows.
 *
 * One drawing thread (the caller's) and the fetcher's threads. The terminal is given back however it ends.
 * Limits: screens up to CANVAS_COLUMNS_MAX x CANVAS_ROWS_MAX; below 40x10 it only says so.
 * Not here: what is drawn (views), curses (draw), requests (fetcher).
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include <stdbool.h>

struct console_options {
	const char *state;  /* the state directory that an embedded runtime is started on */
	const char *socket; /* the control socket */
	const char *theme;  /* a built-in name or a path; NULL: $MLDECK_THEME, else THEME_DEFAULT */
	int poll_ms;        /* how often the runtime is asked; 0: once a second */
	bool demo;          /* the caller runs the runtime: never start one, never ask about it */
};

/*
 * Runs until the operator quits or the terminal goes. Standard output must be a terminal. Returns the exit
 * code of the process; an error was already printed to stderr. A runtime is started on state when none
 * answers on socket, unless demo is set.
 */
int console_run(const struct console_options *options);

#endif
