/*
 * registry_experiments: A/B tests: their plans, their units, and every look at them, beside the models in the same
 * database.
 *
 * As the registry: thread-safe, a change is one transaction and survives kill -9 and a power cut; after -1 nothing
 * changed. Rows of units and the state (sums, history of looks, counts) change in the same transaction, so nothing is
 * lost and nothing counts twice: a batch that failed, or whose process died before the answer, is given again.
 *
 * Starting and ending go with a change of the route (struct route_change.experiment), in its transaction and its audit
 * record, which holds the plan and its SHA-256. What was started is never rewritten, and ends once.
 *
 * Memory is constant whatever the traffic, and so is the time to open a state directory: the state is one row, units
 * are only ever read one by one. docs/EXPERIMENTS.md has sizes and what is removed when.
 * Not here: serving, hashing of requests (runtime/experiment), verdicts (experiment_judge).
 */
#ifndef CORE_REGISTRY_EXPERIMENTS_H
#define CORE_REGISTRY_EXPERIMENTS_H

#include "core/experiment/experiment_judge.h"
#include "core/experiment/experiment_record.h"
#include "core/registry/registry.h"

/* Looks that are kept of one test; beyond, older ones that changed nothing make room, and are counted. */
#define EXPERIMENT_LOOKS_MAX 2048

/* RUNNING: units are exposed. STOPPED: somebody ended it, late outcomes still come in. INVALID: the route was changed
 * under it. */
#define EXPERIMENT_RUNS(X) X(RUNNING, "running") X(STOPPED, "stopped") X(INVALID, "invalid")
enum experiment_run {
#define X(name, text) EXPERIMENT_RUN_##name,
	EXPERIMENT_RUNS(X)
#undef X
	    EXPERIMENT_RUN_COUNT
};
const char *experiment_run_name(enum experiment_run run);

struct experiment_record {
	int64_t id; /* 1, 2, 3 ... of all models */
	struct experiment plan;
	char sha256[DIGEST_SIZE]; /* of experiment_canonical() */
	enum experiment_run run;
	int64_t started_ms, ended_ms; /* 0: it runs */
	uint32_t before;              /* the revision before the start: where "back" goes */
	uint32_t revision;            /* that the start made */
	uint32_t end_revision;        /* that ended it; 0: it runs */
	char who[WHO_SIZE];
	char reason[REASON_SIZE];
	char ended_by[WHO_SIZE];
	char note[REASON_SIZE]; /* how it ended, in words */
};

/* What a change of the route does to a test: member `experiment` of struct route_change; NULL: nothing is meant. A
 * start (action "experiment") gives the plan and the route while it runs; an end gives id and run, and any action:
 * "rollback" with to_revision record.before, "promote", or "experiment" with a route. The name of the actor and the
 * reason of the change are kept with it.
 *
 * Whatever else changes who is served by what while a test runs ends it as INVALID in the same transaction (fault
 * ARMS): a rollback always; another change is ERR_CONFLICT, which says to stop it first, unless it is `forced`. Shadows
 * may change. A start beside an open rollout, and a rollout beside a running test, is ERR_CONFLICT. */
struct experiment_change {
	int64_t id;                    /* 0: a start, which fills it in */
	const struct experiment *plan; /* of a start */
	const struct route *route;     /* action "experiment": what the route becomes */
	enum experiment_run run;       /* of an end: STOPPED or INVALID */
};

/* Newest first, at most limit, of one model or NULL for all; free(). */
int registry_experiments(struct registry *r, const char *model, size_t limit, struct experiment_record **records,
			 size_t *count, struct err *e);
/* Those that take records: running ones, and ended ones whose outcomes may still come (at now_ms). Oldest first;
 * free(). */
int registry_open_experiments(struct registry *r, int64_t now_ms, struct experiment_record **records, size_t *count,
			      struct err *e);
/* By name, or NULL: the running one, else the newest. ERR_NOT_FOUND, naming what there is. */
int registry_experiment(struct registry *r, const char *model, const char *name, struct experiment_record *record,
			struct err *e);

/* What happened since the last batch. Arrays are borrowed. */
struct experiment_batch {
	int64_t now_ms; /* clock_unix_ms() */
	const struct experiment_exposure *exposures;
	size_t exposure_count;
	const struct experiment_outcome *outcomes;
	size_t outcome_count;
	uint64_t lost;                   /* exposures that there was no room for: fault LOST */
	enum experiment_result *results; /* [outcome_count], what became of each; may be NULL */
};
/*
 * Takes in a batch, exposures before outcomes, and commits. *counts gets what this batch did.
 *
 * Whoever tells outcomes drains what was served before them first, in an earlier batch or in this one: an outcome of a
 * unit that is not there is refused. One batch after another: a batch costs a sync of the disk, so the more in one the
 * better. now_ms never goes back: an earlier one counts as the latest that there was, and a record or a batch that is
 * more than EXPERIMENT_SKEW_MS before it sets the fault CLOCK. Of an ended test, exposures from after its end are
 * left out.
 * ERR_NOT_FOUND; ERR_INPUT for an arm that the plan has not and for more than EXPERIMENT_BATCH_MAX.
 */
int registry_experiment_apply(struct registry *r, int64_t id, const struct experiment_batch *batch,
			      struct experiment_counts *counts, struct err *e);
/* Sets a fault, which stays: LOAD by who runs a load test on its arms. Nothing happens where it is set already. */
int registry_experiment_fault(struct registry *r, int64_t id, enum experiment_fault fault, struct err *e);

/* What is known now, without a look. */
struct experiment_seen {
	struct experiment_state *state; /* experiment_state_free() */
	struct experiment_counts counts;
	int64_t horizon_ms; /* the latest time of a batch */
};
int registry_experiment_seen(struct registry *r, const struct experiment_record *record, struct experiment_seen *seen,
			     struct err *e);

/* Looks: judges, remembers, logs. Every look is logged; one that finds what the look before found, on the same state,
 * adds to that one's count. report is large: not on a stack of a server's thread. */
int registry_experiment_look(struct registry *r, int64_t id, int64_t now_ms, struct experiment_report *report,
			     struct err *e);

struct experiment_look_row {
	int64_t number;         /* of the first look that it stands for: 1, 2, 3 ... of its test */
	uint64_t times;         /* looks that it stands for */
	int64_t at_ms, last_ms; /* of the first and the last of them */
	int64_t elapsed_s;      /* since the start, at the last */
	uint64_t exposed;       /* units */
	enum experiment_verdict verdict;
	char sentence[EXPERIMENT_SENTENCE_SIZE];
};
/* Newest first, at most limit, with number < before (0: from the newest); free(). */
int registry_experiment_looks(struct registry *r, int64_t id, int64_t before, size_t limit,
			      struct experiment_look_row **looks, size_t *count, struct err *e);
/* The whole report of one, as JSON; free(). */
int registry_experiment_look_report(struct registry *r, int64_t id, int64_t number, char **report, struct err *e);

/* Judges every look of the log again from what it saw, and compares bit for bit; and that each began with what the one
 * before remembered, where none was removed between. *different gets the number of the first that is not the same, 0
 * for none. */
int registry_experiment_replay(struct registry *r, int64_t id, size_t *looks, int64_t *different, struct err *e);

/* Removes what can count no more (expired ids of requests and keys; units of tests that are closed), looking at no more
 * than `rows` rows: now and then from one thread. *removed gets how many went. */
int registry_experiments_prune(struct registry *r, int64_t now_ms, size_t rows, size_t *removed, struct err *e);

#endif
