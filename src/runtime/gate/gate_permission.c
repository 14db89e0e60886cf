#include "runtime/gate/gates.h"

static bool applies(const struct gate_case *c)
{
	return c->policy->promoters[0] != '\0';
}

static void judge(const struct gate_case *c, struct finding *f)
{
	if (policy_may_promote(c->policy, c->actor->uid, c->actor->name))
		gate_say(f, FINDING_PASS, "%s may promote", c->actor->name);
	else
		gate_say(f, FINDING_FAIL, "%s may not promote; %.120s may", c->actor->name, c->policy->promoters);
}

const struct gate gate_permission = {
    .name = "permission",
    .summary = "who asks is one of the promoters",
    .absolute = true,
    .applies = applies,
    .judge = judge,
};
