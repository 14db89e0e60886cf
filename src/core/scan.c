#include "core/scan.h"

#include "core/text.h"

#include <math.h>
#include <string.h>

void scan_init(struct scan *s, const char *text, size_t size, unsigned depth_max)
{
	*s = (struct scan){.start = text, .at = text, .end = text, .depth_max = depth_max};
	if (size > 0)
		s->end += size;
}

static bool fail(struct scan *s, const char *problem)
{
	if (s->problem == NULL)
		s->problem = problem;
	return false;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

/* The next character after white space; 0 at the end or after a problem. */
static char next(struct scan *s)
{
	if (s->problem != NULL)
		return '\0';
	skip_space(s);
	return s->at < s->end ? *s->at : '\0';
}

static bool at_not_finite(const struct scan *s)
{
	const char *at = s->at + (*s->at == '-');
	return s->lenient && at < s->end && (*at == 'N' || *at == 'I');
}

enum scan_kind scan_peek(struct scan *s)
{
	switch (next(s)) {
	case '{':
		return SCAN_OBJECT;
	case '[':
		return SCAN_ARRAY;
	case '"':
		return SCAN_STRING;
	case 't':
		return SCAN_TRUE;
	case 'f':
		return SCAN_FALSE;
	case 'n':
		return SCAN_NULL;
	case 'N':
	case 'I':
		return at_not_finite(s) ? SCAN_NOT_FINITE : SCAN_NONE;
	case '-':
		return at_not_finite(s) ? SCAN_NOT_FINITE : SCAN_NUMBER;
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return SCAN_NUMBER;
	default:
		return SCAN_NONE;
	}
}

static bool enter(struct scan *s, char bracket, const char *problem)
{
	if (next(s) != bracket)
		return fail(s, problem);
	if (s->depth == s->depth_max)
		return fail(s, "too many values inside each other");
	s->at++;
	s->depth++;
	return true;
}

bool scan_object(struct scan *s)
{
	return enter(s, '{', "expected an object");
}

bool scan_array(struct scan *s)
{
	return enter(s, '[', "expected an array");
}

/* Passes the comma before the next item; false at the closing bracket, which is passed too. */
static bool next_item(struct scan *s, bool *first, char bracket, const char *problem)
{
	char c = next(s);
	if (c == bracket) {
		s->at++;
		s->depth--;
		return false;
	}
	if (*first) {
		*first = false;
		return s->problem == NULL;
	}
	if (c != ',')
		return fail(s, problem);
	s->at++;
	return true;
}

bool scan_member(struct scan *s, bool *first, struct scan_span *key)
{
	if (!next_item(s, first, '}', "expected `,` or `}`") || !scan_string(s, key))
		return false;
	if (next(s) != ':')
		return fail(s, "expected `:`");
	s->at++;
	return true;
}

bool scan_element(struct scan *s, bool *first)
{
	return next_item(s, first, ']', "expected `,` or `]`");
}

/* The value of four hexadecimal digits, or -1. */
static long hex4(const char *at, const char *end)
{
	long value = 0;
	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* Reads the escape at `at` (behind its backslash). Returns its bytes there, 0 where it is none. */
static size_t read_escape(const char *at, const char *end, uint32_t *character)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	if (at == end)
		return 0;
	if (*at != 'u') {
		const char *name = memchr(names, *at, sizeof names - 1);
		if (name == NULL)
			return 0;
		*character = (uint32_t)values[name - names];
		return 1;
	}
	long high = hex4(at + 1, end);
	if (high < 0 || (high >= 0xdc00 && high < 0xe000))
		return 0;
	*character = (uint32_t)high;
	if (high < 0xd800 || high >= 0xe000)
		return 5;
	if (end - at < 11 || at[5] != '\\' || at[6] != 'u')
		return 0;
	long low = hex4(at + 7, end);
	if (low < 0xdc00 || low >= 0xe000)
		return 0;
	*character = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return 11;
}

bool scan_string(struct scan *s, struct scan_span *string)
{
	if (next(s) != '"')
		return fail(s, "expected a string");
	const char *start = ++s->at;
	while (s->at < s->end && *s->at != '"') {
		unsigned char c = (unsigned char)*s->at;
		size_t size = 1;
		if (c < 0x20)
			return fail(s, "a control character in a string");
		if (c == '\\') {
			uint32_t character;
			size = read_escape(s->at + 1, s->end, &character);
			if (size == 0)
				return fail(s, "a wrong escape in a string");
			size++;
		} else if (c >= 0x80) {
			size = text_character_within(s->at, (size_t)(s->end - s->at));
			if (size == 0)
				return fail(s, "a string that is not UTF-8");
		}
		s->at += size;
	}
	if (s->at == s->end)
		return fail(s, "a string without an end");
	*string = (struct scan_span){start, (size_t)(s->at - start)};
	s->at++;
	return true;
}

bool scan_number(struct scan *s, struct number *number)
{
	if (scan_peek(s) != SCAN_NUMBER)
		return fail(s, "expected a number");
	size_t size = number_read(s->at, s->end, number);
	if (size == 0)
		return fail(s, "a wrong number");
	s->at += size;
	/* 01 and 1a are no numbers; the next item's check would name the wrong thing. */
	if (s->at < s->end &&
	    ((*s->at >= '0' && *s->at <= '9') || *s->at == '.' || ((*s->at | 0x20) >= 'a' && (*s->at | 0x20) <= 'z')))
		return fail(s, "a wrong number");
	return true;
}

bool scan_not_finite(struct scan *s, double *value)
{
	static const char *const words[] = {"NaN", "Infinity", "Inf"};
	if (scan_peek(s) != SCAN_NOT_FINITE)
		return fail(s, "expected NaN or Infinity");
	bool negative = *s->at == '-';
	const char *at = s->at + negative;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t size = strlen(words[i]);
		if ((size_t)(s->end - at) < size || memcmp(at, words[i], size) != 0)
			continue;
		*value = i == 0 ? (double)NAN : negative ? -(double)INFINITY : (double)INFINITY;
		s->at = at + size;
		return true;
	}
	return fail(s, "expected a value");
}

bool scan_literal(struct scan *s, enum scan_kind *kind)
{
	static const char *const words[] = {[SCAN_TRUE] = "true", [SCAN_FALSE] = "false", [SCAN_NULL] = "null"};
	*kind = scan_peek(s);
	if (*kind < SCAN_TRUE)
		return fail(s, "expected a value");
	size_t size = strlen(words[*kind]);
	if ((size_t)(s->end - s->at) < size || memcmp(s->at, words[*kind], size) != 0)
		return fail(s, "expected a value");
	s->at += size;
	return true;
}

static bool skip_items(struct scan *s, bool object)
{
	struct scan_span key;
	bool first = true;
	if (object ? !scan_object(s) : !scan_array(s))
		return false;
	while (object ? scan_member(s, &first, &key) : scan_element(s, &first))
		if (!scan_skip(s, NULL))
			return false;
	return s->problem == NULL;
}

bool scan_skip(struct scan *s, struct scan_span *span)
{
	struct scan_span string;
	struct number number;
	double value;
	enum scan_kind kind = scan_peek(s);
	const char *start = s->at;
	bool good;

	switch (kind) {
	case SCAN_OBJECT:
	case SCAN_ARRAY:
		good = skip_items(s, kind == SCAN_OBJECT);
		break;
	case SCAN_STRING:
		good = scan_string(s, &string);
		break;
	case SCAN_NUMBER:
		good = scan_number(s, &number);
		break;
	case SCAN_NOT_FINITE:
		good = scan_not_finite(s, &value);
		break;
	default:
		good = scan_literal(s, &kind);
		break;
	}
	if (good && span != NULL)
		*span = (struct scan_span){start, (size_t)(s->at - start)};
	return good;
}

/* Whether one of 8 bytes may be a bracket or a quote: is from `[` up, or `"`. */
static bool has_mark(const char *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t bytes, quotes;

	memcpy(&bytes, at, sizeof bytes);
	quotes = bytes ^ (ones * '"');
	/* With the top bits off nothing carries into the next byte; those that have them are marks
	 * anyway. */
	uint64_t high = ((bytes & ~tops) + ones * (0x80 - '[')) | bytes;
	uint64_t zero = ~(((quotes & ~tops) + ~tops) | quotes);
	return ((high | zero) & tops) != 0;
}

bool scan_pass(struct scan *s, struct scan_span *span)
{
	size_t depth = 0;
	struct scan_span string;

	if (scan_peek(s) != SCAN_ARRAY)
		return fail(s, "expected an array");
	span->at = s->at;
	while (s->at < s->end) {
		char c = *s->at;
		if (c == '"') {
			if (!scan_string(s, &string))
				return false;
			continue;
		}
		s->at++;
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && --depth == 0)
			break;
		while (s->end - s->at >= 8 && !has_mark(s->at))
			s->at += 8;
	}
	span->size = (size_t)(s->at - span->at);
	return depth == 0 || fail(s, "an array without an end");
}

bool scan_end(struct scan *s)
{
	if (s->problem != NULL)
		return false;
	skip_space(s);
	return s->at == s->end || fail(s, "something behind the end of the JSON");
}

int scan_err(const struct scan *s, struct err *e)
{
	const char *hint = "";
	size_t left = (size_t)(s->end - s->at);
	if (left >= 3 && (memcmp(s->at, "NaN", 3) == 0 || memcmp(s->at, "Inf", 3) == 0))
		hint = " (an absent value is null)";
	return err_set(e, ERR_INPUT, "the body is not valid JSON: %s at byte %zu%s",
		       s->problem != NULL ? s->problem : "a problem", (size_t)(s->at - s->start), hint);
}

static size_t encode(uint32_t character, char text[TEXT_CHARACTER_MAX])
{
	if (character < 0x80) {
		text[0] = (char)character;
		return 1;
	}
	size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = size - 1; i > 0; i--) {
		text[i] = (char)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	text[0] = (char)(marks[size] | character);
	return size;
}

/* The next character of a checked string, unescaped; returns its bytes in text and moves on. */
static size_t decode_next(const char **at, const char *end, char text[TEXT_CHARACTER_MAX])
{
	if (**at == '\\') {
		uint32_t character = 0;
		*at += 1 + read_escape(*at + 1, end, &character);
		return encode(character, text);
	}
	size_t size = (unsigned char)**at < 0x80 ? 1 : text_character_within(*at, (size_t)(end - *at));
	memcpy(text, *at, size);
	*at += size;
	return size;
}

bool scan_is(struct scan_span string, const char *text)
{
	const char *at = string.at, *end = string.at + string.size;
	if (memchr(at, '\\', string.size) == NULL)
		return strncmp(text, at, string.size) == 0 && text[string.size] == '\0';
	while (at < end) {
		char character[TEXT_CHARACTER_MAX];
		size_t size = decode_next(&at, end, character);
		if (character[0] == '\0' || strncmp(text, character, size) != 0)
			return false;
		text += size;
	}
	return *text == '\0';
}

size_t scan_decode(struct scan_span string, char *text, size_t size)
{
	const char *at = string.at, *end = string.at + string.size;
	size_t needed = 0, used = 0;
	while (at < end) {
		char character[TEXT_CHARACTER_MAX];
		size_t bytes = decode_next(&at, end, character);
		if (used == needed && used + bytes < size) {
			memcpy(text + used, character, bytes);
			used += bytes;
		}
		needed += bytes;
	}
	if (size > 0)
		text[used] = '\0';
	return needed;
}

const char *scan_plain(struct scan_span string, struct buf *text, size_t *size)
{
	*size = string.size;
	if (memchr(string.at, '\\', string.size) == NULL)
		return string.at;
	buf_clear(text);
	/* Escapes only shrink. */
	if (buf_reserve(text, string.size + 1) != 0)
		return NULL;
	*size = scan_decode(string, text->data, string.size + 1);
	return text->data;
}
