/*
 * capture_row: one row of a live request as the engine saw it, in one piece of memory.
 *
 * Owner: whoever holds the pointer; one thread at a time. What it is made of are the inputs' tensors alone: who asked,
 * by what unit, with which header, is not in it. Not here: which rows are kept (capture).
 */
#ifndef RUNTIME_CAPTURE_ROW_H
#define RUNTIME_CAPTURE_ROW_H

#include "core/tensor.h"

#include <stddef.h>
#include <stdint.h>

struct capture_row {
	size_t capacity; /* bytes of this piece */
	int64_t at_ms;   /* Unix */
	uint32_t version;
	uint32_t input_count;
	struct tensor inputs[]; /* in the order of the version's manifest; first dimension 1 where requests have rows */
};

/* A request, borrowed. */
struct capture_request {
	uint32_t version;
	size_t input_count;
	const struct tensor *inputs;
	int64_t at_ms; /* Unix */
};

/* Rows that it has: the first dimension that all of its inputs share. 1 where they share none: it is kept whole. */
size_t capture_row_count(const struct capture_request *request);
/* Bytes of row `row` of `rows`. */
size_t capture_row_size(const struct capture_request *request, size_t row, size_t rows);
/* Fills a piece of at least so many bytes; capacity stays. */
void capture_row_fill(struct capture_row *piece, const struct capture_request *request, size_t row, size_t rows);

#endif
