#include "runtime/gate/beside.h"

#include <stdlib.h>
#include <string.h>

struct beside {
	uint32_t live;
	struct analysis_arm version_start, live_start;
};

void beside_free(struct beside *b)
{
	free(b);
}

void arm_read(const struct served_version *v, struct analysis_arm *arm)
{
	struct telemetry_totals totals;
	memset(arm, 0, sizeof *arm);
	telemetry_read_totals(v->telemetry, &totals, arm->latency);
	arm->version = v->version;
	arm->answered = totals.ok;
	arm->errors = totals.errors;
	arm->bin_count = totals.bin_count;
	memcpy(arm->edges, totals.edges, sizeof arm->edges);
	memcpy(arm->predictions, totals.predictions, sizeof arm->predictions);
	arm->below = totals.below;
	arm->above = totals.above;
	arm->nan = totals.nan;
}

/* Counters never fall; a version's start over (a restart) would be one that did. */
static void subtract(uint64_t *count, uint64_t start)
{
	*count = *count > start ? *count - start : 0;
}

void arm_subtract(struct analysis_arm *arm, const struct analysis_arm *start)
{
	subtract(&arm->answered, start->answered);
	subtract(&arm->errors, start->errors);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		subtract(&arm->latency[i], start->latency[i]);
	subtract(&arm->nan, start->nan);
	if (start->bin_count != arm->bin_count)
		return;
	for (size_t i = 0; i < arm->bin_count; i++)
		subtract(&arm->predictions[i], start->predictions[i]);
	subtract(&arm->below, start->below);
	subtract(&arm->above, start->above);
}

static bool is_canary(const struct served_model *m, uint32_t version)
{
	const struct route_entry *entry = route_find(&m->route, version);
	return entry != NULL && entry->role == ROUTE_CANARY;
}

/* Where memory is out the counts go on from where they began, which is further back. */
static void begin(struct served_version *v, const struct served_version *live)
{
	struct beside *b = malloc(sizeof *b);
	if (b == NULL)
		return;
	b->live = live->version;
	arm_read(v, &b->version_start);
	arm_read(live, &b->live_start);
	beside_free(v->life->beside);
	v->life->beside = b;
}

void beside_follow(const struct served_model *m)
{
	const struct served_version *live = served_model_find(m, route_live(&m->route));
	for (size_t i = 0; i < m->version_count; i++) {
		struct served_version *v = m->versions[i];
		if (live == NULL || !is_canary(m, v->version)) {
			beside_free(v->life->beside);
			v->life->beside = NULL;
		} else if (v->life->beside == NULL || v->life->beside->live != live->version) {
			begin(v, live);
		}
	}
}

void beside_read(const struct served_model *m, const struct served_version *v, struct analysis_arm *version_arm,
		 struct analysis_arm *live_arm)
{
	const struct beside *b = v->life->beside;
	const struct served_version *live = served_model_find(m, route_live(&m->route));
	arm_read(v, version_arm);
	arm_read(live, live_arm);
	if (b != NULL && b->live == live->version) {
		arm_subtract(version_arm, &b->version_start);
		arm_subtract(live_arm, &b->live_start);
	}
	version_arm->weight_bp = route_find(&m->route, v->version)->weight_bp;
	live_arm->weight_bp = route_find(&m->route, live->version)->weight_bp;
}
