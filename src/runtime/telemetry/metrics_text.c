/* metrics: the text format. */
#include "core/text.h"
#include "runtime/telemetry/metrics.h"
#include "core/number.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

void metrics_family(struct metrics *m, const char *name, const char *type, const char *help)
{
	m->name = name;
	m->type = type;
	m->help = help;
	m->begun = false;
}

/* Bytes at the start that need no second look. */
static size_t ascii_run(const char *text)
{
	size_t size = 0;
	while (text[size] >= 0x20 && text[size] < 0x7f && text[size] != '\\' && text[size] != '"')
		size++;
	return size;
}

/* Bytes of a character that may stand in a label as it is; 0: it may not. C1 controls are two bytes. */
static size_t plain_size(const char *text)
{
	unsigned char c = (unsigned char)text[0];
	if (c < 0x20 || c == 0x7f)
		return 0;
	if (c == 0xc2 && (unsigned char)text[1] < 0xa0)
		return 0;
	return text_character_size(text);
}

static void write_value(struct buf *out, const char *text)
{
	for (;;) {
		size_t size = ascii_run(text);
		buf_add(out, text, size);
		text += size;
		if (*text == '\0')
			return;
		size = 1;
		if (*text == '\\' || *text == '"') {
			buf_add_char(out, '\\');
			buf_add_char(out, *text);
		} else if (*text == '\n') {
			buf_add_string(out, "\\n");
		} else if ((size = plain_size(text)) > 0) {
			buf_add(out, text, size);
		} else {
			buf_add_string(out, "\xef\xbf\xbd"); /* U+FFFD */
			size = text_character_size(text);
			size = size > 0 ? size : 1;
		}
		text += size;
	}
}

void metrics_series(struct metrics *m, const char *suffix, ...)
{
	va_list labels;
	const char *name;
	char before = '{';

	if (!m->begun) {
		buf_format(m->out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
		m->begun = true;
	}
	buf_add_string(m->out, m->name);
	buf_add_string(m->out, suffix);
	va_start(labels, suffix);
	while ((name = va_arg(labels, const char *)) != NULL) {
		buf_add_char(m->out, before);
		buf_add_string(m->out, name);
		buf_add_string(m->out, "=\"");
		write_value(m->out, va_arg(labels, const char *));
		buf_add_char(m->out, '"');
		before = ',';
	}
	va_end(labels);
	buf_add_string(m->out, before == ',' ? "} " : " ");
}

void metrics_count(struct metrics *m, uint64_t value)
{
	char text[NUMBER_SIZE];
	buf_add(m->out, text, number_write_unsigned(text, value));
	buf_add_char(m->out, '\n');
}

void metrics_number(struct metrics *m, double value)
{
	char text[NUMBER_SIZE];
	if (isfinite(value))
		buf_add(m->out, text, number_write_double(text, value));
	else
		buf_add_string(m->out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
	buf_add_char(m->out, '\n');
}
