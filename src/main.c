#include "core/command.h"
#include "core/commands.h"
#include "core/paths.h"
#include "ui/console/console.h"

#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define X(name) extern const struct command command_##name;
COMMANDS(X)
#undef X

const struct command *const command_table[] = {
#define X(name) &command_##name,
    COMMANDS(X)
#undef X
};
const size_t command_count = sizeof(command_table) / sizeof(*command_table);

static const struct option_spec console_options_table[] = {
    {"theme", "NAME", "a built-in theme, or a theme file's path"},
    {"version", NULL, "print the version"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

static int verb_run(const struct command *c, int argc, char **argv)
{
	struct arguments *a;
	struct err e = {0};
	int code;

	if (arguments_parse(c, argc, argv, &a, &e) != 0)
		return command_fail(c, &e);
	if (arguments_flag(a, "help")) {
		command_usage(c, stdout);
		code = fflush(stdout) == 0 ? 0 : err_exit(ERR_SYSTEM);
	} else {
		code = c->run(a);
	}
	arguments_free(a);
	return code;
}

static int fail(const struct err *e)
{
	fprintf(stderr, "mldeck: %s\n", e->text);
	return err_exit(e->code);
}

static int console(const struct arguments *a)
{
	char state[PATHS_SIZE], socket_path[PATHS_SIZE];
	const struct console_options options = {
	    .state = state, .socket = socket_path, .theme = arguments_value(a, "theme")};
	struct err e = {0};

	if (arguments_state(a, state, sizeof(state), &e) != 0 ||
	    arguments_socket(a, socket_path, sizeof(socket_path), &e) != 0)
		return fail(&e);
	return console_run(&options);
}

/* Without a verb: the console on a terminal, elsewhere the same facts as text. */
static int no_verb(int argc, char **argv)
{
	const struct command program = {.name = "", .arguments = "", .options = console_options_table};
	struct arguments *a;
	struct err e = {0};
	int code;

	if (arguments_parse(&program, argc, argv, &a, &e) != 0) {
		code = fail(&e);
		fputs("`mldeck help` lists the verbs and options.\n", stderr);
		return code;
	}
	if (arguments_flag(a, "help"))
		code = command_find("help")->run(a);
	else if (arguments_flag(a, "version"))
		code = command_find("version")->run(a);
	else if (!arguments_flag(a, "json") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		code = console(a);
	else
		code = command_find("status")->run(a);
	arguments_free(a);
	return code;
}

int main(int argc, char **argv)
{
	const struct command *c;
	struct err e = {0};

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of write(), not the end */
	if (argc < 2 || argv[1][0] == '-')
		return no_verb(argc > 0 ? argc - 1 : 0, argv + (argc > 0));
	c = command_find(argv[1]);
	if (c)
		return verb_run(c, argc - 2, argv + 2);
	err_set(&e, ERR_USAGE, "there is no verb %s; `mldeck help` lists them", argv[1]);
	return fail(&e);
}
