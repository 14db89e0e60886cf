/*
 * buf: a growable run of bytes.
 *
 * Owner: the caller, between buf_init() and buf_release(). Not thread-safe. After a failed growth the
 * buffer keeps what it had, `failed` is set and further additions do nothing: check it once, at the end.
 * data is NUL-terminated whenever it is not NULL.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t size;     /* bytes used, without the NUL */
	size_t capacity; /* private */
	bool failed;     /* memory ran out, or the limit was passed */
};

void buf_init(struct buf *b);
void buf_release(struct buf *b);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *b);
/* Makes room for extra more bytes; 0, or -1 when memory is out. */
int buf_reserve(struct buf *b, size_t extra);
void buf_add(struct buf *b, const void *data, size_t size);
void buf_add_string(struct buf *b, const char *string);
void buf_add_char(struct buf *b, char c);
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Gives the bytes away (free() them); the buffer is empty afterwards. NULL when nothing was added. */
char *buf_take(struct buf *b);

#endif
