/* v2: answers. */
#include "runtime/v2.h"

#include <stdio.h>

static void write_head(struct buf *out, const char *model, uint32_t version,
		       const struct v2_request *request)
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

void v2_write(struct buf *out, const char *model, uint32_t version, const struct v2_request *request,
	      struct inference *inference, size_t *json_size)
{
	const struct manifest *m = inference->manifest;
	size_t start = out->size;

	write_head(out, model, version, request);
	for (size_t i = 0; i < request->output_count; i++) {
		const struct v2_output *o = &request->outputs[i];
		if (i > 0)
			buf_add_char(out, ',');
		v2_tensor_write(out, m->outputs[o->spec].name,
				&inference_output_of(inference, o->spec)->tensor, o->binary);
	}
	buf_add_string(out, "]}");
	*json_size = out->size - start;
	for (size_t i = 0; i < request->output_count; i++)
		if (request->outputs[i].binary)
			v2_tensor_write_bytes(
			    out, &inference_output_of(inference, request->outputs[i].spec)->tensor);
}

static void write_specs(struct buf *out, const char *key, const struct tensor_spec *specs,
			size_t count)
{
	buf_format(out, ",\"%s\":[", key);
	for (size_t i = 0; i < count; i++) {
		buf_add_string(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		v2_write_string(out, specs[i].name);
		buf_add_string(out, ",\"datatype\":");
		v2_write_string(out, specs[i].datatype);
		buf_add_string(out, ",\"shape\":[");
		for (size_t k = 0; k < specs[i].dimension_count; k++)
			buf_format(out, k > 0 ? ",%lld" : "%lld",
				   (long long)specs[i].dimensions[k]);
		buf_add_string(out, "]}");
	}
	buf_add_char(out, ']');
}

void v2_write_metadata(struct buf *out, const char *model, const uint32_t *versions,
		       size_t version_count, const struct manifest *manifest)
{
	char platform[sizeof manifest->engine + sizeof manifest->format + 1];

	snprintf(platform, sizeof platform, "%s_%s", manifest->engine, manifest->format);
	buf_add_string(out, "{\"name\":");
	v2_write_string(out, model);
	buf_add_string(out, ",\"versions\":[");
	for (size_t i = 0; i < version_count; i++)
		buf_format(out, i > 0 ? ",\"%u\"" : "\"%u\"", (unsigned)versions[i]);
	buf_add_string(out, "],\"platform\":");
	v2_write_string(out, platform);
	write_specs(out, "inputs", manifest->inputs, manifest->input_count);
	write_specs(out, "outputs", manifest->outputs, manifest->output_count);
	if (manifest->feature_names != NULL) {
		buf_add_string(out, ",\"features\":[");
		for (size_t i = 0; i < manifest->feature_count; i++) {
			if (i > 0)
				buf_add_char(out, ',');
			v2_write_string(out, manifest->feature_names[i]);
		}
		buf_add_char(out, ']');
	}
	buf_add_char(out, '}');
}
