#include "core/units.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct unit units_none[] = {{"", 1}, {NULL, 0}};
const struct unit units_size[] = {{"", 1}, {"K", 1ull << 10}, {"M", 1ull << 20}, {"G", 1ull << 30}, {NULL, 0}};
const struct unit units_us[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {NULL, 0}};
const struct unit units_ms[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
const struct unit units_s[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}};

bool units_parse(const struct unit *units, const char *text, unsigned long long *number)
{
	size_t digits = strspn(text, "0123456789");
	const char *name = text + digits + strspn(text + digits, " ");

	if (digits == 0)
		return false;
	while (units->name != NULL && strcmp(units->name, name) != 0)
		units++;
	if (units->name == NULL)
		return false;
	errno = 0;
	*number = strtoull(text, NULL, 10);
	if (errno != 0 || *number > ULLONG_MAX / units->factor)
		*number = ULLONG_MAX;
	else
		*number *= units->factor;
	return true;
}

void units_write(const struct unit *units, unsigned long long number, char text[UNITS_TEXT_SIZE])
{
	const struct unit *best = units;
	for (; units->name != NULL; units++)
		if (number != 0 && number % units->factor == 0)
			best = units;
	snprintf(text, UNITS_TEXT_SIZE, "%llu%s", number / best->factor, best->name);
}

bool units_flag(const char *text, bool *flag)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(text, words[i]) == 0) {
			*flag = i % 2 == 1;
			return true;
		}
	}
	return false;
}
