/* JUnit's XML: its bytes for what is plain, and that a real parser reads whatever texts hold. */
#include "core/junit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void plain_results(void **state)
{
	(void)state;
	static const struct junit_case cases[] = {
	    {.name = "rows"},
	    {.name = "flips", .outcome = JUNIT_FAILED, .type = "fail", .message = "4% of the rows"},
	    {.name = "mean", .outcome = JUNIT_FAILED, .type = "wait", .message = "more rows"},
	};
	static const struct junit_case fault = {
	    .name = "verdict", .outcome = JUNIT_ERROR, .type = "error", .message = "no runtime"};
	static const struct junit_suite suites[] = {
	    {"differential", "churn.differential", 1.25, "4% of the rows fall", 3, cases},
	    {"stress", "churn.stress", 0.5, "", 1, &fault},
	};
	struct buf out;
	buf_init(&out);
	junit_write(&out, "churn v2", suites, 2);
	assert_string_equal(
	    out.data, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<testsuites name=\"churn v2\" tests=\"4\" failures=\"2\" errors=\"1\" time=\"1.750\">\n"
		      "  <testsuite name=\"differential\" tests=\"3\" failures=\"2\" errors=\"0\" time=\"1.250\">\n"
		      "    <testcase classname=\"churn.differential\" name=\"rows\"/>\n"
		      "    <testcase classname=\"churn.differential\" name=\"flips\">\n"
		      "      <failure type=\"fail\" message=\"4% of the rows\">4% of the rows</failure>\n"
		      "    </testcase>\n"
		      "    <testcase classname=\"churn.differential\" name=\"mean\">\n"
		      "      <failure type=\"wait\" message=\"more rows\">more rows</failure>\n"
		      "    </testcase>\n"
		      "    <system-out>4% of the rows fall</system-out>\n"
		      "  </testsuite>\n"
		      "  <testsuite name=\"stress\" tests=\"1\" failures=\"0\" errors=\"1\" time=\"0.500\">\n"
		      "    <testcase classname=\"churn.stress\" name=\"verdict\">\n"
		      "      <error type=\"error\" message=\"no runtime\">no runtime</error>\n"
		      "    </testcase>\n"
		      "  </testsuite>\n"
		      "</testsuites>\n");
	buf_release(&out);
}

/* What a text may hold, and what a parser then says it is. */
static const char *const texts[][2] = {
    {"a < b && c > \"d\" 'e'", NULL},
    {"]]> <![CDATA[ <!-- --> <?xml?> &amp; &#0;", NULL},
    {"two\nlines\tand\rmore", NULL},
    {"\xc3\xa9t\xc3\xa9 \xe2\x96\xb2 \xf0\x9f\x90\x9f", NULL},
    {"\x01 \x1b[31m \x7f", "\xef\xbf\xbd \xef\xbf\xbd[31m \x7f"},
    {"\xff\xfe cut \xe2\x96", "\xef\xbf\xbd\xef\xbf\xbd cut \xef\xbf\xbd\xef\xbf\xbd"},
    {"\xed\xa0\x80 \xef\xbf\xbe \xef\xbf\xbf \xef\xbf\xbd",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd"},
    {"", NULL},
};
#define TEXT_COUNT (sizeof texts / sizeof *texts)

/* The parser prints name, type, message, the failure's text and the output of case by case, each with a NUL. */
static const char parser[] =
    "import sys, xml.etree.ElementTree as E\n"
    "out = []\n"
    "for s in E.parse(sys.argv[1]).getroot():\n"
    "    f = s[0][0]\n"
    "    out += [s.get('name'), s[0].get('classname'), s[0].get('name'), f.get('type'), f.get('message'),\n"
    "            f.text or '', s.findtext('system-out') or '']\n"
    "sys.stdout.buffer.write(''.join(t + '\\0' for t in out).encode())\n";

static size_t parse(const struct buf *document, char *said, size_t size)
{
	char path[] = "/tmp/test_junit.XXXXXX", script[] = "/tmp/test_junit.XXXXXX", command[128];
	int fd = mkstemp(path), script_fd = mkstemp(script);
	assert_true(fd >= 0 && script_fd >= 0);
	assert_int_equal(write(fd, document->data, document->size), (ssize_t)document->size);
	assert_int_equal(write(script_fd, parser, sizeof parser - 1), (ssize_t)sizeof parser - 1);
	close(fd);
	close(script_fd);
	snprintf(command, sizeof command, "python3 %s %s", script, path);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	size_t got = fread(said, 1, size, pipe);
	int status = pclose(pipe);
	unlink(path);
	unlink(script);
	assert_int_equal(status, 0);
	return got;
}

static void a_parser_reads_whatever_it_holds(void **state)
{
	(void)state;
	struct junit_suite suites[TEXT_COUNT];
	struct junit_case cases[TEXT_COUNT];
	static char said[16384];
	struct buf out;
	if (system("python3 -c 'import xml.etree' >/dev/null 2>&1") != 0)
		skip();
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		const char *t = texts[i][0];
		cases[i] = (struct junit_case){.name = t, .outcome = JUNIT_FAILED, .type = t, .message = t};
		suites[i] = (struct junit_suite){t, t, 0, t, 1, &cases[i]};
	}
	buf_init(&out);
	junit_write(&out, "all", suites, TEXT_COUNT);
	assert_false(out.failed);
	size_t size = parse(&out, said, sizeof said - 1);
	const char *at = said;
	for (size_t i = 0; i < TEXT_COUNT; i++)
		for (int k = 0; k < 7; k++, at += strlen(at) + 1) {
			assert_true(at < said + size);
			assert_string_equal(at, texts[i][1] != NULL ? texts[i][1] : texts[i][0]);
		}
	assert_ptr_equal(at, said + size);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_results),
	    cmocka_unit_test(a_parser_reads_whatever_it_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
