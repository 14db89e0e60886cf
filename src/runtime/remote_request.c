/* remote_request: an inference as the body of a V2 request. */
#include "runtime/remote_internal.h"

#include "core/text.h"
#include "core/v2_tensor.h"

#include <math.h>
#include <string.h>

static bool utf8(struct bytes text)
{
	const char *end = text.data + text.size;
	for (const char *at = text.data; at < end;) {
		char copy[5] = {0};
		memcpy(copy, at, end - at < 4 ? (size_t)(end - at) : 4);
		size_t size = text_character_size(copy);
		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

/* NaN is sent as null, as it came. */
static int check_json(const char *name, const struct tensor *t, struct err *e)
{
	for (size_t i = 0; i < t->count; i++) {
		if (datatype_kind(t->datatype) == KIND_FLOAT && isinf(tensor_double(t, i)))
			return err_set(e, ERR_INPUT,
				       "element %zu of input `%s` is infinite, and the model's "
				       "server takes only "
				       "JSON, which has no infinity",
				       i, name);
		if (t->datatype == DATATYPE_BYTES && !utf8(((const struct bytes *)t->data)[i]))
			return err_set(e, ERR_INPUT,
				       "element %zu of input `%s` is no UTF-8, and the model's "
				       "server takes only "
				       "JSON, whose strings are",
				       i, name);
	}
	return 0;
}

static int write_inputs(const struct inference *inference, bool binary, struct buf *out,
			struct err *e)
{
	const struct manifest *m = inference->manifest;

	for (size_t i = 0; i < m->input_count; i++) {
		if (!binary && check_json(m->inputs[i].name, &inference->inputs[i], e) != 0)
			return -1;
		if (i > 0)
			buf_add_char(out, ',');
		v2_tensor_write(out, m->inputs[i].name, &inference->inputs[i], binary);
	}
	return 0;
}

int remote_request_write(const struct inference *inference, bool binary, struct buf *out,
			 size_t *json_size, struct err *e)
{
	const struct manifest *m = inference->manifest;
	size_t start = out->size;

	buf_add_string(out, "{\"inputs\":[");
	if (write_inputs(inference, binary, out, e) != 0)
		return -1;
	buf_add_string(out, "],\"outputs\":[");
	for (size_t i = 0; i < inference->output_count; i++) {
		buf_add_string(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		v2_write_string(out, m->outputs[inference->outputs[i].spec].name);
		buf_add_string(out, binary ? ",\"parameters\":{\"binary_data\":true}}" : "}");
	}
	buf_add_string(out, "]}");
	*json_size = out->size - start;
	for (size_t i = 0; binary && i < m->input_count; i++)
		v2_tensor_write_bytes(out, &inference->inputs[i]);
	return out->failed ? err_set(e, ERR_MEMORY, "memory is out for a request to another server")
			   : 0;
}
