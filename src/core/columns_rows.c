/* columns: fields of rows as elements of tensors. */
#include "core/columns.h"
#include "core/number.h"
#include "core/tensor_put.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Longer text is no number that anyone means, and is cut in a sentence. */
#define NUMBER_TEXT_MAX 1100
#define QUOTED_MAX 40

int columns_rows_init(struct columns_rows *r, const struct columns *c, struct arena *arena, size_t capacity,
		      struct err *e)
{
	*r = (struct columns_rows){.columns = c, .arena = arena, .capacity = capacity};
	r->data = arena_array(arena, c->input_count, sizeof *r->data);
	r->given = arena_array(arena, c->count, sizeof *r->given);
	if (r->data == NULL || r->given == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for rows");
	memset(r->given, 0, c->count * sizeof *r->given);
	for (size_t i = 0; i < c->input_count; i++) {
		size_t row = c->inputs[i].width * datatype_size(c->inputs[i].datatype);
		r->data[i] = arena_array(arena, capacity, row);
		if (r->data[i] == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for %zu rows", capacity);
	}
	return 0;
}

static int grow(struct columns_rows *r, struct err *e)
{
	size_t capacity = r->capacity < 8 ? 16 : r->capacity * 2;

	for (size_t i = 0; i < r->columns->input_count; i++) {
		const struct column_input *input = &r->columns->inputs[i];
		size_t row = input->width * datatype_size(input->datatype);
		void *more = arena_array(r->arena, capacity, row);
		if (more == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for %zu rows", capacity);
		if (r->count > 0)
			memcpy(more, r->data[i], r->count * row);
		r->data[i] = more;
	}
	r->capacity = capacity;
	return 0;
}

int columns_rows_begin(struct columns_rows *r, struct err *e)
{
	if (r->count >= TENSOR_ROWS_MAX)
		return err_set(e, ERR_TOO_LARGE, "there are more than %d rows", TENSOR_ROWS_MAX);
	if (r->count >= r->capacity && grow(r, e) != 0)
		return -1;
	/* What a row that was not ended had put. */
	if (r->given_count > 0)
		memset(r->given, 0, r->columns->count * sizeof *r->given);
	r->given_count = 0;
	return 0;
}

int columns_rows_end(struct columns_rows *r, size_t *missing, struct err *e)
{
	if (missing != NULL)
		*missing = COLUMNS_NONE;
	if (r->given_count < r->columns->count) {
		size_t i = 0;
		while (r->given[i] == r->count + 1)
			i++;
		if (missing != NULL)
			*missing = i;
		return err_set(e, ERR_INPUT, "there is no `%s`, which the model needs", r->columns->list[i].name);
	}
	r->count++;
	r->given_count = 0;
	return 0;
}

/* Where a column's element of the row that is being put together lies; NULL when it was put already. */
static void *element(struct columns_rows *r, size_t column, struct err *e)
{
	const struct column *c = &r->columns->list[column];
	size_t at = r->count * r->columns->inputs[c->input].width + c->index;

	if (r->given[column] == r->count + 1) {
		err_set(e, ERR_INPUT, "`%s` is given twice", c->name);
		return NULL;
	}
	r->given[column] = r->count + 1;
	r->given_count++;
	return (char *)r->data[c->input] + at * datatype_size(c->datatype);
}

static int refuse(const char *text, size_t size, const char *why, struct err *e)
{
	return err_set(e, ERR_INPUT, "`%.*s%s` %s", (int)(size > QUOTED_MAX ? QUOTED_MAX : size), text,
		       size > QUOTED_MAX ? "..." : "", why);
}

static bool is_word(const char *text, size_t size, const char *word)
{
	return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static void trim(const char **text, size_t *size)
{
	while (*size > 0 && (**text == ' ' || **text == '\t')) {
		++*text;
		--*size;
	}
	while (*size > 0 && ((*text)[*size - 1] == ' ' || (*text)[*size - 1] == '\t'))
		--*size;
}

/* Whether a finite value became infinite when it was stored. */
static bool overflowed(const void *from, enum datatype type)
{
	const struct tensor one = {.datatype = type, .count = 1, .data = (void *)(uintptr_t)from};
	return !isfinite(tensor_double(&one, 0));
}

/* What JSON does not call a number: +1, .5, 1., inf. False when it is none. */
static bool unusual_number(const char *text, size_t size, enum datatype type, double *value, bool *infinite)
{
	char copy[NUMBER_TEXT_MAX], *end;

	if (size == 0 || size >= sizeof copy || memchr(text, '\0', size) != NULL)
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	const char *digits = copy + (copy[0] == '+' || copy[0] == '-');
	*infinite = strcasecmp(digits, "inf") == 0 || strcasecmp(digits, "infinity") == 0;
	if (!*infinite && digits[strspn(digits, "0123456789.eE+-")] != '\0')
		return false;
	double exact = strtod(copy, &end);
	*value = type == DATATYPE_FP32 ? (double)strtof(copy, NULL) : exact;
	return end != copy && *end == '\0' && (*infinite || isfinite(exact));
}

static int put_float(void *to, enum datatype type, const char *text, size_t size, struct err *e)
{
	struct number n;

	if (size == 0 || is_word(text, size, "nan") || is_word(text, size, "na")) {
		tensor_put_real(to, type, 0, (double)NAN);
		return 0;
	}
	if (number_read(text, text + size, &n) == size) {
		tensor_put_real(to, type, 0, type == DATATYPE_FP32 ? (double)number_float(&n) : number_double(&n));
		return overflowed(to, type) ? refuse(text, size, "is out of range", e) : 0;
	}
	bool infinite;
	double value;
	if (!unusual_number(text, size, type, &value, &infinite))
		return refuse(text, size, "is not a number", e);
	tensor_put_real(to, type, 0, value);
	return !infinite && overflowed(to, type) ? refuse(text, size, "is out of range", e) : 0;
}

/* The digits of a whole number without its sign; false where 64 bits do not hold them. */
static bool read_digits(const char *text, size_t size, uint64_t *magnitude)
{
	*magnitude = 0;
	for (size_t i = 0; i < size; i++)
		if (__builtin_mul_overflow(*magnitude, (uint64_t)10, magnitude) ||
		    __builtin_add_overflow(*magnitude, (uint64_t)(text[i] - '0'), magnitude))
			return false;
	return true;
}

/* The whole number that text says: also 3.0 and 1e3, as programs write that count in floats. */
static int read_whole(const char *text, size_t size, struct whole *w, struct err *e)
{
	struct number n;
	size_t plus = size > 1 && text[0] == '+' && text[1] != '-';

	if (size == 0 || number_read(text + plus, text + size, &n) != size - plus) {
		if (size == 0 || is_word(text, size, "nan") || is_word(text, size, "na"))
			return err_set(e, ERR_INPUT, "the value is absent, which only floats can be");
		return refuse(text, size, "is not a whole number", e);
	}
	w->negative = n.negative;
	if (n.integer)
		return read_digits(text + plus + n.negative, size - plus - n.negative, &w->magnitude)
			   ? 0
			   : refuse(text, size, "is out of range", e);
	double value = fabs(number_double(&n));
	if (value != floor(value))
		return refuse(text, size, "is not a whole number", e);
	if (value > 9007199254740992.0) /* 2^53: above, a float does not say which whole number it is */
		return refuse(text, size, "is out of range", e);
	w->magnitude = (uint64_t)value;
	return 0;
}

static int put_integer(void *to, enum datatype type, const char *text, size_t size, struct err *e)
{
	struct whole w = {0};

	if (read_whole(text, size, &w, e) != 0)
		return -1;
	return tensor_put_whole(to, type, 0, w) ? 0 : refuse(text, size, "is out of range", e);
}

static int put_boolean(uint8_t *to, const char *text, size_t size, struct err *e)
{
	bool yes = is_word(text, size, "true") || is_word(text, size, "1");

	if (!yes && !is_word(text, size, "false") && !is_word(text, size, "0"))
		return refuse(text, size, "is neither true nor false", e);
	*to = yes;
	return 0;
}

int columns_put(struct columns_rows *r, size_t column, const char *text, size_t size, struct err *e)
{
	enum datatype type = r->columns->list[column].datatype;
	void *to = element(r, column, e);

	if (to == NULL)
		return -1;
	if (type == DATATYPE_BYTES) {
		struct bytes *bytes = to;
		bytes->data = arena_copy(r->arena, text, size);
		bytes->size = size;
		return bytes->data != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for rows");
	}
	trim(&text, &size);
	switch (datatype_kind(type)) {
	case KIND_BOOL:
		return put_boolean(to, text, size, e);
	case KIND_FLOAT:
		return put_float(to, type, text, size, e);
	default:
		return put_integer(to, type, text, size, e);
	}
}

int columns_put_absent(struct columns_rows *r, size_t column, struct err *e)
{
	enum datatype type = r->columns->list[column].datatype;
	void *to = element(r, column, e);

	if (to == NULL)
		return -1;
	if (datatype_kind(type) != KIND_FLOAT)
		return err_set(e, ERR_INPUT, "the value is absent, which only floats can be");
	tensor_put_real(to, type, 0, (double)NAN);
	return 0;
}

int columns_put_json(struct columns_rows *r, size_t column, struct scan_span value, struct buf *text, struct err *e)
{
	size_t size;
	const char *plain;

	switch (*value.at) {
	case '"':
		plain = scan_plain((struct scan_span){value.at + 1, value.size - 2}, text, &size);
		if (plain == NULL)
			return err_set(e, ERR_MEMORY, "memory is out while reading rows");
		return columns_put(r, column, plain, size, e);
	case 'n':
		return columns_put_absent(r, column, e);
	case '{':
	case '[':
		return err_set(e, ERR_INPUT, "it is an %s, not one value", *value.at == '[' ? "array" : "object");
	default:
		return columns_put(r, column, value.at, value.size, e);
	}
}

void columns_rows_tensors(const struct columns_rows *r, size_t first, size_t count, struct tensor *tensors)
{
	for (size_t i = 0; i < r->columns->input_count; i++) {
		const struct column_input *input = &r->columns->inputs[i];
		size_t row = input->width * datatype_size(input->datatype);
		tensors[i] = (struct tensor){.datatype = input->datatype,
					     .rank = input->rank,
					     .shape = {(int64_t)count, (int64_t)input->width},
					     .count = count * input->width,
					     .data = (char *)r->data[i] + first * row};
	}
}
