/*
 * disk_shim: a disk that keeps only what it was asked to keep, for LD_PRELOAD.
 *
 * It holds an image of the folder MLDECK_DISK_STATE in the folder MLDECK_DISK_IMAGE. A file's content comes into the
 * image at fsync() or fdatasync() of it, names come at fsync() of their folder: so the image is what a power cut may
 * leave in the worst case. What is written, made, renamed or removed without those, and sync_file_range(), leaves no
 * trace. Whoever killed the process puts the image in the folder's place (disk_image.h has its form). What is there at
 * the start counts as kept. The real calls are not made: the machine does not lose its power.
 */
#include "lib/disk_image.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *state, *image;

static void give_up(const char *what)
{
	perror(what);
	abort();
}

static void key_of(int folder, const char *name, char key[DISK_KEY_SIZE], mode_t *mode)
{
	struct statx s;
	if (statx(folder, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &s) != 0)
		give_up("statx");
	/* With the time of its birth, for numbers of inodes are used again. */
	snprintf(key, DISK_KEY_SIZE, "%llx-%llx-%x", (unsigned long long)s.stx_ino, (long long)s.stx_btime.tv_sec,
		 s.stx_btime.tv_nsec);
	*mode = s.stx_mode;
}

/* Over the content of before, never by way of an empty file: what was kept once is not lost by keeping more. */
static void keep_file(int fd)
{
	char key[DISK_KEY_SIZE], path[PATH_MAX], block[65536];
	mode_t mode;
	off_t done = 0;
	ssize_t size;
	key_of(fd, "", key, &mode);
	snprintf(path, sizeof path, "%s/f%s", image, key);
	int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (out < 0)
		give_up(path);
	while ((size = pread(fd, block, sizeof block, done)) > 0) {
		if (pwrite(out, block, (size_t)size, done) != size)
			give_up(path);
		done += size;
	}
	if (size < 0 || ftruncate(out, done) != 0)
		give_up(path);
	close(out);
}

static void keep_names(int fd)
{
	char key[DISK_KEY_SIZE], path[PATH_MAX], temporary[PATH_MAX];
	mode_t mode;
	key_of(fd, "", key, &mode);
	snprintf(path, sizeof path, "%s/d%s", image, key);
	snprintf(temporary, sizeof temporary, "%s/new", image);
	FILE *out = fopen(temporary, "we");
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = again >= 0 ? fdopendir(again) : NULL;
	if (out == NULL || folder == NULL)
		give_up(path);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		key_of(fd, entry->d_name, key, &mode);
		if (S_ISREG(mode) || S_ISDIR(mode))
			fprintf(out, "%c%s %s\n", S_ISDIR(mode) ? 'd' : 'f', key, entry->d_name);
	}
	closedir(folder);
	if (fclose(out) != 0 || rename(temporary, path) != 0)
		give_up(path);
}

/* Everything below a folder, as it is. */
static void keep_all(int fd)
{
	keep_names(fd);
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = again >= 0 ? fdopendir(again) : NULL;
	if (folder == NULL)
		give_up(state);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		char key[DISK_KEY_SIZE];
		mode_t mode;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		key_of(fd, entry->d_name, key, &mode);
		if (!S_ISREG(mode) && !S_ISDIR(mode))
			continue;
		int item = openat(fd, entry->d_name, O_RDONLY | O_CLOEXEC);
		if (item < 0)
			give_up(entry->d_name);
		if (S_ISDIR(mode))
			keep_all(item);
		else
			keep_file(item);
		close(item);
	}
	closedir(folder);
}

__attribute__((constructor)) static void begin(void)
{
	char path[PATH_MAX], key[DISK_KEY_SIZE];
	mode_t mode;
	state = getenv("MLDECK_DISK_STATE");
	image = getenv("MLDECK_DISK_IMAGE");
	if (state == NULL || image == NULL)
		return;
	/* A child would take what is there then for kept. */
	unsetenv("LD_PRELOAD");
	int fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		give_up(state);
	keep_all(fd);
	key_of(fd, "", key, &mode);
	close(fd);
	snprintf(path, sizeof path, "%s/root", image);
	FILE *out = fopen(path, "we");
	if (out == NULL || fprintf(out, "d%s\n", key) < 0 || fclose(out) != 0)
		give_up(path);
}

/* Whether the file was of the folder, and is kept now. */
static int keep(int fd)
{
	char link[64], path[PATH_MAX];
	struct stat status;
	if (image == NULL || fstat(fd, &status) != 0)
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, sizeof path - 1);
	if (size < 0)
		return 0;
	path[size] = '\0';
	size_t length = strlen(state);
	if (strncmp(path, state, length) != 0 || (path[length] != '/' && path[length] != '\0'))
		return 0;
	pthread_mutex_lock(&mutex);
	if (S_ISDIR(status.st_mode)) {
		keep_names(fd);
	} else if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
		int readable = open(link, O_RDONLY | O_CLOEXEC);
		if (readable < 0)
			give_up(path);
		keep_file(readable);
		close(readable);
	} else {
		/* Not by another descriptor: closing that would end SQLite's locks. */
		keep_file(fd);
	}
	pthread_mutex_unlock(&mutex);
	return 1;
}

/* ISO C has no conversion from what dlsym() gives to a function. */
static int call_real(const char *name, int fd)
{
	int (*real)(int);
	void *found = dlsym(RTLD_NEXT, name);
	if (found == NULL) {
		errno = ENOSYS;
		return -1;
	}
	memcpy(&real, &found, sizeof real);
	return real(fd);
}

int fsync(int fd)
{
	return keep(fd) ? 0 : call_real("fsync", fd);
}

int fdatasync(int fd)
{
	return keep(fd) ? 0 : call_real("fdatasync", fd);
}
