/*
 * diff_data: a file of rows for two versions at once, chunk by chunk, each row as both take it, with its label and its
 * segment.
 *
 * Owner: the caller, from diff_data_open() to diff_data_close(); one thread. Columns are matched by name; the first row
 * that is none for either version ends it. Limits: DIFF_CHUNK_ROWS rows and one megabyte a chunk.
 * Not here: asking versions (diff_run).
 */
#ifndef UI_DIFF_DATA_H
#define UI_DIFF_DATA_H

#include "core/columns.h"
#include "core/manifest.h"
#include "core/rows.h"

#include <stdint.h>

#define DIFF_CHUNK_ROWS 1024
#define DIFF_SIDES 2 /* old, new */
#define DIFF_EXTRA_MAX 16

struct diff_data;

/* One row of the chunk beside its columns. */
struct diff_note {
	uint64_t line;
	double label;   /* NaN: none */
	size_t segment; /* offset of its text in `segments` */
	size_t segment_size;
};

struct diff_chunk {
	size_t rows;
	struct columns_rows sides[DIFF_SIDES];
	struct diff_note notes[DIFF_CHUNK_ROWS];
	struct buf segments;
	struct arena arena; /* of the chunk; what is answered may lie in it too */
};

struct diff_columns {
	const char *labels, *segment; /* NULL: none */
};

/* manifests: of old and new; borrowed, as is the rest. ERR_INPUT: what is no file of rows, or no columns. */
struct diff_data *diff_data_open(const char *path, const char *model, const struct manifest manifests[DIFF_SIDES],
				 const struct diff_columns *wanted, struct err *e);
void diff_data_close(struct diff_data *d);
/* The next rows; chunk->rows 0 at the end. ERR_INPUT names line and column. */
int diff_data_next(struct diff_data *d, struct diff_chunk *chunk, struct err *e);
void diff_chunk_release(struct diff_chunk *chunk);
/* From the first row again. */
int diff_data_rewind(struct diff_data *d, struct err *e);
uint64_t diff_data_bytes(const struct diff_data *d);
uint64_t diff_data_size(const struct diff_data *d);
/* Columns that neither version takes and nobody asked for, after the first chunk of CSV; false past the last. */
bool diff_data_extra(const struct diff_data *d, size_t i, const char **name);
#endif
