/* Jobs with a shell script in place of mldeck: it runs the input file, so that each test says what
 * its child does. */
#include "registry_fixture.h"

#include "runtime/job/jobs.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LISTED_MAX 20

struct world {
	char directory[256], state[300], script[300];
	struct registry *registry;
	struct jobs *jobs;
};

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, mode);
}

static void open_jobs(struct world *w)
{
	struct err e;
	w->registry = fixture_open(w->state);
	const struct jobs_options options = {.registry = w->registry,
					     .socket = "/nowhere/socket",
					     .state = "/nowhere",
					     .executable = w->script,
					     .grace_ms = 300,
					     .silence_ms = 100};
	if (jobs_new(&options, &w->jobs, &e) != 0)
		fail_msg("%s", e.text);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	fixture_directory(w->directory);
	snprintf(w->state, sizeof w->state, "%s/state", w->directory);
	snprintf(w->script, sizeof w->script, "%s/mldeck", w->directory);
	write_file(w->script, "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n. \"$4\"\n", 0700);
	open_jobs(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	jobs_free(w->jobs);
	registry_close(w->registry);
	fixture_remove(w->directory);
	free(w);
	return 0;
}

static void path_in(const struct world *w, const char *name, char path[512])
{
	snprintf(path, 512, "%s/%s", w->directory, name);
}

/* The plan of a job whose child runs the text. */
static int plan_of(struct world *w, const char *text, const char *output, struct job_plan *plan, struct err *e)
{
	static int number;
	char name[32], path[512];
	snprintf(name, sizeof name, "input-%d.csv", ++number);
	path_in(w, name, path);
	write_file(path, text, 0600);
	cJSON *start = cJSON_CreateObject();
	cJSON_AddStringToObject(start, "input", path);
	path_in(w, output, path);
	cJSON_AddStringToObject(start, "output", path);
	int result = job_plan_make(job_kind_find("predict"), "churn", 3, start, plan, e);
	cJSON_Delete(start);
	return result;
}

static int64_t start(struct world *w, const char *text, const char *output)
{
	struct job_plan plan;
	struct err e;
	int64_t id = 0;
	if (plan_of(w, text, output, &plan, &e) != 0 || jobs_start(w->jobs, &plan, &operator, & id, &e) != 0)
		fail_msg("%s", e.text);
	return id;
}

static struct job_record look(struct world *w, int64_t id)
{
	struct job_record record;
	assert_true(jobs_find(w->jobs, id, &record, NULL));
	return record;
}

static struct job_record wait_for(struct world *w, int64_t id, enum job_state state)
{
	int64_t until_ms = clock_ms() + UNIT_DEADLINE_MS;
	struct job_record record = look(w, id);
	while (record.state != state && clock_ms() < until_ms) {
		clock_pause_ms(2);
		record = look(w, id);
	}
	if (record.state != state)
		fail_msg("job is %s (%s), not %s", job_state_name(record.state), record.summary, job_state_name(state));
	return record;
}

/* Until the child has made the file; then it is taken away. */
static void take_file(struct world *w, const char *name)
{
	char path[512];
	path_in(w, name, path);
	wait_until(unlink(path) == 0);
}

/* What the child wrote into a file, once its job is done. */
static void check_file(struct world *w, const char *name, const char *expected)
{
	char path[512], text[1024];
	path_in(w, name, path);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, expected);
}

static void a_child_is_alone_and_knows_its_job(void **state)
{
	struct world *w = *state;
	struct job_progress progress = {.done = 1200, .total = 2400, .rejected = 3, .rate = 100};
	char expected[1200];
	bool cancel = true;
	struct err e;
	int64_t id = start(w,
			   "echo $MLDECK_JOB $(cat) > facts; echo $* | sed 's|--input [^ ]*|--input X|' >> facts\n"
			   "awk '{print ($6 == $1), $19}' /proc/$$/stat >> facts\n"
			   "for d in /proc/$$/fd/*; do readlink $d; done | sed 's/:.*//' | sort -u |"
			   " grep -v -e input- -e /mldeck$ >> facts; touch told; while [ -e told ]; do sleep "
			   "0.02; done",
			   "out.csv");
	struct job_record record = wait_for(w, id, JOB_RUNNING);
	assert_true(record.pid > 0 && record.started_ms >= record.queued_ms);
	assert_string_equal(record.title + strlen(record.title) - 11, " to out.csv");
	assert_string_equal(record.who, "ada");
	plot_begin(&progress.plots[progress.plot_count++], PLOT_SERIES, "rows", PLOT_IN_SECONDS, PLOT_IN_RATE);
	progress.plots[0].x_high = 1;
	assert_int_equal(jobs_progress(w->jobs, id, &progress, &cancel, &e), 0);
	assert_false(cancel);
	assert_int_equal(look(w, id).progress.done, 1200);
	take_file(w, "told");
	record = wait_for(w, id, JOB_DONE);
	assert_int_equal(record.progress.plot_count, 1); /* it stays, in memory alone */
	assert_int_equal(registry_job(w->registry, id, &record, NULL, &e), 0);
	assert_true(record.progress.plot_count == 0 && record.progress.done == 1200);
	record = look(w, id);
	assert_string_equal(record.summary, "1.2k rows, 3 rejected");
	assert_int_equal(record.pid, 0);
	/* A session of its own, nice'd, and besides what the shell reads only an empty input and
	 * the pipe. */
	snprintf(expected, sizeof expected,
		 "%d\npredict churn --input X --output %s/out.csv --version 3 --socket /nowhere/socket"
		 " --state /nowhere\n1 10\n/dev/null\npipe\n",
		 (int)id, w->directory);
	check_file(w, "facts", expected);
}

static void exit_codes_and_output_say_how_it_ended(void **state)
{
	static const struct {
		const char *text;
		enum job_state state;
		const char *summary;
	} cases[] = {
	    {"exit 0", JOB_DONE, "0 rows, 0 rejected"},
	    {"exit 1", JOB_DONE, "0 rows, 0 rejected"},
	    {"echo working; echo 'mldeck predict: it is full' >&2; exit 7", JOB_FAILED, "it is full"},
	    {"exit 9", JOB_FAILED, "ended with exit code 9 and said nothing"},
	    {"printf 'a\\033[31m\\n'; exit 2", JOB_FAILED, "a\\x1b[31m"},
	    {"kill -9 $$", JOB_FAILED, "ended by signal 9 (Killed)"},
	};
	struct world *w = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct job_record record = wait_for(w, start(w, cases[i].text, "o"), cases[i].state);
		assert_string_equal(record.summary, cases[i].summary);
		assert_true(record.ended_ms >= record.started_ms);
	}
}

static void the_end_of_the_output_is_kept(void **state)
{
	struct world *w = *state;
	struct job_record record;
	struct job_details details;
	struct err e;
	int64_t id = start(w, "seq 1 20000; printf 'x\\000y\\n'; echo last", "o");
	wait_for(w, id, JOB_DONE);
	assert_int_equal(registry_job(w->registry, id, &record, &details, &e), 0);
	assert_int_equal(strlen(details.output), JOB_OUTPUT_SIZE);
	assert_non_null(strstr(details.output, "20000\nx y\nlast\n"));
	assert_int_equal(record.line_count, JOB_LINES_MAX);
	assert_string_equal(record.lines[JOB_LINES_MAX - 1], "last");
	assert_non_null(strstr(details.start, "input"));
	job_details_release(&details);
}

static void what_it_said_itself_counts(void **state)
{
	struct world *w = *state;
	struct err e;
	int64_t id = start(w, "touch told; while [ -e told ]; do sleep 0.02; done; exit 3", "o");
	wait_for(w, id, JOB_RUNNING);
	assert_int_equal(jobs_end(w->jobs, id, JOB_DONE, "7 rows", &e), 0);
	assert_int_equal(look(w, id).state, JOB_RUNNING); /* its process is still there */
	take_file(w, "told");
	assert_string_equal(wait_for(w, id, JOB_DONE).summary, "7 rows");
	assert_int_equal(jobs_end(w->jobs, id, JOB_DONE, "again", &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_int_equal(jobs_end(w->jobs, 999, JOB_DONE, "", &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void cancelling_asks_then_kills(void **state)
{
	struct world *w = *state;
	struct job_progress progress = {0};
	bool cancel = false;
	struct err e;
	int64_t polite = start(w, "trap 'exit 9' TERM; while :; do sleep 0.02; done", "a");
	int64_t stubborn = start(w, "trap '' TERM; touch b-ready; while :; do sleep 0.02; done", "b");
	int64_t waiting = start(w, "exit 0", "c");
	take_file(w, "b-ready");
	wait_for(w, polite, JOB_RUNNING);
	assert_int_equal(look(w, waiting).state, JOB_QUEUED);
	assert_int_equal(jobs_cancel(w->jobs, waiting, "", &operator, & e), 0);
	assert_string_equal(look(w, waiting).summary, "cancelled by ada before it began");
	assert_int_equal(look(w, waiting).state, JOB_CANCELLED);
	assert_int_equal(jobs_cancel(w->jobs, stubborn, "too slow", &operator, & e), 0);
	assert_int_equal(jobs_progress(w->jobs, stubborn, &progress, &cancel, &e), 0);
	assert_true(cancel && look(w, stubborn).cancelling);
	assert_int_equal(jobs_cancel(w->jobs, polite, "", &operator, & e), 0);
	assert_string_equal(wait_for(w, polite, JOB_CANCELLED).summary, "cancelled after 0 rows, 0 rejected");
	wait_for(w, stubborn, JOB_CANCELLED);
	assert_int_equal(jobs_cancel(w->jobs, polite, "", &operator, & e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
}

static void two_run_and_the_others_wait_in_order(void **state)
{
	struct world *w = *state;
	struct job_record records[LISTED_MAX];
	size_t count;
	char gate[512];
	int64_t ids[4];
	path_in(w, "gate", gate);
	write_file(gate, "", 0600);
	for (int i = 0; i < 4; i++) {
		char output[16];
		snprintf(output, sizeof output, "%d", i);
		ids[i] = start(w, "while [ -e gate ]; do sleep 0.02; done; echo $MLDECK_JOB >> order", output);
	}
	wait_for(w, ids[1], JOB_RUNNING);
	struct jobs_counts counts = jobs_list(w->jobs, records, LISTED_MAX, &count);
	assert_int_equal(counts.running, 2);
	assert_int_equal(counts.queued, 2);
	assert_int_equal(count, 4);
	assert_int_equal(records[0].id, ids[1]); /* running, the newest first */
	assert_int_equal(records[2].id, ids[2]); /* then what waits, the next first */
	assert_string_equal(records[2].progress.note, "number 1 of 2 that wait");
	assert_string_equal(look(w, ids[3]).progress.note, "number 2 of 2 that wait");
	unlink(gate);
	for (int i = 0; i < 4; i++)
		wait_for(w, ids[i], JOB_DONE);
	assert_true(look(w, ids[2]).started_ms <= look(w, ids[3]).started_ms);
	counts = jobs_list(w->jobs, records, 2, &count);
	assert_int_equal(counts.running + counts.queued, 0);
	assert_int_equal(count, 2);
	assert_int_equal(records[0].id, ids[3]);
}

static void one_file_is_made_by_one_job(void **state)
{
	struct world *w = *state;
	struct job_plan plan;
	struct err e;
	char gate[512], named[32];
	int64_t other;
	path_in(w, "gate", gate);
	write_file(gate, "", 0600);
	int64_t id = start(w, "while [ -e gate ]; do sleep 0.02; done", "same.csv");
	assert_int_equal(plan_of(w, "exit 0", "same.csv", &plan, &e), 0);
	assert_int_equal(jobs_start(w->jobs, &plan, &operator, & other, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	snprintf(named, sizeof named, "job %d ", (int)id);
	assert_non_null(strstr(e.text, named));
	unlink(gate);
	wait_for(w, id, JOB_DONE);
	assert_int_equal(jobs_start(w->jobs, &plan, &operator, & other, &e), 0);
	wait_for(w, other, JOB_DONE);
}

static void too_many_are_refused(void **state)
{
	struct world *w = *state;
	struct job_record record = {.kind = "predict", .model = "churn"};
	struct err e;
	int64_t id;
	for (int i = 0; i < JOBS_OPEN_MAX; i++)
		assert_int_equal(jobs_register(w->jobs, &record, "", getpid(), &operator, & id, &e), 0);
	assert_int_equal(jobs_register(w->jobs, &record, "", getpid(), &operator, & id, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	assert_int_equal(jobs_end(w->jobs, 1, JOB_DONE, "", &e), 0);
	assert_int_equal(jobs_register(w->jobs, &record, "", getpid(), &operator, & id, &e), 0);
	/* However many end, the list stays bounded. */
	for (int i = 0; i < 300; i++) {
		assert_int_equal(jobs_end(w->jobs, id, JOB_DONE, "", &e), 0);
		assert_int_equal(jobs_register(w->jobs, &record, "", getpid(), &operator, & id, &e), 0);
	}
}

static void a_shells_job_is_told_and_its_death_is_noticed(void **state)
{
	struct world *w = *state;
	struct job_record record = {.kind = "predict", .model = "churn", .title = "x", .target = "/tmp/x"};
	struct job_progress progress = {.done = 5};
	bool cancel = false;
	struct err e;
	int64_t id;
	pid_t pid = fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	assert_int_equal(jobs_register(w->jobs, &record, "", pid, &operator, & id, &e), 0);
	assert_true(look(w, id).in_shell);
	assert_int_equal(look(w, id).pid, pid);
	assert_int_equal(jobs_cancel(w->jobs, id, "", &operator, & e), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it is asked, not hit */
	assert_int_equal(jobs_progress(w->jobs, id, &progress, &cancel, &e), 0);
	assert_true(cancel);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	wait_for(w, id, JOB_INTERRUPTED);
	assert_int_equal(jobs_register(w->jobs, &record, "", getpid(), &operator, & id, &e), 0);
	assert_int_equal(jobs_end(w->jobs, id, JOB_CANCELLED, "stopped by hand", &e), 0);
	assert_string_equal(look(w, id).summary, "stopped by hand");
}

static void a_process_out_of_sight_ends_by_its_silence(void **state)
{
	struct world *w = *state;
	struct job_record record = {.kind = "predict", .model = "churn", .title = "x", .target = "/tmp/x"};
	struct job_progress progress = {.done = 5};
	bool cancel;
	struct err e;
	int64_t id;

	assert_int_equal(jobs_register(w->jobs, &record, "", 0, &operator, & id, &e), 0);
	assert_int_equal(jobs_progress(w->jobs, id, &progress, &cancel, &e), 0);
	wait_for(w, id, JOB_INTERRUPTED);
	assert_int_equal(jobs_progress(w->jobs, id, &progress, &cancel, &e), -1);
}

static void a_drain_interrupts_and_an_answer_still_counts(void **state)
{
	struct world *w = *state;
	struct job_plan plan;
	struct err e;
	char path[512];
	int64_t other;
	int64_t running = start(w, "trap 'exit 9' TERM; touch a-ready; while :; do sleep 0.02; done", "a");
	int64_t finishing = start(w, "trap 'exit 0' TERM; touch b-ready; while :; do sleep 0.02; done", "b");
	int64_t waiting = start(w, "touch ran", "c");
	take_file(w, "a-ready");
	take_file(w, "b-ready");
	jobs_stop(w->jobs);
	jobs_wait(w->jobs, UNIT_DEADLINE_MS);
	assert_int_equal(look(w, running).state, JOB_INTERRUPTED);
	assert_string_equal(look(w, running).summary,
			    "the runtime stopped after 0 rows, 0 rejected; start it again to go on");
	assert_int_equal(look(w, finishing).state, JOB_DONE);
	assert_int_equal(look(w, waiting).state, JOB_INTERRUPTED);
	path_in(w, "ran", path);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(plan_of(w, "exit 0", "d", &plan, &e), 0);
	assert_int_equal(jobs_start(w->jobs, &plan, &operator, & other, &e), -1);
	assert_int_equal(e.code, ERR_UNREACHABLE);
}

/* A runtime of its own that dies without a word while a child runs. */
static void die_with_a_child(struct world *w)
{
	char path[512];
	open_jobs(w);
	start(w, "echo $$ > child; while :; do sleep 0.02; done", "out.csv");
	path_in(w, "child", path);
	struct stat status;
	while (stat(path, &status) != 0 || status.st_size == 0)
		clock_pause_ms(2);
	raise(SIGKILL);
}

static void a_dead_runtimes_jobs_are_interrupted(void **state)
{
	struct world *w = *state;
	char path[512];
	int child = 0, status;
	jobs_free(w->jobs);
	registry_close(w->registry);
	pid_t pid = fork();
	if (pid == 0)
		die_with_a_child(w);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	open_jobs(w);
	struct job_record record = look(w, 1);
	assert_int_equal(record.state, JOB_INTERRUPTED);
	assert_string_equal(record.title + strlen(record.title) - 11, " to out.csv");
	path_in(w, "child", path);
	FILE *file = fopen(path, "r");
	assert_int_equal(fscanf(file, "%d", &child), 1);
	fclose(file);
	/* Its child went with it. */
	wait_until(kill(child, 0) != 0);
}

static void history_is_not_rewritten(void **state)
{
	struct world *w = *state;
	struct job_record record;
	struct audit_record *audits;
	size_t count;
	struct err e;
	int64_t id = start(w, "exit 0", "a");
	record = wait_for(w, id, JOB_DONE);
	snprintf(record.summary, sizeof record.summary, "better than it was");
	assert_int_equal(registry_job_update(w->registry, &record, &e), -1);
	assert_int_equal(registry_audits(w->registry, "", 0, 10, &audits, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_string_equal(audits[0].action, "job-end");
	assert_string_equal(audits[0].outcome, "done");
	assert_string_equal(audits[1].action, "job-start");
	assert_string_equal(audits[1].who, "ada");
	free(audits);
}

static void refuse(struct world *w, const char *input, const char *output, const char *part)
{
	struct job_plan plan;
	struct err e = {0};
	cJSON *start = cJSON_CreateObject();
	(void)w;
	if (input != NULL)
		cJSON_AddStringToObject(start, "input", input);
	if (output != NULL)
		cJSON_AddStringToObject(start, "output", output);
	assert_int_equal(job_plan_make(job_kind_find("predict"), "m", 1, start, &plan, &e), -1);
	if (strstr(e.text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, part);
	cJSON_Delete(start);
}

static void plans_say_what_is_wrong(void **state)
{
	struct world *w = *state;
	char rows[512], out[512], fifo[512], empty[512], long_path[1200];
	struct job_plan plan;
	struct err e;
	path_in(w, "rows.csv", rows);
	path_in(w, "out.csv", out);
	path_in(w, "fifo", fifo);
	path_in(w, "empty", empty);
	write_file(rows, "a,b\n1,2\n3,4", 0600);
	write_file(empty, "", 0600);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	memset(long_path, 'x', sizeof long_path - 1);
	long_path[0] = '/';
	long_path[sizeof long_path - 1] = '\0';
	refuse(w, NULL, out, "`input` is missing");
	refuse(w, rows, NULL, "`output` is missing");
	refuse(w, "rows.csv", out, "absolute path");
	refuse(w, "/nowhere/rows.csv", out, "cannot read /nowhere/rows.csv");
	refuse(w, rows, "/nowhere/out.csv", "cannot write in /nowhere");
	refuse(w, rows, rows, "is the input itself");
	refuse(w, rows, fifo, "no ordinary file");
	refuse(w, fifo, out, "no ordinary file");
	refuse(w, w->directory, out, "no ordinary file");
	refuse(w, rows, w->directory, "no ordinary file");
	refuse(w, rows, "/tmp/", "must name a file");
	refuse(w, empty, out, "is empty");
	refuse(w, "/tmp/a\nb", out, "cannot be shown");
	refuse(w, long_path, out, "at most");
	cJSON *start_json = cJSON_Parse("{\"input\":\"/etc/hosts\",\"output\":\"/tmp/o\",\"speed\":9}");
	assert_int_equal(job_plan_make(job_kind_find("predict"), "m", 1, start_json, &plan, &e), -1);
	assert_non_null(strstr(e.text, "no field `speed`"));
	cJSON_Delete(start_json);
	write_file(out, "old", 0600);
	assert_int_equal(plan_of(w, "a,b\n1,2\n3,4", "out.csv", &plan, &e), 0);
	assert_string_equal(plan.facts[0].text, "11 B, 3 lines");
	assert_true(plan.facts[1].warning);
	assert_non_null(strstr(plan.facts[1].text, "will be replaced"));
	path_in(w, "out.csv.progress", out);
	write_file(out, "{}", 0600);
	assert_int_equal(plan_of(w, "a,b\n1,2\n3,4", "out.csv", &plan, &e), 0);
	assert_non_null(strstr(plan.facts[2].text, "goes on there"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_child_is_alone_and_knows_its_job),
	    TEST(exit_codes_and_output_say_how_it_ended),
	    TEST(the_end_of_the_output_is_kept),
	    TEST(what_it_said_itself_counts),
	    TEST(cancelling_asks_then_kills),
	    TEST(two_run_and_the_others_wait_in_order),
	    TEST(one_file_is_made_by_one_job),
	    TEST(too_many_are_refused),
	    TEST(a_shells_job_is_told_and_its_death_is_noticed),
	    TEST(a_process_out_of_sight_ends_by_its_silence),
	    TEST(a_drain_interrupts_and_an_answer_still_counts),
	    TEST(a_dead_runtimes_jobs_are_interrupted),
	    TEST(history_is_not_rewritten),
	    TEST(plans_say_what_is_wrong),
	};
	return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
