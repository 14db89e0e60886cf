#include "core/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool text_name_valid(const char *name)
{
	if (!name_character(name[0]))
		return false;
	size_t length = 1;
	while (name[length] != '\0') {
		char c = name[length];
		if (!name_character(c) && c != '.' && c != '_' && c != '-')
			return false;
		if (++length > TEXT_NAME_MAX)
			return false;
	}
	return true;
}

size_t text_character_size(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	if (s[0] < 0x80)
		return 1;
	/* Well-formed sequences: The Unicode Standard, table 3-7. */
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return (s[1] & 0xc0) == 0x80 ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		unsigned char low = s[0] == 0xe0 ? 0xa0 : 0x80;
		unsigned char high = s[0] == 0xed ? 0x9f : 0xbf;
		if (s[1] < low || s[1] > high)
			return 0;
		return (s[2] & 0xc0) == 0x80 ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		unsigned char low = s[0] == 0xf0 ? 0x90 : 0x80;
		unsigned char high = s[0] == 0xf4 ? 0x8f : 0xbf;
		if (s[1] < low || s[1] > high || (s[2] & 0xc0) != 0x80)
			return 0;
		return (s[3] & 0xc0) == 0x80 ? 4 : 0;
	}
	return 0;
}

size_t text_character_within(const char *text, size_t left)
{
	char bounded[TEXT_CHARACTER_MAX + 1] = {0};

	if (left >= TEXT_CHARACTER_MAX)
		return text_character_size(text);
	memcpy(bounded, text, left);
	return text_character_size(bounded);
}

static bool is_control(const char *text, size_t length)
{
	unsigned char first = (unsigned char)text[0];
	if (length == 1)
		return first < 0x20 || first == 0x7f;
	/* U+0080 to U+009F, and the separators and direction overrides that garble a line. */
	if (length == 2)
		return first == 0xc2 && (unsigned char)text[1] < 0xa0;
	if (length == 3 && first == 0xe2) {
		unsigned char a = (unsigned char)text[1], b = (unsigned char)text[2];
		return (a == 0x80 && b >= 0x8b && b <= 0x8f) || (a == 0x80 && b >= 0xa8 && b <= 0xae) ||
		       (a == 0x81 && b >= 0xa6 && b <= 0xa9);
	}
	return false;
}

void text_clean(char *clean, size_t size, const char *raw)
{
	size_t used = 0;
	while (*raw != '\0') {
		size_t length = text_character_size(raw);
		if (length != 0 && !is_control(raw, length)) {
			if (used + length >= size)
				break;
			memcpy(clean + used, raw, length);
			used += length;
			raw += length;
			continue;
		}
		if (used + 4 >= size)
			break;
		used += (size_t)snprintf(clean + used, size - used, "\\x%02x", (unsigned)(unsigned char)*raw);
		raw++;
	}
	clean[used] = '\0';
}

bool text_ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

bool text_integer(const char *text, long long low, long long high, long long *number)
{
	if (text == NULL || !((text[0] >= '0' && text[0] <= '9') || text[0] == '-'))
		return false;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text || value < low || value > high)
		return false;
	*number = value;
	return true;
}

void text_duration(char *text, size_t size, double ns, bool ascii)
{
	static const struct {
		double ns;
		const char *unit;
		const char *unit_ascii;
	} units[] = {{1e9, "s", "s"}, {1e6, "ms", "ms"}, {1e3, "µs", "us"}, {1, "ns", "ns"}};

	size_t i = 0;
	/* 999.5 of a unit would print as 1000: it belongs to the next larger one. */
	while (i < 3 && ns < units[i].ns * 0.9995)
		i++;
	double value = ns / units[i].ns;
	int decimals = value < 9.995 && i < 3 ? 1 : 0;
	snprintf(text, size, "%.*f%s", decimals, value, ascii ? units[i].unit_ascii : units[i].unit);
}

void text_count(char *text, size_t size, double count)
{
	static const char *const units[] = {"", "k", "M", "G", "T", "P"};

	size_t i = 0;
	while (i < 5 && count >= 999.5) {
		count /= 1000;
		i++;
	}
	bool whole = count >= 99.95 || (i == 0 && count == floor(count));
	snprintf(text, size, "%.*f%s", whole ? 0 : 1, count, units[i]);
}

void text_bytes(char *text, size_t size, double bytes)
{
	char count[16];
	text_count(count, sizeof count, bytes);
	size_t digits = strspn(count, "0123456789.");
	snprintf(text, size, "%.*s %sB", (int)digits, count, count + digits);
}

void text_uptime(char *text, size_t size, long long seconds)
{
	if (seconds < 0)
		seconds = 0;
	long long days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;
	if (days > 0)
		snprintf(text, size, "%lldd %02lld:%02lld", days, hours, minutes);
	else
		snprintf(text, size, "%02lld:%02lld:%02lld", hours, minutes, seconds % 60);
}

static bool plain(const char *word)
{
	if (!*word)
		return false;
	for (; *word; word++)
		if (!isalnum((unsigned char)*word) && !strchr("._-=/:@%+,", *word))
			return false;
	return true;
}

static bool append(char *command, size_t size, const char *bytes, size_t count)
{
	size_t length = strlen(command);

	if (length + count >= size)
		return false;
	memcpy(command + length, bytes, count);
	command[length + count] = '\0';
	return true;
}

bool text_quote(char *command, size_t size, const char *word)
{
	bool whole = !*command || append(command, size, " ", 1);

	if (plain(word))
		return append(command, size, word, strlen(word)) && whole;
	whole = append(command, size, "'", 1) && whole;
	for (; *word; word++)
		whole = (*word == '\'' ? append(command, size, "'\\''", 4) : append(command, size, word, 1)) && whole;
	return append(command, size, "'", 1) && whole;
}

void text_age(char text[TEXT_AGE_SIZE], long long seconds)
{
	if (seconds < 120)
		snprintf(text, TEXT_AGE_SIZE, "%lld s", seconds < 0 ? 0 : seconds);
	else if (seconds < 2 * 3600)
		snprintf(text, TEXT_AGE_SIZE, "%lld min", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(text, TEXT_AGE_SIZE, "%lld h", seconds / 3600);
	else
		snprintf(text, TEXT_AGE_SIZE, "%lld days", seconds / 86400);
}
