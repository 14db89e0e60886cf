#include "runtime/http/listener.h"

#include "core/text.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

/* Splits "ADDRESS:PORT", the address possibly in brackets. */
static int split_address(const char *address, char host[128], char port[8], struct err *e)
{
	const char *colon = strrchr(address, ':');
	long long number;
	if (colon == NULL || !text_integer(colon + 1, 0, 65535, &number))
		return err_set(e, ERR_USAGE, "`%s` is no ADDRESS:PORT, such as 127.0.0.1:8080", address);
	size_t length = (size_t)(colon - address);
	if (length >= 2 && address[0] == '[' && address[length - 1] == ']') {
		address++;
		length -= 2;
	}
	if (length == 0 || length >= 128)
		return err_set(e, ERR_USAGE, "`%s` is no ADDRESS:PORT, such as 127.0.0.1:8080", address);
	memcpy(host, address, length);
	host[length] = '\0';
	snprintf(port, 8, "%lld", number);
	return 0;
}

static int describe(int fd, char *bound, size_t size, struct err *e)
{
	struct sockaddr_storage address;
	socklen_t address_size = sizeof address;
	char host[64], port[8];
	if (getsockname(fd, (struct sockaddr *)&address, &address_size) != 0 ||
	    getnameinfo((struct sockaddr *)&address, address_size, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return err_set(e, ERR_SYSTEM, "the address in use could not be read");
	snprintf(bound, size, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	return 0;
}

int listener_tcp(const char *address, int *fd, char *bound, size_t bound_size, struct err *e)
{
	char host[128], port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found;
	const int on = 1;

	if (split_address(address, host, port, e) != 0)
		return -1;
	int status = getaddrinfo(host, port, &hints, &found);
	if (status != 0)
		return err_set(e, ERR_USAGE, "%s is no address to listen on: %s", address, gai_strerror(status));
	*fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(*fd, found->ai_addr, found->ai_addrlen) != 0 || listen(*fd, BACKLOG) != 0) {
		int error = errno;
		freeaddrinfo(found);
		if (*fd >= 0)
			close(*fd);
		if (error == EADDRINUSE)
			return err_set(e, ERR_CONFLICT, "another process listens on %s; choose another with --listen",
				       address);
		return err_errno(e, error, "cannot listen on %s", address);
	}
	freeaddrinfo(found);
	if (describe(*fd, bound, bound_size, e) != 0) {
		close(*fd);
		return -1;
	}
	return 0;
}

/* Ours and the group's. Who owns a file may give it to a group that they are in; root to any. */
static int open_to_group(const char *path, uint32_t group, mode_t mode, struct err *e)
{
	if (chown(path, (uid_t)-1, group) != 0 || chmod(path, mode) != 0)
		return err_errno(e, errno, "cannot open %s to the group of [control]", path);
	return 0;
}

/* The socket's directory: ours, 0700, or with a group 0750. */
static int prepare_directory(const char *path, const uint32_t *group, struct err *e)
{
	char directory[sizeof((struct sockaddr_un *)0)->sun_path];
	struct stat info;
	const char *slash = strrchr(path, '/');
	if (slash == NULL || slash == path)
		return err_set(e, ERR_USAGE, "the socket %s must lie in a directory of its own", path);
	snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		return err_errno(e, errno, "cannot make the socket's directory %s", directory);
	if (lstat(directory, &info) != 0)
		return err_errno(e, errno, "cannot look at %s", directory);
	if (!S_ISDIR(info.st_mode))
		return err_set(e, ERR_INPUT, "%s is no directory", directory);
	if (info.st_uid != geteuid())
		return err_set(e, ERR_DENIED, "%s belongs to uid %u; the control socket needs a directory of yours",
			       directory, info.st_uid);
	bool given = group != NULL && info.st_gid == *group && (info.st_mode & 027) == 0;
	if ((info.st_mode & 077) != 0 && !given)
		return err_set(e, ERR_DENIED, "%s is open to others; make it 0700 or choose another --socket",
			       directory);
	return group != NULL ? open_to_group(directory, *group, 0750, e) : 0;
}

static int remove_stale(const char *path, struct err *e)
{
	struct stat info;
	if (lstat(path, &info) != 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "cannot look at %s", path);
	if (!S_ISSOCK(info.st_mode))
		return err_set(e, ERR_CONFLICT, "%s is there and is no socket; move it away", path);
	if (info.st_uid != geteuid())
		return err_set(e, ERR_DENIED, "the socket %s belongs to uid %u", path, info.st_uid);

	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int connected = probe < 0 ? -1 : connect(probe, (struct sockaddr *)&address, sizeof address);
	if (probe >= 0)
		close(probe);
	if (connected == 0)
		return err_set(e, ERR_CONFLICT, "a runtime of another state directory answers on %s", path);
	if (unlink(path) != 0)
		return err_errno(e, errno, "cannot remove the old socket %s", path);
	return 0;
}

int listener_unix(const char *path, const uint32_t *group, int *fd, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return err_set(e, ERR_USAGE, "the socket's path %s is longer than the %zu bytes allowed", path,
			       sizeof address.sun_path - 1);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (prepare_directory(path, group, e) != 0 || remove_stale(path, e) != 0)
		return -1;

	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return err_errno(e, errno, "cannot make a socket");
	/* Set before bind: the file is never there with other rights. */
	mode_t before = umask(0177);
	int status = bind(*fd, (struct sockaddr *)&address, sizeof address);
	int error = errno;
	umask(before);
	if (status != 0 || listen(*fd, BACKLOG) != 0) {
		if (status == 0)
			error = errno;
		close(*fd);
		return err_errno(e, error, "cannot listen on %s", path);
	}
	if (group != NULL && open_to_group(path, *group, 0660, e) != 0) {
		close(*fd);
		return -1;
	}
	return 0;
}
