/*
 * engine_onnx: one run at load, to learn what the file does not say, or says wrongly: some
 * converters declare a label of [1] and answer one a row.
 */
#include "runtime/engine/engine_onnx.h"

#include <string.h>

/* Two, so that a dimension that follows the rows differs from one that is 1. */
#define ROWS 2
/* A probe asks for no more memory than this; a model with greater inputs is not probed. */
#define PROBE_MAX ((size_t)256 << 20)

/* Zeros, or empty strings; every dimension that is free is ROWS. */
static int make_input(const struct onnx_model *m, size_t i, struct arena *arena, struct ort_value **value)
{
	const struct tensor_spec *spec = &m->inputs[i];
	struct tensor t = {.datatype = m->input_types[i], .rank = spec->dimension_count};
	size_t size;

	for (size_t d = 0; d < t.rank; d++)
		t.shape[d] = spec->dimensions[d] < 0 ? ROWS : spec->dimensions[d];
	if (!tensor_count(t.shape, t.rank, &t.count) || t.count > PROBE_MAX / datatype_size(t.datatype))
		return -1;
	size = t.count * datatype_size(t.datatype);
	t.data = arena_take(arena, size);
	if (t.data == NULL)
		return -1;
	memset(t.data, 0, size);
	return onnx_value(m, t.datatype, &t, value, NULL);
}

/* What is declared and was not answered so is of any size. */
static void learn_shape(struct tensor_spec *spec, struct onnx_output *kind, const int64_t *shape, size_t rank)
{
	if (rank > MANIFEST_DIMENSIONS_MAX)
		return;
	for (size_t i = 0; i < rank; i++)
		if (spec->dimension_count != rank || spec->dimensions[i] != shape[i])
			spec->dimensions[i] = -1;
	spec->dimension_count = rank;
	if (rank == 0 || shape[0] != ROWS)
		return;
	kind->columns = 1;
	for (size_t i = 1; i < rank; i++)
		if (__builtin_mul_overflow(kind->columns, (uint64_t)shape[i], &kind->columns))
			kind->columns = 0;
}

static void learn(struct onnx_model *m, size_t i, const struct ort_value *value)
{
	struct onnx_output *kind = &m->kinds[i];
	int64_t shape[TENSOR_RANK_MAX];
	enum datatype type;
	size_t rank;

	if (kind->maps) {
		onnx_maps_classes(m, kind, value, &kind->classes);
		if (kind->classes.data == NULL)
			return;
		kind->columns = kind->classes.count;
		m->outputs[i].dimensions[1] = (int64_t)kind->classes.count;
	} else if (onnx_value_shape(m, value, &type, shape, &rank, NULL) == 0) {
		learn_shape(&m->outputs[i], kind, shape, rank);
	}
}

void onnx_probe(struct onnx_model *m)
{
	struct ort_value *inputs[MANIFEST_TENSORS_MAX], *outputs[MANIFEST_TENSORS_MAX] = {0};
	struct ort_status *status;
	struct arena arena = {0};
	size_t made = 0;

	while (made < m->input_count && make_input(m, made, &arena, &inputs[made]) == 0)
		made++;
	if (made == m->input_count) {
		status = m->ort->Run(m->session, NULL, (const char *const *)m->input_names,
				     (const struct ort_value *const *)inputs, m->input_count,
				     (const char *const *)m->output_names, m->output_count, outputs);
		for (size_t i = 0; status == NULL && i < m->output_count; i++)
			learn(m, i, outputs[i]);
		ort_ignore(m->ort, status);
	}
	for (size_t i = 0; i < made; i++)
		m->ort->ReleaseValue(inputs[i]);
	for (size_t i = 0; i < m->output_count; i++)
		if (outputs[i] != NULL)
			m->ort->ReleaseValue(outputs[i]);
	arena_release(&arena);
}
