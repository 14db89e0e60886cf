#include "core/test/score.h"

#include "core/columns.h"
#include "core/json.h"

#include <math.h>

int score_kind_from_json(const cJSON *version, struct score_kind *kind, struct err *e)
{
	const cJSON *json = cJSON_GetObjectItemCaseSensitive(version, "prediction");
	int64_t column = -1, classes = 0;

	*kind = (struct score_kind){.column = SCORE_ARGMAX};
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_CONFLICT, "nothing that v%.0f answers is a number that could be compared",
			       json_find_number(version, "version"));
	if (json_string(json, "output", kind->output, sizeof kind->output, e) != 0 ||
	    json_optional_integer(json, "column", 0, COLUMNS_MAX, &column, e) != 0 ||
	    json_optional_integer(json, "class_count", 0, SCORE_CLASSES_MAX, &classes, e) != 0 ||
	    json_optional_boolean(json, "probability", &kind->probability, e) != 0)
		return -1;
	kind->class_count = (size_t)classes;
	/* Of several classes each has one: that the runtime says so, and other engines do not, is no difference. */
	kind->probability = kind->probability && classes <= 1;
	if (column >= 0)
		kind->column = (size_t)column;
	else if (classes < 1)
		return err_set(e, ERR_CONFLICT, "v%.0f does not say how many classes it tells apart",
			       json_find_number(version, "version"));
	return 0;
}

static const char *sense_of(const struct score_kind *kind)
{
	if (kind->probability)
		return "a probability";
	if (kind->column == SCORE_ARGMAX)
		return "a number for each class";
	return kind->class_count > 1 ? "a class" : "a plain number";
}

int score_kinds_comparable(const struct score_kind *a, const char *a_name, const struct score_kind *b,
			   const char *b_name, struct err *e)
{
	if (a->probability != b->probability || (a->class_count > 1) != (b->class_count > 1) ||
	    (a->column == SCORE_ARGMAX) != (b->column == SCORE_ARGMAX))
		return err_set(e, ERR_CONFLICT, "%s answers %s (`%s`) and %s %s (`%s`): they cannot be compared",
			       a_name, sense_of(a), a->output, b_name, sense_of(b), b->output);
	if (score_width(a) != score_width(b))
		return err_set(e, ERR_CONFLICT, "%s tells %zu classes apart and %s %zu: they cannot be compared",
			       a_name, score_width(a), b_name, score_width(b));
	return 0;
}

bool score_has_class(const struct score_kind *kind)
{
	return kind->probability || kind->class_count > 1;
}

size_t score_width(const struct score_kind *kind)
{
	return kind->column == SCORE_ARGMAX ? kind->class_count : 1;
}

static int64_t class_of(const struct score_kind *kind, const double *values, size_t width)
{
	size_t best = 0;

	if (isnan(values[0]) || !score_has_class(kind))
		return SCORE_NO_CLASS;
	if (kind->probability)
		return values[0] >= 0.5;
	if (kind->column != SCORE_ARGMAX)
		return fabs(values[0]) < 9e15 ? (int64_t)llround(values[0]) : SCORE_NO_CLASS;
	for (size_t i = 1; i < width; i++) {
		if (isnan(values[i]))
			return SCORE_NO_CLASS;
		best = values[i] > values[best] ? i : best;
	}
	return (int64_t)best;
}

int score_read(const struct score_kind *kind, const struct tensor *output, size_t rows, double *values,
	       int64_t *classes, struct err *e)
{
	size_t width = score_width(kind), columns;
	size_t first = kind->column == SCORE_ARGMAX ? 0 : kind->column;

	if (columns_output_width(output, kind->output, rows, &columns, e) != 0)
		return -1;
	if (first + width > columns || (kind->column == SCORE_ARGMAX && columns != width))
		return err_set(e, ERR_UPSTREAM, "output `%s` has %zu columns a row, not the %zu that were expected",
			       kind->output, columns, first + width);
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = 0; i < width; i++)
			values[row * width + i] = tensor_double(output, row * columns + first + i);
		classes[row] = class_of(kind, &values[row * width], width);
	}
	return 0;
}
