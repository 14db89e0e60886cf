/* bench_forest <model file>: microseconds a row at 1 and 256 rows a call, over 4,096 distinct rows. */
#include "core/clock.h"
#include "runtime/engine/forest.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS 4096
#define ROUNDS 20

static double measure(const struct forest *f, const float *rows, double *output, size_t batch)
{
	uint64_t start_ns = clock_ns();

	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ROWS; i += batch)
			forest_predict_f32(f, rows + i * forest_info(f)->feature_count, batch, output, NULL);
	return (double)(clock_ns() - start_ns) / 1e3 / ((double)ROUNDS * ROWS);
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	size_t room = (size_t)256 << 20, count;
	char *data = malloc(room);
	struct forest *f;
	struct err e;

	if (!file || !data || forest_load(data, fread(data, 1, room, file), &f, &e)) {
		fprintf(stderr, "bench_forest: %s\n", file ? e.text : "usage: bench_forest <model file>");
		return 2;
	}
	count = forest_info(f)->feature_count * ROWS;
	float *rows = malloc(count * sizeof(*rows));
	double *output = malloc(256 * forest_info(f)->output_count * sizeof(*output));
	if (!rows || !output)
		return 7;
	srand(1);
	for (size_t i = 0; i < count; i++)
		rows[i] = (float)rand() / (float)RAND_MAX * 4 - 2;
	measure(f, rows, output, 256);
	printf("{\"trees\":%zu,\"us_row_1\":%.3f,\"us_row_256\":%.3f}\n", forest_info(f)->tree_count,
	       measure(f, rows, output, 1), measure(f, rows, output, 256));
	free(rows);
	free(output);
	free(data);
	forest_free(f);
	return fclose(file);
}
