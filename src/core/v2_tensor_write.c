/* v2_tensor: writing. */
#include "core/json_write.h"
#include "core/number.h"
#include "core/v2_tensor.h"

#include <string.h>

void v2_write_text(struct buf *out, const char *text, size_t size)
{
	json_write_string(out, text, size);
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

void v2_tensor_write_element(struct buf *out, const struct tensor *t, size_t i)
{
	const struct bytes *string;

	if (t->datatype == DATATYPE_BYTES) {
		string = &((const struct bytes *)t->data)[i];
		v2_write_text(out, string->data, string->size);
	} else if (t->datatype == DATATYPE_BOOL) {
		buf_add_string(out, ((const uint8_t *)t->data)[i] ? "true" : "false");
	} else if (buf_reserve(out, NUMBER_SIZE) == 0) {
		out->size += write_number(out->data + out->size, t, i);
		out->data[out->size] = '\0';
	}
}

static void write_values(struct buf *out, const struct tensor *t)
{
	if (t->datatype != DATATYPE_BYTES && t->datatype != DATATYPE_BOOL) {
		write_numbers(out, t);
		return;
	}
	for (size_t i = 0; i < t->count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		v2_tensor_write_element(out, t, i);
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
