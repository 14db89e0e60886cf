/* A/B tests in the real console: the list, one in full that scrolls, one that is gone, and back. */
#include "unit.h"

#include "lib/console_world.h"

#define ESCAPE "\033"

static void one_is_opened_and_left(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "6");
	assert_true(terminal_shows(w.terminal, "three-trees"));
	assert_true(terminal_shows(w.terminal, "nobody has looked at it yet"));
	terminal_type(w.terminal, "jj");
	assert_true(terminal_shows(w.terminal, "v3 is worse than v1 on p99"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "v3 against v1"));
	assert_true(terminal_shows(w.terminal, "▸ flight-delay ▸ leaner"));
	assert_true(terminal_row(w.terminal, "SHA-256") < 0);
	terminal_type(w.terminal, "G");
	assert_true(terminal_shows(w.terminal, "SHA-256"));
	assert_true(terminal_row(w.terminal, "v3 against v1") < 0);
	terminal_type(w.terminal, "g");
	assert_true(terminal_shows(w.terminal, "v3 against v1"));
	terminal_type(w.terminal, ESCAPE);
	assert_true(terminal_shows(w.terminal, "three-trees"));
	/* It is still the one that is selected. */
	assert_true(terminal_shows(w.terminal, "v3 is worse than v1 on p99"));
	console_world_close(&w);
}

static void one_that_is_gone_is_said(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "6");
	assert_true(terminal_shows(w.terminal, "three-trees"));
	terminal_type(w.terminal, "k\r");
	assert_true(terminal_shows(w.terminal, "flight-delay has no A/B test fresh"));
	terminal_type(w.terminal, "1");
	assert_true(terminal_shows(w.terminal, "REQ/S"));
	console_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_is_opened_and_left),
	    cmocka_unit_test(one_that_is_gone_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
