#include "unit.h"

#include "core/text.h"
#include "ui/console/draw.h"
#include "ui/console/line_edit.h"

static void characters_go_in_at_the_cursor(void **state)
{
	char text[8] = "";
	size_t cursor = 0;

	(void)state;
	assert_true(line_edit(text, sizeof(text), &cursor, 'a'));
	assert_true(line_edit(text, sizeof(text), &cursor, 0xe9));
	assert_true(line_edit(text, sizeof(text), &cursor, DRAW_KEY_LEFT));
	assert_int_equal(cursor, 1);
	assert_true(line_edit(text, sizeof(text), &cursor, 'b'));
	assert_string_equal(text, "abé");
	assert_true(line_edit(text, sizeof(text), &cursor, DRAW_KEY_DELETE));
	assert_string_equal(text, "ab");
	assert_false(line_edit(text, sizeof(text), &cursor, 1 + 'Z' - 'A'));
}

static void a_full_line_takes_no_more(void **state)
{
	char text[4] = "abc";
	size_t cursor = 3;

	(void)state;
	assert_true(line_edit(text, sizeof(text), &cursor, 'd'));
	assert_string_equal(text, "abc");
	assert_true(line_edit(text, sizeof(text), &cursor, DRAW_KEY_BACKSPACE));
	assert_true(line_edit(text, sizeof(text), &cursor, 0x20ac)); /* three bytes do not fit */
	assert_string_equal(text, "ab");
}

static void words_are_split_as_a_shell_does(void **state)
{
	char storage[64], *words[4];

	(void)state;
	assert_int_equal(line_split("  a 'b c' \"d\\\"e\" f\\ g ", storage, words, 4), 4);
	assert_string_equal(words[0], "a");
	assert_string_equal(words[1], "b c");
	assert_string_equal(words[2], "d\"e");
	assert_string_equal(words[3], "f g");
	assert_int_equal(line_split("", storage, words, 4), 0);
	assert_int_equal(line_split("''", storage, words, 4), 1);
	assert_string_equal(words[0], "");
	assert_int_equal(line_split("it's", storage, words, 4), -1);
	assert_int_equal(line_split("a b c d e", storage, words, 4), -1);
}

static void quoted_words_come_back(void **state)
{
	static const char *const texts[] = {"plain", "", "two words", "it's", "$(rm) `x` \"y\" \\ ;", "a=1"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char command[64] = "", storage[64], *words[4];

		assert_true(text_quote(command, sizeof(command), "x"));
		assert_true(text_quote(command, sizeof(command), texts[i]));
		assert_int_equal(line_split(command, storage, words, 4), 2);
		assert_string_equal(words[1], texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(characters_go_in_at_the_cursor),
	    cmocka_unit_test(a_full_line_takes_no_more),
	    cmocka_unit_test(words_are_split_as_a_shell_does),
	    cmocka_unit_test(quoted_words_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
