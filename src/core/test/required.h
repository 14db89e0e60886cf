/*
 * required: whether one test that a policy demands is there, passed, ran as strictly as the policy has it, and is
 * recent enough; and if not, why.
 *
 * Reads the registry; any thread that may wait for the disk. The gate `tests` and `mldeck check` judge by this alone.
 * Not here: which tests are demanded (policy), running them (ui/command/command_check).
 */
#ifndef CORE_TEST_REQUIRED_H
#define CORE_TEST_REQUIRED_H

#include "core/finding.h"
#include "core/registry/registry_policy.h"

/* In the order in which they are looked at. LOOSER: it passed with more allowed than the policy allows. */
#define REQUIRED_STATES(X) \
	X(MISSING, "missing") X(FAILED, "failed") X(LOOSER, "looser") X(OLD, "old") X(PASSED, "passed")

enum required_state {
#define X(name, text) REQUIRED_##name,
	REQUIRED_STATES(X)
#undef X
	    REQUIRED_STATE_COUNT
};

struct required {
	enum required_state state;
	struct test_result result; /* the newest of its kind for the pair; id 0: there is none */
	int64_t age_s;
	size_t finding_count; /* of its report; 0 without one */
	struct finding findings[FINDINGS_MAX];
	char text[FINDING_TEXT_SIZE]; /* one sentence, with the numbers of what failed */
};

const char *required_state_name(enum required_state state);
/* against: the version that it is compared with, and for what is of one version alone the one that was live. */
int required_judge(struct registry *r, const char *model, const struct policy *policy, const struct policy_test *test,
		   uint32_t version, uint32_t against, int64_t now_ms, struct required *required, struct err *e);
/* "rows 96.4% (limit 0.1%), flips 4% (limit 0.1%)": those that failed, as many as have room; "" when none did. */
void required_failures(const struct finding *findings, size_t count, char *text, size_t size);

#endif
