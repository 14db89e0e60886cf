/* engine_onnx: what a session takes and gives. */
#include "runtime/engine/engine_onnx.h"

#include "core/text.h"
#include "runtime/engine/onnx_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int elements[DATATYPE_COUNT] = {
    [DATATYPE_BOOL] = ORT_BOOL,     [DATATYPE_UINT8] = ORT_UINT8,   [DATATYPE_UINT16] = ORT_UINT16,
    [DATATYPE_UINT32] = ORT_UINT32, [DATATYPE_UINT64] = ORT_UINT64, [DATATYPE_INT8] = ORT_INT8,
    [DATATYPE_INT16] = ORT_INT16,   [DATATYPE_INT32] = ORT_INT32,   [DATATYPE_INT64] = ORT_INT64,
    [DATATYPE_FP16] = ORT_FLOAT16,  [DATATYPE_BF16] = ORT_BFLOAT16, [DATATYPE_FP32] = ORT_FLOAT,
    [DATATYPE_FP64] = ORT_DOUBLE,   [DATATYPE_BYTES] = ORT_STRING,
};

int onnx_element(enum datatype type)
{
	return elements[type];
}

enum datatype onnx_datatype(int element)
{
	for (int i = 0; i < DATATYPE_COUNT; i++)
		if (elements[i] == element)
			return (enum datatype)i;
	return DATATYPE_COUNT;
}

/* One input or output that is being read. */
struct reading {
	const struct ort *ort;
	const char *role; /* "input" or "output" */
	const char *name;
	struct err *e;
};

static int check(const struct reading *r, struct ort_status *status)
{
	return ort_check(r->ort, status, ERR_INPUT, "ONNX Runtime does not tell what the model takes", r->e);
}

static int read_element(const struct reading *r, int element, enum datatype *type)
{
	*type = onnx_datatype(element);
	if (*type != DATATYPE_COUNT)
		return 0;
	return err_set(r->e, ERR_INPUT,
		       "%s `%s` of the model has elements of a type that the prediction protocol "
		       "has not (ONNX "
		       "type %d): cast it inside the model",
		       r->role, r->name, element);
}

static int read_shape(const struct reading *r, const struct ort_tensor_info *info, struct tensor_spec *spec)
{
	const struct ort *o = r->ort;
	size_t rank;

	if (check(r, o->GetDimensionsCount(info, &rank)) != 0)
		return -1;
	if (rank > MANIFEST_DIMENSIONS_MAX)
		return err_set(r->e, ERR_INPUT, "%s `%s` of the model has %zu dimensions, at most %d are served",
			       r->role, r->name, rank, MANIFEST_DIMENSIONS_MAX);
	if (rank > 0 && check(r, o->GetDimensions(info, spec->dimensions, rank)) != 0)
		return -1;
	spec->dimension_count = rank;
	for (size_t i = 0; i < rank; i++) {
		if (spec->dimensions[i] > INT32_MAX)
			return err_set(r->e, ERR_INPUT,
				       "%s `%s` of the model has a dimension of %lld, at most %d is served", r->role,
				       r->name, (long long)spec->dimensions[i], INT32_MAX);
		if (spec->dimensions[i] < 0)
			spec->dimensions[i] = -1;
	}
	return 0;
}

static int read_tensor(const struct reading *r, const struct ort_type_info *type, struct tensor_spec *spec,
		       enum datatype *datatype)
{
	const struct ort_tensor_info *info = NULL;
	int element;

	if (check(r, r->ort->CastTypeInfoToTensorInfo(type, &info)) != 0)
		return -1;
	if (info == NULL || check(r, r->ort->GetTensorElementType(info, &element)) != 0 ||
	    read_element(r, element, datatype) != 0 || read_shape(r, info, spec) != 0)
		return -1;
	snprintf(spec->datatype, sizeof spec->datatype, "%s", datatype_name(*datatype));
	return 0;
}

static int read_map(const struct reading *r, const struct ort_type_info *type, struct tensor_spec *spec,
		    struct onnx_output *kind)
{
	const struct ort *o = r->ort;
	const struct ort_map_info *map = NULL;
	struct ort_type_info *value_type = NULL;
	struct tensor_spec value = {0};

	if (check(r, o->CastTypeInfoToMapTypeInfo(type, &map)) != 0)
		return -1;
	if (map == NULL)
		return err_set(r->e, ERR_INPUT,
			       "output `%s` of the model is a sequence of tensors, and only "
			       "tensors and sequences of "
			       "maps are served: join them inside the model",
			       r->name);
	if (check(r, o->GetMapKeyType(map, &kind->key_type)) != 0 ||
	    check(r, o->GetMapValueType(map, &value_type)) != 0)
		return -1;
	int result = read_tensor(r, value_type, &value, &kind->datatype);
	o->ReleaseTypeInfo(value_type);
	if (result != 0)
		return -1;
	if ((kind->key_type != ORT_INT64 && kind->key_type != ORT_STRING) || kind->datatype == DATATYPE_BYTES)
		return err_set(r->e, ERR_INPUT,
			       "output `%s` of the model is a map, and only maps from whole "
			       "numbers or strings to "
			       "numbers are served",
			       r->name);
	kind->maps = true;
	spec->dimension_count = 2;
	spec->dimensions[0] = spec->dimensions[1] = -1;
	memcpy(spec->datatype, value.datatype, sizeof spec->datatype);
	return 0;
}

static int read_sequence(const struct reading *r, const struct ort_type_info *type, struct tensor_spec *spec,
			 struct onnx_output *kind)
{
	const struct ort_sequence_info *sequence = NULL;
	struct ort_type_info *element = NULL;

	if (check(r, r->ort->CastTypeInfoToSequenceTypeInfo(type, &sequence)) != 0 ||
	    check(r, r->ort->GetSequenceElementType(sequence, &element)) != 0)
		return -1;
	int result = read_map(r, element, spec, kind);
	r->ort->ReleaseTypeInfo(element);
	return result;
}

static int refuse_kind(const struct reading *r, int kind)
{
	static const char *const names[] = {[ORT_SEQUENCE] = "a sequence",
					    [ORT_MAP] = "a map",
					    [ORT_SPARSE] = "a sparse tensor",
					    [ORT_OPTIONAL] = "optional"};
	const char *name = kind >= 0 && kind < (int)(sizeof names / sizeof *names) ? names[kind] : NULL;

	return err_set(r->e, ERR_INPUT, "%s `%s` of the model is %s, and only tensors are served", r->role, r->name,
		       name == NULL ? "of an unknown kind" : name);
}

/* output: NULL for an input. */
static int read_type(const struct reading *r, const struct ort_type_info *type, struct tensor_spec *spec,
		     enum datatype *datatype, struct onnx_output *output)
{
	int kind;

	if (check(r, r->ort->GetOnnxTypeFromTypeInfo(type, &kind)) != 0)
		return -1;
	if (kind == ORT_TENSOR)
		return read_tensor(r, type, spec, datatype);
	if (output != NULL && kind == ORT_SEQUENCE)
		return read_sequence(r, type, spec, output);
	if (output != NULL && kind == ORT_MAP) {
		output->single = true;
		return read_map(r, type, spec, output);
	}
	return refuse_kind(r, kind);
}

static int take_name(const struct reading *r, char *lent, const struct onnx_model *m, char **name,
		     struct tensor_spec *spec)
{
	*name = strdup(lent);
	ort_ignore(m->ort, m->ort->AllocatorFree(m->ort->allocator, lent));
	if (*name == NULL)
		return err_set(r->e, ERR_MEMORY, "memory ran out while an ONNX model was loaded");
	text_clean(spec->name, sizeof spec->name, *name);
	if (spec->name[0] == '\0' || strcmp(spec->name, *name) != 0)
		return err_set(r->e, ERR_INPUT,
			       "an %s of the model is named `%s`: a name has 1 to %d bytes, all of "
			       "them printable",
			       r->role, spec->name, TENSOR_NAME_SIZE - 1);
	return 0;
}

static int read_input(struct onnx_model *m, size_t i, const void *data, size_t size, struct err *e)
{
	struct reading r = {m->ort, "input", "", e};
	struct ort_type_info *type = NULL;
	char *lent = NULL;

	if (check(&r, m->ort->SessionGetInputName(m->session, i, m->ort->allocator, &lent)) != 0 ||
	    take_name(&r, lent, m, &m->input_names[i], &m->inputs[i]) != 0)
		return -1;
	r.name = m->inputs[i].name;
	if (check(&r, m->ort->SessionGetInputTypeInfo(m->session, i, &type)) != 0)
		return -1;
	int result = read_type(&r, type, &m->inputs[i], &m->input_types[i], NULL);
	m->ort->ReleaseTypeInfo(type);
	if (result == 0 && m->inputs[i].dimension_count == 0 && !onnx_file_shaped(data, size, m->input_names[i]))
		return err_set(e, ERR_INPUT,
			       "input `%s` of the model has no shape: declare one (a dimension may "
			       "be of any size)",
			       r.name);
	return result;
}

static int read_output(struct onnx_model *m, size_t i, struct err *e)
{
	struct reading r = {m->ort, "output", "", e};
	struct ort_type_info *type = NULL;
	char *lent = NULL;

	if (check(&r, m->ort->SessionGetOutputName(m->session, i, m->ort->allocator, &lent)) != 0 ||
	    take_name(&r, lent, m, &m->output_names[i], &m->outputs[i]) != 0)
		return -1;
	r.name = m->outputs[i].name;
	if (check(&r, m->ort->SessionGetOutputTypeInfo(m->session, i, &type)) != 0)
		return -1;
	int result = read_type(&r, type, &m->outputs[i], &m->kinds[i].datatype, &m->kinds[i]);
	m->ort->ReleaseTypeInfo(type);
	return result;
}

static int read_counts(struct onnx_model *m, struct err *e)
{
	struct reading r = {m->ort, "", "", e};
	size_t inputs, outputs;

	if (check(&r, m->ort->SessionGetInputCount(m->session, &inputs)) != 0 ||
	    check(&r, m->ort->SessionGetOutputCount(m->session, &outputs)) != 0)
		return -1;
	if (inputs > MANIFEST_TENSORS_MAX || outputs > MANIFEST_TENSORS_MAX)
		return err_set(e, ERR_INPUT, "the model has %zu inputs and %zu outputs, at most %d of each are served",
			       inputs, outputs, MANIFEST_TENSORS_MAX);
	if (inputs == 0 || outputs == 0)
		return err_set(e, ERR_INPUT, "the model has %s", inputs == 0 ? "no inputs" : "no outputs");
	m->input_names = calloc(inputs, sizeof *m->input_names);
	m->inputs = calloc(inputs, sizeof *m->inputs);
	m->input_types = calloc(inputs, sizeof *m->input_types);
	m->output_names = calloc(outputs, sizeof *m->output_names);
	m->outputs = calloc(outputs, sizeof *m->outputs);
	m->kinds = calloc(outputs, sizeof *m->kinds);
	if (m->input_names == NULL || m->inputs == NULL || m->input_types == NULL || m->output_names == NULL ||
	    m->outputs == NULL || m->kinds == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while an ONNX model was loaded");
	m->input_count = inputs;
	m->output_count = outputs;
	return 0;
}

int onnx_signature_read(struct onnx_model *m, const void *data, size_t size, struct err *e)
{
	if (read_counts(m, e) != 0)
		return -1;
	for (size_t i = 0; i < m->input_count; i++)
		if (read_input(m, i, data, size, e) != 0)
			return -1;
	for (size_t i = 0; i < m->output_count; i++)
		if (read_output(m, i, e) != 0)
			return -1;
	return 0;
}
