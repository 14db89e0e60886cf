/* engine_onnx: one prediction: tensors to the library's values, and back. */
#include "runtime/engine/engine_onnx.h"

#include <assert.h>
#include <string.h>

static const char inputs_what[] = "ONNX Runtime takes no value";
static const char outputs_what[] = "the model's answer cannot be read";

/* Inputs that may have any number of rows and were given different ones: few models can mean that, and the library
 * does not blame it on the inputs. */
static bool rows_differ(const struct onnx_model *m, const struct inference *inference, int64_t rows[2])
{
	bool found = false;

	for (size_t i = 0; i < m->input_count; i++) {
		const struct tensor *t = &inference->inputs[i];
		if (m->inputs[i].dimension_count == 0 || m->inputs[i].dimensions[0] != -1 || t->rank == 0)
			continue;
		rows[found] = t->shape[0];
		if (found && rows[0] != rows[1])
			return true;
		found = true;
	}
	return false;
}

static int run_failed(const struct onnx_model *m, const struct inference *inference, struct ort_status *status,
		      struct err *e)
{
	int64_t rows[2];

	if (m->ort->GetErrorCode(status) == ORT_CODE_INVALID_ARGUMENT)
		return ort_check(m->ort, status, ERR_INPUT, "the model refuses these inputs", e);
	if (!rows_differ(m, inference, rows))
		return ort_check(m->ort, status, ERR_SYSTEM, "the model failed", e);
	ort_ignore(m->ort, status);
	return err_set(e, ERR_INPUT, "the inputs have different numbers of rows, %lld and %lld", (long long)rows[0],
		       (long long)rows[1]);
}

static int string_value(const struct onnx_model *m, const struct tensor *t, struct ort_value **value, struct err *e)
{
	const struct ort *o = m->ort;
	const struct bytes *strings = t->data;

	if (ort_check(o, o->CreateTensorAsOrtValue(o->allocator, t->shape, t->rank, ORT_STRING, value), ERR_SYSTEM,
		      inputs_what, e) != 0)
		return -1;
	for (size_t i = 0; i < t->count; i++) {
		char *room = NULL;
		if (ort_check(o, o->GetResizedStringTensorElementBuffer(*value, i, strings[i].size, &room), ERR_SYSTEM,
			      inputs_what, e) != 0) {
			o->ReleaseValue(*value);
			*value = NULL;
			return -1;
		}
		if (strings[i].size > 0)
			memcpy(room, strings[i].data, strings[i].size);
	}
	return 0;
}

int onnx_value(const struct onnx_model *m, enum datatype type, const struct tensor *t, struct ort_value **value,
	       struct err *e)
{
	static char nothing[16]; /* the data of a tensor without elements */

	if (type == DATATYPE_BYTES)
		return string_value(m, t, value, e);
	return ort_check(m->ort,
			 m->ort->CreateTensorWithDataAsOrtValue(m->ort->memory, t->count == 0 ? nothing : t->data,
								t->count * datatype_size(type), t->shape, t->rank,
								onnx_element(type), value),
			 ERR_SYSTEM, inputs_what, e);
}

int onnx_value_shape(const struct onnx_model *m, const struct ort_value *value, enum datatype *type, int64_t *shape,
		     size_t *rank, struct err *e)
{
	const struct ort *o = m->ort;
	struct ort_tensor_info *info = NULL;
	int element, result = -1;

	if (ort_check(o, o->GetTensorTypeAndShape(value, &info), ERR_SYSTEM, outputs_what, e) != 0)
		return -1;
	if (ort_check(o, o->GetTensorElementType(info, &element), ERR_SYSTEM, outputs_what, e) != 0 ||
	    ort_check(o, o->GetDimensionsCount(info, rank), ERR_SYSTEM, outputs_what, e) != 0)
		goto out;
	if (*rank > TENSOR_RANK_MAX) {
		err_set(e, ERR_SYSTEM, "the model answered a tensor of %zu dimensions, at most %d are served", *rank,
			TENSOR_RANK_MAX);
		goto out;
	}
	*type = onnx_datatype(element);
	result = *rank == 0 ? 0 : ort_check(o, o->GetDimensions(info, shape, *rank), ERR_SYSTEM, outputs_what, e);
out:
	o->ReleaseTensorTypeAndShapeInfo(info);
	return result;
}

/* All characters in one run of the arena's memory. */
static int read_strings(const struct onnx_model *m, const struct ort_value *value, struct inference *inference,
			struct tensor *t, struct err *e)
{
	const struct ort *o = m->ort;
	struct bytes *strings = t->data;
	size_t size, *offsets;
	char *text;

	if (t->count == 0)
		return 0;
	if (ort_check(o, o->GetStringTensorDataLength(value, &size), ERR_SYSTEM, outputs_what, e) != 0)
		return -1;
	text = arena_take(inference->arena, size + 1);
	offsets = arena_array(inference->arena, t->count, sizeof *offsets);
	if (text == NULL || offsets == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while a prediction was answered");
	if (ort_check(o, o->GetStringTensorContent(value, text, size, offsets, t->count), ERR_SYSTEM, outputs_what,
		      e) != 0)
		return -1;
	for (size_t i = 0; i < t->count; i++) {
		size_t end = i + 1 < t->count ? offsets[i + 1] : size;
		strings[i] = (struct bytes){text + offsets[i], end - offsets[i]};
	}
	return 0;
}

static int read_tensor(const struct onnx_model *m, struct ort_value *value, struct inference *inference,
		       struct inference_output *output, struct err *e)
{
	const struct onnx_output *kind = &m->kinds[output->spec];
	struct tensor *t = &output->tensor;
	int64_t shape[TENSOR_RANK_MAX] = {0};
	enum datatype type;
	size_t rank;
	void *data;

	if (onnx_value_shape(m, value, &type, shape, &rank, e) != 0)
		return -1;
	if (type != kind->datatype)
		return err_set(e, ERR_SYSTEM, "the model answered output `%s` in another type than it declares",
			       m->outputs[output->spec].name);
	if (inference_reserve(inference, output, type, shape, rank, e) != 0)
		return -1;
	if (type == DATATYPE_BYTES)
		return read_strings(m, value, inference, t, e);
	if (ort_check(m->ort, m->ort->GetTensorMutableData(value, &data), ERR_SYSTEM, outputs_what, e) != 0)
		return -1;
	if (t->count > 0)
		memcpy(t->data, data, t->count * datatype_size(type));
	return 0;
}

static int read_output(const struct onnx_model *m, struct ort_value *value, struct inference *inference,
		       struct inference_output *output, struct err *e)
{
	const struct onnx_output *kind = &m->kinds[output->spec];

	if (value == NULL)
		return err_set(e, ERR_SYSTEM, "the model did not answer output `%s`", m->outputs[output->spec].name);
	return kind->maps ? onnx_maps_read(m, kind, value, inference, output, e)
			  : read_tensor(m, value, inference, output, e);
}

static void release_values(const struct onnx_model *m, struct ort_value **values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (values[i] != NULL)
			m->ort->ReleaseValue(values[i]);
}

int onnx_run(struct onnx_model *m, struct inference *inference, struct err *e)
{
	struct ort_value *inputs[MANIFEST_TENSORS_MAX], *outputs[MANIFEST_TENSORS_MAX];
	const char *names[MANIFEST_TENSORS_MAX];
	size_t made = 0, wanted = inference->output_count;
	int result = -1;

	if (wanted == 0)
		return 0;
	assert(wanted <= MANIFEST_TENSORS_MAX);
	memset(outputs, 0, wanted * sizeof *outputs);
	for (; made < m->input_count; made++)
		if (onnx_value(m, m->input_types[made], &inference->inputs[made], &inputs[made], e) != 0)
			goto out;
	for (size_t i = 0; i < wanted; i++)
		names[i] = m->output_names[inference->outputs[i].spec];
	struct ort_status *status =
	    m->ort->Run(m->session, NULL, (const char *const *)m->input_names, (const struct ort_value *const *)inputs,
			m->input_count, names, wanted, outputs);
	if (status != NULL) {
		result = run_failed(m, inference, status, e);
		goto out;
	}
	result = 0;
	for (size_t i = 0; result == 0 && i < wanted; i++)
		result = read_output(m, outputs[i], inference, &inference->outputs[i], e);
out:
	release_values(m, inputs, made);
	release_values(m, outputs, wanted);
	return result;
}
