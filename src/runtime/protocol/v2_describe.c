/* v2: what a model is: its metadata, and its configuration in the form of Triton's, which load generators read. */
#include "runtime/protocol/v2.h"

#include <stdio.h>
#include <string.h>

static void write_platform(struct buf *out, const struct manifest *manifest)
{
	char platform[sizeof manifest->engine + sizeof manifest->format + 1];
	snprintf(platform, sizeof platform, "%s_%s", manifest->engine, manifest->format);
	v2_write_string(out, platform);
}

static void write_signature(struct buf *out, const char *key, const struct tensor_spec *specs, size_t count)
{
	buf_format(out, ",\"%s\":[", key);
	for (size_t i = 0; i < count; i++) {
		buf_add_string(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		v2_write_string(out, specs[i].name);
		buf_add_string(out, ",\"datatype\":");
		v2_write_string(out, specs[i].datatype);
		buf_add_string(out, ",\"shape\":[");
		for (size_t k = 0; k < specs[i].dimension_count; k++)
			buf_format(out, k > 0 ? ",%lld" : "%lld", (long long)specs[i].dimensions[k]);
		buf_add_string(out, "]}");
	}
	buf_add_char(out, ']');
}

void v2_write_metadata(struct buf *out, const char *model, size_t version_count, const struct manifest *manifest)
{
	buf_add_string(out, "{\"name\":");
	v2_write_string(out, model);
	buf_add_string(out, ",\"versions\":[");
	for (size_t number = 1; number <= version_count; number++)
		buf_format(out, number > 1 ? ",\"%zu\"" : "\"%zu\"", number);
	buf_add_string(out, "],\"platform\":");
	write_platform(out, manifest);
	write_signature(out, "inputs", manifest->inputs, manifest->input_count);
	write_signature(out, "outputs", manifest->outputs, manifest->output_count);
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

static bool batched(const struct tensor_spec *specs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (specs[i].dimension_count == 0 || specs[i].dimensions[0] != -1)
			return false;
	return true;
}

static void write_specs(struct buf *out, const char *key, const struct tensor_spec *specs, size_t count, size_t skipped)
{
	buf_format(out, ",\"%s\":[", key);
	for (size_t i = 0; i < count; i++) {
		const struct tensor_spec *spec = &specs[i];
		const char *type = strcmp(spec->datatype, "BYTES") == 0 ? "STRING" : spec->datatype;
		buf_add_string(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		v2_write_string(out, spec->name);
		buf_format(out, ",\"data_type\":\"TYPE_%s\",\"dims\":[", type);
		for (size_t k = skipped; k < spec->dimension_count; k++)
			buf_format(out, k > skipped ? ",%lld" : "%lld", (long long)spec->dimensions[k]);
		buf_add_string(out, "]}");
	}
	buf_add_char(out, ']');
}

void v2_write_config(struct buf *out, const char *model, const struct manifest *manifest)
{
	bool batch =
	    batched(manifest->inputs, manifest->input_count) && batched(manifest->outputs, manifest->output_count);

	buf_add_string(out, "{\"name\":");
	v2_write_string(out, model);
	buf_add_string(out, ",\"platform\":");
	write_platform(out, manifest);
	buf_add_string(out, ",\"backend\":");
	v2_write_string(out, manifest->engine);
	buf_format(out, ",\"max_batch_size\":%d", batch ? TENSOR_ROWS_MAX : 0);
	write_specs(out, "input", manifest->inputs, manifest->input_count, batch);
	write_specs(out, "output", manifest->outputs, manifest->output_count, batch);
	buf_add_char(out, '}');
}
