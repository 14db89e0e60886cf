/*
 * bench_options: what `mldeck bench` was told, checked.
 *
 * A plain value; strings are the arguments' own.
 */
#ifndef UI_BENCH_OPTIONS_H
#define UI_BENCH_OPTIONS_H

#include "core/command.h"
#include "core/test/benchmark.h"

#define BENCH_TIME_MS 60
#define BENCH_TIME_MS_MAX 2000

struct bench_options {
	const char *model, *data, *config; /* data, config: NULL unless given */
	size_t captured;                   /* rows of live requests; 0: none */
	uint32_t version, against;         /* 0: not named */
	size_t batch_count, batches[BENCHMARK_BATCHES_MAX];
	double ratio_max; /* 0: the policy's */
	size_t pairs;     /* 0: as planned */
	int time_ms;
	uint64_t seed;
	bool quick, training;
	size_t last; /* training runs that are compared */
};

/* ERR_USAGE or ERR_INPUT names the option at fault. */
int bench_options_read(const struct arguments *a, struct bench_options *o, struct err *e);

#endif
