/* number: reading. */
#include "core/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 19 /* any 19 digits fit in 64 bits */
/* No decision between two doubles needs more than 767 significant digits; the rest only say "a bit
 * more". */
#define SIGNIFICANT_MAX 780
/* Past these, 780 digits are infinite or zero whatever they are. */
#define EXPONENT_MAX 5000
#define EXPONENT_READ_MAX INT64_C(1000000000000)
#define POWER_OF_FIVE_MAX 27 /* 5^27 is the last below 2^64 */

__extension__ typedef unsigned __int128 wide;

static bool is_digit(const char *at, const char *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

/* Takes the first 19 significant digits of a number that has more, and counts the others. */
static void read_many_digits(struct number *n, const char *at, const char *end)
{
	bool point = false;
	int count = 0;

	n->digits = 0;
	n->exponent = 0;
	for (; at < end; at++) {
		unsigned digit = (unsigned)(*at - '0');
		if (*at == '.') {
			point = true;
		} else if (count < DIGITS_MAX) {
			n->digits = n->digits * 10 + digit;
			count += n->digits != 0;
			n->exponent -= point;
		} else {
			n->dropped |= digit != 0;
			n->exponent += !point;
		}
	}
}

/* Reads what follows an `e`; NULL where it is no exponent. */
static const char *read_exponent(const char *at, const char *end, int64_t *exponent)
{
	bool negative = at < end && *at == '-';
	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (!is_digit(at, end))
		return NULL;
	int64_t value = 0;
	for (; is_digit(at, end); at++)
		if (value < EXPONENT_READ_MAX)
			value = value * 10 + (*at - '0');
	*exponent += negative ? -value : value;
	return at;
}

/* Eight characters at once; false where they are not all digits. Their bytes are summed in pairs: tens and ones, then
 * hundreds, then four digits and four. */
static inline bool eight_digits(const char *at, const char *end, uint64_t *digits)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t zeros = UINT64_C(0x3030303030303030), tops = UINT64_C(0xf0f0f0f0f0f0f0f0);
	uint64_t bytes;

	if (end - at < 8)
		return false;
	memcpy(&bytes, at, sizeof bytes);
	/* High halves of 3, and none carries out of its low half when 6 is added. */
	if ((bytes & tops) != zeros || ((bytes + UINT64_C(0x0606060606060606)) & tops) != zeros)
		return false;
	bytes -= zeros;
	bytes = bytes * 10 + (bytes >> 8);
	*digits = (((bytes & UINT64_C(0x000000ff000000ff)) * (100 + (UINT64_C(1000000) << 32))) +
		   (((bytes >> 16) & UINT64_C(0x000000ff000000ff)) * (1 + (UINT64_C(10000) << 32)))) >>
		  32;
	return true;
#else
	(void)at;
	(void)end;
	(void)digits;
	return false;
#endif
}

size_t number_read(const char *at, const char *end, struct number *n)
{
	uint64_t digits = 0;
	const char *first, *point;

	*n = (struct number){.text = at, .integer = true};
	if (at < end && *at == '-') {
		n->negative = true;
		at++;
	}
	for (first = at; is_digit(at, end); at++)
		digits = digits * 10 + (unsigned)(*at - '0');
	if (at == first)
		return 0;
	if (*first == '0' && at > first + 1) {
		at = first + 1;
		digits = 0;
	}
	/* More than 19 digits do not fit, but leading zeros take no room. */
	const char *counted = *first == '0' ? at : first;
	if (at < end && *at == '.') {
		n->integer = false;
		counted += counted == first;
		uint64_t eight;
		for (point = ++at; eight_digits(at, end, &eight); at += 8)
			digits = digits * 100000000 + eight;
		for (; is_digit(at, end); at++)
			digits = digits * 10 + (unsigned)(*at - '0');
		if (at == point)
			return 0;
		n->exponent = point - at;
	}
	n->digits = digits;
	if (at - counted > DIGITS_MAX)
		read_many_digits(n, first, at);
	if (at < end && (*at == 'e' || *at == 'E')) {
		n->integer = false;
		at = read_exponent(at + 1, end, &n->exponent);
		if (at == NULL)
			return 0;
	}
	n->size = (size_t)(at - n->text);
	return n->size;
}

static const uint64_t powers_of_five[POWER_OF_FIVE_MAX + 1] = {
    1u,
    5u,
    25u,
    125u,
    625u,
    3125u,
    15625u,
    78125u,
    390625u,
    1953125u,
    9765625u,
    48828125u,
    244140625u,
    1220703125u,
    6103515625u,
    30517578125u,
    152587890625u,
    762939453125u,
    3814697265625u,
    19073486328125u,
    95367431640625u,
    476837158203125u,
    2384185791015625u,
    11920928955078125u,
    59604644775390625u,
    298023223876953125u,
    1490116119384765625u,
    7450580596923828125u,
};

/* Rounds value * 2^exponent to a double; value is not 0, sticky says that it is a little more. */
static double round_wide(wide value, int exponent, bool sticky)
{
	uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;
	int bits = high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low);
	if (bits <= 53)
		return ldexp((double)low, exponent);
	int drop = bits - 53;
	uint64_t mantissa = (uint64_t)(value >> drop);
	wide rest = value - ((wide)mantissa << drop), half = (wide)1 << (drop - 1);
	if (rest > half || (rest == half && (sticky || (mantissa & 1) != 0)))
		mantissa++;
	return ldexp((double)mantissa, exponent + drop);
}

/* digits * 10^exponent for |exponent| <= 27, in integers: exact until the one rounding. */
static double exact_double(uint64_t digits, int exponent)
{
	if (exponent >= 0)
		return round_wide((wide)digits * powers_of_five[exponent], exponent, false);
	/* The quotient keeps at least 64 bits: digits are moved up to the top of 128 first. */
	int shift = 64 + __builtin_clzll(digits);
	wide numerator = (wide)digits << shift;
	uint64_t divisor = powers_of_five[-exponent];
	wide quotient = numerator / divisor;
	return round_wide(quotient, exponent - shift, numerator != quotient * divisor);
}

/* The digits without point and leading zeros, and the power of ten behind them, as text for
 * strtod(): with no point in it, it means the same in every locale. */
static void copy_decimal(const struct number *n, char *copy, size_t size)
{
	size_t used = 0;
	int64_t exponent = 0;
	bool point = false, more = false;
	const char *at = n->text + n->negative, *end = n->text + n->size;

	for (; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.') {
			point = true;
		} else if (used < SIGNIFICANT_MAX) {
			if (used > 0 || *at != '0')
				copy[used++] = *at;
			exponent -= point;
		} else {
			more |= *at != '0';
			exponent += !point;
		}
	}
	if (at < end)
		read_exponent(at + 1, end, &exponent);
	if (more) {
		copy[used++] = '1';
		exponent--;
	}
	if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
		exponent = exponent > 0 ? EXPONENT_MAX : -EXPONENT_MAX;
	snprintf(copy + used, size - used, "e%d", (int)exponent);
}

double number_double(const struct number *n)
{
	static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
				      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	double value;

	if (n->digits == 0) {
		value = 0;
	} else if (!n->dropped && n->digits <= UINT64_C(1) << 53 && n->exponent >= -22 && n->exponent <= 22) {
		/* Both are exact, so the one operation rounds correctly (Clinger 1990). */
		value =
		    n->exponent < 0 ? (double)n->digits / tens[-n->exponent] : (double)n->digits * tens[n->exponent];
	} else if (!n->dropped && n->exponent >= -POWER_OF_FIVE_MAX && n->exponent <= POWER_OF_FIVE_MAX) {
		value = exact_double(n->digits, (int)n->exponent);
	} else {
		char copy[SIGNIFICANT_MAX + 16];
		copy_decimal(n, copy, sizeof copy);
		value = strtod(copy, NULL);
	}
	return n->negative ? -value : value;
}

float number_float(const struct number *n)
{
	double value = number_double(n);
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	/* Rounding twice is wrong only where the first rounding ends half-way between two floats.
	 */
	bool half_way = (bits & 0x1fffffff) == 0x10000000;
	double size = fabs(value);
	if (value == 0 && n->digits == 0)
		return (float)value;
	if (!half_way && size >= (double)FLT_MIN && size < (double)FLT_MAX)
		return (float)value;
	char copy[SIGNIFICANT_MAX + 16];
	copy_decimal(n, copy, sizeof copy);
	float result = strtof(copy, NULL);
	return n->negative ? -result : result;
}
