#include "runtime/gate/gates.h"

#include "core/registry/registry_alerts.h"

#include <stdlib.h>
#include <string.h>

#define ALERTS_MAX 10000 /* open ones are listed first */

static bool applies(const struct gate_case *c)
{
	return c->policy->no_alerts && c->all;
}

static void judge(const struct gate_case *c, struct finding *f)
{
	struct alert *alerts = NULL;
	const struct alert *first = NULL;
	struct err e = {.text = ""};
	size_t count = 0, firing = 0;

	if (registry_alerts(c->registry, ALERTS_MAX, &alerts, &count, &e) != 0) {
		gate_say(f, FINDING_FAIL, "alerts cannot be read: %s", e.text);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (alerts[i].state != ALERT_FIRING || strcmp(alerts[i].model, c->model->name) != 0)
			continue;
		firing++;
		first = first == NULL ? &alerts[i] : first;
	}
	f->value = (double)firing;
	f->threshold = 0;
	if (first == NULL)
		gate_say(f, FINDING_PASS, "no alert of %s is firing", c->model->name);
	else
		gate_say(f, FINDING_FAIL, "an alert is firing (%s): %s", first->rule, first->text);
	free(alerts);
}

const struct gate gate_alerts = {
    .name = "alerts",
    .summary = "no alert of the model is firing",
    .applies = applies,
    .judge = judge,
};
