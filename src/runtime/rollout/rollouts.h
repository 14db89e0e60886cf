/*
 * rollouts: steps that a version goes up by itself while analyses say that it does well, and back when one fails.
 *
 * Owner: the server, from rollouts_new() to rollouts_free(). Thread-safe. What starts or changes one may wait for the
 * disk and for a version to load; rollouts_tick(), of the scheduler, passes over a model whose rollout is being
 * changed. What a rollout is survives the runtime (registry_rollouts): a step and its route are one transaction, and
 * how long a step was held is written every ROLLOUTS_SAVE_MS and with every change. Evidence is counted in memory,
 * since the step began or the runtime started, whichever was later. Not here: what a rollout decides (core/rollout),
 * what an analysis says (core/analysis), what a route is (router).
 */
#ifndef RUNTIME_ROLLOUTS_H
#define RUNTIME_ROLLOUTS_H

#include "core/rollout.h"
#include "runtime/alerts.h"
#include "runtime/router/router.h"

#include <stdbool.h>

#define ROLLOUTS_SAVE_MS 10000
#define ROLLOUTS_SHOWN_MS (60 * 60 * 1000) /* how long an ended one is still shown */
#define ROLLOUTS_RULE "rollout"            /* of the alert that a rollout fires when it goes back */

struct rollouts;

/* Reads the open ones, which go on with the next tick. All three are borrowed. */
int rollouts_new(struct registry *registry, struct router *router, struct alerts *alerts, struct rollouts **result,
		 struct err *e);
/* After the scheduler has ended. */
void rollouts_free(struct rollouts *rs);

struct rollout_request {
	const char *model;
	uint32_t version;
	const char *steps, *hold; /* as rollout_plan() takes them */
	const cJSON *thresholds;  /* {"p99_ratio_max":"2"}, over the model's policy; NULL: none */
	const char *reason;
	int64_t expect_revision; /* -1: any */
	bool dry_run;            /* everything but the writing */
	bool force;              /* gates that do not pass are overridden */
};

/* Gives the version its first share, once it is loaded and the gates pass. Refused: an unknown
 * version, the live one, one that has the first step's share already, a route with other canaries, while another
 * rollout of the model is open. outcome has the findings of the gates, also when they refuse. */
int rollouts_start(struct rollouts *rs, const struct rollout_request *request, const struct actor *actor,
		   struct rollout *result, struct change_outcome *outcome, struct err *e);

/* pause: it stays at its step, still watched. resume. abort: the route of before comes back. skip: the next step comes
 * now, whether the hold is over and the analyses have seen enough or not; one that fails is never skipped. */
#define ROLLOUTS_VERBS(X) X(PAUSE, "pause") X(RESUME, "resume") X(ABORT, "abort") X(SKIP, "skip")
enum rollouts_verb {
#define X(name, text) ROLLOUTS_##name,
	ROLLOUTS_VERBS(X)
#undef X
	    ROLLOUTS_VERB_COUNT
};
enum rollouts_verb rollouts_verb_by_name(const char *name); /* ROLLOUTS_VERB_COUNT for none */

/* ERR_NOT_FOUND when none of the model is open, ERR_CONFLICT when that cannot be done to it now. */
int rollouts_change(struct rollouts *rs, const char *model, enum rollouts_verb verb, const char *reason,
		    const struct actor *actor, struct rollout *result, struct err *e);

/* The open one of a model, else the latest if it ended less than ROLLOUTS_SHOWN_MS ago; false when there is none. Waits
 * for nothing longer than a copy. */
bool rollouts_find(struct rollouts *rs, const char *model, struct rollout *rollout);

/* How many of a model ended in each state since the runtime started. As short a wait. */
void rollouts_ended(struct rollouts *rs, const char *model, uint64_t counts[ROLLOUT_STATE_COUNT]);

/* Judges every open one and does what follows; now_ms is monotonic. */
void rollouts_tick(struct rollouts *rs, int64_t now_ms);
/* Writes how long the steps were held. */
void rollouts_save(struct rollouts *rs);

#endif
