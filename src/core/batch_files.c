/* batch: files: the input, OUTPUT.part, the rejects, and their names at the end. */
#include "core/batch_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int batch_file_error(int error, const char *name, struct err *e)
{
	/* EFBIG is a limit on file sizes: for the operator the same as a full disk. */
	if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		return err_set(e, ERR_DISK_FULL, "there is no room for %s: make room and run it again", name);
	return err_errno(e, error, "%s cannot be written", name);
}

int batch_write_all(int fd, const void *data, size_t size, const char *name, struct err *e)
{
	const char *bytes = data;

	for (size_t done = 0; done < size;) {
		ssize_t written = write(fd, bytes + done, size - done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EPIPE)
			return err_set(e, ERR_SYSTEM, "whoever read %s has gone away", name);
		if (written < 0)
			return batch_file_error(errno, name, e);
		done += (size_t)written;
	}
	return 0;
}

static char *name_with(const char *name, const char *suffix)
{
	struct buf b;

	buf_init(&b);
	buf_add_string(&b, name);
	buf_add_string(&b, suffix);
	if (b.failed)
		buf_release(&b);
	return buf_take(&b);
}

/* "." for a name without a folder. */
static char *folder_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(name, slash == name ? 1 : (size_t)(slash - name));
}

static int open_input(struct batch *b, struct err *e)
{
	struct batch_files *f = &b->files;
	const char *name = b->options.input;
	struct stat st;

	f->input_fd = strcmp(name, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					     : open(name, O_RDONLY | O_CLOEXEC);
	if (f->input_fd < 0 || fstat(f->input_fd, &st) != 0)
		return err_errno(e, errno, "%s cannot be opened",
				 strcmp(name, "-") == 0 ? "standard input" : name);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "%s is a directory; --input takes a file of rows", name);
	f->regular_input = S_ISREG(st.st_mode) && strcmp(name, "-") != 0;
	f->input_size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return 0;
}

/* Whether a name is the input's file too. */
static bool is_input(const struct batch *b, const char *name)
{
	struct stat input, other;

	return name != NULL && fstat(b->files.input_fd, &input) == 0 && stat(name, &other) == 0 &&
	       S_ISREG(input.st_mode) && input.st_dev == other.st_dev && input.st_ino == other.st_ino;
}

static int name_files(struct batch *b, struct err *e)
{
	struct batch_files *f = &b->files;
	const char *name = b->options.output;

	f->output = strdup(name);
	f->part = name_with(name, ".part");
	f->progress = name_with(name, ".progress");
	f->progress_new = name_with(name, ".progress.new");
	f->rejects = b->options.rejects != NULL ? strdup(b->options.rejects) : name_with(name, ".rejects.csv");
	f->rejects_part = f->rejects != NULL ? name_with(f->rejects, ".part") : NULL;
	f->folder = folder_of(name);
	if (f->output == NULL || f->part == NULL || f->progress == NULL || f->progress_new == NULL ||
	    f->rejects_part == NULL || f->folder == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	const char *const names[] = {f->output, f->part, f->progress, f->progress_new, f->rejects, f->rejects_part};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_input(b, names[i]))
			return err_set(e, ERR_INPUT,
				       "%s would overwrite the input itself; name another --output", names[i]);
	return 0;
}

/* Not ours: closed before anything can be done to it. */
static int not_locked(struct batch_files *f, int error, struct err *e)
{
	close(f->part_fd);
	f->part_fd = -1;
	if (error == EWOULDBLOCK)
		return err_set(e, ERR_CONFLICT, "another run is writing %s; wait for it, or name another --output",
			       f->output);
	return err_errno(e, error, "%s cannot be locked", f->part);
}

/* OUTPUT.part with its lock. A run that ended meanwhile has renamed the file under us: then it is made again. */
static int lock_part(struct batch_files *f, struct err *e)
{
	struct stat ours, named;

	for (;;) {
		f->part_fd = open(f->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		if (f->part_fd < 0)
			return batch_file_error(errno, f->part, e);
		if (flock(f->part_fd, LOCK_EX | LOCK_NB) != 0)
			return not_locked(f, errno, e);
		if (fstat(f->part_fd, &ours) == 0 && stat(f->part, &named) == 0 &&
		    ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
			return 0;
		close(f->part_fd);
		f->part_fd = -1;
	}
}

int batch_files_open(struct batch *b, struct err *e)
{
	struct batch_files *f = &b->files;
	struct stat st;

	f->input_fd = f->part_fd = f->rejects_fd = -1;
	if (open_input(b, e) != 0)
		return -1;
	if (strcmp(b->options.output, "-") == 0) {
		f->part_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		if (f->part_fd < 0)
			return err_errno(e, errno, "standard output cannot be written");
		f->rejects = b->options.rejects != NULL ? strdup(b->options.rejects) : NULL;
		f->rejects_part = f->rejects != NULL ? name_with(f->rejects, ".part") : NULL;
		if (is_input(b, f->rejects) || is_input(b, f->rejects_part))
			return err_set(e, ERR_INPUT, "%s would overwrite the input itself; name another --rejects",
				       f->rejects);
		return 0;
	}
	if (stat(b->options.output, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT,
			       "%s is no regular file; --output takes a file's name, or - for standard output",
			       b->options.output);
	f->regular_output = true;
	return name_files(b, e) != 0 ? -1 : lock_part(f, e);
}

void batch_files_close(struct batch_files *f)
{
	int *const all[] = {&f->input_fd, &f->part_fd, &f->rejects_fd};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (*all[i] >= 0)
			close(*all[i]);
	free(f->output);
	free(f->part);
	free(f->progress);
	free(f->progress_new);
	free(f->rejects);
	free(f->rejects_part);
	free(f->folder);
}

static int cut(int fd, uint64_t size, const char *name, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return batch_file_error(errno, name, e);
	if ((uint64_t)st.st_size < size)
		return err_set(e, ERR_CONFLICT,
			       "%s is shorter than its run recorded; run with --restart to start over", name);
	if (ftruncate(fd, (off_t)size) != 0 || lseek(fd, (off_t)size, SEEK_SET) < 0)
		return batch_file_error(errno, name, e);
	return 0;
}

int batch_files_seek(struct batch *b, struct err *e)
{
	struct batch_files *f = &b->files;

	if (!f->regular_output)
		return 0;
	if (cut(f->part_fd, b->place.output_bytes, f->part, e) != 0)
		return -1;
	if (b->place.rejects_bytes == 0) {
		if (unlink(f->rejects_part) != 0 && errno != ENOENT)
			return batch_file_error(errno, f->rejects_part, e);
		return 0;
	}
	f->rejects_fd = open(f->rejects_part, O_RDWR | O_CLOEXEC);
	if (f->rejects_fd < 0)
		return err_set(e, ERR_CONFLICT, "%s is gone; run with --restart to start over", f->rejects_part);
	return cut(f->rejects_fd, b->place.rejects_bytes, f->rejects_part, e);
}

static const char *part_name(const struct batch_files *f)
{
	return f->part != NULL ? f->part : "standard output";
}

int batch_files_flush(struct batch *b, bool synced, struct err *e)
{
	struct batch_files *f = &b->files;

	if (b->broken)
		return err_set(e, ERR_SYSTEM, "%s could not be written before", part_name(f));
	b->broken = true;
	if (b->out.failed || b->rejects.failed)
		return err_set(e, ERR_MEMORY, "memory is out for the output");
	if (b->rejects.size > 0 && f->rejects_part != NULL) {
		if (f->rejects_fd < 0)
			f->rejects_fd = open(f->rejects_part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (f->rejects_fd < 0)
			return batch_file_error(errno, f->rejects_part, e);
		if (batch_write_all(f->rejects_fd, b->rejects.data, b->rejects.size, f->rejects_part, e) != 0)
			return -1;
		buf_clear(&b->rejects);
	}
	if (batch_write_all(f->part_fd, b->out.data, b->out.size, part_name(f), e) != 0)
		return -1;
	buf_clear(&b->out);
	b->broken = false;
	if (!synced)
		return 0;
	if (f->rejects_fd >= 0 && fdatasync(f->rejects_fd) != 0)
		return batch_file_error(errno, f->rejects_part, e);
	if (f->regular_output && fdatasync(f->part_fd) != 0)
		return batch_file_error(errno, f->part, e);
	return 0;
}

/* So that the new names are on the disk. */
static int sync_folder(const char *folder, struct err *e)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 || fsync(fd) != 0 ? batch_file_error(errno, folder, e) : 0;

	if (fd >= 0)
		close(fd);
	return result;
}

/* The rejects get their name, or those of an earlier run go. Again after a crash, it does nothing. */
static int finish_rejects(const struct batch *b, struct err *e)
{
	const struct batch_files *f = &b->files;

	if (f->rejects == NULL)
		return 0;
	if (b->place.rejects_bytes == 0) {
		if (unlink(f->rejects) != 0 && errno != ENOENT)
			return batch_file_error(errno, f->rejects, e);
		return 0;
	}
	if (rename(f->rejects_part, f->rejects) != 0 && errno != ENOENT)
		return batch_file_error(errno, f->rejects, e);
	return 0;
}

/* From here on a run that resumes only has names to give: the progress says "finished" until all have theirs. */
int batch_files_finish(struct batch *b, struct err *e)
{
	struct batch_files *f = &b->files;

	if (batch_files_flush(b, true, e) != 0)
		return -1;
	if (batch_resumable(b) && batch_progress_write(b, true, e) != 0)
		return -1;
	if (finish_rejects(b, e) != 0)
		return -1;
	if (!f->regular_output)
		return 0;
	if (rename(f->part, f->output) != 0)
		return batch_file_error(errno, f->output, e);
	if (sync_folder(f->folder, e) != 0)
		return -1;
	unlink(f->progress_new);
	if (unlink(f->progress) != 0 && errno != ENOENT)
		return batch_file_error(errno, f->progress, e);
	return 0;
}

void batch_files_discard(struct batch *b)
{
	struct batch_files *f = &b->files;

	buf_clear(&b->out);
	if (f->rejects != NULL && b->place.rejects_bytes > 0 && batch_files_flush(b, false, NULL) == 0)
		rename(f->rejects_part, f->rejects);
	if (!f->regular_output)
		return;
	unlink(f->progress_new);
	unlink(f->progress);
	unlink(f->part);
}
