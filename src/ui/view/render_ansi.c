#include "ui/view/render.h"

#include <string.h>

static void add_color(struct buf *b, int base, int32_t color)
{
	if (color >= 0)
		buf_format(b, ";%d;2;%d;%d;%d", base, color >> 16 & 0xff, color >> 8 & 0xff, color & 0xff);
}

static void add_style(struct buf *b, const struct theme_style *s)
{
	buf_add_string(b, "\033[0");
	if (s->bold)
		buf_add_string(b, ";1");
	if (s->dim)
		buf_add_string(b, ";2");
	if (s->underline)
		buf_add_string(b, ";4");
	if (s->reverse)
		buf_add_string(b, ";7");
	add_color(b, 38, s->foreground);
	add_color(b, 48, s->background);
	buf_add_char(b, 'm');
}

static bool same(const struct theme_style *a, const struct theme_style *b)
{
	return a->foreground == b->foreground && a->background == b->background && a->bold == b->bold &&
	       a->dim == b->dim && a->reverse == b->reverse && a->underline == b->underline;
}

void render_ansi(const struct canvas *c, const struct theme *theme, struct buf *b)
{
	static const struct theme_style plain = {.foreground = -1, .background = -1};
	char text[5];
	for (int row = 0; row < c->rows; row++) {
		struct theme_style now = plain;
		for (int i = 0; i < c->columns; i++) {
			const struct cell *cell = &c->cells[row * c->columns + i];
			struct theme_style style = theme_cell(theme, cell);
			if (cell->glyph == 0)
				continue;
			/* A blank shows no foreground: it never starts a run for that alone. */
			if (cell->glyph == ' ' && style.background == now.background && !now.underline &&
			    !style.underline && style.reverse == now.reverse && !style.reverse)
				style = now;
			if (!same(&style, &now))
				add_style(b, &style);
			now = style;
			buf_add(b, text, canvas_encode(cell->glyph, text));
		}
		if (!same(&now, &plain))
			buf_add_string(b, "\033[0m");
		buf_add_char(b, '\n');
	}
}
