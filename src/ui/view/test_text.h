/*
 * test_text: results of tests and their numbers as short texts, with a glyph and a word wherever there is a state.
 *
 * Pure functions.
 */
#ifndef UI_TEST_TEXT_H
#define UI_TEST_TEXT_H

#include "core/registry/registry_policy.h"
#include "core/test/figures.h"
#include "ui/view/view.h"

/* "✓ pass", "✕ regression", "○ inconclusive". */
enum canvas_role test_verdict_text(const struct canvas *c, const struct test_result *t, char *text, size_t size);
/* "v2→v3" of what compares two, the old one first; "v3"; "-" where there is no version. */
void test_versions_text(const struct canvas *c, const struct test_result *t, char *text, size_t size);
/* "▲ worse", "✓ better", "" else. */
enum canvas_role test_trend_text(const struct canvas *c, enum trend trend, char *text, size_t size);
/* A figure for people: by its unit, which is the end of its name ("_us", "_bytes", "_s"). */
void test_figure_text(const struct canvas *c, const struct figure *f, char *text, size_t size);

/* The selected test of the list; NULL when there is none. */
const struct test_result *test_selected(const struct ui_state *state);

#endif
