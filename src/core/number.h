/*
 * number: decimal text to binary floating point and back, exactly.
 *
 * Pure; any thread, any locale. Reading rounds correctly to nearest, ties to even; writing gives
 * the shortest text that reads back to the same bits. Not here: the rest of JSON (scan).
 */
#ifndef CORE_NUMBER_H
#define CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for any number written here. */
#define NUMBER_SIZE 32

/* A number of JSON as it was written: (-1)^negative * digits * 10^exponent, unless digits were
 * dropped. */
struct number {
	const char *text; /* borrowed */
	size_t size;
	uint64_t digits; /* the first 19 significant ones */
	int64_t exponent;
	bool negative;
	bool dropped; /* there were more digits, and not only zeros */
	bool integer; /* neither a point nor an exponent was written */
};

/* Reads the number of RFC 8259 at the start of [at, end). Returns its bytes, 0 where there is none.
 */
size_t number_read(const char *at, const char *end, struct number *n);

/* The nearest value; infinite where it is out of range. */
double number_double(const struct number *n);
float number_float(const struct number *n);

/* Writes the shortest text that reads back to value, or `null` where value is not finite.
 * Returns the bytes written, without a NUL. */
size_t number_write_double(char text[NUMBER_SIZE], double value);
size_t number_write_float(char text[NUMBER_SIZE], float value);

/* Writes an integer in decimal; returns the bytes written, without a NUL. */
size_t number_write_unsigned(char text[NUMBER_SIZE], uint64_t value);

#endif
