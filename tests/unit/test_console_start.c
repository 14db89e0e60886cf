/* Tests of versions, started from the console: its dialogs in a pseudo-terminal against a fake runtime. Screens are
 * compared with tests/screen/expected/start-*; UPDATE_GOLDEN=1 rewrites them. */
#include "unit.h"

#include "lib/console_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCREEN_MAX 32768

static void check_started(struct console_world *w, int id, const char *kind, int version, const char *start)
{
	char got_kind[4096], got_start[4096];
	int got_version;

	fake_runtime_started(w->runtime, id, got_kind, got_start, sizeof(got_start), &got_version);
	assert_string_equal(got_kind, kind);
	assert_string_equal(got_start, start);
	assert_int_equal(got_version, version);
}

/* --- the three kinds --- */

static void a_differential_test_names_its_file(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	terminal_type(w.terminal, "jd");
	assert_true(terminal_shows(w.terminal, "Compare answers of flight-delay"));
	assert_true(terminal_shows(w.terminal, "name a file, or give `captured rows`"));
	/* Enter leads to the field that is wrong. */
	terminal_type(w.terminal, "\r/data/wrong.csv");
	assert_true(terminal_shows(w.terminal, "the runtime cannot read that file"));
	terminal_type(w.terminal, "\025/data/rows.csv");
	assert_true(terminal_shows(w.terminal, "v3 with v1, which is live"));
	assert_true(terminal_shows(w.terminal, "about 12 s, by 3 earlier runs"));
	assert_true(terminal_shows(w.terminal, "$ mldeck diff flight-delay 3 --data /data/rows.csv --against 1"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 1 started: v3 against v1; 2 shows the jobs"));
	check_started(&w, 1, "diff", 3, "{\"data\":\"/data/rows.csv\",\"against\":\"1\"}");
	terminal_type(w.terminal, "y");
	assert_true(terminal_shows(w.terminal, "mldeck diff flight-delay 3 --data /data/rows.csv --against 1"));
	terminal_type(w.terminal, "2");
	assert_true(terminal_shows(w.terminal, "● running"));
	console_world_close(&w);
}

static void a_benchmark_starts_with_one_key_more(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	terminal_type(w.terminal, "jb");
	assert_true(terminal_shows(w.terminal, "about 12 s"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 1 started"));
	check_started(&w, 1, "bench", 3, "{\"against\":\"1\"}");
	/* Versions by arrow, a list that is none, a switch by space. */
	terminal_type(w.terminal, "b\033OB");
	assert_true(terminal_shows(w.terminal, "mldeck bench flight-delay 2"));
	terminal_type(w.terminal, "\t\t\t1,,2");
	assert_true(terminal_shows(w.terminal, "`batch sizes` takes numbers of rows"));
	terminal_type(w.terminal, "\r");
	terminal_type(w.terminal, "\0251,64\t\t\t ");
	assert_true(terminal_shows(w.terminal, "--batch 1,64 --quick"));
	assert_true(terminal_shows(w.terminal, "about 12 s"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 2 started"));
	check_started(&w, 2, "bench", 2, "{\"against\":\"1\",\"batch\":\"1,64\",\"quick\":\"yes\"}");
	console_world_close(&w);
}

static void a_load_says_how_hard(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	terminal_type(w.terminal, "jt");
	assert_true(terminal_shows(w.terminal, "say how hard: `requests/s`, `ramp` or `find maximum`"));
	terminal_type(w.terminal, "\t\t ");
	assert_true(terminal_shows(w.terminal, "`find maximum` needs the limit"));
	terminal_type(w.terminal, "\tsoon");
	assert_true(terminal_shows(w.terminal, "`p99 at most` takes a time"));
	terminal_type(w.terminal, "\0255ms\t1:9");
	assert_true(terminal_shows(w.terminal, "`ramp` goes without"));
	terminal_type(w.terminal, "\025\t5s\t\t/data/rows.csv");
	assert_true(terminal_shows(w.terminal, "v3 has no live traffic"));
	assert_true(terminal_lacks(w.terminal, "type the name"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 1 started"));
	check_started(&w, 1, "stress", 3,
		      "{\"find-max\":\"yes\",\"slo-p99\":\"5ms\",\"duration\":\"5s\",\"data\":\"/data/rows.csv\"}");
	console_world_close(&w);
}

/* --- live traffic --- */

static void live_traffic_is_touched_by_name_only(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	fake_runtime_last(w.runtime, "{\"rate\":\"50\",\"data\":\"/data/rows.csv\",\"yes\":\"yes\"}");
	terminal_type(w.terminal, "jt");
	assert_true(terminal_shows(w.terminal, "v3 has no live traffic"));
	terminal_type(w.terminal, "\0251");
	assert_true(terminal_shows(w.terminal, "v1 has 100% of the requests of flight-delay"));
	assert_true(terminal_shows(w.terminal, "It sends load to live traffic: type flight-delay to go on."));
	assert_true(terminal_lacks(w.terminal, "--yes"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "it touches live traffic: type flight-delay to go on"));
	terminal_type(w.terminal, "flight-dela\r");
	check_started(&w, 1, "", 0, "");
	terminal_type(w.terminal, "y");
	assert_true(terminal_shows(w.terminal, "--yes"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 1 started"));
	check_started(&w, 1, "stress", 1, "{\"rate\":\"50\",\"data\":\"/data/rows.csv\",\"yes\":\"yes\"}");
	console_world_close(&w);
}

/* Its consent was for that run. */
static void again_asks_for_the_name_again(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	fake_runtime_last(w.runtime, "{\"rate\":\"50\",\"data\":\"/data/rows.csv\"}");
	terminal_type(w.terminal, "jt");
	assert_true(terminal_shows(w.terminal, "v3 has no live traffic"));
	terminal_type(w.terminal, "\0251");
	assert_true(terminal_shows(w.terminal, "type the name"));
	terminal_type(w.terminal, "\rflight-delay\r");
	assert_true(terminal_shows(w.terminal, "job 1 started"));
	terminal_type(w.terminal, "2");
	assert_true(terminal_shows(w.terminal, "● running"));
	terminal_type(w.terminal, "x");
	assert_true(terminal_shows(w.terminal, "A test that is stopped gives no result"));
	assert_true(terminal_lacks(w.terminal, "What is done is kept"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "■ cancelled"));
	terminal_type(w.terminal, "A");
	assert_true(terminal_shows(w.terminal, "Start again job 1"));
	assert_true(terminal_shows(w.terminal, "type the name"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "it touches live traffic"));
	terminal_type(w.terminal, "flight-delay\r");
	assert_true(terminal_shows(w.terminal, "job 2 started"));
	check_started(&w, 2, "stress", 1, "{\"rate\":\"50\",\"data\":\"/data/rows.csv\",\"yes\":\"yes\"}");
	console_world_close(&w);
}

/* --- what is filled in --- */

static void the_last_run_fills_in(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	fake_runtime_last(w.runtime, "{\"data\":\"/data/rows.csv\",\"against\":\"2\",\"segment\":\"carrier\"}");
	terminal_type(w.terminal, "jd");
	assert_true(terminal_shows(w.terminal, "as job 7 was"));
	/* Against what is live now, not what was. */
	assert_true(terminal_shows(w.terminal, "--data /data/rows.csv --against 1 --segment"));
	assert_true(terminal_shows(w.terminal, "96.7 kB, 2001 lines"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 1 started"));
	console_world_close(&w);
}

static void the_canary_is_what_is_tested(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	fake_runtime_promote(w.runtime, 3);
	console_world_polls(&w, 2);
	terminal_type(w.terminal, "jd");
	/* The newest that is not live. */
	assert_true(terminal_shows(w.terminal, "mldeck diff flight-delay 2"));
	assert_true(terminal_shows(w.terminal, "--against 3"));
	terminal_type(w.terminal, "\033");
	assert_true(terminal_lacks(w.terminal, "Compare answers of"));
	console_world_close(&w);
}

static void one_that_waits_says_so(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 36);
	fake_runtime_waits(w.runtime, 3);
	terminal_type(w.terminal, "jb");
	assert_true(terminal_shows(w.terminal, "after others: number 3 of those that wait"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "job 1 waits for its turn"));
	console_world_close(&w);
}

static void ctrl_y_copies_what_is_shown(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 120, 40);
	terminal_type(w.terminal, "jb");
	assert_true(terminal_shows(w.terminal, "about 12 s"));
	terminal_type(w.terminal, "\031\033");
	assert_true(terminal_lacks(w.terminal, "Benchmark of"));
	assert_true(terminal_shows(w.terminal, "mldeck bench flight-delay 3 --against 1"));
	check_started(&w, 1, "", 0, "");
	console_world_close(&w);
}

/* --- screens --- */

/* The dialog's rows, from frame to frame. */
static void dialog_text(struct terminal *t, int rows, char *text, size_t size)
{
	char line[2048];
	size_t used = 0;
	bool inside = false;

	*text = '\0';
	for (int row = 0; row < rows; row++) {
		terminal_line(t, row, line, sizeof(line));
		const char *start = strstr(line, inside ? "│  " : "╭─");
		const char *bottom = strstr(line, "╰");
		const char *end = NULL;

		if (inside && bottom)
			start = bottom;
		for (const char *at = start; at != NULL; at = strpbrk(at + 1, "\xe2"))
			if (strncmp(at, "│", 3) == 0 || strncmp(at, "╮", 3) == 0 || strncmp(at, "╯", 3) == 0)
				end = at + 3;
		if (!start || !end)
			continue;
		inside = !bottom;
		used += (size_t)snprintf(text + used, size - used, "%.*s\n", (int)(end - start), start);
		if (bottom)
			return;
	}
}

static void read_whole(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!file)
		fail_msg("%s is missing; UPDATE_GOLDEN=1 writes it", path);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void write_whole(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* A frame may come in parts: waits for the one that is expected. */
static void check_screen(struct console_world *w, const char *kind, int columns, int rows)
{
	static char text[SCREEN_MAX], expected[SCREEN_MAX];
	long long until_ms = clock_ms() + UNIT_DEADLINE_MS;
	char path[256];

	snprintf(path, sizeof(path), "tests/screen/expected/start-%s-%dx%d.txt", kind, columns, rows);
	if (getenv("UPDATE_GOLDEN")) {
		console_world_polls(w, 2);
		dialog_text(w->terminal, rows, text, sizeof(text));
		write_whole(path, text);
		return;
	}
	read_whole(path, expected, sizeof(expected));
	do {
		terminal_read(w->terminal, 20);
		dialog_text(w->terminal, rows, text, sizeof(text));
	} while (strcmp(text, expected) != 0 && clock_ms() < until_ms);
	if (strcmp(text, expected) != 0)
		fail_msg("%s differs; drawn was:\n%s", path, text);
}

static void dialogs_fit_every_screen(void **state)
{
	static const int sizes[][2] = {{40, 10}, {80, 24}, {200, 50}};
	static const struct {
		const char *kind, *keys, *shows;
	} dialogs[] = {
	    {"diff", "d", "v3 with v1"}, {"bench", "b", "v3 with v1"}, {"stress", "t\0251", "type flight-delay"}};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct console_world w;

		console_world_open(&w, sizes[i][0], sizes[i][1]);
		fake_runtime_last(w.runtime, "{\"rate\":\"50\",\"duration\":\"30s\",\"data\":\"/data/rows.csv\"}");
		terminal_type(w.terminal, "j");
		for (size_t k = 0; k < sizeof(dialogs) / sizeof(dialogs[0]); k++) {
			terminal_type(w.terminal, dialogs[k].keys);
			assert_true(terminal_shows(w.terminal, dialogs[k].shows));
			assert_true(terminal_lacks(w.terminal, "asking the runtime"));
			check_screen(&w, dialogs[k].kind, sizes[i][0], sizes[i][1]);
			/* All the way round the fields: the one that is typed in is always in sight. */
			for (int tab = 0; tab < 12; tab++) {
				terminal_type(w.terminal, "\t");
				assert_true(terminal_shows(w.terminal, "▸"));
			}
			terminal_type(w.terminal, "\033");
			assert_true(terminal_lacks(w.terminal, "ctrl-y"));
		}
		console_world_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_differential_test_names_its_file),
	    cmocka_unit_test(a_benchmark_starts_with_one_key_more),
	    cmocka_unit_test(a_load_says_how_hard),
	    cmocka_unit_test(live_traffic_is_touched_by_name_only),
	    cmocka_unit_test(again_asks_for_the_name_again),
	    cmocka_unit_test(the_last_run_fills_in),
	    cmocka_unit_test(the_canary_is_what_is_tested),
	    cmocka_unit_test(one_that_waits_says_so),
	    cmocka_unit_test(ctrl_y_copies_what_is_shown),
	    cmocka_unit_test(dialogs_fit_every_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
