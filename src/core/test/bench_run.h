/*
 * bench_run: the launches of a benchmark, a pair at a time, until its verdict stands.
 *
 * Each launch is `mldeck measure` in a process of its own. Which version of a pair comes first is drawn from the seed.
 * One thread, which waits. Not here: what the pairs say (benchmark), where the files are from (bench_subject).
 */
#ifndef CORE_TEST_BENCH_RUN_H
#define CORE_TEST_BENCH_RUN_H

#include "core/test/benchmark.h"

#define BENCH_PATH_SIZE 512

/* One version as its launches take it. */
struct bench_side {
	char name[16]; /* "v3" */
	char model_path[BENCH_PATH_SIZE], manifest_path[BENCH_PATH_SIZE];
	char engine[16];              /* filled by its launches, as is the rest */
	char clock[8];                /* "cpu": of the asking thread; "wall" */
	size_t looked_at, not_finite; /* rows of one answer; those whose prediction is no finite number */
	size_t rows_asked; /* of the slowest batch size; fewer than there are when the model is too slow for all */
};

struct bench_run {
	const char *program;                    /* that has the verb measure */
	const char *rows_path, *state, *config; /* config may be NULL */
	int time_ms;                            /* of a batch size */
	uint64_t seed;
	struct bench_side old_side, new_side;
	/* After each launch: how many were done, and how many the next verdict needs. False ends the run. */
	bool (*progress)(void *context, size_t done, size_t needed);
	/* Several times a second while a launch runs; false ends it. */
	bool (*go_on)(void *context);
	void *context;
};

/* b has its batches, thresholds and plan. ERR_CONFLICT: it was stopped. An error of a launch names the version. */
int bench_run(struct bench_run *run, struct benchmark *b, struct err *e);

#endif
