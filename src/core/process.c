#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int process_start(const char *program, const char *const *argv, int output, int errors, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t usual, none;

	sigemptyset(&none);
	sigfillset(&usual);
	/* Nobody can change what these do, and some systems refuse to try. */
	sigdelset(&usual, SIGKILL);
	sigdelset(&usual, SIGSTOP);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	if (output != PROCESS_OURS) {
		posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&files, output, 1);
		posix_spawn_file_actions_adddup2(&files, errors, 2);
	}
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	int error = posix_spawnp(pid, program, &files, &attributes, (char *const *)(const void *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

int process_wait(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}
