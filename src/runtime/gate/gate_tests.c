#include "core/test/required.h"
#include "runtime/gate/gates.h"

#include <stdlib.h>

static bool applies(const struct gate_case *c)
{
	return c->policy->test_count > 0 && c->live != NULL && !c->shadow && gate_enters(c);
}

static enum finding_verdict verdict_of(enum required_state state)
{
	return state == REQUIRED_PASSED ? FINDING_PASS : state == REQUIRED_FAILED ? FINDING_FAIL : FINDING_WAIT;
}

/* Says why one test does not count, and returns false. */
static bool passed(const struct gate_case *c, const struct policy_test *test, struct finding *f)
{
	struct required *required = malloc(sizeof *required);
	struct err e = {.text = ""};
	bool result = false;

	if (required == NULL) {
		gate_say(f, FINDING_FAIL, "memory is out for the test %s", test->kind);
	} else if (required_judge(c->registry, c->model->name, c->policy, test, c->version->version, c->live->version,
				  c->now_ms, required, &e) != 0) {
		gate_say(f, FINDING_FAIL, "the test %s cannot be read: %s", test->kind, e.text);
	} else {
		result = required->state == REQUIRED_PASSED;
		gate_say(f, verdict_of(required->state), "%s", required->text);
	}
	free(required);
	return result;
}

static void judge(const struct gate_case *c, struct finding *f)
{
	struct finding other = *f;
	const struct policy *p = c->policy;
	size_t count = 0;
	bool said = false;

	/* The first that failed is said, else the first that is missing. */
	for (size_t i = 0; i < p->test_count; i++) {
		if (passed(c, &p->tests[i], &other))
			count++;
		else if (!said || (other.verdict == FINDING_FAIL && f->verdict != FINDING_FAIL)) {
			*f = other;
			said = true;
		}
	}
	f->value = (double)count;
	f->threshold = (double)p->test_count;
	if (!said)
		gate_say(f, FINDING_PASS, "%zu of %zu tests of v%u against v%u passed", count, p->test_count,
			 c->version->version, c->live->version);
}

const struct gate gate_tests = {
    .name = "tests",
    .summary = "tests against the live version passed, strictly enough, and recently",
    .applies = applies,
    .judge = judge,
};
