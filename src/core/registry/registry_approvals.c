/* Who approved which version, and which tests passed: rows that are only ever added. */
#include "core/registry/registry_policy.h"

#include "core/clock.h"
#include "core/registry/registry_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check_version(struct registry *r, const char *model, int64_t model_id, uint32_t version, struct err *e)
{
	uint32_t count;
	if (registry_version_count(r, model_id, &count, e) != 0)
		return -1;
	if (version < 1 || version > count)
		return err_set(e, ERR_NOT_FOUND, "%s has no version %u; its newest is v%u", model, version, count);
	return 0;
}

/* --- approvals --- */

static int insert_approval(struct registry *r, int64_t model_id, struct approval *approval, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "INSERT INTO approval (model_id, version, against, at_ms, uid, who, reason)"
					 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_integer(s, 2, approval->version);
	db_bind_integer(s, 3, approval->against);
	db_bind_integer(s, 4, approval->at_ms);
	db_bind_integer(s, 5, approval->uid);
	db_bind_text(s, 6, approval->who);
	db_bind_text(s, 7, approval->reason);
	int row = db_step(s, e);
	db_end(s);
	return row < 0 ? -1 : registry_last_id(r, &approval->id, e);
}

static int write_approval(struct registry *r, const char *model, const char *reason, struct approval *approval,
			  struct audit_record *audit, struct err *e)
{
	struct revision_record *current = calloc(1, sizeof *current);
	int64_t model_id;
	int result = -1;

	if (current == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while approving a version");
	if (registry_clean_reason(reason, approval->reason, e) != 0 ||
	    registry_find_model(r, model, &model_id, e) != 0 ||
	    check_version(r, model, model_id, approval->version, e) != 0 ||
	    registry_revision(r, model_id, 0, current, NULL, e) != 0)
		goto out;
	approval->against = route_live(&current->route);
	if (approval->against == approval->version) {
		err_set(e, ERR_CONFLICT, "v%u of %s is live; there is nothing to approve", approval->version, model);
		goto out;
	}
	if (approval->against > 0)
		snprintf(audit->detail, sizeof audit->detail, "v%u to replace v%u", approval->version,
			 approval->against);
	else
		snprintf(audit->detail, sizeof audit->detail, "v%u, with nothing live", approval->version);
	if (insert_approval(r, model_id, approval, e) == 0)
		result = registry_insert_audit_of(r, audit, REGISTRY_ROW_APPROVAL, approval->id, e);
out:
	free(current);
	return result;
}

int registry_approve(struct registry *r, const char *model, uint32_t version, const char *reason,
		     const struct actor *actor, struct approval *result, struct err *e)
{
	struct audit_record audit;
	struct approval approval = {.version = version, .uid = actor->uid};
	struct err fault = {0};

	registry_audit_init(&audit, actor, "approve", model, "done", reason);
	audit.version = version;
	approval.at_ms = audit.at_ms;
	memcpy(approval.who, audit.who, sizeof approval.who);
	registry_lock(r);
	int done = db_begin(r->db, &fault);
	if (done == 0)
		done = write_approval(r, model, reason, &approval, &audit, &fault);
	done = registry_end_change(r, done, &audit, &fault);
	registry_unlock(r);
	if (done == 0)
		*result = approval;
	else if (e != NULL)
		*e = fault;
	return done;
}

static void read_approval(struct statement *s, struct approval *a)
{
	*a = (struct approval){
	    .id = db_integer(s, 0),
	    .version = (uint32_t)db_integer(s, 1),
	    .against = (uint32_t)db_integer(s, 2),
	    .at_ms = db_integer(s, 3),
	    .uid = (uint32_t)db_integer(s, 4),
	};
	text_clean(a->who, sizeof a->who, db_text(s, 5));
	text_clean(a->reason, sizeof a->reason, db_text(s, 6));
}

static int read_approvals(struct registry *r, int64_t model_id, uint32_t version, size_t limit,
			  struct approval **approvals, size_t *count, struct err *e)
{
	size_t capacity = 0;
	struct statement *s = db_prepare(r->db,
					 "SELECT id, version, against, at_ms, uid, who, reason FROM approval"
					 " WHERE model_id = ?1 AND (?2 = 0 OR version = ?2) ORDER BY id DESC LIMIT ?3",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_integer(s, 2, version);
	db_bind_integer(s, 3, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	int row;
	while ((row = db_step(s, e)) == 1) {
		if (*count == capacity) {
			capacity = capacity == 0 ? 8 : capacity * 2;
			struct approval *more = realloc(*approvals, capacity * sizeof *more);
			if (more == NULL) {
				row = err_set(e, ERR_MEMORY, "memory ran out while reading approvals");
				break;
			}
			*approvals = more;
		}
		read_approval(s, &(*approvals)[(*count)++]);
	}
	db_end(s);
	return row;
}

int registry_approvals(struct registry *r, const char *model, uint32_t version, size_t limit,
		       struct approval **approvals, size_t *count, struct err *e)
{
	struct approval *found = NULL;
	size_t found_count = 0;
	int64_t model_id;
	registry_lock(r);
	int result = registry_find_model(r, model, &model_id, e);
	if (result == 0)
		result = read_approvals(r, model_id, version, limit, &found, &found_count, e);
	registry_unlock(r);
	if (result != 0) {
		free(found);
		return -1;
	}
	*approvals = found;
	*count = found_count;
	return 0;
}

/* --- tests --- */

static int insert_result(struct registry *r, int64_t model_id, const struct test_result *result, struct err *e)
{
	char kind[sizeof result->kind], summary[REASON_SIZE];
	struct statement *s =
	    db_prepare(r->db,
		       "INSERT INTO test_result (model_id, kind, version, against, at_ms, job, passed, summary)"
		       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		       e);
	if (s == NULL)
		return -1;
	text_clean(kind, sizeof kind, result->kind);
	text_clean(summary, sizeof summary, result->summary);
	db_bind_integer(s, 1, model_id);
	db_bind_text(s, 2, kind);
	db_bind_integer(s, 3, result->version);
	db_bind_integer(s, 4, result->against);
	db_bind_integer(s, 5, result->at_ms > 0 ? result->at_ms : clock_unix_ms());
	db_bind_integer(s, 6, result->job);
	db_bind_integer(s, 7, result->passed);
	db_bind_text(s, 8, summary);
	int row = db_step(s, e);
	db_end(s);
	return row < 0 ? -1 : 0;
}

/* The record of a result that was written. */
static int audit_result(struct registry *r, const struct test_result *result, int64_t id, struct audit_record *audit,
			struct err *e)
{
	snprintf(audit->detail, sizeof audit->detail, "%s of v%u against v%u: %s", result->kind, result->version,
		 result->against, result->passed ? "passed" : "failed");
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
	    check_version(r, model, model_id, result->version, e) != 0 || insert_result(r, model_id, result, e) != 0 ||
	    registry_last_id(r, &id, e) != 0 || audit_result(r, result, id, &audit, e) != 0)
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
	    registry_find_model(r, model, &model_id, e) != 0 ||
	    check_version(r, model, model_id, result->version, e) != 0 ||
	    registry_revision(r, model_id, 0, current, NULL, e) != 0)
		goto out;
	if (result->against == 0)
		result->against = route_live(&current->route);
	if (result->against == result->version) {
		err_set(e, ERR_CONFLICT, "a test compares two versions, and v%u of %s would be both", result->version,
			model);
		goto out;
	}
	if (check_version(r, model, model_id, result->against, e) != 0 || insert_result(r, model_id, result, e) != 0 ||
	    registry_last_id(r, &result->id, e) != 0)
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

static int read_result(struct registry *r, int64_t model_id, const char *kind, uint32_t version, uint32_t against,
		       struct test_result *result, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "SELECT id, at_ms, job, passed, summary FROM test_result"
					 " WHERE model_id = ?1 AND kind = ?2 AND version = ?3 AND against = ?4"
					 " ORDER BY id DESC LIMIT 1",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_text(s, 2, kind);
	db_bind_integer(s, 3, version);
	db_bind_integer(s, 4, against);
	int row = db_step(s, e);
	if (row == 1) {
		*result = (struct test_result){
		    .id = db_integer(s, 0),
		    .at_ms = db_integer(s, 1),
		    .job = db_integer(s, 2),
		    .version = version,
		    .against = against,
		    .passed = db_integer(s, 3) != 0,
		};
		text_clean(result->kind, sizeof result->kind, kind);
		text_clean(result->summary, sizeof result->summary, db_text(s, 4));
	}
	db_end(s);
	return row < 0 ? -1 : 0;
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
