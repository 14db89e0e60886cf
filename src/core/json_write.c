#include "core/json_write.h"

#include "core/text.h"

#include <string.h>

static void write_escape(struct buf *out, unsigned char c)
{
	static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
	const char *value = c == 0 ? NULL : strchr(values, c);

	if (value != NULL) {
		char text[2] = {'\\', names[value - values]};
		buf_add(out, text, sizeof text);
	} else {
		buf_format(out, "\\u%04x", c);
	}
}

void json_write_string(struct buf *out, const char *text, size_t size)
{
	size_t plain = 0, at = 0;

	buf_add_char(out, '"');
	while (at < size) {
		unsigned char c = (unsigned char)text[at];
		size_t bytes = c < 0x80 ? 1 : text_character_within(text + at, size - at);
		if (bytes > 0 && c >= 0x20 && c != '"' && c != '\\') {
			at += bytes;
			continue;
		}
		buf_add(out, text + plain, at - plain);
		if (bytes == 0)
			buf_add_string(out, "\xef\xbf\xbd"); /* U+FFFD */
		else
			write_escape(out, c);
		plain = ++at;
	}
	buf_add(out, text + plain, size - plain);
	buf_add_char(out, '"');
}
