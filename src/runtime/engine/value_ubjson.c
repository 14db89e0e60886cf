/* value_ubjson: Universal Binary JSON (draft 12) with typed arrays, big-endian. */
#include "runtime/engine/value.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const unsigned char *at;
	const unsigned char *end;
	size_t budget;
	struct err *e;
};

static int read_typed(struct reader *r, unsigned char type, struct value *v, int depth);

static int broken(struct reader *r)
{
	return err_set(r->e, ERR_INPUT, "The model's UBJSON is broken or cut off with %zu bytes to go.",
		       (size_t)(r->end - r->at));
}

static size_t width_of(unsigned char type)
{
	static const char types[] = "iUIldLD";
	static const unsigned char widths[] = {1, 1, 2, 4, 4, 8, 8};
	const char *place = type ? strchr(types, type) : NULL;

	return place ? widths[place - types] : 0;
}

static double decode(unsigned char type, uint64_t bits)
{
	uint32_t low = (uint32_t)bits;
	float narrow;
	double wide;

	switch (type) {
	case 'i':
		return (int8_t)bits;
	case 'U':
		return (double)bits;
	case 'I':
		return (int16_t)bits;
	case 'l':
		return (int32_t)bits;
	case 'L':
		return (double)(int64_t)bits;
	case 'd':
		memcpy(&narrow, &low, sizeof(narrow));
		return (double)narrow;
	default:
		memcpy(&wide, &bits, sizeof(wide));
		return wide;
	}
}

static int read_number(struct reader *r, unsigned char type, double *number)
{
	size_t width = width_of(type);
	uint64_t bits = 0;

	if (!width || (size_t)(r->end - r->at) < width)
		return broken(r);
	while (width--)
		bits = bits << 8 | *r->at++;
	*number = decode(type, bits);
	return 0;
}

/* A count or length, which can never exceed the bytes that are left. */
static int read_count(struct reader *r, size_t *count)
{
	double number;
	unsigned char type;

	if (r->at >= r->end)
		return broken(r);
	type = *r->at++;
	if (type == 'd' || type == 'D' || read_number(r, type, &number))
		return broken(r);
	if (number < 0 || number > (double)(r->end - r->at))
		return err_set(r->e, ERR_INPUT,
			       "The model's UBJSON announces a length (%.0f) that the file does not hold.", number);
	*count = (size_t)number;
	return 0;
}

static int read_string(struct reader *r, struct value *v)
{
	size_t size;

	if (read_count(r, &size) || value_set_text(v, (const char *)r->at, size, &r->budget, r->e))
		return -1;
	r->at += size;
	return 0;
}

/* Whether the container ends here; takes the closing mark of one without a count. */
static bool ended(struct reader *r, bool counted, size_t *left, unsigned char close)
{
	if (counted)
		return (*left)-- == 0;
	while (r->at < r->end && *r->at == 'N')
		r->at++;
	if (r->at < r->end && *r->at == close) {
		r->at++;
		return true;
	}
	return false;
}

/* The optional "$type" and "#count" after an opening mark. */
static int read_shape(struct reader *r, unsigned char *type, bool *counted, size_t *count)
{
	*type = 0;
	*counted = false;
	*count = 0;
	if (r->end - r->at >= 2 && *r->at == '$') {
		*type = r->at[1];
		r->at += 2;
		if (r->at >= r->end || *r->at != '#' || strchr("ZTFN", *type))
			return broken(r); /* types without bytes would let a count cost nothing */
	}
	if (r->at < r->end && *r->at == '#') {
		r->at++;
		*counted = true;
		return read_count(r, count);
	}
	return 0;
}

static int read_type(struct reader *r, unsigned char shared, unsigned char *type)
{
	if (shared) {
		*type = shared;
		return 0;
	}
	if (r->at >= r->end)
		return broken(r);
	*type = *r->at++;
	return 0;
}

static int read_array(struct reader *r, struct value *v, int depth)
{
	unsigned char shared = 0;
	unsigned char type = 0;
	bool counted;
	size_t left;
	struct value item;

	v->kind = VALUE_NUMBERS;
	if (read_shape(r, &shared, &counted, &left))
		return -1;
	if (shared && left * (width_of(shared) ? width_of(shared) : 1) > (size_t)(r->end - r->at))
		return broken(r);
	while (!ended(r, counted, &left, ']')) {
		if (read_type(r, shared, &type) || read_typed(r, type, &item, depth) ||
		    value_push_element(v, &item, &r->budget, r->e))
			return -1;
	}
	return 0;
}

static int read_object(struct reader *r, struct value *v, int depth)
{
	unsigned char shared = 0;
	unsigned char type = 0;
	bool counted;
	size_t left, size;
	struct value item;

	v->kind = VALUE_OBJECT;
	if (read_shape(r, &shared, &counted, &left))
		return -1;
	while (!ended(r, counted, &left, '}')) {
		const char *name;

		if (read_count(r, &size))
			return -1;
		name = (const char *)r->at;
		r->at += size;
		if (read_type(r, shared, &type) || read_typed(r, type, &item, depth) ||
		    value_push_member(v, name, size, &item, &r->budget, r->e))
			return -1;
	}
	return 0;
}

static int read_typed(struct reader *r, unsigned char type, struct value *v, int depth)
{
	int status;

	*v = (struct value){.kind = VALUE_NUMBER};
	if (depth >= VALUE_DEPTH_MAX)
		return err_set(r->e, ERR_INPUT, "The model's UBJSON nests deeper than %d levels.", VALUE_DEPTH_MAX);
	switch (type) {
	case 'Z':
		v->kind = VALUE_NULL;
		return 0;
	case 'T':
	case 'F':
		v->number = type == 'T';
		return 0;
	case 'S':
		return read_string(r, v);
	case '[':
	case '{':
		status = type == '[' ? read_array(r, v, depth + 1) : read_object(r, v, depth + 1);
		if (status)
			value_release(v);
		return status;
	default:
		return read_number(r, type, &v->number);
	}
}

int value_parse_ubjson(const void *data, size_t size, struct value *v, struct err *e)
{
	struct reader r = {.at = data, .end = (const unsigned char *)data + size, .budget = VALUE_BUDGET(size), .e = e};

	*v = (struct value){.kind = VALUE_NULL};
	if (size == 0)
		return broken(&r);
	r.at++;
	return read_typed(&r, *(const unsigned char *)data, v, 0);
}
