#include "runtime/gate/gates.h"

#include "core/units.h"

#include <stdio.h>
#include <stdlib.h>

#define APPROVALS_MAX 64 /* the newest of a version; older ones than so many do not count */

static bool applies(const struct gate_case *c)
{
	return c->policy->second_person && !c->shadow && gate_enters(c);
}

/* Why an approval does not count; NULL when it does. */
static const char *fault(const struct gate_case *c, const struct approval *a)
{
	if (a->against != gate_live(c))
		return "against another live version";
	if (c->now_ms - a->at_ms > c->policy->approval_max_age_s * 1000)
		return "too long ago";
	if (a->uid == c->actor->uid)
		return "by the same person";
	if (!policy_may_promote(c->policy, a->uid, a->who))
		return "by nobody who may promote";
	return NULL;
}

static void say_missing(const struct gate_case *c, const struct approval *newest, struct finding *f)
{
	if (newest == NULL)
		gate_say(f, FINDING_WAIT, "somebody else must approve v%u: mldeck approve %s %u --reason TEXT",
			 c->version->version, c->model->name, c->version->version);
	else
		gate_say(f, FINDING_WAIT, "somebody else must approve v%u; the approval by %s is %s",
			 c->version->version, newest->who, fault(c, newest));
}

static void judge(const struct gate_case *c, struct finding *f)
{
	struct approval *approvals = NULL;
	struct err e = {.text = ""};
	char age[TEXT_AGE_SIZE];
	size_t count = 0, i = 0;

	f->n_needed = 1;
	f->threshold = (double)c->policy->approval_max_age_s;
	snprintf(f->unit, sizeof f->unit, "s");
	if (registry_approvals(c->registry, c->model->name, c->version->version, APPROVALS_MAX, &approvals, &count,
			       &e) != 0) {
		gate_say(f, FINDING_FAIL, "approvals cannot be read: %s", e.text);
		return;
	}
	while (i < count && fault(c, &approvals[i]) != NULL)
		i++;
	if (i < count) {
		int64_t age_s = (c->now_ms - approvals[i].at_ms) / 1000;
		f->n = 1;
		f->value = (double)(age_s > 0 ? age_s : 0);
		text_age(age, (int64_t)f->value);
		gate_say(f, FINDING_PASS, "%s approved v%u %s ago", approvals[i].who, c->version->version, age);
	} else {
		say_missing(c, count > 0 ? &approvals[0] : NULL, f);
	}
	free(approvals);
}

const struct gate gate_approval = {
    .name = "approval",
    .summary = "a second person approved the version",
    .applies = applies,
    .judge = judge,
};
