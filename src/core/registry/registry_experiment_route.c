/*
 * A/B tests start and end with a change of the route, in its transaction: a test whose arms are not what is served
 * would measure something else than its plan says.
 */
#include "core/registry/registry_internal.h"
#include "core/rollout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_action(const struct route_change *change, const char *action)
{
	return strcmp(change->action, action) == 0;
}

static int check_name_is_free(struct registry *r, int64_t model_id, const struct experiment *plan, struct err *e)
{
	struct statement *s = db_prepare(r->db, "SELECT 1 FROM experiment WHERE model_id = ?1 AND name = ?2", e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_text(s, 2, plan->name);
	int row = db_step(s, e);
	db_end(s);
	if (row == 1)
		return err_set(e, ERR_CONFLICT, "%s has had an A/B test `%s`: choose another name", plan->model,
			       plan->name);
	return row;
}

static int admit_start(struct registry *r, int64_t model_id, const struct route_change *change, uint32_t version_count,
		       const struct rollout *open, const struct experiment_record *running, struct err *e)
{
	const struct experiment *plan = change->experiment->plan;
	if (!is_action(change, "experiment") || plan == NULL || change->experiment->route == NULL)
		return err_set(e, ERR_INPUT, "an A/B test is started with its plan and its route");
	if (running->id != 0)
		return err_set(e, ERR_CONFLICT, "%s runs the A/B test `%s`, by %s: stop it first, mldeck ab stop %s",
			       change->model, running->plan.name, running->who, change->model);
	if (open->id != 0)
		return err_set(e, ERR_CONFLICT,
			       "%s is in rollout %" PRId64 " of v%u: wait for its end, or mldeck rollout %s --abort",
			       change->model, open->id, open->version, change->model);
	if (experiment_check(plan, e) != 0)
		return -1;
	if (strcmp(plan->model, change->model) != 0)
		return err_set(e, ERR_INPUT, "the plan is of model %s, not of %s", plan->model, change->model);
	for (size_t i = 0; i < plan->arm_count; i++)
		if (registry_version_within(change->model, plan->arms[i].version, version_count, e) != 0)
			return -1;
	return check_name_is_free(r, model_id, plan, e);
}

static int admit_end(const struct route_change *change, const struct experiment_record *running, struct err *e)
{
	if (running->id != change->experiment->id)
		return err_set(e, ERR_CONFLICT, "the A/B test of %s has ended meanwhile", change->model);
	if (change->experiment->run == EXPERIMENT_RUN_RUNNING ||
	    (is_action(change, "experiment") && change->experiment->route == NULL))
		return err_set(e, ERR_INPUT, "an A/B test ends as stopped or invalid, with a route after it");
	return 0;
}

int registry_admit_experiment(struct registry *r, int64_t model_id, const struct route_change *change,
			      uint32_t version_count, const struct rollout *open, struct experiment_turn *turn,
			      struct err *e)
{
	const struct experiment_record *running = &turn->running;
	if (registry_running_experiment(r, model_id, &turn->running, e) != 0)
		return -1;
	turn->starts = change->experiment != NULL && change->experiment->id == 0;
	turn->ends = change->experiment != NULL && change->experiment->id != 0;
	if (turn->starts)
		return admit_start(r, model_id, change, version_count, open, running, e);
	if (turn->ends) {
		turn->run = change->experiment->run;
		return admit_end(change, running, e);
	}
	if (is_action(change, "experiment"))
		return err_set(e, ERR_INPUT, "an A/B test is started with its plan: mldeck ab start %s", change->model);
	if (running->id != 0 && change->rollout != NULL && change->rollout->id == 0)
		return err_set(e, ERR_CONFLICT, "%s runs the A/B test `%s`: stop it first, mldeck ab stop %s",
			       change->model, running->plan.name, change->model);
	return 0;
}

/* Whether every unit gets the version that it got, and by the same salt. Shadows answer nobody. */
static bool serves_same(const struct route *a, const struct route *b)
{
	if (strcmp(a->salt, b->salt) != 0)
		return false;
	for (size_t i = 0; i < ROUTE_BUCKETS; i++)
		if (a->entries[a->owner[i]].version != b->entries[b->owner[i]].version)
			return false;
	return true;
}

int registry_disturb_experiment(const struct route_change *change, const struct route *current,
				const struct route *next, struct experiment_turn *turn, struct err *e)
{
	const struct experiment_record *running = &turn->running;
	if (running->id == 0 || turn->starts || turn->ends)
		return 0;
	bool goes_back = route_change_goes_back(change);
	if (!goes_back && serves_same(current, next))
		return 0;
	if (!goes_back && !change->forced)
		return err_set(
		    e, ERR_CONFLICT,
		    "%s runs the A/B test `%s`, by %s, which other arms would make worthless: stop it first, "
		    "mldeck ab stop %s, or force the change",
		    change->model, running->plan.name, running->who, change->model);
	turn->ends = true;
	turn->run = EXPERIMENT_RUN_INVALID;
	return 0;
}

/* --- writing --- */

static char *printed(cJSON *json)
{
	char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	return text;
}

static int insert(struct registry *r, int64_t model_id, const struct experiment *plan, const char *text,
		  const char *sha256, const struct actor *actor, const struct revision_record *next, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db,
		       "INSERT INTO experiment (model_id, name, plan, sha256, started_ms, before, revision, uid,"
		       " who, reason, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'running')",
		       e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_text(s, 2, plan->name);
	db_bind_text(s, 3, text);
	db_bind_text(s, 4, sha256);
	db_bind_integer(s, 5, next->at_ms);
	db_bind_integer(s, 6, next->based_on);
	db_bind_integer(s, 7, next->revision);
	db_bind_integer(s, 8, actor->uid);
	db_bind_text(s, 9, next->who);
	db_bind_text(s, 10, next->reason);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

static int insert_memory(struct registry *r, int64_t id, const struct experiment *plan, struct err *e)
{
	struct experiment_history *none = calloc(1, sizeof *none);
	char *history = none != NULL ? printed(experiment_history_to_json(plan, none)) : NULL;
	struct statement *s = NULL;
	int row = -1;
	if (history == NULL)
		err_set(e, ERR_MEMORY, "memory ran out while starting an A/B test");
	else
		s = db_prepare(r->db, "INSERT INTO experiment_memory (experiment, history) VALUES (?1, ?2)", e);
	if (s != NULL) {
		db_bind_integer(s, 1, id);
		db_bind_text(s, 2, history);
		row = db_step(s, e);
		db_end(s);
	}
	free(history);
	free(none);
	return row;
}

static int insert_seen(struct registry *r, int64_t id, const struct experiment *plan, int64_t at_ms, struct err *e)
{
	struct seen_row seen = {.horizon_ms = at_ms, .step = -1, .state = experiment_state_new(plan)};
	int result = seen.state != NULL ? registry_write_seen(r, id, &seen, e)
					: err_set(e, ERR_MEMORY, "memory ran out while starting an A/B test");
	experiment_state_free(seen.state);
	return result;
}

static int start(struct registry *r, int64_t model_id, const struct experiment *plan, const struct actor *actor,
		 const struct revision_record *next, int64_t *id, struct err *e)
{
	char sha256[DIGEST_SIZE], *text = experiment_canonical(plan);
	int result = text != NULL ? digest_of(text, strlen(text), sha256, e)
				  : err_set(e, ERR_MEMORY, "memory ran out while starting an A/B test");
	if (result == 0)
		result = insert(r, model_id, plan, text, sha256, actor, next, e);
	free(text);
	if (result == 0)
		result = registry_last_id(r, id, e);
	if (result == 0)
		result = insert_seen(r, *id, plan, next->at_ms, e);
	return result == 0 ? insert_memory(r, *id, plan, e) : -1;
}

/* How it ended, in words. */
static void note(const struct route_change *change, const struct revision_record *next, char *text, size_t size)
{
	if (change->experiment != NULL)
		snprintf(text, size, "%s", next->reason);
	else
		snprintf(text, size, "a %s by %s changed the route while it ran%s%.*s", next->action, next->who,
			 next->reason[0] != '\0' ? ": " : "", REASON_SIZE / 2, next->reason);
}

static int end(struct registry *r, const struct experiment_turn *turn, const struct route_change *change,
	       const struct revision_record *next, struct err *e)
{
	const struct experiment_record *running = &turn->running;
	char raw[2 * REASON_SIZE], said[REASON_SIZE];
	struct statement *s =
	    db_prepare(r->db,
		       "UPDATE experiment SET state = ?2, ended_ms = ?3, end_revision = ?4, ended_by = ?5, note = ?6,"
		       " closes_ms = ?7 WHERE id = ?1",
		       e);
	if (s == NULL)
		return -1;
	note(change, next, raw, sizeof raw);
	text_clean(said, sizeof said, raw);
	db_bind_integer(s, 1, running->id);
	db_bind_text(s, 2, experiment_run_name(turn->run));
	db_bind_integer(s, 3, next->at_ms);
	db_bind_integer(s, 4, next->revision);
	db_bind_text(s, 5, next->who);
	db_bind_text(s, 6, said);
	db_bind_integer(s, 7, next->at_ms + running->plan.window_s * 1000 + EXPERIMENT_ARRIVAL_MS);
	int row = db_step(s, e);
	db_end(s);
	if (row < 0)
		return -1;
	return turn->run == EXPERIMENT_RUN_INVALID
		   ? registry_set_fault(r, running->id, &running->plan, EXPERIMENT_FAULT_ARMS, e)
		   : 0;
}

int registry_write_experiment(struct registry *r, int64_t model_id, const struct route_change *change,
			      const struct actor *actor, const struct revision_record *next,
			      struct experiment_turn *turn, struct err *e)
{
	turn->id = turn->ends ? turn->running.id : 0;
	if (turn->starts)
		return start(r, model_id, change->experiment->plan, actor, next, &turn->id, e);
	return turn->ends ? end(r, turn, change, next, e) : 0;
}
