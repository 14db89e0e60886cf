/*
 * check_file: a file that is opened before work of minutes, and is there, whole, only when that is done.
 *
 * Owner: the caller, from check_file_open() to check_file_close(). It has another name in the same folder until then.
 */
#ifndef UI_CHECK_FILE_H
#define UI_CHECK_FILE_H

#include "core/buf.h"
#include "core/err.h"

struct check_file {
	const char *path; /* borrowed; NULL: there is none */
	char *temporary;
	int fd;
};

/* path NULL: none, and all of the rest does nothing. Says now what cannot be written; a file of before stays. */
int check_file_open(struct check_file *f, const char *path, struct err *e);
/* The whole content, in the place of what was there. */
int check_file_write(struct check_file *f, const struct buf *content, struct err *e);
/* Without check_file_write() nothing is left. */
void check_file_close(struct check_file *f);

#endif
