/*
 * gates: what must hold before a version gets requests, and before it gets all of them.
 *
 * A gate is one file, gate_<name>.c, and one line in GATES. Judged with the router's changes held off, by any thread
 * that may wait for the disk; never by the data plane. A rollback is not judged: going back must always be possible.
 * Not here: what a policy is (core/policy), the measured comparisons (core/analysis).
 */
#ifndef RUNTIME_ROUTER_GATES_H
#define RUNTIME_ROUTER_GATES_H

#include "core/finding.h"
#include "core/registry/registry_policy.h"
#include "runtime/router/router.h"

/* One version that a change would give more. */
struct gate_case {
	struct registry *registry;
	const struct served_model *model; /* as it is */
	const struct route_change *change;
	const struct actor *actor; /* who asked for it; of a rollout's step who started the rollout */
	const struct policy *policy;
	struct served_version *version;
	struct served_version *live; /* NULL: nothing is */
	bool first;                  /* it has no share of the requests yet */
	bool all;                    /* it would become the live version */
};

struct gate {
	const char *name;
	const char *summary; /* one line for people: what it demands */
	bool absolute;       /* --force does not override it */
	/* Whether the policy demands it in this case. */
	bool (*applies)(const struct gate_case *c);
	/* Fills verdict, numbers and text (the name is there). */
	void (*judge)(const struct gate_case *c, struct finding *finding);
};

extern const struct gate *const gate_table[];
extern const size_t gate_count;

/* Judges every version that `planned` gives more than it has. Fills findings (with change->forced, those that did not
 * pass are marked as forced, where they may be). -1 with ERR_GATE or ERR_DENIED and the first reason when one does not
 * pass. */
int gates_judge(struct registry *registry, const struct served_model *m, const struct route *planned,
		const struct route_change *change, const struct actor *actor, struct finding findings[FINDINGS_MAX],
		size_t *count, struct err *e);

#endif
