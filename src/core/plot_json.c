/* Plots as JSON: what a job tells of itself and what a report keeps. */
#include "core/json.h"
#include "core/plot_internal.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- writing --- */

/* A chart has a few hundred steps at most: more digits would be bytes of a snapshot that nobody sees. */
static double six_digits(double number)
{
	char text[32];
	if (!isfinite(number))
		return number;
	snprintf(text, sizeof text, "%.6g", number);
	return strtod(text, NULL);
}

static bool add_rounded(cJSON *o, const char *name, double number)
{
	return json_add_number(o, name, six_digits(number));
}

static bool add_numbers(cJSON *o, const char *name, const double *numbers, size_t count)
{
	cJSON *list = cJSON_AddArrayToObject(o, name);
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < count; i++)
		ok = json_append(list, isfinite(numbers[i]) ? cJSON_CreateNumber(six_digits(numbers[i]))
							    : cJSON_CreateNull());
	return ok;
}

static bool add_bad(cJSON *o, const struct plot *p)
{
	cJSON *list = cJSON_AddArrayToObject(o, "bad");
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < p->count; i++)
		ok = !p->bad[i] || json_append(list, cJSON_CreateNumber((double)i));
	return ok;
}

static bool add_labels(cJSON *o, const struct plot *p)
{
	cJSON *list = cJSON_AddArrayToObject(o, "labels");
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < p->count; i++)
		ok = json_append(list, cJSON_CreateString(p->labels[i]));
	return ok;
}

static bool add_marks(cJSON *o, const struct plot *p)
{
	cJSON *list = p->mark_count > 0 ? cJSON_AddArrayToObject(o, "marks") : NULL;
	bool ok = list != NULL || p->mark_count == 0;
	for (size_t i = 0; ok && i < p->mark_count; i++) {
		const struct plot_mark *mark = &p->marks[i];
		cJSON *item = cJSON_CreateObject();
		ok = json_append(list,
				 json_whole(item, json_add_text(item, "axis", mark->axis == PLOT_AXIS_X ? "x" : "y") &&
						      add_rounded(item, "value", mark->value) &&
						      json_add_text(item, "label", mark->label)));
	}
	return ok;
}

static bool add_kind(cJSON *o, const struct plot *p)
{
	bool spread = p->kind == PLOT_HISTOGRAM || p->kind == PLOT_SERIES;
	if (spread && !(add_rounded(o, "x_low", p->x_low) && add_rounded(o, "x_high", p->x_high)))
		return false;
	if (p->x_log && !json_add_boolean(o, "x_log", true))
		return false;
	if (spread && plot_has_other(p) &&
	    !(json_add_text(o, "other_name", p->other_name) && add_numbers(o, "y_other", p->y_other, p->count)))
		return false;
	if (p->kind == PLOT_POINTS)
		return add_numbers(o, "x", p->x, p->count) && add_bad(o, p);
	if (p->kind == PLOT_INTERVALS)
		return add_numbers(o, "low", p->low, p->count) && add_numbers(o, "high", p->high, p->count) &&
		       add_labels(o, p) && add_bad(o, p);
	return true;
}

static cJSON *plot_to_json(const struct plot *p)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, json_add_text(o, "kind", plot_kind_name(p->kind)) && json_add_text(o, "title", p->title) &&
				 json_add_text(o, "x_unit", plot_unit_name(p->x_unit)) &&
				 json_add_text(o, "y_unit", plot_unit_name(p->y_unit)) &&
				 (p->name[0] == '\0' || json_add_text(o, "name", p->name)) &&
				 add_numbers(o, "y", p->y, p->count) && add_kind(o, p) && add_marks(o, p));
}

cJSON *plots_to_json(const struct plot *plots, size_t count)
{
	cJSON *array = cJSON_CreateArray();
	bool complete = array != NULL;
	for (size_t i = 0; complete && i < count; i++)
		complete = json_append(array, plot_to_json(&plots[i]));
	return json_whole(array, complete);
}

/* --- reading --- */

/* The place of a name in a list of them, or its length. */
static int find(const char *name, const char *(*name_of)(int), int count)
{
	int i = 0;
	while (i < count && strcmp(name, name_of(i)) != 0)
		i++;
	return i;
}

static const char *kind_of(int i)
{
	return plot_kind_name((enum plot_kind)i);
}

static const char *unit_of(int i)
{
	return plot_unit_name((enum plot_unit)i);
}

static int read_name(const cJSON *json, const char *field, const char *(*name_of)(int), int count, int *place,
		     struct err *e)
{
	char name[16];
	if (json_clean_text(json, field, name, sizeof name, e) != 0)
		return -1;
	*place = find(name, name_of, count);
	if (*place == count)
		return err_set(e, ERR_INPUT, "field `%s` of a plot has no meaning \"%s\"", field, name);
	return 0;
}

/* Exactly count numbers; where missing is allowed null is NaN. */
static int read_numbers(const cJSON *json, const char *name, double *numbers, size_t count, bool missing, struct err *e)
{
	const cJSON *list = json_array(json, name, count, e), *item;
	size_t n = 0;
	if (list == NULL)
		return -1;
	if ((size_t)cJSON_GetArraySize(list) != count)
		return err_set(e, ERR_INPUT, "field `%s` of a plot must have %zu numbers like `y`, it has %d", name,
			       count, cJSON_GetArraySize(list));
	cJSON_ArrayForEach(item, list)
	{
		bool null = missing && cJSON_IsNull(item);
		if (!null && (!cJSON_IsNumber(item) || !plot_fits(item->valuedouble)))
			return err_set(e, ERR_INPUT,
				       "field `%s` of a plot must hold finite numbers, number %zu is none", name,
				       n + 1);
		numbers[n++] = null ? NAN : item->valuedouble;
	}
	return 0;
}

/* How many there are is told by y. */
static int read_y(const cJSON *json, struct plot *p, struct err *e)
{
	size_t most = p->kind == PLOT_INTERVALS ? PLOT_INTERVALS_MAX : PLOT_POINTS_MAX;
	const cJSON *list = json_array(json, "y", most, e);
	if (list == NULL)
		return -1;
	p->count = (size_t)cJSON_GetArraySize(list);
	return read_numbers(json, "y", p->y, p->count, p->kind == PLOT_SERIES, e);
}

static int read_other(const cJSON *json, struct plot *p, struct err *e)
{
	if (!json_has(json, "y_other"))
		return 0;
	if (json_clean_text(json, "other_name", p->other_name, sizeof p->other_name, e) != 0)
		return -1;
	if (!plot_has_other(p))
		return err_set(e, ERR_INPUT, "a plot with `y_other` must have `other_name`");
	return read_numbers(json, "y_other", p->y_other, p->count, p->kind == PLOT_SERIES, e);
}

static int read_range(const cJSON *json, struct plot *p, struct err *e)
{
	if (json_number(json, "x_low", &p->x_low, e) != 0 || json_number(json, "x_high", &p->x_high, e) != 0)
		return -1;
	if (!plot_fits(p->x_low) || !plot_fits(p->x_high) || p->x_low >= p->x_high)
		return err_set(e, ERR_INPUT, "field `x_low` of a plot must be below `x_high`");
	if (p->x_log && p->x_low <= 0)
		return err_set(e, ERR_INPUT, "field `x_low` of a plot with `x_log` must be above 0");
	return read_other(json, p, e);
}

static int read_counts(const cJSON *json, struct plot *p, struct err *e)
{
	if (read_range(json, p, e) != 0)
		return -1;
	for (size_t i = 0; i < p->count; i++) {
		if (p->y[i] < 0 || p->y_other[i] < 0)
			return err_set(e, ERR_INPUT, "the counts of a histogram must not be negative");
	}
	return 0;
}

static int read_bad(const cJSON *json, struct plot *p, struct err *e)
{
	const cJSON *list, *item;
	int64_t place;
	if (!json_has(json, "bad"))
		return 0;
	list = json_array(json, "bad", PLOT_POINTS_MAX, e);
	if (list == NULL)
		return -1;
	cJSON_ArrayForEach(item, list)
	{
		if (!json_is_integer(item, 0, (int64_t)p->count - 1, &place))
			return err_set(e, ERR_INPUT, "field `bad` of a plot must hold places of `y`, from 0");
		p->bad[place] = true;
	}
	return 0;
}

static int read_points(const cJSON *json, struct plot *p, struct err *e)
{
	if (read_numbers(json, "x", p->x, p->count, false, e) != 0)
		return -1;
	for (size_t i = 0; p->x_log && i < p->count; i++) {
		if (p->x[i] <= 0)
			return err_set(e, ERR_INPUT, "field `x` of a plot with `x_log` must be above 0");
	}
	return read_bad(json, p, e);
}

static int read_intervals(const cJSON *json, struct plot *p, struct err *e)
{
	const cJSON *list, *item;
	size_t n = 0;
	if (read_numbers(json, "low", p->low, p->count, true, e) != 0 ||
	    read_numbers(json, "high", p->high, p->count, true, e) != 0)
		return -1;
	for (size_t i = 0; i < p->count; i++) {
		if (isnan(p->low[i]) != isnan(p->high[i]) || p->low[i] > p->high[i])
			return err_set(e, ERR_INPUT, "an interval of a plot must have `low` up to `high`, or neither");
	}
	list = json_array(json, "labels", p->count, e);
	if (list == NULL)
		return -1;
	if ((size_t)cJSON_GetArraySize(list) != p->count)
		return err_set(e, ERR_INPUT, "field `labels` of a plot must have %zu texts like `y`", p->count);
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "field `labels` of a plot must hold text");
		text_clean(p->labels[n++], PLOT_LABEL_SIZE, item->valuestring);
	}
	return read_bad(json, p, e);
}

static int read_mark(const cJSON *json, struct plot_mark *mark, struct err *e)
{
	char axis[4];
	if (json_clean_text(json, "axis", axis, sizeof axis, e) != 0 ||
	    json_number(json, "value", &mark->value, e) != 0 ||
	    json_clean_text(json, "label", mark->label, sizeof mark->label, e) != 0)
		return -1;
	if (strcmp(axis, "x") != 0 && strcmp(axis, "y") != 0)
		return err_set(e, ERR_INPUT, "field `axis` of a plot's mark must be x or y");
	if (!plot_fits(mark->value))
		return err_set(e, ERR_INPUT, "field `value` of a plot's mark is too large");
	mark->axis = axis[0] == 'x' ? PLOT_AXIS_X : PLOT_AXIS_Y;
	return 0;
}

static int read_marks(const cJSON *json, struct plot *p, struct err *e)
{
	const cJSON *list, *item;
	if (!json_has(json, "marks"))
		return 0;
	list = json_array(json, "marks", PLOT_MARKS_MAX, e);
	if (list == NULL)
		return -1;
	cJSON_ArrayForEach(item, list)
	{
		if (read_mark(item, &p->marks[p->mark_count++], e) != 0)
			return -1;
	}
	return 0;
}

static int plot_from_json(const cJSON *json, struct plot *p, struct err *e)
{
	static int (*const read_kind[PLOT_KIND_COUNT])(const cJSON *, struct plot *, struct err *) = {
	    [PLOT_HISTOGRAM] = read_counts,
	    [PLOT_SERIES] = read_range,
	    [PLOT_POINTS] = read_points,
	    [PLOT_INTERVALS] = read_intervals,
	};
	int kind, x_unit, y_unit;

	*p = (struct plot){0};
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "a plot must be an object");
	if (read_name(json, "kind", kind_of, PLOT_KIND_COUNT, &kind, e) != 0 ||
	    read_name(json, "x_unit", unit_of, PLOT_UNIT_COUNT, &x_unit, e) != 0 ||
	    read_name(json, "y_unit", unit_of, PLOT_UNIT_COUNT, &y_unit, e) != 0 ||
	    json_clean_text(json, "title", p->title, sizeof p->title, e) != 0 ||
	    json_clean_text(json, "name", p->name, sizeof p->name, e) != 0 ||
	    json_optional_boolean(json, "x_log", &p->x_log, e) != 0)
		return -1;
	p->kind = (enum plot_kind)kind;
	p->x_unit = (enum plot_unit)x_unit;
	p->y_unit = (enum plot_unit)y_unit;
	return read_y(json, p, e) != 0 || read_kind[kind](json, p, e) != 0 ? -1 : read_marks(json, p, e);
}

int plots_from_json(const cJSON *array, struct plot plots[PLOTS_MAX], size_t *count, struct err *e)
{
	const cJSON *item;
	size_t read = 0;

	*count = 0;
	if (array == NULL || cJSON_IsNull(array))
		return 0;
	if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > PLOTS_MAX)
		return err_set(e, ERR_INPUT, "field `plots` must be a list of at most %d", PLOTS_MAX);
	cJSON_ArrayForEach(item, array)
	{
		if (plot_from_json(item, &plots[read++], e) != 0)
			return -1;
	}
	*count = read;
	return 0;
}
