#include "ui/console/draw.h"

#include "core/buf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

#define ESCAPE_WAIT_MS 25

/* Every role, and every role on the background of the selected line. */
#define STYLES (2 * ROLE_COUNT)

struct draw {
	int tty;        /* own open file description, non-blocking */
	int memory;     /* where curses writes to */
	FILE *out, *in; /* for curses: memory and tty */
	SCREEN *screen;
	WINDOW *keys; /* a pad: reading keys from it never refreshes anything */
	struct cell *shown;
	int columns, rows;
	struct buf pending;
	size_t sent; /* of pending */
	uint64_t bytes;
	char reset[160];
	size_t reset_size;
	struct buf setup;          /* what curses wrote to set the screen up */
	attr_t attributes[STYLES]; /* by style_of() */
	int pairs[STYLES];
	bool colours;
};

int draw_charset(enum charset *charset, struct err *e)
{
	const char *wish = getenv("MLDECK_CHARSET");
	const char *codeset = nl_langinfo(CODESET);
	bool unicode = strcmp(codeset, "UTF-8") == 0 || strcmp(codeset, "utf8") == 0;

	*charset = unicode ? CHARSET_BRAILLE : CHARSET_ASCII;
	if (!wish || !*wish)
		return 0;
	if (strcmp(wish, "ascii") == 0)
		*charset = CHARSET_ASCII;
	else if (strcmp(wish, "blocks") == 0)
		*charset = unicode ? CHARSET_BLOCKS : CHARSET_ASCII;
	else if (strcmp(wish, "braille") != 0)
		return err_set(e, ERR_INPUT, "MLDECK_CHARSET is %s; it may be braille, blocks or ascii", wish);
	return 0;
}

/* A description of our own, so that being non-blocking does not leak into the shell. */
static int terminal_open(struct err *e)
{
	static const char *const paths[] = {"/proc/self/fd/1", "/dev/tty"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd >= 0 && isatty(fd))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return err_errno(e, errno, "the terminal cannot be opened");
}

/* Adds a capability without its padding ("$<5>"), which no terminal of today needs. */
static void reset_add(struct draw *d, const char *name)
{
	const char *text = tigetstr(name);

	if (!text || text == (const char *)-1)
		return;
	while (*text && d->reset_size < sizeof(d->reset)) {
		const char *end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;

		if (end)
			text = end + 1;
		else
			d->reset[d->reset_size++] = *text++;
	}
}

static int nearest_level(int value)
{
	static const int levels[] = {0, 95, 135, 175, 215, 255};
	int best = 0;

	for (int i = 1; i < 6; i++)
		if (abs(levels[i] - value) < abs(levels[best] - value))
			best = i;
	return best;
}

static int distance(int r, int g, int b, int red, int green, int blue)
{
	return (r - red) * (r - red) + (g - green) * (g - green) + (b - blue) * (b - blue);
}

/* The colour cube and the grey ramp that terminals of 256 colours share. */
static int colour_256(int r, int g, int b)
{
	static const int levels[] = {0, 95, 135, 175, 215, 255};
	int ri = nearest_level(r), gi = nearest_level(g), bi = nearest_level(b);
	int grey = ((r + g + b) / 3 - 8 + 5) / 10;
	int level;

	grey = grey < 0 ? 0 : grey > 23 ? 23 : grey;
	level = 8 + grey * 10;
	if (distance(r, g, b, level, level, level) < distance(r, g, b, levels[ri], levels[gi], levels[bi]))
		return 232 + grey;
	return 16 + 36 * ri + 6 * gi + bi;
}

static int colour_16(int r, int g, int b, int count)
{
	static const int palette[16][3] = {
	    {0, 0, 0},     {205, 0, 0},     {0, 205, 0},     {205, 205, 0},   {0, 0, 238}, {205, 0, 205},
	    {0, 205, 205}, {229, 229, 229}, {127, 127, 127}, {255, 0, 0},     {0, 255, 0}, {255, 255, 0},
	    {92, 92, 255}, {255, 0, 255},   {0, 255, 255},   {255, 255, 255},
	};
	int best = 0, best_distance = INT_MAX;

	for (int i = 0; i < 16; i++) {
		int d = distance(r, g, b, palette[i][0], palette[i][1], palette[i][2]);

		if (d < best_distance) {
			best = i;
			best_distance = d;
		}
	}
	return best % count;
}

static int colour(int32_t rgb)
{
	int r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255;

	if (rgb < 0)
		return -1;
	if (tigetflag("RGB") > 0 && COLORS > 256)
		return rgb;
	if (COLORS >= 256)
		return colour_256(r, g, b);
	return colour_16(r, g, b, COLORS >= 16 ? 16 : 8);
}

static int style_of(const struct cell *cell)
{
	int role = cell->role < ROLE_COUNT ? cell->role : ROLE_TEXT;

	return role + (cell->selected ? ROLE_COUNT : 0);
}

void draw_theme(struct draw *d, const struct theme *theme)
{
	for (int i = 0; i < STYLES; i++) {
		struct cell cell = {.glyph = ' ', .role = (uint8_t)(i % ROLE_COUNT), .selected = i >= ROLE_COUNT};
		struct theme_style s = theme_cell(theme, &cell);
		/* Without colours a background of its own still has to show which line is selected. */
		bool own = s.background >= 0 && s.background != theme->styles[ROLE_TEXT].background;
		attr_t a = A_NORMAL;

		a |= s.bold ? A_BOLD : 0;
		a |= s.dim ? A_DIM : 0;
		a |= s.underline ? A_UNDERLINE : 0;
		a |= s.reverse || (!d->colours && own) ? A_REVERSE : 0;
		d->attributes[i] = a;
		d->pairs[i] = 0;
		if (d->colours && (s.foreground >= 0 || s.background >= 0) &&
		    init_extended_pair(i + 1, colour(s.foreground), colour(s.background)) == OK)
			d->pairs[i] = i + 1;
	}
	draw_anew(d);
}

/* Moves what curses wrote to the end of b. */
static void memory_take(struct draw *d, struct buf *b)
{
	off_t size = lseek(d->memory, 0, SEEK_CUR);

	if (size <= 0)
		return;
	if (buf_reserve(b, (size_t)size) == 0) {
		ssize_t n = pread(d->memory, b->data + b->size, (size_t)size, 0);

		if (n > 0) {
			b->size += (size_t)n;
			b->data[b->size] = '\0';
		}
	}
	lseek(d->memory, 0, SEEK_SET);
}

static int screen_start(struct draw *d, struct err *e)
{
	const char *type = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");

	if (!type || !*type || strcmp(type, "dumb") == 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "the console needs a terminal that can place characters, and TERM is %s; "
			       "set TERM, or use `mldeck status`",
			       type && *type ? type : "not set");
	d->memory = memfd_create("frame", MFD_CLOEXEC);
	if (d->memory < 0)
		return err_errno(e, errno, "there is no memory for the screen");
	d->out = fdopen(dup(d->memory), "w");
	d->in = fdopen(dup(d->tty), "r");
	if (!d->out || !d->in)
		return err_set(e, ERR_MEMORY, "memory is out");
	fcntl(fileno(d->out), F_SETFD, FD_CLOEXEC);
	fcntl(fileno(d->in), F_SETFD, FD_CLOEXEC);
	d->screen = newterm(type, d->out, d->in);
	if (!d->screen || !tigetstr("cup") || tigetstr("cup") == (char *)-1)
		return err_set(e, ERR_UNSUPPORTED,
			       "the console cannot drive a terminal of type %s; set TERM to a type that "
			       "terminfo knows, or use `mldeck status`",
			       type);
	d->colours = !(no_colour && *no_colour) && has_colors() && start_color() == OK;
	if (d->colours)
		use_default_colors();
	return 0;
}

static void screen_settings(struct draw *d)
{
	set_escdelay(ESCAPE_WAIT_MS);
	noecho();
	nonl();
	typeahead(-1); /* a frame is made whole, whatever is typed meanwhile */
	curs_set(0);
	leaveok(stdscr, TRUE);
	d->keys = newpad(1, 1);
	if (d->keys) {
		keypad(d->keys, TRUE);
		nodelay(d->keys, TRUE);
		wgetch(d->keys); /* sends what switches the keypad on */
	}
	fflush(d->out);
	reset_add(d, "sgr0");
	reset_add(d, "op");
	reset_add(d, "rmkx");
	reset_add(d, "cnorm");
	reset_add(d, "rmcup");
}

int draw_open(struct draw **result, struct err *e)
{
	struct draw *d = calloc(1, sizeof(*d));
	int columns, rows;

	*result = NULL;
	if (!d)
		return err_set(e, ERR_MEMORY, "memory is out");
	d->memory = d->tty = -1;
	buf_init(&d->pending);
	buf_init(&d->setup);
	d->tty = terminal_open(e);
	if (d->tty < 0 || screen_start(d, e) != 0) {
		draw_close(d);
		return -1;
	}
	screen_settings(d);
	memory_take(d, &d->setup);
	draw_resize(d, &columns, &rows);
	*result = d;
	return 0;
}

void draw_close(struct draw *d)
{
	if (!d)
		return;
	if (d->screen) {
		if (d->keys)
			delwin(d->keys);
		endwin();
		delscreen(d->screen);
	}
	if (d->out)
		fclose(d->out);
	if (d->in)
		fclose(d->in);
	if (d->memory >= 0)
		close(d->memory);
	if (d->tty >= 0)
		close(d->tty);
	buf_release(&d->pending);
	buf_release(&d->setup);
	free(d->shown);
	free(d);
}

int draw_terminal(const struct draw *d)
{
	return d->tty;
}

const char *draw_reset_bytes(const struct draw *d, size_t *size)
{
	*size = d->reset_size;
	return d->reset;
}

void draw_anew(struct draw *d)
{
	clearok(curscr, TRUE);
	free(d->shown);
	d->shown = NULL;
}

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

void draw_resize(struct draw *d, int *columns, int *rows)
{
	struct winsize size = {0};

	if (ioctl(d->tty, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
		size.ws_col = 80;
		size.ws_row = 24;
	}
	d->columns = *columns = clamp(size.ws_col, 1, CANVAS_COLUMNS_MAX);
	d->rows = *rows = clamp(size.ws_row, 1, CANVAS_ROWS_MAX);
	resizeterm(d->rows, d->columns);
	draw_anew(d);
}

static void cell_put(struct draw *d, int row, int column, const struct cell *cell)
{
	wchar_t text[2] = {(wchar_t)cell->glyph, L'\0'};
	int style = style_of(cell);
	attr_t attributes = d->attributes[style] | (cell->bold ? A_BOLD : 0);
	int pair = d->pairs[style];
	cchar_t c;

	if (cell->glyph < 32 || cell->glyph == 127)
		text[0] = L' ';
	else if (cell->glyph > 127 && wcwidth(text[0]) < 1)
		text[0] = L'?';
	if (setcchar(&c, text, attributes, 0, &pair) == OK)
		mvadd_wch(row, column, &c);
}

static bool cell_same(const struct cell *a, const struct cell *b)
{
	return a->glyph == b->glyph && a->role == b->role && a->bold == b->bold && a->selected == b->selected;
}

/* Puts the cells that differ; whether any did. */
static bool cells_put(struct draw *d, const struct canvas *c)
{
	bool changed = false;

	for (int row = 0; row < d->rows && row < c->rows; row++)
		for (int column = 0; column < d->columns && column < c->columns; column++) {
			size_t at = (size_t)row * (size_t)c->columns + (size_t)column;
			const struct cell *cell = &c->cells[at];

			if (d->shown && cell_same(cell, &d->shown[at]))
				continue;
			changed = true;
			if (cell->glyph != 0)
				cell_put(d, row, column, cell);
		}
	return changed;
}

void draw_canvas(struct draw *d, const struct canvas *c)
{
	size_t size = (size_t)c->columns * (size_t)c->rows * sizeof(*c->cells);
	bool whole = !d->shown;

	if (c->columns != d->columns || c->rows != d->rows || !cells_put(d, c))
		return;
	if (!d->shown)
		d->shown = malloc(size);
	if (d->shown)
		memcpy(d->shown, c->cells, size);
	if (whole)
		buf_add(&d->pending, d->setup.data, d->setup.size);
	wnoutrefresh(stdscr);
	doupdate();
	fflush(d->out);
	memory_take(d, &d->pending);
}

void draw_raw(struct draw *d, const char *bytes, size_t size)
{
	buf_add(&d->pending, bytes, size);
}

size_t draw_pending(const struct draw *d)
{
	return d->pending.size - d->sent;
}

int draw_flush(struct draw *d, struct err *e)
{
	while (d->sent < d->pending.size) {
		ssize_t n = write(d->tty, d->pending.data + d->sent, d->pending.size - d->sent);

		if (n > 0) {
			d->sent += (size_t)n;
			d->bytes += (uint64_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			return 0;
		} else if (n < 0 && errno != EINTR) {
			return err_errno(e, errno, "the terminal is gone");
		}
	}
	buf_clear(&d->pending);
	d->sent = 0;
	return 0;
}

uint64_t draw_bytes(const struct draw *d)
{
	return d->bytes;
}

/* Curses' codes as ours; what we do not use is DRAW_KEY_NONE. */
static int key_code(wint_t code)
{
	static const struct {
		wint_t code;
		int key;
	} keys[] = {
	    {KEY_UP, DRAW_KEY_UP},
	    {KEY_DOWN, DRAW_KEY_DOWN},
	    {KEY_LEFT, DRAW_KEY_LEFT},
	    {KEY_RIGHT, DRAW_KEY_RIGHT},
	    {KEY_PPAGE, DRAW_KEY_PAGE_UP},
	    {KEY_NPAGE, DRAW_KEY_PAGE_DOWN},
	    {KEY_HOME, DRAW_KEY_HOME},
	    {KEY_END, DRAW_KEY_END},
	    {KEY_DC, DRAW_KEY_DELETE},
	    {KEY_BACKSPACE, DRAW_KEY_BACKSPACE},
	    {KEY_SLEFT, DRAW_KEY_SHIFT_LEFT},
	    {KEY_SRIGHT, DRAW_KEY_SHIFT_RIGHT},
	    {KEY_BTAB, DRAW_KEY_BACK_TAB},
	    {KEY_ENTER, DRAW_KEY_ENTER},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return DRAW_KEY_NONE;
}

static int key_character(wint_t c)
{
	switch (c) {
	case 27:
		return DRAW_KEY_ESCAPE;
	case '\r':
	case '\n':
		return DRAW_KEY_ENTER;
	case '\t':
		return DRAW_KEY_TAB;
	case 8:
	case 127:
		return DRAW_KEY_BACKSPACE;
	default:
		return (int)c;
	}
}

int draw_key(struct draw *d)
{
	wint_t c = 0;

	for (;;) {
		int kind = d->keys ? wget_wch(d->keys, &c) : ERR;

		if (kind == ERR)
			return DRAW_KEY_NONE;
		int key = kind == KEY_CODE_YES ? key_code(c) : key_character(c);

		if (key != DRAW_KEY_NONE)
			return key;
	}
}
