/*
 * Artifacts: model files, named by their SHA-256, complete and on disk before any row names them.
 * A file in artifacts/tmp is nobody's but its writer's; a file in artifacts/sha256 never changes.
 */
#include "core/digest.h"
#include "core/fault.h"
#include "core/file.h"
#include "core/registry/registry_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE 128

struct artifact {
	struct registry *registry;
	struct digest *digest;
	int fd;
	uint64_t size_bytes;
	char name[NAME_SIZE]; /* below the state directory */
};

static int fail(int error, const char *what, struct err *e)
{
	/* EFBIG is a limit on file sizes: for the operator the same as a full disk. */
	if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		return err_set(e, ERR_DISK_FULL,
			       "the disk of the state directory is full, so the model file was not kept: "
			       "make room and try again");
	return err_errno(e, error, "cannot %s the model file", what);
}

static void shelf_of(const char *sha256, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, ARTIFACTS_SHA256 "/%.2s", sha256);
}

static void name_of(const char *sha256, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, ARTIFACTS_SHA256 "/%.2s/%.64s", sha256, sha256);
}

int artifact_begin(struct registry *r, struct artifact **result, struct err *e)
{
	struct artifact *a = calloc(1, sizeof *a);
	if (a == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while taking a model file");
	a->registry = r;
	a->fd = -1;
	a->digest = digest_new(e);
	if (a->digest == NULL)
		goto failed;
	snprintf(a->name, sizeof a->name, ARTIFACTS_TEMPORARY "/%u", atomic_fetch_add(&r->temporaries, 1));
	a->fd = openat(r->directory_fd, a->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (a->fd < 0) {
		fail(errno, "make", e);
		goto failed;
	}
	*result = a;
	return 0;
failed:
	artifact_abort(a);
	return -1;
}

int artifact_write(struct artifact *a, const void *data, size_t size, struct err *e)
{
	if (digest_add(a->digest, data, size, e) != 0)
		return -1;
	if (file_write(a->fd, data, size) != 0)
		return fail(errno, "write", e);
	a->size_bytes += size;
	return 0;
}

static void release(struct artifact *a)
{
	if (a->fd >= 0)
		close(a->fd);
	digest_free(a->digest);
	free(a);
}

void artifact_abort(struct artifact *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		unlinkat(a->registry->directory_fd, a->name, 0);
	release(a);
}

/* Puts the finished file on its shelf. Over a file of the same name it is a repair: the content is
 * equal. */
static int shelve(struct artifact *a, const char *sha256, struct err *e)
{
	int directory_fd = a->registry->directory_fd;
	char shelf[NAME_SIZE], name[NAME_SIZE];
	shelf_of(sha256, shelf);
	name_of(sha256, name);
	FAULT_POINT(artifact_written);
	if (fchmod(a->fd, 0400) != 0 || fsync(a->fd) != 0)
		return fail(errno, "write", e);
	FAULT_POINT(artifact_synced);
	if (mkdirat(directory_fd, shelf, 0700) != 0 && errno != EEXIST)
		return fail(errno, "shelve", e);
	if (renameat(directory_fd, a->name, directory_fd, name) != 0)
		return fail(errno, "shelve", e);
	FAULT_POINT(artifact_renamed);
	if (registry_sync_directory(directory_fd, shelf, e) != 0 ||
	    registry_sync_directory(directory_fd, ARTIFACTS_SHA256, e) != 0)
		return -1;
	FAULT_POINT(artifact_shelved);
	return 0;
}

int artifact_commit(struct artifact *a, char sha256[65], uint64_t *size_bytes, struct err *e)
{
	if (digest_end(a->digest, sha256, e) != 0 || shelve(a, sha256, e) != 0) {
		artifact_abort(a);
		return -1;
	}
	*size_bytes = a->size_bytes;
	release(a);
	return 0;
}

static int check_map(const char *sha256, const void *data, size_t size, struct err *e)
{
	char now[DIGEST_SIZE];
	if (digest_of(data, size, now, e) != 0)
		return -1;
	if (strcmp(now, sha256) == 0)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "the stored model file %.12s was altered on disk (its SHA-256 is now %.12s): "
		       "upload the original file again",
		       sha256, now);
}

/* What of a model file is there; *size_bytes of its own. */
static int check_kind(int fd, const char *sha256, uint64_t *size_bytes, struct err *e)
{
	struct stat status;
	if (fstat(fd, &status) != 0)
		return fail(errno, "read", e);
	if (!S_ISREG(status.st_mode))
		return err_set(e, ERR_SYSTEM, "the stored model file %.12s is no file", sha256);
	*size_bytes = (uint64_t)status.st_size;
	return 0;
}

static int map_file(int fd, const char *sha256, const void **data, size_t *size, struct err *e)
{
	uint64_t size_bytes;
	if (check_kind(fd, sha256, &size_bytes, e) != 0)
		return -1;
	*size = (size_t)size_bytes;
	*data = NULL;
	if (*size == 0)
		return check_map(sha256, "", 0, e);
	void *map = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return fail(errno, "map", e);
	if (check_map(sha256, map, *size, e) != 0) {
		munmap(map, *size);
		return -1;
	}
	*data = map;
	return 0;
}

static int open_file(struct registry *r, const char *sha256, struct err *e)
{
	if (!digest_valid(sha256))
		return err_set(e, ERR_INPUT, "a SHA-256 is 64 lower-case hexadecimal digits, got \"%.80s\"", sha256);
	char name[NAME_SIZE];
	name_of(sha256, name);
	int fd = openat(r->directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "there is no uploaded file with the SHA-256 %s", sha256);
	return fd >= 0 ? fd : fail(errno, "open", e);
}

int artifact_open(struct registry *r, const char *sha256, int *fd, uint64_t *size_bytes, struct err *e)
{
	*fd = open_file(r, sha256, e);
	if (*fd < 0)
		return -1;
	if (check_kind(*fd, sha256, size_bytes, e) == 0)
		return 0;
	close(*fd);
	return -1;
}

int artifact_map(struct registry *r, const char *sha256, const void **data, size_t *size, struct err *e)
{
	int fd = open_file(r, sha256, e);
	if (fd < 0)
		return -1;
	int result = map_file(fd, sha256, data, size, e);
	close(fd);
	return result;
}

void artifact_unmap(const void *data, size_t size)
{
	if (data != NULL)
		munmap((void *)(uintptr_t)data, size);
}

bool artifact_present(struct registry *r, const char *sha256)
{
	char name[NAME_SIZE];
	name_of(sha256, name);
	return faccessat(r->directory_fd, name, R_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int artifact_is_named(struct registry *r, const char *sha256, struct err *e)
{
	struct statement *s = db_prepare(r->db, "SELECT 1 FROM version WHERE sha256 = ?1 LIMIT 1", e);
	if (s == NULL)
		return -1;
	db_bind_text(s, 1, sha256);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

static void remove_unnamed(struct registry *r, const char *sha256)
{
	char name[NAME_SIZE];
	name_of(sha256, name);
	/* Only on a certain no: an error must never cost a file. */
	if (artifact_is_named(r, sha256, NULL) == 0)
		unlinkat(r->directory_fd, name, 0);
}

void artifact_discard(struct registry *r, const char *sha256)
{
	if (!digest_valid(sha256))
		return;
	registry_lock(r);
	remove_unnamed(r, sha256);
	registry_unlock(r);
}

int artifact_open_store(struct registry *r, struct err *e)
{
	if (registry_make_directory(r->directory_fd, "artifacts", e) != 0 ||
	    registry_make_directory(r->directory_fd, ARTIFACTS_TEMPORARY, e) != 0 ||
	    registry_make_directory(r->directory_fd, ARTIFACTS_SHA256, e) != 0)
		return -1;
	return 0;
}

static DIR *open_directory(struct registry *r, const char *name)
{
	int fd = openat(r->directory_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	if (directory == NULL && fd >= 0)
		close(fd);
	return directory;
}

static void clean_shelf(struct registry *r, const char *shelf)
{
	char name[NAME_SIZE];
	snprintf(name, sizeof name, ARTIFACTS_SHA256 "/%.2s", shelf);
	DIR *directory = open_directory(r, name);
	for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
		if (digest_valid(entry->d_name) && strncmp(entry->d_name, shelf, 2) == 0)
			remove_unnamed(r, entry->d_name);
	if (directory != NULL)
		closedir(directory);
}

void artifact_clean_store(struct registry *r, bool sweep)
{
	DIR *directory = open_directory(r, ARTIFACTS_TEMPORARY);
	for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
		if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name))
			unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory != NULL)
		closedir(directory);
	directory = sweep ? open_directory(r, ARTIFACTS_SHA256) : NULL;
	for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
		if (strlen(entry->d_name) == 2 && strspn(entry->d_name, "0123456789abcdef") == 2)
			clean_shelf(r, entry->d_name);
	if (directory != NULL)
		closedir(directory);
}
