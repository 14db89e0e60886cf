/*
 * benchmark_json: the report of a benchmark, which is kept for ever (docs/TESTS.md).
 *
 * Pure; any thread. Not here: the figures themselves (benchmark).
 */
#ifndef CORE_TEST_BENCHMARK_JSON_H
#define CORE_TEST_BENCHMARK_JSON_H

#include "core/test/bench_subject.h"
#include "core/test/benchmark.h"

#include <cjson/cJSON.h>

/* What it was of. */
struct benchmark_facts {
	const char *model;
	uint32_t version, against;
	const struct bench_run *run;
	const struct bench_source *source;
	double seconds; /* that it took */
};

/* cJSON_Delete() it. Where memory is out fields are missing, and the runtime refuses it. */
cJSON *benchmark_report(const struct benchmark *b, const struct benchmark_facts *facts, const char *summary);

#endif
