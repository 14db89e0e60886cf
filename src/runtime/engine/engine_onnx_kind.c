/*
 * engine_onnx: which number of a prediction is counted and charted. A file says nothing of what its
 * outputs mean, so this goes by what converters write and by the operator that makes an output; in
 * doubt a number is a number.
 */
#include "runtime/engine/engine_onnx.h"

#include "runtime/engine/onnx_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum meaning { NUMBER, PROBABILITIES };

static bool is_float(const struct onnx_output *kind)
{
	return datatype_kind(kind->datatype) == KIND_FLOAT;
}

/* Columns of a row: what the probe saw, else what is declared; 0: not known. */
static size_t columns_of(const struct onnx_model *m, size_t i)
{
	const struct tensor_spec *spec = &m->outputs[i];
	size_t columns = 1;

	if (m->kinds[i].columns > 0)
		return m->kinds[i].columns;
	for (size_t d = 1; d < spec->dimension_count; d++)
		if (spec->dimensions[d] < 0 || __builtin_mul_overflow(columns, (uint64_t)spec->dimensions[d], &columns))
			return 0;
	return columns;
}

static enum meaning meaning_of(const struct onnx_model *m, size_t i, const void *data, size_t size)
{
	char operator[32];

	if (!is_float(&m->kinds[i]))
		return NUMBER;
	/* "probabilities", "output_probability": what the converters of scikit-learn, XGBoost,
	 * LightGBM name it. */
	if (m->kinds[i].maps || strncasecmp(m->output_names[i], "probabilit", 10) == 0 ||
	    strcasecmp(m->output_names[i], "output_probability") == 0)
		return PROBABILITIES;
	if (onnx_file_operator(data, size, m->output_names[i], operator, sizeof operator) &&
	    (strcmp(operator, "Sigmoid") == 0 || strcmp(operator, "Softmax") == 0))
		return PROBABILITIES;
	return NUMBER;
}

/* Two classes are charted as the probability of the second, more as the class that is likeliest. */
static struct prediction_kind probabilities(const struct onnx_model *m, size_t i)
{
	size_t columns = columns_of(m, i);

	if (columns > 2)
		return (struct prediction_kind){.output = i, .column = PREDICTION_ARGMAX, .class_count = columns};
	return (struct prediction_kind){
	    .output = i, .column = columns == 2 ? 1 : 0, .probability = columns == 1 || columns == 2};
}

void onnx_kind(const struct onnx_model *m, const void *data, size_t size, struct prediction_kind *kind)
{
	size_t number = m->output_count;

	for (size_t i = 0; i < m->output_count; i++)
		if (meaning_of(m, i, data, size) == PROBABILITIES && columns_of(m, i) > 0) {
			*kind = probabilities(m, i);
			return;
		}
	/* Else the first that is a score; else the first that is any number, such as a label. */
	for (size_t i = m->output_count; i-- > 0;)
		if (is_float(&m->kinds[i]))
			number = i;
	for (size_t i = m->output_count; number == m->output_count && i-- > 0;)
		if (datatype_kind(m->kinds[i].datatype) != KIND_BYTES)
			number = i;
	*kind = (struct prediction_kind){.output = number == m->output_count ? PREDICTION_NONE : number};
	if (kind->output != PREDICTION_NONE && m->kinds[number].datatype == DATATYPE_BOOL)
		kind->class_count = 2;
}
