/*
 * bench_training: `mldeck bench M --training`: the newest training runs against those before.
 *
 * The comparison is kept as a test of the version that the newest run made. Blocks for the exchanges with the runtime.
 * Not here: what says which is slower (core/test/training).
 */
#ifndef UI_BENCH_TRAINING_H
#define UI_BENCH_TRAINING_H

#include "core/client.h"
#include "ui/command/bench_options.h"

/* Prints the comparison; *code is the exit code, as of a benchmark of versions. */
int bench_training(const struct arguments *a, struct client *client, const struct bench_options *o, int *code,
		   struct err *e);

#endif
