#include "core/test/timed_run.h"

#include "core/clock.h"
#include "core/process.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_SIGNAL 128
/* How long the end may go unnoticed where the kernel cannot tell of it. */
#define PAUSE_MS 20

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
#define FORWARDED_COUNT (sizeof forwarded / sizeof *forwarded)

static volatile sig_atomic_t came[NSIG];

static void on_signal(int number)
{
	came[number] = 1;
}

static void forward(pid_t group)
{
	for (size_t i = 0; i < FORWARDED_COUNT; i++) {
		if (came[forwarded[i]] == 0)
			continue;
		came[forwarded[i]] = 0;
		kill(-group, forwarded[i]);
	}
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};

	sigemptyset(&action.sa_mask);
	sigemptyset(&ignore.sa_mask);
	for (size_t i = 0; i < FORWARDED_COUNT; i++)
		sigaction(forwarded[i], &action, NULL);
	/* Or giving the terminal back would stop us. */
	sigaction(SIGTTOU, &ignore, NULL);
}

/* --- the terminal --- */

/* Makes a group the foreground one, where ours or the child's is. */
static void give_terminal(pid_t from, pid_t to)
{
	if (isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == from)
		tcsetpgrp(STDIN_FILENO, to);
}

/* The terminal stopped the command, or it wants the terminal in the background: so do we stop, with our group, and the
 * shell has its prompt. It goes on when the shell lets us. */
static void stop_with(pid_t pid)
{
	if (!isatty(STDIN_FILENO))
		return;
	give_terminal(pid, getpgrp());
	kill(0, SIGTSTP);
	give_terminal(getpgrp(), pid);
	kill(-pid, SIGCONT);
}

static bool stopped_by_terminal(int status)
{
	return WIFSTOPPED(status) &&
	       (WSTOPSIG(status) == SIGTSTP || WSTOPSIG(status) == SIGTTIN || WSTOPSIG(status) == SIGTTOU);
}

/* --- its start --- */

static int start(const char *const *argv, pid_t *pid, struct err *e)
{
	const struct process_start start = {.argv = argv, .inherits = true};
	int error = process_start(&start, pid);

	return error == 0 ? 0 : err_errno(e, error, "%s cannot be run", argv[0]);
}

/* --- while it runs --- */

/* What /proc/PID/stat says, from its third field on; proc(5). */
struct process_facts {
	int group;
	unsigned long user, system; /* clock ticks */
	long waited_user, waited_system;
	long resident_pages;
};

static bool read_process(const char *pid, struct process_facts *f)
{
	char path[64], text[1024];
	bool found = false;

	snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	size_t size = fread(text, 1, sizeof text - 1, file);
	text[size] = '\0';
	/* The name, in parentheses, may hold anything. */
	const char *rest = strrchr(text, ')');
	if (rest != NULL)
		found =
		    sscanf(rest + 1,
			   " %*c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %*d %*d %*d %*d %*u %*u %ld",
			   &f->group, &f->user, &f->system, &f->waited_user, &f->waited_system,
			   &f->resident_pages) == 6;
	fclose(file);
	return found;
}

static void sample(pid_t group, struct timed_run *now)
{
	double ticks_s = (double)sysconf(_SC_CLK_TCK), page = (double)sysconf(_SC_PAGESIZE);
	double user = 0, system = 0, pages = 0;
	struct process_facts f;
	DIR *folder = opendir("/proc");

	if (folder == NULL)
		return;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !read_process(entry->d_name, &f) ||
		    f.group != group)
			continue;
		user += (double)f.user + (double)f.waited_user;
		system += (double)f.system + (double)f.waited_system;
		pages += (double)f.resident_pages;
	}
	closedir(folder);
	now->user_s = user / ticks_s;
	now->system_s = system / ticks_s;
	now->group_bytes = pages * page;
	if (now->group_bytes > now->group_peak_bytes)
		now->group_peak_bytes = now->group_bytes;
}

/* --- to its end --- */

static int process_fd(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

/* Waits until it ends, a signal came, or the time is over. */
static void wait_some(int fd)
{
	struct pollfd end = {.fd = fd, .events = POLLIN};

	poll(&end, fd >= 0, fd >= 0 ? TIMED_RUN_SAMPLE_MS : PAUSE_MS);
}

/* Until the process has ended: its status. */
static int follow(pid_t pid, uint64_t begun_ns, bool (*tick)(void *context, const struct timed_run *now), void *context,
		  struct timed_run *now)
{
	int status = 0, fd = process_fd(pid);
	int64_t next_ms = 0;
	bool ending = false;

	for (pid_t changed; (changed = waitpid(pid, &status, WNOHANG | WUNTRACED)) == 0 || WIFSTOPPED(status);) {
		if (changed > 0 && stopped_by_terminal(status))
			stop_with(pid);
		status = 0;
		forward(pid);
		if (clock_ms() >= next_ms) {
			next_ms = clock_ms() + TIMED_RUN_SAMPLE_MS;
			sample(pid, now);
			now->wall_s = (double)(clock_ns() - begun_ns) / 1e9;
			if (!tick(context, now) && !ending) {
				ending = true;
				kill(-pid, SIGTERM);
			}
		}
		wait_some(fd);
	}
	if (fd >= 0)
		close(fd);
	return status;
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void sum_up(struct timed_run *run, const struct rusage *before, int status)
{
	struct rusage usage = {0};

	/* Orphans that have ended came to us. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	getrusage(RUSAGE_CHILDREN, &usage);
	run->user_s = seconds_of(usage.ru_utime) - seconds_of(before->ru_utime);
	run->system_s = seconds_of(usage.ru_stime) - seconds_of(before->ru_stime);
	run->peak_bytes = (double)usage.ru_maxrss * 1024;
	run->signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	run->exit_code = WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

int timed_run(const char *const *argv, bool (*tick)(void *context, const struct timed_run *now), void *context,
	      struct timed_run *run, struct err *e)
{
	struct rusage before = {0};
	pid_t pid;

	*run = (struct timed_run){0};
	catch_signals();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	getrusage(RUSAGE_CHILDREN, &before);
	uint64_t begun_ns = clock_ns();
	if (start(argv, &pid, e) != 0)
		return -1;
	give_terminal(getpgrp(), pid);
	/* What read from the terminal before it was given was stopped. */
	kill(-pid, SIGCONT);
	int status = follow(pid, begun_ns, tick, context, run);
	run->wall_s = (double)(clock_ns() - begun_ns) / 1e9;
	give_terminal(pid, getpgrp());
	sum_up(run, &before, status);
	return 0;
}
