/* A/B tests: their rows, which say what was preregistered and how it ended. */
#include "core/registry/registry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                                        \
	"SELECT id, plan, sha256, state, started_ms, ended_ms, before, revision, end_revision, who, reason, ended_by," \
	" note FROM experiment "

static const char *const runs[] = {
#define X(name, text) text,
    EXPERIMENT_RUNS(X)
#undef X
};

const char *experiment_run_name(enum experiment_run run)
{
	return runs[run];
}

static enum experiment_run run_by_name(const char *name)
{
	size_t run = 0;
	while (run < EXPERIMENT_RUN_COUNT && strcmp(runs[run], name) != 0)
		run++;
	return (enum experiment_run)run;
}

/* What was written was checked: anything else means that the file was altered. */
static int read_row(struct statement *s, void *row, struct err *e)
{
	struct experiment_record *record = row;
	struct err why = {0};
	cJSON *json = cJSON_Parse(db_text(s, 1));
	int result = json == NULL ? -1 : experiment_from_json(json, &record->plan, &why);
	cJSON_Delete(json);
	record->id = db_integer(s, 0);
	snprintf(record->sha256, sizeof record->sha256, "%s", db_text(s, 2));
	record->run = run_by_name(db_text(s, 3));
	record->started_ms = db_integer(s, 4);
	record->ended_ms = db_integer(s, 5);
	record->before = (uint32_t)db_integer(s, 6);
	record->revision = (uint32_t)db_integer(s, 7);
	record->end_revision = (uint32_t)db_integer(s, 8);
	text_clean(record->who, sizeof record->who, db_text(s, 9));
	text_clean(record->reason, sizeof record->reason, db_text(s, 10));
	text_clean(record->ended_by, sizeof record->ended_by, db_text(s, 11));
	text_clean(record->note, sizeof record->note, db_text(s, 12));
	if (result == 0 && record->run != EXPERIMENT_RUN_COUNT)
		return 0;
	return err_set(e, ERR_SYSTEM, "the database holds an A/B test that cannot be read (%s)",
		       why.text[0] != '\0' ? why.text : "it is no JSON");
}

/* The first row of a query, which ends; id 0 when there is none. */
static int read_one(struct statement *s, struct experiment_record *record, struct err *e)
{
	if (s == NULL)
		return -1;
	memset(record, 0, sizeof *record);
	int row = db_step(s, e);
	if (row == 1 && read_row(s, record, e) != 0)
		row = -1;
	db_end(s);
	return row < 0 ? -1 : 0;
}

int registry_running_experiment(struct registry *r, int64_t model_id, struct experiment_record *record, struct err *e)
{
	struct statement *s = db_prepare(r->db, COLUMNS "WHERE model_id = ?1 AND ended_ms = 0", e);
	if (s != NULL)
		db_bind_integer(s, 1, model_id);
	return read_one(s, record, e);
}

int registry_find_experiment(struct registry *r, int64_t id, struct experiment_record *record, struct err *e)
{
	struct statement *s = db_prepare(r->db, COLUMNS "WHERE id = ?1", e);
	if (s != NULL)
		db_bind_integer(s, 1, id);
	if (read_one(s, record, e) != 0)
		return -1;
	return record->id != 0 ? 0 : err_set(e, ERR_NOT_FOUND, "there is no A/B test %" PRId64, id);
}

/* --- lists --- */

/* Takes the statement, whose -1 is a failure of its preparing, and the lock. */
static int read_all(struct registry *r, struct statement *s, struct experiment_record **records, size_t *count,
		    struct err *e)
{
	struct registry_rows rows;
	int result = registry_read_rows(s, sizeof **records, read_row, &rows, e);
	registry_unlock(r);
	if (result != 0) {
		free(rows.list);
		return -1;
	}
	*records = rows.list;
	*count = rows.count;
	return 0;
}

int registry_experiments(struct registry *r, const char *model, size_t limit, struct experiment_record **records,
			 size_t *count, struct err *e)
{
	int64_t model_id = 0;
	registry_lock(r);
	if (model != NULL && registry_find_model(r, model, &model_id, e) != 0) {
		registry_unlock(r);
		return -1;
	}
	struct statement *s = db_prepare(r->db, COLUMNS "WHERE ?1 = 0 OR model_id = ?1 ORDER BY id DESC LIMIT ?2", e);
	if (s != NULL) {
		db_bind_integer(s, 1, model_id);
		db_bind_integer(s, 2, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	}
	return read_all(r, s, records, count, e);
}

int registry_open_experiments(struct registry *r, int64_t now_ms, struct experiment_record **records, size_t *count,
			      struct err *e)
{
	registry_lock(r);
	struct statement *s = db_prepare(r->db, COLUMNS "WHERE ended_ms = 0 OR closes_ms >= ?1 ORDER BY id", e);
	if (s != NULL)
		db_bind_integer(s, 1, now_ms);
	return read_all(r, s, records, count, e);
}

/* --- by name --- */

/* "a, b", the newest first, as far as there is room. */
static int name_all(struct registry *r, int64_t model_id, char *text, size_t size, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "SELECT group_concat(name, ', ') FROM"
					 " (SELECT name FROM experiment WHERE model_id = ?1 ORDER BY id DESC LIMIT 8)",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	int row = db_step(s, e);
	if (row == 1)
		text_clean(text, size, db_text(s, 0));
	db_end(s);
	return row < 0 ? -1 : 0;
}

static int say_missing(struct registry *r, int64_t model_id, const char *model, const char *name, struct err *e)
{
	char all[256] = "";
	if (name_all(r, model_id, all, sizeof all, e) != 0)
		return -1;
	if (all[0] == '\0')
		return err_set(e, ERR_NOT_FOUND, "%s has had no A/B test", model);
	return err_set(e, ERR_NOT_FOUND, "%s has no A/B test `%.64s`; it has %s", model, name != NULL ? name : "", all);
}

static int find_named(struct registry *r, const char *model, const char *name, struct experiment_record *record,
		      struct err *e)
{
	int64_t model_id;
	if (registry_find_model(r, model, &model_id, e) != 0)
		return -1;
	struct statement *s = db_prepare(r->db,
					 COLUMNS "WHERE model_id = ?1 AND (?2 = '' OR name = ?2)"
						 " ORDER BY ended_ms = 0 DESC, id DESC LIMIT 1",
					 e);
	if (s != NULL) {
		db_bind_integer(s, 1, model_id);
		db_bind_text(s, 2, name != NULL ? name : "");
	}
	if (read_one(s, record, e) != 0)
		return -1;
	return record->id != 0 ? 0 : say_missing(r, model_id, model, name, e);
}

int registry_experiment(struct registry *r, const char *model, const char *name, struct experiment_record *record,
			struct err *e)
{
	registry_lock(r);
	int result = find_named(r, model, name, record, e);
	registry_unlock(r);
	return result;
}
