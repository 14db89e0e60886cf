/* forest against the libraries' own scores (tests/fixtures/make_forest.py), and against broken
 * files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/engine/forest.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURES "tests/fixtures/forest/"

static char *read_all(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *data = malloc(1 << 20);

	if (!file) {
		free(data);
		return NULL;
	}
	*size = fread(data, 1, 1 << 20, file);
	fclose(file);
	return data;
}

static bool equal(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool near(double a, double b)
{
	return equal(a, b) || fabs(a - b) <= 1e-6 * fmax(1, fabs(b));
}

static int compare(const char *name, const struct forest *f, const double *table, size_t rows, size_t width)
{
	const struct forest_info *info = forest_info(f);
	size_t features = info->feature_count, raws = info->raw_count, outs = info->output_count;
	double *packed = malloc(rows * features * sizeof(double));
	double *batch = malloc(rows * outs * sizeof(double));
	double raw[64], out[64], raw32[64], out32[64];
	float narrow[64];
	int failures = 0;

	for (size_t r = 0; r < rows; r++)
		memcpy(packed + r * features, table + r * width, features * sizeof(double));
	forest_predict_f64(f, packed, rows, batch, NULL);
	for (size_t r = 0; r < rows; r++) {
		const double *row = table + r * width;
		bool same = true, exact = true;

		for (size_t i = 0; i < features; i++) {
			narrow[i] = (float)row[i];
			exact &= isnan(row[i]) || (double)narrow[i] == row[i];
		}
		forest_predict_f64(f, row, 1, out, raw);
		forest_predict_f32(f, narrow, 1, out32, raw32);
		for (size_t i = 0; i < raws; i++)
			same &= equal(raw[i], row[features + i]) && (!exact || equal(raw32[i], raw[i]));
		for (size_t i = 0; i < outs; i++)
			same &= near(out[i], row[features + raws + i]) && (!exact || equal(out32[i], out[i])) &&
				equal(batch[r * outs + i], out[i]);
		if (!same && failures++ == 0)
			print_error("%s: row %zu: raw %.17g for %.17g, output %.17g for %.17g\n", name, r, raw[0],
				    row[features], out[0], row[features + raws]);
	}
	free(packed);
	free(batch);
	return failures != 0;
}

static int check_fixture(const char *model_path, const char *name)
{
	char path[512];
	size_t size, shape[4];
	char *data = read_all(model_path, &size);
	struct forest *f;
	struct err e;
	FILE *expected;
	double *table;
	int failures;

	if (forest_load(data, size, &f, &e)) {
		print_error("%s: %s\n", name, e.text);
		free(data);
		return 1;
	}
	free(data);
	snprintf(path, sizeof(path), "%.*s.expected", (int)(strrchr(model_path, '.') - model_path), model_path);
	expected = fopen(path, "r");
	assert_non_null(expected);
	assert_int_equal(fscanf(expected, "%zu %zu %zu %zu", shape, shape + 1, shape + 2, shape + 3), 4);
	assert_int_equal(forest_info(f)->feature_count, shape[1]);
	assert_int_equal(forest_info(f)->raw_count, shape[2]);
	assert_int_equal(forest_info(f)->output_count, shape[3]);
	shape[1] += shape[2] + shape[3];
	table = malloc(shape[0] * shape[1] * sizeof(double));
	for (size_t i = 0; i < shape[0] * shape[1]; i++)
		assert_int_equal(fscanf(expected, "%lf", &table[i]), 1);
	fclose(expected);
	failures = compare(name, f, table, shape[0], shape[1]);
	free(table);
	forest_free(f);
	return failures;
}

static bool is_model(const char *name)
{
	const char *end = strrchr(name, '.');

	return end && strcmp(end, ".expected") != 0 && name[0] != '.';
}

static void equals_the_libraries(void **state)
{
	DIR *directory = opendir(FIXTURES);
	struct dirent *entry;
	char path[512];
	int failures = 0, models = 0;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		if (!is_model(entry->d_name))
			continue;
		snprintf(path, sizeof(path), FIXTURES "%s", entry->d_name);
		failures += check_fixture(path, entry->d_name);
		models++;
	}
	closedir(directory);
	assert_true(models > 20);
	assert_int_equal(failures, 0);
}

/* Loads every 13th prefix and single-byte change of a model; predicts with what still loads. */
static void survives_damage(const char *path)
{
	size_t size;
	char *data = read_all(path, &size);
	double row[64] = {NAN, INFINITY, -INFINITY, 1e30, -1}, out[FOREST_OUTPUTS_MAX];
	struct forest *f;
	struct err e;

	assert_non_null(data);
	for (size_t i = 0; i < size; i += 13) {
		char *part = malloc(i + 1), kept = data[i];

		memcpy(part, data, i);
		if (!forest_load(part, i, &f, &e))
			forest_free(f);
		free(part);
		data[i] = (char)(kept == '9' ? '-' : '9');
		if (!forest_load(data, size, &f, &e)) {
			if (forest_info(f)->feature_count <= 64)
				forest_predict_f64(f, row, 1, out, NULL);
			forest_free(f);
		} else {
			assert_true(strlen(e.text) > 10);
		}
		data[i] = kept;
	}
	free(data);
}

static void refuses_damage(void **state)
{
	(void)state;
	survives_damage(FIXTURES "new_lgb_categories.txt");
	survives_damage(FIXTURES "new_lgb_linear.txt");
	survives_damage(FIXTURES "new_partition_json.json");
	survives_damage(FIXTURES "new_partition_ubj.ubj");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equals_the_libraries),
	    cmocka_unit_test(refuses_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
