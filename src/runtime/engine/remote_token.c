/* remote_token: read at each use if it changed, so that a token is rotated by replacing its file.
 */
#include "runtime/engine/remote_internal.h"

#include "core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "Authorization: Bearer "
/* What a file system's clock may not tell apart: a file that was written again within it may look
 * unchanged. */
#define RACY_S 2

void remote_token_init(struct remote_token *t, const char *path)
{
	*t = (struct remote_token){.path = path};
	pthread_mutex_init(&t->lock, NULL);
}

void remote_token_release(struct remote_token *t)
{
	explicit_bzero(t->header, sizeof t->header);
	pthread_mutex_destroy(&t->lock);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A line for a header: what is visible in ASCII, without white space at the end. */
static bool token_valid(char *token, size_t size)
{
	while (size > 0 && strchr(" \t\r\n", token[size - 1]) != NULL)
		size--;
	token[size] = '\0';
	for (size_t i = 0; i < size; i++)
		if (token[i] <= ' ' || token[i] > '~')
			return false;
	return size > 0;
}

static int read_token(struct remote_token *t, int fd, struct err *e)
{
	char *token = t->header + sizeof PREFIX - 1;
	size_t room = sizeof t->header - sizeof PREFIX, used = 0;
	ssize_t got;

	memcpy(t->header, PREFIX, sizeof PREFIX);
	while (used < room && (got = read(fd, token + used, room - used)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(e, ERR_UPSTREAM, "the token file %s cannot be read: %s", t->path,
				       strerror(errno));
		used += (size_t)got;
	}
	if (used == room)
		return err_set(e, ERR_UPSTREAM, "the token file %s is longer than %zu bytes", t->path, room - 1);
	if (!token_valid(token, used))
		return err_set(e, ERR_UPSTREAM,
			       "the token file %s holds no token: one line of visible ASCII characters", t->path);
	return 0;
}

/* The lock is held. */
static int refresh(struct remote_token *t, struct err *e)
{
	struct stat now;
	int fd, result = -1;

	if (stat(t->path, &now) == 0 && t->settled && same_file(&now, &t->seen))
		return 0;
	t->settled = false;
	fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &now) != 0)
		err_set(e, ERR_UPSTREAM, "the token file %s cannot be opened: %s", t->path, strerror(errno));
	else if (!S_ISREG(now.st_mode))
		err_set(e, ERR_UPSTREAM, "the token file %s is no regular file", t->path);
	else
		result = read_token(t, fd, e);
	if (fd >= 0)
		close(fd);
	if (result == 0) {
		t->seen = now;
		t->settled = clock_unix_ms() / 1000 - now.st_mtim.tv_sec > RACY_S;
	}
	return result;
}

int remote_token_header(struct remote_token *t, char header[REMOTE_HEADER_SIZE], struct err *e)
{
	header[0] = '\0';
	if (t->path[0] == '\0')
		return 0;
	pthread_mutex_lock(&t->lock);
	int result = refresh(t, e);
	if (result == 0)
		memcpy(header, t->header, strlen(t->header) + 1);
	pthread_mutex_unlock(&t->lock);
	return result;
}
