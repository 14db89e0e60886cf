#include "ui/shares.h"

#include "ui/output.h"

#include <ctype.h>
#include <string.h>

/* "80", "12.5%", "0.25" percent to basis points; exact, so no floating point. */
static int share_parse(const char *text, uint32_t *weight_bp)
{
	uint32_t whole = 0, part = 0, unit = 100;
	const char *c = text;

	if (!isdigit((unsigned char)*c))
		return -1;
	for (; isdigit((unsigned char)*c); c++) {
		whole = whole * 10 + (uint32_t)(*c - '0');
		if (whole > 100)
			return -1;
	}
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

static int entry_parse(const char *text, struct route_entry *entry, struct err *e)
{
	const char *equals = strchr(text, '=');
	char version[16];

	if (!equals || equals == text || (size_t)(equals - text) >= sizeof(version))
		return err_set(e, ERR_INPUT, "%s is no share: write VERSION=PERCENT, as in 2=80", text);
	memcpy(version, text, (size_t)(equals - text));
	version[equals - text] = '\0';
	if (output_version(version, &entry->version, e) != 0)
		return -1;
	if (share_parse(equals + 1, &entry->weight_bp) != 0)
		return err_set(e, ERR_INPUT,
			       "%s: a share is a percentage from 0 to 100 with at most two "
			       "decimals",
			       text);
	return 0;
}

int shares_parse(const struct arguments *a, struct route_entry entries[ROUTE_ENTRIES_MAX], size_t *count, struct err *e)
{
	*count = arguments_count(a) - 1;
	if (*count > ROUTE_ENTRIES_MAX)
		return err_set(e, ERR_INPUT, "a route holds at most %d versions", ROUTE_ENTRIES_MAX);
	for (size_t i = 0; i < *count; i++) {
		if (entry_parse(arguments_at(a, i + 1), &entries[i], e) != 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (entries[j].version == entries[i].version)
				return err_set(e, ERR_INPUT, "v%u has two shares; give it one", entries[i].version);
	}
	return 0;
}
