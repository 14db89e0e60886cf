#include "runtime/job/job_plan.h"

#include "core/json.h"
#include "core/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOOKED_AT_MAX (1u << 20) /* of an input, to say about how many lines it has */

void job_plan_fact(struct job_plan *plan, bool warning, const char *name, const char *text)
{
	if (plan->fact_count == JOB_FACTS_MAX)
		return;
	struct job_fact *f = &plan->facts[plan->fact_count++];
	text_clean(f->name, sizeof f->name, name);
	text_clean(f->text, sizeof f->text, text);
	f->warning = warning;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static bool is_path(const struct job_field *field)
{
	return field->type == JOB_FIELD_INPUT || field->type == JOB_FIELD_OUTPUT;
}

/* A field's value: absolute, and of characters that a screen can show as they are. */
static int read_path(const struct job_field *field, const cJSON *start, char path[JOB_PATH_SIZE], struct err *e)
{
	char clean[4 * JOB_PATH_SIZE];
	if (!json_has(start, field->name))
		return field->optional ? 0 : err_set(e, ERR_INPUT, "field `%s` is missing: name a file", field->name);
	if (json_string(start, field->name, path, JOB_PATH_SIZE, e) != 0)
		return -1;
	text_clean(clean, sizeof clean, path);
	if (path[0] != '/')
		return err_set(e, ERR_INPUT, "--%s must be an absolute path, got `%s`", field->name, path);
	if (strcmp(clean, path) != 0)
		return err_set(e, ERR_INPUT, "--%s holds characters that cannot be shown: %s", field->name, path);
	if (*base_name(path) == '\0')
		return err_set(e, ERR_INPUT, "--%s must name a file, got the folder %s", field->name, path);
	return 0;
}

/* Of any other type: a string, or what JSON has for it, as the option's text. */
static int read_value(const struct job_field *field, const cJSON *start, char value[JOB_PATH_SIZE], struct err *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(start, field->name);
	char digits[NUMBER_SIZE];

	if (cJSON_IsNumber(item))
		snprintf(value, JOB_PATH_SIZE, "%.*s", (int)number_write_double(digits, item->valuedouble), digits);
	else if (cJSON_IsBool(item))
		snprintf(value, JOB_PATH_SIZE, "%s", cJSON_IsTrue(item) ? "yes" : "no");
	else if (json_has(start, field->name) && json_string(start, field->name, value, JOB_PATH_SIZE, e) != 0)
		return -1;
	return job_field_check(field, value, e);
}

static int read_field(const struct job_field *field, const cJSON *start, char value[JOB_PATH_SIZE], struct err *e)
{
	return is_path(field) ? read_path(field, start, value, e) : read_value(field, start, value, e);
}

/* Lines of the file: counted where it is short, else estimated from its beginning. 0 when it cannot
 * be read. */
static double lines_of(int fd, off_t size, bool *exact)
{
	char *data = malloc(LOOKED_AT_MAX);
	ssize_t got = data == NULL ? -1 : pread(fd, data, LOOKED_AT_MAX, 0);
	double lines = 0;
	for (ssize_t i = 0; i < got; i++)
		lines += data[i] == '\n';
	*exact = got == size;
	if (*exact && got > 0 && data[got - 1] != '\n')
		lines++;
	free(data);
	return *exact || got <= 0 ? lines : lines * (double)size / (double)got;
}

static int check_input(struct job_plan *plan, const struct job_field *field, const char *path, struct err *e)
{
	struct stat status;
	char bytes[16], lines[16], text[JOB_FACT_SIZE];
	bool exact;
	/* Not waiting: a pipe without a writer would. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(e, errno, "the runtime cannot read %s", path);
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return err_set(e, ERR_INPUT, "%s is no ordinary file", path);
	}
	double count = lines_of(fd, status.st_size, &exact);
	close(fd);
	if (status.st_size == 0)
		return err_set(e, ERR_INPUT, "%s is empty", path);
	plan->input_lines = count;
	text_bytes(bytes, sizeof bytes, (double)status.st_size);
	text_count(lines, sizeof lines, count);
	if (exact)
		snprintf(text, sizeof text, "%s, %.0f lines", bytes, count);
	else
		snprintf(text, sizeof text, "%s, about %s lines", bytes, lines);
	job_plan_fact(plan, false, field->name, text);
	return 0;
}

/* What may already be where the output goes. */
static int check_taken(struct job_plan *plan, const struct job_field *field, const char *path, struct err *e)
{
	struct stat there, input;
	char bytes[16], text[JOB_FACT_SIZE];
	if (stat(path, &there) != 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s cannot be looked at", path);
	if (!S_ISREG(there.st_mode))
		return err_set(e, ERR_INPUT, "%s is there and is no ordinary file: name another --%s", path,
			       field->name);
	for (size_t i = 0; i < plan->kind->field_count; i++) {
		if (plan->kind->fields[i].type == JOB_FIELD_INPUT && stat(plan->values[i], &input) == 0 &&
		    input.st_dev == there.st_dev && input.st_ino == there.st_ino)
			return err_set(e, ERR_INPUT, "--%s is the input itself: name another file", field->name);
	}
	text_bytes(bytes, sizeof bytes, (double)there.st_size);
	snprintf(text, sizeof text, "a file of %s is there and will be replaced", bytes);
	job_plan_fact(plan, true, field->name, text);
	return 0;
}

/* Says that an earlier run is gone on with. */
static void check_earlier(struct job_plan *plan, const struct job_field *field, const char *path)
{
	char progress[JOB_PATH_SIZE + sizeof JOB_PROGRESS_SUFFIX];
	snprintf(progress, sizeof progress, "%s" JOB_PROGRESS_SUFFIX, path);
	if (access(progress, F_OK) == 0)
		job_plan_fact(plan, false, field->name, "an earlier run stopped on the way: this one goes on there");
}

static int check_output(struct job_plan *plan, const struct job_field *field, const char *path, struct err *e)
{
	struct statvfs disk;
	char folder[JOB_PATH_SIZE], bytes[16], text[JOB_FACT_SIZE];
	int length = (int)(base_name(path) - path);
	snprintf(folder, sizeof folder, "%.*s", length > 1 ? length - 1 : 1, path);
	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
		return err_errno(e, errno, "the runtime cannot write in %s", folder);
	if (statvfs(folder, &disk) != 0)
		return err_errno(e, errno, "%s cannot be looked at", folder);
	memcpy(plan->target, path, sizeof plan->target);
	if (check_taken(plan, field, path, e) != 0)
		return -1;
	check_earlier(plan, field, path);
	text_bytes(bytes, sizeof bytes, (double)disk.f_bavail * (double)disk.f_frsize);
	snprintf(text, sizeof text, "%s are free where it goes", bytes);
	job_plan_fact(plan, false, "disk", text);
	return 0;
}

static int check_field(struct job_plan *plan, size_t i, struct err *e)
{
	const struct job_field *field = &plan->kind->fields[i];
	if (plan->values[i][0] != '\0' && field->type == JOB_FIELD_INPUT)
		return check_input(plan, field, plan->values[i], e);
	if (plan->values[i][0] != '\0' && field->type == JOB_FIELD_OUTPUT)
		return check_output(plan, field, plan->values[i], e);
	return 0;
}

/* "rows.csv to out.csv", "v3 against v1, rows.csv"; without any of it the kind's own. */
static void make_title(struct job_plan *plan, const char *const *values)
{
	char raw[2 * JOB_PATH_SIZE + 64] = "";
	const char *against = job_plan_value(plan, "against");
	if (plan->kind->describe != NULL) {
		plan->kind->describe(values, plan->title, sizeof plan->title);
		return;
	}
	if (against[0] != '\0')
		snprintf(raw, sizeof raw, "v%u against v%.20s", plan->version, against + (against[0] == 'v'));
	for (size_t i = 0; i < plan->kind->field_count; i++)
		if (plan->values[i][0] != '\0' && is_path(&plan->kind->fields[i]))
			snprintf(raw + strlen(raw), sizeof raw - strlen(raw), "%s%s",
				 raw[0] == '\0'       ? ""
				 : against[0] != '\0' ? ", "
						      : " to ",
				 base_name(plan->values[i]));
	text_clean(plan->title, sizeof plan->title, raw[0] != '\0' ? raw : plan->kind->title);
}

char *job_plan_value(struct job_plan *plan, const char *field)
{
	static char none[1];
	size_t i = job_kind_field(plan->kind, field);
	return i < plan->kind->field_count ? plan->values[i] : none;
}

int job_plan_write(struct job_plan *plan, struct err *e)
{
	const char *values[JOB_FIELDS_MAX];
	for (size_t i = 0; i < plan->kind->field_count; i++)
		values[i] = plan->values[i];
	make_title(plan, values);
	if (job_kind_command(plan->kind, plan->model, plan->version, values, plan->command, sizeof plan->command))
		return 0;
	return err_set(e, ERR_TOO_LARGE, "the command is longer than %d bytes: use shorter paths",
		       JOB_COMMAND_SIZE - 1);
}

static int refuse_unknown(const struct job_kind *kind, const cJSON *start, struct err *e)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, start)
	{
		if (job_kind_field(kind, item->string) == kind->field_count)
			return err_set(e, ERR_INPUT, "%s has no field `%s`", kind->name, item->string);
	}
	return 0;
}

int job_plan_make(const struct job_kind *kind, const char *model, uint32_t version, const cJSON *start,
		  struct job_plan *plan, struct err *e)
{
	const char *values[JOB_FIELDS_MAX];
	memset(plan, 0, sizeof *plan);
	plan->kind = kind;
	plan->version = version;
	text_clean(plan->model, sizeof plan->model, model);
	if (refuse_unknown(kind, start, e) != 0)
		return -1;
	for (size_t i = 0; i < kind->field_count; i++) {
		values[i] = plan->values[i];
		if (read_field(&kind->fields[i], start, plan->values[i], e) != 0)
			return -1;
	}
	if (job_kind_check(kind, values, e) != 0)
		return -1;
	for (size_t i = 0; i < kind->field_count; i++) {
		if (check_field(plan, i, e) != 0)
			return -1;
	}
	return job_plan_write(plan, e);
}

char *job_plan_start(const struct job_plan *plan)
{
	cJSON *json = cJSON_CreateObject();
	bool whole = json != NULL;
	for (size_t i = 0; whole && i < plan->kind->field_count; i++)
		whole = plan->values[i][0] == '\0' ||
			cJSON_AddStringToObject(json, plan->kind->fields[i].name, plan->values[i]) != NULL;
	char *text = whole ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	return text;
}
