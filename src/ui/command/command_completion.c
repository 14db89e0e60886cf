#include "ui/command/output.h"

#include <string.h>

extern const struct command command_completion;

static void words_options(const struct command *c)
{
	for (const struct option_spec *o = c->options; o && o->name; o++) {
		if (command_letter(c, o))
			printf("-%c ", command_letter(c, o));
		printf("--%s ", o->name);
	}
	fputs("--help", stdout);
}

static void bash_verbs(void)
{
	for (size_t i = 0; i < command_count; i++)
		printf("%s%s", i ? " " : "", command_table[i]->name);
}

/* Values that name a file or a folder. */
static bool takes_path(const struct option_spec *o)
{
	return o->value && (strcmp(o->value, "PATH") == 0 || strcmp(o->value, "DIR") == 0 ||
			    strcmp(o->value, "FILE") == 0 || strcmp(o->value, "ROWS.CSV") == 0);
}

/* "csv|jsonl": the words of a choice. */
static void bash_choice(const char *value)
{
	fputs("COMPREPLY=($(compgen -W '", stdout);
	for (; *value; value++)
		putchar(*value == '|' ? ' ' : *value);
	fputs("' -- \"$current\")); ", stdout);
}

/* After "--format" come its words, after "--state" a path, after "--reason" nothing. */
static void bash_values(const struct command *c)
{
	for (const struct option_spec *o = c->options; o && o->name; o++) {
		if (!o->value)
			continue;
		printf("\t'%s --%s'", c->name, o->name);
		if (command_letter(c, o))
			printf("|'%s -%c'", c->name, command_letter(c, o));
		fputs(") ", stdout);
		if (strchr(o->value, '|'))
			bash_choice(o->value);
		else if (takes_path(o))
			fputs("COMPREPLY=($(compgen -f -- \"$current\")); ", stdout);
		puts("return ;;");
	}
}

/* Only deploy has an argument that is a file: its second. */
static void bash_arguments(void)
{
	fputs("\tcase ${COMP_WORDS[1]} in\n\thelp) COMPREPLY=($(compgen -W '", stdout);
	bash_verbs();
	puts("' -- \"$current\")) ;;\n"
	     "\tcompletion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$current\")) ;;\n"
	     "\tdeploy) [ \"$COMP_CWORD\" -lt 3 ] || COMPREPLY=($(compgen -f -- \"$current\")) ;;\n"
	     "\t*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\")) ;;\n\tesac");
}

static void bash(void)
{
	fputs("_mldeck() {\n\tlocal current=${COMP_WORDS[COMP_CWORD]} options=\n\tCOMPREPLY=()\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '",
	      stdout);
	bash_verbs();
	puts(" --help --version --socket --state --theme' -- \"$current\"))\n\t\treturn\n\tfi\n"
	     "\tcase \"${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}\" in");
	for (size_t i = 0; i < command_count; i++)
		bash_values(command_table[i]);
	puts("\tesac\n\tcase ${COMP_WORDS[1]} in");
	for (size_t i = 0; i < command_count; i++) {
		printf("\t%s) options='", command_table[i]->name);
		words_options(command_table[i]);
		puts("' ;;");
	}
	puts("\tesac\n\tcase $current in\n"
	     "\t-*)\n\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n\t\treturn ;;\n\tesac");
	bash_arguments();
	puts("}\ncomplete -o filenames -F _mldeck mldeck");
}

/* Inside single quotes of a shell only ' needs care; zsh's specifications also give ':', '[' and ']' a
 * meaning. */
static void quoted(const char *text, const char *escaped)
{
	for (; *text; text++) {
		if (*text == '\'') {
			fputs("'\\''", stdout);
			continue;
		}
		if (strchr(escaped, *text))
			putchar('\\');
		putchar(*text);
	}
}

static void zsh_options(const struct command *c)
{
	printf("\t%s) _arguments '--help[show this help]'", c->name);
	for (const struct option_spec *o = c->options; o && o->name; o++) {
		if (command_letter(c, o))
			printf(" {-%c,--%s}'[", command_letter(c, o), o->name);
		else
			printf(" '--%s[", o->name);
		quoted(o->help, "[]");
		putchar(']');
		if (o->value) {
			putchar(':');
			quoted(o->value, ":");
			fputs(":_files", stdout);
		}
		putchar('\'');
	}
	puts(" '*:argument:_files' ;;");
}

static void zsh(void)
{
	puts("#compdef mldeck\n_mldeck() {\n\tlocal -a verbs\n\tverbs=(");
	for (size_t i = 0; i < command_count; i++) {
		printf("\t'%s:", command_table[i]->name);
		quoted(command_table[i]->summary, ":");
		puts("'");
	}
	puts("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n"
	     "\tlocal verb=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $verb in");
	for (size_t i = 0; i < command_count; i++)
		zsh_options(command_table[i]);
	puts("\tesac\n}\nif [ \"$funcstack[1]\" = _mldeck ]; then\n\t_mldeck \"$@\"\nelse\n"
	     "\tcompdef _mldeck mldeck\nfi");
}

static void fish(void)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *c = command_table[i];

		printf("complete -c mldeck -n __fish_use_subcommand -f -a %s -d '", c->name);
		quoted(c->summary, "\\");
		puts("'");
		for (const struct option_spec *o = c->options; o && o->name; o++) {
			const char letter[] = {' ', '-', 's', ' ', command_letter(c, o), '\0'};
			printf("complete -c mldeck -n '__fish_seen_subcommand_from %s'%s -l %s%s -d '", c->name,
			       letter[4] ? letter : "", o->name, o->value ? " -r" : "");
			quoted(o->help, "\\");
			puts("'");
		}
		printf("complete -c mldeck -n '__fish_seen_subcommand_from %s' -l help -d 'show this help'\n", c->name);
	}
}

static int completion(const struct arguments *a, struct err *e)
{
	const char *shell = arguments_at(a, 0);

	if (strcmp(shell, "bash") == 0)
		bash();
	else if (strcmp(shell, "zsh") == 0)
		zsh();
	else if (strcmp(shell, "fish") == 0)
		fish();
	else
		return err_set(e, ERR_USAGE, "there is no completion for %s; take bash, zsh or fish", shell);
	return output_end(e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return completion(a, &e) == 0 ? 0 : command_fail(&command_completion, &e);
}

static const struct option_spec options[] = {OPTION_END};

const struct command command_completion = {
    .name = "completion",
    .arguments = "SHELL",
    .summary = "print the completion script of bash, zsh or fish",
    .details = "For bash: mldeck completion bash > ~/.local/share/bash-completion/completions/mldeck",
    .options = options,
    .run = run,
};
