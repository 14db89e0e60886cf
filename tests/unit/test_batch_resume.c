/* Batches that were stopped, killed at any change of a file, or out of room, and go on to the same bytes. */
#include "batch_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/*
 * Every call that changes a file passes here: with die_at > 0, the process ends at the so many-th one, half of the
 * bytes written; with fail_at > 0, the so many-th write fails after half of its bytes. These stand before the C
 * library's for the whole program.
 */
static int die_at, fail_at;

static void maybe_die(int fd, const void *data, size_t size)
{
	if (die_at > 0 && --die_at == 0) {
		if (size > 1)
			syscall(SYS_write, fd, data, size / 2);
		_exit(77);
	}
}

ssize_t write(int fd, const void *data, size_t size)
{
	maybe_die(fd, data, size);
	if (fail_at > 0 && --fail_at == 0) {
		syscall(SYS_write, fd, data, size / 2);
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_write, fd, data, size);
}

int rename(const char *from, const char *to)
{
	maybe_die(-1, NULL, 0);
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *name)
{
	maybe_die(-1, NULL, 0);
	return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}

int ftruncate(int fd, off_t size)
{
	maybe_die(-1, NULL, 0);
	return (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
	maybe_die(-1, NULL, 0);
	return (int)syscall(SYS_fdatasync, fd);
}

#define MANY 40

static void put_many(void)
{
	FILE *f = fopen("in.csv", "w");
	fputs("id,a,b\n", f);
	for (int i = 0; i < MANY; i++)
		fprintf(f, i % 9 == 4 ? "row %d,x,1\n" : i % 11 == 5 ? "row %d,666,1\n" : "row %d,1,2\n", i);
	fclose(f);
}

static void a_stopped_run_goes_on(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	struct batch_progress p;
	enum batch_outcome outcome;
	struct err e;
	(void)state;
	put_many();
	done(&o);
	char *expected = strdup(get("out.csv")), *rejects = strdup(get("out.csv.rejects.csv"));
	put("out.csv", "old");
	stop = 1;
	assert_int_equal(run_version(&o, 1, &outcome, &p, &e), 0);
	assert_int_equal(outcome, BATCH_STOPPED);
	assert_string_equal(get("out.csv"), "old");
	stop = 0;
	/* What is behind the recorded end counts for nothing. */
	FILE *f = fopen("out.csv.part", "a");
	for (int i = 0; i < 5000; i++)
		fputs("more", f);
	fclose(f);
	assert_int_equal(done(&o).rows, MANY);
	assert_string_equal(get("out.csv"), expected);
	assert_string_equal(get("out.csv.rejects.csv"), rejects);
	nothing_is_left();
	free(expected);
	free(rejects);
}

/* A run that ends in the middle, with its progress. */
static void leave_half(const struct batch_options *o)
{
	enum batch_outcome outcome;
	struct batch_progress p;
	struct err e;
	put_many();
	failure = ERR_DENIED;
	struct batch_options half = *o;
	half.in_flight = 1;
	failures_left = 0;
	calls = 0;
	/* The disk is full before all is written. */
	struct rlimit limit = {60, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	pid_t child = fork();
	if (child == 0) {
		/* The progress is longer than the limit, so it is lifted for the first one. */
		stop = 1;
		if (run_version(&half, 1, &outcome, &p, &e) != 0)
			_exit(1);
		stop = 0;
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(run_version(&half, 1, &outcome, &p, &e) == -1 && e.code == ERR_DISK_FULL ? 0 : 2);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_string_not_equal(get("out.csv.progress"), "-");
}

static void another_run_is_not_continued(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	enum batch_outcome outcome;
	struct batch_progress p;
	struct err e;
	struct batch *b;
	(void)state;
	leave_half(&o);
	assert_int_equal(batch_open(&o, &b, &e), 0);
	assert_int_equal(batch_version(b), 1);
	batch_close(b);
	assert_int_equal(run_version(&o, 2, &outcome, &p, &e), -1);
	assert_string_equal(e.text, "out.csv was begun with v1; go on with --version 1, or add --restart to start over "
				    "with v2");
	manifest.sha256[0] = 'F';
	refused(&o, ERR_CONFLICT, "v1 of m is another file than when out.csv was begun; add --restart to start over");
	manifest.sha256[0] = 'f';
	o.keep = (struct rows_keep){.count = 1, .names = {"id"}};
	assert_int_equal(run_version(&o, 1, &outcome, &p, &e), -1);
	assert_non_null(strstr(e.text, "out.csv was begun by a run of something else (m; csv to csv; outputs ; keep"));
	o.keep = (struct rows_keep){0};
	FILE *f = fopen("in.csv", "a");
	fputs("row,1,1\n", f);
	fclose(f);
	refused(&o, ERR_CONFLICT,
		"in.csv has changed since out.csv was begun; add --restart to start over, or name another --output");
	o.restart = true;
	assert_int_equal(done(&o).rows, MANY + 1);
	nothing_is_left();
	put("out.csv.progress", "{");
	o.restart = false;
	refused(&o, ERR_CONFLICT,
		"out.csv.progress is no progress of a run (it is no JSON); add --restart to start over");
	unlink("out.csv.progress");
	unlink("out.csv.part");
}

static void a_full_disk_is_waited_out(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	(void)state;
	put_many();
	done(&o);
	char *expected = strdup(get("out.csv"));
	leave_half(&o);
	done(&o);
	assert_string_equal(get("out.csv"), expected);
	nothing_is_left();
	free(expected);
}

/* Runs in a child that dies at the so many-th change of a file; false when it came to its end before. */
static bool dies(const struct batch_options *o, int at)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		enum batch_outcome outcome;
		struct batch_progress p;
		struct err e = {0};
		die_at = at;
		int result = run_version(o, 1, &outcome, &p, &e);
		die_at = 0;
		if (result != 0)
			fprintf(stderr, "%s\n", e.text);
		_exit(result != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == 77;
}

static void a_killed_run_goes_on_anywhere(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	(void)state;
	put_many();
	o.keep = (struct rows_keep){.count = 1, .names = {"id"}};
	done(&o);
	char *expected = strdup(get("out.csv")), *rejects = strdup(get("out.csv.rejects.csv"));
	int at = 1;
	/* checkpoint_ms is 0: the progress is written after every chunk. */
	for (bool died = true; died; at++) {
		unlink("out.csv");
		unlink("out.csv.rejects.csv");
		died = dies(&o, at);
		const char *half = get("out.csv");
		assert_true(strcmp(half, "-") == 0 || strcmp(half, expected) == 0);
		/* The second one is killed soon as well. */
		if (died && dies(&o, 1 + at % 7))
			done(&o);
		assert_string_equal(get("out.csv"), expected);
		assert_string_equal(get("out.csv.rejects.csv"), rejects);
		nothing_is_left();
	}
	assert_true(at > 60);
	free(expected);
	free(rejects);
}

static void a_write_that_fails_once_spoils_nothing(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	enum batch_outcome outcome;
	struct batch_progress p;
	struct err e;
	int at = 1;
	(void)state;
	put_many();
	done(&o);
	char *expected = strdup(get("out.csv")), *rejects = strdup(get("out.csv.rejects.csv"));
	for (bool failed = true; failed; at++) {
		fail_at = at;
		failed = run_version(&o, 1, &outcome, &p, &e) != 0;
		fail_at = 0;
		assert_true(!failed || e.code == ERR_DISK_FULL);
		if (failed)
			done(&o);
		assert_string_equal(get("out.csv"), expected);
		assert_string_equal(get("out.csv.rejects.csv"), rejects);
		nothing_is_left();
	}
	assert_true(at > 20);
	free(expected);
	free(rejects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stopped_run_goes_on),
	    cmocka_unit_test(another_run_is_not_continued),
	    cmocka_unit_test(a_full_disk_is_waited_out),
	    cmocka_unit_test(a_killed_run_goes_on_anywhere),
	    cmocka_unit_test(a_write_that_fails_once_spoils_nothing),
	};
	return cmocka_run_group_tests_name("batch_resume", tests, set_up, tear_down);
}
