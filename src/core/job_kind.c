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

static bool add_option(char *command, size_t size, const char *name, const char *value)
{
	char option[32];
	snprintf(option, sizeof option, "--%s", name);
	return text_quote(command, size, option) && text_quote(command, size, value);
}

bool job_kind_command(const struct job_kind *kind, const char *model, uint32_t version,
		      const char *const *values, char *command, size_t size)
{
	char number[16];
	command[0] = '\0';
	bool whole = text_quote(command, size, "mldeck") && text_quote(command, size, kind->name) &&
		     text_quote(command, size, model);
	for (size_t i = 0; whole && i < kind->field_count; i++)
		whole = values[i][0] == '\0' ||
			add_option(command, size, kind->fields[i].name, values[i]);
	snprintf(number, sizeof number, "%u", version);
	return whole && (version == 0 || add_option(command, size, "version", number));
}
