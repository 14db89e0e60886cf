/*
 * batch_internal: what batch*.c share; included by no one else.
 */
#ifndef CORE_BATCH_INTERNAL_H
#define CORE_BATCH_INTERNAL_H

#include "core/batch.h"
#include "core/digest.h"

#include <pthread.h>
#include <stdatomic.h>

#define BATCH_SLOTS (BATCH_IN_FLIGHT_MAX + 1)
#define BATCH_READ_SIZE ((size_t)256 << 10)

/* How far the input is predicted and the output written. */
struct batch_place {
	uint64_t offset, line; /* of the input: where the next row starts; line 0: at its start */
	uint64_t rows, rejected;
	uint64_t output_bytes, rejects_bytes;
};

/* The outputs that are asked for, and their columns. */
struct batch_layout {
	size_t count;
	struct batch_output {
		char *name;
		size_t width; /* 0: not known before the first answer */
	} * outputs;
	const char **names; /* the same once more, as a question takes them */
};

/* What a run is of: a later one goes on only with the same. */
struct batch_identity {
	char *input; /* absolute */
	uint64_t input_size;
	int64_t input_mtime_ns;
	char head[DIGEST_SIZE]; /* of the first bytes */
	uint32_t version;
	char sha256[DIGEST_SIZE]; /* the version's */
};

struct batch_files {
	char *output, *part, *progress, *progress_new, *rejects, *rejects_part, *folder; /* NULL where there is none */
	int input_fd, part_fd, rejects_fd;                                               /* -1: not open */
	bool regular_input, regular_output;
	uint64_t input_size; /* at the start; nothing behind it is read */
};

/* One row of a chunk. */
struct batch_row {
	uint64_t line;
	size_t good;        /* its place among the rows with tensors; COLUMNS_NONE: refused when it was read */
	size_t kept_end;    /* in the chunk's kept text; it starts at the end of the one before */
	const char *column; /* of a reject; "" */
	const char *reason; /* of a reject, else NULL */
};

/* An answer to a run of good rows. */
struct batch_part {
	size_t first, count;
	const struct v2_named *outputs; /* [layout.count] */
};

enum slot_state { SLOT_FREE, SLOT_FILLED, SLOT_BUSY, SLOT_DONE };

/* A chunk on its way: filled by the run's thread, predicted by one of its own, written by the run's again. */
struct batch_slot {
	enum slot_state state; /* under the batch's lock; all else belongs to whose turn it is */
	struct arena arena;
	struct columns_rows rows;
	size_t row_count, row_capacity;
	struct batch_row *list;
	struct buf kept;
	uint64_t end_offset, end_line; /* the input behind its last row */
	size_t part_count, part_capacity;
	struct batch_part *parts; /* in the rows' order */
	size_t refused;           /* rows that were rejected, when read or predicted */
	int result;
	struct err e;
};

struct batch {
	struct batch_options options;
	struct batch_files files;
	struct batch_identity identity;
	struct batch_place place; /* what is written, buffered bytes too */
	struct batch_layout layout;
	bool resumed, finished; /* the progress that was found */
	uint64_t resumed_rows;
	const struct batch_calls *calls;
	const struct manifest *manifest;
	struct columns *columns;
	struct rows rows;
	bool header_written;
	char *piece;          /* of the input, on its way into rows */
	uint64_t read_offset; /* of the input: where the next piece starts */
	char last_byte;
	bool input_ended;
	struct buf out, rejects; /* not written yet */
	bool broken; /* a write failed in the middle: what is behind the last record of the progress is worth nothing */
	int64_t checkpoint_ms, tick_ms; /* monotonic: when the last was */
	size_t chunk_rows;
	bool began;          /* part and progress are this run's */
	atomic_bool stopped; /* by the tick */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_bool closing; /* set under the lock: no more is asked */
	size_t slot_count, thread_count;
	size_t next_predicted; /* under the lock: the slot that a free thread takes */
	struct batch_thread {
		struct batch *batch;
		size_t number;
		pthread_t thread;
	} threads[BATCH_IN_FLIGHT_MAX];
	struct batch_slot slots[BATCH_SLOTS];
};

/* Whether the run is to end in good order. */
bool batch_stopping(const struct batch *b);
/* Calls the tick when it is time. */
void batch_tick(struct batch *b);

/* batch_files.c: input and output on the disk. */
int batch_files_open(struct batch *b, struct err *e);
void batch_files_close(struct batch_files *f);
/* Cuts part and rejects to what the progress says, and goes to their ends. */
int batch_files_seek(struct batch *b, struct err *e);
/* Writes out and rejects, which are empty then; synced: and waits for the disk. */
int batch_files_flush(struct batch *b, bool synced, struct err *e);
/* Flushes, and gives part and rejects their names. */
int batch_files_finish(struct batch *b, struct err *e);
/* Removes part and progress; rejects (if any) get their name. */
void batch_files_discard(struct batch *b);
int batch_write_all(int fd, const void *data, size_t size, const char *name, struct err *e);
/* ": " and why, with what to do about a full disk. */
int batch_file_error(int error, const char *name, struct err *e);

/* batch_progress.c: OUTPUT.progress. */
int batch_progress_read(struct batch *b, struct err *e);
int batch_progress_write(struct batch *b, bool finished, struct err *e);
/* Fills what the input is: path, size, time, head. */
int batch_identity_of_input(struct batch *b, struct batch_identity *identity, struct err *e);

/* batch_slot.c: the threads that predict. */
int batch_slots_start(struct batch *b, struct err *e);
/* Waits for what is under way. */
void batch_slots_stop(struct batch *b);
void batch_slot_fill_done(struct batch *b, struct batch_slot *slot);
/* Waits a little; true once the slot is done, which then is free again. */
bool batch_slot_wait(struct batch *b, struct batch_slot *slot);

/* batch_read.c: the input into a slot. 1: it holds rows; 0: the input has no more. */
int batch_fill(struct batch *b, struct batch_slot *slot, struct err *e);
/* Reads to behind the header, which a resumed run needs too. */
int batch_read_header(struct batch *b, struct err *e);
void batch_row_reject(struct batch_slot *slot, struct batch_row *row, const char *column, const char *reason);

/* batch_write.c: a slot's rows into out and rejects. */
int batch_write_slot(struct batch *b, struct batch_slot *slot, struct err *e);
/* The header of an output that may have no rows. */
int batch_write_header(struct batch *b, struct err *e);
void batch_layout_release(struct batch_layout *layout);
/* The layout that the signature gives, for the outputs that are asked for. */
int batch_layout_of_manifest(struct batch *b, struct err *e);
/* The names as a question takes them. */
int batch_layout_names(struct batch_layout *layout, struct err *e);
/* Whether a width is still not known. */
bool batch_layout_open(const struct batch_layout *layout);

#endif
