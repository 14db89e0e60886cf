/*
 * v1_part: one named tensor of a V1 body, which may come whole or row by row, and whose shape is
 * that of its lists.
 *
 * Owner: the reader of a body; everything is in its arena. Private to v1*.c.
 */
#ifndef RUNTIME_V1_PART_H
#define RUNTIME_V1_PART_H

#include "core/arena.h"
#include "core/scan.h"
#include "core/v2_tensor.h"

struct v1_part {
	struct v2_tensor label; /* word, name and datatype */
	size_t row_count;       /* given row by row */
	bool ranked;            /* rank is known: a value was read */
	size_t rank;
	int64_t shape[TENSOR_RANK_MAX]; /* -1: not known yet */
	size_t count, capacity;         /* elements */
	void *data;
};

/* word: what sentences call it, "input" or "column". */
void v1_part_init(struct v1_part *p, const char *word, const char *name, enum datatype type);
/* Reads the next value: at level 0 the whole tensor, at level 1 one row more of it. */
int v1_part_read(struct v1_part *p, struct scan *s, size_t level, struct arena *arena, struct err *e);
/* Whether the next value is {"b64": ...}, which is no object but an element. */
bool v1_is_base64(struct scan s);

#endif
