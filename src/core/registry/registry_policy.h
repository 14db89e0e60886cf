/*
 * registry_policy: what a model's policy is, who approved which version, and what tests gave.
 *
 * Thread-safe like the registry. Rows are only ever added: the newest policy of a model holds.
 */
#ifndef CORE_REGISTRY_POLICY_H
#define CORE_REGISTRY_POLICY_H

#include "core/policy.h"
#include "core/registry/registry.h"

struct policy_record {
	struct policy policy; /* the default when number is 0 */
	uint32_t number;      /* how often it was set; 0: never */
	int64_t at_ms;
	char who[WHO_SIZE];
	char reason[REASON_SIZE];
};

/* Sets a model's policy, with its audit record, in one transaction. expect_number -1: any, else ERR_CONFLICT says who
 * set it meanwhile. Refuses what policy_check() refuses, and a policy that is so already (ERR_CONFLICT); refusals are
 * recorded. */
int registry_set_policy(struct registry *r, const char *model, const struct policy *policy, int64_t expect_number,
			const char *reason, const struct actor *actor, struct policy_record *result, struct err *e);
int registry_policy(struct registry *r, const char *model, struct policy_record *record, struct err *e);
/* Whether registry_set_policy() would refuse; writes and records nothing. */
int registry_try_policy(struct registry *r, const char *model, const struct policy *policy, int64_t expect_number,
			struct err *e);

/* Somebody looked at a version and lets it replace the live one of then. */
struct approval {
	int64_t id, at_ms;
	uint32_t version, against; /* against: the version live then, 0 none */
	uint32_t uid;
	char who[WHO_SIZE];
	char reason[REASON_SIZE];
};

/* ERR_CONFLICT for the live version. Refusals are recorded. */
int registry_approve(struct registry *r, const char *model, uint32_t version, const char *reason,
		     const struct actor *actor, struct approval *result, struct err *e);
/* Newest first, at most limit; version 0: of all; free(). */
int registry_approvals(struct registry *r, const char *model, uint32_t version, size_t limit,
		       struct approval **approvals, size_t *count, struct err *e);

#define TEST_VERDICT_SIZE 24

/* What a test of a pair of versions gave, or a stress or training test of one version (against 0). */
struct test_result {
	int64_t id, at_ms, job; /* job 0: none */
	char kind[16];
	uint32_t version, against;
	bool passed;
	bool alone; /* against 0 is meant: a training that was run, and compared with nothing */
	char summary[REASON_SIZE];
	const char *report; /* JSON text, borrowed, or NULL: kept with what is added; not filled by what is read */
	/* Filled by what is read: whose it is, the report's own word ("pass", "regression", "slo"), and who told it. */
	char model[TEXT_NAME_MAX + 1], verdict[TEST_VERDICT_SIZE], who[WHO_SIZE];
};

/* at_ms 0: now. Its audit record is the runtime's own. */
int registry_add_test_result(struct registry *r, const char *model, const struct test_result *result, struct err *e);
/* The same as somebody reports it, of a test that ran elsewhere: with its audit record, in one transaction. against 0:
 * the version that is live, where the kind compares two. A training of no version makes the model's name. Refusals are
 * recorded. */
int registry_report_test(struct registry *r, const char *model, struct test_result *result, const struct actor *actor,
			 struct err *e);
/* The newest of a kind for a pair; result->id 0 when there is none. */
int registry_test_result(struct registry *r, const char *model, const char *kind, uint32_t version, uint32_t against,
			 struct test_result *result, struct err *e);

/* The pair that a test of a version is of: *against 0 becomes the live version, and *live is that one. ERR_NOT_FOUND:
 * no such model or version; ERR_CONFLICT: nothing is live, or both would be the same. */
int registry_test_pair(struct registry *r, const char *model, uint32_t version, uint32_t *against, uint32_t *live,
		       struct err *e);

/* kind NULL, version 0, before 0: any; before: ids below it. */
struct test_filter {
	const char *kind;
	uint32_t version;
	int64_t before;
	size_t limit; /* at least 1 */
};
/* Newest first; model NULL: of all. free(). */
int registry_test_results(struct registry *r, const char *model, const struct test_filter *filter,
			  struct test_result **results, size_t *count, struct err *e);
/* The one before it of the same kind, model and versions; of a training, whose versions are new each time, of the same
 * kind and model. before->id 0: there is none. */
int registry_test_before(struct registry *r, const struct test_result *of, struct test_result *before, struct err *e);
/* One with its report ("" when none was kept); free() that. model NULL: of any. ERR_NOT_FOUND. */
int registry_test_report(struct registry *r, const char *model, int64_t id, struct test_result *result, char **report,
			 struct err *e);

#endif
