/*
 * tensor_put: one element into a tensor's memory, by its datatype.
 *
 * Pure, and inline: it is called for every number of a request. Not here: what a sender may mean by a number
 * (v2_tensor, columns), reading elements (tensor).
 */
#ifndef CORE_TENSOR_PUT_H
#define CORE_TENSOR_PUT_H

#include "core/tensor.h"

/* A whole number, exactly. */
struct whole {
	bool negative;
	uint64_t magnitude;
};

/* Whether it lies in the range of the datatype, which is BOOL or of integers. */
static inline bool whole_fits(enum datatype type, struct whole w)
{
	enum datatype_kind kind = datatype_kind(type);
	unsigned bits = (unsigned)datatype_size(type) * 8;
	uint64_t highest = kind == KIND_BOOL ? 1 : UINT64_MAX >> (64 - bits);

	if (kind == KIND_SIGNED)
		highest = (highest >> 1) + w.negative;
	else if (w.negative && w.magnitude > 0)
		return false;
	return w.magnitude <= highest;
}

/* Element i of a float type, rounded; of FP32 a float's own value stays what it is. */
static inline void tensor_put_real(void *data, enum datatype type, size_t i, double value)
{
	switch (type) {
	case DATATYPE_FP32:
		((float *)data)[i] = (float)value;
		break;
	case DATATYPE_FP16:
		((uint16_t *)data)[i] = double_to_half(value);
		break;
	case DATATYPE_BF16:
		((uint16_t *)data)[i] = double_to_bfloat(value);
		break;
	default:
		((double *)data)[i] = value;
		break;
	}
}

/* Element i of any type of numbers; false, and nothing is put, where it does not fit. */
static inline bool tensor_put_whole(void *data, enum datatype type, size_t i, struct whole w)
{
	/* The low bytes in two's complement, whatever the machine's byte order. */
	uint64_t bits = w.negative ? 0 - w.magnitude : w.magnitude;

	if (datatype_kind(type) == KIND_FLOAT) {
		double value = (double)w.magnitude;
		tensor_put_real(data, type, i, w.negative ? -value : value);
		return true;
	}
	if (!whole_fits(type, w))
		return false;
	switch (datatype_size(type)) {
	case 1:
		((uint8_t *)data)[i] = (uint8_t)bits;
		break;
	case 2:
		((uint16_t *)data)[i] = (uint16_t)bits;
		break;
	case 4:
		((uint32_t *)data)[i] = (uint32_t)bits;
		break;
	default:
		((uint64_t *)data)[i] = bits;
		break;
	}
	return true;
}

#endif
