#include "runtime/job/job_child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NICENESS 10
#define VARIABLE "MLDECK_JOB="
/* Raises what the kernel counts against a process when memory is out (0 to 1000): a job goes before
 * serving. */
#define OOM_SCORE "700"

extern char **environ;

int job_process_fd(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

/* Our environment with the job's number; the strings are borrowed but for the first. */
static char **make_environment(int64_t id)
{
	size_t count = 0, used = 1;
	while (environ[count] != NULL)
		count++;
	char **made = calloc(count + 2, sizeof *made);
	char *variable = malloc(sizeof VARIABLE + 24);
	if (made == NULL || variable == NULL) {
		free(made);
		free(variable);
		return NULL;
	}
	snprintf(variable, sizeof VARIABLE + 24, VARIABLE "%" PRId64, id);
	made[0] = variable;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(environ[i], VARIABLE, strlen(VARIABLE)) != 0)
			made[used++] = environ[i];
	}
	return made;
}

static void be_expendable(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t written = write(fd, OOM_SCORE, sizeof OOM_SCORE - 1);
	(void)written;
	close(fd);
}

/* In the child, which shares our memory until it becomes another program: system calls only. */
static int become(const char *executable, char *const *arguments, char **environment, int output, pid_t parent)
{
	sigset_t none;
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || input < 0 || dup2(input, 0) < 0 ||
	    dup2(output, 1) < 0 || dup2(output, 2) < 0)
		return errno;
	if (getppid() != parent) /* it died before the kernel was told */
		return ESRCH;
#ifdef SYS_close_range
	/* Ours are all closed on exec; this is for what a library may have forgotten. */
	syscall(SYS_close_range, 3u, ~0u, 0u);
#endif
	setpriority(PRIO_PROCESS, 0, NICENESS);
	be_expendable();
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(executable, arguments, environment);
	return errno;
}

/* vfork() and not fork(): copying the page tables of a runtime full of models would stop its
 * threads for milliseconds. And not posix_spawn(), which cannot tie the child's life to ours. */
static pid_t spawn(const char *executable, char *const *arguments, char **environment, int output, int *error)
{
	volatile int failure = 0;
	sigset_t all, before;
	pid_t parent = getpid();

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = vfork();
	if (pid == 0) {
		failure = become(executable, arguments, environment, output, parent);
		_exit(127);
	}
	*error = pid < 0 ? errno : failure;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int job_child_start(const char *executable, char *const *arguments, int64_t id, struct job_child *child, struct err *e)
{
	char **environment = make_environment(id);
	int ends[2], error;

	*child = (struct job_child){.process_fd = -1, .output_fd = -1};
	if (environment == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for starting a job");
	if (pipe2(ends, O_CLOEXEC) != 0) {
		error = errno;
	} else {
		child->pid =
		    spawn(executable == NULL ? "/proc/self/exe" : executable, arguments, environment, ends[1], &error);
		close(ends[1]);
		child->output_fd = ends[0];
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
	}
	free(environment[0]);
	free(environment);
	if (error == 0) {
		child->process_fd = job_process_fd(child->pid);
		return 0;
	}
	while (child->pid > 0 && waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	job_child_release(child);
	return err_errno(e, error, "the job's process cannot be started");
}

void job_child_signal(const struct job_child *child, int number)
{
	if (child->pid > 0)
		kill(-child->pid, number);
}

bool job_child_ended(struct job_child *child, int *status)
{
	siginfo_t ended = {0};
	if (child->pid <= 0)
		return false;
	/* First without taking it away: its group has our number as long as it is there. */
	if (waitid(P_PID, (id_t)child->pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0)
		return false;
	kill(-child->pid, SIGKILL); /* whom it left behind */
	if (waitpid(child->pid, status, WNOHANG) != child->pid)
		return false;
	child->pid = 0;
	return true;
}

void job_child_release(struct job_child *child)
{
	if (child->process_fd >= 0)
		close(child->process_fd);
	if (child->output_fd >= 0)
		close(child->output_fd);
	*child = (struct job_child){.process_fd = -1, .output_fd = -1};
}
