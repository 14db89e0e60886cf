/* Numbers read correctly rounded and written so that they read back the same. */
#include "core/number.h"
#include "unit.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state = 88172645463325252u;

/* xorshift64*, Vigna 2016. */
static uint64_t random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static struct number read_all(const char *text)
{
	struct number n;
	size_t size = strlen(text);
	if (number_read(text, text + size, &n) != size)
		fail_msg("%s is not read whole", text);
	return n;
}

static void expect_same(const char *text)
{
	struct number n = read_all(text);
	double wanted = strtod(text, NULL), got = number_double(&n);
	float wanted_float = strtof(text, NULL), got_float = number_float(&n);
	if (memcmp(&wanted, &got, sizeof got) != 0)
		fail_msg("%s: %a, expected %a", text, got, wanted);
	if (memcmp(&wanted_float, &got_float, sizeof got_float) != 0)
		fail_msg("%s as float: %a, expected %a", text, (double)got_float, (double)wanted_float);
}

static void hard_numbers(void **state)
{
	(void)state;
	static const char *const texts[] = {
	    "0",
	    "-0",
	    "0.0",
	    "-0.0",
	    "0e999999999999999999999",
	    "1",
	    "0.1",
	    "1e22",
	    "1e23",
	    "123456789012345678",
	    "9007199254740993",
	    "9007199254740992.9999999999999999999999999",
	    "9007199254740993.00000000000001",
	    "1.7976931348623157e308",
	    "1.7976931348623159e308",
	    "1e309",
	    "-1e999999999999999999",
	    "1e-400",
	    "2.2250738585072011e-308",
	    "4.9406564584124654e-324",
	    "2.4703282292062327e-324",
	    "2.47032822920623272088284396434110686182e-324",
	    "18446744073709551615",
	    "18446744073709551616",
	    "9999999999999999999",
	    "99999999999999999999999999999999999999",
	    "0.00000000000000000000000000000001e32",
	    "3.4028235677973366e38",
	    "3.4028235677973365e38",
	    "1.00000005960464477539062500000000000001",
	    "1.000000059604644775390625",
	    "1e-45",
	    "7.0064923216240853e-46",
	    "7.0064923216240854e-46",
	    "8.442911973260991817129021e-309",
	    "0.500000000000000166533453693773481063544750213623046875",
	    "1.00000000000000011102230246251565404236316680908203125",
	    "1.00000000000000011102230246251565404236316680908203124",
	    "1.00000000000000011102230246251565404236316680908203126",
	    "6929495644600919.5",
	    "3.703e27",
	    "7e-27",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		expect_same(texts[i]);
}

/* Half-way between two doubles, exactly, then with one digit far beyond 780 more. */
static void long_numbers(void **state)
{
	(void)state;
	static char text[3000];
	int size = snprintf(text, sizeof text, "%.1075f", 0x1p-1074);
	text[size - 1] = '5';
	expect_same(text);
	memset(text + size, '0', 1200);
	text[size + 1200] = '\0';
	expect_same(text);
	text[size + 1199] = '1';
	expect_same(text);
	memset(text, '9', 2000);
	strcpy(text + 2000, "e-2000");
	expect_same(text);
	memset(text, '0', 2000);
	text[1] = '.';
	strcpy(text + 2000, "15e1999");
	expect_same(text);
}

static void random_texts(void **state)
{
	(void)state;
	char text[64];
	for (int i = 0; i < 200000; i++) {
		uint64_t digits = random_next() >> (random_next() % 64);
		int exponent = (int)(random_next() % 64) - 32;
		if (i % 4 == 0)
			exponent = (int)(random_next() % 700) - 350;
		snprintf(text, sizeof text, "%llu.%02llue%d", (unsigned long long)digits,
			 (unsigned long long)(random_next() % 100), exponent);
		expect_same(text);
		snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits, exponent);
		expect_same(text);
	}
}

static void no_numbers(void **state)
{
	(void)state;
	static const char *const texts[] = {"",   "-",   "+1", ".5", "1.",  "1.e3",
					    "1e", "1e+", "a",  "-a", "NaN", "-Infinity"};
	struct number n;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(number_read(texts[i], texts[i] + strlen(texts[i]), &n), 0);
	assert_int_equal(number_read("01", "01" + 2, &n), 1);
	assert_int_equal(number_read("1e5", "1e5" + 1, &n), 1); /* the end holds */
}

static void check_double(double value)
{
	char text[NUMBER_SIZE + 1];
	size_t size = number_write_double(text, value);
	assert_in_range(size, 1, NUMBER_SIZE);
	text[size] = '\0';
	struct number n = read_all(text);
	double again = number_double(&n);
	if (memcmp(&again, &value, sizeof value) != 0)
		fail_msg("%a was written as %s", value, text);
	for (int precision = 1; precision <= 17; precision++) {
		char tried[64];
		snprintf(tried, sizeof tried, "%.*e", precision - 1, value);
		if (strtod(tried, NULL) != value)
			continue;
		uint64_t digits = n.digits;
		int used = 0;
		while (digits != 0 && digits % 10 == 0)
			digits /= 10;
		for (; digits != 0; digits /= 10)
			used++;
		if (used > precision)
			fail_msg("%s has %d digits, %d are enough", text, used, precision);
		break;
	}
}

static void check_float(float value)
{
	char text[NUMBER_SIZE + 1];
	size_t size = number_write_float(text, value);
	assert_in_range(size, 1, NUMBER_SIZE);
	text[size] = '\0';
	struct number n = read_all(text);
	float again = number_float(&n);
	if (memcmp(&again, &value, sizeof value) != 0)
		fail_msg("%a was written as %s", (double)value, text);
}

static void random_doubles(void **state)
{
	(void)state;
	for (int i = 0; i < 60000; i++) {
		uint64_t bits = random_next();
		double value;
		memcpy(&value, &bits, sizeof value);
		if (isfinite(value) && i % 8 == 0)
			check_double(value);
		check_double((double)(random_next() >> 11) * 0x1p-53);
		check_double(ldexp((double)(int64_t)random_next(), -(int)(random_next() % 100)));
		check_double((double)(random_next() % 100000) / 100);
		uint32_t bits32 = (uint32_t)bits;
		float narrow;
		memcpy(&narrow, &bits32, sizeof narrow);
		if (isfinite(narrow))
			check_float(narrow);
		check_float((float)(random_next() >> 40) * 0x1p-24f);
	}
	for (int exponent = -1074; exponent < 1024; exponent++) {
		check_double(ldexp(1, exponent));
		check_double(nextafter(ldexp(1, exponent), 0));
		if (exponent >= -149 && exponent < 128)
			check_float(ldexpf(1, exponent));
	}
	check_double(DBL_MAX);
	check_float(FLT_MAX);
}

static void expect_text(double value, bool narrow, const char *wanted)
{
	char text[NUMBER_SIZE + 1];
	text[narrow ? number_write_float(text, (float)value) : number_write_double(text, value)] = '\0';
	assert_string_equal(text, wanted);
}

static void short_texts(void **state)
{
	(void)state;
	expect_text(0, false, "0");
	expect_text(-0.0, false, "-0.0");
	expect_text(3, false, "3");
	expect_text(-14, false, "-14");
	expect_text(0.1, false, "0.1");
	expect_text((double)0.1f, true, "0.1");
	expect_text((double)0.1f, false, "0.10000000149011612");
	expect_text(0.3, false, "0.3");
	expect_text(0.1 + 0.2, false, "0.30000000000000004");
	expect_text(1e-5, false, "0.00001");
	expect_text(1.5e-7, false, "1.5e-7");
	expect_text(1e300, false, "1e300");
	expect_text(5e-324, false, "5e-324");
	expect_text(123456.789, false, "123456.789");
	expect_text(9007199254740993, false, "9007199254740992");
	expect_text((double)NAN, false, "null");
	expect_text(-(double)INFINITY, true, "null");
}

/* A locale with a decimal comma changes nothing. */
static void other_locale(void **state)
{
	(void)state;
	static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (setlocale(LC_NUMERIC, names[i]) != NULL)
			break;
	struct number n = read_all("2.4703282292062328e-324");
	assert_true(number_double(&n) == 0x1p-1074);
	expect_text(1.25e-300, false, "1.25e-300");
	setlocale(LC_NUMERIC, "C");
}

/* Digits are read eight at a time: any other byte among them ends the number where it stands. */
static void eight_at_once(void **state)
{
	(void)state;
	for (size_t place = 0; place < 8; place++)
		for (int byte = 0; byte < 256; byte++) {
			char text[] = "0.123456789";
			struct number n;
			text[2 + place] = (char)byte;
			bool digit = byte >= '0' && byte <= '9';
			bool power = byte == 'e' || byte == 'E';
			size_t size = number_read(text, text + 11, &n);
			if (digit)
				assert_int_equal(size, 11);
			else if (!power)
				assert_int_equal(size, place == 0 ? 0 : 2 + place);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hard_numbers), cmocka_unit_test(long_numbers),   cmocka_unit_test(random_texts),
	    cmocka_unit_test(no_numbers),   cmocka_unit_test(random_doubles), cmocka_unit_test(short_texts),
	    cmocka_unit_test(other_locale), cmocka_unit_test(eight_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
