/*
 * figures: a report's numbers and words as rows of a name and a text, and how a run compares with an earlier one.
 *
 * Plain values; any thread. What a report holds in objects is named parent.child; lists are only counted. Numbers have
 * six digits.
 * Not here: the report itself (docs/TESTS.md), drawing.
 */
#ifndef CORE_TEST_FIGURES_H
#define CORE_TEST_FIGURES_H

#include "core/finding.h"

#include <cjson/cJSON.h>
#include <stddef.h>

#define FIGURES_MAX 256
#define FIGURE_NAME_SIZE 64
#define FIGURE_TEXT_SIZE 128

struct figure {
	char name[FIGURE_NAME_SIZE]; /* "latency.p99_us" */
	char text[FIGURE_TEXT_SIZE]; /* "7307.26", "yes", "13 listed"; cleaned and cut */
	double value;                /* NaN where it is no number */
};

/* All of a report but what every report has (what it is of, verdict, summary, findings), its plots and its worst rows.
 * At most max; returns how many. NULL has none. */
size_t figures_of(const cJSON *report, struct figure *figures, size_t max);
/* The one of that name, or NULL. */
const struct figure *figures_find(const struct figure *figures, size_t count, const char *name);

/* What became of a number since the run before. */
enum trend {
	TREND_NONE, /* there is nothing to compare with */
	TREND_SAME, /* the same, or within a tenth */
	TREND_BETTER,
	TREND_WORSE,
	TREND_MOVED, /* more or less of it is neither */
};

/* A finding is worse when its verdict is, or when its number moved towards its threshold, or farther beyond it, by more
 * than a tenth of what it was and a hundredth of the threshold. p values move. before may be NULL. */
enum trend finding_trend(const struct finding *before, const struct finding *now);
/* A figure is worse when one that should be small (latency, memory, errors, cost) grew by more than a tenth, or one
 * that should be great fell by that; of other figures nothing is known. before may be NULL. */
enum trend figure_trend(const struct figure *before, const struct figure *now);
/* "+12%", "x4.2", "+3" from 0, "=" without a change; "" where one of them is no number. */
void trend_text(double before, double now, char *text, size_t size);

#endif
