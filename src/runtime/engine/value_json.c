/* value_json: the JSON that XGBoost writes, read without recursion beyond VALUE_DEPTH_MAX. */
#include "runtime/engine/value.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at;
	const char *end;
	locale_t locale;
	size_t budget;
	struct err *e;
};

static int read_value(struct reader *r, struct value *v, int depth);

static int broken(struct reader *r)
{
	return err_set(r->e, ERR_INPUT, "The model's JSON is broken or cut off with %zu bytes to go.",
		       (size_t)(r->end - r->at));
}

static char peek(struct reader *r)
{
	while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
		r->at++;
	return r->at < r->end ? *r->at : '\0';
}

/* Code points beyond ASCII in \u escapes become '?': only names hold them. */
static char escaped(struct reader *r)
{
	static const char from[] = "nrtbf\"\\/";
	static const char to[] = "\n\r\t\b\f\"\\/";
	char c = *r->at++;
	const char *place = strchr(from, c);

	if (c == 'u' && r->end - r->at >= 4) {
		char digits[5] = {r->at[0], r->at[1], r->at[2], r->at[3], 0};
		long code = strtol(digits, NULL, 16);

		r->at += 4;
		return code > 0 && code < 128 ? (char)code : '?';
	}
	return place && c ? to[place - from] : '?';
}

static int read_string(struct reader *r, struct value *v)
{
	const char *close = ++r->at;
	char *out;

	while (close < r->end && *close != '"')
		close += *close == '\\' ? 2 : 1;
	if (close >= r->end)
		return broken(r);
	if (value_set_text(v, r->at, (size_t)(close - r->at), &r->budget, r->e))
		return -1;
	out = v->text; /* what follows never makes it longer */
	while (r->at < close) {
		char c = *r->at++;

		*out++ = c == '\\' ? escaped(r) : c;
	}
	*out = '\0';
	v->count = (size_t)(out - v->text);
	r->at = close + 1;
	return 0;
}

static int read_word(struct reader *r, struct value *v)
{
	char word[64];
	size_t size = 0;
	char *end;

	while (r->at < r->end && size + 1 < sizeof(word) && !strchr(",]} \t\r\n:", *r->at))
		word[size++] = *r->at++;
	word[size] = '\0';
	*v = (struct value){.kind = VALUE_NUMBER};
	if (strcmp(word, "null") == 0)
		v->kind = VALUE_NULL;
	if (strcmp(word, "true") == 0)
		v->number = 1;
	if (v->kind == VALUE_NULL || v->number != 0 || strcmp(word, "false") == 0)
		return 0;
	/* Straight to float32: going through double would round twice. */
	v->number = strpbrk(word, ".eE") ? (double)strtof_l(word, &end, r->locale) : strtod_l(word, &end, r->locale);
	return size && end == word + size ? 0 : broken(r);
}

static int read_array(struct reader *r, struct value *v, int depth)
{
	struct value item;

	v->kind = VALUE_NUMBERS;
	r->at++;
	if (peek(r) == ']') {
		r->at++;
		return 0;
	}
	for (;;) {
		char c;

		if (read_value(r, &item, depth) || value_push_element(v, &item, &r->budget, r->e))
			return -1;
		c = peek(r);
		if (c != ',' && c != ']')
			return broken(r);
		r->at++;
		if (c == ']')
			return 0;
	}
}

static int read_member(struct reader *r, struct value *v, int depth)
{
	struct value name = {.kind = VALUE_NULL};
	struct value item;
	int status;

	if (peek(r) != '"')
		return broken(r);
	if (read_string(r, &name))
		return -1;
	if (peek(r) != ':') {
		value_release(&name);
		return broken(r);
	}
	r->at++;
	status = read_value(r, &item, depth);
	if (!status)
		status = value_push_member(v, name.text, name.count, &item, &r->budget, r->e);
	value_release(&name);
	return status;
}

static int read_object(struct reader *r, struct value *v, int depth)
{
	v->kind = VALUE_OBJECT;
	r->at++;
	if (peek(r) == '}') {
		r->at++;
		return 0;
	}
	for (;;) {
		char c;

		if (read_member(r, v, depth))
			return -1;
		c = peek(r);
		if (c != ',' && c != '}')
			return broken(r);
		r->at++;
		if (c == '}')
			return 0;
	}
}

static int read_value(struct reader *r, struct value *v, int depth)
{
	char c = peek(r);
	int status;

	*v = (struct value){.kind = VALUE_NULL};
	if (depth >= VALUE_DEPTH_MAX)
		return err_set(r->e, ERR_INPUT, "The model's JSON nests deeper than %d levels.", VALUE_DEPTH_MAX);
	if (c == '"')
		return read_string(r, v);
	if (c != '[' && c != '{')
		return c ? read_word(r, v) : broken(r);
	status = c == '[' ? read_array(r, v, depth + 1) : read_object(r, v, depth + 1);
	if (status)
		value_release(v);
	return status;
}

int value_parse_json(const void *data, size_t size, struct value *v, struct err *e)
{
	struct reader r = {.at = data, .end = (const char *)data + size, .budget = VALUE_BUDGET(size), .e = e};
	int status;

	*v = (struct value){.kind = VALUE_NULL};
	r.locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!r.locale)
		return err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	status = read_value(&r, v, 0);
	peek(&r);
	if (!status && r.at < r.end) {
		value_release(v);
		status = broken(&r);
	}
	freelocale(r.locale);
	return status;
}
