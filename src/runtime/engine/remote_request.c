/* remote_request: an inference as the body of a V2 request. */
#include "runtime/engine/remote_internal.h"

#include "core/text.h"
#include "core/v2_client.h"

#include <math.h>

static bool utf8(struct bytes text)
{
	const char *end = text.data + text.size;
	for (const char *at = text.data; at < end;) {
		size_t size = text_character_within(at, (size_t)(end - at));
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

int remote_request_write(const struct inference *inference, bool binary, struct buf *out, size_t *json_size,
			 struct err *e)
{
	const struct manifest *m = inference->manifest;
	const char *names[MANIFEST_TENSORS_MAX];

	for (size_t i = 0; !binary && i < m->input_count; i++)
		if (check_json(m->inputs[i].name, &inference->inputs[i], e) != 0)
			return -1;
	for (size_t i = 0; i < inference->output_count; i++)
		names[i] = m->outputs[inference->outputs[i].spec].name;
	v2_client_write(out, m, inference->inputs, names, inference->output_count, binary, json_size);
	return out->failed ? err_set(e, ERR_MEMORY, "memory is out for a request to another server") : 0;
}
