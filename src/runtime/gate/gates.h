/*
 * gates: what must hold before a version gets requests, and before it gets all of them.
 *
 * A gate is one file, gate_<name>.c, and one line in GATES. Judged with the router's changes held off, by any thread
 * that may wait for the disk; never by the data plane. A version is judged when a change gives it more than it has: a
 * larger share, all of it, or more copies as a shadow. Whatever takes away only, a rollback, and the end of a rollout
 * that went wrong, is not judged: going back must always be possible.
 * Not here: what a policy is (core/policy), the measured comparisons (core/analysis).
 */
#ifndef RUNTIME_GATES_H
#define RUNTIME_GATES_H

#include "core/analysis.h"
#include "core/finding.h"
#include "core/registry/registry_policy.h"
#include "runtime/router/router.h"

/* To add a gate: write gate_<name>.c, then one line here. They are judged, and shown, in this order. */
#define GATES(X)            \
	X(ready)            \
	X(experiment)       \
	X(permission)       \
	X(signature)        \
	X(min_age)          \
	X(shadow)           \
	X(tests)            \
	X(approval)         \
	X(canary)           \
	X(error_rate)       \
	X(latency_p99)      \
	X(prediction_drift) \
	X(alerts)

/* One version that a change would give more. */
struct gate_case {
	struct registry *registry;
	const struct served_model *model; /* as it is */
	const struct route_change *change;
	const struct actor *actor; /* who asked for it; of a rollout's step who started the rollout */
	const struct policy *policy;
	struct served_version *version;
	struct served_version *live; /* NULL: nothing is */
	bool first;                  /* it has no share of the requests yet, and would get one */
	bool all;                    /* it would become the live version, now or at a rollout's end */
	bool shadow;                 /* it would be a shadow: nobody gets its answers */
	bool under_way;              /* a rollout's later step: what had to hold before its first request held then */
	int64_t now_ms;              /* Unix */
	/* What was measured. */
	const struct shadow_stats *compared;               /* as a shadow; against 0: nothing was */
	const struct analysis_arm *version_arm, *live_arm; /* since it serves beside the live one; NULL: it does not */
};

struct gate {
	const char *name;
	const char *summary; /* one line for people: what it demands */
	bool absolute;       /* --force does not override it */
	/* It measures, and says so where it has seen too little: that holds nothing up. How much must be seen is what
	 * canary_requests says. */
	bool measures;
	/* Whether the policy demands it in this case. */
	bool (*applies)(const struct gate_case *c);
	/* Fills verdict, numbers and text (the name is there, value and threshold are NaN). */
	void (*judge)(const struct gate_case *c, struct finding *finding);
};

extern const struct gate *const gate_table[];
extern const size_t gate_count;
const struct gate *gate_find(const char *name);

/* Judges every version that `planned` gives more than it has. Fills findings (with change->forced, those that did not
 * pass are marked as forced, where they may be). -1 with ERR_GATE or ERR_DENIED and the first reason when one does not
 * pass; the findings are there all the same. */
int gates_judge(struct registry *registry, const struct served_model *m, const struct route *planned,
		const struct route_change *change, const struct actor *actor, struct finding findings[FINDINGS_MAX],
		size_t *count, struct err *e);
/* Whether one of them was overridden. */
bool gates_overridden(const struct finding *findings, size_t count);
/* What the audit keeps of them, a JSON array; free(). NULL when memory is out. */
char *gates_evidence(const struct finding *findings, size_t count);

/* --- for the gates --- */

/* Sets verdict and text. */
void gate_say(struct finding *f, enum finding_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether the version would get its first requests or all of them, and this was not looked at when its rollout began:
 * when what must hold before any traffic is asked for. */
bool gate_enters(const struct gate_case *c);
/* The live version's number, 0 when nothing is. */
uint32_t gate_live(const struct gate_case *c);
/* Whether the version serves beside the live one and would get everything. */
bool gate_measurable(const struct gate_case *c);
/* What core/analysis of that name says of the two. */
void gate_analyse(const struct gate_case *c, const char *analysis, struct finding *f);
#endif
