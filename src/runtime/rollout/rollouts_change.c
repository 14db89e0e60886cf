/*
 * rollouts_change: what an operator asks of rollouts: to start one, to pause, resume, abort it or skip a step.
 */
#include "runtime/rollout/rollouts_internal.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/registry/registry_policy.h"
#include "core/registry/registry_rollouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rollouts_verb rollouts_verb_by_name(const char *name)
{
	static const char *const names[] = {
#define X(name, text) text,
	    ROLLOUTS_VERBS(X)
#undef X
	};
	int verb = 0;
	while (verb < ROLLOUTS_VERB_COUNT && strcmp(name, names[verb]) != 0)
		verb++;
	return (enum rollouts_verb)verb;
}

/* --- starting --- */

/* The first threshold by which a worse version gets through than by the policy's; NULL: none is. */
static const char *looser(const struct policy *p, const struct policy *than)
{
	return p->error_margin_percent > than->error_margin_percent ? "error_margin"
	       : p->p99_ratio_max > than->p99_ratio_max             ? "p99_ratio_max"
	       : p->p99_margin_us > than->p99_margin_us             ? "p99_margin"
	       : p->drift_max > than->drift_max                     ? "drift_max"
	       : p->analysis_requests < than->analysis_requests     ? "analysis_requests"
	       : p->analysis_alpha < than->analysis_alpha           ? "analysis_alpha"
								    : NULL;
}

/* The model's policy with what is set for this rollout: of a policy's settings, those that the analyses ask. */
static int take_thresholds(struct rollouts *rs, const struct rollout_request *request, struct policy *p, struct err *e)
{
	static const char *const names[] = {"error_margin", "p99_ratio_max",     "p99_margin",
					    "drift_max",    "analysis_requests", "analysis_alpha"};
	struct policy_record record;
	const cJSON *item;
	if (registry_policy(rs->registry, request->model, &record, e) != 0)
		return -1;
	*p = record.policy;
	cJSON_ArrayForEach(item, request->thresholds)
	{
		size_t i = 0;
		while (i < sizeof names / sizeof *names && strcmp(item->string, names[i]) != 0)
			i++;
		if (i == sizeof names / sizeof *names)
			return err_set(e, ERR_INPUT,
				       "a rollout's thresholds are error_margin, p99_ratio_max, p99_margin, drift_max, "
				       "analysis_requests and analysis_alpha, not `%.40s`",
				       item->string);
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "field `thresholds` must hold texts, as in {\"%s\":\"2\"}",
				       item->string);
		if (policy_set(p, item->string, item->valuestring, e) != 0)
			return -1;
	}
	/* Where nobody set a policy there is nothing to hold on to. */
	const char *loose = record.number > 0 && !request->force ? looser(p, &record.policy) : NULL;
	if (loose != NULL)
		return err_set(e, ERR_GATE,
			       "%s of this rollout lets more through than the policy of %s does: --force starts it all "
			       "the same, marked for ever, or change the policy",
			       loose, request->model);
	return 0;
}

/* What the route must be like: the live version, and at most the one that is rolled out beside it. */
static int check_route(const struct served_model *m, struct rollout *r, struct err *e)
{
	const struct route *route = &m->route;
	const char *model = m->name;
	if (served_model_find(m, r->version) == NULL) {
		if (m->version_count == 1)
			return err_set(e, ERR_NOT_FOUND, "%s has no version %u; it has 1 only", model, r->version);
		return err_set(e, ERR_NOT_FOUND, "%s has no version %u; it has 1 to %zu", model, r->version,
			       m->version_count);
	}
	r->from = route_live(route);
	r->first_revision = m->revision;
	if (r->from == 0)
		return err_set(e, ERR_CONFLICT,
			       "nothing of %s is live, so there is nothing to compare with: mldeck promote %s %u",
			       model, model, r->version);
	if (m->tap != NULL)
		return err_set(e, ERR_CONFLICT, "%s is in the A/B test %s: wait for its end, or mldeck ab stop %s %s",
			       model, tap_plan(m->tap)->name, model, tap_plan(m->tap)->name);
	if (r->from == r->version)
		return err_set(e, ERR_CONFLICT, "v%u of %s is live already; a rollout brings in another version",
			       r->version, model);
	for (uint32_t i = 0; i < route->entry_count; i++) {
		const struct route_entry *entry = &route->entries[i];
		if (entry->role == ROUTE_CANARY && entry->version != r->version)
			return err_set(
			    e, ERR_CONFLICT,
			    "v%u of %s is a canary, and a rollout compares two versions: end its share first",
			    entry->version, model);
		if (entry->role == ROUTE_CANARY && entry->weight_bp >= r->steps[0].weight_bp)
			return err_set(e, ERR_CONFLICT,
				       "v%u of %s gets %g%% already; the first step of its rollout must be more",
				       r->version, model, entry->weight_bp / 100.0);
	}
	return 0;
}

static int check_model(struct rollouts *rs, struct rollout *r, struct err *e)
{
	const struct served_model *m = routing_find(router_enter(rs->router), r->model, e);
	int result = m == NULL ? -1 : check_route(m, r, e);
	router_leave(rs->router);
	return result;
}

static int prepare(struct rollouts *rs, const struct rollout_request *request, const struct actor *actor,
		   struct rollout *r, struct err *e)
{
	*r = (struct rollout){.version = request->version, .state = ROLLOUT_RUNNING, .uid = actor->uid};
	text_clean(r->model, sizeof r->model, request->model);
	text_clean(r->who, sizeof r->who, actor->name);
	text_clean(r->reason, sizeof r->reason, request->reason);
	r->forced = request->force;
	if (rollout_plan(r, request->steps, request->hold, e) != 0 || check_model(rs, r, e) != 0)
		return -1;
	r->started_ms = r->changed_ms = clock_unix_ms();
	return take_thresholds(rs, request, &r->thresholds, e);
}

static int check_none_open(const struct rollout_entry *entry, struct err *e)
{
	const struct rollout *r = &entry->r;
	if (!rollout_entry_open(entry))
		return 0;
	return err_set(e, ERR_CONFLICT,
		       "%s has a rollout already, of v%u by %s: wait for its end, or mldeck rollout %s --abort",
		       r->model, r->version, r->who, r->model);
}

static int start_prepared(struct rollouts *rs, struct rollout_entry *entry, const struct rollout_request *request,
			  const struct actor *actor, struct rollout *r, struct change_outcome *outcome, struct err *e)
{
	const struct route_entry weights[] = {
	    {.version = r->version, .weight_bp = r->steps[0].weight_bp},
	    {.version = r->from, .weight_bp = ROUTE_BUCKETS - r->steps[0].weight_bp},
	};
	const struct route_change change = {
	    .model = r->model,
	    .action = "rollout",
	    .version = r->version,
	    .weights = weights,
	    .weight_count = 2,
	    /* What was looked at is what the change is made to. */
	    .expect_revision = request->expect_revision >= 0 ? request->expect_revision : r->first_revision,
	    .reason = request->reason,
	    .dry_run = request->dry_run,
	    .forced = request->force,
	    .rollout = r,
	};
	if (router_change(rs->router, &change, actor, outcome, e) != 0)
		return -1;
	r->first_revision = outcome->revision.based_on;
	r->revision = outcome->revision.revision;
	if (request->dry_run)
		return 0;
	free(entry->arms);
	entry->arms = calloc(1, sizeof *entry->arms);
	entry->breached = false;
	rollout_stepped(rs, entry, r, &outcome->revision);
	return 0;
}

/* A name that was never heard of gets no entry. */
static int known_entry(struct rollouts *rs, const char *model, struct rollout_entry **entry, struct err *e)
{
	bool known = routing_find(router_enter(rs->router), model, e) != NULL;
	router_leave(rs->router);
	if (!known)
		return -1;
	*entry = rollouts_entry(rs, model);
	return *entry != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out while changing a rollout");
}

int rollouts_start(struct rollouts *rs, const struct rollout_request *request, const struct actor *actor,
		   struct rollout *result, struct change_outcome *outcome, struct err *e)
{
	struct rollout_entry *entry;
	outcome->finding_count = 0;
	if (known_entry(rs, request->model, &entry, e) != 0)
		return -1;
	pthread_mutex_lock(&entry->busy);
	int status = check_none_open(entry, e);
	if (status == 0)
		status = prepare(rs, request, actor, result, e);
	if (status == 0)
		status = start_prepared(rs, entry, request, actor, result, outcome, e);
	pthread_mutex_unlock(&entry->busy);
	return status;
}

/* --- changing --- */

/* "paused by ada: lunch" */
static void say(char note[REASON_SIZE], const char *what, const struct actor *actor, const char *reason)
{
	char text[2 * REASON_SIZE];
	snprintf(text, sizeof text, "%s by %s%s%s", what, actor->name, reason[0] != '\0' ? ": " : "", reason);
	text_clean(note, REASON_SIZE, text);
}

static int set_state(struct rollouts *rs, struct rollout_entry *entry, enum rollout_state state, const char *reason,
		     const struct actor *actor, struct err *e)
{
	struct rollout r = entry->r;
	if (r.state == state)
		return err_set(e, ERR_CONFLICT, "the rollout of v%u of %s is %s already", r.version, r.model,
			       rollout_state_name(state));
	r.state = state;
	r.changed_ms = clock_unix_ms();
	r.note[0] = '\0';
	if (state == ROLLOUT_PAUSED)
		say(r.note, "paused", actor, reason);
	if (registry_update_rollout(rs->registry, &r, actor, state == ROLLOUT_PAUSED ? "pause" : "resume", reason, e) !=
	    0)
		return -1;
	entry->retry_ms = 0;
	entry->saved_ms = clock_ms();
	rollouts_show(rs, entry, &r);
	return 0;
}

static int skip(struct rollouts *rs, struct rollout_entry *entry, const char *reason, const struct actor *actor,
		struct err *e)
{
	char why[REASON_SIZE], what[64];
	struct rollout r = entry->r;
	rollout_judge(rs, entry, &r);
	const struct finding *first = findings_first(r.findings, r.finding_count);
	if (first != NULL && first->verdict == FINDING_FAIL)
		return err_set(e, ERR_GATE, "an analysis fails, so this step is not skipped but rolled back: %s: %s",
			       first->name, first->text);
	snprintf(what, sizeof what, "step %u of %u (%g%%) skipped", r.step + 1, r.step_count,
		 r.steps[r.step].weight_bp / 100.0);
	say(why, what, actor, reason);
	return rollout_forward(rs, entry, &r, actor, why, ROLLOUT_PATIENT, e);
}

static int abort_it(struct rollouts *rs, struct rollout_entry *entry, const char *reason, const struct actor *actor,
		    struct err *e)
{
	char note[REASON_SIZE];
	const struct rollout r = entry->r;
	say(note, "aborted", actor, reason);
	return rollout_back(rs, entry, &r, ROLLOUT_ABORTED, note, actor, reason, ROLLOUT_PATIENT, e);
}

/* What brings the version on is for those who may promote, whoever started it; to hold or end it is for all. */
static int check_may(struct rollouts *rs, const char *model, enum rollouts_verb verb, const struct actor *actor,
		     struct err *e)
{
	struct policy_record record;
	if (verb != ROLLOUTS_RESUME && verb != ROLLOUTS_SKIP)
		return 0;
	if (registry_policy(rs->registry, model, &record, e) != 0)
		return -1;
	if (policy_may_promote(&record.policy, actor->uid, actor->name))
		return 0;
	return err_set(e, ERR_DENIED, "%s may not bring the rollout of %s on; %.120s may", actor->name, model,
		       record.policy.promoters);
}

static int change_open(struct rollouts *rs, struct rollout_entry *entry, enum rollouts_verb verb, const char *reason,
		       const struct actor *actor, struct err *e)
{
	if (entry->breached && verb != ROLLOUTS_ABORT)
		return err_set(e, ERR_CONFLICT, "the rollout of v%u of %s is being rolled back: %s", entry->r.version,
			       entry->r.model, entry->breach);
	if (check_may(rs, entry->r.model, verb, actor, e) != 0)
		return -1;
	switch (verb) {
	case ROLLOUTS_PAUSE:
		return set_state(rs, entry, ROLLOUT_PAUSED, reason, actor, e);
	case ROLLOUTS_RESUME:
		return set_state(rs, entry, ROLLOUT_RUNNING, reason, actor, e);
	case ROLLOUTS_SKIP:
		return skip(rs, entry, reason, actor, e);
	default:
		return abort_it(rs, entry, reason, actor, e);
	}
}

int rollouts_change(struct rollouts *rs, const char *model, enum rollouts_verb verb, const char *reason,
		    const struct actor *actor, struct rollout *result, struct err *e)
{
	struct rollout_entry *entry;
	if (known_entry(rs, model, &entry, e) != 0)
		return -1;
	pthread_mutex_lock(&entry->busy);
	int status = rollout_entry_open(entry)
			 ? change_open(rs, entry, verb, reason, actor, e)
			 : err_set(e, ERR_NOT_FOUND,
				   "%s has no rollout under way; mldeck rollout %s VERSION starts one", model, model);
	if (status == 0)
		*result = entry->r;
	pthread_mutex_unlock(&entry->busy);
	return status;
}
