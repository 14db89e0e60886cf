/* differential: what is found of two versions' answers: a number against its threshold each (docs/TESTS.md). */
#include "core/test/differential.h"

#include "core/stat/stat_mean.h"
#include "core/stat/stat_proportion.h"
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SEGMENT_ROWS_LEAST 30 /* for the test of a segment's mean */

struct list {
	struct finding *findings;
	size_t count;
};

static struct finding *add(struct list *l, const char *name, double value, double threshold, const char *unit,
			   uint64_t n)
{
	struct finding *f = &l->findings[l->count++];

	*f = (struct finding){.verdict = FINDING_PASS, .value = value, .threshold = threshold, .n = n};
	text_clean(f->name, sizeof f->name, name);
	text_clean(f->unit, sizeof f->unit, unit);
	return f;
}

__attribute__((format(printf, 3, 4))) static void say(struct finding *f, enum finding_verdict verdict,
						      const char *format, ...)
{
	char text[2 * FINDING_TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	f->verdict = verdict;
	text_clean(f->text, sizeof f->text, text);
}

static double percent(uint64_t part, uint64_t of)
{
	return of == 0 ? 0 : 100 * (double)part / (double)of;
}

static enum finding_verdict at_most(double value, double threshold)
{
	return value <= threshold ? FINDING_PASS : FINDING_FAIL;
}

static double old_sd(const struct differential *d)
{
	double variance = stat_moments_variance(&d->old_values);

	return isfinite(variance) ? sqrt(variance) : 0;
}

/* --- row by row --- */

static void judge_finite(struct list *l, const struct differential *d)
{
	struct finding *f = add(l, "not_finite", (double)d->diff.not_finite, 0, "", d->diff.rows);

	say(f, at_most(f->value, 0), "%llu of %llu rows have NaN or an infinity on one side only",
	    (unsigned long long)d->diff.not_finite, (unsigned long long)d->diff.rows);
}

/* One answer to everything is no answer. */
static void judge_spread(struct list *l, const struct differential *d)
{
	bool old_flat = !(d->old_least < d->old_greatest), new_flat = !(d->new_least < d->new_greatest);

	if (d->old_values.count < 2 || (!new_flat && !old_flat))
		return;
	struct finding *f = add(l, "spread", (double)NAN, (double)NAN, "", d->old_values.count);
	if (new_flat && old_flat)
		say(f, FINDING_WAIT, "all predictions of both are equal (%.6g and %.6g): these rows tell nothing",
		    d->old_least, d->new_least);
	else
		say(f, FINDING_FAIL, "all predictions of the %s version are %.6g, those of the other are not all equal",
		    new_flat ? "new" : "old", new_flat ? d->new_least : d->old_least);
}

static void judge_rows(struct list *l, const struct differential *d)
{
	struct finding *f =
	    add(l, "rows", percent(d->diff.violations, d->diff.rows), d->settings.rows_percent, "%", d->diff.rows);

	say(f, at_most(f->value, f->threshold), "%llu of %llu rows differ by more than %.3g + %.3g |old|, at most %.4g",
	    (unsigned long long)d->diff.violations, (unsigned long long)d->diff.rows, d->settings.atol,
	    d->settings.rtol, d->diff.greatest);
}

static void judge_flips(struct list *l, const struct differential *d)
{
	if (!d->has_class)
		return;
	struct finding *f =
	    add(l, "flips", percent(d->flips, d->class_rows), d->settings.flips_percent, "%", d->class_rows);
	say(f, at_most(f->value, f->threshold), "%llu of %llu rows fall into another class",
	    (unsigned long long)d->flips, (unsigned long long)d->class_rows);
}

/* --- with labels --- */

static void judge_negative(struct list *l, const struct differential *d)
{
	const struct stat_flips *flips = &d->labelled;
	double p = stat_mcnemar(flips->negative, flips->positive).p_exact;
	struct finding *f = add(l, "negative_flips", p, d->settings.alpha, "p", flips->rows);

	say(f, flips->negative > flips->positive && p < d->settings.alpha ? FINDING_FAIL : FINDING_PASS,
	    "%llu rows were right and are wrong now, %llu the other way (McNemar p %.3g); right are %.2f%%, were "
	    "%.2f%%",
	    (unsigned long long)flips->negative, (unsigned long long)flips->positive, p,
	    percent(flips->new_right, flips->rows), percent(flips->old_right, flips->rows));
}

static void judge_error(struct list *l, const struct differential *d)
{
	struct stat_mean_test test;
	struct finding *f = add(l, "error", (double)NAN, d->settings.alpha, "p", d->error_differences.count);

	if (stat_paired(&d->error_differences, d->settings.alpha, &test, NULL) != 0) {
		say(f, FINDING_WAIT, "two labelled rows at least are needed to compare errors");
		return;
	}
	f->value = test.p;
	say(f, test.difference > 0 && test.p < d->settings.alpha ? FINDING_FAIL : FINDING_PASS,
	    "the mean error is %.6g, was %.6g (paired t, p %.3g)", stat_moments_mean(&d->new_errors),
	    stat_moments_mean(&d->old_errors), test.p);
}

static void judge_labels(struct list *l, const struct differential *d)
{
	if (d->label_rows == 0)
		return;
	if (d->has_class)
		judge_negative(l, d);
	else
		judge_error(l, d);
}

/* --- on average --- */

double differential_mean_margin(const struct differential *d)
{
	return fmax(d->settings.mean_max * old_sd(d), d->settings.atol);
}

static void judge_mean(struct list *l, const struct differential *d)
{
	double margin = differential_mean_margin(d);
	struct stat_mean_test test;
	struct finding *f = add(l, "mean", (double)NAN, margin, "", d->diff.differences.count);

	if (stat_paired(&d->diff.differences, d->settings.alpha, &test, NULL) != 0) {
		say(f, FINDING_WAIT, "two rows with finite predictions at least are needed to compare means");
		return;
	}
	f->value = fabs(test.difference);
	double p = margin > 0 ? stat_equivalence(&test, margin).p : test.difference == 0 ? 0 : 1;
	enum finding_verdict verdict = p < d->settings.alpha ? FINDING_PASS
				       : f->value > margin   ? FINDING_FAIL
							     : FINDING_WAIT;
	say(f, verdict, "the mean shifts by %.4g, [%.4g, %.4g]; %s within %.3g (paired t p %.3g, equivalence p %.3g)",
	    test.difference, test.interval.low, test.interval.high,
	    verdict == FINDING_PASS   ? "that is"
	    : verdict == FINDING_FAIL ? "that is not"
				      : "more rows are needed to show it",
	    margin, test.p, p);
}

static void judge_quantiles(struct list *l, const struct differential *d)
{
	double sd = old_sd(d), worst = -1, at = 0, old_value = 0, new_value = 0;

	if (d->old_values.count == 0)
		return;
	for (size_t i = 0; i < DIFFERENTIAL_QUANTILES; i++) {
		double q = differential_quantiles[i];
		double before = sketch_quantile(d->old_sketch, q), after = sketch_quantile(d->new_sketch, q);
		/* Each may be off by the sketch's accuracy, and row by row by the tolerance. */
		double blur =
		    SKETCH_ACCURACY * (fabs(before) + fabs(after)) + d->settings.atol + d->settings.rtol * fabs(before);
		double shift = fmax(fabs(after - before) - blur, 0);
		if (shift > worst) {
			worst = shift;
			at = q;
			old_value = before;
			new_value = after;
		}
	}
	double value = worst == 0 ? 0 : sd > 0 ? worst / sd : INFINITY;
	struct finding *f = add(l, "quantiles", value, d->settings.quantile_max, "sd", d->old_values.count);
	say(f, at_most(value, f->threshold), "the %g%% quantile moves most: %.6g, was %.6g", 100 * at, new_value,
	    old_value);
}

/* --- segments: with alpha shared among them (Bonferroni), so that many of them are no worse than one --- */

static bool mean_shifts(const struct differential *d, const struct differential_segment *s, double alpha)
{
	struct stat_mean_test test;
	double margin = differential_mean_margin(d);

	return s->differences.count >= SEGMENT_ROWS_LEAST && stat_paired(&s->differences, alpha, &test, NULL) == 0 &&
	       (test.interval.low > margin || test.interval.high < -margin);
}

static void judge_segments(struct list *l, const struct differential *d)
{
	double alpha = d->settings.alpha / (double)(d->segment_count > 0 ? d->segment_count : 1);
	const struct differential_segment *first = NULL;
	size_t failed = 0;

	if (d->segment_count == 0)
		return;
	for (size_t i = 0; i < d->segment_count; i++) {
		const struct differential_segment *s = &d->segments[i];
		const struct stat_share share = {s->violations, s->rows};
		bool fails =
		    s->rows > 0 && (100 * stat_clopper_pearson_lower(share, alpha) > d->settings.rows_percent ||
				    mean_shifts(d, s, alpha));
		failed += fails;
		if (fails &&
		    (first == NULL || percent(s->violations, s->rows) > percent(first->violations, first->rows)))
			first = s;
	}
	struct finding *f = add(l, "segments", (double)failed, 0, "", d->segment_count);
	if (first == NULL)
		say(f, FINDING_PASS, "none of %zu segments differs by more for sure", d->segment_count);
	else
		say(f, FINDING_FAIL, "%zu of %zu segments differ by more for sure, most of all `%s`: %llu of %llu rows",
		    failed, d->segment_count, first->name, (unsigned long long)first->violations,
		    (unsigned long long)first->rows);
}

static int worse_first(const void *a, const void *b)
{
	const struct differential_worst *left = a, *right = b;

	if (left->badness != right->badness)
		return left->badness < right->badness ? 1 : -1;
	return left->line < right->line ? -1 : left->line > right->line;
}

size_t differential_judge(struct differential *d, struct finding findings[FINDINGS_MAX])
{
	struct list l = {findings, 0};

	judge_finite(&l, d);
	judge_spread(&l, d);
	judge_rows(&l, d);
	judge_flips(&l, d);
	judge_labels(&l, d);
	judge_mean(&l, d);
	judge_quantiles(&l, d);
	judge_segments(&l, d);
	qsort(d->worst, d->worst_count, sizeof d->worst[0], worse_first);
	return l.count;
}
