/* The console's dialogs of jobs, in a pseudo-terminal against a fake runtime. */
#include "unit.h"

#include "lib/console_world.h"

#include <stdio.h>
#include <stdlib.h>

static void job_check(struct console_world *w, int id, const char *state, const char *output, int version)
{
	char got_state[1024], got_output[1024];
	int got_version;

	fake_runtime_job(w->runtime, id, got_state, got_output, sizeof(got_state), &got_version);
	assert_string_equal(got_state, state);
	assert_string_equal(got_output, output);
	assert_int_equal(got_version, version);
}

/* Through the dialog with a file and the defaults. */
static void job_start(struct console_world *w)
{
	terminal_type(w->terminal, "jf");
	assert_true(terminal_shows(w->terminal, "Predict a file with flight-delay"));
	terminal_type(w->terminal, "/data/rows.csv");
	assert_true(terminal_shows(w->terminal, "96.7 kB, 2001 lines"));
	terminal_type(w->terminal, "\r\r\r");
	assert_true(terminal_shows(w->terminal, "job 1 started: rows.csv to somewhere.csv"));
}

static void a_file_is_predicted_by_the_live_version(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	job_start(&w);
	job_check(&w, 1, "running", "/data/rows.predictions.csv", 1);
	terminal_type(w.terminal, "y");
	assert_true(terminal_shows(w.terminal, "mldeck predict flight-delay --input /data/rows.csv --output"
					       " /data/rows.predictions.csv --version 1"));
	assert_true(terminal_shows(w.terminal, "● 1 job"));
	terminal_type(w.terminal, "2");
	assert_true(terminal_shows(w.terminal, "● running"));
	console_world_close(&w);
}

static void nothing_starts_before_its_file_is_found(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	terminal_type(w.terminal, "jf\r");
	assert_true(terminal_shows(w.terminal, "name the file to predict"));
	terminal_type(w.terminal, "/data/wrong.csv\r\r");
	assert_true(terminal_shows(w.terminal, "the runtime cannot read that file"));
	terminal_type(w.terminal, "\r\r\r");
	job_check(&w, 1, "", "", 0);
	terminal_type(w.terminal, "\033");
	assert_true(terminal_lacks(w.terminal, "Predict a file"));
	console_world_close(&w);
}

static void paths_and_versions_are_as_typed(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	terminal_type(w.terminal, "jf~/rows.csv\r/tmp/there.csv\r");
	assert_true(terminal_shows(w.terminal, "96.7 kB, 2001 lines"));
	terminal_type(w.terminal, "v3");
	assert_true(terminal_shows(w.terminal, "flight-delay v3, not live"));
	assert_true(terminal_shows(w.terminal, "--output /tmp/there.csv"));
	assert_true(terminal_shows(w.terminal, "--version 3"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 1 started:"));
	job_check(&w, 1, "running", "/tmp/there.csv", 3);
	console_world_close(&w);
}

/* A file of a shorter name would be another one. */
static void long_paths_are_kept_whole(void **state)
{
	struct console_world w;
	char path[600] = "/data/";

	(void)state;
	for (size_t i = strlen(path); i + 1 < sizeof(path); i++)
		path[i] = i % 100 == 0 ? '/' : 'o';
	console_world_open(&w, 120, 36);
	terminal_type(w.terminal, "jf/data/rows.csv\r");
	terminal_type(w.terminal, path);
	assert_true(terminal_shows(w.terminal, "flight-delay v1, live"));
	terminal_type(w.terminal, "\r\r");
	assert_true(terminal_shows(w.terminal, "job 1 started:"));
	job_check(&w, 1, "running", path, 1);
	terminal_type(w.terminal, "f");
	for (int i = 0; i < 4; i++)
		terminal_type(w.terminal, path);
	assert_true(terminal_shows(w.terminal, "no more than 1023 bytes fit here"));
	terminal_type(w.terminal, "\033");
	console_world_close(&w);
}

static void the_version_of_the_dry_run_is_the_one_that_runs(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	terminal_type(w.terminal, "jf/data/rows.csv\r\r");
	assert_true(terminal_shows(w.terminal, "flight-delay v1, live"));
	fake_runtime_promote(w.runtime, 2);
	assert_true(terminal_shows(w.terminal, "flight-delay v1, not live"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 1 started:"));
	job_check(&w, 1, "running", "/data/rows.predictions.csv", 1);
	console_world_close(&w);
}

static void a_job_is_cancelled_and_started_again(void **state)
{
	struct console_world w;
	char reason[64];

	(void)state;
	console_world_open(&w, 120, 36);
	job_start(&w);
	terminal_type(w.terminal, "2");
	assert_true(terminal_shows(w.terminal, "● running"));
	terminal_type(w.terminal, "A");
	assert_true(terminal_shows(w.terminal, "this job has not ended yet"));
	terminal_type(w.terminal, "x");
	assert_true(terminal_shows(w.terminal, "Cancel job 1"));
	assert_true(terminal_shows(w.terminal, "mldeck cancel 1"));
	job_check(&w, 1, "running", "/data/rows.predictions.csv", 1);
	terminal_type(w.terminal, "wrong file\r");
	assert_true(terminal_shows(w.terminal, "job 1 is asked to stop"));
	assert_true(terminal_shows(w.terminal, "■ cancelled"));
	fake_runtime_reason(w.runtime, reason, sizeof(reason));
	assert_string_equal(reason, "wrong file");
	terminal_type(w.terminal, "x");
	assert_true(terminal_shows(w.terminal, "this job has ended already"));
	terminal_type(w.terminal, "A");
	assert_true(terminal_shows(w.terminal, "Start again job 1"));
	assert_true(terminal_shows(w.terminal, "2001 lines"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 2 started: rows.csv"));
	job_check(&w, 2, "running", "/data/rows.predictions.csv", 1);
	console_world_close(&w);
}

static void one_job_is_opened_and_models_are_left_alone_there(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 80, 24);
	job_start(&w);
	terminal_type(w.terminal, "2");
	assert_true(terminal_shows(w.terminal, "● running"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "2 Jobs ▸ 1"));
	/* A promotion of a model that is not in sight would be a surprise. */
	terminal_type(w.terminal, "p");
	terminal_type(w.terminal, "\033");
	assert_true(terminal_lacks(w.terminal, "▸ 1"));
	assert_true(terminal_row(w.terminal, "Promote") < 0);
	terminal_type(w.terminal, "\033");
	assert_true(terminal_shows(w.terminal, "MODEL"));
	console_world_close(&w);
}

static void a_job_that_does_not_move_costs_no_byte(void **state)
{
	struct console_world w;
	size_t before;

	(void)state;
	console_world_open(&w, 80, 24);
	job_start(&w);
	terminal_type(w.terminal, "2");
	assert_true(terminal_shows(w.terminal, "● running"));
	console_world_polls(&w, 2);
	terminal_read(w.terminal, 0);
	before = terminal_bytes(w.terminal);
	console_world_polls(&w, 3);
	assert_int_equal(terminal_bytes(w.terminal), before);
	console_world_close(&w);
}

static void the_dialog_fits_the_smallest_screen(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 40, 10);
	terminal_type(w.terminal, "jf/data/rows.csv");
	assert_true(terminal_shows(w.terminal, "2001 lines"));
	assert_true(terminal_shows(w.terminal, "/data/rows.csv"));
	terminal_type(w.terminal, "\r\r\r");
	assert_true(terminal_shows(w.terminal, "job 1 started:"));
	console_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_is_predicted_by_the_live_version),
	    cmocka_unit_test(nothing_starts_before_its_file_is_found),
	    cmocka_unit_test(paths_and_versions_are_as_typed),
	    cmocka_unit_test(long_paths_are_kept_whole),
	    cmocka_unit_test(the_version_of_the_dry_run_is_the_one_that_runs),
	    cmocka_unit_test(a_job_is_cancelled_and_started_again),
	    cmocka_unit_test(one_job_is_opened_and_models_are_left_alone_there),
	    cmocka_unit_test(a_job_that_does_not_move_costs_no_byte),
	    cmocka_unit_test(the_dialog_fits_the_smallest_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
