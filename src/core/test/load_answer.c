#include "core/test/load_answer.h"

#include <string.h>
#include <strings.h>

/* Where the next byte belongs. */
enum part {
	PART_STATUS,
	PART_HEADER,
	PART_BODY,
	PART_UNTIL_END,
	PART_CHUNK_SIZE,
	PART_CHUNK,
	PART_CHUNK_END,
	PART_TRAILER,
	PART_DONE,
	PART_BAD
};

#define LENGTH_MAX (UINT64_C(1) << 53)

void load_answer_begin(struct load_answer *a)
{
	a->status = 0;
	a->keep = a->begun = false;
	a->part = PART_STATUS;
	a->left = 0;
	a->head_size = a->line_size = 0;
	a->old = a->chunked = a->sized = a->until_end = a->close = a->stay = false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" */
static bool read_status(struct load_answer *a, const char *line, size_t size)
{
	if (size < 12 || memcmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ' ||
	    !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) || (size > 12 && line[12] != ' '))
		return false;
	a->old = line[7] == '0';
	a->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	a->chunked = a->sized = a->close = a->stay = false;
	a->left = 0;
	return a->status >= 100 && a->status < 600 && a->status != 101;
}

/* Whether a list such as "keep-alive, Upgrade" has this word. */
static bool has_word(const char *list, size_t size, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i < size;) {
		size_t start = i, end;
		while (i < size && list[i] != ',')
			i++;
		end = i++;
		while (start < end && (list[start] == ' ' || list[start] == '\t'))
			start++;
		while (end > start && (list[end - 1] == ' ' || list[end - 1] == '\t'))
			end--;
		if (end - start == length && strncasecmp(list + start, word, length) == 0)
			return true;
	}
	return false;
}

/* Two lengths must be the same. */
static bool read_length(struct load_answer *a, const char *value, size_t size)
{
	uint64_t length = 0;

	if (size == 0)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!is_digit(value[i]) || length > LENGTH_MAX / 10)
			return false;
		length = 10 * length + (uint64_t)(value[i] - '0');
	}
	if (a->sized && a->left != length)
		return false;
	a->sized = true;
	a->left = length;
	return true;
}

static bool named(const char *line, size_t name_size, const char *name)
{
	return name_size == strlen(name) && strncasecmp(line, name, name_size) == 0;
}

/* Only what frames the answer; a line that is longer than LOAD_LINE_SIZE is none of these. */
static bool read_header(struct load_answer *a, const char *line, size_t size)
{
	const char *colon = memchr(line, ':', size);

	if (colon == NULL)
		return size == LOAD_LINE_SIZE;
	size_t name_size = (size_t)(colon - line), start = name_size + 1;
	while (start < size && (line[start] == ' ' || line[start] == '\t'))
		start++;
	while (size > start && (line[size - 1] == ' ' || line[size - 1] == '\t'))
		size--;
	if (named(line, name_size, "content-length"))
		return read_length(a, line + start, size - start);
	if (named(line, name_size, "transfer-encoding"))
		a->chunked = a->chunked || has_word(line + start, size - start, "chunked");
	if (named(line, name_size, "connection")) {
		a->close = a->close || has_word(line + start, size - start, "close");
		a->stay = a->stay || has_word(line + start, size - start, "keep-alive");
	}
	return true;
}

static enum part done(struct load_answer *a)
{
	a->keep = !a->close && !a->until_end && (!a->old || a->stay);
	return PART_DONE;
}

static enum part end_of_head(struct load_answer *a)
{
	if (a->status < 200)
		return PART_STATUS;
	if (a->status == 204 || a->status == 304)
		return done(a);
	if (a->chunked)
		return PART_CHUNK_SIZE;
	if (a->sized)
		return a->left == 0 ? done(a) : PART_BODY;
	a->until_end = true;
	return PART_UNTIL_END;
}

/* "1f" or "1f;name=value" */
static enum part read_chunk_size(struct load_answer *a, const char *line, size_t size)
{
	size_t i = 0;

	a->left = 0;
	for (; i < size && line[i] != ';' && line[i] != ' ' && line[i] != '\t'; i++) {
		const char *digits = "0123456789abcdef", lower = (char)(line[i] | 0x20);
		const char *digit = line[i] == '\0' ? NULL : strchr(digits, is_digit(line[i]) ? line[i] : lower);
		if (digit == NULL || a->left > LENGTH_MAX / 16)
			return PART_BAD;
		a->left = 16 * a->left + (uint64_t)(digit - digits);
	}
	if (i == 0)
		return PART_BAD;
	a->head_size = 0; /* the trailer has a limit of its own */
	return a->left == 0 ? PART_TRAILER : PART_CHUNK;
}

/* A whole line, without its end. */
static enum part take_line(struct load_answer *a, const char *line, size_t size)
{
	switch ((enum part)a->part) {
	case PART_STATUS:
		return read_status(a, line, size) ? PART_HEADER : PART_BAD;
	case PART_HEADER:
		if (size == 0)
			return end_of_head(a);
		return read_header(a, line, size) ? PART_HEADER : PART_BAD;
	case PART_CHUNK_SIZE:
		return read_chunk_size(a, line, size);
	case PART_CHUNK_END:
		return size == 0 ? PART_CHUNK_SIZE : PART_BAD;
	default:
		return size == 0 ? done(a) : PART_TRAILER;
	}
}

/* Gathers a line, of which LOAD_LINE_SIZE bytes are kept; returns the bytes taken. */
static size_t feed_line(struct load_answer *a, const char *data, size_t size)
{
	const char *end = memchr(data, '\n', size);
	size_t taken = end == NULL ? size : (size_t)(end - data) + 1, part = end == NULL ? size : taken - 1;
	const char *line = data;

	a->head_size += taken;
	if (a->head_size > LOAD_HEAD_MAX) {
		a->part = PART_BAD;
		return taken;
	}
	if (end == NULL || a->line_size > 0) {
		size_t room = LOAD_LINE_SIZE - a->line_size, copied = part < room ? part : room;
		memcpy(a->line + a->line_size, data, copied);
		a->line_size += copied;
		line = a->line;
		part = a->line_size;
	}
	if (end == NULL)
		return taken;
	if (part > LOAD_LINE_SIZE)
		part = LOAD_LINE_SIZE;
	if (part > 0 && line[part - 1] == '\r')
		part--;
	a->line_size = 0;
	a->part = (int)take_line(a, line, part);
	return taken;
}

static size_t feed_body(struct load_answer *a, size_t size)
{
	size_t taken = a->left < size ? (size_t)a->left : size;

	a->left -= taken;
	if (a->left == 0)
		a->part = a->part == PART_CHUNK ? PART_CHUNK_END : (int)done(a);
	return taken;
}

enum load_answer_step load_answer_feed(struct load_answer *a, const char *data, size_t size, size_t *used)
{
	size_t at = 0;

	a->begun = a->begun || size > 0;
	while (at < size && a->part != PART_DONE && a->part != PART_BAD) {
		if (a->part == PART_BODY || a->part == PART_CHUNK)
			at += feed_body(a, size - at);
		else if (a->part == PART_UNTIL_END)
			at = size;
		else
			at += feed_line(a, data + at, size - at);
	}
	*used = at;
	return a->part == PART_DONE ? LOAD_ANSWER_DONE : a->part == PART_BAD ? LOAD_ANSWER_BAD : LOAD_ANSWER_MORE;
}

enum load_answer_step load_answer_end(const struct load_answer *a)
{
	return a->part == PART_UNTIL_END || a->part == PART_DONE ? LOAD_ANSWER_DONE : LOAD_ANSWER_BAD;
}
