/*
 * rollouts_internal: what rollouts.c (the list, ticks), rollouts_change.c (what is asked for), rollouts_step.c (routes
 * that follow) and rollouts_arms.c (counts) share.
 */
#ifndef RUNTIME_ROLLOUTS_INTERNAL_H
#define RUNTIME_ROLLOUTS_INTERNAL_H

#include "core/analysis.h"
#include "runtime/rollout/rollouts.h"

#include <pthread.h>

/* How long it takes after a refusal until the same is tried again. */
#define ROLLOUTS_RETRY_MS 1000

/* How many requests of the version a window has: what it does wrong now must not vanish in what it did well for days.
 */
#define ROLLOUTS_WINDOW_REQUESTS 1000

/* What the two versions counted. */
struct rollout_arms {
	bool based;                                /* base holds what they had counted when the step began */
	struct analysis_arm version, live;         /* since then, or since the window began */
	struct analysis_arm now_version, now_live; /* since the runtime started */
	struct analysis_arm base_version, base_live;
	struct analysis_arm window_version, window_live; /* when the latest window began */
	uint32_t window;                                 /* its number in the step, from 1 */
};

/* A model: its rollout and what the runtime must know to go on with it. Never freed before the list is. */
struct rollout_entry {
	char model[TEXT_NAME_MAX + 1];
	pthread_mutex_t busy; /* held by whoever changes it, also over waits; taken before the list's */
	struct rollout r;     /* id 0: none yet. Written with `busy` and the list's mutex, read with either */
	uint64_t ended[ROLLOUT_STATE_COUNT]; /* since the start, by how; as r */
	/* With `busy` only: */
	uint32_t seen_revision;   /* of the model's route, when it was last looked at */
	int64_t ticked_ms;        /* monotonic; until when r.held_ms has counted, 0: it begins with the next tick */
	int64_t saved_ms;         /* monotonic; of the last checkpoint */
	int64_t retry_ms;         /* monotonic; what was refused is not tried again before */
	bool breached;            /* an analysis failed: whatever it says later, the route goes back */
	char breach[REASON_SIZE]; /* which, and what it said */
	bool alert_due;           /* alert is to be fired yet */
	struct alert alert;
	struct rollout_arms *arms; /* NULL: none is open */
};

struct rollouts {
	struct registry *registry;
	struct router *router;
	struct alerts *alerts;
	pthread_mutex_t lock; /* of the list, and see above; never held over a wait */
	size_t entry_count;
	struct rollout_entry **entries;
};

/* The model's entry, made when it is not there; NULL when memory is out. */
struct rollout_entry *rollouts_entry(struct rollouts *rs, const char *model);
/* Makes r what everybody sees (busy is held). */
void rollouts_show(struct rollouts *rs, struct rollout_entry *entry, const struct rollout *r);
/* Whether one is under way. */
bool rollout_entry_open(const struct rollout_entry *entry);

/* rollouts_arms.c */
/* Reads both versions' counts since the step began; the first time after `based` was unset, that is now. False when a
 * version is not there. */
bool rollout_arms_read(struct rollouts *rs, const struct rollout *r, struct rollout_arms *arms);
/* Its findings, into r; none when nothing could be read. */
void rollout_judge(struct rollouts *rs, struct rollout_entry *entry, struct rollout *r);
/* The same of what came since the window began: a finding that fails takes the place of the step's. Another window
 * begins after ROLLOUTS_WINDOW_REQUESTS. */
void rollout_judge_window(struct rollout_arms *arms, struct rollout *r);
/* The version is not compared with another any more. */
void rollout_arms_end(struct rollouts *rs, const struct rollout *r);

/* rollouts_step.c */
/* Shows what `to` became with the revision that was written, and begins its step (busy is held). */
void rollout_stepped(struct rollouts *rs, struct rollout_entry *entry, struct rollout *to,
		     const struct revision_record *revision);
/* How a step is taken. The scheduler must not wait for a load: every other rollout would wait with it. */
enum rollout_pace {
	ROLLOUT_PATIENT, /* an operator's: what is not loaded is loaded first */
	ROLLOUT_PROMPT,  /* the scheduler's: what is not loaded refuses it */
	ROLLOUT_ASKED,   /* the same, and nothing is written, not even a refusal */
};
/* The next step, or the end of the last one. On refusal -1, and nothing changed. */
int rollout_forward(struct rollouts *rs, struct rollout_entry *entry, const struct rollout *from,
		    const struct actor *actor, const char *reason, enum rollout_pace pace, struct err *e);
/* Gives the route of before back and ends it: ROLLOUT_ABORTED or ROLLOUT_FAILED, with its note. */
int rollout_back(struct rollouts *rs, struct rollout_entry *entry, const struct rollout *from, enum rollout_state state,
		 const char *note, const struct actor *actor, const char *reason, enum rollout_pace pace,
		 struct err *e);
/* The runtime itself. */
struct actor rollout_actor(void);

#endif
