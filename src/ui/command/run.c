#include "ui/command/run.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_SIZE 80

static int start(char *const *arguments, int output, pid_t *pid)
{
	const char *argv[ARGUMENTS_SIZE] = {"mldeck"};
	const struct process_start start = {.program = PROCESS_SELF, .argv = argv, .output = output, .fault = output};
	size_t count = 1;

	for (size_t i = 0; arguments[i] && count < ARGUMENTS_SIZE - 1; i++)
		argv[count++] = arguments[i];
	return process_start(&start, pid);
}

/* Reads until the end of the output; false when the time was over. What exceeds the limit is read and lost. */
static bool output_read(int fd, struct buf *b, size_t output_max, long long until_ms)
{
	char chunk[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		long long left = until_ms - clock_ms();
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0 || (n < 0 && errno != EINTR))
			return true;
		if (n > 0 && b->size < output_max)
			buf_add(b, chunk, (size_t)n < output_max - b->size ? (size_t)n : output_max - b->size);
	}
}

int run_self(char *const *arguments, size_t output_max, int timeout_s, char **output, struct err *e)
{
	struct buf b;
	int ends[2], error, status = 0;
	pid_t pid;
	bool ended;

	*output = NULL;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(e, errno, "the command cannot be run");
	error = start(arguments, ends[1], &pid);
	close(ends[1]);
	if (error) {
		close(ends[0]);
		return err_errno(e, error, "the command cannot be run");
	}
	buf_init(&b);
	ended = output_read(ends[0], &b, output_max, clock_ms() + timeout_s * 1000LL);
	close(ends[0]);
	if (!ended)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*output = buf_take(&b);
	if (!ended)
		return err_set(e, ERR_SYSTEM, "the command was stopped after %d seconds", timeout_s);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
