/* policy: what the system has to say of one: who a promoter is, and what can never hold. */
#include "core/policy.h"

#include "core/users.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {
#define X(name) #name,
    POLICY_TEST_KINDS(X)
#undef X
};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

bool policy_may_promote(const struct policy *p, uint32_t uid, const char *name)
{
	char promoter[POLICY_NAMES_SIZE];
	bool group;
	uint32_t gid;

	if (p->promoters[0] == '\0')
		return true;
	for (size_t i = 0; policy_promoter(p, i, promoter, &group); i++) {
		if (!group && strcmp(promoter, name) == 0)
			return true;
		if (group && users_find_group(promoter, &gid) && users_in_group(uid, gid))
			return true;
	}
	return false;
}

static int check_promoters(const struct policy *p, struct err *e)
{
	char promoter[POLICY_NAMES_SIZE];
	bool group = false;
	size_t count = 0;

	for (; policy_promoter(p, count, promoter, &group); count++) {
		if (group && !users_find_group(promoter, NULL))
			return err_set(e, ERR_INPUT, "promoters names the group %s, which this system does not have",
				       promoter);
		if (!group && !users_find(promoter, NULL))
			return err_set(e, ERR_INPUT, "promoters names the user %s, whom this system does not have",
				       promoter);
	}
	/* An approval counts only when it is a promoter's. */
	if (p->second_person && count == 1 && !group)
		return err_set(e, ERR_INPUT,
			       "second_person can never hold: %s is the only promoter, and nobody else could approve",
			       p->promoters);
	return 0;
}

bool policy_test_known(const char *kind, struct err *e)
{
	char names[128];
	for (size_t k = 0; k < KIND_COUNT; k++)
		if (strcmp(kinds[k], kind) == 0)
			return true;
	for (size_t k = 0, used = 0; k < KIND_COUNT; k++)
		used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", k > 0 ? ", " : "", kinds[k]);
	err_set(e, ERR_INPUT, "there is no test `%.60s` that could pass; there are %s", kind, names);
	return false;
}

static int check_tests(const struct policy *p, struct err *e)
{
	for (size_t i = 0; i < p->test_count; i++)
		if (!policy_test_known(p->tests[i].kind, e))
			return -1;
	return 0;
}

/* Limits on what nothing counts would promise a check that is never made. */
static int check_limits(const struct policy *p, struct err *e)
{
	struct policy standard;
	policy_init(&standard);
	if (p->shadow_requests == 0 && !isnan(p->shadow_difference_max))
		return err_set(e, ERR_INPUT, "shadow_difference_max demands nothing without shadow_requests: set both");
	if (p->shadow_requests == 0 && p->shadow_flips_percent != standard.shadow_flips_percent)
		return err_set(e, ERR_INPUT, "shadow_flips_max demands nothing without shadow_requests: set both");
	if (!p->second_person && p->approval_max_age_s != standard.approval_max_age_s)
		return err_set(e, ERR_INPUT, "approval_max_age demands nothing without second_person: set both");
	return 0;
}

int policy_check(const struct policy *p, struct err *e)
{
	return check_promoters(p, e) != 0 || check_tests(p, e) != 0 || check_limits(p, e) != 0 ? -1 : 0;
}
