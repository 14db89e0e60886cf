/*
 * command: one verb of `mldeck`, as a constant record and a function.
 *
 * Usage text, completion, `help` and the man page are made from these records. The list is in
 * core/commands.h; a command is one file, <ui or runtime>/command_<name>.c, and one line there.
 */
#ifndef CORE_COMMAND_H
#define CORE_COMMAND_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ARGUMENTS_MAX 64
#define OPTIONS_MAX 32

/* --name VALUE, or a flag when value is NULL. "[VALUE]" may be left out: then there is no value, and
 * arguments_flag() says that the option is there. */
struct option_spec {
	const char *name;
	const char *value;
	const char *help;
};

/* Options that several commands share; use them in `options` tables. */
#define OPTION_SOCKET                                            \
	{                                                        \
		"socket", "PATH", "the runtime's control socket" \
	}
#define OPTION_STATE                                  \
	{                                             \
		"state", "DIR", "the state directory" \
	}
#define OPTION_JSON                        \
	{                                  \
		"json", NULL, "print JSON" \
	}
#define OPTION_REASON                                      \
	{                                                  \
		"reason", "TEXT", "why; kept in the audit" \
	}
#define OPTION_EXPECT                                                                    \
	{                                                                                \
		"expect-revision", "N", "refuse if the route is no longer at revision N" \
	}
#define OPTION_DRY_RUN                                                      \
	{                                                                   \
		"dry-run", NULL, "say what would happen and change nothing" \
	}
#define OPTION_FORCE                                                                           \
	{                                                                                      \
		"force", NULL, "override gates that do not pass; marked in the audit for ever" \
	}
#define OPTION_END               \
	{                        \
		NULL, NULL, NULL \
	}

struct arguments; /* what was typed, checked against the record */

struct command {
	const char *name;
	const char *arguments;             /* "MODEL VERSION"; [X] optional, X... several */
	const char *summary;               /* one line without a full stop */
	const char *details;               /* paragraphs for help and man page; may be NULL */
	const struct option_spec *options; /* ends with OPTION_END; may be NULL */
	/* Returns the exit code; errors were already printed to stderr (command_fail). */
	int (*run)(const struct arguments *a);
	const char *letters; /* "f=file": -f stands for --file; blanks between several; may be NULL */
};

/* Parses argv (after the verb) by the record: counts of positional arguments come from `arguments`. */
int arguments_parse(const struct command *c, int argc, char **argv, struct arguments **result, struct err *e);
void arguments_free(struct arguments *a);
size_t arguments_count(const struct arguments *a);
/* The i-th positional argument, or NULL. */
const char *arguments_at(const struct arguments *a, size_t i);
/* The value of an option (the last given), NULL when it was not given. */
const char *arguments_value(const struct arguments *a, const char *option);
/* Its value where it was given for the i-th time, from 0; NULL beyond. */
const char *arguments_value_at(const struct arguments *a, const char *option, size_t i);
bool arguments_flag(const struct arguments *a, const char *option);
/* The socket that --socket, --state and the environment name. */
int arguments_socket(const struct arguments *a, char *path, size_t size, struct err *e);
int arguments_state(const struct arguments *a, char *path, size_t size, struct err *e);

/* The letter that stands for an option, by the record's `letters`; '\0' when none does. */
char command_letter(const struct command *c, const struct option_spec *o);
/* Prints "mldeck VERB: sentence" to stderr and returns the exit code. */
int command_fail(const struct command *c, const struct err *e);
/* "usage: mldeck VERB ..." with its options. */
void command_usage(const struct command *c, FILE *out);

/* The table of all commands (core/commands.h expanded in main.c), for help and completion. */
extern const struct command *const command_table[];
extern const size_t command_count;
const struct command *command_find(const char *name);

#endif
