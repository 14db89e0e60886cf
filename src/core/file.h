/*
 * file: bytes into an open file.
 *
 * Any thread; blocks for the disk. Not here: what a failure means to whoever writes (each says it in its own words).
 */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stddef.h>

/* All of the bytes, whatever signals come; -1 with errno set when they could not be written. */
int file_write(int fd, const void *data, size_t size);

#endif
