/* Training runs: what they take, as reports and back, and compared. */
#include "core/test/launch.h"
#include "core/test/training_plots.h"
#include "unit.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct training_run run_of(double wall_s)
{
	return (struct training_run){.took = {.wall_s = wall_s, .user_s = wall_s, .peak_bytes = 1e8},
				     .rate_per_hour = (double)NAN,
				     .host = "here"};
}

static struct training_comparison compare(const double *walls, size_t count, size_t last)
{
	struct training_run runs[TRAINING_RUNS_MAX];
	struct training_comparison c;
	struct err e;

	for (size_t i = 0; i < count; i++)
		runs[i] = run_of(walls[i]);
	if (training_compare(runs, count, last, 1.05, 1.5, &c, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

static void one_run_is_held_against_what_one_more_would_take(void **unused)
{
	(void)unused;
	const double slow[] = {15, 10, 10.2, 9.9, 10.1, 9.8}, usual[] = {10.05, 10, 10.2, 9.9, 10.1, 9.8};
	struct training_comparison c = compare(slow, 6, 1);

	assert_int_equal(c.verdict, BENCHMARK_REGRESSION);
	assert_false(c.by_rank);
	/* By hand: mean and sd of the five logarithms, t(0.975, 4) = 2.776445. */
	double mean = 0, squares = 0;
	for (int i = 1; i < 6; i++)
		mean += log(slow[i]) / 5;
	for (int i = 1; i < 6; i++)
		squares += (log(slow[i]) - mean) * (log(slow[i]) - mean);
	double reach = 2.7764451051977987 * sqrt(squares / 4 * 1.2);
	assert_true(fabs(c.figures[TRAINING_WALL].ratio - 15 / exp(mean)) < 1e-9);
	assert_true(fabs(log(c.figures[TRAINING_WALL].interval.high / c.figures[TRAINING_WALL].interval.low) -
			 2 * reach) < 1e-9);
	assert_int_equal(compare(usual, 6, 1).verdict, BENCHMARK_PASS);
}

static void few_runs_say_nothing(void **unused)
{
	(void)unused;
	const double two[] = {30, 10, 10}, some[] = {30, 31, 32, 10, 10.1, 10.2};
	struct training_comparison c = compare(two, 3, 1);

	assert_true(c.too_few);
	assert_int_equal(c.verdict, BENCHMARK_INCONCLUSIVE);
	/* Three against three: no interval of ranks covers 95%. */
	c = compare(some, 6, 3);
	assert_true(c.by_rank && c.too_few);
	assert_int_equal(c.verdict, BENCHMARK_INCONCLUSIVE);
}

static void several_runs_go_by_rank(void **unused)
{
	(void)unused;
	const double walls[] = {15, 15.2, 14.9, 15.1, 15.3, 14.8, 10, 10.3, 9.9, 10.1, 10.2, 9.7};
	struct training_comparison c = compare(walls, 12, 6);

	assert_true(c.by_rank && !c.too_few);
	assert_int_equal(c.verdict, BENCHMARK_REGRESSION);
	assert_true(c.figures[TRAINING_WALL].interval.low > 1.4);
	assert_int_equal(c.figures[TRAINING_MEMORY].verdict, BENCHMARK_PASS);
}

static void failures_and_other_hosts_are_left_out(void **unused)
{
	(void)unused;
	struct training_run runs[6];
	struct training_comparison c;
	struct err e;

	for (size_t i = 0; i < 6; i++)
		runs[i] = run_of(10 + 0.1 * (double)i);
	runs[1].took.exit_code = 1;
	strcpy(runs[2].host, "there");
	assert_int_equal(training_compare(runs, 6, 1, 1.05, 1.5, &c, &e), 0);
	assert_int_equal(c.left_out, 2);
	assert_int_equal(c.earlier, 3);
	assert_int_equal(c.newest, 0);
	assert_int_equal(training_compare(runs, 1, 1, 1.05, 1.5, &c, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_non_null(strstr(e.text, "takes 2 training runs that ended well on one host, and there are 1"));
	/* The newest that counts is the one that is judged. */
	runs[0].took.exit_code = 1;
	strcpy(runs[2].host, "here");
	assert_int_equal(training_compare(runs, 6, 1, 1.05, 1.5, &c, &e), 0);
	assert_int_equal(c.newest, 2);
	assert_int_equal(c.earlier, 3);
}

static void a_report_reads_back(void **unused)
{
	(void)unused;
	struct training_run run = run_of(12.5), read;
	char text[200];
	struct err e;

	run.rate_per_hour = 7.2;
	run.took.signal_number = SIGTERM;
	run.took.exit_code = 143;
	strcpy(run.command, "python3 train.py");
	strcpy(run.sha256, "abc");
	training_summary(&run, text, sizeof text);
	assert_string_equal(text, "took 12.5 s (CPU 12.5 s), 100 MB at most, ended by signal 15, cost 0.025");
	cJSON *test = cJSON_CreateObject();
	cJSON_AddNumberToObject(test, "id", 4);
	cJSON_AddNumberToObject(test, "at_ms", 5);
	cJSON_AddItemToObject(test, "report", training_report(&run, "m"));
	assert_int_equal(training_from_test(test, &read, &e), 0);
	assert_true(read.id == 4 && read.took.wall_s == 12.5 && read.rate_per_hour == 7.2);
	assert_string_equal(read.command, run.command);
	assert_string_equal(read.host, "here");
	cJSON_DeleteItemFromObject(cJSON_GetObjectItem(test, "report"), "wall_s");
	assert_int_equal(training_from_test(test, &read, &e), -1);
	assert_non_null(strstr(e.text, "wall_s"));
	cJSON_Delete(test);
}

/* --- processes --- */

/* Lets the command end, once it was seen to hold memory. */
static bool look(void *context, const struct timed_run *now)
{
	FILE *seen = now->group_peak_bytes > 100000 ? fopen(context, "we") : NULL;

	if (seen != NULL)
		fclose(seen);
	return true;
}

static bool end(void *context, const struct timed_run *now)
{
	(void)context;
	(void)now;
	return false;
}

static void a_command_is_timed_to_its_end(void **unused)
{
	(void)unused;
	char folder[] = "/tmp/mldeck-timed-XXXXXX", seen[64];
	const char *none[] = {"/nowhere/nothing", NULL};
	struct timed_run run;
	struct err e;

	assert_non_null(mkdtemp(folder));
	snprintf(seen, sizeof seen, "%s/seen", folder);
	const char *busy[] = {"sh", "-c", "until [ -e \"$1\" ]; do :; done; exit 3", "sh", seen, NULL};
	assert_int_equal(timed_run(busy, look, seen, &run, &e), 0);
	assert_int_equal(run.exit_code, 3);
	assert_int_equal(run.signal_number, 0);
	assert_true(run.wall_s > 0 && run.user_s + run.system_s > 0);
	assert_true(run.peak_bytes > 100000 && run.group_peak_bytes > 100000);
	assert_int_equal(timed_run(none, look, seen, &run, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(unlink(seen), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void a_run_is_ended_with_all_that_it_started(void **unused)
{
	(void)unused;
	const char *tree[] = {"sh", "-c", "sleep 600 & wait", NULL};
	struct timed_run run;
	struct err e;

	assert_int_equal(timed_run(tree, end, NULL, &run, &e), 0);
	assert_int_equal(run.signal_number, SIGTERM);
	assert_int_equal(run.exit_code, 128 + SIGTERM);
}

static void a_launch_gives_what_it_said(void **unused)
{
	(void)unused;
	const char *both[] = {"sh", "-c", "cat; echo out; echo err >&2; exit 2", NULL};
	struct launch l;
	struct err e;

	assert_int_equal(launch_run("/bin/sh", both, NULL, NULL, &l, &e), 0);
	assert_string_equal(l.output.data, "out\n");
	assert_string_equal(l.fault.data, "err\n");
	assert_int_equal(WEXITSTATUS(l.status), 2);
	launch_release(&l);
	assert_int_equal(launch_run("/nowhere/nothing", both, NULL, NULL, &l, &e), -1);
	launch_release(&l);
}

static bool never(void *context)
{
	(void)context;
	return false;
}

static void a_launch_is_stopped(void **unused)
{
	(void)unused;
	const char *long_one[] = {"sh", "-c", "sleep 600", NULL};
	struct launch l;
	struct err e;

	assert_int_equal(launch_run("/bin/sh", long_one, never, NULL, &l, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_true(WIFSIGNALED(l.status));
	launch_release(&l);
}

static void plots_show_what_it_takes(void **unused)
{
	(void)unused;
	struct training_run run = run_of(0);
	struct training_tracks t;
	struct plot plots[PLOTS_MAX];

	training_tracks_begin(&t, 20, 30);
	for (int i = 1; i <= 20; i++) {
		run.took =
		    (struct timed_run){.wall_s = i / 2.0, .user_s = i, .system_s = i / 2.0, .group_bytes = 1e6 * i};
		training_tracks_add(&t, &run.took);
	}
	run.rate_per_hour = (double)NAN;
	assert_int_equal(training_plots(&t, &run, plots), 2);
	assert_true(plots[0].y_unit == PLOT_IN_PERCENT && plots[0].y[4] == 300); /* 3 s of processors a second */
	assert_true(plots[0].x_high == 30 && isnan(plots[0].y[25]));             /* up to what the last run took */
	assert_true(plots[0].mark_count == 2 && plots[0].marks[0].value == 20 && plots[0].marks[1].value == 30);
	assert_true(plots[1].y_unit == PLOT_IN_BYTES && plots[1].y[5] == 11.5e6);
	run.rate_per_hour = 3600;
	assert_int_equal(training_plots(&t, &run, plots), 3);
	assert_true(plots[2].y[9] == training_cost(&run) && isnan(plots[2].y[12]));
	/* A first run has nothing to stand beside. */
	training_tracks_begin(&t, (double)NAN, (double)NAN);
	training_plots(&t, &run, plots);
	assert_int_equal(plots[0].mark_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_run_is_held_against_what_one_more_would_take),
	    cmocka_unit_test(few_runs_say_nothing),
	    cmocka_unit_test(several_runs_go_by_rank),
	    cmocka_unit_test(failures_and_other_hosts_are_left_out),
	    cmocka_unit_test(a_report_reads_back),
	    cmocka_unit_test(a_command_is_timed_to_its_end),
	    cmocka_unit_test(a_run_is_ended_with_all_that_it_started),
	    cmocka_unit_test(a_launch_gives_what_it_said),
	    cmocka_unit_test(a_launch_is_stopped),
	    cmocka_unit_test(plots_show_what_it_takes),
	};
	return cmocka_run_group_tests_name("training", tests, NULL, NULL);
}
