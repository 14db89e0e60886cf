/*
 * beside: what a canary and the live version did since they serve side by side.
 *
 * One a canary, with what both had counted when it became one beside this very live version. Made and read by whoever
 * holds the router's changes off; constant. It is not kept: after a restart both count from there.
 * Not here: judging (gates, core/analysis).
 */
#ifndef RUNTIME_BESIDE_H
#define RUNTIME_BESIDE_H

#include "core/analysis.h"
#include "runtime/router/router.h"

struct beside;

void beside_free(struct beside *b);
/* The route of m is in force: notes where the counts of those canaries stand that have just become one, or serve
 * beside another live version than before. */
void beside_follow(const struct served_model *m);
/* What v, a canary of m, and the live version did since then. */
void beside_read(const struct served_model *m, const struct served_version *v, struct analysis_arm *version_arm,
		 struct analysis_arm *live_arm);

/* What a version did since the runtime started. */
void arm_read(const struct served_version *v, struct analysis_arm *arm);
/* Less what it had done at the start. Predictions without bins at the start count from where they have them. */
void arm_subtract(struct analysis_arm *arm, const struct analysis_arm *start);

#endif
