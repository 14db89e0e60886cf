#include "ui/view/render.h"

void render_text(const struct canvas *c, struct buf *b)
{
	char text[5];
	for (int row = 0; row < c->rows; row++) {
		const struct cell *cells = &c->cells[row * c->columns];
		int end = c->columns;
		while (end > 0 && cells[end - 1].glyph == ' ')
			end--;
		for (int i = 0; i < end; i++) {
			if (cells[i].glyph != 0)
				buf_add(b, text, canvas_encode(cells[i].glyph, text));
		}
		buf_add_char(b, '\n');
	}
}
