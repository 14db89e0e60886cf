#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/command.h"

#include <string.h>

static const struct option_spec options[] = {OPTION_REASON, OPTION_DRY_RUN, {"to", "N", "a number"},
					     OPTION_STATE,  OPTION_SOCKET,  OPTION_END};
static const struct command example = {"example", "MODEL [VERSION]", "do", NULL, options, NULL, "t=to n=dry-run"};
static const struct command several = {"several", "MODEL SHARE...", "do", NULL, options, NULL, NULL};

const struct command *const command_table[] = {&example, &several};
const size_t command_count = 2;

#define PARSE(c, a, e, ...) \
	arguments_parse(c, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), (char *[]){__VA_ARGS__}, a, e)

static void takes_arguments_and_options(void **unused)
{
	struct arguments *a;
	struct err e = {0};

	(void)unused;
	assert_int_equal(PARSE(&example, &a, &e, "m", "--reason", "-x", "-5", "--to=7", "--dry-run"), 0);
	assert_int_equal(arguments_count(a), 2);
	assert_string_equal(arguments_at(a, 1), "-5");
	assert_string_equal(arguments_value(a, "reason"), "-x");
	assert_string_equal(arguments_value(a, "to"), "7");
	assert_true(arguments_flag(a, "dry-run"));
	assert_null(arguments_at(a, 2));
	assert_null(arguments_value(a, "state"));
	arguments_free(a);
}

static void keeps_the_last_of_an_option(void **unused)
{
	struct arguments *a;

	(void)unused;
	assert_int_equal(PARSE(&example, &a, NULL, "m", "--to", "1", "--to", "2"), 0);
	assert_string_equal(arguments_value(a, "to"), "2");
	arguments_free(a);
}

static void ends_options_at_two_dashes(void **unused)
{
	struct arguments *a;

	(void)unused;
	assert_int_equal(PARSE(&example, &a, NULL, "--", "--to", "--"), 0);
	assert_string_equal(arguments_at(a, 0), "--to");
	assert_string_equal(arguments_at(a, 1), "--");
	arguments_free(a);
}

static void refuses(const struct command *c, int argc, char **argv, const char *sentence)
{
	struct arguments *a;
	struct err e = {0};

	assert_int_equal(arguments_parse(c, argc, argv, &a, &e), -1);
	assert_null(a);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, sentence);
}

#define REFUSES(c, sentence, ...) \
	refuses(c, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), (char *[]){__VA_ARGS__}, sentence)

static void refuses_what_the_record_does_not_say(void **unused)
{
	(void)unused;
	REFUSES(&example, "there is no option --rea", "m", "--rea", "x");
	REFUSES(&example, "there is no option -x", "m", "-x");
	REFUSES(&example, "--dry-run takes no value", "m", "--dry-run=1");
	REFUSES(&example, "--to needs a value: --to N", "m", "--to");
	REFUSES(&example, "MODEL is missing", "--dry-run");
	REFUSES(&example, "the argument c is one too many", "a", "b", "c");
	REFUSES(&several, "SHARE... is missing", "a");
	REFUSES(&example, "there is no option --\\x1b[31m", "m", "--\033[31m");
}

static void options_may_be_given_again(void **unused)
{
	struct arguments *a;

	(void)unused;
	assert_int_equal(PARSE(&example, &a, NULL, "m", "--to", "1", "--to=2"), 0);
	assert_string_equal(arguments_value(a, "to"), "2");
	assert_string_equal(arguments_value_at(a, "to", 0), "1");
	assert_string_equal(arguments_value_at(a, "to", 1), "2");
	assert_null(arguments_value_at(a, "to", 2));
	arguments_free(a);
}

static void a_letter_stands_for_its_option(void **unused)
{
	struct arguments *a;
	char text[1024] = {0};
	FILE *file = tmpfile();

	(void)unused;
	assert_int_equal(PARSE(&example, &a, NULL, "m", "-t", "5", "-n"), 0);
	assert_string_equal(arguments_value(a, "to"), "5");
	assert_true(arguments_flag(a, "dry-run"));
	arguments_free(a);
	REFUSES(&example, "--to needs a value: --to N", "m", "-t");
	REFUSES(&example, "there is no option -tx", "m", "-tx");
	REFUSES(&several, "there is no option -t", "m", "a", "-t");
	command_usage(&example, file);
	rewind(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_non_null(strstr(text, "  -t, --to N "));
	assert_non_null(strstr(text, "  --reason TEXT "));
}

static void help_needs_no_arguments(void **unused)
{
	struct arguments *a;

	(void)unused;
	assert_int_equal(PARSE(&example, &a, NULL, "--help"), 0);
	assert_true(arguments_flag(a, "help"));
	arguments_free(a);
}

/* No line of a paragraph is longer than a terminal shows without breaking a word, and no word is lost. */
static void help_is_broken_at_blanks(void **unused)
{
	static const struct option_spec none = {0};
	char details[640] = "first\n\n", text[2048] = {0};
	struct command long_one = {.name = "long", .summary = "s", .details = details, .options = &none};
	FILE *file = tmpfile();

	(void)unused;
	for (int i = 0; i < 100; i++)
		snprintf(details + strlen(details), 16, "w%d ", i);
	memset(details + strlen(details), 'x', 120);
	command_usage(&long_one, file);
	rewind(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_non_null(strstr(text, "\n\nfirst\n\nw0 w1 "));
	assert_non_null(strstr(text, "\nxxxx"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 96 || *line == 'x');
}

static void finds_the_socket(void **unused)
{
	struct arguments *a;
	struct err e = {0};
	char path[256], longer[200];

	(void)unused;
	assert_int_equal(PARSE(&example, &a, &e, "m", "--state", "/s"), 0);
	assert_int_equal(arguments_socket(a, path, sizeof(path), &e), 0);
	assert_string_equal(path, "/s/control/mldeck.sock");
	arguments_free(a);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(PARSE(&example, &a, &e, "m", "--socket", longer), 0);
	assert_int_equal(arguments_socket(a, path, sizeof(path), &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	arguments_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_arguments_and_options),    cmocka_unit_test(keeps_the_last_of_an_option),
	    cmocka_unit_test(ends_options_at_two_dashes),     cmocka_unit_test(refuses_what_the_record_does_not_say),
	    cmocka_unit_test(options_may_be_given_again),     cmocka_unit_test(help_needs_no_arguments),
	    cmocka_unit_test(help_is_broken_at_blanks),       cmocka_unit_test(finds_the_socket),
	    cmocka_unit_test(a_letter_stands_for_its_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
