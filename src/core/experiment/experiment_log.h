/*
 * experiment_log: a look at an A/B test as texts: what it saw and remembered, and what it said.
 *
 * Pure; any thread. The texts are JSON of our own printing, and a look is a function of them alone, bit for bit: that
 * is how a log of looks is kept, and how it is judged again later. Not here: the verdict (experiment_judge), where the
 * log is (registry_experiments).
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_LOG_H
#define CORE_EXPERIMENT_EXPERIMENT_LOG_H

#include "core/experiment/experiment_judge.h"

struct experiment_log_look {
	char *report;      /* experiment_report_to_json() */
	char *history;     /* what is remembered afterwards */
	uint64_t number;   /* of the look: 1, 2, 3 ... */
	bool is_as_before; /* nothing is remembered that was not, but that there was a look */
};
void experiment_log_release(struct experiment_log_look *look);

/* state and history as experiment_state_to_json() and experiment_history_to_json() print. ERR_INPUT for what is none of
 * the plan. look is released by the caller, also when it fails. */
int experiment_log_judge(const struct experiment *x, const char *state, const char *history,
			 const struct experiment_look *at, struct experiment_report *report,
			 struct experiment_log_look *look, struct err *e);

/* Whether the looks told by `history` are those of `before` and so many more, and nothing else is different: 1, 0, -1.
 */
int experiment_log_follows(const struct experiment *x, const char *before, uint64_t more, const char *history,
			   struct err *e);

#endif
