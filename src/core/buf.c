#include "core/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b)
{
	*b = (struct buf){0};
}

void buf_release(struct buf *b)
{
	free(b->data);
	buf_init(b);
}

void buf_clear(struct buf *b)
{
	b->size = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

int buf_reserve(struct buf *b, size_t extra)
{
	if (b->failed)
		return -1;
	if (extra < b->capacity - b->size)
		return 0;
	if (extra >= SIZE_MAX / 2 - b->size) {
		b->failed = true;
		return -1;
	}
	size_t capacity = b->capacity * 2;
	if (capacity < b->size + extra + 1)
		capacity = b->size + extra + 1;
	if (capacity < 64)
		capacity = 64;
	char *data = realloc(b->data, capacity);
	if (data == NULL) {
		b->failed = true;
		return -1;
	}
	b->data = data;
	b->capacity = capacity;
	b->data[b->size] = '\0';
	return 0;
}

void buf_add(struct buf *b, const void *data, size_t size)
{
	if (buf_reserve(b, size) != 0)
		return;
	if (size > 0)
		memcpy(b->data + b->size, data, size);
	b->size += size;
	b->data[b->size] = '\0';
}

void buf_add_string(struct buf *b, const char *string)
{
	buf_add(b, string, strlen(string));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_format(struct buf *b, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (size >= 0 && buf_reserve(b, (size_t)size) == 0) {
		vsnprintf(b->data + b->size, (size_t)size + 1, format, again);
		b->size += (size_t)size;
	}
	va_end(again);
}

char *buf_take(struct buf *b)
{
	char *data = b->data;
	buf_init(b);
	return data;
}
