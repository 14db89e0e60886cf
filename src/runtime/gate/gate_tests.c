#include "runtime/gate/gates.h"

#include "core/units.h"

static bool applies(const struct gate_case *c)
{
	return c->policy->test_count > 0 && c->live != NULL && !c->shadow && gate_enters(c);
}

/* Says why one test does not count, and returns false. */
static bool passed(const struct gate_case *c, const struct policy_test *test, struct finding *f)
{
	struct test_result result;
	struct err e = {.text = ""};
	char age[TEXT_AGE_SIZE], limit[UNITS_TEXT_SIZE];
	uint32_t version = c->version->version, live = c->live->version;

	if (registry_test_result(c->registry, c->model->name, test->kind, version, live, &result, &e) != 0) {
		gate_say(f, FINDING_FAIL, "the test %s cannot be read: %s", test->kind, e.text);
		return false;
	}
	if (result.id == 0) {
		gate_say(f, FINDING_WAIT, "there is no %s test of v%u against v%u", test->kind, version, live);
		return false;
	}
	int64_t age_s = (c->now_ms - result.at_ms) / 1000;
	text_age(age, age_s > 0 ? age_s : 0);
	if (!result.passed) {
		gate_say(f, FINDING_FAIL, "the %s test of v%u against v%u failed %s ago: %s", test->kind, version, live,
			 age, result.summary);
		return false;
	}
	if (test->max_age_s == 0 || age_s <= test->max_age_s)
		return true;
	units_write(units_s, (unsigned long long)test->max_age_s, limit);
	gate_say(f, FINDING_WAIT, "the %s test of v%u against v%u passed %s ago, and may be %s old", test->kind,
		 version, live, age, limit);
	return false;
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
    .summary = "tests against the live version passed, and recently",
    .applies = applies,
    .judge = judge,
};
