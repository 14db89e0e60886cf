#include "core/tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum datatype_kind kind;
	size_t wire_size;
} types[] = {
#define X(name, kind, width) {#name, KIND_##kind, width},
    DATATYPES(X)
#undef X
};

const char *datatype_name(enum datatype type)
{
	return type < DATATYPE_COUNT ? types[type].name : "";
}

enum datatype datatype_find(const char *name, size_t size)
{
	for (size_t i = 0; i < DATATYPE_COUNT; i++)
		if (strlen(types[i].name) == size && memcmp(types[i].name, name, size) == 0)
			return (enum datatype)i;
	return DATATYPE_COUNT;
}

enum datatype_kind datatype_kind(enum datatype type)
{
	return types[type].kind;
}

size_t datatype_wire_size(enum datatype type)
{
	return types[type].wire_size;
}

size_t datatype_size(enum datatype type)
{
	return type == DATATYPE_BYTES ? sizeof(struct bytes) : types[type].wire_size;
}

bool tensor_count(const int64_t *shape, size_t rank, size_t *count)
{
	*count = 1;
	for (size_t i = 0; i < rank; i++)
		if (shape[i] < 0 || __builtin_mul_overflow(*count, (uint64_t)shape[i], count) ||
		    *count > SIZE_MAX / (2 * sizeof(struct bytes)))
			return false;
	return true;
}

void tensor_shape_text(const int64_t *shape, size_t rank, char text[TENSOR_SHAPE_SIZE])
{
	int used = snprintf(text, TENSOR_SHAPE_SIZE, "[");
	for (size_t i = 0; i < rank; i++)
		used += snprintf(text + used, TENSOR_SHAPE_SIZE - (size_t)used, "%s%lld", i == 0 ? "" : ", ",
				 (long long)shape[i]);
	snprintf(text + used, TENSOR_SHAPE_SIZE - (size_t)used, "]");
}

static double float_at(const void *data, size_t i)
{
	return (double)((const float *)data)[i];
}

static double unsigned_at(const struct tensor *t, size_t i)
{
	switch (t->datatype) {
	case DATATYPE_UINT8:
		return ((const uint8_t *)t->data)[i];
	case DATATYPE_UINT16:
		return ((const uint16_t *)t->data)[i];
	case DATATYPE_UINT32:
		return ((const uint32_t *)t->data)[i];
	default:
		return (double)((const uint64_t *)t->data)[i];
	}
}

static double signed_at(const struct tensor *t, size_t i)
{
	switch (t->datatype) {
	case DATATYPE_INT8:
		return ((const int8_t *)t->data)[i];
	case DATATYPE_INT16:
		return ((const int16_t *)t->data)[i];
	case DATATYPE_INT32:
		return ((const int32_t *)t->data)[i];
	default:
		return (double)((const int64_t *)t->data)[i];
	}
}

double tensor_double(const struct tensor *t, size_t i)
{
	switch (t->datatype) {
	case DATATYPE_FP64:
		return ((const double *)t->data)[i];
	case DATATYPE_FP32:
		return float_at(t->data, i);
	case DATATYPE_FP16:
		return half_to_double(((const uint16_t *)t->data)[i]);
	case DATATYPE_BF16:
		return bfloat_to_double(((const uint16_t *)t->data)[i]);
	case DATATYPE_BOOL:
		return ((const uint8_t *)t->data)[i] != 0;
	case DATATYPE_BYTES:
	case DATATYPE_COUNT:
		return (double)NAN;
	default:
		return types[t->datatype].kind == KIND_SIGNED ? signed_at(t, i) : unsigned_at(t, i);
	}
}

/* A sign, 5 bits of exponent, 10 of fraction. */
double half_to_double(uint16_t bits)
{
	int exponent = bits >> 10 & 31;
	double fraction = bits & 1023, value;

	if (exponent == 31)
		value = fraction == 0 ? (double)INFINITY : (double)NAN;
	else if (exponent == 0)
		value = ldexp(fraction, -24);
	else
		value = ldexp(fraction + 1024, exponent - 25);
	return (bits & 0x8000) != 0 ? -value : value;
}

uint16_t double_to_half(double value)
{
	uint16_t sign = signbit(value) ? 0x8000 : 0;
	double size = fabs(value);
	int exponent;

	if (isnan(value))
		return sign | 0x7e00;
	if (size >= 65520) /* halfway between 65504, the greatest, and the next power of two */
		return sign | 0x7c00;
	if (size < ldexp(1, -14))
		return sign | (uint16_t)nearbyint(ldexp(size, 24));
	frexp(size, &exponent);
	/* size = f x 2^(exponent - 11) with f in [1024, 2048]; a carry goes into the exponent by itself. */
	uint16_t fraction = (uint16_t)nearbyint(ldexp(size, 11 - exponent));
	return sign | (uint16_t)(((unsigned)(exponent + 13) << 10) + fraction);
}

/* The upper half of a float32. */
double bfloat_to_double(uint16_t bits)
{
	uint32_t wide = (uint32_t)bits << 16;
	float value;

	memcpy(&value, &wide, sizeof(value));
	return (double)value;
}

uint16_t double_to_bfloat(double value)
{
	uint16_t sign = signbit(value) ? 0x8000 : 0;
	double size = fabs(value);
	int exponent;

	if (isnan(value))
		return sign | 0x7fc0;
	if (size >= ldexp(511, 119)) /* halfway between the greatest, 255 x 2^120, and 2^128 */
		return sign | 0x7f80;
	if (size < ldexp(1, -126))
		return sign | (uint16_t)nearbyint(ldexp(size, 133));
	frexp(size, &exponent);
	uint16_t fraction = (uint16_t)nearbyint(ldexp(size, 8 - exponent));
	return sign | (uint16_t)(((unsigned)(exponent + 125) << 7) + fraction);
}
