/* v2: answers. */
#include "core/json_write.h"
#include "core/number.h"
#include "runtime/v2.h"

#include <stdio.h>
#include <string.h>

void v2_write_string(struct buf *out, const char *text)
{
	json_write_string(out, text, strlen(text));
}

static void write_unsigned(struct buf *out, uint64_t value)
{
	char text[NUMBER_SIZE];
	buf_add(out, text, number_write_unsigned(text, value));
}

/* One output of an answer. */
struct answer {
	const char *name;
	const double *values; /* [rows][columns] */
	size_t rows, columns;
	bool float32, binary;
};

static bool is_float32(const struct manifest *manifest, const char *output)
{
	for (size_t i = 0; i < manifest->output_count; i++)
		if (strcmp(manifest->outputs[i].name, output) == 0)
			return strcmp(manifest->outputs[i].datatype, "FP32") == 0;
	return false;
}

static void write_values(struct buf *out, const struct answer *a)
{
	size_t count = a->rows * a->columns;

	for (size_t i = 0; i < count; i++) {
		if (buf_reserve(out, NUMBER_SIZE + 1) != 0)
			return;
		char *text = out->data + out->size, *at = text;
		if (i > 0)
			*at++ = ',';
		at += a->float32 ? number_write_float(at, (float)a->values[i])
				 : number_write_double(at, a->values[i]);
		*at = '\0';
		out->size += (size_t)(at - text);
	}
}

static void write_output(struct buf *out, const struct answer *a)
{
	buf_add_string(out, "{\"name\":\"");
	buf_add_string(out, a->name);
	buf_add_string(out, "\",\"shape\":[");
	write_unsigned(out, a->rows);
	buf_add_char(out, ',');
	write_unsigned(out, a->columns);
	buf_add_string(out, a->float32 ? "],\"datatype\":\"FP32\"," : "],\"datatype\":\"FP64\",");
	if (a->binary) {
		buf_add_string(out, "\"parameters\":{\"binary_data_size\":");
		write_unsigned(out, a->rows * a->columns * (a->float32 ? 4 : 8));
		buf_add_string(out, "}}");
	} else {
		buf_add_string(out, "\"data\":[");
		write_values(out, a);
		buf_add_string(out, "]}");
	}
}

/* The bytes of one value, little-endian whatever the machine. */
static void write_bytes(struct buf *out, const struct answer *a, size_t i)
{
	uint64_t bits = 0;
	uint32_t bits32;
	float narrow = (float)a->values[i];
	unsigned char bytes[8];
	size_t width = a->float32 ? 4 : 8;

	if (a->float32) {
		memcpy(&bits32, &narrow, sizeof bits32);
		bits = bits32;
	} else {
		memcpy(&bits, &a->values[i], sizeof bits);
	}
	for (size_t byte = 0; byte < width; byte++)
		bytes[byte] = (unsigned char)(bits >> (8 * byte));
	buf_add(out, bytes, width);
}

static void write_head(struct buf *out, const char *model, uint32_t version,
		       const struct v2_request *request)
{
	buf_add_string(out, "{\"model_name\":");
	v2_write_string(out, model);
	buf_add_string(out, ",\"model_version\":\"");
	write_unsigned(out, version);
	buf_add_char(out, '"');
	if (request->id[0] != '\0') {
		buf_add_string(out, ",\"id\":");
		v2_write_string(out, request->id);
	}
	buf_add_string(out, ",\"outputs\":[");
}

void v2_write(struct buf *out, const char *model, uint32_t version, const struct manifest *manifest,
	      const struct prediction_kind *kind, const struct v2_request *request,
	      const double *output, const double *raw, size_t *json_size)
{
	const struct answer predict = {"predict",
				       output,
				       request->rows.rows,
				       kind->output_count,
				       is_float32(manifest, "predict"),
				       request->binary_predict};
	const struct answer score = {"raw_score",
				     raw,
				     request->rows.rows,
				     kind->raw_count,
				     is_float32(manifest, "raw_score"),
				     request->binary_raw};
	const struct answer *answers[2];
	size_t count = 0, start = out->size;

	if (request->want_raw && request->raw_first)
		answers[count++] = &score;
	if (request->want_predict)
		answers[count++] = &predict;
	if (request->want_raw && !request->raw_first)
		answers[count++] = &score;

	write_head(out, model, version, request);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		write_output(out, answers[i]);
	}
	buf_add_string(out, "]}");
	*json_size = out->size - start;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; answers[i]->binary && k < answers[i]->rows * answers[i]->columns;
		     k++)
			write_bytes(out, answers[i], k);
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
