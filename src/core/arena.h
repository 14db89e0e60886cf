/*
 * arena: memory that is given back all at once.
 *
 * Owner: one thread at a time. arena_reset() keeps the memory for the next use, so that a steady load allocates
 * nothing; what passed ARENA_KEEP_MAX is given back to the system. Zero-initialise; arena_release() at the end.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>

#define ARENA_KEEP_MAX ((size_t)8 << 20)

struct arena_block;
struct arena {
	struct arena_block *first, *current; /* private */
};

/* size bytes, aligned for anything, not cleared; NULL when memory is out (or size is absurd). */
void *arena_take(struct arena *a, size_t size);
/* [count] elements of size bytes each; NULL also when the product overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A copy with a NUL behind it. */
char *arena_copy(struct arena *a, const void *data, size_t size);
void arena_reset(struct arena *a);
void arena_release(struct arena *a);

#endif
