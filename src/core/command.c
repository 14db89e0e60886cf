#include "core/command.h"

#include "core/paths.h"
#include "core/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMNS 96

struct given {
	const char *name;
	const char *value; /* NULL for a flag */
};

struct arguments {
	const struct command *command;
	size_t count;
	const char *positional[ARGUMENTS_MAX];
	size_t given_count;
	struct given given[OPTIONS_MAX];
};

static const struct option_spec option_help = {"help", NULL, "show this help"};

static const struct option_spec *option_find(const struct command *c, const char *name, size_t size)
{
	if (size == strlen(option_help.name) && memcmp(name, option_help.name, size) == 0)
		return &option_help;
	for (const struct option_spec *o = c->options; o && o->name; o++)
		if (strlen(o->name) == size && memcmp(o->name, name, size) == 0)
			return o;
	return NULL;
}

static int given_add(struct arguments *a, const struct option_spec *o, const char *value, struct err *e)
{
	if (a->given_count == OPTIONS_MAX)
		return err_set(e, ERR_USAGE, "there are more than %d options", OPTIONS_MAX);
	a->given[a->given_count++] = (struct given){o->name, value};
	return 0;
}

/* "-5" and "-.5" are numbers and "-" is a file, so none of them is an option. */
static bool looks_like_option(const char *text)
{
	return text[0] == '-' && text[1] != '\0' && !isdigit((unsigned char)text[1]) &&
	       !(text[1] == '.' && isdigit((unsigned char)text[2]));
}

/* The option that a letter stands for, by the record's "f=file o=output"; NULL for none. */
static const struct option_spec *letter_find(const struct command *c, char letter)
{
	if (letter == 'h')
		return &option_help;
	for (const char *word = c->letters ? c->letters : ""; *word; word += strspn(word, " ")) {
		size_t size = strcspn(word, " ");

		if (word[0] == letter && size > 2)
			return option_find(c, word + 2, size - 2);
		word += size;
	}
	return NULL;
}

char command_letter(const struct command *c, const struct option_spec *o)
{
	for (char letter = 'a'; letter <= 'z'; letter++)
		if (letter_find(c, letter) == o)
			return letter;
	return '\0';
}

/* The rest of "--name", "--name=value" or "--name" before its value; equals: before the value, or NULL. */
static int value_read(struct arguments *a, const struct option_spec *o, const char *equals, int argc, char **argv,
		      int *i, struct err *e)
{
	if (!o->value) {
		if (equals)
			return err_set(e, ERR_USAGE, "--%s takes no value", o->name);
		return given_add(a, o, NULL, e);
	}
	if (equals)
		return given_add(a, o, equals + 1, e);
	/* "[VALUE]" may be left out. */
	if (o->value[0] == '[' && (*i + 1 >= argc || looks_like_option(argv[*i + 1])))
		return given_add(a, o, NULL, e);
	if (*i + 1 >= argc)
		return err_set(e, ERR_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->value);
	return given_add(a, o, argv[++*i], e);
}

/* argv[*i] begins with two dashes. */
static int option_read(struct arguments *a, int argc, char **argv, int *i, struct err *e)
{
	const char *name = argv[*i] + 2;
	const char *equals = strchr(name, '=');
	size_t size = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_spec *o = option_find(a->command, name, size);

	if (!o)
		return err_set(e, ERR_USAGE, "there is no option --%.*s", (int)size, name);
	return value_read(a, o, equals, argc, argv, i, e);
}

/* argv[*i] is "-f". */
static int letter_read(struct arguments *a, int argc, char **argv, int *i, struct err *e)
{
	const char *text = argv[*i];
	const struct option_spec *o = text[2] == '\0' ? letter_find(a->command, text[1]) : NULL;

	if (!o)
		return err_set(e, ERR_USAGE, "there is no option %s", text);
	return value_read(a, o, NULL, argc, argv, i, e);
}

static int positional_add(struct arguments *a, const char *text, struct err *e)
{
	if (a->count == ARGUMENTS_MAX)
		return err_set(e, ERR_USAGE, "there are more than %d arguments", ARGUMENTS_MAX);
	a->positional[a->count++] = text;
	return 0;
}

static int arguments_read(struct arguments *a, int argc, char **argv, struct err *e)
{
	bool options_end = false;

	for (int i = 0; i < argc; i++) {
		const char *text = argv[i];

		if (!options_end && strcmp(text, "--") == 0) {
			options_end = true;
		} else if (options_end || !looks_like_option(text)) {
			if (positional_add(a, text, e) != 0)
				return -1;
		} else if (text[1] != '-') {
			if (letter_read(a, argc, argv, &i, e) != 0)
				return -1;
		} else if (option_read(a, argc, argv, &i, e) != 0) {
			return -1;
		}
	}
	return 0;
}

/* Checks the count of positional arguments against "MODEL [VERSION]" or "MODEL SHARE...". */
static int arguments_check(const struct arguments *a, struct err *e)
{
	const char *word = a->command->arguments ? a->command->arguments : "";
	size_t most = 0;
	bool several = false;

	while (*word) {
		size_t size = strcspn(word, " ");

		most++;
		if (size >= 3 && memmem(word, size, "...", 3))
			several = true;
		if (word[0] != '[' && a->count < most)
			return err_set(e, ERR_USAGE, "%.*s is missing", (int)size, word);
		word += size;
		word += strspn(word, " ");
	}
	if (!several && a->count > most)
		return err_set(e, ERR_USAGE, "the argument %s is one too many", a->positional[most]);
	return 0;
}

int arguments_parse(const struct command *c, int argc, char **argv, struct arguments **result, struct err *e)
{
	struct arguments *a = calloc(1, sizeof(*a));

	*result = NULL;
	if (!a)
		return err_set(e, ERR_MEMORY, "memory is out");
	a->command = c;
	if (arguments_read(a, argc, argv, e) != 0 || (!arguments_flag(a, "help") && arguments_check(a, e) != 0)) {
		free(a);
		return -1;
	}
	*result = a;
	return 0;
}

void arguments_free(struct arguments *a)
{
	free(a);
}

size_t arguments_count(const struct arguments *a)
{
	return a->count;
}

const char *arguments_at(const struct arguments *a, size_t i)
{
	return i < a->count ? a->positional[i] : NULL;
}

static const struct given *given_find(const struct arguments *a, const char *option)
{
	for (size_t i = a->given_count; i-- > 0;)
		if (strcmp(a->given[i].name, option) == 0)
			return &a->given[i];
	return NULL;
}

const char *arguments_value(const struct arguments *a, const char *option)
{
	const struct given *g = given_find(a, option);

	return g ? g->value : NULL;
}

const char *arguments_value_at(const struct arguments *a, const char *option, size_t i)
{
	for (size_t k = 0; k < a->given_count; k++)
		if (strcmp(a->given[k].name, option) == 0 && i-- == 0)
			return a->given[k].value;
	return NULL;
}

bool arguments_flag(const struct arguments *a, const char *option)
{
	return given_find(a, option) != NULL;
}

int arguments_state(const struct arguments *a, char *path, size_t size, struct err *e)
{
	const char *state = arguments_value(a, "state");

	if (!state)
		return paths_state(path, size, e);
	if (!*state)
		return err_set(e, ERR_USAGE, "--state needs the name of a directory");
	if (strlen(state) >= size)
		return err_set(e, ERR_INPUT, "the name of the state directory is longer than %zu bytes", size - 1);
	memcpy(path, state, strlen(state) + 1);
	return 0;
}

int arguments_socket(const struct arguments *a, char *path, size_t size, struct err *e)
{
	const char *socket_path = arguments_value(a, "socket");
	const char *state_given = arguments_value(a, "state");
	char state[PATHS_SIZE];

	if (socket_path) {
		/* 107 bytes fit into the address of a Unix socket. */
		if (!*socket_path || strlen(socket_path) > 107 || strlen(socket_path) >= size)
			return err_set(e, ERR_INPUT, "--socket needs a path of 1 to 107 bytes; this one has %zu",
				       strlen(socket_path));
		memcpy(path, socket_path, strlen(socket_path) + 1);
		return 0;
	}
	if (arguments_state(a, state, sizeof(state), e) != 0)
		return -1;
	if (!state_given)
		return paths_socket(state, path, size, e);
	/* What was typed outranks MLDECK_SOCKET of the environment. */
	if (strlen(state) + strlen("/control/mldeck.sock") > 107 || size < 108)
		return err_set(e, ERR_INPUT,
			       "%s/control/mldeck.sock is longer than a socket's path "
			       "may be (107 bytes); give a shorter --state",
			       state);
	snprintf(path, size, "%s/control/mldeck.sock", state);
	return 0;
}

static void usage_line(const struct command *c, FILE *out)
{
	fprintf(out, "usage: mldeck %s%s%s", c->name, c->arguments && *c->arguments ? " " : "",
		c->arguments ? c->arguments : "");
	fputs(c->options && c->options->name ? " [OPTION...]\n" : "\n", out);
}

static void usage_option(const struct command *c, const struct option_spec *o, FILE *out)
{
	const char letter[] = {'-', command_letter(c, o), ',', ' ', '\0'};
	char left[64];

	snprintf(left, sizeof(left), "%s--%s%s%s", letter[1] && o != &option_help ? letter : "", o->name,
		 o->value ? " " : "", o->value ? o->value : "");
	fprintf(out, "  %-24s %s\n", left, o->help);
}

/* Paragraphs, broken at blanks; lines that are short enough stand as they are. */
static void print_wrapped(const char *text, FILE *out)
{
	while (*text) {
		size_t size = strcspn(text, "\n"), end = size;
		if (size > HELP_COLUMNS) {
			for (end = HELP_COLUMNS; end > 0 && text[end] != ' ';)
				end--;
			if (end == 0) /* one long word */
				end = strcspn(text, " \n");
		}
		fprintf(out, "%.*s\n", (int)end, text);
		text += end + (text[end] != '\0');
	}
}

void command_usage(const struct command *c, FILE *out)
{
	usage_line(c, out);
	fprintf(out, "%s.\n", c->summary);
	if (c->details) {
		fputc('\n', out);
		print_wrapped(c->details, out);
	}
	fputs("\noptions:\n", out);
	for (const struct option_spec *o = c->options; o && o->name; o++)
		usage_option(c, o, out);
	usage_option(c, &option_help, out);
}

int command_fail(const struct command *c, const struct err *e)
{
	const char *text = e->text[0] ? e->text : "something failed without saying what";

	fflush(stdout);
	fprintf(stderr, "mldeck %s: %s\n", c->name, text);
	if (e->code == ERR_USAGE) {
		usage_line(c, stderr);
		fprintf(stderr, "`mldeck %s --help` explains the options.\n", c->name);
	}
	return err_exit(e->code == ERR_NONE ? ERR_SYSTEM : e->code);
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(command_table[i]->name, name) == 0)
			return command_table[i];
	return NULL;
}
