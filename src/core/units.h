/*
 * units: numbers with a unit, and switches, as an operator writes them: 64M, 500ms, 7d, yes.
 *
 * Pure; any thread. Not here: which setting takes which (config, policy).
 */
#ifndef CORE_UNITS_H
#define CORE_UNITS_H

#include <stdbool.h>

#define UNITS_TEXT_SIZE 32

/* One a row, ascending; the list ends with a NULL name. "" is a number without a unit. */
struct unit {
	const char *name;
	unsigned long long factor;
};

extern const struct unit units_none[];
extern const struct unit units_size[]; /* bytes: "", K, M, G */
extern const struct unit units_us[];   /* us, ms, s */
extern const struct unit units_ms[];   /* ms, s, m, h, d */
extern const struct unit units_s[];    /* "", s, m, h, d */

/* Digits and a unit, in the unit of factor 1; false for anything else. Too large a number saturates. */
bool units_parse(const struct unit *units, const char *text, unsigned long long *number);
/* In the largest unit that divides it: "90s", "2h"; reads back to the same number. */
void units_write(const struct unit *units, unsigned long long number, char text[UNITS_TEXT_SIZE]);
/* yes, true, on, 1 and no, false, off, 0; false for anything else. */
bool units_flag(const char *text, bool *flag);

#endif
