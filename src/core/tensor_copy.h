/*
 * tensor_copy: elements of a tensor copied into a piece of memory that somebody else measured out.
 *
 * Pure; any thread. Used where a request outlives its own memory (shadows, capture). Not here: the piece (its owner's).
 */
#ifndef CORE_TENSOR_COPY_H
#define CORE_TENSOR_COPY_H

#include "core/tensor.h"

#include <stddef.h>

/* The size rounded up to where anything may lie. */
size_t tensor_copy_aligned(size_t size);
/* Bytes that the data of elements [first, first + count) take, with the text of BYTES. */
size_t tensor_copy_size(const struct tensor *t, size_t first, size_t count);
/* The next `size` bytes of a piece, which *next goes past. */
void *tensor_copy_take(char **next, size_t size);
/* Copies these elements to *next, where tensor_copy_size() bytes are free. The shape stays the whole tensor's. */
void tensor_copy_put(struct tensor *to, const struct tensor *from, size_t first, size_t count, char **next);

#endif
