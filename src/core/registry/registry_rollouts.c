/* Rollouts: a row each, whose plan is the whole of it as JSON; state and end have columns, so that the database itself
 * can say that one a model is open and that an ended one stays as it is. */
#include "core/registry/registry_rollouts.h"

#include "core/fault.h"
#include "core/registry/registry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "SELECT id, state, ended_ms, plan FROM rollout "

/* A row into a rollout. What was written was checked: anything else means that the file was altered. */
static int read_row(struct statement *s, void *record, struct err *e)
{
	struct rollout *rollout = record;
	struct err why = {0};
	cJSON *json = cJSON_Parse(db_text(s, 3));
	int result = json == NULL ? -1 : rollout_from_json(json, rollout, &why);
	cJSON_Delete(json);
	rollout->id = db_integer(s, 0);
	rollout->state = rollout_state_by_name(db_text(s, 1));
	rollout->ended_ms = db_integer(s, 2);
	if (result == 0 && rollout->state != ROLLOUT_STATE_COUNT)
		return 0;
	return err_set(e, ERR_SYSTEM, "the database holds a rollout that cannot be read (%s)",
		       why.text[0] != '\0' ? why.text : "it is no JSON");
}

/* The first row of a query with one number; id 0 when there is none. */
static int read_one(struct registry *r, const char *sql, int64_t number, struct rollout *rollout, struct err *e)
{
	struct statement *s = db_prepare(r->db, sql, e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, number);
	rollout->id = 0;
	int row = db_step(s, e);
	if (row == 1 && read_row(s, rollout, e) != 0)
		row = -1;
	db_end(s);
	return row < 0 ? -1 : 0;
}

int registry_open_rollout(struct registry *r, int64_t model_id, struct rollout *rollout, struct err *e)
{
	return read_one(r, COLUMNS "WHERE model_id = ?1 AND ended_ms = 0", model_id, rollout, e);
}

static int check_none_open(struct registry *r, int64_t model_id, struct err *e)
{
	struct rollout open;
	if (registry_open_rollout(r, model_id, &open, e) != 0)
		return -1;
	if (open.id == 0)
		return 0;
	return err_set(e, ERR_CONFLICT,
		       "%s has a rollout already, of v%u by %s: wait for its end, or mldeck rollout %s --abort",
		       open.model, open.version, open.who, open.model);
}

static int check_open(struct registry *r, const struct rollout *rollout, struct err *e)
{
	struct rollout found;
	if (read_one(r, COLUMNS "WHERE id = ?1", rollout->id, &found, e) != 0)
		return -1;
	if (found.id == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no rollout %" PRId64, rollout->id);
	if (rollout_ended(&found))
		return err_set(e, ERR_CONFLICT, "the rollout of v%u of %s has ended (%s)", found.version, found.model,
			       rollout_state_name(found.state));
	return 0;
}

static int write_row(struct registry *r, int64_t model_id, struct rollout *rollout, const char *plan, struct err *e)
{
	bool is_new = rollout->id == 0;
	struct statement *s =
	    db_prepare(r->db,
		       is_new ? "INSERT INTO rollout (state, ended_ms, plan, model_id) VALUES (?1, ?2, ?3, ?4)"
			      : "UPDATE rollout SET state = ?1, ended_ms = ?2, plan = ?3 WHERE id = ?4",
		       e);
	if (s == NULL)
		return -1;
	db_bind_text(s, 1, rollout_state_name(rollout->state));
	db_bind_integer(s, 2, rollout->ended_ms);
	db_bind_text(s, 3, plan);
	db_bind_integer(s, 4, is_new ? model_id : rollout->id);
	int row = db_step(s, e);
	db_end(s);
	if (row < 0)
		return -1;
	return is_new ? registry_last_id(r, &rollout->id, e) : 0;
}

int registry_put_rollout(struct registry *r, int64_t model_id, struct rollout *rollout, struct err *e)
{
	if ((rollout->id == 0 ? check_none_open(r, model_id, e) : check_open(r, rollout, e)) != 0)
		return -1;
	cJSON *json = rollout_to_json(rollout);
	char *plan = json == NULL ? NULL : cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	if (plan == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while writing a rollout");
	int result = write_row(r, model_id, rollout, plan, e);
	free(plan);
	return result;
}

/* Who paused or resumed it, and where it stood. */
static int audit(struct registry *r, const struct rollout *rollout, const struct actor *actor, const char *action,
		 const char *reason, struct err *e)
{
	char clean[REASON_SIZE];
	if (registry_clean_reason(reason, clean, e) != 0)
		return -1;
	struct audit_record record;
	registry_audit_init(&record, actor, action, rollout->model, "done", clean);
	record.version = rollout->version;
	uint32_t weight_bp = rollout->steps[rollout->step].weight_bp;
	snprintf(record.detail, sizeof record.detail, "rollout %" PRId64 ", step %u of %u: %g%%", rollout->id,
		 rollout->step + 1, rollout->step_count, weight_bp / 100.0);
	return registry_insert_audit(r, &record, e);
}

int registry_update_rollout(struct registry *r, const struct rollout *rollout, const struct actor *actor,
			    const char *action, const char *reason, struct err *e)
{
	struct rollout copy = *rollout;
	registry_lock(r);
	int result = db_begin(r->db, e);
	if (result == 0)
		result = registry_put_rollout(r, 0, &copy, e);
	FAULT_POINT(rollout_row);
	if (result == 0 && action != NULL)
		result = audit(r, rollout, actor, action, reason, e);
	FAULT_POINT(rollout_audit);
	if (result == 0)
		result = db_commit(r->db, e);
	FAULT_POINT(rollout_committed);
	if (result != 0)
		db_rollback(r->db);
	registry_unlock(r);
	return result;
}

/* What was read, or nothing. */
static int give(int result, struct registry_rows rows, struct rollout **rollouts, size_t *count)
{
	if (result != 0) {
		free(rows.list);
		return -1;
	}
	*rollouts = rows.list;
	*count = rows.count;
	return 0;
}

int registry_open_rollouts(struct registry *r, struct rollout **rollouts, size_t *count, struct err *e)
{
	struct registry_rows rows;
	registry_lock(r);
	struct statement *s = db_prepare(r->db, COLUMNS "WHERE ended_ms = 0 ORDER BY id", e);
	int result = registry_read_rows(s, sizeof(struct rollout), read_row, &rows, e);
	registry_unlock(r);
	return give(result, rows, rollouts, count);
}

int registry_rollouts(struct registry *r, const char *model, size_t limit, struct rollout **rollouts, size_t *count,
		      struct err *e)
{
	struct registry_rows rows = {0};
	int64_t model_id;
	registry_lock(r);
	int result = registry_find_model(r, model, &model_id, e);
	if (result == 0) {
		struct statement *s = db_prepare(r->db, COLUMNS "WHERE model_id = ?1 ORDER BY id DESC LIMIT ?2", e);
		if (s != NULL) {
			db_bind_integer(s, 1, model_id);
			db_bind_integer(s, 2, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
		}
		result = registry_read_rows(s, sizeof(struct rollout), read_row, &rows, e);
	}
	registry_unlock(r);
	return give(result, rows, rollouts, count);
}
