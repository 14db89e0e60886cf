/*
 * differential: two versions' answers to the same rows, one row at a time, and whether the new one may pass.
 *
 * Owner: the caller, from differential_new() to differential_free(); one thread. Memory does not grow with the rows:
 * moments, sketches of quantiles, at most DIFFERENTIAL_SEGMENTS segments and DIFFERENTIAL_WORST worst rows.
 * docs/TESTS.md has the figures and the rule of the verdict. "Old" is the version that is compared against.
 * Not here: reading rows and asking versions (ui/command/diff_run), what of an answer is compared (score).
 */
#ifndef CORE_TEST_DIFFERENTIAL_H
#define CORE_TEST_DIFFERENTIAL_H

#include "core/finding.h"
#include "core/policy.h"
#include "core/stat/stat_diff.h"
#include "core/test/score.h"
#include "core/test/sketch.h"

#define DIFFERENTIAL_WORST 10
#define DIFFERENTIAL_SEGMENTS 200 /* further values share one, "(others)" */
#define DIFFERENTIAL_CLASSES 16   /* of the confusion; rows of further classes are not in it */
#define DIFFERENTIAL_SEGMENT_SIZE 64
/* Rows that differ, by how many times their tolerance: 10 bins a decade, from 0.001 on; the tolerance itself ends bin
 * DIFFERENTIAL_SIZES / 2 - 1, and the ends hold what lies beyond. */
#define DIFFERENTIAL_SIZES 60
#define DIFFERENTIAL_ULP_BINS 33 /* bin 0: none; bin i: from 2^(i-1) on */

/* How much may differ; from a policy, but for both tolerances, which are numbers here. */
struct differential_settings {
	double atol, rtol;
	bool atol_by_noise, rtol_by_noise; /* nobody set it */
	double rows_percent, flips_percent;
	double mean_max, quantile_max; /* in standard deviations of the old predictions */
	double alpha;
};

struct differential_row {
	uint64_t line;                         /* of the data */
	const double *old_values, *new_values; /* [width] */
	int64_t old_class, new_class;          /* SCORE_NO_CLASS: none */
	double label;                          /* the class's number, or the outcome; NaN: none */
	size_t segment;                        /* of differential_segment() */
};

struct differential_worst {
	double badness; /* the difference by its tolerance */
	uint64_t line;
	double old_value, new_value, label;
	int64_t old_class, new_class;
	size_t segment;
	char *inputs; /* what `describe` gave */
};

struct differential_segment {
	char name[DIFFERENTIAL_SEGMENT_SIZE];
	uint64_t rows, violations, flips, negative;
	struct stat_moments differences;
};

struct differential {
	struct differential_settings settings;
	size_t width;
	bool has_class;
	struct stat_row_diff diff;
	struct stat_moments old_values, new_values; /* finite on both sides */
	double old_least, old_greatest, new_least, new_greatest;
	uint64_t size_bins[DIFFERENTIAL_SIZES];
	uint64_t ulp_bins[DIFFERENTIAL_ULP_BINS];
	uint32_t ulp_greatest;
	uint64_t class_rows, flips;
	uint64_t confusion[DIFFERENTIAL_CLASSES][DIFFERENTIAL_CLASSES]; /* [old][new] */
	struct stat_flips labelled;
	uint64_t label_rows;
	struct stat_moments old_errors, new_errors, error_differences; /* |value - label| where there is no class */
	struct sketch *old_sketch, *new_sketch;
	size_t segment_count;
	struct differential_segment *segments; /* [DIFFERENTIAL_SEGMENTS + 1]; 0 without segments */
	size_t worst_count;
	struct differential_worst worst[DIFFERENTIAL_WORST]; /* a heap, the least bad first, until it is judged */
	/* The inputs of the row that is being added, as JSON text; free(). Asked for the worst rows only. */
	char *(*describe)(void *context);
	void *context;
};

/* The thresholds of a policy; tolerances that it leaves to the noise stay NaN. */
void differential_settings_of(const struct policy *p, struct differential_settings *settings);
/* What is left of them, from how old predictions of `noise_rows` rows differed when they were made twice: atol is 4
 * times the greatest difference, at least 1e-5 of their standard deviation; rtol is 1e-5. */
void differential_settings_by_noise(struct differential_settings *settings, double noise_greatest, double old_sd);

struct differential *differential_new(const struct differential_settings *settings, const struct score_kind *kind);
void differential_free(struct differential *d);
/* The place of a segment by its value. */
size_t differential_segment(struct differential *d, const char *text, size_t size);
void differential_add(struct differential *d, const struct differential_row *row);

/* What is found, in an order that says the gravest first; at most FINDINGS_MAX. Sorts the worst rows, the worst one
 * first. */
size_t differential_judge(struct differential *d, struct finding findings[FINDINGS_MAX]);
/* How much the mean may shift, in the predictions' unit. */
double differential_mean_margin(const struct differential *d);
/* The figures, to be added to a report; segment: the column's name, or NULL. */
void differential_to_json(const struct differential *d, const char *segment, cJSON *report);
/* A finite number, else null. */
void differential_add_number(cJSON *object, const char *name, double number);

/* The median and so on of the distances in ULP: the upper edge of their bin. */
double differential_ulp_quantile(const struct differential *d, double q);
#define DIFFERENTIAL_QUANTILES 7
extern const double differential_quantiles[DIFFERENTIAL_QUANTILES];

#endif
