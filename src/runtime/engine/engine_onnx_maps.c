/*
 * engine_onnx: outputs of maps, as scikit-learn's converter makes them (ZipMap: one map a row, from
 * a class to its probability), answered as a tensor [rows, classes] in the order of the keys, which
 * is the map's own.
 */
#include "runtime/engine/engine_onnx.h"

#include "core/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char what[] = "the model's answer cannot be read";

/* Keys (0) or values (1) of a map. */
static struct ort_value *part_of(const struct onnx_model *m, const struct ort_value *map, int part, struct err *e)
{
	struct ort_value *value = NULL;
	if (ort_check(m->ort, m->ort->GetValue(map, part, m->ort->allocator, &value), ERR_SYSTEM, what, e) != 0)
		return NULL;
	return value;
}

/* Elements of a tensor of one dimension, as the parts of a map are. */
static int count_of(const struct onnx_model *m, const struct ort_value *value, enum datatype wanted, size_t *count,
		    struct err *e)
{
	int64_t shape[TENSOR_RANK_MAX];
	enum datatype type;
	size_t rank;

	if (onnx_value_shape(m, value, &type, shape, &rank, e) != 0)
		return -1;
	if (type != wanted || !tensor_count(shape, rank, count))
		return err_set(e, ERR_SYSTEM, "%s: a map of an unexpected type", what);
	if (*count > ONNX_CLASSES_MAX)
		return err_set(e, ERR_SYSTEM, "the model answered %zu classes, at most %d are served", *count,
			       ONNX_CLASSES_MAX);
	return 0;
}

/* The keys as one run of bytes, out of the arena or, without one, of malloc. */
static int keys_read(const struct onnx_model *m, int type, struct ort_value *value, struct arena *arena,
		     struct onnx_keys *keys, struct err *e)
{
	const struct ort *o = m->ort;
	size_t text_size = 0;
	void *data;

	*keys = (struct onnx_keys){.type = type};
	if (count_of(m, value, onnx_datatype(type), &keys->count, e) != 0)
		return -1;
	if (type == ORT_STRING && keys->count > 0 &&
	    ort_check(o, o->GetStringTensorDataLength(value, &text_size), ERR_SYSTEM, what, e) != 0)
		return -1;
	/* A size_t and an int64_t have 8 bytes each. */
	size_t numbers_size = keys->count * sizeof(int64_t);
	keys->size = numbers_size + text_size;
	keys->data = arena != NULL ? arena_take(arena, keys->size + 1) : malloc(keys->size + 1);
	if (keys->data == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while a prediction was answered");
	if (keys->count == 0)
		return 0;
	if (type == ORT_STRING) {
		size_t *offsets = (size_t *)(void *)keys->data;
		return ort_check(
		    o, o->GetStringTensorContent(value, keys->data + numbers_size, text_size, offsets, keys->count),
		    ERR_SYSTEM, what, e);
	}
	if (ort_check(o, o->GetTensorMutableData(value, &data), ERR_SYSTEM, what, e) != 0)
		return -1;
	memcpy(keys->data, data, numbers_size);
	return 0;
}

static bool keys_equal(const struct onnx_keys *a, const struct onnx_keys *b)
{
	return a->count == b->count && a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static int map_keys(const struct onnx_model *m, const struct onnx_output *kind, const struct ort_value *map,
		    struct arena *arena, struct onnx_keys *keys, struct err *e)
{
	struct ort_value *value = part_of(m, map, 0, e);
	if (value == NULL)
		return -1;
	int result = keys_read(m, kind->key_type, value, arena, keys, e);
	m->ort->ReleaseValue(value);
	return result;
}

static int map_values(const struct onnx_model *m, const struct onnx_output *kind, const struct ort_value *map,
		      size_t count, void *row, struct err *e)
{
	struct ort_value *value = part_of(m, map, 1, e);
	int result = -1;
	size_t there;
	void *data;

	if (value == NULL)
		return -1;
	if (count_of(m, value, kind->datatype, &there, e) == 0 &&
	    (there == 0 || ort_check(m->ort, m->ort->GetTensorMutableData(value, &data), ERR_SYSTEM, what, e) == 0)) {
		result = there == count ? 0 : err_set(e, ERR_SYSTEM, "%s: a map without some values", what);
		if (result == 0 && count > 0)
			memcpy(row, data, count * datatype_size(kind->datatype));
	}
	m->ort->ReleaseValue(value);
	return result;
}

/* Row i: a map of its own that the caller releases, or the value itself. */
static int map_of_row(const struct onnx_model *m, const struct onnx_output *kind, const struct ort_value *value,
		      size_t i, struct ort_value **owned, const struct ort_value **map, struct err *e)
{
	*owned = NULL;
	*map = value;
	if (kind->single)
		return 0;
	if (ort_check(m->ort, m->ort->GetValue(value, (int)i, m->ort->allocator, owned), ERR_SYSTEM, what, e) != 0)
		return -1;
	*map = *owned;
	return 0;
}

static int count_rows(const struct onnx_model *m, const struct onnx_output *kind, const struct ort_value *value,
		      size_t *rows, struct err *e)
{
	*rows = 1;
	if (kind->single)
		return 0;
	if (ort_check(m->ort, m->ort->GetValueCount(value, rows), ERR_SYSTEM, what, e) != 0)
		return -1;
	return *rows <= INT32_MAX ? 0 : err_set(e, ERR_SYSTEM, "the model answered too many rows");
}

static int read_row(const struct onnx_model *m, const struct onnx_output *kind, const struct ort_value *map,
		    const struct onnx_keys *expected, struct arena *arena, void *row, struct err *e)
{
	struct onnx_keys keys;

	if (map_keys(m, kind, map, arena, &keys, e) != 0)
		return -1;
	if (!keys_equal(&keys, expected))
		return err_set(e, ERR_SYSTEM, "the model answered rows with different classes");
	return map_values(m, kind, map, expected->count, row, e);
}

int onnx_maps_read(const struct onnx_model *m, const struct onnx_output *kind, const struct ort_value *value,
		   struct inference *inference, struct inference_output *output, struct err *e)
{
	struct onnx_keys classes = kind->classes;
	int64_t shape[2] = {0, (int64_t)classes.count};
	const struct ort_value *map;
	struct ort_value *owned;
	size_t rows;
	int result = 0;

	if (count_rows(m, kind, value, &rows, e) != 0)
		return -1;
	shape[0] = (int64_t)rows;
	for (size_t i = 0; result == 0 && i < rows; i++) {
		if (map_of_row(m, kind, value, i, &owned, &map, e) != 0)
			return -1;
		if (i == 0 && classes.data == NULL) {
			result = map_keys(m, kind, map, inference->arena, &classes, e);
			shape[1] = (int64_t)classes.count;
		}
		if (i == 0 && result == 0)
			result = inference_reserve(inference, output, kind->datatype, shape, 2, e);
		if (result == 0)
			result = read_row(
			    m, kind, map, &classes, inference->arena,
			    (char *)output->tensor.data + i * classes.count * datatype_size(kind->datatype), e);
		if (owned != NULL)
			m->ort->ReleaseValue(owned);
	}
	if (rows == 0)
		return inference_reserve(inference, output, kind->datatype, shape, 2, e);
	return result;
}

void onnx_maps_classes(const struct onnx_model *m, const struct onnx_output *kind, const struct ort_value *value,
		       struct onnx_keys *classes)
{
	const struct ort_value *map;
	struct ort_value *owned;
	size_t rows;

	*classes = (struct onnx_keys){0};
	if (count_rows(m, kind, value, &rows, NULL) != 0 || rows == 0 ||
	    map_of_row(m, kind, value, 0, &owned, &map, NULL) != 0)
		return;
	if (map_keys(m, kind, map, NULL, classes, NULL) != 0) {
		free(classes->data);
		*classes = (struct onnx_keys){0};
	}
	if (owned != NULL)
		m->ort->ReleaseValue(owned);
}

static cJSON *class_json(const struct onnx_keys *classes, size_t i)
{
	char text[256], raw[256];

	if (classes->type == ORT_INT64) {
		/* cJSON's own numbers are doubles. */
		snprintf(text, sizeof text, "%" PRId64, ((const int64_t *)(const void *)classes->data)[i]);
		return cJSON_CreateRaw(text);
	}
	const size_t *offsets = (const size_t *)(const void *)classes->data;
	const char *all = classes->data + classes->count * sizeof *offsets;
	size_t end = i + 1 < classes->count ? offsets[i + 1] : classes->size - classes->count * sizeof *offsets;
	size_t size = end - offsets[i] < sizeof raw ? end - offsets[i] : sizeof raw - 1;
	memcpy(raw, all + offsets[i], size);
	raw[size] = '\0';
	text_clean(text, sizeof text, raw);
	return cJSON_CreateString(text);
}

char *onnx_classes_json(const struct onnx_keys *classes)
{
	cJSON *array = cJSON_CreateArray();
	bool done = array != NULL;
	for (size_t i = 0; done && i < classes->count; i++) {
		cJSON *item = class_json(classes, i);
		done = item != NULL && cJSON_AddItemToArray(array, item);
	}
	char *text = done ? cJSON_PrintUnformatted(array) : NULL;
	cJSON_Delete(array);
	return text;
}
