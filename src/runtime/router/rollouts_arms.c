/*
 * rollouts_arms: what a rollout's two versions did since its step began, and what the analyses say of it.
 *
 * The version's predictions are counted a second time, in the live version's bins: those of its own lie elsewhere, and
 * a new version has none at all before BASELINE_LEARN_COUNT predictions.
 */
#include "runtime/router/beside.h"
#include "runtime/router/rollouts_internal.h"

#include <string.h>

static void read_compared(struct telemetry *t, struct analysis_arm *arm)
{
	struct telemetry_compared compared;
	telemetry_read_compared(t, &compared);
	arm->bin_count = compared.bin_count;
	memcpy(arm->edges, compared.edges, sizeof arm->edges);
	memcpy(arm->predictions, compared.counts, sizeof arm->predictions);
	arm->below = compared.below;
	arm->above = compared.above;
	arm->nan = compared.nan;
}

static void compare_with(struct telemetry *t, const struct analysis_arm *live)
{
	struct baseline bins = {.bin_count = live->bin_count};
	memcpy(bins.edges, live->edges, sizeof bins.edges);
	/* Without memory there are no bins, and the analysis says that it waits. */
	if (live->bin_count > 0)
		telemetry_compare(t, &bins);
}

static void subtract(uint64_t *counts, const uint64_t *base, size_t count)
{
	for (size_t i = 0; i < count; i++)
		counts[i] -= base[i] < counts[i] ? base[i] : counts[i];
}

/* What came since the base. */
static void since(struct analysis_arm *arm, struct analysis_arm *base)
{
	/* A version that was deployed anew, having failed to load, counts from zero again. */
	if (arm->answered < base->answered || arm->errors < base->errors)
		memset(base, 0, sizeof *base);
	subtract(&arm->answered, &base->answered, 1);
	subtract(&arm->errors, &base->errors, 1);
	subtract(arm->latency, base->latency, HISTOGRAM_BUCKETS);
	subtract(arm->predictions, base->predictions, BASELINE_BINS_MAX);
	subtract(&arm->below, &base->below, 1);
	subtract(&arm->above, &base->above, 1);
	subtract(&arm->nan, &base->nan, 1);
}

bool rollout_arms_read(struct rollouts *rs, const struct rollout *r, struct rollout_arms *arms)
{
	const struct served_model *m = routing_find(router_enter(rs->router), r->model, NULL);
	struct served_version *version = m == NULL ? NULL : served_model_find(m, r->version);
	struct served_version *live = m == NULL ? NULL : served_model_find(m, r->from);
	bool found = version != NULL && live != NULL;
	if (found) {
		arm_read(live, &arms->live);
		arm_read(version, &arms->version);
		compare_with(version->telemetry, &arms->live);
		read_compared(version->telemetry, &arms->version);
	}
	router_leave(rs->router);
	if (!found)
		return false;
	if (!arms->based) {
		arms->base_version = arms->version;
		arms->base_live = arms->live;
		arms->based = true;
	}
	since(&arms->version, &arms->base_version);
	since(&arms->live, &arms->base_live);
	uint32_t weight_bp = r->steps[r->step].weight_bp;
	arms->version.weight_bp = weight_bp;
	arms->live.weight_bp = ROUTE_BUCKETS - weight_bp;
	return true;
}

void rollout_judge(struct rollouts *rs, struct rollout_entry *entry, struct rollout *r)
{
	r->finding_count = 0;
	if (entry->arms == NULL || !rollout_arms_read(rs, r, entry->arms))
		return;
	const struct analysis_input input = {
	    .thresholds = &r->thresholds, .version = &entry->arms->version, .live = &entry->arms->live};
	r->finding_count = analysis_judge(&input, r->findings, ROLLOUT_FINDINGS_MAX);
}

void rollout_arms_end(struct rollouts *rs, const struct rollout *r)
{
	const struct served_model *m = routing_find(router_enter(rs->router), r->model, NULL);
	struct served_version *version = m == NULL ? NULL : served_model_find(m, r->version);
	if (version != NULL)
		telemetry_compare(version->telemetry, NULL);
	router_leave(rs->router);
}
