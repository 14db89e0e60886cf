/*
 * Changing a route: a refusal, or a new revision and its audit record in one transaction.
 *
 * Rolling back is undoing. Each revision has a position: itself, or for a rollback the position of
 * the revision whose route it restored. Rolling back without a target goes from the current
 * position to the state before it, so that repeating it goes ever further back, and what was undone
 * is not met again. A rollout is undone as a whole: its steps, and what changed of shadows meanwhile,
 * go back to the route before it.
 */
#include "core/fault.h"
#include "core/registry/registry_internal.h"
#include "core/rollout.h"

#include "core/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One change on its way through the checks. */
struct attempt {
	const struct route_change *change;
	const struct actor *actor;
	int64_t model_id;
	uint32_t version_count;
	struct revision_place place;    /* of the current revision */
	struct revision_place target;   /* of the next one */
	struct revision_record current; /* revision 0 when there is none */
	struct revision_record next;
	struct rollout open;    /* the model's; id 0 when there is none */
	struct rollout rollout; /* as it will be; its state is ROLLOUT_STATE_COUNT when none is written */
	struct experiment_turn turn;
	bool restores_forced; /* it goes back to a revision that was forced */
	char reason[REASON_SIZE];
};

/* "promote v3 by root, 12 s ago" */
static void describe(const struct revision_record *revision, char *text, size_t size)
{
	char age[TEXT_AGE_SIZE];
	text_age(age, (clock_unix_ms() - revision->at_ms) / 1000);
	char route[96];
	if (revision->route.entry_count == 1)
		snprintf(route, sizeof route, "v%u", route_live(&revision->route));
	else
		route_text(&revision->route, route, sizeof route);
	snprintf(text, size, "%s %s by %s, %s ago", revision->action, route, revision->who, age);
}

static int check_expected(const struct attempt *a, struct err *e)
{
	const struct route_change *change = a->change;
	if (change->expect_revision < 0 || change->expect_revision == a->current.revision)
		return 0;
	if (a->current.revision == 0)
		return err_set(e, ERR_CONFLICT, "the route of %s has no revision yet, not %" PRId64 " as expected",
			       change->model, change->expect_revision);
	char what[256];
	describe(&a->current, what, sizeof what);
	return err_set(e, ERR_CONFLICT, "the route of %s is at revision %u (%s), not %" PRId64 " as expected",
		       change->model, a->current.revision, what, change->expect_revision);
}

static int read_target(struct registry *r, struct attempt *a, uint32_t revision, struct revision_record *target,
		       struct err *e)
{
	if (registry_revision(r, a->model_id, revision, target, &a->target, e) != 0)
		return -1;
	if (target->revision == 0)
		return err_set(e, ERR_SYSTEM, "revision %u of %s is missing in the database", revision,
			       a->change->model);
	return 0;
}

/* The newest state before the current one, along the line of what was not undone. */
static int find_earlier(struct registry *r, struct attempt *a, struct revision_record *target, struct err *e)
{
	uint32_t undo = a->place.undo;
	while (undo > 0) {
		if (read_target(r, a, undo, target, e) != 0)
			return -1;
		if (!route_same(&target->route, &a->current.route))
			return 0;
		undo = a->target.undo;
	}
	char text[128];
	route_text(&a->current.route, text, sizeof text);
	return err_set(e, ERR_CONFLICT, "there is nothing further back to roll %s back to: %s is its first route",
		       a->change->model, text);
}

static int plan_rollback(struct registry *r, struct attempt *a, struct err *e)
{
	uint32_t wanted = a->change->to_revision;
	/* The route before the rollout or the A/B test, even where it is the one of now: these end all the same. */
	if (wanted == 0 && a->open.id != 0)
		wanted = a->open.first_revision;
	if (wanted == 0 && a->turn.running.id != 0)
		wanted = a->turn.running.before;
	if (a->current.revision == 0)
		return err_set(e, ERR_CONFLICT, "%s has no route yet, so there is nothing to roll back",
			       a->change->model);
	if (wanted > a->current.revision)
		return err_set(e, ERR_NOT_FOUND, "%s has no revision %u; it has 1 to %u", a->change->model, wanted,
			       a->current.revision);
	struct revision_record target;
	int result = wanted == 0 ? find_earlier(r, a, &target, e) : read_target(r, a, wanted, &target, e);
	if (result == 0)
		a->next.route = target.route;
	/* Who goes back to what was once forced serves it past the gates again. */
	a->restores_forced = result == 0 && wanted != 0 && target.forced;
	return result;
}

typedef int route_planner(struct route *r, const struct route *previous, const struct route_entry *entries,
			  size_t count, struct err *e);

/* Split, shadow and apply differ in what becomes of the versions that are not named. */
static int plan_entries(struct attempt *a, route_planner *planner, struct err *e)
{
	const struct route_change *change = a->change;
	for (size_t i = 0; i < change->weight_count; i++)
		if (registry_version_within(change->model, change->weights[i].version, a->version_count, e) != 0)
			return -1;
	return planner(&a->next.route, &a->current.route, change->weights, change->weight_count, e);
}

static int plan_promote(struct attempt *a, struct err *e)
{
	if (registry_version_within(a->change->model, a->change->version, a->version_count, e) != 0)
		return -1;
	route_single(&a->next.route, a->change->version);
	return 0;
}

static int check_changes(const struct attempt *a, struct err *e)
{
	/* Of a rollout a start, a step or an end is a change by itself, and so it is of an A/B test. */
	if (!route_same(&a->next.route, &a->current.route) || a->rollout.state != ROLLOUT_STATE_COUNT ||
	    a->turn.starts || a->turn.ends)
		return 0;
	if (a->next.route.entry_count == 1 && strcmp(a->change->action, "shadow") != 0)
		return err_set(e, ERR_CONFLICT, "v%u of %s already gets all requests", route_live(&a->next.route),
			       a->change->model);
	char text[128];
	route_text(&a->next.route, text, sizeof text);
	return err_set(e, ERR_CONFLICT, "the route of %s already is %s", a->change->model, text);
}

static bool is_action(const struct attempt *a, const char *action)
{
	return strcmp(a->change->action, action) == 0;
}

/* Whether the rollout that is open, if any, lets the change pass. */
static int check_rollout(const struct attempt *a, struct err *e)
{
	const struct rollout *open = &a->open, *own = a->change->rollout;
	if (own == NULL && is_action(a, "rollout"))
		return err_set(e, ERR_INPUT, "a rollout is started with its steps: mldeck rollout %s VERSION --steps",
			       a->change->model);
	if (own != NULL && own->id != 0 && own->id != open->id)
		return err_set(e, ERR_CONFLICT, "rollout %" PRId64 " of %s has ended meanwhile", own->id,
			       a->change->model);
	if (open->id == 0 || (own != NULL && own->id == open->id))
		return 0;
	if (own == NULL && (is_action(a, "shadow") || is_action(a, "rollback")))
		return 0;
	return err_set(e, ERR_CONFLICT,
		       "%s is in rollout %" PRId64 " of v%u (%s, step %u of %u: %.10g%%): wait for its end, or "
		       "mldeck rollout %s --abort",
		       open->model, open->id, open->version, rollout_state_name(open->state), open->step + 1,
		       open->step_count, open->steps[open->step].weight_bp / 100.0, open->model);
}

/* What becomes of the rollout with this change. */
static void plan_rollout(struct attempt *a)
{
	a->rollout.state = ROLLOUT_STATE_COUNT;
	if (a->change->rollout != NULL) {
		a->rollout = *a->change->rollout;
		if (a->rollout.id == 0)
			a->rollout.first_revision = a->current.revision;
	} else if (a->open.id != 0 && is_action(a, "rollback")) {
		a->rollout = a->open;
		a->rollout.state = ROLLOUT_ABORTED;
		snprintf(a->rollout.note, sizeof a->rollout.note, "rolled back by %s%s%.160s", a->actor->name,
			 a->reason[0] != '\0' ? ": " : "", a->reason);
	}
	a->rollout.revision = a->current.revision + 1;
}

static int plan_step(struct registry *r, struct attempt *a, struct err *e)
{
	a->target.undo = a->rollout.first_revision;
	return a->change->to_revision != 0 ? plan_rollback(r, a, e) : plan_entries(a, route_split, e);
}

static int plan_shadow(struct attempt *a, struct err *e)
{
	if (a->open.id != 0)
		a->target.undo = a->open.first_revision;
	return plan_entries(a, route_shadow, e);
}

static int plan(struct registry *r, struct attempt *a, struct err *e)
{
	a->target = (struct revision_place){.position = a->current.revision + 1, .undo = a->current.revision};
	if (is_action(a, "promote"))
		return plan_promote(a, e);
	if (is_action(a, "split"))
		return plan_entries(a, route_split, e);
	if (is_action(a, "shadow"))
		return plan_shadow(a, e);
	if (is_action(a, "apply"))
		return plan_entries(a, route_set, e);
	if (is_action(a, "rollback"))
		return plan_rollback(r, a, e);
	if (is_action(a, "rollout"))
		return plan_step(r, a, e);
	if (is_action(a, "experiment")) {
		a->next.route = *a->change->experiment->route;
		return 0;
	}
	return err_set(e, ERR_INPUT,
		       "a route's change is promote, rollback, split, shadow, rollout, apply or experiment, not "
		       "\"%.32s\"",
		       a->change->action);
}

bool route_change_goes_back(const struct route_change *change)
{
	const struct rollout *rollout = change->rollout;
	return strcmp(change->action, "rollback") == 0 ||
	       (rollout != NULL && (rollout->state == ROLLOUT_FAILED || rollout->state == ROLLOUT_ABORTED));
}

/* What history and audit call it: a rollout that gives back what was before is a rollback to who reads them. */
static const char *recorded_action(const struct attempt *a)
{
	return route_change_goes_back(a->change) ? "rollback" : a->change->action;
}

static int attempt_change(struct registry *r, struct attempt *a, struct err *e)
{
	const struct route_change *change = a->change;
	if (registry_clean_reason(change->reason, a->reason, e) != 0 ||
	    registry_find_model(r, change->model, &a->model_id, e) != 0 ||
	    registry_version_count(r, a->model_id, &a->version_count, e) != 0 ||
	    registry_revision(r, a->model_id, 0, &a->current, &a->place, e) != 0 || check_expected(a, e) != 0 ||
	    registry_open_rollout(r, a->model_id, &a->open, e) != 0 ||
	    registry_admit_experiment(r, a->model_id, change, a->version_count, &a->open, &a->turn, e) != 0 ||
	    check_rollout(a, e) != 0)
		return -1;
	plan_rollout(a);
	if (plan(r, a, e) != 0 ||
	    registry_disturb_experiment(change, &a->current.route, &a->next.route, &a->turn, e) != 0 ||
	    check_changes(a, e) != 0)
		return -1;
	struct revision_record *next = &a->next;
	next->revision = a->current.revision + 1;
	next->based_on = a->current.revision;
	next->forced = a->change->forced || a->restores_forced;
	/* As they will be, for a dry run. */
	next->at_ms = clock_unix_ms();
	text_clean(next->action, sizeof next->action, recorded_action(a));
	text_clean(next->who, sizeof next->who, a->actor->name);
	memcpy(next->reason, a->reason, sizeof next->reason);
	return 0;
}

/* The version that a change is about; 0 where several are, which the detail names. */
static uint32_t concerned(const struct attempt *a)
{
	const struct route_change *change = a->change;
	if (is_action(a, "split") || is_action(a, "apply"))
		return 0;
	if (is_action(a, "shadow"))
		return change->weight_count == 1 ? change->weights[0].version : 0;
	return is_action(a, "rollout") ? change->rollout->version : route_live(&a->next.route);
}

/* What the audit keeps beside the route; free(). The evidence is JSON of our own making, and cleaned all the same: it
 * stands in a document that must be read for ever. */
static char *audit_members(struct registry *r, const struct attempt *a, struct err *e)
{
	struct buf members;
	buf_init(&members);
	if (a->rollout.state != ROLLOUT_STATE_COUNT) {
		char *terms = registry_row_member(r, REGISTRY_ROW_TERMS, a->rollout.id, e);
		if (terms == NULL)
			return NULL;
		buf_format(&members, "\"rollout\":%" PRId64 ",", a->rollout.id);
		buf_add_string(&members, terms);
		free(terms);
	}
	if (a->turn.id != 0) {
		char *plan = registry_row_member(r, REGISTRY_ROW_PREREGISTERED, a->turn.id, e);
		if (plan == NULL) {
			buf_release(&members);
			return NULL;
		}
		buf_format(&members, "%s\"experiment\":%" PRId64 ",", members.size > 0 ? "," : "", a->turn.id);
		buf_add_string(&members, plan);
		free(plan);
	}
	if (a->change->evidence != NULL) {
		cJSON *json = cJSON_Parse(a->change->evidence);
		char *text = cJSON_PrintUnformatted(json);
		buf_add_string(&members, members.size > 0 ? ",\"evidence\":" : "\"evidence\":");
		buf_add_string(&members, text != NULL ? text : "null");
		free(text);
		cJSON_Delete(json);
	}
	buf_add_string(&members, "");
	if (!members.failed)
		return buf_take(&members);
	buf_release(&members);
	err_set(e, ERR_MEMORY, "memory ran out while changing the route");
	return NULL;
}

/* Its row, before the audit names its number. */
static int write_rollout(struct registry *r, struct attempt *a, struct err *e)
{
	struct rollout *rollout = &a->rollout;
	if (rollout->state == ROLLOUT_STATE_COUNT)
		return 0;
	if (rollout_ended(rollout) && rollout->ended_ms == 0)
		rollout->changed_ms = rollout->ended_ms = a->next.at_ms;
	return registry_put_rollout(r, a->model_id, rollout, e);
}

/* "v1 95% v2 5%; rollout 3 running, step 1 of 4" */
static void detail(const struct attempt *a, char *text, size_t size)
{
	const struct rollout *rollout = &a->rollout;
	char route[160];
	route_text(&a->next.route, route, sizeof route);
	snprintf(text, size, "%s", route);
	if (rollout->state != ROLLOUT_STATE_COUNT)
		snprintf(text, size, "%s; rollout %" PRId64 " %s, step %u of %u", route, rollout->id,
			 rollout_state_name(rollout->state), rollout->step + 1, rollout->step_count);
	else if (a->turn.starts)
		snprintf(text, size, "%s; test %.64s starts", route, a->change->experiment->plan->name);
	else if (a->turn.ends)
		snprintf(text, size, "%s; test %.64s is %s", route, a->turn.running.plan.name,
			 experiment_run_name(a->turn.run));
}

static int write_change(struct registry *r, struct attempt *a, struct err *e)
{
	struct audit_record audit;
	if (write_rollout(r, a, e) != 0 ||
	    registry_write_experiment(r, a->model_id, a->change, a->actor, &a->next, &a->turn, e) != 0)
		return -1;
	FAULT_POINT(change_rollout);
	char *members = audit_members(r, a, e), *data = NULL;
	if (members == NULL)
		return -1;
	registry_audit_init(&audit, a->actor, recorded_action(a), a->change->model, "done", a->reason);
	audit.version = concerned(a);
	detail(a, audit.detail, sizeof audit.detail);
	int result = registry_insert_revision(r, a->model_id, &a->next, a->target, &audit, members, &data, e);
	FAULT_POINT(change_revision);
	if (result == 0)
		result = registry_insert_audit(r, &audit, e);
	FAULT_POINT(change_audit);
	free(data);
	free(members);
	return result;
}

static int transact(struct registry *r, struct attempt *a, struct err *e)
{
	FAULT_POINT(change_unbegun);
	if (db_begin(r->db, e) != 0)
		return -1;
	FAULT_POINT(change_begun);
	int result = attempt_change(r, a, e);
	if (result == 0 && !a->change->dry_run) {
		result = write_change(r, a, e);
		if (result == 0)
			result = db_commit(r->db, e);
		FAULT_POINT(change_committed);
	}
	/* After a commit there is no transaction left, and this does nothing. */
	db_rollback(r->db);
	return result;
}

/* The refusal stands whether or not it could be recorded. */
static void record_refusal(struct registry *r, const struct attempt *a, const struct err *refusal)
{
	const struct route_change *change = a->change;
	struct audit_record audit;
	registry_audit_init(&audit, a->actor, change->action, change->model, err_name(refusal->code), change->reason);
	audit.version = change->version;
	text_clean(audit.detail, sizeof audit.detail, refusal->text);
	registry_insert_audit(r, &audit, NULL);
}

int registry_change_route(struct registry *r, const struct route_change *change, const struct actor *actor,
			  struct revision_record *result, struct err *e)
{
	/* On the heap: three routes are much for a thread of the server. */
	struct attempt *a = calloc(1, sizeof *a);
	struct err refusal = {0};
	if (a == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while changing the route");
	a->change = change;
	a->actor = actor;
	registry_lock(r);
	int done = transact(r, a, &refusal);
	if (done != 0 && !change->dry_run)
		record_refusal(r, a, &refusal);
	registry_unlock(r);
	if (done == 0 && !change->dry_run && change->rollout != NULL)
		*change->rollout = a->rollout;
	if (done == 0 && !change->dry_run && change->experiment != NULL)
		change->experiment->id = a->turn.id;
	if (done == 0)
		*result = a->next;
	else if (e != NULL)
		*e = refusal;
	free(a);
	return done;
}
