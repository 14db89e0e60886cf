#include "ui/view/theme.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest theme file that is read. */
#define FILE_MAX (64 * 1024)

static const char *const role_keys[ROLE_COUNT] = {
#define X(name, key) key,
    CANVAS_ROLES(X)
#undef X
};

static const struct {
	const char *name;
	int32_t rgb;
} color_names[] = {{"default", -1},
		   {"black", 0x000000},
		   {"red", 0xcd3131},
		   {"green", 0x0dbc79},
		   {"yellow", 0xe5e510},
		   {"blue", 0x2472c8},
		   {"magenta", 0xbc3fbc},
		   {"cyan", 0x11a8cd},
		   {"white", 0xe5e5e5},
		   {"bright-black", 0x666666},
		   {"bright-red", 0xf14c4c},
		   {"bright-green", 0x23d18b},
		   {"bright-yellow", 0xf5f543},
		   {"bright-blue", 0x3b8eea},
		   {"bright-magenta", 0xd670d6},
		   {"bright-cyan", 0x29b8db},
		   {"bright-white", 0xffffff}};

struct parse {
	const char *file;
	struct theme *theme;
	struct err *e;
	bool failed; /* e is set; the first fault counts */
};

static int fail(struct parse *p, int line, const char *format, const char *what)
{
	char sentence[300];
	snprintf(sentence, sizeof(sentence), format, what);
	p->failed = true;
	err_set(p->e, ERR_INPUT, "theme %s, line %d: %s", p->file, line, sentence);
	return 0;
}

static bool parse_color(const char *text, int32_t *color)
{
	for (size_t i = 0; i < sizeof(color_names) / sizeof(color_names[0]); i++) {
		if (strcmp(text, color_names[i].name) == 0) {
			*color = color_names[i].rgb;
			return true;
		}
	}
	if (text[0] != '#' || strlen(text) != 7 || strspn(text + 1, "0123456789abcdefABCDEF") != 6)
		return false;
	*color = (int32_t)strtol(text + 1, NULL, 16);
	return true;
}

static bool parse_flag(const char *text, bool *flag)
{
	*flag = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
	return *flag || strcmp(text, "no") == 0 || strcmp(text, "false") == 0;
}

static int set_color(struct parse *p, int line, const char *value, int32_t *color)
{
	if (parse_color(value, color))
		return 1;
	return fail(p, line, "\"%s\" is not a colour; write #rrggbb, default, or a name like bright-blue", value);
}

static int set_entry(struct parse *p, int line, struct theme_style *style, const char *key, const char *value)
{
	if (strcmp(key, "foreground") == 0)
		return set_color(p, line, value, &style->foreground);
	if (strcmp(key, "background") == 0)
		return set_color(p, line, value, &style->background);
	bool *flag = strcmp(key, "bold") == 0        ? &style->bold
		     : strcmp(key, "dim") == 0       ? &style->dim
		     : strcmp(key, "reverse") == 0   ? &style->reverse
		     : strcmp(key, "underline") == 0 ? &style->underline
						     : NULL;
	if (flag == NULL)
		return fail(p, line,
			    "unknown key \"%s\"; there are foreground, background, bold, dim, reverse "
			    "and underline",
			    key);
	if (parse_flag(value, flag))
		return 1;
	return fail(p, line, "\"%s\" is neither yes nor no", value);
}

/* Distributions build inih with and without the line number handed to the handler: lines are
 * counted by the reader below instead. */
struct reader {
	const char *next;
	int line;
	struct parse parse;
};

static char *read_line(char *line, int size, void *stream)
{
	struct reader *r = stream;
	if (*r->next == '\0')
		return NULL;
	size_t length = strcspn(r->next, "\n");
	size_t used = length < (size_t)size - 2 ? length : (size_t)size - 2;
	memcpy(line, r->next, used);
	line[used] = '\n';
	line[used + 1] = '\0';
	r->next += length + (r->next[length] == '\n');
	r->line++;
	return line;
}

static int handle(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;
	struct parse *p = &r->parse;
	if (p->failed)
		return 0;
	for (int i = 0; i < ROLE_COUNT; i++) {
		if (strcmp(section, role_keys[i]) == 0)
			return set_entry(p, r->line, &p->theme->styles[i], key, value);
	}
	return fail(p, r->line, "unknown section [%s]; a section is a role such as [text] or [live]", section);
}

int theme_parse(const char *name, const char *text, struct theme *theme, struct err *e)
{
	struct theme result = {0};
	struct reader reader = {text, 0, {name, &result, e, false}};
	const char *slash = strrchr(name, '/');
	snprintf(result.name, sizeof(result.name), "%.31s", slash != NULL ? slash + 1 : name);
	for (int i = 0; i < ROLE_COUNT; i++)
		result.styles[i].foreground = result.styles[i].background = -1;
	int line = ini_parse_stream(read_line, &reader, handle, &reader);
	if (reader.parse.failed)
		return -1;
	if (line < 0)
		return err_set(e, ERR_MEMORY, "theme %s: no memory is left", name);
	if (line > 0)
		return err_set(e, ERR_INPUT,
			       "theme %s, line %d: neither a [section] nor a line of the form key = value", name, line);
	*theme = result;
	return 0;
}

static int load_file(const char *path, struct theme *theme, struct err *e)
{
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return err_errno(e, errno, "theme %s", path);
	char *text = malloc(FILE_MAX + 1);
	int result = -1;
	if (text == NULL) {
		err_set(e, ERR_MEMORY, "theme %s: no memory is left", path);
		goto out;
	}
	size_t size = fread(text, 1, FILE_MAX + 1, file);
	if (ferror(file)) {
		err_set(e, ERR_INPUT, "theme %s cannot be read", path);
	} else if (size > FILE_MAX) {
		err_set(e, ERR_TOO_LARGE, "theme %s is larger than 64 KiB", path);
	} else if (memchr(text, '\0', size) != NULL) {
		err_set(e, ERR_INPUT, "theme %s is not a text file", path);
	} else {
		text[size] = '\0';
		result = theme_parse(path, text, theme, e);
	}
out:
	free(text);
	fclose(file);
	return result;
}

int theme_load(const char *name_or_path, struct theme *theme, struct err *e)
{
	if (strchr(name_or_path, '/') != NULL)
		return load_file(name_or_path, theme, e);
	char names[200] = "";
	for (const struct theme_file *f = theme_files; f->name != NULL; f++) {
		if (strcmp(f->name, name_or_path) == 0)
			return theme_parse(f->name, f->text, theme, e);
		size_t used = strlen(names);
		snprintf(names + used, sizeof(names) - used, "%s%s", used > 0 ? ", " : "", f->name);
	}
	return err_set(e, ERR_INPUT, "there is no theme \"%s\"; there are %s, or give a path with a / in it",
		       name_or_path, names);
}

struct theme_style theme_cell(const struct theme *theme, const struct cell *cell)
{
	struct theme_style style = theme->styles[cell->role];
	const struct theme_style *selected = &theme->styles[ROLE_SELECTED];
	if (cell->selected) {
		style.background = selected->background;
		style.reverse = style.reverse || selected->reverse;
	}
	style.bold = style.bold || cell->bold;
	return style;
}
