/*
 * job_pane: what views show of a job: its state in a word, how far it is, and all of it in a pane.
 *
 * Pure drawing.
 */
#ifndef UI_JOB_PANE_H
#define UI_JOB_PANE_H

#include "core/job.h"
#include "ui/view/chart.h"
#include "ui/view/view.h"

#define JOB_PANE_ROWS 9 /* that the pane takes when nothing went wrong */

/* "● running": glyph plus word. */
struct job_state_text {
	char text[24];
	enum canvas_role role;
};
struct job_state_text job_state_text(const struct canvas *c, const struct job_record *job);

/* "9.6M", or "5.9M of 9.6M" when the whole is known. */
void job_rows_text(const struct job_record *job, char *text, size_t size);
/* "02:13" or "1:02:13"; "" when it is not known. */
void job_left_text(const struct job_record *job, char *text, size_t size);
/* How long it ran, or has run until now_ms. */
void job_took_text(const struct job_record *job, int64_t now_ms, char *text, size_t size);
/* The bar and its percentage; where the whole is not known, the rows done. */
void job_progress_draw(struct canvas *c, int row, int column, int columns, const struct job_record *job);
/* The selected job, else the first one; NULL when there is none. */
const struct job_record *job_selected(const struct ui_state *state);

/* Everything about it, as far as the area goes: what matters most comes first. Its plots are below, or beside where
 * the area is wide and low. */
void job_pane_draw(struct canvas *c, struct area area, const struct ui_state *state, const struct job_record *job);

#endif
