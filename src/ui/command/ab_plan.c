#include "ui/command/ab_plan.h"

#include "core/buf.h"
#include "core/experiment/experiment.h"
#include "core/number.h"
#include "core/shares.h"
#include "ui/command/deploy.h"
#include "ui/command/output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PLAN_SIZE_MAX ((size_t)256 << 10)
#define PIECE_SIZE (TEXT_NAME_MAX + 32)

/* One piece of a list with commas; false at its end. *text moves on; a piece that is too long is cut, and no name. */
static bool piece_next(const char **text, char piece[PIECE_SIZE])
{
	size_t length = strcspn(*text, ",");

	if (!**text)
		return false;
	snprintf(piece, PIECE_SIZE, "%.*s", (int)length, *text);
	*text += length + ((*text)[length] == ',');
	return true;
}

static bool read_double(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return *text && !*end && isfinite(*value);
}

static cJSON *file_read(const char *path, struct err *e)
{
	struct buf b;
	cJSON *json = NULL;

	buf_init(&b);
	if (deploy_read_file(path, PLAN_SIZE_MAX, &b, e) == 0) {
		json = cJSON_ParseWithLength(b.data, b.size);
		if (!cJSON_IsObject(json)) {
			cJSON_Delete(json);
			json = NULL;
			err_set(e, ERR_INPUT, "%s is no JSON object", path);
		}
	}
	buf_release(&b);
	return json;
}

/* "NAME=": the part behind it, and the name; NULL when there is none. */
static const char *name_split(const char *text, char name[PIECE_SIZE])
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text || equals - text >= PIECE_SIZE)
		return NULL;
	snprintf(name, PIECE_SIZE, "%.*s", (int)(equals - text), text);
	return equals + 1;
}

static int arms_add(const struct arguments *a, cJSON *body, struct err *e)
{
	cJSON *list;
	const char *text;

	if (!arguments_value(a, "arm"))
		return 0;
	cJSON_DeleteItemFromObjectCaseSensitive(body, "arms");
	list = cJSON_AddArrayToObject(body, "arms");
	for (size_t i = 0; (text = arguments_value_at(a, "arm", i)); i++) {
		char version[PIECE_SIZE];
		const char *share = name_split(text, version);
		uint32_t number, share_bp;
		cJSON *arm;

		if (!share || share_read(share, &share_bp) != 0)
			return err_set(e, ERR_INPUT, "--arm is VERSION=PERCENT, as in 3=50, not %s", text);
		if (output_version(version, &number, e) != 0)
			return -1;
		arm = cJSON_CreateObject();
		cJSON_AddNumberToObject(arm, "version", number);
		cJSON_AddNumberToObject(arm, "share_bp", share_bp);
		if (!cJSON_AddItemToArray(list, arm))
			return err_set(e, ERR_MEMORY, "memory is out");
	}
	return 0;
}

/* "margin=0.01", "missing_is_zero=true", "threshold_ns=500000". */
static int field_add(cJSON *metric, const char *text, struct err *e)
{
	char name[PIECE_SIZE];
	const char *value = name_split(text, name);
	double number;

	if (value && (strcmp(value, "true") == 0 || strcmp(value, "false") == 0))
		cJSON_AddBoolToObject(metric, name, *value == 't');
	else if (value && read_double(value, &number))
		cJSON_AddNumberToObject(metric, name, number);
	else
		return err_set(e, ERR_INPUT, "behind its way, --metric has FIELD=NUMBER, as in margin=0.01, not %s",
			       text);
	return 0;
}

static int metric_add(cJSON *list, const char *text, struct err *e)
{
	static const char *const fields[] = {"kind", "role", "direction"};
	char name[PIECE_SIZE] = "", piece[PIECE_SIZE];
	const char *rest = name_split(text, name);
	cJSON *metric = cJSON_CreateObject();
	size_t count = 0;

	cJSON_AddStringToObject(metric, "name", name);
	cJSON_AddItemToArray(list, metric);
	while (rest && piece_next(&rest, piece)) {
		if (count < 3)
			cJSON_AddStringToObject(metric, fields[count], piece);
		else if (field_add(metric, piece, e) != 0)
			return -1;
		count++;
	}
	if (count < 3)
		return err_set(e, ERR_INPUT, "--metric is NAME=KIND,ROLE,WAY, as in late=binary,primary,lower, not %s",
			       text);
	return 0;
}

static int metrics_add(const struct arguments *a, cJSON *body, struct err *e)
{
	cJSON *list;
	const char *text;

	if (!arguments_value(a, "metric"))
		return 0;
	cJSON_DeleteItemFromObjectCaseSensitive(body, "metrics");
	list = cJSON_AddArrayToObject(body, "metrics");
	for (size_t i = 0; (text = arguments_value_at(a, "metric", i)); i++)
		if (metric_add(list, text, e) != 0)
			return -1;
	return 0;
}

static int assume_add(const struct arguments *a, cJSON *body, struct err *e)
{
	static const char *const fields[] = {"mean", "sd", "effect"};
	const char *text;
	cJSON *all = arguments_value(a, "assume") ? cJSON_AddObjectToObject(body, "assume") : NULL;

	for (size_t i = 0; (text = arguments_value_at(a, "assume", i)); i++) {
		char name[PIECE_SIZE], piece[PIECE_SIZE];
		const char *rest = name_split(text, name);
		cJSON *one = rest ? cJSON_AddObjectToObject(all, name) : NULL;
		size_t count = 0;
		double number;

		for (; rest && piece_next(&rest, piece); count++) {
			if (count < 3 && strcmp(piece, "-") == 0)
				continue;
			if (count > 2 || !read_double(piece, &number))
				return err_set(e, ERR_INPUT,
					       "--assume is METRIC=MEAN,SD,EFFECT, as in late=0.2,-,0.01, "
					       "not %s",
					       text);
			cJSON_AddNumberToObject(one, fields[count], number);
		}
		if (count == 0)
			return err_set(e, ERR_INPUT, "--assume is METRIC=MEAN,SD,EFFECT, as in late=0.2,-,0.01, not %s",
				       text);
	}
	return 0;
}

/* Replaces a field of the file's. */
static void field_set(cJSON *body, const char *name, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(body, name);
	cJSON_AddItemToObject(body, name, value);
}

cJSON *ab_plan_body(const struct arguments *a, struct err *e)
{
	const char *path = arguments_value(a, "plan"), *name = arguments_value(a, "name");
	cJSON *body = path ? file_read(path, e) : cJSON_CreateObject();
	long long size;

	if (!body)
		return NULL;
	if (arms_add(a, body, e) != 0 || metrics_add(a, body, e) != 0 || assume_add(a, body, e) != 0 ||
	    output_number(a, "size", 1, EXPERIMENT_SIZE_MAX, 0, &size, e) != 0) {
		cJSON_Delete(body);
		return NULL;
	}
	if (name)
		field_set(body, "name", cJSON_CreateString(name));
	if (size > 0)
		field_set(body, "planned_size", cJSON_CreateNumber((double)size));
	if (arguments_flag(a, "aa"))
		field_set(body, "mode", cJSON_CreateString("aa"));
	return body;
}
