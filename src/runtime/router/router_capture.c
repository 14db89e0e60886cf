/* router_capture: a model's sample of live requests, as its policy wants it. */
#include "runtime/router/router_internal.h"

#include "core/clock.h"

#include <sys/random.h>

_Static_assert(POLICY_CAPTURE_MAX == CAPTURE_ROWS_MAX, "a policy can ask for what there can be");

int router_capture(struct router *r, const struct served_model *m, const struct policy *policy, struct capture **result,
		   struct err *e)
{
	uint64_t seed;

	*result = NULL;
	if (policy->capture_rows == 0)
		return 0;
	if (policy->capture_rows == capture_limit(m->capture)) {
		capture_hold(m->capture);
		*result = m->capture;
		return 0;
	}
	/* Which rows are kept is nobody's to foresee, but no secret either. */
	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
		seed = clock_ns();
	return capture_new(&r->captures, (size_t)policy->capture_rows, clock_ms(), seed, result, e);
}
