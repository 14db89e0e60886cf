/* The command line: runs this executable's verbs off the drawing thread and shows what they print. */
#include "ui/console/console_state.h"

#include "core/buf.h"
#include "ui/console/line_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 512

static bool verb_refused(struct console *c, const char *verb)
{
	if (strcmp(verb, "predict") == 0) {
		console_say(c, ROLE_WARNING, "predict may take long; f starts it as a job");
		return true;
	}
	if (strcmp(verb, "serve") != 0 && strcmp(verb, "demo") != 0)
		return false;
	console_say(c, ROLE_WARNING, "%s runs until it is stopped; start it from a shell of its own", verb);
	return true;
}

void command_line_run(struct console *c, const char *line)
{
	char storage[sizeof(c->ui.input) + 1], *words[FETCHER_ARGUMENTS_MAX + 1];
	int count = line_split(line, storage, words, FETCHER_ARGUMENTS_MAX);
	char **verb = words;

	if (count < 0) {
		console_say(c, ROLE_WARNING, "a quote is left open, or there are too many words");
		return;
	}
	if (count > 0 && strcmp(words[0], "mldeck") == 0) {
		verb++;
		count--;
	}
	if (count == 0)
		return;
	verb[count] = NULL;
	if (strcmp(verb[0], "q") == 0 || strcmp(verb[0], "quit") == 0) {
		console_quit(c);
		return;
	}
	if (verb_refused(c, verb[0]))
		return;
	c->command_id = fetcher_run(c->fetcher, verb);
	snprintf(c->output_title, sizeof(c->output_title), "%s", line);
	c->last_command[0] = '\0';
	text_quote(c->last_command, sizeof(c->last_command), "mldeck");
	for (int i = 0; i < count; i++)
		text_quote(c->last_command, sizeof(c->last_command), verb[i]);
	console_say(c, ROLE_DIM, "running %s", verb[0]);
}

static size_t lines_of(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n' || text[1] == '\0';
	return lines;
}

/* Line number of output into line, cleaned. */
static bool line_at(const char *text, int number, char *line, size_t size)
{
	char raw[LINE_SIZE];
	size_t length;

	for (; number > 0 && text; number--) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	if (!text || !*text)
		return false;
	length = strcspn(text, "\n");
	if (length >= sizeof(raw))
		length = sizeof(raw) - 1;
	memcpy(raw, text, length);
	raw[length] = '\0';
	for (char *tab = raw; (tab = strchr(tab, '\t'));)
		*tab = ' ';
	text_clean(line, size, raw);
	return true;
}

bool command_line_answer(struct console *c, const struct fetcher_answer *a)
{
	char line[LINE_SIZE] = "";

	if (!a->id || a->id != c->command_id)
		return false;
	c->command_id = 0;
	free(c->output);
	c->output = a->output ? strdup(a->output) : NULL;
	c->output_top = 0;
	if (a->err.code != ERR_NONE)
		console_say(c, ROLE_BAD, "%s", a->err.text);
	else if (c->output && line_at(c->output, 0, line, sizeof(line)))
		console_say(c, a->status ? ROLE_BAD : ROLE_OK, "%s", line);
	else
		console_say(c, a->status ? ROLE_BAD : ROLE_OK, "%s: %s %d", c->output_title,
			    a->status ? "exit code" : "done, exit code", a->status);
	if (c->output && lines_of(c->output) > 1 && c->mode == MODE_VIEW) {
		size_t used = strlen(c->output_title);

		snprintf(c->output_title + used, sizeof(c->output_title) - used, " (exit code %d)", a->status);
		c->ui.message[0] = '\0';
		c->mode = MODE_OUTPUT;
	}
	return true;
}

static int page_rows(const struct console *c)
{
	return c->rows > 6 ? c->rows - 4 : 1;
}

void output_key(struct console *c, int key)
{
	int last = c->output ? (int)lines_of(c->output) - page_rows(c) : 0;

	switch (key) {
	case DRAW_KEY_ESCAPE:
	case DRAW_KEY_ENTER:
	case 'q':
		c->mode = MODE_VIEW;
		return;
	case DRAW_KEY_UP:
	case 'k':
		c->output_top--;
		break;
	case DRAW_KEY_DOWN:
	case 'j':
		c->output_top++;
		break;
	case DRAW_KEY_PAGE_UP:
		c->output_top -= page_rows(c);
		break;
	case DRAW_KEY_PAGE_DOWN:
	case ' ':
		c->output_top += page_rows(c);
		break;
	case 'g':
	case DRAW_KEY_HOME:
		c->output_top = 0;
		break;
	case 'G':
	case DRAW_KEY_END:
		c->output_top = last;
		break;
	default:
		break;
	}
	if (c->output_top > last)
		c->output_top = last;
	if (c->output_top < 0)
		c->output_top = 0;
}

void output_draw(struct console *c)
{
	char line[LINE_SIZE];
	int rows = page_rows(c), columns = c->columns - 2;

	canvas_fill(c->canvas, 1, 1, rows + 2, columns, ' ', ROLE_DIALOG);
	canvas_frame(c->canvas, 1, 1, rows + 2, columns, ROLE_DIALOG, c->output_title);
	for (int i = 0; i < rows && c->output; i++)
		if (line_at(c->output, c->output_top + i, line, sizeof(line)))
			canvas_put(c->canvas, 2 + i, 3, columns - 4, ROLE_DIALOG, line);
	if (c->output && (int)lines_of(c->output) > rows)
		canvas_format(c->canvas, rows + 2, 3, columns - 4, ROLE_DIALOG, " %d-%d of %zu, esc closes ",
			      c->output_top + 1, c->output_top + rows, lines_of(c->output));
	else
		canvas_put(c->canvas, rows + 2, 3, columns - 4, ROLE_DIALOG, " esc closes ");
}
