/* v2_tensor: the elements, from JSON or bytes, to where they go. */
#include "core/v2_tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Walks the data of one tensor. */
struct reader {
	const struct v2_tensor *tensor;
	const struct v2_target *target;
	struct scan scan;
	size_t count; /* elements read */
	struct err *error;
};

/* A whole number, exactly. */
struct whole {
	bool negative;
	uint64_t magnitude;
};

bool v2_convertible(enum datatype from, enum datatype to)
{
	enum datatype_kind source = datatype_kind(from);

	switch (datatype_kind(to)) {
	case KIND_FLOAT:
		return source != KIND_BYTES;
	case KIND_SIGNED:
	case KIND_UNSIGNED:
		return source == KIND_SIGNED || source == KIND_UNSIGNED;
	default:
		return source == datatype_kind(to);
	}
}

static int refuse_value(const struct reader *r, const char *text, size_t size)
{
	return err_set(r->error, ERR_INPUT, "element %zu of %s `%s` is not of datatype %s: %.*s",
		       r->count, r->tensor->word, v2_tensor_label(r->tensor).text,
		       datatype_name(r->tensor->type), size > 40 ? 40 : (int)size, text);
}

/* Whether a whole number lies in the range of the datatype. */
static bool in_range(enum datatype type, struct whole w)
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

/* --- putting --- */

static void put_real(const struct v2_target *target, size_t i, double value)
{
	i *= target->stride;
	switch (target->type) {
	case DATATYPE_FP32:
		((float *)target->data)[i] = (float)value;
		break;
	case DATATYPE_FP16:
		((uint16_t *)target->data)[i] = double_to_half(value);
		break;
	case DATATYPE_BF16:
		((uint16_t *)target->data)[i] = double_to_bfloat(value);
		break;
	default:
		((double *)target->data)[i] = value;
		break;
	}
}

/* The low bytes of the number in two's complement, whatever the machine's byte order. */
static void put_whole(const struct v2_target *target, size_t i, struct whole w)
{
	uint64_t bits = w.negative ? 0 - w.magnitude : w.magnitude;

	i *= target->stride;
	switch (datatype_size(target->type)) {
	case 1:
		((uint8_t *)target->data)[i] = (uint8_t)bits;
		break;
	case 2:
		((uint16_t *)target->data)[i] = (uint16_t)bits;
		break;
	case 4:
		((uint32_t *)target->data)[i] = (uint32_t)bits;
		break;
	default:
		((uint64_t *)target->data)[i] = bits;
		break;
	}
}

/* A whole number of the tensor's own type; false where the target's cannot hold it. */
static bool convert_whole(const struct v2_target *target, size_t i, struct whole w)
{
	if (datatype_kind(target->type) == KIND_FLOAT) {
		double value = (double)w.magnitude;
		put_real(target, i, w.negative ? -value : value);
		return true;
	}
	if (!in_range(target->type, w))
		return false;
	put_whole(target, i, w);
	return true;
}

static void put_bytes(const struct v2_target *target, size_t i, struct bytes value)
{
	((struct bytes *)target->data)[i * target->stride] = value;
}

/* --- from JSON --- */

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

static bool whole_number(enum datatype type, struct number *n, struct whole *w)
{
	if (datatype_kind(type) == KIND_UNSIGNED)
		widen_unsigned(n);
	if (n->integer) {
		*w = (struct whole){n->negative, n->digits};
		return !n->dropped && n->exponent == 0 && in_range(type, *w);
	}
	/* 1.0 and 1e3 are whole too; past 2^53 nobody writes a count like that. */
	double value = number_double(n), size = fabs(value);
	if (size > 9007199254740992.0 || size != floor(size))
		return false;
	*w = (struct whole){value < 0, (uint64_t)size};
	return in_range(type, *w);
}

static bool real_number(enum datatype type, const struct number *n, double *value)
{
	switch (type) {
	case DATATYPE_FP32:
		*value = (double)number_float(n);
		return isfinite(*value);
	case DATATYPE_FP16:
		*value = number_double(n);
		return isfinite(half_to_double(double_to_half(*value)));
	case DATATYPE_BF16:
		*value = number_double(n);
		return isfinite(bfloat_to_double(double_to_bfloat(*value)));
	default:
		*value = number_double(n);
		return isfinite(*value);
	}
}

static int read_number(struct reader *r)
{
	struct number n;
	struct whole w;
	double value;
	enum datatype type = r->tensor->type;

	if (!scan_number(&r->scan, &n))
		return scan_err(&r->scan, r->error);
	switch (datatype_kind(type)) {
	case KIND_FLOAT:
		if (!real_number(type, &n, &value))
			return refuse_value(r, n.text, n.size);
		put_real(r->target, r->count, value);
		return 0;
	case KIND_BYTES:
		return refuse_value(r, n.text, n.size);
	default:
		if (!whole_number(type, &n, &w) || !convert_whole(r->target, r->count, w))
			return refuse_value(r, n.text, n.size);
		return 0;
	}
}

static int read_string(struct reader *r)
{
	struct scan_span span;
	if (!scan_string(&r->scan, &span))
		return scan_err(&r->scan, r->error);
	if (r->tensor->type != DATATYPE_BYTES)
		return refuse_value(r, span.at - 1, span.size + 2);
	char *text = arena_take(r->target->arena, span.size + 1);
	if (text == NULL)
		return err_set(r->error, ERR_MEMORY, "memory is out for a string of %zu bytes",
			       span.size);
	put_bytes(r->target, r->count, (struct bytes){text, scan_decode(span, text, span.size + 1)});
	return 0;
}

/* true, false, null, or something that is no element at all. */
static int read_other(struct reader *r)
{
	struct scan_span span;
	enum scan_kind kind = scan_peek(&r->scan);

	if (!scan_skip(&r->scan, &span))
		return scan_err(&r->scan, r->error);
	if (kind == SCAN_NULL && datatype_kind(r->target->type) == KIND_FLOAT) {
		put_real(r->target, r->count, (double)NAN);
		return 0;
	}
	if ((kind != SCAN_TRUE && kind != SCAN_FALSE) || r->tensor->type != DATATYPE_BOOL)
		return refuse_value(r, span.at, span.size);
	convert_whole(r->target, r->count, (struct whole){.magnitude = kind == SCAN_TRUE});
	return 0;
}

static int read_not_finite(struct reader *r)
{
	const char *start = r->scan.at;
	double value;

	if (!scan_not_finite(&r->scan, &value))
		return scan_err(&r->scan, r->error);
	if (datatype_kind(r->tensor->type) != KIND_FLOAT)
		return refuse_value(r, start, (size_t)(r->scan.at - start));
	put_real(r->target, r->count, value);
	return 0;
}

static int read_element(struct reader *r)
{
	switch (scan_peek(&r->scan)) {
	case SCAN_NUMBER:
		return read_number(r);
	case SCAN_STRING:
		return read_string(r);
	case SCAN_NOT_FINITE:
		return read_not_finite(r);
	default:
		return read_other(r);
	}
}

int v2_tensor_store_element(struct scan *s, const struct v2_tensor *t, const struct v2_target *target,
			    size_t i, struct err *e)
{
	struct reader r = {.tensor = t, .target = target, .scan = *s, .count = i, .error = e};
	int result = read_element(&r);
	*s = r.scan;
	return result;
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
		if (read_element(r) != 0)
			return -1;
		r->count++;
	}
	return r->scan.problem == NULL ? 0 : scan_err(&r->scan, r->error);
}

static int refuse_nesting(const struct reader *r)
{
	char shape[TENSOR_SHAPE_SIZE];
	tensor_shape_text(r->tensor->shape, r->tensor->rank, shape);
	return err_set(r->error, ERR_INPUT, "the nested `data` of %s `%s` does not have the shape %s",
		       r->tensor->word, v2_tensor_label(r->tensor).text, shape);
}

/* Nested data has an array of shape[level] items at each level, and the elements in the innermost.
 */
static int read_nested(struct reader *r, size_t level)
{
	const struct v2_tensor *t = r->tensor;
	size_t items = 0, expected = (size_t)t->shape[level];
	bool first = true;

	if (scan_peek(&r->scan) != SCAN_ARRAY)
		return scan_skip(&r->scan, NULL) ? refuse_nesting(r) : scan_err(&r->scan, r->error);
	if (level + 1 == t->rank) {
		if (read_elements(r, &items) != 0)
			return -1;
		return items == expected ? 0 : refuse_nesting(r);
	}
	scan_array(&r->scan);
	while (scan_element(&r->scan, &first)) {
		if (items++ == expected || read_nested(r, level + 1) != 0)
			return items > expected ? refuse_nesting(r) : -1;
	}
	if (r->scan.problem != NULL)
		return scan_err(&r->scan, r->error);
	return items == expected ? 0 : refuse_nesting(r);
}

static bool is_nested(struct scan s)
{
	bool first = true;
	return scan_array(&s) && scan_element(&s, &first) && scan_peek(&s) == SCAN_ARRAY;
}

struct scan v2_tensor_scan(const struct v2_tensor *t)
{
	struct scan s;
	scan_init(&s, t->body, (size_t)(t->data.at - t->body) + t->data.size, V2_DEPTH_MAX);
	s.at = t->data.at;
	return s;
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
		return err_set(e, ERR_INPUT, "%s `%s` needs %zu values, got %zu", t->word,
			       v2_tensor_label(t).text, t->count, count);
	return 0;
}

/* --- from bytes --- */

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
			put_real(target, i, real_value(t->type, bits));
		else if (!convert_whole(target, i, whole_value(t->type, bits)))
			return err_set(e, ERR_INPUT, "element %zu of %s `%s` is out of the range of %s",
				       i, t->word, v2_tensor_label(t).text,
				       datatype_name(target->type));
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
			return err_set(e, ERR_INPUT,
				       "element %zu of %s `%s` is longer than the bytes that are left",
				       i, t->word, v2_tensor_label(t).text);
		put_bytes(target, i, (struct bytes){at + 4, (size_t)size});
		at += 4 + size;
		left -= 4 + (size_t)size;
	}
	if (left > 0)
		return err_set(e, ERR_INPUT, "%zu bytes behind the %zu elements of %s `%s`", left,
			       t->count, t->word, v2_tensor_label(t).text);
	return 0;
}

static int store_binary(const struct v2_tensor *t, const struct v2_target *target, struct err *e)
{
	size_t size = t->count * datatype_size(t->type);

	if (t->type == DATATYPE_BYTES)
		return store_strings(t, target, e);
	if (t->binary_size != size)
		return err_set(e, ERR_INPUT,
			       "%s `%s` needs %zu bytes (%zu of %s), its binary_data_size is %llu",
			       t->word, v2_tensor_label(t).text, size, t->count,
			       datatype_name(t->type), (unsigned long long)t->binary_size);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (t->type == target->type && target->stride == 1 && t->type != DATATYPE_BOOL) {
		if (size > 0)
			memcpy(target->data, t->bytes, size);
		return 0;
	}
#endif
	return store_numbers(t, target, e);
}

int v2_tensor_store(const struct v2_tensor *t, const struct v2_target *target, struct err *e)
{
	return t->binary ? store_binary(t, target, e) : store_json(t, target, e);
}
