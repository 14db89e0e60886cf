/*
 * rollout_pane: what several views show of a rollout: its state in a few words, its steps as a bar.
 *
 * Pure drawing. Not here: the whole view (view_rollout).
 */
#ifndef UI_ROLLOUT_PANE_H
#define UI_ROLLOUT_PANE_H

#include "core/rollout.h"
#include "ui/view/canvas.h"
#include "ui/view/chart.h"

/* "04:12", with hours "1:04:12", from a day on "3 d 04 h": whole seconds, as they count down. */
void rollout_left_text(int64_t left_ms, char *text, size_t size);
/* "◐ rollout 3/5, 04:12 left"; brief, "◐ 3/5 04:12". */
enum canvas_role rollout_state_text(const struct canvas *c, const struct rollout *r, bool brief, char *text,
				    size_t size);
/* A segment a step: done, current, next, with shares and holds; takes three rows, or as many as the area has. */
void rollout_steps_draw(struct canvas *c, struct area area, const struct rollout *r);
/* Why it stands where it does, one sentence. */
void rollout_why(const struct rollout *r, char *text, size_t size);

#endif
