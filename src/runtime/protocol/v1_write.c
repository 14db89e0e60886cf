/* v1: answers, and the signature. */
#include "core/digest.h"
#include "runtime/protocol/v1.h"
#include "runtime/protocol/v2.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#define BINARY_SUFFIX "_bytes" /* strings of an output that ends so are base64 */

/* An output that is answered. */
struct answered {
	const char *name;
	const struct tensor *tensor;
	size_t rank; /* of the lists */
	bool binary;
};

static struct answered answered_at(const struct v1_model *model, struct inference *inference, size_t i)
{
	const struct inference_output *o = &inference->outputs[i];
	const struct tensor *t = &o->tensor;
	const char *name = inference->manifest->outputs[o->spec].name;
	size_t length = strlen(name), suffix = strlen(BINARY_SUFFIX);
	/* KServe's servers of tree ensembles answer a plain number a row where there is one column.
	 */
	bool plain = model->engine->tabular && t->rank == 2 && t->shape[1] == 1;

	return (struct answered){
	    .name = name,
	    .tensor = t,
	    .rank = t->rank - plain,
	    .binary = length > suffix && strcmp(name + length - suffix, BINARY_SUFFIX) == 0,
	};
}

static void write_base64(struct buf *out, const struct bytes *bytes)
{
	buf_add_string(out, "{\"b64\":\"");
	if (bytes->size > INT_MAX / 2 || buf_reserve(out, DIGEST_BASE64_SIZE(bytes->size)) != 0)
		out->failed = true;
	else
		out->size += digest_base64_bytes(bytes->data, bytes->size, out->data + out->size);
	buf_add_string(out, "\"}");
}

static void write_element(struct buf *out, const struct answered *a, size_t i)
{
	const struct tensor *t = a->tensor;
	double value = datatype_kind(t->datatype) == KIND_FLOAT ? tensor_double(t, i) : 0;

	if (t->datatype == DATATYPE_BYTES && a->binary)
		write_base64(out, &((const struct bytes *)t->data)[i]);
	else if (isfinite(value))
		v2_tensor_write_element(out, t, i);
	else
		buf_add_string(out, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

/* Lists down to the elements, of which *i is the next. */
static void write_nested(struct buf *out, const struct answered *a, size_t level, size_t *i)
{
	if (level >= a->rank) {
		write_element(out, a, (*i)++);
		return;
	}
	buf_add_char(out, '[');
	for (int64_t k = 0; k < a->tensor->shape[level]; k++) {
		if (k > 0)
			buf_add_char(out, ',');
		write_nested(out, a, level + 1, i);
	}
	buf_add_char(out, ']');
}

#define WHOLE SIZE_MAX

static void write_one(struct buf *out, const struct answered *a, size_t row)
{
	bool whole = row == WHOLE;
	size_t i = whole ? 0 : row * (a->tensor->count / (size_t)a->tensor->shape[0]);
	write_nested(out, a, whole ? 0 : 1, &i);
}

/* A row of all outputs, or WHOLE; one output goes without its name. */
static void write_all(struct buf *out, const struct answered *list, size_t count, size_t row)
{
	if (count == 1) {
		write_one(out, list, row);
		return;
	}
	buf_add_char(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		v2_write_string(out, list[i].name);
		buf_add_char(out, ':');
		write_one(out, &list[i], row);
	}
	buf_add_char(out, '}');
}

static int check_rows(const struct answered *list, size_t count, size_t rows, struct err *e)
{
	char shape[TENSOR_SHAPE_SIZE];

	for (size_t i = 0; i < count; i++) {
		const struct tensor *t = list[i].tensor;
		if (t->rank > 0 && t->shape[0] > 0 && (size_t)t->shape[0] == rows)
			continue;
		tensor_shape_text(t->shape, t->rank, shape);
		return err_set(e, ERR_INPUT,
			       "output `%s` of shape %s has no value for each of %zu instances; "
			       "send `inputs` instead",
			       list[i].name, shape, rows);
	}
	return 0;
}

int v1_write(struct buf *out, const struct v1_model *model, const struct v1_request *request,
	     struct inference *inference, struct err *e)
{
	size_t count = request->output_count;
	struct answered *list = arena_array(inference->arena, count, sizeof *list);

	if (list == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while answering");
	for (size_t i = 0; i < count; i++)
		list[i] = answered_at(model, inference, i);
	if (!request->by_row) {
		buf_add_string(out, "{\"outputs\":");
		write_all(out, list, count, WHOLE);
		buf_add_char(out, '}');
		return 0;
	}
	if (check_rows(list, count, request->row_count, e) != 0)
		return -1;
	buf_add_string(out, "{\"predictions\":[");
	for (size_t row = 0; row < request->row_count; row++) {
		if (row > 0)
			buf_add_char(out, ',');
		write_all(out, list, count, row);
	}
	buf_add_string(out, "]}");
	return 0;
}

/* --- the signature --- */

static const char *const types[DATATYPE_COUNT] = {
    [DATATYPE_BOOL] = "DT_BOOL",     [DATATYPE_UINT8] = "DT_UINT8",   [DATATYPE_UINT16] = "DT_UINT16",
    [DATATYPE_UINT32] = "DT_UINT32", [DATATYPE_UINT64] = "DT_UINT64", [DATATYPE_INT8] = "DT_INT8",
    [DATATYPE_INT16] = "DT_INT16",   [DATATYPE_INT32] = "DT_INT32",   [DATATYPE_INT64] = "DT_INT64",
    [DATATYPE_FP16] = "DT_HALF",     [DATATYPE_BF16] = "DT_BFLOAT16", [DATATYPE_FP32] = "DT_FLOAT",
    [DATATYPE_FP64] = "DT_DOUBLE",   [DATATYPE_BYTES] = "DT_STRING",
};

static void write_spec(struct buf *out, const struct tensor_spec *spec)
{
	enum datatype type = tensor_spec_type(spec);

	v2_write_string(out, spec->name);
	buf_format(out, ":{\"dtype\":\"%s\",\"tensor_shape\":{\"dim\":[",
		   type < DATATYPE_COUNT ? types[type] : "DT_INVALID");
	for (size_t i = 0; i < spec->dimension_count; i++)
		buf_format(out, "%s{\"size\":\"%lld\",\"name\":\"\"}", i > 0 ? "," : "",
			   (long long)spec->dimensions[i]);
	buf_add_string(out, "],\"unknown_rank\":false},\"name\":");
	v2_write_string(out, spec->name);
	buf_add_char(out, '}');
}

static void write_specs(struct buf *out, const char *key, const struct tensor_spec *specs, size_t count)
{
	buf_format(out, "\"%s\":{", key);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		write_spec(out, &specs[i]);
	}
	buf_add_char(out, '}');
}

void v1_write_metadata(struct buf *out, const char *model, uint32_t version, const struct manifest *manifest)
{
	buf_add_string(out, "{\"model_spec\":{\"name\":");
	v2_write_string(out, model);
	buf_format(out,
		   ",\"signature_name\":\"\",\"version\":\"%u\"},\"metadata\":{\"signature_def\":"
		   "{\"signature_def\":{\"" V1_SIGNATURE "\":{",
		   (unsigned)version);
	write_specs(out, "inputs", manifest->inputs, manifest->input_count);
	buf_add_char(out, ',');
	write_specs(out, "outputs", manifest->outputs, manifest->output_count);
	buf_add_string(out, ",\"method_name\":\"tensorflow/serving/predict\"}}}}}");
}
