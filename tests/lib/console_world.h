/*
 * console_world: the real console in a pseudo-terminal, against a fake runtime.
 */
#ifndef TESTS_CONSOLE_WORLD_H
#define TESTS_CONSOLE_WORLD_H

#include "lib/fake_runtime.h"
#include "lib/terminal.h"

struct console_world {
	struct fake_runtime *runtime;
	struct terminal *terminal;
};

/* Returns when the models are on the screen. HOME is /data. */
void console_world_open(struct console_world *w, int columns, int rows);
void console_world_close(struct console_world *w);
/* Waits until the console has polled so many more times. */
void console_world_polls(struct console_world *w, int more);

#endif
