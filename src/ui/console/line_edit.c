#include "ui/console/line_edit.h"

#include "core/text.h"
#include "ui/console/draw.h"

#include <ctype.h>
#include <string.h>

#define CONTROL(letter) ((letter)&31)

static size_t encode(int key, char bytes[4])
{
	unsigned c = (unsigned)key;

	if (c < 0x80) {
		bytes[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		bytes[0] = (char)(0xc0 | c >> 6);
		bytes[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		bytes[0] = (char)(0xe0 | c >> 12);
		bytes[1] = (char)(0x80 | (c >> 6 & 63));
		bytes[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	bytes[0] = (char)(0xf0 | c >> 18);
	bytes[1] = (char)(0x80 | (c >> 12 & 63));
	bytes[2] = (char)(0x80 | (c >> 6 & 63));
	bytes[3] = (char)(0x80 | (c & 63));
	return 4;
}

static size_t before(const char *text, size_t at)
{
	if (at == 0)
		return 0;
	at--;
	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static size_t next(const char *text, size_t at)
{
	if (text[at] == '\0')
		return at;
	at++;
	while (((unsigned char)text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static void cut(char *text, size_t from, size_t to)
{
	memmove(text + from, text + to, strlen(text + to) + 1);
}

static bool insert(char *text, size_t size, size_t *cursor, int key)
{
	char bytes[4];
	size_t length = strlen(text), n;

	if (key < 32 || (key >= 127 && key < 160) || key >= 0x110000)
		return false;
	n = encode(key, bytes);
	if (length + n >= size)
		return true;
	memmove(text + *cursor + n, text + *cursor, length - *cursor + 1);
	memcpy(text + *cursor, bytes, n);
	*cursor += n;
	return true;
}

static size_t word_start(const char *text, size_t at)
{
	while (at > 0 && text[at - 1] == ' ')
		at--;
	while (at > 0 && text[at - 1] != ' ')
		at--;
	return at;
}

bool line_edit(char *text, size_t size, size_t *cursor, int key)
{
	size_t from = *cursor;

	switch (key) {
	case DRAW_KEY_LEFT:
		*cursor = before(text, *cursor);
		return true;
	case DRAW_KEY_RIGHT:
		*cursor = next(text, *cursor);
		return true;
	case DRAW_KEY_HOME:
	case CONTROL('A'):
		*cursor = 0;
		return true;
	case DRAW_KEY_END:
	case CONTROL('E'):
		*cursor = strlen(text);
		return true;
	case DRAW_KEY_BACKSPACE:
		*cursor = before(text, *cursor);
		cut(text, *cursor, from);
		return true;
	case DRAW_KEY_DELETE:
		cut(text, *cursor, next(text, *cursor));
		return true;
	case CONTROL('U'):
		cut(text, 0, *cursor);
		*cursor = 0;
		return true;
	case CONTROL('K'):
		text[*cursor] = '\0';
		return true;
	case CONTROL('W'):
		*cursor = word_start(text, *cursor);
		cut(text, *cursor, from);
		return true;
	default:
		return insert(text, size, cursor, key);
	}
}

/* One word into *out, from *line; false when a quote is left open. */
static bool word_read(const char **line, char **out)
{
	char quote = 0;
	const char *c = *line;
	char *o = *out;

	for (; *c && (quote || !isspace((unsigned char)*c)); c++) {
		if (quote && *c == quote)
			quote = 0;
		else if (!quote && (*c == '\'' || *c == '"'))
			quote = *c;
		else if (*c == '\\' && quote != '\'' && c[1])
			*o++ = *++c;
		else
			*o++ = *c;
	}
	*o++ = '\0';
	*line = c;
	*out = o;
	return !quote;
}

int line_split(const char *line, char *storage, char **words, int max)
{
	int count = 0;

	for (;;) {
		while (isspace((unsigned char)*line))
			line++;
		if (!*line)
			return count;
		if (count == max)
			return -1;
		words[count++] = storage;
		if (!word_read(&line, &storage))
			return -1;
	}
}
