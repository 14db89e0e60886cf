/* v2_data: the elements of a tensor, from JSON or bytes, into the columns of a matrix. */
#include "runtime/v2_tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void store(const struct v2_target *target, size_t i, double value)
{
	if (target->float32)
		((float *)target->data)[i * target->stride] = (float)value;
	else
		((double *)target->data)[i * target->stride] = value;
}

/* Walks the data of one tensor. */
struct reader {
	const struct v2_tensor *tensor;
	const struct v2_target *target;
	struct scan scan;
	size_t count; /* elements read */
	struct err *error;
};

static int refuse_value(const struct reader *r, const char *text, size_t size)
{
	return err_set(r->error, ERR_INPUT, "element %zu of input `%s` is not of datatype %s: %.*s",
		       r->count, v2_tensor_label(r->tensor).text, r->tensor->type->name,
		       size > 40 ? 40 : (int)size, text);
}

/* Whether a whole number lies in the range of the datatype. */
static bool in_range(const struct v2_type *type, bool negative, uint64_t magnitude)
{
	unsigned bits = (unsigned)type->width * 8;
	uint64_t highest = type->kind == V2_BOOL ? 1 : UINT64_MAX >> (64 - bits);

	if (type->kind == V2_SIGNED)
		highest = (highest >> 1) + negative;
	else if (negative && magnitude > 0)
		return false;
	return magnitude <= highest;
}

static bool whole_number(const struct v2_type *type, const struct number *n, double *value)
{
	*value = number_double(n);
	if (n->integer)
		return !n->dropped && n->exponent == 0 && in_range(type, n->negative, n->digits);
	/* 1.0 and 1e3 are whole too; past 2^53 nobody writes a count like that. */
	double size = fabs(*value);
	return size <= 9007199254740992.0 && size == floor(size) &&
	       in_range(type, n->negative, (uint64_t)size);
}

static bool floating(const struct v2_type *type, const struct number *n, double *value)
{
	if (type->width == 8) {
		*value = number_double(n);
	} else if (type->width == 4) {
		*value = (double)number_float(n);
	} else {
		*value = number_double(n);
		/* 65504 is the greatest half; from 65520 on it rounds to infinity. */
		return fabs(*value) < 65520;
	}
	return isfinite(*value);
}

/* 19 digits hold every integer but the upper half of UINT64. */
static void widen_unsigned(struct number *n)
{
	if (!n->integer || n->exponent != 1 || n->negative)
		return;
	uint64_t last = (uint64_t)(n->text[n->size - 1] - '0'), digits;
	if (__builtin_mul_overflow(n->digits, (uint64_t)10, &digits) ||
	    __builtin_add_overflow(digits, last, &digits))
		return;
	n->digits = digits;
	n->exponent = 0;
	n->dropped = false;
}

static int read_number(struct reader *r)
{
	struct number n;
	double value;
	const struct v2_type *type = r->tensor->type;

	if (!scan_number(&r->scan, &n))
		return scan_err(&r->scan, r->error);
	if (type->kind == V2_UNSIGNED)
		widen_unsigned(&n);
	if (type->kind == V2_FLOAT ? !floating(type, &n, &value) : !whole_number(type, &n, &value))
		return refuse_value(r, n.text, n.size);
	store(r->target, r->count, value);
	return 0;
}

/* true, false, null, or something that is no element at all. */
static int read_other(struct reader *r)
{
	struct scan_span span;
	enum scan_kind kind = scan_peek(&r->scan);
	double value;

	if (kind == SCAN_NULL)
		value = (double)NAN;
	else
		value = kind == SCAN_TRUE;
	if (!scan_skip(&r->scan, &span))
		return scan_err(&r->scan, r->error);
	bool truth = kind == SCAN_TRUE || kind == SCAN_FALSE;
	if (kind != SCAN_NULL && !(truth && r->tensor->type->kind == V2_BOOL))
		return refuse_value(r, span.at, span.size);
	store(r->target, r->count, value);
	return 0;
}

/* Reads an array of elements. Those past the shape are only counted. */
static int read_elements(struct reader *r, size_t *read)
{
	bool first = true;

	*read = 0;
	scan_array(&r->scan);
	while (scan_element(&r->scan, &first)) {
		++*read;
		if (r->count == r->tensor->count) {
			scan_skip(&r->scan, NULL);
			continue;
		}
		if (scan_peek(&r->scan) == SCAN_NUMBER ? read_number(r) != 0 : read_other(r) != 0)
			return -1;
		r->count++;
	}
	return r->scan.problem == NULL ? 0 : scan_err(&r->scan, r->error);
}

/* "[2, 14]" */
static void describe_shape(const struct v2_tensor *t, char *text, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < t->rank && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%llu", i == 0 ? "[" : ", ",
					 (unsigned long long)t->shape[i]);
	if (used < size)
		snprintf(text + used, size - used, "]");
}

static int refuse_nesting(const struct reader *r)
{
	char shape[V2_RANK_MAX * 22];
	describe_shape(r->tensor, shape, sizeof shape);
	return err_set(r->error, ERR_INPUT,
		       "the nested `data` of input `%s` does not have the shape %s",
		       v2_tensor_label(r->tensor).text, shape);
}

/* Nested data has an array of shape[level] items at each level, and the elements in the innermost.
 */
static int read_nested(struct reader *r, size_t level)
{
	const struct v2_tensor *t = r->tensor;
	size_t items = 0;
	bool first = true;

	if (scan_peek(&r->scan) != SCAN_ARRAY)
		return scan_skip(&r->scan, NULL) ? refuse_nesting(r) : scan_err(&r->scan, r->error);
	if (level + 1 == t->rank) {
		if (read_elements(r, &items) != 0)
			return -1;
		return items == t->shape[level] ? 0 : refuse_nesting(r);
	}
	scan_array(&r->scan);
	while (scan_element(&r->scan, &first)) {
		if (items++ == t->shape[level] || read_nested(r, level + 1) != 0)
			return items > t->shape[level] ? refuse_nesting(r) : -1;
	}
	if (r->scan.problem != NULL)
		return scan_err(&r->scan, r->error);
	return items == t->shape[level] ? 0 : refuse_nesting(r);
}

static bool is_nested(struct scan s)
{
	bool first = true;
	return scan_array(&s) && scan_element(&s, &first) && scan_peek(&s) == SCAN_ARRAY;
}

static int store_json(const struct v2_tensor *t, const struct v2_target *target, struct err *e)
{
	struct reader r = {.tensor = t, .target = target, .scan = v2_tensor_scan(t), .error = e};
	size_t count;

	if (is_nested(r.scan))
		return t->rank > 1 ? read_nested(&r, 0) : refuse_nesting(&r);
	if (read_elements(&r, &count) != 0)
		return -1;
	if (count != t->count)
		return err_set(e, ERR_INPUT, "input `%s` needs %zu values, got %zu",
			       v2_tensor_label(t).text, t->count, count);
	return 0;
}

static uint64_t load(const char *bytes, size_t width)
{
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
	return value;
}

/* IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
static double half_value(uint16_t bits)
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

static double float_value(uint64_t bits, size_t width)
{
	uint32_t bits32 = (uint32_t)bits;
	float narrow;
	double value;

	if (width == 2)
		return half_value((uint16_t)bits);
	if (width == 4) {
		memcpy(&narrow, &bits32, sizeof narrow);
		return (double)narrow;
	}
	memcpy(&value, &bits, sizeof value);
	return value;
}

static double binary_value(const struct v2_type *type, uint64_t bits)
{
	unsigned spare = 64 - (unsigned)type->width * 8;

	switch (type->kind) {
	case V2_FLOAT:
		return float_value(bits, type->width);
	case V2_SIGNED:
		return (double)((int64_t)(bits << spare) >> spare);
	case V2_BOOL:
		return bits != 0;
	default:
		return (double)bits;
	}
}

static int store_binary(const struct v2_tensor *t, const struct v2_target *target, struct err *e)
{
	size_t width = t->type->width;

	if (t->binary_size != t->count * width)
		return err_set(
		    e, ERR_INPUT,
		    "input `%s` needs %zu bytes (%zu of %s), its binary_data_size is %llu",
		    v2_tensor_label(t).text, t->count * width, t->count, t->type->name,
		    (unsigned long long)t->binary_size);
	for (size_t i = 0; i < t->count; i++)
		store(target, i, binary_value(t->type, load(t->bytes + i * width, width)));
	return 0;
}

int v2_tensor_store(const struct v2_tensor *t, const struct v2_target *target, struct err *e)
{
	return t->binary ? store_binary(t, target, e) : store_json(t, target, e);
}
