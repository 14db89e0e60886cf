/* Who approved which version: rows that are only ever added. */
#include "core/registry/registry_policy.h"

#include "core/clock.h"
#include "core/registry/registry_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	    registry_check_version(r, model, model_id, approval->version, e) != 0 ||
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

static int read_approval(struct statement *s, void *record, struct err *e)
{
	struct approval *a = record;
	(void)e;
	*a = (struct approval){
	    .id = db_integer(s, 0),
	    .version = (uint32_t)db_integer(s, 1),
	    .against = (uint32_t)db_integer(s, 2),
	    .at_ms = db_integer(s, 3),
	    .uid = (uint32_t)db_integer(s, 4),
	};
	text_clean(a->who, sizeof a->who, db_text(s, 5));
	text_clean(a->reason, sizeof a->reason, db_text(s, 6));
	return 0;
}

static int read_approvals(struct registry *r, const char *model, uint32_t version, size_t limit,
			  struct registry_rows *rows, struct err *e)
{
	int64_t model_id;
	*rows = (struct registry_rows){0};
	if (registry_find_model(r, model, &model_id, e) != 0)
		return -1;
	struct statement *s = db_prepare(r->db,
					 "SELECT id, version, against, at_ms, uid, who, reason FROM approval"
					 " WHERE model_id = ?1 AND (?2 = 0 OR version = ?2) ORDER BY id DESC LIMIT ?3",
					 e);
	if (s != NULL) {
		db_bind_integer(s, 1, model_id);
		db_bind_integer(s, 2, version);
		db_bind_integer(s, 3, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	}
	return registry_read_rows(s, sizeof(struct approval), read_approval, rows, e);
}

int registry_approvals(struct registry *r, const char *model, uint32_t version, size_t limit,
		       struct approval **approvals, size_t *count, struct err *e)
{
	struct registry_rows rows;
	registry_lock(r);
	int result = read_approvals(r, model, version, limit, &rows, e);
	registry_unlock(r);
	if (result != 0) {
		free(rows.list);
		return -1;
	}
	*approvals = rows.list;
	*count = rows.count;
	return 0;
}
