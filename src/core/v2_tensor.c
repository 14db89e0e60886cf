/* v2_tensor: reading one element of `inputs` or `outputs`. */
#include "core/v2_tensor.h"

#include <string.h>

struct v2_label v2_tensor_label(const struct v2_tensor *t)
{
	struct v2_label label;
	scan_decode(t->name, label.text, sizeof v2_tensor_label(t).text);
	return label;
}

static int read_type(struct scan *s, struct v2_tensor *t, struct err *e)
{
	struct scan_span name;
	char text[32];

	if (scan_peek(s) != SCAN_STRING && s->problem == NULL)
		return err_set(e, ERR_INPUT, "the `datatype` of an %s is not a string", t->word);
	if (!scan_string(s, &name))
		return scan_err(s, e);
	t->type = datatype_find(name.at, name.size);
	if (t->type != DATATYPE_COUNT)
		return 0;
	scan_decode(name, text, sizeof text);
	return err_set(e, ERR_INPUT,
		       "there is no datatype `%s`; it is FP64, FP32, FP16, BF16, BOOL, BYTES, INT8 to "
		       "INT64 or UINT8 to UINT64",
		       text);
}

/* A whole number from 0 up that fits in 63 bits. */
static bool read_size(struct scan *s, uint64_t *size)
{
	struct number n;
	if (scan_peek(s) != SCAN_NUMBER || !scan_number(s, &n))
		return false;
	*size = n.digits;
	return n.integer && !n.dropped && n.exponent == 0 && n.digits <= INT64_MAX && !(n.negative && n.digits > 0);
}

static int read_shape(struct scan *s, struct v2_tensor *t, struct err *e)
{
	bool first = true;
	uint64_t size = 0;

	t->rank = 0;
	t->shaped = true;
	if (scan_peek(s) != SCAN_ARRAY && s->problem == NULL)
		return err_set(e, ERR_INPUT, "the `shape` of an %s is not an array", t->word);
	scan_array(s);
	while (scan_element(s, &first)) {
		if (t->rank == TENSOR_RANK_MAX)
			return err_set(e, ERR_INPUT, "a `shape` of more than %d dimensions", TENSOR_RANK_MAX);
		if (!read_size(s, &size) && s->problem == NULL)
			return err_set(e, ERR_INPUT, "a dimension of a `shape` is not a whole number from 0 up");
		if (s->problem != NULL)
			return scan_err(s, e);
		t->shape[t->rank++] = (int64_t)size;
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
		return err_set(e, ERR_INPUT, "`parameters` of an %s is not an object", t->word);
	scan_object(s);
	while (scan_member(s, &first, &key)) {
		if (!scan_is(key, "binary_data_size")) {
			scan_skip(s, NULL);
			continue;
		}
		if (!read_size(s, &t->binary_size) && s->problem == NULL)
			return err_set(e, ERR_INPUT, "a `binary_data_size` is not a whole number from 0 up");
		t->binary = true;
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}

static int read_name(struct scan *s, struct v2_tensor *t, struct err *e)
{
	if (scan_peek(s) != SCAN_STRING && s->problem == NULL)
		return err_set(e, ERR_INPUT, "the `name` of an %s is not a string", t->word);
	return scan_string(s, &t->name) ? 0 : scan_err(s, e);
}

static int read_data(struct scan *s, struct v2_tensor *t, struct err *e)
{
	if (scan_peek(s) != SCAN_ARRAY && s->problem == NULL)
		return err_set(e, ERR_INPUT, "the `data` of an %s is not an array", t->word);
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
		return err_set(e, ERR_INPUT, "an %s has no `name`", t->word);
	if (t->type == DATATYPE_COUNT)
		return err_set(e, ERR_INPUT, "%s `%s` has no `datatype`", t->word, v2_tensor_label(t).text);
	if (!t->shaped)
		return err_set(e, ERR_INPUT, "%s `%s` has no `shape`", t->word, v2_tensor_label(t).text);
	if (t->binary && t->data.at != NULL)
		return err_set(e, ERR_INPUT, "%s `%s` has both `data` and a `binary_data_size`", t->word,
			       v2_tensor_label(t).text);
	if (!t->binary && t->data.at == NULL)
		return err_set(e, ERR_INPUT, "%s `%s` has no `data`", t->word, v2_tensor_label(t).text);
	if (!tensor_count(t->shape, t->rank, &t->count))
		return err_set(e, ERR_INPUT, "the `shape` of %s `%s` is too large", t->word, v2_tensor_label(t).text);
	return 0;
}

int v2_tensor_read(struct scan *s, const char *word, struct v2_tensor *t, struct err *e)
{
	struct scan_span key;
	bool first = true;

	*t = (struct v2_tensor){.word = word, .type = DATATYPE_COUNT, .body = s->start};
	if (scan_peek(s) != SCAN_OBJECT && s->problem == NULL)
		return err_set(e, ERR_INPUT, "an element of `%ss` is not an object", word);
	scan_object(s);
	while (scan_member(s, &first, &key))
		if (read_member(s, key, t, e) != 0)
			return -1;
	return s->problem == NULL ? settle(t, e) : scan_err(s, e);
}

/* One more place behind the tensors; NULL when memory is out. */
static struct v2_tensor *next_tensor(struct arena *arena, struct v2_tensor **tensors, size_t *count, size_t *capacity)
{
	if (*count == *capacity) {
		size_t larger = *capacity == 0 ? 16 : *capacity * 2;
		struct v2_tensor *more = arena_array(arena, larger, sizeof *more);
		if (more == NULL)
			return NULL;
		if (*count > 0)
			memcpy(more, *tensors, *count * sizeof *more);
		*tensors = more;
		*capacity = larger;
	}
	return &(*tensors)[(*count)++];
}

int v2_tensors_read(struct scan *s, const char *word, struct arena *arena, struct v2_tensor **tensors, size_t *count,
		    struct err *e)
{
	size_t capacity = 0;
	bool first = true;

	*count = 0;
	if (scan_peek(s) != SCAN_ARRAY && s->problem == NULL)
		return err_set(e, ERR_INPUT, "`%ss` is not an array", word);
	scan_array(s);
	while (scan_element(s, &first)) {
		if (*count == V2_TENSORS_MAX)
			return err_set(e, ERR_INPUT, "more than %d %ss", V2_TENSORS_MAX, word);
		struct v2_tensor *t = next_tensor(arena, tensors, count, &capacity);
		if (t == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for %zu %ss", *count, word);
		if (v2_tensor_read(s, word, t, e) != 0)
			return -1;
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}

int v2_tensor_share(struct v2_tensor *tensors, size_t count, const char *bytes, size_t size, struct err *e)
{
	size_t left = size;
	for (size_t i = 0; i < count; i++) {
		struct v2_tensor *t = &tensors[i];
		if (!t->binary)
			continue;
		if (t->binary_size > left)
			return err_set(e, ERR_INPUT, "%s `%s` has a binary_data_size of %llu, but %zu bytes are left",
				       t->word, v2_tensor_label(t).text, (unsigned long long)t->binary_size, left);
		t->bytes = bytes + (size - left);
		left -= (size_t)t->binary_size;
	}
	if (left > 0)
		return err_set(e, ERR_INPUT, "%zu bytes behind the JSON belong to no %s", left,
			       count > 0 ? tensors[0].word : "tensor");
	return 0;
}

/* More values by the shape than the data has. */
static int refuse_count(const struct v2_tensor *t, struct err *e)
{
	struct scan s = v2_tensor_scan(t);
	size_t count = 0;

	while (s.at < s.end) {
		if (memchr("[], \t\r\n", *s.at, 7) != NULL)
			s.at++;
		else if (scan_skip(&s, NULL))
			count++;
		else
			return scan_err(&s, e);
	}
	return err_set(e, ERR_INPUT, "%s `%s` needs %zu values, got %zu", t->word, v2_tensor_label(t).text, t->count,
		       count);
}

int v2_tensor_check_count(const struct v2_tensor *t, struct err *e)
{
	if (t->binary) {
		/* Of BYTES at least their lengths. */
		size_t width = t->type == DATATYPE_BYTES ? 4 : datatype_wire_size(t->type);
		if (t->count <= t->binary_size / width)
			return 0;
		return err_set(e, ERR_INPUT, "%s `%s` needs %zu values, its binary_data_size is %llu", t->word,
			       v2_tensor_label(t).text, t->count, (unsigned long long)t->binary_size);
	}
	/* `[1,2]`: two bytes an element and one more. */
	if (t->count <= t->data.size / 2)
		return 0;
	return refuse_count(t, e);
}
