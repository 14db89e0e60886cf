#include "core/test/launch.h"

#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK_MS 100

/* Both ends of both pipes: reading at 0, writing at 1. */
struct pipes {
	int output[2], fault[2];
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_pipes(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		close_end(&p->output[i]);
		close_end(&p->fault[i]);
	}
}

static int open_pipes(struct pipes *p, struct err *e)
{
	*p = (struct pipes){{-1, -1}, {-1, -1}};
	if (pipe2(p->output, O_CLOEXEC) == 0 && pipe2(p->fault, O_CLOEXEC) == 0)
		return 0;
	int error = errno;
	close_pipes(p);
	return err_errno(e, error, "a pipe cannot be made");
}

static int start(const char *program, const char *const *argv, struct pipes *p, pid_t *pid, struct err *e)
{
	const struct process_start start = {
	    .program = program, .argv = argv, .output = p->output[1], .fault = p->fault[1]};
	int error = process_start(&start, pid);

	close_end(&p->output[1]);
	close_end(&p->fault[1]);
	return error == 0 ? 0 : err_errno(e, error, "%s cannot be started", program);
}

static void take(int *fd, struct buf *into)
{
	char chunk[16384];
	ssize_t got = read(*fd, chunk, sizeof chunk);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0)
		close_end(fd);
	else if (into->size + (size_t)got <= LAUNCH_OUTPUT_MAX)
		buf_add(into, chunk, (size_t)got);
}

/* Until both streams have ended; false when it was stopped. */
static bool read_all(struct pipes *p, struct launch *launch, bool (*go_on)(void *context), void *context)
{
	while (p->output[0] >= 0 || p->fault[0] >= 0) {
		struct pollfd ends[] = {{.fd = p->output[0], .events = POLLIN}, {.fd = p->fault[0], .events = POLLIN}};
		poll(ends, 2, ASK_MS);
		if (go_on != NULL && !go_on(context))
			return false;
		if (ends[0].revents != 0)
			take(&p->output[0], &launch->output);
		if (ends[1].revents != 0)
			take(&p->fault[0], &launch->fault);
	}
	return true;
}

int launch_run(const char *program, const char *const *argv, bool (*go_on)(void *context), void *context,
	       struct launch *launch, struct err *e)
{
	struct pipes pipes;
	pid_t pid;

	*launch = (struct launch){0};
	buf_init(&launch->output);
	buf_init(&launch->fault);
	if (open_pipes(&pipes, e) != 0)
		return -1;
	if (start(program, argv, &pipes, &pid, e) != 0) {
		close_pipes(&pipes);
		return -1;
	}
	launch->pid = (int)pid;
	bool whole = read_all(&pipes, launch, go_on, context);
	if (!whole)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &launch->status, 0) < 0 && errno == EINTR)
		;
	close_pipes(&pipes);
	if (!whole)
		return err_set(e, ERR_CONFLICT, "it was stopped");
	return launch->output.failed || launch->fault.failed ? err_set(e, ERR_MEMORY, "memory is out") : 0;
}

void launch_release(struct launch *launch)
{
	buf_release(&launch->output);
	buf_release(&launch->fault);
}
