#include "runtime/gate/gates.h"

static bool applies(const struct gate_case *c)
{
	(void)c;
	return true;
}

static void judge(const struct gate_case *c, struct finding *f)
{
	struct err why = {.text = ""};
	enum served_state state = served_version_state(c->version, &why);
	/* A dry run loads nothing. */
	if (c->change->dry_run && (state == SERVED_UNLOADED || state == SERVED_LOADING))
		gate_say(f, FINDING_PASS, "v%u is %s; it is loaded and asked its sample rows first",
			 c->version->version, served_state_name(state));
	else if (state == SERVED_READY)
		gate_say(f, FINDING_PASS, "v%u is loaded and answers", c->version->version);
	else
		gate_say(f, state == SERVED_FAILED ? FINDING_FAIL : FINDING_WAIT, "v%u is %s: %s", c->version->version,
			 served_state_name(state), why.text);
}

const struct gate gate_ready = {
    .name = "ready",
    .summary = "the version is loaded and answers",
    .absolute = true,
    .applies = applies,
    .judge = judge,
};
