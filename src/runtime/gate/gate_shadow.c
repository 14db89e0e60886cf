#include "runtime/gate/gates.h"

#include <inttypes.h>
#include <stdio.h>

/* Before the first requests only: a canary's comparison has ended, and it passed, or was forced, when it became one. */
static bool applies(const struct gate_case *c)
{
	return c->policy->shadow_requests > 0 && c->live != NULL && c->first && !c->shadow;
}

static void judge(const struct gate_case *c, struct finding *f)
{
	const struct policy *p = c->policy;
	const struct shadow_stats *s = c->compared;
	uint32_t version = c->version->version;
	/* What cannot be compared, a NaN on one side say, is no better than another class. */
	uint64_t other = s->flips + s->incomparable;
	double flips = s->rows > 0 ? 100.0 * (double)other / (double)s->rows : 0;
	double difference = shadow_absolute_mean(s);

	f->n_needed = p->shadow_requests;
	f->threshold = p->shadow_flips_percent;
	snprintf(f->unit, sizeof f->unit, "%%");
	if (s->against != c->live->version) {
		gate_say(f, FINDING_WAIT, "v%u was not compared with v%u: mldeck shadow %s %u=10%%", version,
			 c->live->version, c->model->name, version);
		return;
	}
	f->n = s->compared;
	f->value = flips;
	if (flips > p->shadow_flips_percent && s->compared >= p->shadow_requests) {
		gate_say(f, FINDING_FAIL,
			 "%" PRIu64 " of %" PRIu64 " rows of v%u are of another class than v%u's, or not comparable",
			 other, s->rows, version, c->live->version);
	} else if (difference > p->shadow_difference_max && s->compared >= p->shadow_requests) {
		f->value = difference;
		f->threshold = p->shadow_difference_max;
		f->unit[0] = '\0';
		gate_say(f, FINDING_FAIL, "predictions of v%u differ from v%u's by %.4g on average", version,
			 c->live->version, difference);
	} else if (s->compared < p->shadow_requests) {
		gate_say(f, FINDING_WAIT, "v%u was compared with v%u on %" PRIu64 " of %" PRIu64 " requests", version,
			 c->live->version, s->compared, p->shadow_requests);
	} else {
		gate_say(f, FINDING_PASS,
			 "v%u was compared with v%u on %" PRIu64 " requests, predictions differ by %.4g on average",
			 version, c->live->version, s->compared, difference);
	}
}

const struct gate gate_shadow = {
    .name = "shadow",
    .summary = "as a shadow its answers were compared with the live version's",
    .applies = applies,
    .judge = judge,
};
