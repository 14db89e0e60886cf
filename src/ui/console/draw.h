/*
 * draw: canvases to a terminal, and keys from it. The only file that knows curses.
 *
 * One a process, used by the drawing thread. Curses writes into memory; what it wrote is the frame, which
 * goes to the terminal as fast as that takes it (draw_flush), so nothing here ever waits for a slow line.
 * Only changed cells are sent: an unchanged canvas costs no byte.
 * Not here: line settings and signals (terminal_guard).
 */
#ifndef UI_DRAW_H
#define UI_DRAW_H

#include "core/err.h"
#include "ui/view/canvas.h"
#include "ui/view/theme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct draw;

/* What draw_key() gives besides Unicode characters. */
enum draw_key {
	DRAW_KEY_NONE = 0,
	DRAW_KEY_UP = 0x110000,
	DRAW_KEY_DOWN,
	DRAW_KEY_LEFT,
	DRAW_KEY_RIGHT,
	DRAW_KEY_SHIFT_LEFT,
	DRAW_KEY_SHIFT_RIGHT,
	DRAW_KEY_PAGE_UP,
	DRAW_KEY_PAGE_DOWN,
	DRAW_KEY_HOME,
	DRAW_KEY_END,
	DRAW_KEY_DELETE,
	DRAW_KEY_BACKSPACE,
	DRAW_KEY_TAB,
	DRAW_KEY_BACK_TAB,
	DRAW_KEY_ENTER,
	DRAW_KEY_ESCAPE,
};

/* Opens the terminal behind standard output, of type $TERM. ERR_UNSUPPORTED with a sentence for a terminal
 * that cannot place characters (TERM=dumb) or that terminfo does not know. */
int draw_open(struct draw **result, struct err *e);
/* Does not give the screen back: terminal_guard_leave() does, with the reset bytes. */
void draw_close(struct draw *d);
/* The terminal: readable when a key waits, writable when it takes more. */
int draw_terminal(const struct draw *d);
/* The bytes that bring the shell's screen back; valid until draw_close(). */
const char *draw_reset_bytes(const struct draw *d, size_t *size);
void draw_theme(struct draw *d, const struct theme *theme);
/* Asks the terminal for its size and takes it over. */
void draw_resize(struct draw *d, int *columns, int *rows);
/* The next frame is sent whole, with the bytes that set the screen up. */
void draw_anew(struct draw *d);
/* Makes the frame of a canvas of the terminal's size. Only when nothing is pending. */
void draw_canvas(struct draw *d, const struct canvas *c);
/* Adds bytes that are no cells (the clipboard's). */
void draw_raw(struct draw *d, const char *bytes, size_t size);
/* Bytes that the terminal has not taken yet. */
size_t draw_pending(const struct draw *d);
/* Hands over what the terminal takes now. ERR_SYSTEM when it is gone. */
int draw_flush(struct draw *d, struct err *e);
/* The next key, or DRAW_KEY_NONE when none waits. */
int draw_key(struct draw *d);
/* Bytes sent since the start. */
uint64_t draw_bytes(const struct draw *d);

/* $MLDECK_CHARSET (braille, blocks, ascii), else what the locale can show. ERR_INPUT for another word. */
int draw_charset(enum charset *charset, struct err *e);

#endif
