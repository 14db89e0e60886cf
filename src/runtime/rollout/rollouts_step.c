/*
 * rollouts_step: the routes of a rollout: one step further, or back to what was before it.
 *
 * Each is one revision, written in one transaction with the rollout; only then does the rollout that everybody sees
 * change. So a refusal, or a full disk, leaves both as they were.
 */
#include "runtime/rollout/rollouts_internal.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct actor rollout_actor(void)
{
	return (struct actor){.uid = (uint32_t)geteuid(), .name = "mldeck", .client = "rollout"};
}

void rollout_stepped(struct rollouts *rs, struct rollout_entry *entry, struct rollout *to,
		     const struct revision_record *revision)
{
	to->revision = revision->revision;
	/* The route's change is our own. */
	entry->seen_revision = revision->revision;
	entry->saved_ms = clock_ms();
	entry->ticked_ms = entry->saved_ms;
	entry->retry_ms = 0;
	rollouts_show(rs, entry, to);
	if (entry->arms != NULL) {
		entry->arms->based = false;
		rollout_arms_read(rs, to, entry->arms);
	}
	if (rollout_ended(to)) {
		rollout_arms_end(rs, to);
		free(entry->arms);
		entry->arms = NULL;
		entry->breached = false;
	}
}

/* One change of the route, with what becomes of the rollout. */
static int change_route(struct rollouts *rs, struct rollout_entry *entry, struct rollout *to,
			const struct route_entry *weights, size_t weight_count, const struct actor *actor,
			const char *reason, enum rollout_pace pace, struct err *e)
{
	const struct route_change change = {
	    .model = to->model,
	    .action = "rollout",
	    .version = to->version,
	    .weights = weights,
	    .weight_count = weight_count,
	    .expect_revision = -1, /* shadows may have changed; anything else would have ended the rollout */
	    .reason = reason,
	    .dry_run = pace == ROLLOUT_ASKED,
	    .prompt = pace != ROLLOUT_PATIENT,
	    .forced = to->forced,
	    .rollout = to,
	};
	/* On the heap: a route and its findings are much for a thread's stack. */
	struct change_outcome *outcome = calloc(1, sizeof *outcome);
	if (outcome == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while changing the route");
	int result = router_change(rs->router, &change, actor, outcome, e);
	if (result == 0 && pace != ROLLOUT_ASKED)
		rollout_stepped(rs, entry, to, &outcome->revision);
	free(outcome);
	return result;
}

int rollout_forward(struct rollouts *rs, struct rollout_entry *entry, const struct rollout *from,
		    const struct actor *actor, const char *reason, enum rollout_pace pace, struct err *e)
{
	struct rollout to = *from;
	to.step++;
	to.held_ms = 0;
	to.changed_ms = clock_unix_ms();
	if (to.state == ROLLOUT_RUNNING)
		to.note[0] = '\0';
	if (to.step + 1 == to.step_count) {
		to.state = ROLLOUT_DONE;
		to.ended_ms = to.changed_ms;
	} else {
		to.finding_count = 0;
	}
	uint32_t weight_bp = to.steps[to.step].weight_bp;
	const struct route_entry weights[] = {{.version = to.version, .weight_bp = weight_bp},
					      {.version = to.from, .weight_bp = ROUTE_BUCKETS - weight_bp}};
	if (change_route(rs, entry, &to, weights, weight_bp < ROUTE_BUCKETS ? 2 : 1, actor, reason, pace, e) != 0)
		return -1;
	/* What once went wrong with a rollout of this model is over. */
	if (pace != ROLLOUT_ASKED && to.state == ROLLOUT_DONE)
		alerts_resolve(rs->alerts, ROLLOUTS_RULE, to.model, 0, NULL);
	return 0;
}

/* The shares of before the rollout. */
static int first_weights(struct rollouts *rs, const struct rollout *r, struct route_entry weights[ROUTE_ENTRIES_MAX],
			 size_t *count, struct err *e)
{
	struct revision_record *records;
	size_t record_count;
	/* Those since it began are its own steps and changes of shadows. */
	size_t limit = r->revision >= r->first_revision ? r->revision - r->first_revision + 1 : 1;
	*count = 0;
	for (;;) {
		if (registry_revisions(rs->registry, r->model, limit, &records, &record_count, e) != 0)
			return -1;
		uint32_t oldest = record_count > 0 ? records[record_count - 1].revision : 0;
		for (size_t i = 0; i < record_count; i++) {
			const struct route *route = &records[i].route;
			if (records[i].revision != r->first_revision)
				continue;
			for (uint32_t k = 0; k < route->entry_count; k++)
				if (route->entries[k].role != ROUTE_SHADOW)
					weights[(*count)++] = route->entries[k];
		}
		free(records);
		if (*count > 0)
			return 0;
		if (record_count < limit || oldest <= r->first_revision)
			return err_set(e, ERR_SYSTEM, "revision %u of %s is missing in the database", r->first_revision,
				       r->model);
		limit = limit * 2 + 16;
	}
}

int rollout_back(struct rollouts *rs, struct rollout_entry *entry, const struct rollout *from, enum rollout_state state,
		 const char *note, const struct actor *actor, const char *reason, enum rollout_pace pace, struct err *e)
{
	struct route_entry weights[ROUTE_ENTRIES_MAX];
	size_t count;
	struct rollout to = *from;
	to.state = state;
	to.changed_ms = to.ended_ms = clock_unix_ms();
	text_clean(to.note, sizeof to.note, note);
	if (first_weights(rs, from, weights, &count, e) != 0)
		return -1;
	return change_route(rs, entry, &to, weights, count, actor, reason, pace, e);
}
