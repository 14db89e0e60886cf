#include "ui/command/check_file.h"

#include "core/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE 0666

static int fail(const struct check_file *f, struct err *e)
{
	return err_errno(e, errno, "%s cannot be written", f->path);
}

int check_file_open(struct check_file *f, const char *path, struct err *e)
{
	struct stat there;

	*f = (struct check_file){.path = path, .fd = -1};
	if (path == NULL)
		return 0;
	if (*path == '\0' || (stat(path, &there) == 0 && !S_ISREG(there.st_mode)))
		return err_set(e, ERR_INPUT, "%s is no ordinary file", *path != '\0' ? path : "\"\"");
	if (asprintf(&f->temporary, "%s.XXXXXX", path) < 0) {
		f->temporary = NULL;
		return err_set(e, ERR_MEMORY, "memory is out");
	}
	f->fd = mkostemp(f->temporary, 0);
	if (f->fd >= 0)
		return 0;
	free(f->temporary);
	f->temporary = NULL;
	return fail(f, e);
}

int check_file_write(struct check_file *f, const struct buf *content, struct err *e)
{
	mode_t mask = umask(0);

	umask(mask);
	if (f->path == NULL)
		return 0;
	if (file_write(f->fd, content->data, content->size) != 0)
		return fail(f, e);
	/* Others read it, as any file that a command makes. */
	if (fchmod(f->fd, MODE & ~mask) != 0 || fsync(f->fd) != 0 || rename(f->temporary, f->path) != 0)
		return fail(f, e);
	free(f->temporary);
	f->temporary = NULL;
	return 0;
}

void check_file_close(struct check_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->temporary != NULL)
		unlink(f->temporary);
	free(f->temporary);
	*f = (struct check_file){.fd = -1};
}
