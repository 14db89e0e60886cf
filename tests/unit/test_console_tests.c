/* The history of tests in the real console: listing, filtering, opening, marking two, comparing, going back. */
#include "unit.h"

#include "lib/console_world.h"

#define ESCAPE "\033"

static void a_test_is_opened_with_the_last_one(void **state)
{
	struct console_world w;
	int asked;

	(void)state;
	console_world_open(&w, 100, 30);
	console_world_polls(&w, 2);
	assert_int_equal(fake_runtime_tests(w.runtime), 0);
	terminal_type(w.terminal, "3");
	assert_true(terminal_shows(w.terminal, "✕ slo"));
	assert_true(terminal_shows(w.terminal, "training"));
	assert_true(terminal_shows(w.terminal, "the summary of test 3"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "last time, test 1"));
	assert_true(terminal_shows(w.terminal, "worse: latency.p99_us"));
	/* What it has does not change, and is not asked for again. */
	console_world_polls(&w, 2);
	asked = fake_runtime_reports(w.runtime);
	assert_true(asked > 0);
	console_world_polls(&w, 2);
	assert_int_equal(fake_runtime_reports(w.runtime), asked);
	assert_true(terminal_row(w.terminal, "last time, test 1") >= 0);
	terminal_type(w.terminal, ESCAPE);
	assert_true(terminal_shows(w.terminal, "training"));
	terminal_type(w.terminal, "1");
	assert_true(terminal_shows(w.terminal, "REQ/S"));
	console_world_close(&w);
}

static void a_page_scrolls_to_its_end_and_back(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "3");
	assert_true(terminal_shows(w.terminal, "✕ slo"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "number_0"));
	assert_true(terminal_row(w.terminal, "number_39") < 0);
	terminal_type(w.terminal, "G");
	assert_true(terminal_shows(w.terminal, "number_39"));
	assert_true(terminal_row(w.terminal, "last time, test 1") < 0);
	/* One line up is one line: the end was not passed. */
	terminal_type(w.terminal, "k");
	assert_true(terminal_lacks(w.terminal, "number_39"));
	terminal_type(w.terminal, "g");
	assert_true(terminal_shows(w.terminal, "last time, test 1"));
	console_world_close(&w);
}

static void two_are_marked_and_stand_side_by_side(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "3");
	assert_true(terminal_shows(w.terminal, "✕ slo"));
	terminal_type(w.terminal, "m");
	assert_true(terminal_shows(w.terminal, "test 3 is marked"));
	terminal_type(w.terminal, "jj");
	assert_true(terminal_shows(w.terminal, "m opens this one beside it"));
	assert_true(terminal_shows(w.terminal, "side by side"));
	terminal_type(w.terminal, "m");
	/* The later one is the one that got worse. */
	assert_true(terminal_shows(w.terminal, "▲ worse"));
	assert_true(terminal_shows(w.terminal, "▸ 1, 3"));
	assert_true(terminal_row(w.terminal, "TEST 1") >= 0 && terminal_row(w.terminal, "TEST 3") >= 0);
	assert_true(terminal_row(w.terminal, "x4.5") >= 0);
	terminal_type(w.terminal, "y");
	assert_true(terminal_shows(w.terminal, "mldeck tests flight-delay 1 3"));
	terminal_type(w.terminal, ESCAPE);
	assert_true(terminal_shows(w.terminal, "training"));
	terminal_type(w.terminal, "mm");
	assert_true(terminal_shows(w.terminal, "test 1 is no longer marked"));
	console_world_close(&w);
}

static void a_model_has_its_own_tests(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "j\rv");
	assert_true(terminal_shows(w.terminal, "✕ slo"));
	assert_true(terminal_shows(w.terminal, "▸ flight-delay"));
	assert_true(terminal_row(w.terminal, "training") < 0);
	terminal_type(w.terminal, ESCAPE);
	assert_true(terminal_shows(w.terminal, "VERSION"));
	terminal_type(w.terminal, "3");
	assert_true(terminal_shows(w.terminal, "training"));
	terminal_type(w.terminal, "jv");
	assert_true(terminal_lacks(w.terminal, "✕ slo"));
	terminal_type(w.terminal, "v");
	assert_true(terminal_shows(w.terminal, "✕ slo"));
	terminal_type(w.terminal, "/train");
	assert_true(terminal_lacks(w.terminal, "✕ slo"));
	terminal_type(w.terminal, "\r" ESCAPE);
	assert_true(terminal_shows(w.terminal, "✕ slo"));
	console_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_test_is_opened_with_the_last_one),
	    cmocka_unit_test(a_page_scrolls_to_its_end_and_back),
	    cmocka_unit_test(two_are_marked_and_stand_side_by_side),
	    cmocka_unit_test(a_model_has_its_own_tests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
