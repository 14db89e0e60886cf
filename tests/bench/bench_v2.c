/* bench_v2: CPU microseconds to parse and to answer a V2 request of 1 and 256 rows of 15 features.
 */
#include "runtime/protocol/v2.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FEATURES 15
#define ROWS 256
#define BATCH 64
#define ROUNDS_US 200000.0 /* how long each measurement takes */

static char *names[FEATURES];
static struct tensor_spec inputs[] = {{"rows", "FP64", 2, {-1, FEATURES}}};
static struct tensor_spec outputs[] = {{"predict", "FP64", 2, {-1, 1}}};
static const struct manifest manifest = {.input_count = 1,
					 .output_count = 1,
					 .inputs = inputs,
					 .outputs = outputs,
					 .feature_count = FEATURES,
					 .feature_names = names};
static const struct engine engine = {.tabular = true, .default_outputs = 1};

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Numbers as people send them (short), or with all their 17 digits. */
static void make_body(struct buf *body, size_t rows, bool long_numbers)
{
	buf_format(body, "{\"inputs\":[{\"name\":\"rows\",\"shape\":[%zu,%d],\"datatype\":\"FP64\",\"data\":[", rows,
		   FEATURES);
	for (size_t i = 0; i < rows * FEATURES; i++) {
		double value = (double)rand() / RAND_MAX;
		buf_add_string(body, i > 0 ? ", " : "");
		if (long_numbers)
			buf_format(body, "%.17g", value);
		else
			buf_format(body, "%.1f", value * 1000);
	}
	buf_add_string(body, "]}]}");
}

static double measure_parse(const struct buf *body, struct arena *arena, struct v2_request *request,
			    struct inference *inference)
{
	struct err e;
	size_t rounds = 0;
	double start = cpu_us();

	/* The clock costs as much as a small body: it is asked once a batch. */
	for (; rounds % BATCH != 0 || cpu_us() - start < ROUNDS_US; rounds++) {
		arena_reset(arena);
		if (inference_begin(inference, &manifest, arena, &e) != 0 ||
		    v2_parse(&engine, body->data, body->size, body->size, request, inference, &e) != 0)
			exit(2);
	}
	return (cpu_us() - start) / (double)rounds;
}

static double measure_write(size_t rows, struct v2_request *request, struct inference *inference)
{
	struct buf out;
	double output[ROWS];
	size_t rounds = 0, json_size;

	for (size_t i = 0; i < ROWS; i++)
		output[i] = (double)rand() / RAND_MAX;
	inference->outputs[0].tensor = (struct tensor){
	    .datatype = DATATYPE_FP64, .rank = 2, .shape = {(int64_t)rows, 1}, .count = rows, .data = output};
	buf_init(&out);
	double start = cpu_us();
	for (; rounds % BATCH != 0 || cpu_us() - start < ROUNDS_US; rounds++) {
		buf_clear(&out);
		v2_write(&out, "flight-delay", 3, request, inference, &json_size);
	}
	double each_us = (cpu_us() - start) / (double)rounds;
	buf_release(&out);
	return each_us;
}

static void measure(size_t rows, bool long_numbers, bool first)
{
	struct arena arena = {0};
	struct v2_request request;
	struct inference inference;
	struct buf body;

	buf_init(&body);
	make_body(&body, rows, long_numbers);
	double parse_us = measure_parse(&body, &arena, &request, &inference);
	double write_us = measure_write(rows, &request, &inference);
	printf("%s{\"rows\":%zu,\"digits\":%d,\"bytes\":%zu,\"parse_us\":%.3f,\"write_us\":%.3f}", first ? "[" : ",\n ",
	       rows, long_numbers ? 17 : 4, body.size, parse_us, write_us);
	buf_release(&body);
	arena_release(&arena);
}

int main(void)
{
	static char name[] = "feature";

	for (size_t i = 0; i < FEATURES; i++)
		names[i] = name;
	srand(1);
	measure(1, false, true);
	measure(1, true, false);
	measure(ROWS, false, false);
	measure(ROWS, true, false);
	puts("]");
	return 0;
}
