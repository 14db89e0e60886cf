/*
 * batch: a file's rows predicted into another file, in constant memory and resumable.
 *
 * Every row of the input gives one row of the output, in the same order: row N of one belongs to row N of the
 * other. A row that cannot be predicted has empty fields there (null in JSON), and its line, row, column and
 * reason are in the rejects file.
 *
 * Files, beside the output: OUTPUT.part is written, and renamed to OUTPUT at the end; so is the rejects file, which
 * is absent when there are none. OUTPUT.progress says how far both are on the disk; a run that finds it goes on
 * there, whatever ended the one before, and its output is the same to the byte. The lock on OUTPUT.part lets one run
 * at a time write an output. An input or output that is no regular file has no progress.
 *
 * Owner: the caller, from batch_open() to batch_close(), one thread; `predict` is called by threads of the batch.
 * Not here: how a model is asked (the callback), what an operator sees (ui).
 */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include "core/rows.h"
#include "core/v2_client.h"

#include <signal.h>

#define BATCH_CHUNK_ROWS 1024
#define BATCH_CHUNK_ROWS_MAX 65536
#define BATCH_IN_FLIGHT_MAX 8
#define BATCH_NO_LIMIT UINT64_MAX

struct batch;

struct batch_options {
	const char *input, *output; /* "-": standard input and output */
	const char *rejects;        /* NULL: OUTPUT.rejects.csv, or batch_calls.reject for standard output */
	enum rows_format input_format, output_format;
	struct rows_keep keep;
	const char *model;                 /* what is asked; kept with the progress, as is the next */
	const char *asked_outputs;         /* "predict,raw_score"; "": all of the signature but raw_score */
	size_t chunk_rows;                 /* of one prediction, at most */
	size_t in_flight;                  /* predictions at the same time */
	uint64_t rejects_max;              /* more end the run; BATCH_NO_LIMIT */
	bool restart;                      /* forget what an earlier run did */
	int checkpoint_ms;                 /* between two records of the progress */
	int retry_ms;                      /* how long a model that does not answer is asked again */
	const volatile sig_atomic_t *stop; /* ends the run in good order when it is not 0 */
};

struct batch_progress {
	uint64_t rows, rejected;     /* of the input, those of earlier runs too */
	uint64_t bytes, bytes_total; /* of the input; total 0: not known */
	uint64_t resumed_rows;       /* done by earlier runs */
};

/* Rows that are asked for, and what is answered. */
struct batch_question {
	const struct tensor *inputs; /* [manifest->input_count] */
	size_t rows;
	const char *const *output_names;
	size_t output_count;
	struct arena *arena;
	struct v2_named *outputs; /* [output_count], in the order of the names */
};

struct batch_calls {
	void *context;
	/* Fills outputs, in the arena. One call at a time a thread, thread < in_flight. ERR_INPUT, ERR_TOO_LARGE,
	 * ERR_UNSUPPORTED and ERR_SYSTEM are taken for the rows' fault, and the row is looked for; ERR_BUSY,
	 * ERR_UNREACHABLE, ERR_UPSTREAM and ERR_TIMEOUT are asked again. */
	int (*predict)(void *context, size_t thread, struct batch_question *question, struct err *e);
	/* Several times a second. False stops the run as `stop` does. May be NULL. */
	bool (*tick)(void *context, const struct batch_progress *progress);
	/* A rejected row, where there is no rejects file. May be NULL. */
	void (*reject)(void *context, uint64_t line, const char *column, const char *reason);
};

enum batch_outcome {
	BATCH_DONE,    /* the output is there; some rows may be rejected */
	BATCH_STOPPED, /* by `stop` or the tick */
};

/* Opens the input, takes the output's lock and reads its progress. ERR_CONFLICT: another run writes this output, or
 * the input is not the one that an earlier run began with (see restart). */
int batch_open(const struct batch_options *options, struct batch **result, struct err *e);
void batch_close(struct batch *b);
/* The version that an earlier run began with, 0 for none. */
uint32_t batch_version(const struct batch *b);
/* Whether a stopped or failed run can go on later. */
bool batch_resumable(const struct batch *b);
const char *batch_rejects_path(const struct batch *b); /* "" for none */
/* Goes through the input. ERR_CONFLICT: an earlier run began with another version (or the version's file is another).
 * Errors of the input itself, and too many rejects, take back what was written, but for the rejects file. */
int batch_run(struct batch *b, const struct manifest *manifest, uint32_t version, const struct batch_calls *calls,
	      enum batch_outcome *outcome, struct batch_progress *progress, struct err *e);

#endif
