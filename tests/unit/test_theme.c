#include "unit.h"

#include "ui/view/render.h"
#include "ui/view/theme.h"

static void refuse(const char *text, const char *part)
{
	struct theme theme = {.name = "untouched"};
	struct err e = {0};
	assert_int_equal(theme_parse("t", text, &theme, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	if (strstr(e.text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, part);
	assert_string_equal(theme.name, "untouched");
}

static void test_parse(void **context)
{
	struct theme theme;
	struct err e = {0};
	(void)context;
	assert_int_equal(theme_parse("mine",
				     "; a comment\n[live]\nforeground = #5bB8f5\nbold = yes\n"
				     "[bad]\nbackground = bright-red\n[dim]\nforeground = default\n",
				     &theme, &e),
			 0);
	assert_string_equal(theme.name, "mine");
	assert_int_equal(theme.styles[ROLE_LIVE].foreground, 0x5bb8f5);
	assert_true(theme.styles[ROLE_LIVE].bold);
	assert_int_equal(theme.styles[ROLE_LIVE].background, -1);
	assert_true(theme.styles[ROLE_BAD].background > 0);
	assert_int_equal(theme.styles[ROLE_DIM].foreground, -1);
}

static void test_refused(void **context)
{
	(void)context;
	refuse("[lively]\nbold = yes\n", "line 2: unknown section [lively]");
	refuse("[live]\n\nforeground = #12345\n", "line 3: \"#12345\" is not a colour");
	refuse("[live]\nforground = red\n", "unknown key \"forground\"");
	refuse("[live]\nbold = maybe\n", "neither yes nor no");
	refuse("[live\n", "line 1");
	refuse("[live]\nnonsense\n", "line 2");
	refuse("[live]\nforeground = \033[31m\n", "\\x1b");
}

static void test_built_in(void **context)
{
	struct theme theme;
	struct err e = {0};
	bool found = false;
	(void)context;
	for (const struct theme_file *f = theme_files; f->name != NULL; f++) {
		if (theme_load(f->name, &theme, &e) != 0)
			fail_msg("%s", e.text);
		assert_string_equal(theme.name, f->name);
		found = found || strcmp(f->name, THEME_DEFAULT) == 0;
	}
	assert_true(found);
	assert_int_equal(theme_load("nothere", &theme, &e), -1);
	assert_non_null(strstr(e.text, "mono"));
	assert_int_equal(theme_load("./no/such/file.ini", &theme, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(theme_load("/dev/zero", &theme, &e), -1);
}

static void test_mono_has_no_colour(void **context)
{
	struct theme theme;
	struct err e = {0};
	(void)context;
	assert_int_equal(theme_load("mono", &theme, &e), 0);
	for (int i = 0; i < ROLE_COUNT; i++) {
		assert_int_equal(theme.styles[i].foreground, -1);
		assert_int_equal(theme.styles[i].background, -1);
	}
}

static void test_ansi(void **context)
{
	struct theme theme;
	struct err e = {0};
	struct buf b;
	struct canvas *c = canvas_new(5, 1, CHARSET_BRAILLE);
	(void)context;
	assert_int_equal(theme_parse("t", "[bad]\nforeground = #ff0000\nbold = yes\n", &theme, &e), 0);
	canvas_put(c, 0, 0, -1, ROLE_TEXT, "a");
	canvas_put(c, 0, 1, -1, ROLE_BAD, "bc");
	buf_init(&b);
	render_ansi(c, &theme, &b);
	assert_string_equal(b.data, "a\033[0;1;38;2;255;0;0mbc  \033[0m\n");
	buf_clear(&b);
	canvas_put(c, 0, 0, -1, ROLE_TEXT, "<&\"");
	render_svg(c, &theme, &b);
	assert_non_null(strstr(b.data, "&lt;&amp;&quot;"));
	buf_release(&b);
	canvas_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_refused),
					   cmocka_unit_test(test_built_in), cmocka_unit_test(test_mono_has_no_colour),
					   cmocka_unit_test(test_ansi)};
	return cmocka_run_group_tests_name("theme", tests, NULL, NULL);
}
