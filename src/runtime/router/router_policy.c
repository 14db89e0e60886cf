/* router_policy: a model's policy: into the registry first, then into the routing. */
#include "runtime/router/router_internal.h"

static int set_and_publish(struct router *r, const char *model, const struct policy *policy, int64_t expect_number,
			   const char *reason, const struct actor *actor, struct policy_record *result, struct err *e)
{
	const struct served_model *old = routing_find(router_current(r), model, NULL);
	struct served_model *m = old != NULL ? served_model_copy(old, model, 0) : NULL;
	struct capture *capture = NULL;

	if (old != NULL && m == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while setting the policy of %s", model);
	if (m != NULL && router_capture(r, m, policy, &capture, e) != 0) {
		served_model_free(m);
		return -1;
	}
	if (m != NULL) {
		capture_release(m->capture);
		m->capture = capture;
	}
	if (registry_set_policy(r->registry, model, policy, expect_number, reason, actor, result, e) != 0) {
		served_model_free(m);
		return -1;
	}
	if (m == NULL)
		return 0;
	m->policy = result->policy;
	m->policy_set = true;
	if (router_publish(r, m, e) == 0)
		return 0;
	served_model_free(m);
	return -1;
}

int router_set_policy(struct router *r, const char *model, const struct policy *policy, int64_t expect_number,
		      const char *reason, const struct actor *actor, struct policy_record *result, struct err *e)
{
	pthread_mutex_lock(&r->change);
	int status = set_and_publish(r, model, policy, expect_number, reason, actor, result, e);
	pthread_mutex_unlock(&r->change);
	return status;
}
