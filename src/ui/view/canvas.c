#include "ui/view/canvas.h"

#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than the widest screen, whatever the characters. */
#define LINE_SIZE 4096

struct canvas *canvas_new(int columns, int rows, enum charset charset)
{
	columns = columns < 1 ? 1 : columns > CANVAS_COLUMNS_MAX ? CANVAS_COLUMNS_MAX : columns;
	rows = rows < 1 ? 1 : rows > CANVAS_ROWS_MAX ? CANVAS_ROWS_MAX : rows;
	struct canvas *c = malloc(sizeof(*c));
	struct cell *cells = malloc((size_t)columns * (size_t)rows * sizeof(*cells));
	if (c == NULL || cells == NULL) {
		free(c);
		free(cells);
		return NULL;
	}
	*c = (struct canvas){columns, rows, charset, cells};
	canvas_clear(c);
	return c;
}

void canvas_free(struct canvas *c)
{
	if (c == NULL)
		return;
	free(c->cells);
	free(c);
}

void canvas_clear(struct canvas *c)
{
	for (int i = 0; i < c->columns * c->rows; i++)
		c->cells[i] = (struct cell){.glyph = ' ', .role = ROLE_TEXT};
}

static struct cell *cell_at(struct canvas *c, int row, int column)
{
	if (row < 0 || column < 0 || row >= c->rows || column >= c->columns)
		return NULL;
	return &c->cells[row * c->columns + column];
}

uint32_t canvas_decode(const char *text, size_t *size)
{
	const unsigned char *s = (const unsigned char *)text;
	*size = text_character_size(text);
	switch (*size) {
	case 2:
		return (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
	case 3:
		return (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	case 4:
		return (s[0] & 0x07u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
	default:
		*size = 1;
		return s[0] < 0x80 ? s[0] : '?';
	}
}

size_t canvas_encode(uint32_t glyph, char text[5])
{
	size_t size = glyph < 0x80 ? 1 : glyph < 0x800 ? 2 : glyph < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = size; i-- > 1; glyph >>= 6)
		text[i] = (char)(0x80 | (glyph & 0x3f));
	text[0] = (char)(lead[size] | glyph);
	text[size] = '\0';
	return size;
}

struct range {
	uint32_t from, to;
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t glyph)
{
	for (size_t i = 0; i < count; i++) {
		if (glyph >= ranges[i].from && glyph <= ranges[i].to)
			return true;
	}
	return false;
}

/* The C library's wcwidth() knows nothing in the C locale, so the blocks that matter are listed
 * here. */
int canvas_glyph_width(uint32_t glyph)
{
	static const struct range zero[] = {
	    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x0300, 0x036f}, {0x0483, 0x0489},  {0x0591, 0x05bd},
	    {0x0610, 0x061c}, {0x064b, 0x065f}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},  {0x180b, 0x180e},
	    {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},  {0x20d0, 0x20ff},
	    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};
	static const struct range wide[] = {
	    {0x1100, 0x115f},  {0x231a, 0x231b}, {0x23e9, 0x23ec},   {0x26a1, 0x26a1},   {0x2705, 0x2705},
	    {0x274c, 0x274c},  {0x2e80, 0x303e}, {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
	    {0xa000, 0xa4cf},  {0xa960, 0xa97f}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
	    {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
	    {0x20000, 0x3fffd}};
	if (glyph >= 0x20 && glyph < 0x7f)
		return 1;
	if (in_ranges(zero, sizeof(zero) / sizeof(zero[0]), glyph))
		return 0;
	return in_ranges(wide, sizeof(wide) / sizeof(wide[0]), glyph) ? 2 : 1;
}

/* What stands for a character where only ASCII may be shown. */
static uint32_t ascii_for(uint32_t glyph)
{
	static const struct {
		uint32_t glyph;
		char ascii;
	} table[] = {{0x2026, '~'}, {0x00b5, 'u'},  {0x03bc, 'u'}, {0x00b7, '-'},  {0x2500, '-'}, {0x2502, '|'},
		     {0x250c, '+'}, {0x2510, '+'},  {0x2514, '+'}, {0x2518, '+'},  {0x251c, '+'}, {0x2524, '+'},
		     {0x252c, '+'}, {0x2534, '+'},  {0x253c, '+'}, {0x256d, '+'},  {0x256e, '+'}, {0x256f, '+'},
		     {0x2570, '+'}, {0x2575, '\''}, {0x2588, '#'}, {0x2587, '#'},  {0x2592, '='}, {0x2591, ':'},
		     {0x25cc, '.'}, {0x25cf, '*'},  {0x25cb, 'o'}, {0x25d0, '%'},  {0x25b2, '!'}, {0x2715, 'x'},
		     {0x25b8, '>'}, {0x2192, '>'},  {0x2190, '<'}, {0x2191, '^'},  {0x2193, 'v'}, {0x2713, 'v'},
		     {0x00d7, 'x'}, {0x2013, '-'},  {0x2014, '-'}, {0x2019, '\''}, {0x00a0, ' '}};
	if (glyph < 0x80)
		return glyph;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].glyph == glyph)
			return (uint32_t)table[i].ascii;
	}
	return '?';
}

/* Breaks the double-width character that a cell is a half of, so that no half stays behind. */
static void split_wide(struct canvas *c, int row, int column)
{
	struct cell *here = cell_at(c, row, column), *left = cell_at(c, row, column - 1);
	struct cell *right = cell_at(c, row, column + 1);
	if (here->glyph == 0 && left != NULL)
		left->glyph = ' ';
	if (right != NULL && right->glyph == 0)
		right->glyph = ' ';
}

void canvas_cell(struct canvas *c, int row, int column, uint32_t glyph, enum canvas_role role)
{
	struct cell *cell = cell_at(c, row, column);
	if (cell == NULL)
		return;
	int width = canvas_glyph_width(glyph);
	if (width == 0) {
		glyph = ' ';
		width = 1;
	}
	split_wide(c, row, column);
	struct cell *right = width == 2 ? cell_at(c, row, column + 1) : NULL;
	if (c->charset == CHARSET_ASCII) {
		glyph = ascii_for(glyph);
		if (right != NULL)
			*right = (struct cell){.glyph = ' ', .role = (uint8_t)role};
	} else if (right != NULL) {
		split_wide(c, row, column + 1);
		*right = (struct cell){.glyph = 0, .role = (uint8_t)role};
	} else if (width == 2) {
		glyph = ' '; /* half of it would hang over the edge */
	}
	*cell = (struct cell){.glyph = glyph, .role = (uint8_t)role};
}

static int clean_width(const char *clean)
{
	int width = 0;
	for (size_t size; *clean != '\0'; clean += size)
		width += canvas_glyph_width(canvas_decode(clean, &size));
	return width;
}

int canvas_width(const char *text)
{
	char clean[LINE_SIZE];
	text_clean(clean, sizeof(clean), text);
	return clean_width(clean);
}

int canvas_put(struct canvas *c, int row, int column, int width, enum canvas_role role, const char *text)
{
	char clean[LINE_SIZE];
	text_clean(clean, sizeof(clean), text);
	if (width < 0 || width > c->columns - column)
		width = c->columns - column;
	if (width <= 0)
		return column;
	bool cut = clean_width(clean) > width;
	int end = column + (cut ? width - 1 : width);
	size_t size;
	for (const char *s = clean; *s != '\0'; s += size) {
		uint32_t glyph = canvas_decode(s, &size);
		int cells = canvas_glyph_width(glyph);
		if (column + cells > end)
			break;
		if (cells > 0)
			canvas_cell(c, row, column, glyph, role);
		column += cells;
	}
	if (cut)
		canvas_cell(c, row, column++, 0x2026, role);
	return column;
}

int canvas_format(struct canvas *c, int row, int column, int width, enum canvas_role role, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return canvas_put(c, row, column, width, role, text);
}

void canvas_put_right(struct canvas *c, int row, int column, int width, enum canvas_role role, const char *text)
{
	int cells = canvas_width(text);
	if (cells < width) {
		column += width - cells;
		width = cells;
	}
	canvas_put(c, row, column, width, role, text);
}

void canvas_fill(struct canvas *c, int row, int column, int rows, int columns, uint32_t glyph, enum canvas_role role)
{
	for (int i = row < 0 ? 0 : row; i < row + rows && i < c->rows; i++) {
		for (int j = column < 0 ? 0 : column; j < column + columns && j < c->columns; j++)
			canvas_cell(c, i, j, glyph, role);
	}
}

void canvas_paint(struct canvas *c, int row, int column, int rows, int columns, enum canvas_role role)
{
	for (int i = row < 0 ? 0 : row; i < row + rows && i < c->rows; i++) {
		for (int j = column < 0 ? 0 : column; j < column + columns && j < c->columns; j++)
			cell_at(c, i, j)->role = (uint8_t)role;
	}
}

void canvas_bold(struct canvas *c, int row, int column, int columns)
{
	for (int j = column < 0 ? 0 : column; j < column + columns && j < c->columns; j++) {
		struct cell *cell = cell_at(c, row, j);
		if (cell != NULL)
			cell->bold = true;
	}
}

void canvas_select(struct canvas *c, int row, int column, int columns)
{
	for (int j = column < 0 ? 0 : column; j < column + columns && j < c->columns; j++) {
		struct cell *cell = cell_at(c, row, j);
		if (cell != NULL)
			cell->selected = true;
	}
}

void canvas_frame(struct canvas *c, int row, int column, int rows, int columns, enum canvas_role role,
		  const char *title)
{
	if (rows < 2 || columns < 2)
		return;
	int bottom = row + rows - 1, right = column + columns - 1;
	canvas_fill(c, row, column, 1, columns, 0x2500, role);
	canvas_fill(c, bottom, column, 1, columns, 0x2500, role);
	canvas_fill(c, row, column, rows, 1, 0x2502, role);
	canvas_fill(c, row, right, rows, 1, 0x2502, role);
	canvas_cell(c, row, column, 0x256d, role);
	canvas_cell(c, row, right, 0x256e, role);
	canvas_cell(c, bottom, column, 0x2570, role);
	canvas_cell(c, bottom, right, 0x256f, role);
	if (title != NULL && title[0] != '\0' && columns > 6) {
		int end = canvas_put(c, row, column + 3, columns - 6, ROLE_TITLE, title);
		canvas_bold(c, row, column + 3, end - column - 3);
		canvas_cell(c, row, column + 2, ' ', role);
		canvas_cell(c, row, end, ' ', role);
	}
}

const char *canvas_glyph(const struct canvas *c, const char *rich, const char *ascii)
{
	return c->charset == CHARSET_ASCII ? ascii : rich;
}

/* The bytes of text that fit into width cells, up to a blank where there is one among them. */
static size_t line_bytes(const char *text, int width)
{
	size_t end = 0, blank = 0;
	int used = 0;
	while (text[end] != '\0') {
		size_t step = text_character_size(text + end), ignored;
		/* What is not UTF-8 is shown as \xNN. */
		used += step > 0 ? canvas_glyph_width(canvas_decode(text + end, &ignored)) : 4;
		if (used > width)
			break;
		if (text[end] == ' ')
			blank = end;
		end += step > 0 ? step : 1;
	}
	return text[end] == '\0' || blank == 0 ? end : blank;
}

int canvas_put_wrapped(struct canvas *c, int row, int column, int width, int rows_max, enum canvas_role role,
		       const char *text)
{
	int rows = 0;
	while (*text != '\0' && rows < rows_max) {
		size_t end = line_bytes(text, width);
		rows++;
		/* The last row takes what is left; and so does one too narrow for a character. */
		if (end == 0 || text[end] == '\0' || rows == rows_max) {
			canvas_put(c, row + rows - 1, column, width, role, text);
			break;
		}
		canvas_format(c, row + rows - 1, column, width, role, "%.*s", (int)end, text);
		text += end + (text[end] == ' ');
	}
	return rows;
}
