/* What the dialogs of jobs say to the runtime, and the commands that equal it. */
#include "ui/console/console_state.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As a shell would: ~/ is the home, anything else relative starts where the console was started. */
static void make_absolute(const char *value, char *path, size_t size)
{
	char folder[JOB_PATH_SIZE] = "";
	const char *home = getenv("HOME");

	if (strncmp(value, "~/", 2) == 0 && home) {
		snprintf(path, size, "%s%s", home, value + 1);
	} else if (*value == '/') {
		snprintf(path, size, "%s", value);
	} else {
		if (!getcwd(folder, sizeof(folder)))
			folder[0] = '\0';
		snprintf(path, size, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, value);
	}
}

/* "/data/rows.csv" to "/data/rows.predictions.csv" */
static void derive_output(const char *input, char *path, size_t size)
{
	const char *name = strrchr(input, '/');
	const char *dot = name ? strrchr(name + 1, '.') : NULL;
	int stem = dot && dot > name + 1 ? (int)(dot - input) : (int)strlen(input);

	snprintf(path, size, "%.*s.predictions%s", stem, input, input + stem);
}

/* Where a field of the kind stands among the dialog's: consent has no place, and the version may be the first. */
static size_t place_of(const struct job_dialog *j, size_t field)
{
	size_t at = j->version_at == 0;

	for (size_t i = 0; i < field; i++)
		at += j->job_kind->fields[i].type != JOB_FIELD_CONSENT;
	return at;
}

struct dialog_field *job_dialog_field(struct job_dialog *j, size_t field)
{
	return j->job_kind->fields[field].type == JOB_FIELD_CONSENT ? NULL : &j->dialog.fields[place_of(j, field)];
}

const struct job_field *job_dialog_field_at(const struct job_dialog *j, size_t at)
{
	for (size_t i = 0; i < j->job_kind->field_count; i++)
		if (j->job_kind->fields[i].type != JOB_FIELD_CONSENT && place_of(j, i) == at && at != j->version_at)
			return &j->job_kind->fields[i];
	return NULL;
}

bool job_dialog_consents(const struct job_dialog *j)
{
	return j->asks_consent && strcmp(j->dialog.fields[j->dialog.field_count - 1].value, j->model) == 0;
}

void job_dialog_path(const struct job_dialog *j, size_t field, char *path, size_t size)
{
	char input[JOB_TYPED_SIZE] = "";
	enum job_field_type type = j->job_kind->fields[field].type;
	const char *value = type == JOB_FIELD_CONSENT ? "" : j->dialog.fields[place_of(j, field)].value;

	*path = '\0';
	if (*value && type != JOB_FIELD_INPUT && type != JOB_FIELD_OUTPUT) {
		snprintf(path, size, "%s", value);
		return;
	}
	if (*value) {
		make_absolute(value, path, size);
		return;
	}
	if (type != JOB_FIELD_OUTPUT || j->job_kind->fields[field].optional)
		return;
	for (size_t i = 0; i < field && !*input; i++)
		if (j->job_kind->fields[i].type == JOB_FIELD_INPUT)
			job_dialog_path(j, i, input, sizeof(input));
	if (*input)
		derive_output(input, path, size);
}

/* The version typed; 0 for the live one. */
static int version_typed(const struct job_dialog *j, uint32_t *version, struct err *e)
{
	const char *value = j->dialog.fields[j->version_at].value;
	long long number = 0;

	if (!*value && j->job_kind->version == JOB_VERSION_ARGUMENT)
		return err_set(e, ERR_INPUT, "type the number of the version to test");
	if (*value && !text_integer(*value == 'v' ? value + 1 : value, 1, UINT32_MAX, &number))
		return err_set(e, ERR_INPUT, "type the number of a version, or nothing for the live one");
	*version = (uint32_t)number;
	return 0;
}

/* Of one field alone; a file only the runtime can look at. */
static int check_field(struct job_dialog *j, size_t field, const char *value, struct err *e)
{
	const struct job_field *f = &j->job_kind->fields[field];
	struct dialog_field *typed = job_dialog_field(j, field);
	int result = 0;

	if (!typed)
		return 0;
	result = job_field_check(f, value, e);
	typed->bad = result != 0;
	return result;
}

void job_dialog_mark(struct job_dialog *j, const char *text)
{
	struct dialog_field *named = NULL;
	const char *first = NULL;
	char option[40], field[40];

	for (size_t i = 0; i < j->job_kind->field_count; i++) {
		snprintf(option, sizeof(option), "--%s", j->job_kind->fields[i].name);
		snprintf(field, sizeof(field), "`%s`", j->job_kind->fields[i].name);
		const char *at = strstr(text, option) ? strstr(text, option) : strstr(text, field);

		if (at && job_dialog_field(j, i) && (!first || at < first)) {
			first = at;
			named = job_dialog_field(j, i);
		}
	}
	if (named)
		named->bad = true;
}

/* How many bytes of it name a field as a command or a request does: "--slo-p99", "field `data`", "`data`"; 0: none. */
static size_t names_field(const char *at, const char *name)
{
	static const char *const before[] = {"--", "field `", "`"};

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		size_t size = strlen(before[i]), length = strlen(name);
		const char *end = at + size + length;
		if (strncmp(at, before[i], size) != 0 || strncmp(at + size, name, length) != 0)
			continue;
		if (i > 0 && *end == '`')
			return size + length + 1;
		if (i == 0 && !isalnum((unsigned char)*end) && *end != '-')
			return size + length;
	}
	return 0;
}

void job_dialog_word(const struct job_dialog *j, const char *text, char *said, size_t size)
{
	size_t used = 0;

	said[0] = '\0';
	while (*text != '\0' && used + 1 < size) {
		size_t taken = 0;
		for (size_t i = 0; j->kind == JOB_DIALOG_START && taken == 0 && i < j->job_kind->field_count; i++) {
			taken = names_field(text, j->job_kind->fields[i].name);
			if (taken > 0)
				used +=
				    (size_t)snprintf(said + used, size - used, "`%s`", j->job_kind->fields[i].label);
		}
		if (taken == 0)
			used += (size_t)snprintf(said + used, size - used, "%c", *text);
		text += taken > 0 ? taken : 1;
	}
}

int job_dialog_check(struct job_dialog *j, struct err *e)
{
	char typed[JOB_FIELDS_MAX][JOB_TYPED_SIZE];
	const char *values[JOB_FIELDS_MAX];
	struct err first = {0}, each;
	uint32_t version;

	if (j->kind != JOB_DIALOG_START)
		return 0;
	j->dialog.fields[j->version_at].bad = version_typed(j, &version, &first) != 0;
	for (size_t i = 0; i < j->job_kind->field_count; i++) {
		values[i] = typed[i];
		job_dialog_path(j, i, typed[i], sizeof(typed[i]));
		if (check_field(j, i, typed[i], &each) != 0 && !first.text[0])
			first = each;
	}
	if (!first.text[0] && job_kind_check(j->job_kind, values, &first) != 0)
		job_dialog_mark(j, first.text);
	return first.text[0] ? err_set(e, first.code, "%s", first.text) : 0;
}

static bool fields_add(const struct job_dialog *j, cJSON *start, bool dry_run)
{
	char path[JOB_TYPED_SIZE];

	for (size_t i = 0; i < j->job_kind->field_count; i++) {
		job_dialog_path(j, i, path, sizeof(path));
		/* Said only where it is done: a dry run would no longer ask. */
		if (j->job_kind->fields[i].type == JOB_FIELD_CONSENT && !dry_run && job_dialog_consents(j))
			snprintf(path, sizeof(path), "yes");
		if (*path && !cJSON_AddStringToObject(start, j->job_kind->fields[i].name, path))
			return false;
	}
	return start != NULL;
}

static int start_add(const struct job_dialog *j, cJSON *body, bool dry_run, struct err *e)
{
	uint32_t version;

	if (version_typed(j, &version, e) != 0)
		return -1;
	/* What the dry run said is what is done, although another version may go live meanwhile. */
	if (!dry_run && version == 0)
		version = j->version;
	if (!cJSON_AddStringToObject(body, "kind", j->job_kind->name) ||
	    !cJSON_AddStringToObject(body, "model", j->model) ||
	    !fields_add(j, cJSON_AddObjectToObject(body, "start"), dry_run) ||
	    (version && !cJSON_AddNumberToObject(body, "version", version)))
		return err_set(e, ERR_MEMORY, "memory is out");
	return 0;
}

cJSON *job_dialog_body(const struct job_dialog *j, bool dry_run, char *path, size_t size, struct err *e)
{
	cJSON *body = cJSON_CreateObject();
	int result = 0;

	snprintf(path, size, "/control/v1/jobs");
	if (j->kind == JOB_DIALOG_START)
		result = start_add(j, body, dry_run, e);
	else
		snprintf(path, size, "/control/v1/jobs/%" PRId64 "/%s", j->id,
			 j->kind == JOB_DIALOG_AGAIN ? "again" : "cancel");
	if (result == 0 &&
	    !(j->kind == JOB_DIALOG_CANCEL ? cJSON_AddStringToObject(body, "reason", j->dialog.fields[0].value)
					   : cJSON_AddBoolToObject(body, "dry_run", dry_run)))
		result = err_set(e, ERR_MEMORY, "memory is out");
	if (result == 0 && j->kind == JOB_DIALOG_AGAIN && !dry_run && job_dialog_consents(j) &&
	    !cJSON_AddTrueToObject(body, "consent"))
		result = err_set(e, ERR_MEMORY, "memory is out");
	if (result == 0)
		return body;
	cJSON_Delete(body);
	return NULL;
}

static void start_command(const struct job_dialog *j, char *command, size_t size)
{
	char paths[JOB_FIELDS_MAX][JOB_TYPED_SIZE];
	const char *values[JOB_FIELDS_MAX];
	uint32_t version = 0;

	for (size_t i = 0; i < j->job_kind->field_count; i++) {
		job_dialog_path(j, i, paths[i], sizeof(paths[i]));
		if (j->job_kind->fields[i].type == JOB_FIELD_CONSENT && job_dialog_consents(j))
			snprintf(paths[i], sizeof(paths[i]), "yes");
		values[i] = *paths[i] || j->job_kind->fields[i].optional ? paths[i] : "…";
	}
	version_typed(j, &version, NULL);
	job_kind_command(j->job_kind, j->model, version ? version : j->version, values, command, size);
}

void job_dialog_command(const struct console *c, const struct job_dialog *j, char *command, size_t size)
{
	const struct job_record *job = c->snapshot ? snapshot_job(c->snapshot, j->id) : NULL;
	char number[24];

	*command = '\0';
	if (j->kind == JOB_DIALOG_START) {
		start_command(j, command, size);
	} else if (j->kind == JOB_DIALOG_AGAIN) {
		snprintf(command, size, "%s", job ? job->command : "");
	} else {
		snprintf(number, sizeof(number), "%" PRId64, j->id);
		text_quote(command, size, "mldeck");
		text_quote(command, size, "cancel");
		text_quote(command, size, number);
		if (j->dialog.fields[0].value[0]) {
			text_quote(command, size, "--reason");
			text_quote(command, size, j->dialog.fields[0].value);
		}
	}
}
