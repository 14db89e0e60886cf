/*
 * rollout: a stepwise promotion: shares, how long each is held, and what the analysis between them says.
 *
 * A plain value and pure functions; any thread. Time is passed in; a rollout's own clock is held_ms, which stands still
 * while it is paused or the runtime is down.
 * Not here: what survives (registry_rollouts), measuring (core/analysis), changing the route
 * (runtime/rollout/rollouts).
 */
#ifndef CORE_ROLLOUT_H
#define CORE_ROLLOUT_H

#include "core/err.h"
#include "core/finding.h"
#include "core/policy.h"
#include "core/registry/registry.h"
#include "core/text.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#define ROLLOUT_STEPS_MAX 20
#define ROLLOUT_FINDINGS_MAX 8
#define ROLLOUT_HOLD_MAX_MS (INT64_C(30) * 86400 * 1000)

/* Those from DONE on have ended. FAILED: an analysis failed, and the route went back by itself. */
#define ROLLOUT_STATES(X)     \
	X(RUNNING, "running") \
	X(PAUSED, "paused")   \
	X(DONE, "done")       \
	X(ABORTED, "aborted") \
	X(FAILED, "rolled back")

enum rollout_state {
#define X(name, text) ROLLOUT_##name,
	ROLLOUT_STATES(X)
#undef X
	    ROLLOUT_STATE_COUNT
};

struct rollout {
	int64_t id; /* 1, 2, 3 ... */
	char model[TEXT_NAME_MAX + 1];
	uint32_t version; /* that is rolled out */
	uint32_t from;    /* the live version at the start */
	uint32_t step_count;
	struct {
		uint32_t weight_bp; /* ascending; the last is 10,000 */
		int64_t hold_ms;    /* of the last: 0, for it ends there */
	} steps[ROLLOUT_STEPS_MAX];
	struct policy thresholds; /* the model's at the start, with what was set for this rollout */
	enum rollout_state state;
	uint32_t step;                            /* 0 .. step_count - 1: the one that is served */
	int64_t held_ms;                          /* how long this step has been held */
	uint32_t first_revision;                  /* the route before it: what an abort gives back */
	uint32_t revision;                        /* its latest */
	int64_t started_ms, changed_ms, ended_ms; /* Unix; changed: of the step or state. 0: not yet */
	char who[WHO_SIZE];
	uint32_t uid;
	bool forced; /* gates were overridden at its start, so they are at its steps */
	char reason[REASON_SIZE];
	char note[REASON_SIZE]; /* why it is paused, ended, or waits longer than its hold */
	size_t finding_count;   /* of this step's analysis, the latest */
	struct finding findings[ROLLOUT_FINDINGS_MAX];
};

const char *rollout_state_name(enum rollout_state state);
enum rollout_state rollout_state_by_name(const char *name); /* ROLLOUT_STATE_COUNT for none */
bool rollout_ended(const struct rollout *r);

/* "1,5,25,100" with percentages of at most two decimals, ascending, and "5m" or one duration a step ("1m,5m,1h30m").
 * 100 may be left out as the last. ERR_INPUT with one sentence. */
int rollout_plan(struct rollout *r, const char *steps, const char *hold, struct err *e);

/* What is to be done next. */
enum rollout_action { ROLLOUT_WAIT, ROLLOUT_ADVANCE, ROLLOUT_FINISH, ROLLOUT_BREACH };
/* By state, held_ms and findings: BREACH as soon as one fails; ADVANCE (or FINISH, when the next step is the last)
 * when the hold is over and all pass; else WAIT. */
enum rollout_action rollout_next(const struct rollout *r);
/* Milliseconds of the hold that are left; 0 when it is over. */
int64_t rollout_left_ms(const struct rollout *r);
/* A hold as it is written, exact to the millisecond: "5m", "1h30m", "500ms". */
void rollout_hold_text(char *text, size_t size, int64_t hold_ms);

cJSON *rollout_to_json(const struct rollout *r); /* NULL when memory is out */
int rollout_from_json(const cJSON *json, struct rollout *r, struct err *e);

#endif
