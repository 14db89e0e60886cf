/* number: writing. */
#include "core/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POWER_MAX 27
#define DIGITS 17 /* significant ones that tell any two doubles apart */

__extension__ typedef unsigned __int128 wide;

size_t number_write_unsigned(char text[NUMBER_SIZE], uint64_t value)
{
	char reversed[NUMBER_SIZE];
	size_t size = 0;
	do {
		reversed[size++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	for (size_t i = 0; i < size; i++)
		text[i] = reversed[size - 1 - i];
	return size;
}

/* Writes digits * 10^exponent, digits without trailing zeros: plainly where that is short. */
static size_t write_decimal(char *text, uint64_t digits, int exponent)
{
	char all[NUMBER_SIZE];
	int count = (int)number_write_unsigned(all, digits), point = count + exponent;

	if (exponent >= 0 && point <= DIGITS) {
		memcpy(text, all, (size_t)count);
		memset(text + count, '0', (size_t)exponent);
		return (size_t)point;
	}
	if (exponent < 0 && point > 0 && point <= DIGITS) {
		memcpy(text, all, (size_t)point);
		text[point] = '.';
		memcpy(text + point + 1, all + point, (size_t)(count - point));
		return (size_t)count + 1;
	}
	if (point <= 0 && point > -5) {
		memset(text, '0', (size_t)(2 - point));
		text[1] = '.';
		memcpy(text + 2 - point, all, (size_t)count);
		return (size_t)(2 - point + count);
	}
	size_t size = 0;
	text[size++] = all[0];
	if (count > 1) {
		text[size++] = '.';
		memcpy(text + size, all + 1, (size_t)count - 1);
		size += (size_t)count - 1;
	}
	return size + (size_t)snprintf(text + size, NUMBER_SIZE - size, "e%d", point - 1);
}

/* The shortest decimal strictly inside (low, high) nearest to middle, all in units of 2^-shift. */
static uint64_t shorten(wide low, wide middle, wide high, int shift, int *exponent)
{
	uint64_t first = (uint64_t)(low >> shift) + 1;
	uint64_t last = (uint64_t)((high - 1) >> shift);
	uint64_t unit = 1;
	*exponent = 0;
	while (last / (unit * 10) * (unit * 10) >= first) {
		unit *= 10;
		(*exponent)++;
	}
	/* The multiples of unit on both sides of the middle; at least one is inside. */
	uint64_t below = (uint64_t)(middle >> shift) / unit * unit, above = below + unit;
	wide to_below = middle - ((wide)below << shift), to_above = ((wide)above << shift) - middle;
	bool take_below =
	    below >= first && (above > last || to_below < to_above || (to_below == to_above && below / unit % 2 == 0));
	return (take_below ? below : above) / unit;
}

/*
 * mantissa * 2^exponent2 between 1e-10 and 1e17, where scaling by 10^power to 17 digits is exact in
 * 128 bits. Everything is counted in quarters of the mantissa's last place, so that the edges of
 * the interval that reads back to this value are whole. Returns 0 where the value is out of that
 * range.
 */
static uint64_t shortest(uint64_t mantissa, int exponent2, bool narrow_below, double size, int *exponent)
{
	if (!(size >= 1e-10 && size < 1e17))
		return 0;
	int power = DIGITS - 1 - (int)floor(log10(size));
	int shift = 2 - exponent2 - power;
	if (power < 0 || power > POWER_MAX || shift <= 0 || shift > 120)
		return 0;
	uint64_t five = 1;
	for (int i = 0; i < power; i++)
		five *= 5;
	wide middle = (wide)mantissa * 4 * five;
	wide low = middle - (wide)five * (narrow_below ? 1 : 2), high = middle + (wide)five * 2;
	if ((high >> shift) >= UINT64_C(1000000000000000000) || (low >> shift) + 1 > (high - 1) >> shift)
		return 0;
	uint64_t digits = shorten(low, middle, high, shift, exponent);
	*exponent -= power;
	return digits;
}

/* Out of the exact range: as few digits as read back to the same, by the C library. */
static uint64_t try_digits(double size, bool narrow, int *exponent)
{
	uint64_t digits = 0;
	/* 6 and 15 digits always survive, but for subnormal numbers. */
	int least = size < (narrow ? (double)FLT_MIN : DBL_MIN) ? 1 : narrow ? FLT_DIG : DBL_DIG;
	for (int count = least; count <= DIGITS; count++) {
		char text[48], again[48];
		snprintf(text, sizeof text, "%.*e", count - 1, size);
		/* Only digits count before the `e`: the mark between them is the locale's. */
		const char *at = text;
		digits = 0;
		for (; *at != 'e'; at++)
			if (*at >= '0' && *at <= '9')
				digits = digits * 10 + (uint64_t)(*at - '0');
		*exponent = (int)strtol(at + 1, NULL, 10) - (count - 1);
		snprintf(again, sizeof again, "%llue%d", (unsigned long long)digits, *exponent);
		if (narrow ? strtof(again, NULL) == (float)size : strtod(again, NULL) == size)
			break;
	}
	while (digits != 0 && digits % 10 == 0) {
		digits /= 10;
		(*exponent)++;
	}
	return digits;
}

/* size is finite and above 0; precision is the significand's bits of its type. */
static size_t write_positive(char *text, double size, int precision)
{
	int exponent2, exponent;
	if (size < 1e15 && size == floor(size))
		return number_write_unsigned(text, (uint64_t)size);
	double fraction = frexp(size, &exponent2);
	uint64_t mantissa = (uint64_t)ldexp(fraction, precision);
	bool power_of_two = (mantissa & (mantissa - 1)) == 0;
	uint64_t digits = shortest(mantissa, exponent2 - precision, power_of_two, size, &exponent);
	if (digits == 0)
		digits = try_digits(size, precision == FLT_MANT_DIG, &exponent);
	return write_decimal(text, digits, exponent);
}

static size_t write(char *text, double value, int precision)
{
	if (!isfinite(value)) {
		memcpy(text, "null", 4);
		return 4;
	}
	size_t sign = signbit(value) != 0;
	text[0] = '-';
	if (value == 0) {
		memcpy(text + sign, "0.0", 3);
		return sign + (sign ? 3 : 1);
	}
	return sign + write_positive(text + sign, fabs(value), precision);
}

size_t number_write_double(char text[NUMBER_SIZE], double value)
{
	return write(text, value, DBL_MANT_DIG);
}

size_t number_write_float(char text[NUMBER_SIZE], float value)
{
	return write(text, (double)value, FLT_MANT_DIG);
}
