/* v2_tensor: the elements, from JSON to where they go. */
#include "core/tensor_put.h"
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
	return err_set(r->error, ERR_INPUT, "element %zu of %s `%s` is not of datatype %s: %.*s", r->count,
		       r->tensor->word, v2_tensor_label(r->tensor).text, datatype_name(r->tensor->type),
		       size > 40 ? 40 : (int)size, text);
}

static void put_real(const struct reader *r, double value)
{
	tensor_put_real(r->target->data, r->target->type, r->count * r->target->stride, value);
}

static bool put_whole(const struct reader *r, struct whole w)
{
	return tensor_put_whole(r->target->data, r->target->type, r->count * r->target->stride, w);
}

/* 19 digits hold every integer but the upper half of UINT64. */
static void widen_unsigned(struct number *n)
{
	if (!n->integer || n->exponent != 1 || n->negative)
		return;
	uint64_t last = (uint64_t)(n->text[n->size - 1] - '0'), digits;
	if (__builtin_mul_overflow(n->digits, (uint64_t)10, &digits) || __builtin_add_overflow(digits, last, &digits))
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
		return !n->dropped && n->exponent == 0 && whole_fits(type, *w);
	}
	/* 1.0 and 1e3 are whole too; past 2^53 nobody writes a count like that. */
	double value = number_double(n), size = fabs(value);
	if (size > 9007199254740992.0 || size != floor(size))
		return false;
	*w = (struct whole){value < 0, (uint64_t)size};
	return whole_fits(type, *w);
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
		put_real(r, value);
		return 0;
	case KIND_BYTES:
		return refuse_value(r, n.text, n.size);
	default:
		if (!whole_number(type, &n, &w) || !put_whole(r, w))
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
		return err_set(r->error, ERR_MEMORY, "memory is out for a string of %zu bytes", span.size);
	((struct bytes *)r->target->data)[r->count * r->target->stride] =
	    (struct bytes){text, scan_decode(span, text, span.size + 1)};
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
		put_real(r, (double)NAN);
		return 0;
	}
	if ((kind != SCAN_TRUE && kind != SCAN_FALSE) || r->tensor->type != DATATYPE_BOOL)
		return refuse_value(r, span.at, span.size);
	put_whole(r, (struct whole){.magnitude = kind == SCAN_TRUE});
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
	put_real(r, value);
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

int v2_tensor_store_element(struct scan *s, const struct v2_tensor *t, const struct v2_target *target, size_t i,
			    struct err *e)
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
	return err_set(r->error, ERR_INPUT, "the nested `data` of %s `%s` does not have the shape %s", r->tensor->word,
		       v2_tensor_label(r->tensor).text, shape);
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
		return err_set(e, ERR_INPUT, "%s `%s` needs %zu values, got %zu", t->word, v2_tensor_label(t).text,
			       t->count, count);
	return 0;
}

int v2_tensor_store(const struct v2_tensor *t, const struct v2_target *target, struct err *e)
{
	return t->binary ? v2_tensor_store_bytes(t, target, e) : store_json(t, target, e);
}
