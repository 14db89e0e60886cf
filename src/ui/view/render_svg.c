/* render_svg: a canvas as a picture. Blocks, braille and lines are drawn as shapes, so that they
 * join up in every viewer whatever its fonts hold; text is set run by run at its exact column. */
#include "ui/view/render.h"

/* Of one cell, in user units; the advance of common monospace fonts is 0.6 of their size. */
#define CELL_WIDTH 8.4
#define CELL_HEIGHT 18.0
#define FONT_SIZE 14
#define BASELINE 13.5
#define PADDING 12.0
/* What "the terminal's own" colours are in a picture. */
#define PAPER 0x11151c
#define INK 0xd7dce5

struct look {
	int32_t ink, paper;
	bool bold, dim, underline;
};

static struct look look_of(const struct theme *theme, const struct cell *cell)
{
	struct theme_style s = theme_cell(theme, cell);
	struct look look = {s.foreground >= 0 ? s.foreground : INK, s.background >= 0 ? s.background : PAPER, s.bold,
			    s.dim, s.underline};
	if (s.reverse) {
		int32_t ink = look.ink;
		look.ink = look.paper;
		look.paper = ink;
	}
	return look;
}

static bool same(const struct look *a, const struct look *b)
{
	return a->ink == b->ink && a->paper == b->paper && a->bold == b->bold && a->dim == b->dim &&
	       a->underline == b->underline;
}

static double x_of(int column)
{
	return PADDING + column * CELL_WIDTH;
}

static double y_of(int row)
{
	return PADDING + row * CELL_HEIGHT;
}

static void add_rect(struct buf *b, double x, double y, double width, double height, const struct look *l,
		     double opacity)
{
	buf_format(b, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"#%06x\"", x, y, width, height,
		   (unsigned)l->ink);
	if (opacity * (l->dim ? 0.6 : 1) < 1)
		buf_format(b, " opacity=\"%.2f\"", opacity * (l->dim ? 0.6 : 1));
	buf_add_string(b, "/>\n");
}

/* U+2581 to 2588 and the shades; the count of equal neighbours is drawn at once. */
static void add_block(struct buf *b, double x, double y, int count, uint32_t glyph, const struct look *l)
{
	double width = count * CELL_WIDTH;
	if (glyph >= 0x2591 && glyph <= 0x2593) {
		add_rect(b, x, y, width, CELL_HEIGHT, l, (glyph - 0x2590) * 0.25 + 0.1);
		return;
	}
	double height = CELL_HEIGHT * (glyph - 0x2580) / 8;
	add_rect(b, x, y + CELL_HEIGHT - height, width, height, l, 1);
}

static void add_braille(struct buf *b, double x, double y, uint32_t glyph, const struct look *l)
{
	static const unsigned char column_of[] = {0, 0, 0, 1, 1, 1, 0, 1}, row_of[] = {0, 1, 2, 0, 1, 2, 3, 3};
	double width = CELL_WIDTH / 2, height = CELL_HEIGHT / 4;
	for (int dot = 0; dot < 8; dot++) {
		if (glyph >> dot & 1)
			add_rect(b, x + column_of[dot] * width + 0.6, y + row_of[dot] * height + 0.6, width - 1.2,
				 height - 1.2, l, 1);
	}
}

/* Light box drawing: which of left, right, up, down a line goes to from the middle. */
static bool add_line(struct buf *b, double x, double y, int count, uint32_t glyph, const struct look *l)
{
	static const struct {
		uint32_t glyph;
		bool left, right, up, down;
	} lines[] = {{0x2500, 1, 1, 0, 0}, {0x2502, 0, 0, 1, 1}, {0x256d, 0, 1, 0, 1}, {0x256e, 1, 0, 0, 1},
		     {0x2570, 0, 1, 1, 0}, {0x256f, 1, 0, 1, 0}, {0x2575, 0, 0, 1, 0}};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i].glyph != glyph)
			continue;
		double middle_x = x + CELL_WIDTH / 2, middle_y = y + CELL_HEIGHT / 2;
		double from = lines[i].left ? x : middle_x - 0.5;
		double to = lines[i].right ? x + count * CELL_WIDTH : middle_x + 0.5;
		if (lines[i].left || lines[i].right)
			add_rect(b, from, middle_y - 0.5, to - from, 1, l, 1);
		from = lines[i].up ? y : middle_y - 0.5;
		to = lines[i].down ? y + CELL_HEIGHT : middle_y + 0.5;
		if (lines[i].up || lines[i].down)
			add_rect(b, middle_x - 0.5, from, 1, to - from, l, 1);
		return true;
	}
	return false;
}

static bool is_line(uint32_t glyph)
{
	return glyph == 0x2500;
}

static bool is_block(uint32_t glyph)
{
	return (glyph >= 0x2581 && glyph <= 0x2588) || (glyph >= 0x2591 && glyph <= 0x2593);
}

static void add_glyph(struct buf *b, uint32_t glyph)
{
	char text[5];
	if (glyph == '<')
		buf_add_string(b, "&lt;");
	else if (glyph == '&')
		buf_add_string(b, "&amp;");
	else if (glyph == '"')
		buf_add_string(b, "&quot;");
	else
		buf_add(b, text, canvas_encode(glyph, text));
}

static void add_text(struct buf *b, double x, double y, const struct cell *cells, int count, const struct look *l)
{
	/* textLength holds the columns in line where the viewer's font is wider or narrower. */
	buf_format(b,
		   "<text x=\"%.2f\" y=\"%.2f\" textLength=\"%.2f\" "
		   "lengthAdjust=\"spacingAndGlyphs\" fill=\"#%06x\"",
		   x, y + BASELINE, count * CELL_WIDTH, (unsigned)l->ink);
	if (l->bold)
		buf_add_string(b, " font-weight=\"bold\"");
	if (l->dim)
		buf_add_string(b, " opacity=\"0.6\"");
	if (l->underline)
		buf_add_string(b, " text-decoration=\"underline\"");
	buf_add_char(b, '>');
	for (int i = 0; i < count; i++) {
		if (cells[i].glyph != 0)
			add_glyph(b, cells[i].glyph);
	}
	buf_add_string(b, "</text>\n");
}

/* Cells from column on that one element draws; their count is returned. */
static int add_run(struct buf *b, const struct canvas *c, const struct theme *theme, int row, int column)
{
	const struct cell *cells = &c->cells[row * c->columns + column];
	struct look look = look_of(theme, &cells[0]);
	uint32_t glyph = cells[0].glyph;
	double x = x_of(column), y = y_of(row);
	int count = 1, left = c->columns - column;
	if (is_block(glyph) || is_line(glyph)) {
		for (; count < left && cells[count].glyph == glyph; count++) {
			struct look next = look_of(theme, &cells[count]);
			if (!same(&look, &next))
				break;
		}
		if (is_block(glyph))
			add_block(b, x, y, count, glyph, &look);
		else
			add_line(b, x, y, count, glyph, &look);
		return count;
	}
	if (glyph >= 0x2800 && glyph <= 0x28ff) {
		add_braille(b, x, y, glyph, &look);
		return 1;
	}
	if (add_line(b, x, y, 1, glyph, &look))
		return 1;
	/* A double-width character with its right half; any other beyond ASCII alone; ASCII word by
	 * word. */
	if (glyph >= 0x80) {
		count = left > 1 && cells[1].glyph == 0 ? 2 : 1;
	} else {
		for (; count < left && cells[count].glyph > ' ' && cells[count].glyph < 0x80; count++) {
			struct look next = look_of(theme, &cells[count]);
			if (!same(&look, &next))
				break;
		}
	}
	add_text(b, x, y, cells, count, &look);
	return count;
}

static void add_papers(struct buf *b, const struct canvas *c, const struct theme *theme, int row, int32_t page)
{
	for (int i = 0, end; i < c->columns; i = end) {
		int32_t paper = look_of(theme, &c->cells[row * c->columns + i]).paper;
		for (end = i + 1; end < c->columns; end++) {
			if (look_of(theme, &c->cells[row * c->columns + end]).paper != paper)
				break;
		}
		if (paper == page)
			continue;
		struct look look = {.ink = paper};
		add_rect(b, x_of(i), y_of(row), (end - i) * CELL_WIDTH, CELL_HEIGHT, &look, 1);
	}
}

void render_svg(const struct canvas *c, const struct theme *theme, struct buf *b)
{
	double width = 2 * PADDING + c->columns * CELL_WIDTH, height = 2 * PADDING + c->rows * CELL_HEIGHT;
	struct cell blank = {.glyph = ' ', .role = ROLE_TEXT};
	int32_t page = look_of(theme, &blank).paper;
	buf_format(b,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.1f %.1f\" width=\"%.0f\" "
		   "height=\"%.0f\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, "
		   "monospace\" font-size=\"%d\" xml:space=\"preserve\" shape-rendering=\"crispEdges\">\n"
		   "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#%06x\"/>\n",
		   width, height, width, height, FONT_SIZE, (unsigned)page);
	for (int row = 0; row < c->rows; row++) {
		add_papers(b, c, theme, row, page);
		for (int i = 0; i < c->columns;) {
			uint32_t glyph = c->cells[row * c->columns + i].glyph;
			i += glyph == ' ' || glyph == 0 ? 1 : add_run(b, c, theme, row, i);
		}
	}
	buf_add_string(b, "</svg>\n");
}
