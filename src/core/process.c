#include "core/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>

extern char **environ;

static void set_signals(posix_spawnattr_t *attributes)
{
	sigset_t usual, none;

	sigemptyset(&none);
	sigemptyset(&usual);
	/* These two cannot be set, which not every system lets pass. */
	for (int number = 1; number < NSIG; number++)
		if (number != SIGKILL && number != SIGSTOP)
			sigaddset(&usual, number);
	posix_spawnattr_setsigdefault(attributes, &usual);
	posix_spawnattr_setsigmask(attributes, &none);
}

static void set_files(posix_spawn_file_actions_t *files, const struct process_start *p)
{
	posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
	if (p->log != NULL) {
		posix_spawn_file_actions_addopen(files, 1, p->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		posix_spawn_file_actions_adddup2(files, 1, 2);
		return;
	}
	posix_spawn_file_actions_adddup2(files, p->output, 1);
	posix_spawn_file_actions_adddup2(files, p->fault, 2);
}

int process_start(const struct process_start *p, pid_t *pid)
{
	char *const *argv = (char *const *)(const void *)p->argv;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int error;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	if (!p->inherits)
		set_files(&files, p);
	set_signals(&attributes);
	posix_spawnattr_setflags(&attributes, (short)((p->session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP) |
						      POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
	if (p->program != NULL)
		error = posix_spawn(pid, p->program, &files, &attributes, argv, environ);
	else
		error = posix_spawnp(pid, p->argv[0], &files, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}
