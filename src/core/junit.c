#include "core/junit.h"

#include "core/text.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* What XML 1.0 has no character for, escaped or not (its production 2): C0 but for tab and line ends, U+FFFE and
 * U+FFFF. Surrogates are no UTF-8. */
static bool is_character(const char *c, size_t size)
{
	unsigned char first = (unsigned char)c[0];

	if (size == 1)
		return first >= ' ' || first == '\t' || first == '\n' || first == '\r';
	return size != 3 || memcmp(c, "\xef\xbf", 2) != 0 || (unsigned char)c[2] < 0xbe;
}

/* The entity of what means something to XML, or would not be read back as it is; NULL for the rest. ]]> ends no text
 * where every > is one. */
static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

static void add_text(struct buf *out, const char *text)
{
	while (*text != '\0') {
		size_t size = text_character_size(text);
		const char *name = entity(*text);

		if (name != NULL)
			buf_add_string(out, name);
		else if (size == 0 || !is_character(text, size))
			buf_add_string(out, REPLACEMENT);
		else
			buf_add(out, text, size);
		text += size > 0 ? size : 1;
	}
}

static void add_attribute(struct buf *out, const char *name, const char *value)
{
	buf_format(out, " %s=\"", name);
	add_text(out, value);
	buf_add_char(out, '"');
}

struct sums {
	size_t cases, failures, errors;
	double seconds;
};

static void sum(struct sums *sums, const struct junit_suite *s)
{
	sums->cases += s->case_count;
	sums->seconds += s->seconds;
	for (size_t i = 0; i < s->case_count; i++) {
		sums->failures += s->cases[i].outcome == JUNIT_FAILED;
		sums->errors += s->cases[i].outcome == JUNIT_ERROR;
	}
}

static void add_sums(struct buf *out, const struct sums *s)
{
	buf_format(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n", s->cases, s->failures,
		   s->errors, s->seconds);
}

static void add_case(struct buf *out, const struct junit_suite *s, const struct junit_case *c)
{
	buf_add_string(out, "    <testcase");
	add_attribute(out, "classname", s->class_name);
	add_attribute(out, "name", c->name);
	if (c->outcome == JUNIT_PASSED) {
		buf_add_string(out, "/>\n");
		return;
	}
	const char *element = c->outcome == JUNIT_FAILED ? "failure" : "error";
	buf_format(out, ">\n      <%s", element);
	add_attribute(out, "type", c->type);
	add_attribute(out, "message", c->message);
	buf_add_char(out, '>');
	add_text(out, c->message);
	buf_format(out, "</%s>\n    </testcase>\n", element);
}

static void add_suite(struct buf *out, const struct junit_suite *s)
{
	struct sums sums = {0};

	sum(&sums, s);
	buf_add_string(out, "  <testsuite");
	add_attribute(out, "name", s->name);
	add_sums(out, &sums);
	for (size_t i = 0; i < s->case_count; i++)
		add_case(out, s, &s->cases[i]);
	if (s->output != NULL && *s->output != '\0') {
		buf_add_string(out, "    <system-out>");
		add_text(out, s->output);
		buf_add_string(out, "</system-out>\n");
	}
	buf_add_string(out, "  </testsuite>\n");
}

void junit_write(struct buf *out, const char *name, const struct junit_suite *suites, size_t count)
{
	struct sums sums = {0};

	for (size_t i = 0; i < count; i++)
		sum(&sums, &suites[i]);
	buf_add_string(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	add_attribute(out, "name", name);
	add_sums(out, &sums);
	for (size_t i = 0; i < count; i++)
		add_suite(out, &suites[i]);
	buf_add_string(out, "</testsuites>\n");
}
