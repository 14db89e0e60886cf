/* v2_tensor: reading one element of `inputs`. */
#include "runtime/v2_tensor.h"

#include <string.h>

static const struct v2_type types[] = {
    {"FP32", V2_FLOAT, 4},      {"FP64", V2_FLOAT, 8},      {"FP16", V2_FLOAT, 2},
    {"INT64", V2_SIGNED, 8},    {"INT32", V2_SIGNED, 4},    {"INT16", V2_SIGNED, 2},
    {"INT8", V2_SIGNED, 1},     {"UINT64", V2_UNSIGNED, 8}, {"UINT32", V2_UNSIGNED, 4},
    {"UINT16", V2_UNSIGNED, 2}, {"UINT8", V2_UNSIGNED, 1},  {"BOOL", V2_BOOL, 1},
};
#define TYPE_COUNT (sizeof types / sizeof *types)

const struct v2_type *v2_type_find(const char *name)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

struct v2_label v2_tensor_label(const struct v2_tensor *t)
{
	struct v2_label label;
	scan_decode(t->name, label.text, sizeof v2_tensor_label(t).text);
	return label;
}

struct scan v2_tensor_scan(const struct v2_tensor *t)
{
	struct scan s;
	scan_init(&s, t->body, (size_t)(t->data.at - t->body) + t->data.size, V2_DEPTH_MAX);
	s.at = t->data.at;
	return s;
}

static int read_type(struct scan *s, struct v2_tensor *t, struct err *e)
{
	struct scan_span name;
	if (scan_peek(s) != SCAN_STRING && s->problem == NULL)
		return err_set(e, ERR_INPUT, "the `datatype` of an input is not a string");
	if (!scan_string(s, &name))
		return scan_err(s, e);
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (scan_is(name, types[i].name)) {
			t->type = &types[i];
			return 0;
		}
	}
	if (scan_is(name, "BYTES"))
		return err_set(e, ERR_INPUT,
			       "datatype BYTES is not taken: this model's features are numbers");
	char text[32];
	scan_decode(name, text, sizeof text);
	return err_set(e, ERR_INPUT,
		       "there is no datatype `%s`; it is FP64, FP32, FP16, BOOL, INT8 to INT64 or "
		       "UINT8 to UINT64",
		       text);
}

/* A whole number from 0 up that fits in 63 bits. */
static bool read_size(struct scan *s, uint64_t *size)
{
	struct number n;
	if (scan_peek(s) != SCAN_NUMBER || !scan_number(s, &n))
		return false;
	*size = n.digits;
	return n.integer && !n.dropped && n.exponent == 0 && n.digits <= INT64_MAX &&
	       !(n.negative && n.digits > 0);
}

static int read_shape(struct scan *s, struct v2_tensor *t, struct err *e)
{
	bool first = true;

	t->rank = 0;
	if (scan_peek(s) != SCAN_ARRAY && s->problem == NULL)
		return err_set(e, ERR_INPUT, "the `shape` of an input is not an array");
	scan_array(s);
	while (scan_element(s, &first)) {
		if (t->rank == V2_RANK_MAX)
			return err_set(e, ERR_INPUT, "a `shape` of more than %d dimensions",
				       V2_RANK_MAX);
		if (!read_size(s, &t->shape[t->rank]) && s->problem == NULL)
			return err_set(e, ERR_INPUT,
				       "a dimension of a `shape` is not a whole number from 1 up");
		if (s->problem != NULL)
			return scan_err(s, e);
		if (t->shape[t->rank++] == 0)
			return err_set(e, ERR_INPUT,
				       "a `shape` with a dimension of 0: there are no rows");
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}

static int read_parameters(struct scan *s, struct v2_tensor *t, struct err *e)
{
	struct scan_span key;
	bool first = true;

	if (scan_peek(s) == SCAN_NULL)
		return scan_skip(s, NULL) ? 0 : scan_err(s, e);
	if (scan_peek(s) != SCAN_OBJECT && s->problem == NULL)
		return err_set(e, ERR_INPUT, "`parameters` of an input is not an object");
	scan_object(s);
	while (scan_member(s, &first, &key)) {
		if (!scan_is(key, "binary_data_size")) {
			scan_skip(s, NULL);
			continue;
		}
		if (!read_size(s, &t->binary_size) && s->problem == NULL)
			return err_set(e, ERR_INPUT,
				       "a `binary_data_size` is not a whole number from 0 up");
		t->binary = true;
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}

static int read_name(struct scan *s, struct v2_tensor *t, struct err *e)
{
	if (scan_peek(s) != SCAN_STRING && s->problem == NULL)
		return err_set(e, ERR_INPUT, "the `name` of an input is not a string");
	return scan_string(s, &t->name) ? 0 : scan_err(s, e);
}

static int read_data(struct scan *s, struct v2_tensor *t, struct err *e)
{
	if (scan_peek(s) != SCAN_ARRAY && s->problem == NULL)
		return err_set(e, ERR_INPUT, "the `data` of an input is not an array");
	/* Checked when its elements are read, once the shape is known. */
	return scan_pass(s, &t->data) ? 0 : scan_err(s, e);
}

static int read_member(struct scan *s, struct scan_span key, struct v2_tensor *t, struct err *e)
{
	if (scan_is(key, "name"))
		return read_name(s, t, e);
	if (scan_is(key, "shape"))
		return read_shape(s, t, e);
	if (scan_is(key, "datatype"))
		return read_type(s, t, e);
	if (scan_is(key, "parameters"))
		return read_parameters(s, t, e);
	if (scan_is(key, "data"))
		return read_data(s, t, e);
	scan_skip(s, NULL);
	return s->problem == NULL ? 0 : scan_err(s, e);
}

/* The number of elements by the shape, and where they are. */
static int settle(struct v2_tensor *t, struct err *e)
{
	if (t->name.at == NULL)
		return err_set(e, ERR_INPUT, "an input has no `name`");
	if (t->type == NULL)
		return err_set(e, ERR_INPUT, "input `%s` has no `datatype`",
			       v2_tensor_label(t).text);
	if (t->rank == 0)
		return err_set(e, ERR_INPUT, "input `%s` has no `shape`", v2_tensor_label(t).text);
	if (t->binary && t->data.at != NULL)
		return err_set(e, ERR_INPUT, "input `%s` has both `data` and a `binary_data_size`",
			       v2_tensor_label(t).text);
	if (!t->binary && t->data.at == NULL)
		return err_set(e, ERR_INPUT, "input `%s` has no `data`", v2_tensor_label(t).text);
	t->count = 1;
	for (size_t i = 0; i < t->rank; i++)
		if (__builtin_mul_overflow(t->count, t->shape[i], &t->count) ||
		    t->count > SIZE_MAX / 16)
			return err_set(e, ERR_INPUT, "the `shape` of input `%s` is too large",
				       v2_tensor_label(t).text);
	return 0;
}

int v2_tensor_read(struct scan *s, struct v2_tensor *t, struct err *e)
{
	struct scan_span key;
	bool first = true;

	*t = (struct v2_tensor){.body = s->start};
	if (scan_peek(s) != SCAN_OBJECT && s->problem == NULL)
		return err_set(e, ERR_INPUT, "an element of `inputs` is not an object");
	scan_object(s);
	while (scan_member(s, &first, &key))
		if (read_member(s, key, t, e) != 0)
			return -1;
	return s->problem == NULL ? settle(t, e) : scan_err(s, e);
}
