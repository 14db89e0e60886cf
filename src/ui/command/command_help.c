#include "ui/command/output.h"

#include <string.h>

extern const struct command command_help;

static void overview(void)
{
	puts("usage: mldeck [--socket PATH] [--state DIR] [--theme NAME]   the console\n"
	     "       mldeck VERB [ARGUMENT...] [OPTION...]\n\nverbs:");
	for (size_t i = 0; i < command_count; i++)
		printf("  %-12s %s\n", command_table[i]->name, command_table[i]->summary);
	puts("\n`mldeck help VERB` explains one. Exit codes: 0 done, 1 a test or gate says no, 2 wrong usage\n"
	     "or input, 3 conflict, 4 not found, 5 no runtime reached, 6 not allowed, 7 the system failed.");
}

/* A roff request starts with '.' or ''' in column one, and '-' and '\' have meanings of their own. */
static void roff(const char *text)
{
	bool line_start = true;

	for (const char *c = text; *c; c++) {
		if (line_start && (*c == '.' || *c == '\''))
			fputs("\\&", stdout);
		line_start = *c == '\n';
		if (*c == '\\')
			fputs("\\e", stdout);
		else if (*c == '-')
			fputs("\\-", stdout);
		else
			putchar(*c);
	}
}

static void roff_option(const struct option_spec *o)
{
	fputs(".TP\n.B \\-\\-", stdout);
	roff(o->name);
	if (o->value) {
		putchar(' ');
		roff(o->value);
	}
	putchar('\n');
	roff(o->help);
	putchar('\n');
}

static void roff_command(const struct command *c)
{
	fputs(".SS \"", stdout);
	roff(c->name);
	if (c->arguments && *c->arguments) {
		putchar(' ');
		roff(c->arguments);
	}
	fputs("\"\n", stdout);
	roff(c->summary);
	puts(".");
	if (c->details) {
		puts(".PP");
		roff(c->details);
		putchar('\n');
	}
	for (const struct option_spec *o = c->options; o && o->name; o++)
		roff_option(o);
}

static void man_page(void)
{
	puts(".TH MLDECK 1 \"\" \"mldeck " MLDECK_VERSION "\" \"User Commands\"\n"
	     ".SH NAME\nmldeck \\- console and serving runtime for machine\\-learning models\n"
	     ".SH SYNOPSIS\n.B mldeck\n[\\-\\-socket PATH] [\\-\\-state DIR] [\\-\\-theme NAME]\n.br\n"
	     ".B mldeck\nVERB [ARGUMENT...] [OPTION...]\n"
	     ".SH DESCRIPTION\nWithout a verb, the console of the runtime on the control socket.\n"
	     ".SH COMMANDS");
	for (size_t i = 0; i < command_count; i++)
		roff_command(command_table[i]);
	puts(".SH EXIT STATUS\n0 done; 1 a test or gate says no; 2 wrong usage or input; 3 conflict;\n"
	     "4 not found; 5 no runtime reached; 6 not allowed; 7 the system failed.\n"
	     ".SH ENVIRONMENT\n.TP\n.B MLDECK_STATE\nThe state directory.\n"
	     ".TP\n.B MLDECK_SOCKET\nThe control socket.\n"
	     ".TP\n.B NO_COLOR\nNo colours when it is not empty.");
}

static int help(const struct arguments *a, struct err *e)
{
	const char *verb = arguments_at(a, 0);
	const struct command *c = verb ? command_find(verb) : NULL;

	if (verb && !c)
		return err_set(e, ERR_USAGE, "there is no verb %s; `mldeck help` lists them", verb);
	if (verb && arguments_flag(a, "man"))
		return err_set(e, ERR_USAGE, "--man prints one page for all verbs; leave out %s", verb);
	if (c)
		command_usage(c, stdout);
	else if (arguments_flag(a, "man"))
		man_page();
	else
		overview();
	return output_end(e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return help(a, &e) == 0 ? 0 : command_fail(&command_help, &e);
}

static const struct option_spec options[] = {
    {"man", NULL, "print the manual page (roff)"},
    OPTION_END,
};

const struct command command_help = {
    .name = "help",
    .arguments = "[VERB]",
    .summary = "list the verbs, or explain one",
    .options = options,
    .run = run,
};
