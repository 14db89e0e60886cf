#include "ui/console/embedded.h"

#include "core/process.h"
#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_TAIL_SIZE 1024

bool embedded_answers(const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool answers;

	if (fd < 0 || strlen(socket_path) >= sizeof(address.sun_path)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	/* EAGAIN: its queue is full, so somebody is there; EACCES: somebody else's. */
	answers = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN ||
		  errno == EINPROGRESS || errno == EACCES || errno == EPERM;
	close(fd);
	return answers;
}

/* mkdir -p; what was missing is readable by its owner only. */
static int directory_make(const char *path, struct err *e)
{
	char part[300];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return err_set(e, ERR_INPUT, "the state directory's name is too long");
	for (char *c = part + 1; *c; c++)
		if (*c == '/') {
			*c = '\0';
			mkdir(part, 0700);
			*c = '/';
		}
	if (mkdir(part, 0700) != 0 && errno != EEXIST)
		return err_errno(e, errno, "the state directory %s cannot be made", path);
	return 0;
}

static int start(const char *state, const char *socket_path, const char *log, pid_t *pid)
{
	const char *const argv[] = {"mldeck", "serve", "--state", state, "--socket", socket_path, NULL};
	const struct process_start start = {.program = PROCESS_SELF, .argv = argv, .log = log, .session = true};

	return process_start(&start, pid);
}

int embedded_start(struct embedded *m, const char *state, const char *socket_path, struct err *e)
{
	int error;

	m->pid = 0;
	if (directory_make(state, e) != 0)
		return -1;
	snprintf(m->log, sizeof(m->log), "%s/serve.log", state);
	error = start(state, socket_path, m->log, &m->pid);
	if (error) {
		m->pid = 0;
		return err_errno(e, error, "the runtime cannot be started (its log: %s)", m->log);
	}
	return 0;
}

static void log_last_line(const char *path, char *line, size_t size)
{
	char tail[LOG_TAIL_SIZE + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	ssize_t n = 0;
	char *start;

	if (end > 0)
		n = pread(fd, tail, LOG_TAIL_SIZE, end > LOG_TAIL_SIZE ? end - LOG_TAIL_SIZE : 0);
	if (fd >= 0)
		close(fd);
	while (n > 0 && (tail[n - 1] == '\n' || tail[n - 1] == '\r'))
		n--;
	tail[n > 0 ? n : 0] = '\0';
	start = strrchr(tail, '\n');
	text_clean(line, size, start ? start + 1 : tail);
}

bool embedded_ended(struct embedded *m, char *reason, size_t size)
{
	int status;

	if (m->pid == 0 || waitpid(m->pid, &status, WNOHANG) == 0)
		return false;
	m->pid = 0;
	log_last_line(m->log, reason, size);
	if (!*reason)
		snprintf(reason, size, "it said nothing in %s", m->log);
	return true;
}
