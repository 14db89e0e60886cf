/*
 * rollouts_arms: what a rollout's two versions did since its step began, and what the analyses say of it.
 *
 * The version's predictions are counted a second time, in the live version's bins: those of its own lie elsewhere, and
 * a new version has none at all before BASELINE_LEARN_COUNT predictions.
 */
#include "runtime/gate/beside.h"
#include "runtime/rollout/rollouts_internal.h"

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

/* What came since the base. */
static void since(struct analysis_arm *arm, struct analysis_arm *base)
{
	/* A version that was deployed anew, having failed to load, counts from zero again. */
	if (arm->answered < base->answered || arm->errors < base->errors)
		memset(base, 0, sizeof *base);
	arm_subtract(arm, base);
}

/* What both have counted since the runtime started. */
static bool read_now(struct rollouts *rs, const struct rollout *r, struct rollout_arms *arms)
{
	const struct served_model *m = routing_find(router_enter(rs->router), r->model, NULL);
	struct served_version *version = m == NULL ? NULL : served_model_find(m, r->version);
	struct served_version *live = m == NULL ? NULL : served_model_find(m, r->from);
	bool found = version != NULL && live != NULL;
	if (found) {
		arm_read(live, &arms->now_live);
		arm_read(version, &arms->now_version);
		compare_with(version->telemetry, &arms->now_live);
		read_compared(version->telemetry, &arms->now_version);
	}
	router_leave(rs->router);
	return found;
}

static void begin_window(struct rollout_arms *arms)
{
	arms->window_version = arms->now_version;
	arms->window_live = arms->now_live;
	arms->window++;
}

/* Fills version and live with what came since. */
static void subtract_from_now(struct rollout_arms *arms, const struct rollout *r, struct analysis_arm *version,
			      struct analysis_arm *live)
{
	uint32_t weight_bp = r->steps[r->step].weight_bp;
	arms->version = arms->now_version;
	arms->live = arms->now_live;
	since(&arms->version, version);
	since(&arms->live, live);
	arms->version.weight_bp = weight_bp;
	arms->live.weight_bp = ROUTE_BUCKETS - weight_bp;
}

bool rollout_arms_read(struct rollouts *rs, const struct rollout *r, struct rollout_arms *arms)
{
	if (!read_now(rs, r, arms))
		return false;
	if (!arms->based) {
		arms->base_version = arms->now_version;
		arms->base_live = arms->now_live;
		arms->based = true;
		arms->window = 0;
		begin_window(arms);
	}
	subtract_from_now(arms, r, &arms->base_version, &arms->base_live);
	return true;
}

static size_t judge(const struct rollout_arms *arms, const struct policy *thresholds,
		    struct finding findings[ROLLOUT_FINDINGS_MAX])
{
	const struct analysis_input input = {.thresholds = thresholds, .version = &arms->version, .live = &arms->live};
	return analysis_judge(&input, findings, ROLLOUT_FINDINGS_MAX);
}

void rollout_judge_window(struct rollout_arms *arms, struct rollout *r)
{
	struct finding findings[ROLLOUT_FINDINGS_MAX];
	struct policy thresholds = r->thresholds;
	/* Every window is another chance to fail a good version: their levels sum up to half of alpha. */
	thresholds.analysis_alpha /= (arms->window + 1.0) * (arms->window + 2.0);
	subtract_from_now(arms, r, &arms->window_version, &arms->window_live);
	size_t count = judge(arms, &thresholds, findings);
	for (size_t i = 0; i < count && i < r->finding_count; i++)
		if (findings[i].verdict == FINDING_FAIL)
			r->findings[i] = findings[i];
	if (arms->version.answered + arms->version.errors >= ROLLOUTS_WINDOW_REQUESTS)
		begin_window(arms);
}

void rollout_judge(struct rollouts *rs, struct rollout_entry *entry, struct rollout *r)
{
	r->finding_count = 0;
	if (entry->arms == NULL || !rollout_arms_read(rs, r, entry->arms))
		return;
	r->finding_count = judge(entry->arms, &r->thresholds, r->findings);
	if (findings_verdict(r->findings, r->finding_count) != FINDING_FAIL)
		rollout_judge_window(entry->arms, r);
}

void rollout_arms_end(struct rollouts *rs, const struct rollout *r)
{
	const struct served_model *m = routing_find(router_enter(rs->router), r->model, NULL);
	struct served_version *version = m == NULL ? NULL : served_model_find(m, r->version);
	if (version != NULL)
		telemetry_compare(version->telemetry, NULL);
	router_leave(rs->router);
}
