#include "runtime/gate/gates.h"

#include "core/units.h"

#include <stdio.h>

static bool applies(const struct gate_case *c)
{
	return c->policy->min_age_s > 0 && !c->shadow && gate_enters(c);
}

static void judge(const struct gate_case *c, struct finding *f)
{
	int64_t age_s = (c->now_ms - c->version->created_ms) / 1000;
	char age[TEXT_AGE_SIZE], wanted[UNITS_TEXT_SIZE];

	if (age_s < 0)
		age_s = 0; /* the clock was set back */
	text_age(age, age_s);
	units_write(units_s, (unsigned long long)c->policy->min_age_s, wanted);
	f->value = (double)age_s;
	f->threshold = (double)c->policy->min_age_s;
	snprintf(f->unit, sizeof f->unit, "s");
	gate_say(f, age_s >= c->policy->min_age_s ? FINDING_PASS : FINDING_WAIT,
		 "v%u was deployed %s ago, and has to be %s old", c->version->version, age, wanted);
}

const struct gate gate_min_age = {
    .name = "min_age",
    .summary = "the version was deployed some time ago",
    .applies = applies,
    .judge = judge,
};
