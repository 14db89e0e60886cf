/* differential: its figures as the parts of a report (docs/TESTS.md). */
#include "core/test/differential.h"

#include "core/stat/stat_mean.h"
#include "core/stat/stat_proportion.h"

#include <math.h>

void differential_add_number(cJSON *object, const char *name, double number)
{
	if (isfinite(number))
		cJSON_AddNumberToObject(object, name, number);
	else
		cJSON_AddNullToObject(object, name);
}

/* Short, for there are many. */
static void number(cJSON *object, const char *name, double value)
{
	differential_add_number(object, name, value);
}

double differential_ulp_quantile(const struct differential *d, double q)
{
	uint64_t count = 0, seen = 0;

	for (size_t i = 0; i < DIFFERENTIAL_ULP_BINS; i++)
		count += d->ulp_bins[i];
	if (count == 0)
		return (double)NAN;
	uint64_t rank = (uint64_t)(q * (double)(count - 1));
	for (size_t i = 0; i < DIFFERENTIAL_ULP_BINS; i++) {
		seen += d->ulp_bins[i];
		if (seen > rank)
			return ldexp(1, (int)i) - 1;
	}
	return (double)d->ulp_greatest;
}

static void add_settings(const struct differential_settings *s, cJSON *report)
{
	cJSON *json = cJSON_AddObjectToObject(report, "settings");

	number(json, "diff_atol", s->atol);
	number(json, "diff_rtol", s->rtol);
	cJSON_AddBoolToObject(json, "diff_atol_by_noise", s->atol_by_noise);
	cJSON_AddBoolToObject(json, "diff_rtol_by_noise", s->rtol_by_noise);
	number(json, "diff_rows_max", s->rows_percent);
	number(json, "diff_flips_max", s->flips_percent);
	number(json, "diff_mean_max", s->mean_max);
	number(json, "diff_quantile_max", s->quantile_max);
	number(json, "diff_alpha", s->alpha);
}

static void add_difference(const struct differential *d, cJSON *report)
{
	cJSON *json = cJSON_AddObjectToObject(report, "difference");

	number(json, "violations", (double)d->diff.violations);
	number(json, "not_finite", (double)d->diff.not_finite);
	number(json, "greatest", d->diff.greatest);
	number(json, "mean", stat_moments_mean(&d->diff.differences));
	number(json, "rmse", stat_row_diff_rmse(&d->diff));
	json = cJSON_AddObjectToObject(report, "ulp");
	number(json, "p50", differential_ulp_quantile(d, 0.5));
	number(json, "p99", differential_ulp_quantile(d, 0.99));
	number(json, "greatest", d->ulp_greatest);
}

static void add_mean(const struct differential *d, cJSON *report)
{
	struct stat_mean_test test;
	double margin = differential_mean_margin(d);
	cJSON *json = cJSON_AddObjectToObject(report, "mean");

	number(json, "old", stat_moments_mean(&d->old_values));
	number(json, "new", stat_moments_mean(&d->new_values));
	number(json, "old_sd", sqrt(stat_moments_variance(&d->old_values)));
	number(json, "new_sd", sqrt(stat_moments_variance(&d->new_values)));
	number(json, "margin", margin);
	if (stat_paired(&d->diff.differences, d->settings.alpha, &test, NULL) != 0)
		return;
	number(json, "shift", test.difference);
	number(json, "low", test.interval.low);
	number(json, "high", test.interval.high);
	number(json, "t", test.t);
	number(json, "p", test.p);
	number(json, "equivalence_p", margin > 0 ? stat_equivalence(&test, margin).p : (double)NAN);
}

static void add_quantiles(const struct differential *d, cJSON *report)
{
	cJSON *list = cJSON_AddArrayToObject(report, "quantiles");

	for (size_t i = 0; i < DIFFERENTIAL_QUANTILES; i++) {
		cJSON *json = cJSON_CreateObject();
		number(json, "q", differential_quantiles[i]);
		number(json, "old", sketch_quantile(d->old_sketch, differential_quantiles[i]));
		number(json, "new", sketch_quantile(d->new_sketch, differential_quantiles[i]));
		cJSON_AddItemToArray(list, json);
	}
}

/* As many classes as there are rows of. */
static size_t classes_seen(const struct differential *d)
{
	size_t seen = 0;

	for (size_t i = 0; i < DIFFERENTIAL_CLASSES; i++)
		for (size_t j = 0; j < DIFFERENTIAL_CLASSES; j++)
			if (d->confusion[i][j] > 0 && (i >= seen || j >= seen))
				seen = (i > j ? i : j) + 1;
	return seen;
}

static void add_classes(const struct differential *d, cJSON *report)
{
	if (!d->has_class) {
		cJSON_AddNullToObject(report, "classes");
		return;
	}
	cJSON *json = cJSON_AddObjectToObject(report, "classes");
	size_t count = classes_seen(d);

	number(json, "rows", (double)d->class_rows);
	number(json, "flips", (double)d->flips);
	cJSON *confusion = cJSON_AddArrayToObject(json, "confusion");
	for (size_t i = 0; i < count; i++) {
		cJSON *row = cJSON_CreateArray();
		for (size_t j = 0; j < count; j++)
			cJSON_AddItemToArray(row, cJSON_CreateNumber((double)d->confusion[i][j]));
		cJSON_AddItemToArray(confusion, row);
	}
}

static void add_labels(const struct differential *d, cJSON *report)
{
	if (d->label_rows == 0) {
		cJSON_AddNullToObject(report, "labels");
		return;
	}
	cJSON *json = cJSON_AddObjectToObject(report, "labels");
	number(json, "rows", (double)d->label_rows);
	if (!d->has_class) {
		number(json, "old_error", stat_moments_mean(&d->old_errors));
		number(json, "new_error", stat_moments_mean(&d->new_errors));
		return;
	}
	const struct stat_flips *flips = &d->labelled;
	const struct stat_mcnemar test = stat_mcnemar(flips->negative, flips->positive);
	number(json, "old_right", (double)flips->old_right);
	number(json, "new_right", (double)flips->new_right);
	number(json, "negative", (double)flips->negative);
	number(json, "positive", (double)flips->positive);
	number(json, "mcnemar_p", test.p_exact);
	number(json, "mcnemar_mid_p", test.p_mid);
}

static void add_segments(const struct differential *d, const char *column, cJSON *report)
{
	if (column == NULL) {
		cJSON_AddNullToObject(report, "segments");
		return;
	}
	cJSON *json = cJSON_AddObjectToObject(report, "segments");
	cJSON_AddStringToObject(json, "column", column);
	cJSON *list = cJSON_AddArrayToObject(json, "values");
	for (size_t i = 0; i < d->segment_count; i++) {
		const struct differential_segment *s = &d->segments[i];
		cJSON *one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "value", s->name);
		number(one, "rows", (double)s->rows);
		number(one, "violations", (double)s->violations);
		number(one, "flips", (double)s->flips);
		number(one, "negative", (double)s->negative);
		number(one, "shift", stat_moments_mean(&s->differences));
		cJSON_AddItemToArray(list, one);
	}
}

static void add_class(cJSON *json, const char *name, int64_t class)
{
	number(json, name, class == SCORE_NO_CLASS ? (double)NAN : (double)class);
}

/* A number that JSON has not is told by its name. */
static void add_value(cJSON *json, const char *name, double value)
{
	if (isfinite(value))
		cJSON_AddNumberToObject(json, name, value);
	else
		cJSON_AddStringToObject(json, name, isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf");
}

static void add_worst(const struct differential *d, const char *column, cJSON *report)
{
	cJSON *list = cJSON_AddArrayToObject(report, "worst");

	for (size_t i = 0; i < d->worst_count; i++) {
		const struct differential_worst *w = &d->worst[i];
		cJSON *json = cJSON_CreateObject();
		number(json, "line", (double)w->line);
		add_value(json, "old", w->old_value);
		add_value(json, "new", w->new_value);
		number(json, "difference", w->new_value - w->old_value);
		number(json, "times_tolerance", w->badness);
		bool none = isnan(w->old_value) || isnan(w->new_value);
		number(json, "ulp", none ? (double)NAN : stat_ulp((float)w->old_value, (float)w->new_value));
		add_class(json, "old_class", w->old_class);
		add_class(json, "new_class", w->new_class);
		number(json, "label", w->label);
		if (column != NULL)
			cJSON_AddStringToObject(json, "segment", d->segments[w->segment].name);
		cJSON *inputs = w->inputs != NULL ? cJSON_Parse(w->inputs) : NULL;
		if (cJSON_IsObject(inputs))
			for (cJSON *item; (item = cJSON_DetachItemFromArray(inputs, 0)) != NULL;)
				cJSON_AddItemToObject(json, item->string, item);
		cJSON_Delete(inputs);
		cJSON_AddItemToArray(list, json);
	}
}

void differential_to_json(const struct differential *d, const char *segment, cJSON *report)
{
	number(report, "rows", (double)d->diff.rows);
	add_settings(&d->settings, report);
	add_difference(d, report);
	add_mean(d, report);
	add_quantiles(d, report);
	add_classes(d, report);
	add_labels(d, report);
	add_segments(d, segment, report);
	add_worst(d, segment, report);
}
