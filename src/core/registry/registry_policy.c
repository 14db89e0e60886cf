#include "core/registry/registry_policy.h"

#include "core/registry/registry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_policy(struct registry *r, const char *model, int64_t model_id, struct policy_record *record,
		       struct err *e)
{
	*record = (struct policy_record){0};
	policy_init(&record->policy);
	struct statement *s = db_prepare(r->db,
					 "SELECT number, at_ms, who, reason, policy FROM policy WHERE model_id = ?1"
					 " ORDER BY number DESC LIMIT 1",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	int row = db_step(s, e), result = row < 0 ? -1 : 0;
	if (row == 1) {
		struct err fault = {0};
		cJSON *json = cJSON_Parse(db_text(s, 4));
		record->number = (uint32_t)db_integer(s, 0);
		record->at_ms = db_integer(s, 1);
		text_clean(record->who, sizeof record->who, db_text(s, 2));
		text_clean(record->reason, sizeof record->reason, db_text(s, 3));
		if (policy_from_json(json, &record->policy, &fault) != 0)
			result = err_set(e, ERR_SYSTEM, "the policy of %s in the database cannot be read: %s", model,
					 fault.text);
		cJSON_Delete(json);
	}
	db_end(s);
	return result;
}

int registry_policy(struct registry *r, const char *model, struct policy_record *record, struct err *e)
{
	int64_t model_id;
	registry_lock(r);
	int result = registry_find_model(r, model, &model_id, e);
	if (result == 0)
		result = read_policy(r, model, model_id, record, e);
	registry_unlock(r);
	return result;
}

static int insert_policy(struct registry *r, int64_t model_id, const struct policy_record *record, uint32_t uid,
			 struct err *e)
{
	cJSON *json = policy_to_json(&record->policy);
	char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);
	struct statement *s = NULL;
	int row = -1;

	cJSON_Delete(json);
	if (text == NULL)
		err_set(e, ERR_MEMORY, "memory ran out while writing a policy");
	else
		s = db_prepare(r->db,
			       "INSERT INTO policy (model_id, number, at_ms, uid, who, reason, policy)"
			       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			       e);
	if (s != NULL) {
		db_bind_integer(s, 1, model_id);
		db_bind_integer(s, 2, record->number);
		db_bind_integer(s, 3, record->at_ms);
		db_bind_integer(s, 4, uid);
		db_bind_text(s, 5, record->who);
		db_bind_text(s, 6, record->reason);
		db_bind_text(s, 7, text);
		row = db_step(s, e);
		db_end(s);
	}
	free(text);
	return row < 0 ? -1 : 0;
}

static const char *named(const char *name, const char *value)
{
	if (value[0] != '\0')
		return value;
	return strcmp(name, "promoters") == 0 || strcmp(name, "tests") == 0 ? "(nobody named)" : "none";
}

/* "min_age 1h -> 2h, no_alerts no -> yes", cut where it is long. */
static void describe(const struct policy *from, const struct policy *to, char *text, size_t size)
{
	const char *name, *help;
	char before[POLICY_NAMES_SIZE], after[POLICY_NAMES_SIZE], all[2048] = "";
	for (size_t i = 0, used = 0; used < sizeof all - 1 && policy_row(from, i, &name, before, &help); i++) {
		policy_row(to, i, &name, after, &help);
		if (strcmp(before, after) != 0)
			used += (size_t)snprintf(all + used, sizeof all - used, "%s%s %s -> %s", used > 0 ? ", " : "",
						 name, named(name, before), named(name, after));
	}
	text_clean(text, size, all);
}

static int check_number(const char *model, const struct policy_record *now, int64_t expect, struct err *e)
{
	if (expect < 0 || expect == now->number)
		return 0;
	if (now->number == 0)
		return err_set(e, ERR_CONFLICT, "the policy of %s was never set; it is not number %" PRId64, model,
			       expect);
	return err_set(e, ERR_CONFLICT, "the policy of %s is number %u, set by %s (%s), not %" PRId64 " as expected",
		       model, now->number, now->who, now->reason, expect);
}

static int check(struct registry *r, const char *model, const struct policy *policy, int64_t expect, int64_t *model_id,
		 struct policy_record *now, char *changes, size_t changes_size, struct err *e)
{
	if (registry_find_model(r, model, model_id, e) != 0 || read_policy(r, model, *model_id, now, e) != 0 ||
	    check_number(model, now, expect, e) != 0 || policy_check(policy, e) != 0)
		return -1;
	describe(&now->policy, policy, changes, changes_size);
	if (changes[0] == '\0')
		return err_set(e, ERR_CONFLICT, "the policy of %s already is so", model);
	return 0;
}

static int write_policy(struct registry *r, const char *model, int64_t expect, const char *reason,
			struct policy_record *next, struct audit_record *audit, struct err *e)
{
	struct policy_record now;
	int64_t model_id, row;

	if (registry_clean_reason(reason, next->reason, e) != 0 ||
	    check(r, model, &next->policy, expect, &model_id, &now, audit->detail, sizeof audit->detail, e) != 0)
		return -1;
	next->number = now.number + 1;
	if (insert_policy(r, model_id, next, audit->uid, e) != 0 || registry_last_id(r, &row, e) != 0)
		return -1;
	return registry_insert_audit_of(r, audit, REGISTRY_ROW_POLICY, row, e);
}

int registry_try_policy(struct registry *r, const char *model, const struct policy *policy, int64_t expect_number,
			struct err *e)
{
	struct policy_record now;
	char changes[REASON_SIZE];
	int64_t model_id;
	registry_lock(r);
	int result = check(r, model, policy, expect_number, &model_id, &now, changes, sizeof changes, e);
	registry_unlock(r);
	return result;
}

int registry_set_policy(struct registry *r, const char *model, const struct policy *policy, int64_t expect_number,
			const char *reason, const struct actor *actor, struct policy_record *result, struct err *e)
{
	struct audit_record audit;
	struct policy_record next = {.policy = *policy};
	struct err fault = {0};

	registry_audit_init(&audit, actor, "policy", model, "done", reason);
	next.at_ms = audit.at_ms;
	memcpy(next.who, audit.who, sizeof next.who);
	registry_lock(r);
	int done = db_begin(r->db, &fault);
	if (done == 0)
		done = write_policy(r, model, expect_number, reason, &next, &audit, &fault);
	done = registry_end_change(r, done, &audit, &fault);
	registry_unlock(r);
	if (done == 0)
		*result = next;
	else if (e != NULL)
		*e = fault;
	return done;
}
