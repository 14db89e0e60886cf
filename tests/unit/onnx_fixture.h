/* onnx_fixture: requests and answers of tests/fixtures/onnx/NAME.json as tensors. */
#ifndef TESTS_ONNX_FIXTURE_H
#define TESTS_ONNX_FIXTURE_H

#include "core/arena.h"
#include "core/tensor.h"
#include "runtime/engine/engine.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_SIZE_MAX (1 << 20)

static inline char *fixture_read(const char *name, const char *suffix, size_t *size)
{
	char path[128];
	snprintf(path, sizeof path, "tests/fixtures/onnx/%s%s", name, suffix);
	FILE *file = fopen(path, "rb");
	char *data = malloc(FIXTURE_SIZE_MAX + 1);

	assert_non_null(file);
	assert_non_null(data);
	*size = fread(data, 1, FIXTURE_SIZE_MAX, file);
	data[*size] = '\0';
	fclose(file);
	return data;
}

static inline cJSON *fixture_json(const char *name)
{
	size_t size;
	char *text = fixture_read(name, ".json", &size);
	cJSON *json = cJSON_Parse(text);
	free(text);
	assert_non_null(json);
	return json;
}

static inline const cJSON *fixture_tensor(const cJSON *json, const char *list, const char *name)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(json, list))
	{
		if (strcmp(cJSON_GetObjectItem(item, "name")->valuestring, name) == 0)
			return item;
	}
	fail_msg("the fixture has no %s in %s", name, list);
	return NULL;
}

/* Whole numbers past 2^53 are written to the file exactly, and rounded by cJSON alike on both
 * sides. */
static inline void fixture_store(struct tensor *t, size_t i, const cJSON *item)
{
	double value = cJSON_IsNull(item) ? (double)NAN : cJSON_IsBool(item) ? cJSON_IsTrue(item) : item->valuedouble;

	switch (t->datatype) {
	case DATATYPE_BYTES:
		((struct bytes *)t->data)[i] = (struct bytes){item->valuestring, strlen(item->valuestring)};
		return;
	case DATATYPE_FP32:
		((float *)t->data)[i] = (float)value;
		return;
	case DATATYPE_FP64:
		((double *)t->data)[i] = value;
		return;
	case DATATYPE_FP16:
		((uint16_t *)t->data)[i] = double_to_half(value);
		return;
	case DATATYPE_BF16:
		((uint16_t *)t->data)[i] = double_to_bfloat(value);
		return;
	default:
		/* Little endian, as everything that this runs on: the lower bytes are the narrow
		 * number. */
		memcpy((char *)t->data + i * datatype_size(t->datatype), &(int64_t){(int64_t)value},
		       datatype_size(t->datatype));
	}
}

/* The tensor, or only rows [first, first + rows) of it. Its strings are the JSON's. */
static inline void fixture_load(const cJSON *json, struct arena *arena, size_t first, size_t rows, struct tensor *t)
{
	const char *type = cJSON_GetObjectItem(json, "datatype")->valuestring;
	const cJSON *item;
	size_t width, i = 0;

	*t = (struct tensor){.datatype = datatype_find(type, strlen(type))};
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(json, "shape"))
	{
		t->shape[t->rank++] = (int64_t)item->valuedouble;
	}
	assert_true(tensor_count(t->shape, t->rank, &t->count));
	width = t->rank == 0 ? 1 : t->count / (size_t)t->shape[0];
	if (rows > 0) {
		t->shape[0] = (int64_t)rows;
		t->count = rows * width;
	} else {
		first = 0;
	}
	t->data = arena_array(arena, t->count, datatype_size(t->datatype));
	assert_non_null(t->data);
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(json, "data"))
	{
		if (i >= first * width && i - first * width < t->count)
			fixture_store(t, i - first * width, item);
		i++;
	}
	assert_true(i >= first * width + t->count);
}

static inline size_t fixture_rows(const cJSON *json)
{
	const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "inputs"), 0);
	return (size_t)cJSON_GetArrayItem(cJSON_GetObjectItem(first, "shape"), 0)->valuedouble;
}

static inline void fixture_inputs(const cJSON *json, struct inference *inference, size_t first, size_t rows)
{
	for (size_t i = 0; i < inference->manifest->input_count; i++)
		fixture_load(fixture_tensor(json, "inputs", inference->manifest->inputs[i].name), inference->arena,
			     first, rows, &inference->inputs[i]);
}

static inline bool fixture_near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * fmax(1, fabs(b));
}

static inline bool fixture_equal(const cJSON *json, const char *name, struct inference *inference, size_t output,
				 size_t first, size_t rows)
{
	const struct inference_output *got = &inference->outputs[output];
	const char *label = inference->manifest->outputs[got->spec].name;
	double tolerance = cJSON_GetObjectItem(json, "tolerance")->valuedouble;
	struct tensor wanted;
	const struct tensor *t = &got->tensor;

	fixture_load(fixture_tensor(json, "outputs", label), inference->arena, first, rows, &wanted);
	if (t->datatype != wanted.datatype || t->rank != wanted.rank || t->count != wanted.count ||
	    memcmp(t->shape, wanted.shape, t->rank * sizeof *t->shape) != 0) {
		print_error("%s: %s: %s of %zu values, wanted %s of %zu\n", name, label, datatype_name(t->datatype),
			    t->count, datatype_name(wanted.datatype), wanted.count);
		return false;
	}
	for (size_t i = 0; i < t->count; i++) {
		const struct bytes *a = &((const struct bytes *)t->data)[i],
				   *b = &((const struct bytes *)wanted.data)[i];
		bool same = t->datatype == DATATYPE_BYTES
				? a->size == b->size && memcmp(a->data, b->data, a->size) == 0
				: fixture_near(tensor_double(t, i), tensor_double(&wanted, i), tolerance);
		if (same)
			continue;
		print_error("%s: %s[%zu]: %.9g, wanted %.9g\n", name, label, i, tensor_double(t, i),
			    tensor_double(&wanted, i));
		return false;
	}
	return true;
}

#endif
