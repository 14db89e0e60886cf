/*
 * experiment_say: the sentences of a report, as an engineer on call would say them.
 *
 * Internal to experiment_judge; pure; any thread. Fills the sentences of what is decided already.
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_SAY_H
#define CORE_EXPERIMENT_EXPERIMENT_SAY_H

#include "core/experiment/experiment_judge.h"

#define EXPERIMENT_LABEL_SIZE 40
/* "v3"; of an A/A test "arm 2 (v3)". */
void experiment_label(const struct experiment *x, size_t arm, char label[EXPERIMENT_LABEL_SIZE]);

void experiment_say_comparison(const struct experiment *x, const struct experiment_history *h,
			       const struct experiment_report *r, struct experiment_comparison *c);
void experiment_say_arm(const struct experiment *x, struct experiment_report *r, size_t arm);
void experiment_say_all(const struct experiment *x, const struct experiment_state *s, struct experiment_report *r);

#endif
