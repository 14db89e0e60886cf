#include "core/test/differential.h"

#include "core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOISE_FACTOR 4
/* Of the standard deviation, and of the prediction: what the same model loses when it is exported in FP32. */
#define ATOL_SHARE 1e-5
#define RTOL 1e-5

const double differential_quantiles[DIFFERENTIAL_QUANTILES] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

void differential_settings_of(const struct policy *p, struct differential_settings *settings)
{
	*settings = (struct differential_settings){.atol = p->diff_atol,
						   .rtol = p->diff_rtol,
						   .rows_percent = p->diff_rows_percent,
						   .flips_percent = p->diff_flips_percent,
						   .mean_max = p->diff_mean_max,
						   .quantile_max = p->diff_quantile_max,
						   .alpha = p->diff_alpha};
}

void differential_settings_by_noise(struct differential_settings *settings, double noise_greatest, double old_sd)
{
	settings->atol_by_noise = isnan(settings->atol);
	settings->rtol_by_noise = isnan(settings->rtol);
	if (isnan(settings->atol))
		settings->atol = fmax(NOISE_FACTOR * noise_greatest, isfinite(old_sd) ? ATOL_SHARE * old_sd : 0);
	if (isnan(settings->rtol))
		settings->rtol = RTOL;
}

struct differential *differential_new(const struct differential_settings *settings, const struct score_kind *kind)
{
	struct differential *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->settings = *settings;
	d->width = score_width(kind);
	d->has_class = score_has_class(kind);
	d->old_least = d->new_least = INFINITY;
	d->old_greatest = d->new_greatest = -INFINITY;
	d->old_sketch = sketch_new();
	d->new_sketch = sketch_new();
	d->segments = calloc(DIFFERENTIAL_SEGMENTS + 1, sizeof *d->segments);
	if (d->old_sketch != NULL && d->new_sketch != NULL && d->segments != NULL)
		return d;
	differential_free(d);
	return NULL;
}

void differential_free(struct differential *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->worst_count; i++)
		free(d->worst[i].inputs);
	sketch_free(d->old_sketch);
	sketch_free(d->new_sketch);
	free(d->segments);
	free(d);
}

size_t differential_segment(struct differential *d, const char *text, size_t size)
{
	char raw[DIFFERENTIAL_SEGMENT_SIZE], name[DIFFERENTIAL_SEGMENT_SIZE];

	size = size < sizeof raw ? size : sizeof raw - 1;
	memcpy(raw, text, size);
	raw[size] = '\0';
	text_clean(name, sizeof name, size == 0 ? "(none)" : raw);
	for (size_t i = 0; i < d->segment_count; i++)
		if (strcmp(d->segments[i].name, name) == 0)
			return i;
	if (d->segment_count < DIFFERENTIAL_SEGMENTS) {
		memcpy(d->segments[d->segment_count].name, name, sizeof name);
		return d->segment_count++;
	}
	text_clean(d->segments[DIFFERENTIAL_SEGMENTS].name, DIFFERENTIAL_SEGMENT_SIZE, "(others)");
	d->segment_count = DIFFERENTIAL_SEGMENTS + 1;
	return DIFFERENTIAL_SEGMENTS;
}

/* --- the worst rows --- */

static void sink(struct differential *d, size_t at)
{
	for (;;) {
		size_t least = at, left = 2 * at + 1;
		for (size_t child = left; child <= left + 1 && child < d->worst_count; child++)
			if (d->worst[child].badness < d->worst[least].badness)
				least = child;
		if (least == at)
			return;
		const struct differential_worst moved = d->worst[at];
		d->worst[at] = d->worst[least];
		d->worst[least] = moved;
		at = least;
	}
}

static void keep_worst(struct differential *d, double badness, const struct differential_row *row, double old_value,
		       double new_value)
{
	bool full = d->worst_count == DIFFERENTIAL_WORST;

	/* Of equally bad rows the first ones stay. */
	if (badness <= 0 || (full && badness <= d->worst[0].badness))
		return;
	struct differential_worst worst = {.badness = badness,
					   .line = row->line,
					   .old_value = old_value,
					   .new_value = new_value,
					   .label = row->label,
					   .old_class = row->old_class,
					   .new_class = row->new_class,
					   .segment = row->segment,
					   .inputs = d->describe != NULL ? d->describe(d->context) : NULL};
	if (full) {
		free(d->worst[0].inputs);
		d->worst[0] = worst;
		sink(d, 0);
		return;
	}
	d->worst[d->worst_count++] = worst;
	for (size_t i = d->worst_count; i-- > 0;)
		sink(d, i);
}

/* --- a row --- */

static void add_size(struct differential *d, double badness)
{
	double bin = DIFFERENTIAL_SIZES / 2 + ceil(10 * log10(badness)) - 1;

	if (badness > 0)
		d->size_bins[(size_t)fmin(fmax(bin, 0), DIFFERENTIAL_SIZES - 1)]++;
}

/* How many times its tolerance the difference is; infinite when one side is no finite number. */
static double badness_of(const struct differential_settings *s, double old_value, double new_value)
{
	if (old_value == new_value || (isnan(old_value) && isnan(new_value)))
		return 0;
	double distance = fabs(new_value - old_value), allowed = s->atol + s->rtol * fabs(old_value);
	return !isfinite(distance) || allowed == 0 ? INFINITY : distance / allowed;
}

/* The number that stands for a row: its only one, or of classes the one that differs most. */
static size_t place_of(const struct differential *d, const struct differential_row *row)
{
	size_t place = 0;
	double most = -1;

	for (size_t i = 0; i < d->width; i++) {
		double badness = badness_of(&d->settings, row->old_values[i], row->new_values[i]);
		if (badness > most) {
			most = badness;
			place = i;
		}
	}
	return place;
}

static void add_values(struct differential *d, double old_value, double new_value)
{
	uint32_t ulp = stat_ulp((float)old_value, (float)new_value);
	size_t bin = 0;

	if (!isnan(old_value) && !isnan(new_value)) {
		while ((uint64_t)ulp >> bin != 0)
			bin++;
		d->ulp_bins[bin]++;
		d->ulp_greatest = ulp > d->ulp_greatest ? ulp : d->ulp_greatest;
	}
	if (!isfinite(old_value) || !isfinite(new_value))
		return;
	stat_moments_add(&d->old_values, old_value);
	stat_moments_add(&d->new_values, new_value);
	sketch_add(d->old_sketch, old_value);
	sketch_add(d->new_sketch, new_value);
	d->old_least = fmin(d->old_least, old_value);
	d->old_greatest = fmax(d->old_greatest, old_value);
	d->new_least = fmin(d->new_least, new_value);
	d->new_greatest = fmax(d->new_greatest, new_value);
}

static void add_label(struct differential *d, const struct differential_row *row, struct differential_segment *segment,
		      double old_value, double new_value)
{
	if (isnan(row->label))
		return;
	d->label_rows++;
	if (d->has_class) {
		uint64_t before = d->labelled.negative;
		stat_flips_add(&d->labelled, (int64_t)llround(row->label), row->old_class, row->new_class);
		segment->negative += d->labelled.negative - before;
	} else if (isfinite(old_value) && isfinite(new_value)) {
		double old_error = fabs(old_value - row->label), new_error = fabs(new_value - row->label);
		stat_moments_add(&d->old_errors, old_error);
		stat_moments_add(&d->new_errors, new_error);
		stat_moments_add(&d->error_differences, new_error - old_error);
	}
}

static void add_class(struct differential *d, const struct differential_row *row, struct differential_segment *segment)
{
	int64_t old_class = row->old_class, new_class = row->new_class;

	if (!d->has_class)
		return;
	d->class_rows++;
	d->flips += old_class != new_class;
	segment->flips += old_class != new_class;
	if (old_class >= 0 && old_class < DIFFERENTIAL_CLASSES && new_class >= 0 && new_class < DIFFERENTIAL_CLASSES)
		d->confusion[old_class][new_class]++;
}

void differential_add(struct differential *d, const struct differential_row *row)
{
	size_t place = place_of(d, row);
	double old_value = row->old_values[place], new_value = row->new_values[place];
	struct differential_segment *segment = &d->segments[row->segment];
	bool violates = stat_row_diff_add(&d->diff, old_value, new_value, d->settings.atol, d->settings.rtol);

	segment->rows++;
	segment->violations += violates;
	if (isfinite(old_value) && isfinite(new_value))
		stat_moments_add(&segment->differences, new_value - old_value);
	add_values(d, old_value, new_value);
	add_class(d, row, segment);
	add_label(d, row, segment, old_value, new_value);
	double badness = badness_of(&d->settings, old_value, new_value);
	add_size(d, badness);
	keep_worst(d, badness, row, old_value, new_value);
}
