#include "lib/console_world.h"

#include "unit.h"

#include "ui/console/console.h"

#include <stdlib.h>

static int console_start(void *context)
{
	/* Ten times as often as for an operator, so that what comes with a poll is not waited for. */
	struct console_options options = {.state = "/nonexistent", .socket = context, .poll_ms = 100, .demo = true};

	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("HOME", "/data", 1);
	unsetenv("NO_COLOR");
	return console_run(&options);
}

void console_world_open(struct console_world *w, int columns, int rows)
{
	w->runtime = fake_runtime_new();
	w->terminal = terminal_new(columns, rows, console_start, (void *)fake_runtime_socket(w->runtime));
	assert_true(terminal_shows(w->terminal, "flight-delay"));
}

void console_world_close(struct console_world *w)
{
	terminal_free(w->terminal);
	fake_runtime_free(w->runtime);
}

void console_world_polls(struct console_world *w, int more)
{
	int until = fake_runtime_polls(w->runtime) + more;
	long long deadline = clock_ms() + 10000;

	while (fake_runtime_polls(w->runtime) < until && clock_ms() < deadline)
		terminal_read(w->terminal, 20);
	assert_true(fake_runtime_polls(w->runtime) >= until);
}
