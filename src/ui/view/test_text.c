#include "ui/view/test_text.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Neither good nor bad: the test could not tell. */
static bool is_open(const char *verdict)
{
	static const char *const words[] = {"wait", "inconclusive", "generator", "stopped"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(verdict, words[i]) == 0)
			return true;
	}
	return false;
}

enum canvas_role test_verdict_text(const struct canvas *c, const struct test_result *t, char *text, size_t size)
{
	bool open = !t->passed && is_open(t->verdict);
	const char *word = t->verdict[0] != '\0' ? t->verdict : t->passed ? "pass" : "fail";
	snprintf(text, size, "%s %s",
		 t->passed ? canvas_glyph(c, "✓", "+")
		 : open    ? canvas_glyph(c, "○", "o")
			   : canvas_glyph(c, "✕", "x"),
		 word);
	return t->passed ? ROLE_OK : open ? ROLE_WARNING : ROLE_BAD;
}

void test_versions_text(const struct canvas *c, const struct test_result *t, char *text, size_t size)
{
	bool two = strcmp(t->kind, "stress") != 0 && strcmp(t->kind, "training") != 0 && t->against != 0;
	if (t->version == 0)
		snprintf(text, size, "-");
	else if (two)
		snprintf(text, size, "v%u%sv%u", t->against, canvas_glyph(c, "→", ">"), t->version);
	else
		snprintf(text, size, "v%u", t->version);
}

enum canvas_role test_trend_text(const struct canvas *c, enum trend trend, char *text, size_t size)
{
	if (trend == TREND_WORSE)
		snprintf(text, size, "%s worse", canvas_glyph(c, "▲", "!"));
	else if (trend == TREND_BETTER)
		snprintf(text, size, "%s better", canvas_glyph(c, "✓", "+"));
	else
		snprintf(text, size, "%s", "");
	return trend == TREND_WORSE ? ROLE_BAD : trend == TREND_BETTER ? ROLE_OK : ROLE_DIM;
}

void test_figure_text(const struct canvas *c, const struct figure *f, char *text, size_t size)
{
	bool ascii = c->charset == CHARSET_ASCII, positive = isfinite(f->value) && f->value > 0;
	static const struct {
		const char *end;
		double ns;
	} times[] = {{"_ns", 1}, {"_us", 1e3}, {"_ms", 1e6}, {"_s", 1e9}, {"seconds", 1e9}};
	if (positive && text_ends_with(f->name, "_bytes")) {
		text_bytes(text, size, f->value);
		return;
	}
	for (size_t i = 0; positive && i < sizeof(times) / sizeof(times[0]); i++) {
		if (text_ends_with(f->name, times[i].end)) {
			text_duration(text, size, f->value * times[i].ns, ascii);
			return;
		}
	}
	snprintf(text, size, "%s", f->text);
}
