#include "ui/command/command_words.h"

#include <stdio.h>

static void add(struct command_words *w, const char *word)
{
	if (word != NULL && w->count < COMMAND_WORDS_MAX)
		w->words[w->count++] = word;
}

static void add_options(const struct command *c, const struct arguments *a, struct command_words *w)
{
	size_t i = 0;

	for (const struct option_spec *o = c->options; o != NULL && o->name != NULL && i < OPTIONS_MAX; o++) {
		if (!arguments_flag(a, o->name))
			continue;
		snprintf(w->dashed[i], sizeof w->dashed[i], "--%s", o->name);
		add(w, w->dashed[i++]);
		add(w, arguments_value(a, o->name));
	}
}

void command_words_make(const struct command *c, const struct arguments *a, bool trailing, struct command_words *w)
{
	w->count = 0;
	add(w, "mldeck");
	add(w, c->name);
	add(w, arguments_at(a, 0));
	for (size_t i = 1; !trailing && i < arguments_count(a); i++)
		add(w, arguments_at(a, i));
	add_options(c, a, w);
	if (!trailing)
		return;
	add(w, "--");
	for (size_t i = 1; i < arguments_count(a); i++)
		add(w, arguments_at(a, i));
}
