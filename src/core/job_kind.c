#include "core/job_kind.h"

#include "core/number.h"
#include "core/units.h"

#include <math.h>
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

const char *job_counted(const struct job_record *job)
{
	const struct job_kind *kind = job_kind_find(job->kind);

	return kind != NULL ? kind->counted : "rows";
}

const char *job_spoilt(const struct job_record *job)
{
	const struct job_kind *kind = job_kind_find(job->kind);

	return kind != NULL ? kind->spoilt : "rejected";
}

size_t job_kind_field(const struct job_kind *kind, const char *name)
{
	size_t i = 0;
	while (i < kind->field_count && strcmp(kind->fields[i].name, name) != 0)
		i++;
	return i;
}

bool job_same(const struct job_record *a, const struct job_record *b)
{
	const struct job_kind *kind = job_kind_find(a->kind);
	if (a->target[0] != '\0' && strcmp(a->target, b->target) == 0)
		return true;
	if (kind == NULL || !kind->test || strcmp(a->kind, b->kind) != 0 || strcmp(a->model, b->model) != 0)
		return false;
	return kind->version == JOB_VERSION_NONE ? strcmp(a->command, b->command) == 0 : a->version == b->version;
}

static bool is_number(const char *value)
{
	struct number n;
	size_t size = number_read(value, value + strlen(value), &n);
	return size > 0 && value[size] == '\0' && isfinite(number_double(&n));
}

/* Whether the value is one of "a|b|c". */
static bool is_choice(const char *choices, const char *value)
{
	size_t size = strlen(value);
	if (size == 0 || strchr(value, '|') != NULL)
		return false;
	for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
		at += *at == '|';
		if (strncmp(at, value, size) == 0 && (at[size] == '|' || at[size] == '\0'))
			return true;
	}
	return false;
}

static int refuse(const struct job_field *field, const char *takes, const char *value, struct err *e)
{
	return err_set(e, ERR_INPUT, "--%s takes %s, not `%.60s`", field->name, takes, value);
}

static int check_text(const struct job_field *field, const char *value, struct err *e)
{
	char clean[4 * JOB_PATH_SIZE];
	text_clean(clean, sizeof clean, value);
	if (strlen(value) >= JOB_PATH_SIZE)
		return err_set(e, ERR_INPUT, "--%s has %zu bytes, the limit is %d", field->name, strlen(value),
			       JOB_PATH_SIZE - 1);
	if (strcmp(clean, value) != 0)
		return err_set(e, ERR_INPUT, "--%s holds characters that cannot be shown: %.200s", field->name, clean);
	return 0;
}

int job_field_check(const struct job_field *field, const char *value, struct err *e)
{
	unsigned long long ignored;
	long long version;
	bool flag;

	if (value[0] == '\0')
		return field->optional || field->type == JOB_FIELD_SWITCH || field->type == JOB_FIELD_CONSENT
			   ? 0
			   : err_set(e, ERR_INPUT, "field `%s` is missing: %s", field->name, field->label);
	switch (field->type) {
	case JOB_FIELD_INPUT:
	case JOB_FIELD_OUTPUT:
		return 0;
	case JOB_FIELD_VERSION:
		return text_integer(value[0] == 'v' ? value + 1 : value, 1, VERSIONS_MAX, &version)
			   ? 0
			   : refuse(field, "the number of a version", value, e);
	case JOB_FIELD_NUMBER:
		return is_number(value) ? 0 : refuse(field, "a number", value, e);
	case JOB_FIELD_TEXT:
		return check_text(field, value, e);
	case JOB_FIELD_DURATION:
		return units_parse(units_ms, value, &ignored) || units_parse(units_us, value, &ignored)
			   ? 0
			   : refuse(field, "a time such as 30s or 5m", value, e);
	case JOB_FIELD_CHOICE:
		return is_choice(field->choices, value) ? 0 : refuse(field, field->choices, value, e);
	case JOB_FIELD_SWITCH:
	case JOB_FIELD_CONSENT:
		return units_flag(value, &flag) ? 0 : refuse(field, "yes or no", value, e);
	}
	return 0;
}

static bool take_option(bool (*take)(void *context, const char *word), void *context, const struct job_field *field,
			const char *value)
{
	char option[32];
	bool on = false;

	snprintf(option, sizeof option, "--%s", field->name);
	if (value[0] == '\0')
		return true;
	if (field->type != JOB_FIELD_SWITCH && field->type != JOB_FIELD_CONSENT)
		return take(context, option) && take(context, value);
	return !units_flag(value, &on) || !on || take(context, option);
}

static bool is_given(const struct job_kind *kind, const char *const *values, const char *name)
{
	size_t i = job_kind_field(kind, name);
	return i < kind->field_count && values[i][0] != '\0';
}

static int check_either(const struct job_kind *kind, const char *const *values, struct err *e)
{
	if (kind->either[0] == NULL)
		return 0;
	bool first = is_given(kind, values, kind->either[0]), second = is_given(kind, values, kind->either[1]);
	if (first && second)
		return err_set(e, ERR_INPUT, "rows come from --%s or from --%s: leave one out", kind->either[0],
			       kind->either[1]);
	if (kind->either_needed && !first && !second)
		return err_set(e, ERR_INPUT, "field `%s` is missing: name a file, or give --%s", kind->either[0],
			       kind->either[1]);
	return 0;
}

int job_kind_check(const struct job_kind *kind, const char *const *values, struct err *e)
{
	if (check_either(kind, values, e) != 0)
		return -1;
	return kind->check == NULL ? 0 : kind->check(values, e);
}

bool job_kind_words(const struct job_kind *kind, const char *model, uint32_t version, const char *const *values,
		    bool (*take)(void *context, const char *word), void *context)
{
	char number[16];
	bool whole = take(context, "mldeck") && take(context, kind->name) && take(context, model);
	bool argument = kind->version == JOB_VERSION_ARGUMENT;

	snprintf(number, sizeof number, "%u", version);
	whole = whole && (!argument || version == 0 || take(context, number));
	for (size_t i = 0; whole && i < kind->field_count; i++)
		whole = take_option(take, context, &kind->fields[i], values[i]);
	return whole && (argument || version == 0 || (take(context, "--version") && take(context, number)));
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
