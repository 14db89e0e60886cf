/* What tests of versions gave, with their reports: rows that are only ever added. */
#include "core/registry/registry_policy.h"

#include "core/clock.h"
#include "core/registry/registry_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int insert_result(struct registry *r, int64_t model_id, const struct test_result *result, const char *who,
			 struct err *e)
{
	char kind[sizeof result->kind], summary[REASON_SIZE];
	struct statement *s =
	    db_prepare(r->db,
		       "INSERT INTO test_result (model_id, kind, version, against, at_ms, job, passed, summary,"
		       " verdict, who, report) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
		       " coalesce(iif(json_valid(?9), json_extract(?9, '$.verdict'), NULL), iif(?7, 'pass', 'fail')),"
		       " ?10, ?9)",
		       e);
	if (s == NULL)
		return -1;
	text_clean(kind, sizeof kind, result->kind);
	text_clean(summary, sizeof summary, result->summary);
	db_bind_integer(s, 1, model_id);
	db_bind_text(s, 2, kind);
	if (result->version != 0) /* else NULL */
		db_bind_integer(s, 3, result->version);
	db_bind_integer(s, 4, result->against);
	db_bind_integer(s, 5, result->at_ms > 0 ? result->at_ms : clock_unix_ms());
	db_bind_integer(s, 6, result->job);
	db_bind_integer(s, 7, result->passed);
	db_bind_text(s, 8, summary);
	db_bind_text(s, 9, result->report != NULL ? result->report : "");
	db_bind_text(s, 10, who);
	int row = db_step(s, e);
	db_end(s);
	return row < 0 ? -1 : 0;
}

/* A stress or training test may be of one version alone, the live one too: then against is 0. */
static int check_against(struct registry *r, const char *model, int64_t model_id, struct test_result *result,
			 struct err *e)
{
	bool alone = strcmp(result->kind, "stress") == 0 || strcmp(result->kind, "training") == 0;

	/* No version yet: a training's. */
	if (result->version == 0) {
		result->against = 0;
		return strcmp(result->kind, "training") == 0
			   ? 0
			   : err_set(e, ERR_INPUT, "a %s test is of a version", result->kind);
	}
	if (alone && result->against == result->version)
		result->against = 0;
	if (alone && result->against == 0)
		return 0;
	if (result->against == result->version)
		return err_set(e, ERR_CONFLICT, "a test compares two versions, and v%u of %s would be both",
			       result->version, model);
	return registry_check_version(r, model, model_id, result->against, e);
}

static void describe(const struct test_result *result, char *text, size_t size)
{
	const char *outcome = result->passed ? "passed" : "failed";

	if (result->version == 0)
		snprintf(text, size, "%s: %s", result->kind, outcome);
	else if (result->against == 0)
		snprintf(text, size, "%s of v%u: %s", result->kind, result->version, outcome);
	else
		snprintf(text, size, "%s of v%u against v%u: %s", result->kind, result->version, result->against,
			 outcome);
}

/* The record of a result that was written. */
static int audit_result(struct registry *r, const struct test_result *result, int64_t id, struct audit_record *audit,
			struct err *e)
{
	describe(result, audit->detail, sizeof audit->detail);
	return registry_insert_audit_of(r, audit, REGISTRY_ROW_TEST, id, e);
}

static int add_result(struct registry *r, const char *model, const struct test_result *result, struct err *e)
{
	const struct actor ourselves = {.uid = (uint32_t)geteuid(), .name = "mldeck", .client = "test"};
	struct audit_record audit;
	int64_t model_id, id;

	registry_audit_init(&audit, &ourselves, "tested", model, "done", result->summary);
	audit.version = result->version;
	if (registry_find_model(r, model, &model_id, e) != 0 ||
	    registry_check_version(r, model, model_id, result->version, e) != 0 ||
	    insert_result(r, model_id, result, ourselves.name, e) != 0 || registry_last_id(r, &id, e) != 0 ||
	    audit_result(r, result, id, &audit, e) != 0)
		return -1;
	return db_commit(r->db, e);
}

int registry_add_test_result(struct registry *r, const char *model, const struct test_result *result, struct err *e)
{
	registry_lock(r);
	int done = db_begin(r->db, e);
	if (done == 0)
		done = add_result(r, model, result, e);
	db_rollback(r->db);
	registry_unlock(r);
	return done;
}

/* The first training of a model comes before its first version: it makes the name. */
static int find_model(struct registry *r, const char *model, const struct test_result *result, int64_t *id,
		      struct err *e)
{
	if (strcmp(result->kind, "training") != 0 || result->version != 0 || !text_name_valid(model))
		return registry_find_model(r, model, id, e);
	return registry_make_name(r, model, id, e);
}

static int write_report(struct registry *r, const char *model, struct test_result *result, struct audit_record *audit,
			struct err *e)
{
	struct revision_record *current = calloc(1, sizeof *current);
	char summary[REASON_SIZE];
	int64_t model_id;
	int done = -1;

	if (current == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while recording a test");
	if (registry_clean_reason(result->summary, summary, e) != 0 ||
	    find_model(r, model, result, &model_id, e) != 0 ||
	    (result->version != 0 && registry_check_version(r, model, model_id, result->version, e) != 0) ||
	    registry_revision(r, model_id, 0, current, NULL, e) != 0)
		goto out;
	if (result->against == 0 && result->version != 0 && !result->alone)
		result->against = route_live(&current->route);
	if (check_against(r, model, model_id, result, e) != 0 ||
	    insert_result(r, model_id, result, audit->who, e) != 0 || registry_last_id(r, &result->id, e) != 0)
		goto out;
	done = audit_result(r, result, result->id, audit, e);
out:
	free(current);
	return done;
}

int registry_report_test(struct registry *r, const char *model, struct test_result *result, const struct actor *actor,
			 struct err *e)
{
	struct audit_record audit;
	struct err fault = {0};

	registry_audit_init(&audit, actor, "tested", model, "done", result->summary);
	audit.version = result->version;
	result->at_ms = audit.at_ms;
	registry_lock(r);
	int done = db_begin(r->db, &fault);
	if (done == 0)
		done = write_report(r, model, result, &audit, &fault);
	done = registry_end_change(r, done, &audit, &fault);
	registry_unlock(r);
	if (done != 0 && e != NULL)
		*e = fault;
	return done;
}

/* --- reading --- */

#define COLUMNS                                                                  \
	"id, at_ms, job, kind, version, against, passed, summary, verdict, who," \
	" (SELECT name FROM model WHERE model.id = model_id)"

static void read_row(struct statement *s, struct test_result *result)
{
	*result = (struct test_result){
	    .id = db_integer(s, 0),
	    .at_ms = db_integer(s, 1),
	    .job = db_integer(s, 2),
	    .version = (uint32_t)db_integer(s, 4),
	    .against = (uint32_t)db_integer(s, 5),
	    .passed = db_integer(s, 6) != 0,
	};
	text_clean(result->kind, sizeof result->kind, db_text(s, 3));
	text_clean(result->summary, sizeof result->summary, db_text(s, 7));
	text_clean(result->verdict, sizeof result->verdict,
		   db_text(s, 8)[0] != '\0' ? db_text(s, 8)
		   : result->passed         ? "pass"
					    : "fail");
	text_clean(result->who, sizeof result->who, db_text(s, 9));
	text_clean(result->model, sizeof result->model, db_text(s, 10));
}

/* At most one row; result stays as it is without any. Ends the statement, which may be NULL. */
static int read_one(struct statement *s, struct test_result *result, struct err *e)
{
	if (s == NULL)
		return -1;
	int row = db_step(s, e);
	if (row == 1)
		read_row(s, result);
	db_end(s);
	return row < 0 ? -1 : 0;
}

static int read_result(struct registry *r, int64_t model_id, const char *kind, uint32_t version, uint32_t against,
		       struct test_result *result, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "SELECT " COLUMNS " FROM test_result"
					 " WHERE model_id = ?1 AND kind = ?2 AND version = ?3 AND against = ?4"
					 " ORDER BY id DESC LIMIT 1",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_text(s, 2, kind);
	db_bind_integer(s, 3, version);
	db_bind_integer(s, 4, against);
	return read_one(s, result, e);
}

int registry_test_result(struct registry *r, const char *model, const char *kind, uint32_t version, uint32_t against,
			 struct test_result *result, struct err *e)
{
	int64_t model_id;
	*result = (struct test_result){0};
	registry_lock(r);
	int done = registry_find_model(r, model, &model_id, e);
	if (done == 0)
		done = read_result(r, model_id, kind, version, against, result, e);
	registry_unlock(r);
	return done;
}

static int check_pair(struct registry *r, const char *model, int64_t model_id, uint32_t version, uint32_t *against,
		      uint32_t live, struct err *e)
{
	if (registry_check_version(r, model, model_id, version, e) != 0 ||
	    (*against != 0 && registry_check_version(r, model, model_id, *against, e) != 0))
		return -1;
	if (*against == 0 && live == 0)
		return err_set(e, ERR_CONFLICT, "%s has no live version: there is nothing to test v%u against", model,
			       version);
	if (*against == 0)
		*against = live;
	if (*against == version)
		return err_set(e, ERR_CONFLICT, "a test compares two versions, and v%u of %s would be both%s", version,
			       model, live == version ? ": it is the live one" : "");
	return 0;
}

int registry_test_pair(struct registry *r, const char *model, uint32_t version, uint32_t *against, uint32_t *live,
		       struct err *e)
{
	struct revision_record *current = calloc(1, sizeof *current);
	int64_t model_id;

	if (current == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while reading a route");
	registry_lock(r);
	int done = registry_find_model(r, model, &model_id, e);
	if (done == 0)
		done = registry_revision(r, model_id, 0, current, NULL, e);
	if (done == 0) {
		*live = route_live(&current->route);
		done = check_pair(r, model, model_id, version, against, *live, e);
	}
	registry_unlock(r);
	free(current);
	return done;
}

static int read_before(struct registry *r, int64_t model_id, const struct test_result *of, struct test_result *before,
		       struct err *e)
{
	bool training = strcmp(of->kind, "training") == 0;
	struct statement *s =
	    db_prepare(r->db,
		       training ? "SELECT " COLUMNS " FROM test_result WHERE model_id = ?1 AND kind = ?2 AND id < ?5"
				  " ORDER BY id DESC LIMIT 1"
				: "SELECT " COLUMNS " FROM test_result WHERE model_id = ?1 AND kind = ?2"
				  " AND version = ?3 AND against = ?4 AND id < ?5 ORDER BY id DESC LIMIT 1",
		       e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_text(s, 2, of->kind);
	if (!training) {
		db_bind_integer(s, 3, of->version);
		db_bind_integer(s, 4, of->against);
	}
	db_bind_integer(s, 5, of->id);
	return read_one(s, before, e);
}

int registry_test_before(struct registry *r, const struct test_result *of, struct test_result *before, struct err *e)
{
	int64_t model_id;
	*before = (struct test_result){0};
	registry_lock(r);
	int done = registry_find_name(r, of->model, &model_id, e);
	if (done == 0)
		done = read_before(r, model_id, of, before, e);
	registry_unlock(r);
	return done;
}

/* model_id 0: of all. Newest first by an index, so that it costs what is read and not what there is. */
static int read_results(struct registry *r, int64_t model_id, const struct test_filter *filter,
			struct test_result *results, size_t *count, struct err *e)
{
	struct statement *s = db_prepare(
	    r->db,
	    model_id == 0 ? "SELECT " COLUMNS " FROM test_result WHERE (?2 = '' OR kind = ?2)"
			    " AND (?3 = 0 OR version = ?3) AND id < ?4 ORDER BY id DESC LIMIT ?5"
			  : "SELECT " COLUMNS " FROM test_result WHERE model_id = ?1 AND (?2 = '' OR kind = ?2)"
			    " AND (?3 = 0 OR version = ?3) AND id < ?4 ORDER BY id DESC LIMIT ?5",
	    e);
	int row = -1;
	if (s == NULL)
		return -1;
	if (model_id != 0)
		db_bind_integer(s, 1, model_id);
	db_bind_text(s, 2, filter->kind != NULL ? filter->kind : "");
	db_bind_integer(s, 3, filter->version);
	db_bind_integer(s, 4, filter->before > 0 ? filter->before : INT64_MAX);
	db_bind_integer(s, 5, (int64_t)filter->limit);
	while (*count < filter->limit && (row = db_step(s, e)) == 1)
		read_row(s, &results[(*count)++]);
	db_end(s);
	return row < 0 ? -1 : 0;
}

int registry_test_results(struct registry *r, const char *model, const struct test_filter *filter,
			  struct test_result **results, size_t *count, struct err *e)
{
	struct test_result *found = calloc(filter->limit, sizeof *found);
	size_t found_count = 0;
	int64_t model_id = 0;

	if (found == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while reading results of tests");
	registry_lock(r);
	int done = model != NULL ? registry_find_name(r, model, &model_id, e) : 0;
	if (done == 0)
		done = read_results(r, model_id, filter, found, &found_count, e);
	registry_unlock(r);
	if (done != 0) {
		free(found);
		return -1;
	}
	*results = found;
	*count = found_count;
	return 0;
}

static int read_report(struct registry *r, int64_t id, struct test_result *result, char **report, struct err *e)
{
	struct statement *s = db_prepare(r->db, "SELECT " COLUMNS ", report FROM test_result WHERE id = ?1", e);
	int done = -1;
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, id);
	int row = db_step(s, e);
	if (row == 0)
		err_set(e, ERR_NOT_FOUND, "there is no test %lld", (long long)id);
	if (row == 1) {
		read_row(s, result);
		*report = strdup(db_text(s, 11));
		done = *report != NULL ? 0 : err_set(e, ERR_MEMORY, "memory ran out while reading a report");
	}
	db_end(s);
	return done;
}

/* A test of another model is none of this one. */
static int check_owner(const char *model, int done, struct test_result *result, int64_t id, char **report,
		       struct err *e)
{
	bool other = done == 0 && strcmp(result->model, model) != 0;
	if (!other && (done == 0 || e->code != ERR_NOT_FOUND))
		return done;
	if (other)
		free(*report);
	*report = NULL;
	return err_set(e, ERR_NOT_FOUND, "%s has no test %lld; `mldeck tests %s` lists them", model, (long long)id,
		       model);
}

int registry_test_report(struct registry *r, const char *model, int64_t id, struct test_result *result, char **report,
			 struct err *e)
{
	int64_t model_id;
	registry_lock(r);
	int done = model != NULL ? registry_find_name(r, model, &model_id, e) : 0;
	bool known = done == 0;
	if (known)
		done = read_report(r, id, result, report, e);
	registry_unlock(r);
	return known && model != NULL ? check_owner(model, done, result, id, report, e) : done;
}
