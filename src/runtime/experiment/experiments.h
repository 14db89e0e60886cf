/*
 * experiments: the A/B tests that run on live traffic: their start and end, what is noted of requests, outcomes, looks.
 *
 * Owner: the server, from experiments_new() to experiments_free(). Thread-safe; all but experiments_running() may wait
 * for the disk and is not for data plane threads. One thread of its own takes what the data plane noted (tap) every
 * EXPERIMENTS_TAKE_MS, in batches of one transaction, and looks by itself as a test grows; after a crash a test goes
 * on with what was committed. A test that somebody else's change of the route ended is noticed there.
 * Memory: TAP_RECORDS and a batch for each test that runs; units are on the disk alone.
 * Not here: what a unit or an outcome does to a state (registry_experiments), verdicts (experiment_judge).
 */
#ifndef RUNTIME_EXPERIMENT_EXPERIMENTS_H
#define RUNTIME_EXPERIMENT_EXPERIMENTS_H

#include "core/registry/registry_experiments.h"
#include "core/snapshot_experiment.h"
#include "runtime/experiment/feedback.h"
#include "runtime/router/router.h"

#define EXPERIMENTS_TAKE_MS 100
#define EXPERIMENTS_OPEN_MAX 64 /* tests that run, or whose outcomes may still come */

struct experiments;

/* Goes on with the open ones. Both are borrowed until experiments_free(). */
int experiments_new(struct registry *registry, struct router *router, struct experiments **result, struct err *e);
/* No request is noted any more: takes what is left, and ends the thread. NULL is fine. */
void experiments_stop(struct experiments *es);
void experiments_free(struct experiments *es);

/* --- start and end --- */

struct experiment_request {
	const char *model;
	struct experiment plan;
	const char *reason;
	int64_t expect_revision; /* -1: any */
	bool dry_run, force;
};
/* Refused: a control that is not the live version, a canary that is no arm, another test or a rollout that runs, a name
 * that the model had, a covariate that is not taken (shadow). record is what was written, or would be. */
int experiments_start(struct experiments *es, const struct experiment_request *request, const struct actor *actor,
		      struct experiment_record *record, struct change_outcome *outcome, struct err *e);

struct experiment_end {
	const char *model, *name; /* name NULL: the one that runs */
	bool keep;                /* the route stays as it is */
	uint32_t promote;         /* this version gets everything; 0: none does */
	const char *reason;
	bool dry_run, force;
};
/* What was noted before is taken in, and a last look is logged. Without keep and promote the route of before the test
 * comes back. ERR_CONFLICT when it has ended. */
int experiments_end(struct experiments *es, const struct experiment_end *end, const struct actor *actor,
		    struct experiment_record *record, struct change_outcome *outcome, struct err *e);

/* --- outcomes --- */

/* What became of outcomes that were sent together. */
struct feedback_answer {
	char experiment[EXPERIMENT_NAME_SIZE]; /* the newest of those that took them */
	uint64_t counts[EXPERIMENT_RESULT_COUNT];
};
/* Takes in what was served before, then the outcomes, which count in every open test of the model that they fit, and
 * commits. results[list->count]: of each what the test made of it that took it, else the newest one. ERR_NOT_FOUND when
 * the model has no open test. */
int experiments_feedback(struct experiments *es, const char *model, const struct feedback *list,
			 enum experiment_result *results, struct feedback_answer *answer, struct err *e);

/* --- looking --- */

/* Takes in what was served before, looks, and logs that. name NULL: the running one, else the newest. */
int experiments_look(struct experiments *es, const char *model, const char *name, struct err *e);
/* The newest of all models, running ones first, at most limit, as of their latest look. Gives a list and its length;
 * each to be released, then free(). */
int experiments_list(struct experiments *es, size_t limit, struct snapshot_experiment **list, size_t *count,
		     struct err *e);
/* One in full for a snapshot, as of its latest look; to be released, also when it fails. */
int experiments_show(struct experiments *es, const char *model, const char *name, struct snapshot_experiment *s,
		     struct err *e);
/* One in full, with its newest looks, as of its latest one: as the control API answers it, with the whole report. NULL
 * with ERR_NOT_FOUND. */
cJSON *experiments_whole(struct experiments *es, const char *model, const char *name, size_t looks, struct err *e);

#endif
