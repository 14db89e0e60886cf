/*
 * sequence_pane: the interval of an A/B test's first primary, narrowing from look to look.
 *
 * Pure drawing. Units of all arms go to the right, up to the planned size; the difference goes up. A look holds until
 * the next one. What is far beyond the newest interval is cut, so that the narrow end can be read.
 */
#ifndef UI_SEQUENCE_PANE_H
#define UI_SEQUENCE_PANE_H

#include "core/snapshot.h"
#include "ui/view/chart.h"

#define SEQUENCE_PANE_ROWS_MIN 4 /* two of chart, the scale below, and one for a title */

/* s has its detail. */
void sequence_pane_draw(struct canvas *c, struct area area, const struct snapshot_experiment *s);

#endif
