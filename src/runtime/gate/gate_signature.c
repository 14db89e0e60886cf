#include "runtime/gate/gates.h"

/* A shadow is asked only what it can be asked (shadows.h), and nobody gets its answers. */
static bool applies(const struct gate_case *c)
{
	return c->policy->same_signature && c->live != NULL && !c->shadow && gate_enters(c);
}

static void judge(const struct gate_case *c, struct finding *f)
{
	char difference[MANIFEST_DIFFERENCE_SIZE];
	if (!served_version_same_inputs(c->live, c->version, difference) ||
	    !served_version_same_outputs(c->live, c->version, difference))
		gate_say(f, FINDING_FAIL, "v%u is not called like v%u: %s", c->version->version, c->live->version,
			 difference);
	else
		gate_say(f, FINDING_PASS, "v%u has the inputs and outputs of v%u", c->version->version,
			 c->live->version);
}

const struct gate gate_signature = {
    .name = "signature",
    .summary = "inputs and outputs are the live version's",
    .applies = applies,
    .judge = judge,
};
