/* What the dialogs of jobs say to the runtime, and the commands that equal it. */
#include "ui/console/console_state.h"

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

void job_dialog_path(const struct job_dialog *j, size_t field, char *path, size_t size)
{
	const char *value = j->dialog.fields[field].value;
	char input[JOB_TYPED_SIZE] = "";

	enum job_field_type type = j->job_kind->fields[field].type;

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
	const char *value = j->dialog.fields[j->job_kind->field_count].value;
	long long number = 0;

	if (*value && !text_integer(*value == 'v' ? value + 1 : value, 1, UINT32_MAX, &number))
		return err_set(e, ERR_INPUT, "type the number of a version, or nothing for the live one");
	*version = (uint32_t)number;
	return 0;
}

static bool fields_add(const struct job_dialog *j, cJSON *start)
{
	char path[JOB_TYPED_SIZE];

	for (size_t i = 0; i < j->job_kind->field_count; i++) {
		job_dialog_path(j, i, path, sizeof(path));
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
	    !fields_add(j, cJSON_AddObjectToObject(body, "start")) ||
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
