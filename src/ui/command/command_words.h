/*
 * command_words: a command as it was typed, a word at a time, for the job that it is.
 *
 * Owner: the caller; strings are the arguments', or in the struct. Not here: how a shell reads it (text_quote).
 */
#ifndef UI_COMMAND_WORDS_H
#define UI_COMMAND_WORDS_H

#include "core/command.h"

#define COMMAND_WORDS_MAX (ARGUMENTS_MAX + 2 * OPTIONS_MAX + 3)

struct command_words {
	size_t count;
	const char *words[COMMAND_WORDS_MAX];
	char dashed[OPTIONS_MAX][32]; /* private: "--name" */
};

/* "mldeck", the verb, its options, and its positional arguments; trailing: they stand behind a "--" but for the first,
 * as another program's command does. */
void command_words_make(const struct command *c, const struct arguments *a, bool trailing, struct command_words *w);

#endif
