/*
 * test_compare: the findings and figures of a test beside those of another one, with what became of each number.
 *
 * Pure drawing; nothing is left out, so the caller clips. Each function draws from a row on and returns the row after
 * its last. What got worse has a glyph and a word.
 */
#ifndef UI_TEST_COMPARE_H
#define UI_TEST_COMPARE_H

#include "core/snapshot_report.h"
#include "ui/view/canvas.h"

/* Two tests: now is the later one, or the only one; before NULL: there is nothing to compare with. Headings are those
 * of the two columns of numbers: "LAST TIME" and "NOW", say. */
struct test_pair {
	const struct snapshot_report *now, *before;
	const char *now_heading, *before_heading;
};

/* Where on the canvas. */
struct test_place {
	struct canvas *c;
	int row, column, columns;
};

/* One line of what got worse, or that nothing did; none without a test of before. */
int test_draw_trend(struct test_place place, const struct test_pair *pair);
/* Those that decide first. */
int test_draw_findings(struct test_place place, const struct test_pair *pair);
/* In two columns where it is wide. */
int test_draw_figures(struct test_place place, const struct test_pair *pair);
/* Settings that were not the same, on one line; none where all were. */
int test_draw_settings(struct test_place place, const struct test_pair *pair);

#endif
