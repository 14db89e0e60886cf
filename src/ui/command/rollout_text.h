/*
 * rollout_text: a rollout for people, as `mldeck rollout` prints it.
 *
 * Used by the main thread of a command only. Prints to stdout; the caller ends with output_end().
 */
#ifndef UI_ROLLOUT_TEXT_H
#define UI_ROLLOUT_TEXT_H

#include "core/rollout.h"

#include <stddef.h>

/* One line: "churn: rollout of v3, running at 5% (step 2 of 4), 4m12s left". */
void rollout_line(const struct rollout *r, char *text, size_t size);
/* The line, who and why, the steps, and what the analyses say. */
int rollout_print(const struct rollout *r, struct err *e);

#endif
