/*
 * render: a canvas as a document: plain text, text with ANSI colours, a picture (SVG).
 *
 * Pure functions; the bytes are added to out. Returns 0, or -1 when memory is out (out->failed).
 * Add one: write render_<format>.c, declare it here.
 */
#ifndef UI_RENDER_H
#define UI_RENDER_H

#include "core/buf.h"
#include "ui/canvas.h"
#include "ui/theme.h"

/* UTF-8 (ASCII for a canvas of CHARSET_ASCII), blanks at line ends cut, one newline a row. */
int render_text(const struct canvas *c, struct buf *out);
/* The same with SGR sequences of 24-bit colour; every line ends in the terminal's own style. */
int render_ansi(const struct canvas *c, const struct theme *theme, struct buf *out);
/* Self-contained: no font, style sheet or script from elsewhere. */
int render_svg(const struct canvas *c, const struct theme *theme, struct buf *out);

#endif
