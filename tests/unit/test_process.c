/* Starting a program: what it gets of ours, where its output goes, and what is said when there is none. */
#include "core/process.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int end_of(pid_t pid)
{
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void read_all(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got;
	while (used + 1 < size && (got = read(fd, text + used, size - used - 1)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	close(fd);
}

/* Both streams, and nothing to read. */
static void output_goes_where_it_should(void **state)
{
	(void)state;
	static const char *const argv[] = {"sh", "-c", "cat; echo out; echo fault >&2; exit 7", NULL};
	char output[64], fault[64];
	int out[2], bad[2];
	pid_t pid;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(bad, O_CLOEXEC), 0);
	const struct process_start start = {.program = "/bin/sh", .argv = argv, .output = out[1], .fault = bad[1]};
	assert_int_equal(process_start(&start, &pid), 0);
	close(out[1]);
	close(bad[1]);
	read_all(out[0], output, sizeof output);
	read_all(bad[0], fault, sizeof fault);
	assert_int_equal(end_of(pid), 7);
	assert_string_equal(output, "out\n");
	assert_string_equal(fault, "fault\n");
}

static void a_log_is_appended_to(void **state)
{
	(void)state;
	static const char *const argv[] = {"sh", "-c", "echo one; echo two >&2", NULL};
	char path[] = "/tmp/mldeck.XXXXXX", text[64];
	int fd = mkstemp(path);
	pid_t pid;
	assert_true(fd >= 0);
	const struct process_start start = {.argv = argv, .log = path, .session = true};
	for (int i = 0; i < 2; i++) {
		assert_int_equal(process_start(&start, &pid), 0);
		assert_int_equal(end_of(pid), 0);
	}
	read_all(fd, text, sizeof text);
	unlink(path);
	assert_string_equal(text, "one\ntwo\none\ntwo\n");
}

/* Ignored and blocked signals of ours are neither in the child: it ends by the first one that it sends itself. */
static void signals_are_as_usual(void **state)
{
	(void)state;
	static const char *const argv[] = {"sh", "-c", "kill -TERM $$; exit 0", NULL};
	const struct process_start start = {.argv = argv, .inherits = true};
	sigset_t blocked, before;
	int status = 0;
	pid_t pid;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	void (*handler)(int) = signal(SIGTERM, SIG_IGN);
	int error = process_start(&start, &pid);
	signal(SIGTERM, handler);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(error, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* In a group of its own, or a session. */
static void it_leads_a_group(void **state)
{
	(void)state;
	static const char *const argv[] = {"sleep", "60", NULL};
	for (int session = 0; session < 2; session++) {
		const struct process_start start = {.argv = argv, .inherits = true, .session = session == 1};
		pid_t pid;
		assert_int_equal(process_start(&start, &pid), 0);
		assert_int_equal(getpgid(pid), pid);
		assert_int_equal(getsid(pid), session == 1 ? pid : getsid(0));
		kill(-pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

static void no_such_program(void **state)
{
	(void)state;
	static const char *const argv[] = {"mldeck-is-not-there", NULL};
	const struct process_start by_path = {.program = "/nonexistent/program", .argv = argv, .inherits = true};
	const struct process_start by_name = {.argv = argv, .inherits = true};
	pid_t pid;
	assert_int_equal(process_start(&by_path, &pid), ENOENT);
	assert_int_equal(process_start(&by_name, &pid), ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(output_goes_where_it_should),
	    cmocka_unit_test(a_log_is_appended_to),
	    cmocka_unit_test(signals_are_as_usual),
	    cmocka_unit_test(it_leads_a_group),
	    cmocka_unit_test(no_such_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
