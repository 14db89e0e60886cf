/*
 * Changing a route: a refusal, or a new revision and its audit record in one transaction.
 *
 * Rolling back is undoing. Each revision has a position: itself, or for a rollback the position of
 * the revision whose route it restored. Rolling back without a target goes from the current
 * position to the state before it, so that repeating it goes ever further back, and what was undone
 * is not met again.
 */
#include "core/registry/registry_internal.h"

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
	uint32_t position; /* of the current revision */
	uint32_t target_position;
	struct revision_record current; /* revision 0 when there is none */
	struct revision_record next;
	char reason[REASON_SIZE];
};

int registry_insert_revision(struct registry *r, int64_t model_id, const struct revision_record *record,
			     uint32_t position, uint32_t uid, struct err *e)
{
	cJSON *json = route_to_json(&record->route);
	char *route = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	if (route == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while changing the route");
	struct statement *s = db_prepare(r->db,
					 "INSERT INTO revision (model_id, revision, based_on, position,"
					 " at_ms, action, uid, who, reason, route)"
					 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
					 e);
	int row = -1;
	if (s != NULL) {
		db_bind_integer(s, 1, model_id);
		db_bind_integer(s, 2, record->revision);
		db_bind_integer(s, 3, record->based_on);
		db_bind_integer(s, 4, position);
		db_bind_integer(s, 5, record->at_ms);
		db_bind_text(s, 6, record->action);
		db_bind_integer(s, 7, uid);
		db_bind_text(s, 8, record->who);
		db_bind_text(s, 9, record->reason);
		db_bind_text(s, 10, route);
		row = db_step(s, e);
	}
	db_end(s);
	free(route);
	return row;
}

static int check_version(const struct attempt *a, uint32_t version, struct err *e)
{
	if (version >= 1 && version <= a->version_count)
		return 0;
	const char *model = a->change->model;
	if (a->version_count == 1)
		return err_set(e, ERR_NOT_FOUND, "%s has no version %u; it has 1 only", model, version);
	return err_set(e, ERR_NOT_FOUND, "%s has no version %u; it has 1 to %u", model, version, a->version_count);
}

/* "promote v3 by root, 12 s ago" */
static void describe(const struct revision_record *revision, char *text, size_t size)
{
	int64_t age_s = (clock_unix_ms() - revision->at_ms) / 1000;
	char age[32];
	if (age_s < 0)
		age_s = 0;
	if (age_s < 120)
		snprintf(age, sizeof age, "%" PRId64 " s", age_s);
	else if (age_s < 2 * 3600)
		snprintf(age, sizeof age, "%" PRId64 " min", age_s / 60);
	else if (age_s < 48 * 3600)
		snprintf(age, sizeof age, "%" PRId64 " h", age_s / 3600);
	else
		snprintf(age, sizeof age, "%" PRId64 " days", age_s / 86400);
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
	if (registry_revision(r, a->model_id, revision, target, &a->target_position, e) != 0)
		return -1;
	if (target->revision == 0)
		return err_set(e, ERR_SYSTEM, "revision %u of %s is missing in the database", revision,
			       a->change->model);
	return 0;
}

/* The newest state before the current one, along the line of what was not undone. */
static int find_earlier(struct registry *r, struct attempt *a, struct revision_record *target, struct err *e)
{
	uint32_t position = a->position;
	while (position > 1) {
		if (read_target(r, a, position - 1, target, e) != 0)
			return -1;
		if (!route_same(&target->route, &a->current.route))
			return 0;
		position = a->target_position;
	}
	char text[128];
	route_text(&a->current.route, text, sizeof text);
	return err_set(e, ERR_CONFLICT, "there is nothing further back to roll %s back to: %s is its first route",
		       a->change->model, text);
}

static int plan_rollback(struct registry *r, struct attempt *a, struct err *e)
{
	uint32_t wanted = a->change->to_revision;
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
	return result;
}

static int plan_split(struct attempt *a, struct err *e)
{
	const struct route_change *change = a->change;
	for (size_t i = 0; i < change->weight_count; i++)
		if (check_version(a, change->weights[i].version, e) != 0)
			return -1;
	return route_split(&a->next.route, &a->current.route, change->weights, change->weight_count, e);
}

static int plan_promote(struct attempt *a, struct err *e)
{
	if (check_version(a, a->change->version, e) != 0)
		return -1;
	route_single(&a->next.route, a->change->version);
	return 0;
}

static int check_changes(const struct attempt *a, struct err *e)
{
	if (!route_same(&a->next.route, &a->current.route))
		return 0;
	if (a->next.route.entry_count == 1)
		return err_set(e, ERR_CONFLICT, "v%u of %s already gets all requests", route_live(&a->next.route),
			       a->change->model);
	char text[128];
	route_text(&a->next.route, text, sizeof text);
	return err_set(e, ERR_CONFLICT, "the route of %s already is %s", a->change->model, text);
}

static int plan(struct registry *r, struct attempt *a, struct err *e)
{
	const struct route_change *change = a->change;
	a->target_position = a->current.revision + 1;
	if (strcmp(change->action, "promote") == 0)
		return plan_promote(a, e);
	if (strcmp(change->action, "split") == 0)
		return plan_split(a, e);
	if (strcmp(change->action, "rollback") == 0)
		return plan_rollback(r, a, e);
	return err_set(e, ERR_INPUT, "a route's change is promote, rollback or split, not \"%.32s\"", change->action);
}

static int attempt_change(struct registry *r, struct attempt *a, struct err *e)
{
	const struct route_change *change = a->change;
	if (registry_clean_reason(change->reason, a->reason, e) != 0 ||
	    registry_find_model(r, change->model, &a->model_id, e) != 0 ||
	    registry_version_count(r, a->model_id, &a->version_count, e) != 0 ||
	    registry_revision(r, a->model_id, 0, &a->current, &a->position, e) != 0 || check_expected(a, e) != 0 ||
	    plan(r, a, e) != 0 || check_changes(a, e) != 0)
		return -1;
	struct revision_record *next = &a->next;
	next->revision = a->current.revision + 1;
	next->based_on = a->current.revision;
	next->at_ms = clock_unix_ms();
	text_clean(next->action, sizeof next->action, change->action);
	text_clean(next->who, sizeof next->who, a->actor->name);
	memcpy(next->reason, a->reason, sizeof next->reason);
	return 0;
}

static int write_change(struct registry *r, const struct attempt *a, struct err *e)
{
	const struct revision_record *next = &a->next;
	struct audit_record audit;
	registry_audit_init(&audit, a->actor, next->action, a->change->model, "done", a->reason);
	audit.at_ms = next->at_ms;
	audit.revision = next->revision;
	audit.based_on = next->based_on;
	/* A split concerns several; its detail names them. */
	if (strcmp(next->action, "split") != 0)
		audit.version = route_live(&next->route);
	route_text(&next->route, audit.detail, sizeof audit.detail);
	if (registry_insert_revision(r, a->model_id, next, a->target_position, a->actor->uid, e) != 0)
		return -1;
	return registry_insert_audit(r, &audit, e);
}

static int transact(struct registry *r, struct attempt *a, struct err *e)
{
	if (db_begin(r->db, e) != 0)
		return -1;
	int result = attempt_change(r, a, e);
	if (result == 0 && !a->change->dry_run) {
		result = write_change(r, a, e);
		if (result == 0)
			result = db_commit(r->db, e);
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
	if (done == 0)
		*result = a->next;
	else if (e != NULL)
		*e = refusal;
	free(a);
	return done;
}
