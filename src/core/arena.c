#include "core/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 << 10)

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) char data[];
};

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b;

	if (size > SIZE_MAX / 2)
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

/* The next block with room: one that an earlier use left, or a new one behind the current. */
static struct arena_block *block_with_room(struct arena *a, size_t size)
{
	struct arena_block *b = a->current == NULL ? a->first : a->current->next;

	if (b == NULL || b->size < size) {
		struct arena_block *more = block_new(size > BLOCK_SIZE ? size : BLOCK_SIZE);
		if (more == NULL)
			return NULL;
		more->next = b;
		if (a->current == NULL)
			a->first = more;
		else
			a->current->next = more;
		b = more;
	}
	b->used = 0;
	a->current = b;
	return b;
}

void *arena_take(struct arena *a, size_t size)
{
	const size_t step = alignof(max_align_t);
	struct arena_block *b = a->current;

	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + step - 1) / step * step;
	if (b == NULL || b->size - b->used < size) {
		b = block_with_room(a, size);
		if (b == NULL)
			return NULL;
	}
	void *taken = b->data + b->used;
	b->used += size;
	return taken;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t whole;
	return __builtin_mul_overflow(count, size, &whole) ? NULL : arena_take(a, whole);
}

char *arena_copy(struct arena *a, const void *data, size_t size)
{
	char *copy = size == SIZE_MAX ? NULL : arena_take(a, size + 1);
	if (copy == NULL)
		return NULL;
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

void arena_reset(struct arena *a)
{
	struct arena_block **at = &a->first;
	size_t kept = 0;

	while (*at != NULL) {
		struct arena_block *b = *at;
		if (kept + b->size > ARENA_KEEP_MAX) {
			*at = b->next;
			free(b);
			continue;
		}
		kept += b->size;
		at = &b->next;
	}
	a->current = NULL;
}

void arena_release(struct arena *a)
{
	for (struct arena_block *b = a->first, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena){0};
}
