/* v2: answers, and how tensors are written. */
#include "core/text.h"
#include "runtime/number.h"
#include "runtime/v2.h"

#include <stdio.h>
#include <string.h>

static void write_escape(struct buf *out, unsigned char c)
{
	static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
	const char *value = c == 0 ? NULL : strchr(values, c);

	if (value != NULL) {
		char text[2] = {'\\', names[value - values]};
		buf_add(out, text, sizeof text);
	} else {
		buf_format(out, "\\u%04x", c);
	}
}

/* Like text_character_size(), of text that need not end with a NUL. */
static size_t character_size(const char *text, size_t left)
{
	char copy[5] = {0};
	memcpy(copy, text, left < 4 ? left : 4);
	return text_character_size(copy);
}

void v2_write_text(struct buf *out, const char *text, size_t size)
{
	const char *end = text + size, *plain = text;

	buf_add_char(out, '"');
	while (text < end) {
		unsigned char c = (unsigned char)*text;
		size_t width = c < 0x80 ? 1 : character_size(text, (size_t)(end - text));
		if (width > 0 && c >= 0x20 && c != '"' && c != '\\') {
			text += width;
			continue;
		}
		buf_add(out, plain, (size_t)(text - plain));
		if (width == 0)
			buf_add_string(out, "\xef\xbf\xbd"); /* U+FFFD */
		else
			write_escape(out, c);
		plain = ++text;
	}
	buf_add(out, plain, (size_t)(text - plain));
	buf_add_char(out, '"');
}

void v2_write_string(struct buf *out, const char *text)
{
	v2_write_text(out, text, strlen(text));
}

void v2_write_unsigned(struct buf *out, uint64_t value)
{
	char text[NUMBER_SIZE];
	buf_add(out, text, number_write_unsigned(text, value));
}

static size_t write_signed(char *at, int64_t value)
{
	if (value >= 0)
		return number_write_unsigned(at, (uint64_t)value);
	*at = '-';
	return 1 + number_write_unsigned(at + 1, 0 - (uint64_t)value);
}

/* One number at a place with room for it; returns its bytes. */
static size_t write_number(char *at, const struct tensor *t, size_t i)
{
	switch (t->datatype) {
	case DATATYPE_FP64:
		return number_write_double(at, ((const double *)t->data)[i]);
	case DATATYPE_FP32:
		return number_write_float(at, ((const float *)t->data)[i]);
	case DATATYPE_FP16:
	case DATATYPE_BF16:
		return number_write_float(at, (float)tensor_double(t, i));
	case DATATYPE_INT64:
		return write_signed(at, ((const int64_t *)t->data)[i]);
	case DATATYPE_UINT64:
		return number_write_unsigned(at, ((const uint64_t *)t->data)[i]);
	default: /* every narrower integer is exact in a double */
		return write_signed(at, (int64_t)tensor_double(t, i));
	}
}

static void write_numbers(struct buf *out, const struct tensor *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (buf_reserve(out, NUMBER_SIZE + 1) != 0)
			return;
		char *text = out->data + out->size, *at = text;
		if (i > 0)
			*at++ = ',';
		at += write_number(at, t, i);
		*at = '\0';
		out->size += (size_t)(at - text);
	}
}

static void write_values(struct buf *out, const struct tensor *t)
{
	const struct bytes *strings = t->data;
	const uint8_t *truths = t->data;

	if (t->datatype != DATATYPE_BYTES && t->datatype != DATATYPE_BOOL) {
		write_numbers(out, t);
		return;
	}
	for (size_t i = 0; i < t->count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		if (t->datatype == DATATYPE_BYTES)
			v2_write_text(out, strings[i].data, strings[i].size);
		else
			buf_add_string(out, truths[i] ? "true" : "false");
	}
}

static uint64_t wire_size(const struct tensor *t)
{
	const struct bytes *strings = t->data;
	uint64_t size = 0;

	if (t->datatype != DATATYPE_BYTES)
		return (uint64_t)t->count * datatype_size(t->datatype);
	for (size_t i = 0; i < t->count; i++)
		size += 4 + strings[i].size;
	return size;
}

void v2_tensor_write(struct buf *out, const char *name, const struct tensor *t, bool binary)
{
	buf_add_string(out, "{\"name\":");
	v2_write_string(out, name);
	buf_add_string(out, ",\"shape\":[");
	for (size_t i = 0; i < t->rank; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		v2_write_unsigned(out, (uint64_t)t->shape[i]);
	}
	buf_add_string(out, "],\"datatype\":\"");
	buf_add_string(out, datatype_name(t->datatype));
	if (binary) {
		buf_add_string(out, "\",\"parameters\":{\"binary_data_size\":");
		v2_write_unsigned(out, wire_size(t));
		buf_add_string(out, "}}");
	} else {
		buf_add_string(out, "\",\"data\":[");
		write_values(out, t);
		buf_add_string(out, "]}");
	}
}

static void write_little_endian(struct buf *out, uint64_t bits, size_t width)
{
	unsigned char bytes[8];
	for (size_t i = 0; i < width; i++)
		bytes[i] = (unsigned char)(bits >> (8 * i));
	buf_add(out, bytes, width);
}

void v2_tensor_write_bytes(struct buf *out, const struct tensor *t)
{
	const struct bytes *strings = t->data;

	if (t->datatype == DATATYPE_BYTES) {
		for (size_t i = 0; i < t->count; i++) {
			write_little_endian(out, strings[i].size, 4);
			buf_add(out, strings[i].data, strings[i].size);
		}
		return;
	}
	size_t width = datatype_size(t->datatype);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	buf_add(out, t->data, t->count * width);
#else
	for (size_t i = 0; i < t->count * width; i += width)
		for (size_t k = width; k > 0; k--)
			buf_add(out, (const char *)t->data + i + k - 1, 1);
#endif
}

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
