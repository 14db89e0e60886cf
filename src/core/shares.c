#include "core/shares.h"

#include "core/registry/registry.h"
#include "core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

int share_read(const char *text, uint32_t *weight_bp)
{
	uint32_t whole = 0, part = 0, unit = 100;
	const char *c = text;

	if (!isdigit((unsigned char)*c))
		return -1;
	for (; isdigit((unsigned char)*c) && whole <= 100; c++)
		whole = whole * 10 + (uint32_t)(*c - '0');
	if (*c == '.') {
		if (!isdigit((unsigned char)*++c))
			return -1;
		for (; isdigit((unsigned char)*c) && unit > 1; c++) {
			unit /= 10;
			part += (uint32_t)(*c - '0') * unit;
		}
	}
	if (*c == '%')
		c++;
	*weight_bp = whole * 100 + part;
	return *c == '\0' && *weight_bp <= ROUTE_BUCKETS ? 0 : -1;
}

/* "3=25" or "v3=25%" */
static int entry_parse(const char *word, struct route_entry *entry, struct err *e)
{
	const char *equals = strchr(word, '='), *number = *word == 'v' ? word + 1 : word;
	char version[16];
	long long value;

	if (equals == NULL || (size_t)(equals - number) >= sizeof version)
		return err_set(e, ERR_INPUT, "`%.60s` is no share: write VERSION=PERCENT, as in 2=80", word);
	memcpy(version, number, (size_t)(equals - number));
	version[equals - number] = '\0';
	if (!text_integer(version, 1, VERSIONS_MAX, &value))
		return err_set(e, ERR_INPUT, "`%.60s` is no share: a version is a number from 1 to %d", word,
			       VERSIONS_MAX);
	entry->version = (uint32_t)value;
	if (share_read(equals + 1, &entry->weight_bp) != 0)
		return err_set(e, ERR_INPUT, "`%.60s`: a share is a percentage from 0 to 100 with at most two decimals",
			       word);
	return 0;
}

static int entry_add(const struct route_entry *entry, struct route_entry entries[ROUTE_ENTRIES_MAX], size_t *count,
		     struct err *e)
{
	for (size_t i = 0; i < *count; i++)
		if (entries[i].version == entry->version)
			return err_set(e, ERR_INPUT, "v%u has two shares; give it one", entry->version);
	if (*count == ROUTE_ENTRIES_MAX)
		return err_set(e, ERR_INPUT, "a route holds at most %d versions", ROUTE_ENTRIES_MAX);
	entries[(*count)++] = *entry;
	return 0;
}

int shares_read(const char *text, enum route_role role, struct route_entry entries[ROUTE_ENTRIES_MAX], size_t *count,
		struct err *e)
{
	char word[64];

	for (text += strspn(text, " \t,"); *text != '\0'; text += strspn(text, " \t,")) {
		struct route_entry entry = {.role = role};
		size_t size = strcspn(text, " \t,");

		if (size >= sizeof word)
			return err_set(e, ERR_INPUT, "`%.60s` is no share: write VERSION=PERCENT, as in 2=80", text);
		memcpy(word, text, size);
		word[size] = '\0';
		if (entry_parse(word, &entry, e) != 0 || entry_add(&entry, entries, count, e) != 0)
			return -1;
		text += size;
	}
	return 0;
}

void share_text(char text[SHARE_TEXT_SIZE], uint32_t weight_bp)
{
	uint32_t part = weight_bp % 100;

	if (part == 0)
		snprintf(text, SHARE_TEXT_SIZE, "%u", weight_bp / 100);
	else if (part % 10 == 0)
		snprintf(text, SHARE_TEXT_SIZE, "%u.%u", weight_bp / 100, part / 10);
	else
		snprintf(text, SHARE_TEXT_SIZE, "%u.%02u", weight_bp / 100, part);
}
