/* bench_onnx MODEL.onnx [LIBRARY]: microseconds a row at 1 row a call, with kept values and with
 * new ones, and at 256 rows, over 4,096 distinct rows. For models with one input [rows, features]
 * of FP32. */
#include "core/clock.h"
#include "runtime/engine/engine_onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 4096
#define ROUNDS 20

static double measure(void *model, const struct manifest *manifest, float *rows, size_t batch)
{
	size_t width = (size_t)manifest->inputs[0].dimensions[1];
	struct arena arena = {0};
	struct inference inference;
	uint64_t start_ns = 0;
	struct err e;

	/* The first round warms up. */
	for (int round = -1; round < ROUNDS; round++) {
		if (round == 0)
			start_ns = clock_ns();
		for (size_t i = 0; i < ROWS; i += batch) {
			arena_reset(&arena);
			if (inference_begin(&inference, manifest, &arena, &e) != 0)
				exit(7);
			inference.inputs[0] = (struct tensor){
			    DATATYPE_FP32, 2, {(int64_t)batch, (int64_t)width}, batch * width, rows + i * width};
			inference_want_default(&inference, &engine_onnx);
			if (engine_onnx.predict(model, &inference, &e) != 0) {
				fprintf(stderr, "bench_onnx: %s\n", e.text);
				exit(2);
			}
		}
	}
	arena_release(&arena);
	return (double)(clock_ns() - start_ns) / 1e3 / ((double)ROUNDS * ROWS);
}

int main(int argc, char **argv)
{
	FILE *file = argc >= 2 ? fopen(argv[1], "rb") : NULL;
	size_t room = (size_t)256 << 20;
	char *data = malloc(room);
	struct prediction_kind kind;
	struct manifest manifest;
	struct config config;
	struct err e;
	void *model;

	config_init(&config);
	snprintf(config.onnx.library, sizeof config.onnx.library, "%s", argc >= 3 ? argv[2] : "");
	manifest_init(&manifest);
	struct engine_source source = {.data = data, .config = &config};
	if (file == NULL || data == NULL) {
		fprintf(stderr, "bench_onnx: usage: bench_onnx MODEL.onnx [LIBRARY]\n");
		return 2;
	}
	source.size = fread(data, 1, room, file);
	if (engine_onnx.load(&source, &manifest, &kind, &model, &e) != 0) {
		fprintf(stderr, "bench_onnx: %s\n", e.text);
		return 2;
	}
	const struct tensor_spec *input = &manifest.inputs[0];
	if (manifest.input_count != 1 || input->dimension_count != 2 || input->dimensions[1] < 1 ||
	    datatype_find(input->datatype, strlen(input->datatype)) != DATATYPE_FP32) {
		fprintf(stderr, "bench_onnx: the model's input is not [rows, features] of FP32\n");
		return 2;
	}
	size_t count = (size_t)input->dimensions[1] * ROWS;
	float *rows = malloc(count * sizeof *rows);
	if (rows == NULL)
		return 7;
	srand(1);
	for (size_t i = 0; i < count; i++)
		rows[i] = (float)rand() / (float)RAND_MAX * 4 - 2;
	double kept = measure(model, &manifest, rows, 1);
	((struct onnx_model *)model)->slotted = false;
	double fresh = measure(model, &manifest, rows, 1);
	printf("{\"us_row_1\":%.3f,\"us_row_1_new_values\":%.3f,\"us_row_256\":%.3f}\n", kept, fresh,
	       measure(model, &manifest, rows, 256));
	engine_onnx.unload(model);
	manifest_release(&manifest);
	free(rows);
	free(data);
	return fclose(file);
}
