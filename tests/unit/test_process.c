/* Programs started as ours: their streams, signals and group. */
#include "unit.h"

#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char *script, char *text, size_t size)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	int ends[2];
	pid_t pid;
	size_t used = 0;
	ssize_t got;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(process_start("sh", argv, ends[1], ends[1], &pid), 0);
	close(ends[1]);
	while (used < size - 1 && (got = read(ends[0], text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	close(ends[0]);
	assert_int_equal(process_wait(pid), 0);
}

static void streams_are_what_was_given(void **state)
{
	char text[256];

	(void)state;
	run("echo out; echo errors >&2; cat; echo end", text, sizeof text);
	assert_string_equal(text, "out\nerrors\nend\n");
}

/* Signals that we block or ignore are the program's own again, and it leads a group. */
static void signals_and_group_are_its_own(void **state)
{
	sigset_t blocked, before;
	char text[256];

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signal(SIGUSR2, SIG_IGN);
	run("(kill -USR1 $(exec sh -c 'echo $PPID'); echo alive) ; (kill -USR2 $(exec sh -c 'echo $PPID'); echo alive);"
	    " [ $(cut -d ' ' -f 5 /proc/$$/stat) = $$ ] && echo leads",
	    text, sizeof text);
	signal(SIGUSR2, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_null(strstr(text, "alive"));
	assert_non_null(strstr(text, "leads"));
}

static void what_is_not_there_is_an_error(void **state)
{
	const char *const argv[] = {"no-such-program", NULL};
	pid_t pid;

	(void)state;
	assert_int_equal(process_start(argv[0], argv, PROCESS_OURS, PROCESS_OURS, &pid), ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(streams_are_what_was_given),
	    cmocka_unit_test(signals_and_group_are_its_own),
	    cmocka_unit_test(what_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
