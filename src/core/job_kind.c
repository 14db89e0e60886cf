#include "core/job_kind.h"

#include <stdio.h>
#include <string.h>

#define X(name) extern const struct job_kind job_##name;
JOB_KINDS(X)
#undef X

const struct job_kind *const job_kind_table[] = {
#define X(name) &job_##name,
    JOB_KINDS(X)
#undef X
};

const size_t job_kind_count = sizeof job_kind_table / sizeof *job_kind_table;

const struct job_kind *job_kind_find(const char *name)
{
	for (size_t i = 0; i < job_kind_count; i++) {
		if (strcmp(job_kind_table[i]->name, name) == 0)
			return job_kind_table[i];
	}
	return NULL;
}

static bool take_option(bool (*take)(void *context, const char *word), void *context, const char *name,
			const char *value)
{
	char option[32];
	snprintf(option, sizeof option, "--%s", name);
	return take(context, option) && take(context, value);
}

bool job_kind_words(const struct job_kind *kind, const char *model, uint32_t version, const char *const *values,
		    bool (*take)(void *context, const char *word), void *context)
{
	char number[16];
	bool whole = take(context, "mldeck") && take(context, kind->name) && take(context, model);
	for (size_t i = 0; whole && i < kind->field_count; i++)
		whole = values[i][0] == '\0' || take_option(take, context, kind->fields[i].name, values[i]);
	snprintf(number, sizeof number, "%u", version);
	return whole && (version == 0 || take_option(take, context, "version", number));
}

struct command_text {
	char *text;
	size_t size;
};

static bool quote(void *context, const char *word)
{
	struct command_text *c = context;
	return text_quote(c->text, c->size, word);
}

bool job_kind_command(const struct job_kind *kind, const char *model, uint32_t version, const char *const *values,
		      char *command, size_t size)
{
	struct command_text c = {command, size};
	command[0] = '\0';
	return job_kind_words(kind, model, version, values, quote, &c);
}
