/* The state directory: made with its parents, ours alone, and held by one process. */
#include "core/registry/registry_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int registry_sync_directory(int directory_fd, const char *name, struct err *e)
{
	int fd = openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "cannot open the directory %s", name);
	int error = fsync(fd) == 0 ? 0 : errno;
	close(fd);
	if (error != 0)
		return err_errno(e, error, "cannot write the directory %s to disk", name);
	return 0;
}

/* The parent's path: "." for a bare name. */
static void parent_of(const char *path, char parent[PATH_MAX])
{
	snprintf(parent, PATH_MAX, "%s", path);
	char *slash = strrchr(parent, '/');
	if (slash == NULL)
		snprintf(parent, PATH_MAX, ".");
	else
		slash[slash == parent ? 1 : 0] = '\0';
}

int registry_make_directory(int directory_fd, const char *name, struct err *e)
{
	if (mkdirat(directory_fd, name, 0700) != 0) {
		if (errno == EEXIST)
			return 0;
		return err_errno(e, errno, "cannot make the directory %s", name);
	}
	char parent[PATH_MAX];
	parent_of(name, parent);
	return registry_sync_directory(directory_fd, parent, e);
}

/* Makes every missing part of the path, from the left. */
static int make_all(const char *directory, struct err *e)
{
	char path[PATH_MAX];
	size_t length = strlen(directory);
	if (length == 0)
		return err_set(e, ERR_INPUT, "the state directory has an empty name");
	/* Room for "/mldeck.db-journal" behind it. */
	if (length >= sizeof path - 32)
		return err_set(e, ERR_INPUT, "the state directory's path is too long");
	for (size_t i = 1; i <= length; i++) {
		if (directory[i] != '/' && directory[i] != '\0')
			continue;
		memcpy(path, directory, i);
		path[i] = '\0';
		if (registry_make_directory(AT_FDCWD, path, e) != 0)
			return -1;
	}
	return 0;
}

static int check_owner(int fd, const char *directory, struct err *e)
{
	struct stat status;
	if (fstat(fd, &status) != 0)
		return err_errno(e, errno, "cannot read the state directory %s", directory);
	if (status.st_uid != geteuid())
		return err_set(e, ERR_DENIED,
			       "state directory %s belongs to uid %u, not to uid %u: run as its owner or "
			       "use another one",
			       directory, (unsigned)status.st_uid, (unsigned)geteuid());
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, ERR_DENIED, "state directory %s may be written by others (mode %03o): chmod 700 it",
			       directory, (unsigned)(status.st_mode & 0777));
	return 0;
}

static int refuse_held(int fd, const char *directory, struct err *e)
{
	char holder[24] = "";
	ssize_t size = pread(fd, holder, sizeof holder - 1, 0);
	if (size > 0)
		holder[strcspn(holder, "\n")] = '\0';
	if (size <= 0 || holder[0] == '\0')
		snprintf(holder, sizeof holder, "(unknown)");
	return err_set(e, ERR_CONFLICT,
		       "state directory %s is held by process %s: stop that one or use another directory", directory,
		       holder);
}

static int take_lock(struct registry *r, const char *directory, struct err *e)
{
	r->lock_fd = openat(r->directory_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->lock_fd < 0)
		return err_errno(e, errno, "cannot open the lock of state directory %s", directory);
	/* Of the open file, not of the process: a second open in the same process is refused as
	 * well. */
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(r->lock_fd, F_OFD_SETLK, &lock) != 0) {
		if (errno == EAGAIN || errno == EACCES)
			return refuse_held(r->lock_fd, directory, e);
		return err_errno(e, errno, "cannot lock state directory %s", directory);
	}
	char holder[24];
	int size = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
	/* On a full disk the lock holds all the same; only the holder's name is missing. */
	if (ftruncate(r->lock_fd, 0) == 0 && pwrite(r->lock_fd, holder, (size_t)size, 0) != size)
		return 0;
	return 0;
}

int registry_directory_open(struct registry *r, const char *directory, struct err *e)
{
	if (make_all(directory, e) != 0)
		return -1;
	r->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->directory_fd < 0)
		return err_errno(e, errno, "cannot open the state directory %s", directory);
	if (check_owner(r->directory_fd, directory, e) != 0)
		return -1;
	r->directory = realpath(directory, NULL);
	if (r->directory == NULL)
		return err_errno(e, errno, "cannot resolve the state directory %s", directory);
	return take_lock(r, directory, e);
}

void registry_directory_close(struct registry *r)
{
	/* The lock file stays: removing it would let two processes hold two files of one name. */
	if (r->lock_fd >= 0)
		close(r->lock_fd);
	if (r->directory_fd >= 0)
		close(r->directory_fd);
	free(r->directory);
}
