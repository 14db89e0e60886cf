/*
 * console: the full-screen program, from the first paint to the restored terminal.
 *
 * Main thread only; it returns when the operator quits. Options are borrowed for the call.
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include "core/err.h"

#include <stdbool.h>

struct console_options {
	const char *socket_path;
	const char *state_directory;
	const char *theme;  /* a name or path, or NULL for the default */
	bool demo;	    /* replayed traffic flows: say so */
	bool started;	    /* the caller started the runtime: ask at the end whether it goes on serving */
	bool leave_serving; /* the answer; true when nothing was asked */
};

/* 0, or -1 when the screen could not be shown at all. */
int console_run(struct console_options *options, struct err *e);

#endif
