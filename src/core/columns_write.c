/* columns: elements of outputs as text. */
#include "core/columns.h"
#include "core/json_write.h"
#include "core/number.h"

#include <math.h>
#include <string.h>

static void write_unsigned(struct buf *out, uint64_t value)
{
	char text[NUMBER_SIZE];
	buf_add(out, text, number_write_unsigned(text, value));
}

static int64_t signed_at(const struct tensor *t, size_t i)
{
	switch (t->datatype) {
	case DATATYPE_INT8:
		return ((const int8_t *)t->data)[i];
	case DATATYPE_INT16:
		return ((const int16_t *)t->data)[i];
	case DATATYPE_INT32:
		return ((const int32_t *)t->data)[i];
	default:
		return ((const int64_t *)t->data)[i];
	}
}

static void write_signed(struct buf *out, int64_t value)
{
	if (value < 0)
		buf_add_char(out, '-');
	write_unsigned(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* FP16 and BF16 are written as the float that they equal: the shortest text of it reads back to it. */
static void write_float(struct buf *out, const struct tensor *t, size_t i, bool json)
{
	double value = tensor_double(t, i);
	char text[NUMBER_SIZE];

	if (!isfinite(value) && !json)
		buf_add_string(out, isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf");
	else
		buf_add(out, text, t->datatype == DATATYPE_FP64 ? number_write_double(text, value)
								: number_write_float(text, (float)value));
}

static void write_element(struct buf *out, const struct tensor *t, size_t i, bool json)
{
	const struct bytes *bytes;

	switch (datatype_kind(t->datatype)) {
	case KIND_BOOL:
		buf_add_string(out, ((const uint8_t *)t->data)[i] != 0 ? "true" : "false");
		break;
	case KIND_FLOAT:
		write_float(out, t, i, json);
		break;
	case KIND_SIGNED:
		write_signed(out, signed_at(t, i));
		break;
	case KIND_UNSIGNED:
		if (t->datatype == DATATYPE_UINT64)
			write_unsigned(out, ((const uint64_t *)t->data)[i]);
		else
			write_unsigned(out, (uint64_t)tensor_double(t, i));
		break;
	case KIND_BYTES:
		bytes = &((const struct bytes *)t->data)[i];
		if (json)
			json_write_string(out, bytes->data, bytes->size);
		else
			buf_add(out, bytes->data, bytes->size);
		break;
	}
}

void columns_write_text(struct buf *out, const struct tensor *t, size_t i)
{
	write_element(out, t, i, false);
}

void columns_write_json(struct buf *out, const struct tensor *t, size_t i)
{
	write_element(out, t, i, true);
}
