/*
 * render: a canvas as plain text, as text with ANSI colours, and as an SVG picture.
 *
 * Pure functions; any thread. A failed buffer (buf.failed) is the only error.
 */
#ifndef UI_RENDER_H
#define UI_RENDER_H

#include "core/buf.h"
#include "ui/view/canvas.h"
#include "ui/view/theme.h"

/* Lines without trailing spaces. */
void render_text(const struct canvas *c, struct buf *b);
void render_ansi(const struct canvas *c, const struct theme *theme, struct buf *b);
void render_svg(const struct canvas *c, const struct theme *theme, struct buf *b);

#endif
