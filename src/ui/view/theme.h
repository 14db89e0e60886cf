/*
 * theme: the colours of every role, from an INI file of themes/ (built into the executable) or of the user.
 *
 * A plain value. State is always shown as glyph plus word, so a theme may have no colour at all (mono).
 */
#ifndef UI_THEME_H
#define UI_THEME_H

#include "core/err.h"
#include "ui/view/canvas.h"

#include <stdbool.h>
#include <stdint.h>

#define THEME_DEFAULT "deck"

struct theme_style {
	int32_t foreground, background; /* 0xRRGGBB; -1: the terminal's own */
	bool bold, dim, reverse, underline;
};

struct theme {
	char name[32];
	struct theme_style styles[ROLE_COUNT];
};

/* One theme file that was built in (build-time generated table, ends with a NULL name). */
struct theme_file {
	const char *name;
	const char *text;
};
extern const struct theme_file theme_files[];

/* By a built-in name, or a path when it holds a '/'. ERR_INPUT names the line, section or colour at fault
 * and, for an unknown name, the names there are. */
int theme_load(const char *name_or_path, struct theme *theme, struct err *e);
/* From text; name is for messages. */
int theme_parse(const char *name, const char *text, struct theme *theme, struct err *e);

/* How a cell looks: its role's style, on the background of SELECTED where it is selected. */
struct theme_style theme_cell(const struct theme *theme, const struct cell *cell);

#endif
