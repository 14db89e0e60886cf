/* v2: answers. */
#include "runtime/protocol/v2.h"

#include <stdio.h>

static void write_head(struct buf *out, const char *model, uint32_t version, const struct v2_request *request)
{
	buf_add_string(out, "{\"model_name\":");
	v2_write_string(out, model);
	buf_add_string(out, ",\"model_version\":\"");
	v2_write_unsigned(out, version);
	buf_add_char(out, '"');
	if (request->id[0] != '\0') {
		buf_add_string(out, ",\"id\":");
		v2_write_string(out, request->id);
	}
	buf_add_string(out, ",\"outputs\":[");
}

/* What an output is answered with: its values, or their greatest. */
static bool shown_tensor(struct inference *inference, const struct v2_output *o, struct tensor *shown)
{
	*shown = inference_output_of(inference, o->spec)->tensor;
	if (o->class_count == 0 || shown->datatype == DATATYPE_BYTES)
		return true;
	const struct tensor values = *shown;
	return v2_classify(&values, o->class_count, inference->arena, shown) == 0;
}

void v2_write(struct buf *out, const char *model, uint32_t version, const struct v2_request *request,
	      struct inference *inference, size_t *json_size)
{
	const struct manifest *m = inference->manifest;
	struct tensor shown;
	size_t start = out->size;

	write_head(out, model, version, request);
	for (size_t i = 0; i < request->output_count; i++) {
		const struct v2_output *o = &request->outputs[i];
		if (i > 0)
			buf_add_char(out, ',');
		if (!shown_tensor(inference, o, &shown)) {
			out->failed = true;
			return;
		}
		v2_tensor_write(out, m->outputs[o->spec].name, &shown, o->binary);
	}
	buf_add_string(out, "]}");
	*json_size = out->size - start;
	for (size_t i = 0; i < request->output_count; i++)
		if (request->outputs[i].binary && shown_tensor(inference, &request->outputs[i], &shown))
			v2_tensor_write_bytes(out, &shown);
}
