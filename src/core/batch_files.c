/* batch: files: the input, OUTPUT.part, the rejects, and their names at the end. */
#include "core/batch_internal.h"

#include "core/file.h"

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
	if (file_write(fd, data, size) == 0)
		return 0;
	if (errno == EPIPE)
		return err_set(e, ERR_SYSTEM, "whoever read %s has gone away", name);
	return batch_file_error(errno, name, e);
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

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

static int open_input(struct batch *b, struct err *e)
{
	struct batch_files *f = &b->files;
	const char *name = b->options.input;
	struct stat st;

	f->input_fd =
	    strcmp(name, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(name, O_RDONLY | O_CLOEXEC);
	if (f->input_fd < 0 || fstat(f->input_fd, &st) != 0)
		return err_errno(e, errno, "%s cannot be opened", strcmp(name, "-") == 0 ? "standard input" : name);
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

/* Whether two names are one place, however they are spelt. */
static bool is_same_place(const char *a, const char *b)
{
	char *folders[] = {folder_of(a), folder_of(b)};
	struct stat first, second;
	bool same = folders[0] != NULL && folders[1] != NULL && strcmp(base_of(a), base_of(b)) == 0 &&
		    stat(folders[0], &first) == 0 && stat(folders[1], &second) == 0 && first.st_dev == second.st_dev &&
		    first.st_ino == second.st_ino;

	free(folders[0]);
	free(folders[1]);
	return same;
}

/* The rejects go into a file of their own, in a folder that is there: hours later is too late to learn that. */
static int check_rejects(const struct batch_files *f, struct err *e)
{
	const char *const ours[] = {f->output, f->part, f->progress, f->progress_new};
	struct stat st;

	if (stat(f->rejects, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "%s is no regular file; --rejects takes a file's name", f->rejects);
	char *folder = folder_of(f->rejects);
	int result = folder == NULL           ? err_set(e, ERR_MEMORY, "memory is out")
		     : stat(folder, &st) != 0 ? batch_file_error(errno, f->rejects, e)
					      : 0;
	free(folder);
	for (size_t i = 0; result == 0 && i < sizeof ours / sizeof *ours; i++)
		if (ours[i] != NULL && (is_same_place(ours[i], f->rejects) || is_same_place(ours[i], f->rejects_part)))
			result =
			    err_set(e, ERR_INPUT, "the rejects would overwrite %s; name another --rejects", ours[i]);
	return result;
}

static int name_rejects(struct batch *b, struct err *e)
{
	struct batch_files *f = &b->files;
	const char *named = b->options.rejects;

	if (named == NULL && f->output == NULL)
		return 0;
	f->rejects = named != NULL ? strdup(named) : name_with(f->output, ".rejects.csv");
	f->rejects_part = f->rejects != NULL ? name_with(f->rejects, ".part") : NULL;
	if (f->rejects_part == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	const char *const names[] = {f->rejects, f->rejects_part};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_input(b, names[i]))
			return err_set(e, ERR_INPUT, "%s would overwrite the input itself; name another --%s", names[i],
				       named != NULL ? "rejects" : "output");
	return check_rejects(f, e);
}

static int name_output(struct batch *b, struct err *e)
{
	struct batch_files *f = &b->files;
	const char *name = b->options.output;

	f->output = strdup(name);
	f->part = name_with(name, ".part");
	f->progress = name_with(name, ".progress");
	f->progress_new = name_with(name, ".progress.new");
	f->folder = folder_of(name);
	if (f->output == NULL || f->part == NULL || f->progress == NULL || f->progress_new == NULL || f->folder == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	const char *const names[] = {f->output, f->part, f->progress, f->progress_new};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_input(b, names[i]))
			return err_set(e, ERR_INPUT, "%s would overwrite the input itself; name another --output",
				       names[i]);
	return 0;
}

/* Opens and locks OUTPUT.part or the rejects' part. A run that ended meanwhile has renamed the file under us: then
 * it is made again. A link is not followed: it leads to a file that is not ours. */
static int open_locked(const char *part, const char *name, const char *option, int *fd, struct err *e)
{
	struct stat ours, named;
	int error = 0;

	while (error == 0) {
		*fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (*fd < 0)
			return batch_file_error(errno, part, e);
		error = flock(*fd, LOCK_EX | LOCK_NB) != 0 ? errno : 0;
		if (error == 0 && fstat(*fd, &ours) == 0 && stat(part, &named) == 0 && ours.st_ino == named.st_ino &&
		    ours.st_dev == named.st_dev)
			return 0;
		close(*fd);
		*fd = -1;
	}
	if (error == EWOULDBLOCK)
		return err_set(e, ERR_CONFLICT, "another run is writing %s; wait for it, or name another --%s", name,
			       option);
	return err_errno(e, error, "%s cannot be locked", part);
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
		return name_rejects(b, e);
	}
	if (stat(b->options.output, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT,
			       "%s is no regular file; --output takes a file's name, or - for standard output",
			       b->options.output);
	f->regular_output = true;
	if (name_output(b, e) != 0 || open_locked(f->part, f->output, "output", &f->part_fd, e) != 0)
		return -1;
	return name_rejects(b, e);
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
		return err_set(e, ERR_CONFLICT, "%s is shorter than its run recorded; run with --restart to start over",
			       name);
	if (ftruncate(fd, (off_t)size) != 0 || lseek(fd, (off_t)size, SEEK_SET) < 0)
		return batch_file_error(errno, name, e);
	return 0;
}

/* What an earlier run had rejected, which is not gone on with; but not what another run is writing. */
static int drop_rejects(struct batch_files *f, struct err *e)
{
	int fd, result = 0;

	if (access(f->rejects_part, F_OK) != 0)
		return errno == ENOENT ? 0 : batch_file_error(errno, f->rejects_part, e);
	if (open_locked(f->rejects_part, f->rejects, "rejects", &fd, e) != 0)
		return -1;
	if (unlink(f->rejects_part) != 0)
		result = batch_file_error(errno, f->rejects_part, e);
	close(fd);
	return result;
}

int batch_files_seek(struct batch *b, struct err *e)
{
	struct batch_files *f = &b->files;

	if (!f->regular_output)
		return 0;
	if (cut(f->part_fd, b->place.output_bytes, f->part, e) != 0)
		return -1;
	if (b->place.rejects_bytes == 0)
		return drop_rejects(f, e);
	if (access(f->rejects_part, F_OK) != 0)
		return err_set(e, ERR_CONFLICT, "%s is gone; run with --restart to start over", f->rejects_part);
	if (open_locked(f->rejects_part, f->rejects, "rejects", &f->rejects_fd, e) != 0)
		return -1;
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
		if (f->rejects_fd < 0 && (open_locked(f->rejects_part, f->rejects, "rejects", &f->rejects_fd, e) != 0 ||
					  cut(f->rejects_fd, 0, f->rejects_part, e) != 0))
			return -1;
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
