#include "core/arena.h"
#include "unit.h"

#include <stdint.h>
#include <string.h>

static void memory_is_apart_and_aligned(void **state)
{
	struct arena a = {0};
	char *blocks[1000];
	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		blocks[i] = arena_take(&a, i);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		memset(blocks[i], (int)(i % 251), i);
	}
	for (size_t i = 0; i < 1000; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal((unsigned char)blocks[i][k], i % 251);
	arena_release(&a);
}

static void a_reset_keeps_the_memory(void **state)
{
	struct arena a = {0};
	(void)state;
	void *first = arena_take(&a, 100);
	arena_take(&a, 1 << 20);
	arena_reset(&a);
	assert_ptr_equal(arena_take(&a, 100), first);
	/* What is large is given back. */
	assert_non_null(arena_take(&a, ARENA_KEEP_MAX + 1));
	arena_reset(&a);
	assert_non_null(arena_take(&a, ARENA_KEEP_MAX + 1));
	arena_release(&a);
	arena_release(&a);
}

static void absurd_sizes_are_refused(void **state)
{
	struct arena a = {0};
	(void)state;
	assert_null(arena_take(&a, SIZE_MAX));
	assert_null(arena_array(&a, SIZE_MAX / 2, 8));
	assert_null(arena_copy(&a, "", SIZE_MAX));
	assert_string_equal(arena_copy(&a, "abcd", 3), "abc");
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_apart_and_aligned),
	    cmocka_unit_test(a_reset_keeps_the_memory),
	    cmocka_unit_test(absurd_sizes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
