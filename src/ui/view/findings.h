/*
 * findings: what gates and analyses say, as a table.
 *
 * Pure drawing. A verdict is a glyph and a word. Where the area is wide a finding's sentence stands beside its numbers,
 * else below them, of those that did not pass first. Not here: judging (runtime/gate/gates, core/analysis).
 */
#ifndef UI_FINDINGS_H
#define UI_FINDINGS_H

#include "core/finding.h"
#include "ui/view/canvas.h"
#include "ui/view/chart.h"

/* Rows that it takes with everything shown, its headings among them; 0 without findings. */
int findings_rows(const struct finding *findings, size_t count, int columns);
/* Those that decide come first: failed, waiting, forced, passed. What does not fit is left out from the end. */
void findings_draw(struct canvas *c, struct area area, const struct finding *findings, size_t count);
/* Its value or its threshold in a narrow column: "2.1%", "7.7k/s", "7.31 ms", of seconds "3 days"; "-" for NaN. */
void findings_number_text(double value, const char *unit, char *text, size_t size);
/* "✕ fail", with its role. */
enum canvas_role findings_verdict_text(const struct canvas *c, const struct finding *f, char *text, size_t size);
/* "2 pass, 1 waits, 1 fails". */
void findings_summary(const struct finding *findings, size_t count, char *text, size_t size);

#endif
