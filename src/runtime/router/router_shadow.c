/* router_shadow: which shadows a route may have, and when their comparisons begin and end. */
#include "runtime/router/router_internal.h"

#include <string.h>

static const struct served_version *shadow_of(const struct served_model *m, uint32_t version)
{
	const struct route_entry *entry = m == NULL ? NULL : route_find(&m->route, version);
	return entry == NULL || entry->role != ROUTE_SHADOW ? NULL : served_model_find(m, version);
}

/* The pair goes on: the same shadow beside the same live version. A stand-in has the telemetry of whom it stands for.
 */
static bool goes_on(const struct served_model *before, const struct served_model *after, uint32_t version)
{
	const struct served_version *old = shadow_of(before, version), *new = shadow_of(after, version);
	return old != NULL && new != NULL &&
	       old->telemetry == new->telemetry &&route_live(&before->route) == route_live(&after->route);
}

static void end_those_that_leave(const struct served_model *before, const struct served_model *after)
{
	for (uint32_t i = 0; i < before->route.entry_count; i++) {
		const struct served_version *v = shadow_of(before, before->route.entries[i].version);
		struct comparison *c = v == NULL ? NULL : telemetry_comparison(v->telemetry);
		if (c != NULL && !goes_on(before, after, v->version))
			comparison_end(c);
	}
}

void served_model_compare(const struct served_model *before, const struct served_model *after,
			  struct comparison *ended[ROUTE_ENTRIES_MAX])
{
	memset(ended, 0, ROUTE_ENTRIES_MAX * sizeof(struct comparison *));
	if (before != NULL)
		end_those_that_leave(before, after);
	for (uint32_t i = 0; i < after->route.entry_count; i++) {
		const struct served_version *v = shadow_of(after, after->route.entries[i].version);
		/* Without memory for it the shadow is not compared; the route is what was promised. */
		if (v != NULL && !goes_on(before, after, v->version))
			telemetry_begin_shadow(v->telemetry, route_live(&after->route), &ended[i]);
	}
}

int served_model_check_shadows(const struct served_model *m, const struct route *route, struct err *e)
{
	char difference[MANIFEST_DIFFERENCE_SIZE];
	const struct served_version *live = served_model_find(m, route_live(route));

	for (uint32_t i = 0; live != NULL && i < route->entry_count; i++) {
		const struct served_version *v = served_model_find(m, route->entries[i].version);
		if (route->entries[i].role != ROUTE_SHADOW || v == NULL)
			continue;
		if (!served_version_same_inputs(live, v, difference))
			return err_set(e, ERR_CONFLICT,
				       "v%u of %s cannot be a shadow of v%u, whose requests it does not take: %.300s",
				       v->version, m->name, live->version, difference);
	}
	return 0;
}
