#include "runtime/gate/gates.h"

#include <inttypes.h>

static bool applies(const struct gate_case *c)
{
	/* A rollout makes it a canary first, and is asked at its last step. */
	bool begins = c->change->rollout != NULL && !c->under_way;
	return c->policy->canary_requests > 0 && c->all && c->live != NULL && !begins;
}

static void judge(const struct gate_case *c, struct finding *f)
{
	uint32_t version = c->version->version, live = c->live->version;

	f->n_needed = c->policy->canary_requests;
	f->n = c->version_arm != NULL ? c->version_arm->answered : 0;
	f->value = (double)f->n;
	f->threshold = (double)f->n_needed;
	if (c->version_arm == NULL)
		gate_say(f, FINDING_WAIT, "v%u does not serve beside v%u: mldeck split %s %u=95 %u=5", version, live,
			 c->model->name, live, version);
	else
		gate_say(f, f->n >= f->n_needed ? FINDING_PASS : FINDING_WAIT,
			 "v%u answered %" PRIu64 " requests beside v%u", version, f->n, live);
}

const struct gate gate_canary = {
    .name = "canary",
    .summary = "as a canary it answered enough requests",
    .applies = applies,
    .judge = judge,
};
