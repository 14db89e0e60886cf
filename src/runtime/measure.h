/*
 * measure: what predicting with one model takes, in this process: the figures of one launch of a benchmark.
 *
 * The model is loaded through its engine and asked rows of CSV, several batch sizes after one another. Of each, the
 * rows are gone through once to warm up, which counts for nothing, and then again and again until the time is over. A
 * pass is cut into blocks of about MEASURE_BLOCK_ROWS rows; the time of a block is the median of its passes, so that a
 * moment in which the machine did something else is in no figure, and the figure is the sum of the blocks. A model that
 * is too slow for a whole pass answers as many rows as the limit allows. Times are the processor time of the asking
 * thread, where the model runs on it, else wall time.
 *
 * One thread, which waits. Not here: pairs of launches and what they say (core/test).
 */
#ifndef RUNTIME_MEASURE_H
#define RUNTIME_MEASURE_H

#include "core/config.h"
#include "core/test/benchmark.h"

#define MEASURE_BLOCK_ROWS 256
#define MEASURE_PASSES_MAX 64
#define MEASURE_TIME_MS 60    /* of a batch size, after the warm-up */
#define MEASURE_LIMIT_MS 2000 /* of a warm-up, and of what follows it, however slow the model is */

struct measure_options {
	const char *model_path, *rows_path;
	const char *manifest_path; /* NULL: what the engine says of the file */
	const struct config *config;
	int time_ms;
	size_t batch_count;
	size_t batches[BENCHMARK_BATCHES_MAX];
};

struct measure {
	char engine[16];
	bool by_wall;      /* timed by the clock on the wall, not by the thread's processor time */
	size_t rows;       /* that there are */
	size_t looked_at;  /* rows of one answer before the times */
	size_t not_finite; /* of these; their prediction is no finite number */
	double load_ns;
	double peak_bytes; /* resident, of the whole process */
	struct measure_batch {
		double ns_per_row;
		size_t rows, passes; /* rows that were asked; passes over the first block */
	} batches[BENCHMARK_BATCHES_MAX];
};

/* ERR_INPUT for rows that the model does not take, with line and column; else what its engine says. */
int measure_run(const struct measure_options *options, struct measure *measure, struct err *e);

#endif
