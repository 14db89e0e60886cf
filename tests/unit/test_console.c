/* The real console in a pseudo-terminal, against a fake runtime; libvterm reads its screen. */
#include "unit.h"

#include "lib/console_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void quitting_gives_the_terminal_back(void **state)
{
	struct console_world w;
	int status;

	(void)state;
	console_world_open(&w, 80, 24);
	assert_true(terminal_alternate(w.terminal));
	assert_false(terminal_cooked(w.terminal));
	terminal_type(w.terminal, "q");
	status = terminal_wait(w.terminal);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_false(terminal_alternate(w.terminal));
	assert_true(terminal_cooked(w.terminal));
	console_world_close(&w);
}

static void every_fatal_signal_gives_the_terminal_back(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGABRT, SIGQUIT, SIGBUS, SIGFPE};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct console_world w;
		int status;

		console_world_open(&w, 80, 24);
		kill(terminal_pid(w.terminal), signals[i]);
		status = terminal_wait(w.terminal);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
		assert_false(terminal_alternate(w.terminal));
		assert_true(terminal_cooked(w.terminal));
		console_world_close(&w);
	}
}

static void a_hung_up_terminal_ends_it(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 80, 24);
	terminal_hang_up(w.terminal);
	assert_int_not_equal(terminal_wait(w.terminal), -1);
	console_world_close(&w);
}

static void unchanged_data_costs_no_byte(void **state)
{
	struct console_world w;
	size_t before;

	(void)state;
	console_world_open(&w, 80, 24);
	console_world_polls(&w, 2);
	terminal_read(w.terminal, 0);
	before = terminal_bytes(w.terminal);
	console_world_polls(&w, 3);
	assert_int_equal(terminal_bytes(w.terminal), before);
	console_world_close(&w);
}

static void a_promotion_asks_shows_and_is_done(void **state)
{
	struct console_world w;
	char reason[64];

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "jp");
	assert_true(terminal_shows(w.terminal, "Promote flight-delay"));
	assert_true(terminal_shows(w.terminal, "v3 100%"));
	terminal_type(w.terminal, "flight-delay\rbetter on summer\r");
	assert_true(terminal_shows(w.terminal, "flight-delay: v3 is live (r4)"));
	assert_int_equal(fake_runtime_live(w.runtime), 3);
	fake_runtime_reason(w.runtime, reason, sizeof(reason));
	assert_string_equal(reason, "better on summer");
	terminal_type(w.terminal, "y");
	assert_true(terminal_shows(w.terminal, "mldeck promote flight-delay 3 --reason 'better on summer'"));
	console_world_close(&w);
}

static void a_rollback_names_its_revision(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "jr");
	assert_true(terminal_shows(w.terminal, "--expect-revision 3"));
	assert_true(terminal_lacks(w.terminal, "asking the runtime"));
	terminal_type(w.terminal, "flight-delay\rworse\r");
	assert_true(terminal_shows(w.terminal, "flight-delay: v2 is live (r4)"));
	console_world_close(&w);
}

static void a_wrong_name_changes_nothing(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "jp");
	assert_true(terminal_shows(w.terminal, "v3 100%"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "type the name flight-delay to confirm"));
	terminal_type(w.terminal, "flight\r\r\r");
	assert_true(terminal_shows(w.terminal, "the name typed is not flight-delay"));
	console_world_polls(&w, 2);
	assert_int_equal(fake_runtime_revision(w.runtime), 3);
	assert_true(terminal_shows(w.terminal, "Promote flight-delay"));
	terminal_type(w.terminal, "\033");
	assert_true(terminal_lacks(w.terminal, "Promote flight-delay"));
	console_world_close(&w);
}

static void another_operators_change_has_to_be_read_first(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "jp");
	assert_true(terminal_shows(w.terminal, "v3 100%"));
	terminal_type(w.terminal, "flight-delay");
	fake_runtime_promote(w.runtime, 2);
	assert_true(terminal_shows(w.terminal, "the route changed meanwhile"));
	/* Typing goes nowhere and takes no notice away before enter accepted the new facts. */
	terminal_type(w.terminal, "flight-delay");
	console_world_polls(&w, 2);
	assert_true(terminal_shows(w.terminal, "the route changed meanwhile"));
	terminal_type(w.terminal, "\rwhy\r\r");
	console_world_polls(&w, 2);
	assert_int_equal(fake_runtime_revision(w.runtime), 4);
	assert_int_equal(fake_runtime_live(w.runtime), 2);
	assert_true(terminal_shows(w.terminal, "meanwhile"));
	terminal_type(w.terminal, "\b\b\bflight-delay\rbetter\r");
	assert_true(terminal_shows(w.terminal, "v3 is live (r5)"));
	console_world_close(&w);
}

static void a_hanging_runtime_blocks_no_key(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 30);
	fake_runtime_hang(w.runtime, true);
	terminal_type(w.terminal, "/fl");
	assert_true(terminal_lacks(w.terminal, "churn"));
	terminal_type(w.terminal, "\r");
	/* Once the picture is stale, nothing can be changed. */
	long long until = clock_ms() + 10000;

	do {
		terminal_type(w.terminal, "p");
		terminal_read(w.terminal, 200);
		if (terminal_row(w.terminal, "Promote") >= 0)
			terminal_type(w.terminal, "\033");
		terminal_read(w.terminal, 200);
	} while (terminal_row(w.terminal, "the picture is not current") < 0 && clock_ms() < until);
	assert_true(terminal_shows(w.terminal, "the picture is not current"));
	fake_runtime_hang(w.runtime, false);
	terminal_type(w.terminal, "q");
	assert_int_equal(terminal_wait(w.terminal), 0);
	console_world_close(&w);
}

static void every_size_is_drawn(void **state)
{
	static const int sizes[][2] = {{39, 9}, {1, 1}, {40, 10}, {200, 50}, {500, 200}, {80, 24}};
	struct console_world w;

	(void)state;
	console_world_open(&w, 80, 24);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool usable = sizes[i][0] >= 40 && sizes[i][1] >= 10;

		terminal_resize(w.terminal, sizes[i][0], sizes[i][1]);
		if (sizes[i][0] > 1)
			assert_true(terminal_shows(w.terminal, usable ? "flight-delay" : "mldeck needs 40x10"));
	}
	console_world_close(&w);
}

static void a_stop_gives_the_terminal_to_the_shell_and_takes_it_back(void **state)
{
	struct console_world w;
	int status;

	(void)state;
	console_world_open(&w, 80, 24);
	kill(terminal_pid(w.terminal), SIGSTOP); /* that a plain stop is survived */
	assert_int_equal(waitpid(terminal_pid(w.terminal), &status, WUNTRACED), terminal_pid(w.terminal));
	kill(terminal_pid(w.terminal), SIGCONT);
	terminal_type(w.terminal, "?");
	assert_true(terminal_lacks(w.terminal, "churn"));
	terminal_type(w.terminal, "q");
	assert_int_equal(terminal_wait(w.terminal), 0);
	assert_true(terminal_cooked(w.terminal));
	console_world_close(&w);
}

static void a_cursor_move_is_cheap(void **state)
{
	struct console_world w;
	size_t before;

	(void)state;
	console_world_open(&w, 80, 24);
	console_world_polls(&w, 2);
	before = terminal_bytes(w.terminal);
	terminal_type(w.terminal, "j");
	while (terminal_bytes(w.terminal) == before)
		terminal_read(w.terminal, 1000);
	terminal_read(w.terminal, 50);
	/* Two lines and the title of the pane, not a screen; what the design allows. */
	assert_true(terminal_bytes(w.terminal) - before <= 300);
	console_world_close(&w);
}

/* A frame larger than the line takes at once, and a key meanwhile: the key's frame follows the first by itself,
 * not with the next news of the runtime. */
static void a_slow_line_loses_no_last_frame(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 500, 200);
	console_world_polls(&w, 1);
	fake_runtime_hang(w.runtime, true);
	terminal_type(w.terminal, "\f");
	terminal_held(w.terminal);
	terminal_type(w.terminal, "?");
	terminal_held(w.terminal);
	assert_true(terminal_shows(w.terminal, "this help"));
	assert_true(terminal_row(w.terminal, "● now") >= 0);
	console_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(quitting_gives_the_terminal_back),
	    cmocka_unit_test(every_fatal_signal_gives_the_terminal_back),
	    cmocka_unit_test(a_hung_up_terminal_ends_it),
	    cmocka_unit_test(unchanged_data_costs_no_byte),
	    cmocka_unit_test(a_promotion_asks_shows_and_is_done),
	    cmocka_unit_test(a_rollback_names_its_revision),
	    cmocka_unit_test(a_wrong_name_changes_nothing),
	    cmocka_unit_test(another_operators_change_has_to_be_read_first),
	    cmocka_unit_test(a_hanging_runtime_blocks_no_key),
	    cmocka_unit_test(every_size_is_drawn),
	    cmocka_unit_test(a_stop_gives_the_terminal_to_the_shell_and_takes_it_back),
	    cmocka_unit_test(a_cursor_move_is_cheap),
	    cmocka_unit_test(a_slow_line_loses_no_last_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
