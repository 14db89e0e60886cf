/* unit: what every unit test includes: cmocka and the headers that it needs before it, and how it waits. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"

#define UNIT_DEADLINE_MS 30000

/* Polls until the condition holds; the test fails at the deadline. */
#define wait_until(condition)                                     \
	do {                                                      \
		int64_t until_ms = clock_ms() + UNIT_DEADLINE_MS; \
		while (!(condition)) {                            \
			assert_true(clock_ms() < until_ms);       \
			clock_pause_ms(1);                        \
		}                                                 \
	} while (0)

#endif
