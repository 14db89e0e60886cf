/*
 * experiment_arms: the arms of an A/B test: who was exposed, what came back, and how each arm answers.
 *
 * Pure drawing; nothing is left out, so the caller clips. Latencies and waits are of the arm's version in the
 * snapshot's window, so that one arm that starves another is seen.
 */
#ifndef UI_EXPERIMENT_ARMS_H
#define UI_EXPERIMENT_ARMS_H

#include "core/snapshot.h"
#include "ui/view/canvas.h"

/* A row an arm, the sample ratio, and counts of what was taken in; returns the row after the last. s has its detail. */
int experiment_arms_draw(struct canvas *c, int row, int column, int columns, const struct snapshot_experiment *s);

#endif
