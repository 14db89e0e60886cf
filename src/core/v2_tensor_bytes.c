/* v2_tensor: the elements, from the bytes of the binary extension to where they go. */
#include "core/tensor_put.h"
#include "core/v2_tensor.h"

#include <string.h>

static uint64_t load(const char *bytes, size_t width)
{
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
	return value;
}

static double real_value(enum datatype type, uint64_t bits)
{
	uint32_t bits32 = (uint32_t)bits;
	float narrow;
	double value;

	switch (type) {
	case DATATYPE_FP16:
		return half_to_double((uint16_t)bits);
	case DATATYPE_BF16:
		return bfloat_to_double((uint16_t)bits);
	case DATATYPE_FP32:
		memcpy(&narrow, &bits32, sizeof narrow);
		return (double)narrow;
	default:
		memcpy(&value, &bits, sizeof value);
		return value;
	}
}

static struct whole whole_value(enum datatype type, uint64_t bits)
{
	unsigned spare = 64 - (unsigned)datatype_size(type) * 8;

	if (type == DATATYPE_BOOL)
		return (struct whole){.magnitude = bits != 0};
	if (datatype_kind(type) == KIND_UNSIGNED || (bits << spare) >> 63 == 0)
		return (struct whole){.magnitude = bits};
	return (struct whole){true, 0 - (uint64_t)((int64_t)(bits << spare) >> spare)};
}

static int store_numbers(const struct v2_tensor *t, const struct v2_target *target, struct err *e)
{
	size_t width = datatype_size(t->type);
	bool real = datatype_kind(t->type) == KIND_FLOAT;

	for (size_t i = 0; i < t->count; i++) {
		uint64_t bits = load(t->bytes + i * width, width);
		if (real)
			tensor_put_real(target->data, target->type, i * target->stride, real_value(t->type, bits));
		else if (!tensor_put_whole(target->data, target->type, i * target->stride, whole_value(t->type, bits)))
			return err_set(e, ERR_INPUT, "element %zu of %s `%s` is out of the range of %s", i, t->word,
				       v2_tensor_label(t).text, datatype_name(target->type));
	}
	return 0;
}

/* Each element is its length as a UINT32 and its bytes, which stay in the body. */
static int store_strings(const struct v2_tensor *t, const struct v2_target *target, struct err *e)
{
	size_t left = (size_t)t->binary_size;
	const char *at = t->bytes;

	for (size_t i = 0; i < t->count; i++) {
		uint64_t size = left < 4 ? UINT64_MAX : load(at, 4);
		if (size > left - (left < 4 ? left : 4))
			return err_set(e, ERR_INPUT, "element %zu of %s `%s` is longer than the bytes that are left", i,
				       t->word, v2_tensor_label(t).text);
		((struct bytes *)target->data)[i * target->stride] = (struct bytes){at + 4, (size_t)size};
		at += 4 + size;
		left -= 4 + (size_t)size;
	}
	if (left > 0)
		return err_set(e, ERR_INPUT, "%zu bytes behind the %zu elements of %s `%s`", left, t->count, t->word,
			       v2_tensor_label(t).text);
	return 0;
}

int v2_tensor_store_bytes(const struct v2_tensor *t, const struct v2_target *target, struct err *e)
{
	size_t size = t->count * datatype_size(t->type);

	if (t->type == DATATYPE_BYTES)
		return store_strings(t, target, e);
	if (t->binary_size != size)
		return err_set(e, ERR_INPUT, "%s `%s` needs %zu bytes (%zu of %s), its binary_data_size is %llu",
			       t->word, v2_tensor_label(t).text, size, t->count, datatype_name(t->type),
			       (unsigned long long)t->binary_size);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (t->type == target->type && target->stride == 1 && t->type != DATATYPE_BOOL) {
		if (size > 0)
			memcpy(target->data, t->bytes, size);
		return 0;
	}
#endif
	return store_numbers(t, target, e);
}
