#include "runtime/gate/gates.h"

#include <string.h>

/* Who is copied to a shadow changes nobody's answers; the test's own end is no interference. */
static bool applies(const struct gate_case *c)
{
	return c->model->tap != NULL && c->change->experiment == NULL && strcmp(c->change->action, "shadow") != 0;
}

static void judge(const struct gate_case *c, struct finding *f)
{
	const struct experiment *plan = tap_plan(c->model->tap);
	gate_say(f, FINDING_FAIL, "the A/B test %s runs on %s and would be worth nothing: mldeck ab stop %s %s",
		 plan->name, c->model->name, c->model->name, plan->name);
}

const struct gate gate_experiment = {
    .name = "experiment",
    .summary = "no A/B test runs on the model",
    .applies = applies,
    .judge = judge,
};
