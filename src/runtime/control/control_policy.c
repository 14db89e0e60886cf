/* control: policies of models, and approvals of versions. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/json.h"
#include "core/registry/registry_policy.h"
#include "core/users.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPROVALS_SHOWN 20
#define ATTEMPTS 8 /* of a change that names no number, while others change the policy too */

/* --- answers --- */

static cJSON *rows_json(const struct policy *p)
{
	const char *name, *help;
	char value[POLICY_NAMES_SIZE], standard[POLICY_NAMES_SIZE];
	struct policy defaults;
	cJSON *rows = cJSON_CreateArray();
	policy_init(&defaults);
	for (size_t i = 0; policy_row(p, i, &name, value, &help); i++) {
		cJSON *row = cJSON_CreateObject();
		policy_row(&defaults, i, &name, standard, &help);
		cJSON_AddStringToObject(row, "name", name);
		cJSON_AddStringToObject(row, "value", value);
		cJSON_AddStringToObject(row, "default", standard);
		cJSON_AddStringToObject(row, "help", help);
		cJSON_AddItemToArray(rows, row);
	}
	return rows;
}

static cJSON *approval_json(const struct approval *a)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "id", (double)a->id);
	cJSON_AddNumberToObject(json, "at_ms", (double)a->at_ms);
	cJSON_AddNumberToObject(json, "version", a->version);
	cJSON_AddNumberToObject(json, "against", a->against);
	cJSON_AddNumberToObject(json, "uid", a->uid);
	cJSON_AddStringToObject(json, "who", a->who);
	cJSON_AddStringToObject(json, "reason", a->reason);
	return json;
}

/* The policy that was read before a change, too: what changed is seen from both. */
static void answer_policy(struct server *s, struct http_response *response, const char *model,
			  const struct policy_record *record, const struct policy *before, bool dry_run)
{
	struct approval *approvals;
	size_t count;
	struct err e;

	if (registry_approvals(s->registry, model, 0, APPROVALS_SHOWN, &approvals, &count, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddNumberToObject(json, "number", record->number);
	cJSON_AddNumberToObject(json, "at_ms", (double)record->at_ms);
	cJSON_AddStringToObject(json, "who", record->who);
	cJSON_AddStringToObject(json, "reason", record->reason);
	cJSON_AddBoolToObject(json, "dry_run", dry_run);
	cJSON_AddItemToObject(json, "policy", policy_to_json(&record->policy));
	if (before != NULL)
		cJSON_AddItemToObject(json, "before", policy_to_json(before));
	cJSON_AddItemToObject(json, "rows", rows_json(&record->policy));
	cJSON *list = cJSON_AddArrayToObject(json, "approvals");
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, approval_json(&approvals[i]));
	free(approvals);
	control_answer(response, json);
}

void control_get_policy(void *context, const struct http_request *request, const struct http_segments *segments,
			struct http_response *response)
{
	(void)request;
	struct server *s = context;
	struct policy_record record;
	struct err e;
	if (registry_policy(s->registry, segments->values[0], &record, &e) != 0)
		control_refuse(response, &e);
	else
		answer_policy(s, response, segments->values[0], &record, NULL, false);
}

/* --- who may --- */

/* The first two that differ: by name and in a group, or under two names, one is still one. */
struct persons {
	uint32_t uids[2];
	unsigned count;
};

static void add_person(struct persons *p, uint32_t uid)
{
	if (p->count < 2 && (p->count == 0 || p->uids[0] != uid))
		p->uids[p->count++] = uid;
}

/* Users that may promote and are let in, as far as it matters: 0, 1, or 2 for more. Root counts as a person, whoever
 * else may become root: the system knows no better. Of the group of [control] anybody may be in a group of promoters.
 */
static unsigned count_promoters(const struct server *s, const struct policy *p)
{
	const uint32_t always[] = {0, geteuid()};
	struct persons persons = {.count = 0};
	char name[POLICY_NAMES_SIZE];
	uint32_t uid, gid;
	bool group;

	if (p->promoters[0] == '\0')
		return s->has_group || geteuid() != 0 ? 2 : 1;
	for (size_t i = 0; policy_promoter(p, i, name, &group); i++) {
		if (group && s->has_group)
			return 2;
		if (!group && users_find(name, &uid) && control_lets_in(s, uid))
			add_person(&persons, uid);
		for (size_t k = 0; group && k < 2; k++)
			if (users_find_group(name, &gid) && users_in_group(always[k], gid))
				add_person(&persons, always[k]);
	}
	return persons.count;
}

/* What can never hold as this runtime is set up. */
static int check_reachable(const struct server *s, const struct policy *p, struct err *e)
{
	unsigned promoters = count_promoters(s, p);
	if (promoters == 0)
		return err_set(e, ERR_INPUT,
			       "promoters can never promote: none of %s is let in on the control socket "
			       "(see group in [control])",
			       p->promoters);
	if (p->second_person && promoters == 1)
		return err_set(e, ERR_INPUT,
			       "second_person can never hold: one promoter only is let in on the control socket "
			       "(see group in [control])");
	return 0;
}

/* Promoters guard their policy. Root and the owner may always: the database is theirs anyway. */
static int check_may_set(const struct actor *actor, const char *model, const struct policy *now, struct err *e)
{
	if (actor->uid == 0 || actor->uid == geteuid() || policy_may_promote(now, actor->uid, actor->name))
		return 0;
	return err_set(e, ERR_DENIED, "%s may not change the policy of %s; %.120s may", actor->name, model,
		       now->promoters);
}

/* --- changing it --- */

struct policy_request {
	const char *model, *reason;
	const cJSON *set, *unset; /* borrowed from the body */
	int64_t expect_number;
	bool dry_run;
};

static int read_request(const cJSON *body, struct policy_request *q, struct err *e)
{
	q->reason = "";
	q->expect_number = -1;
	q->set = json_has(body, "set") ? json_object(body, "set", e) : NULL;
	if (q->set == NULL && json_has(body, "set"))
		return -1;
	q->unset = json_has(body, "unset") ? json_array(body, "unset", 100, e) : NULL;
	if (q->unset == NULL && json_has(body, "unset"))
		return -1;
	return json_optional_text(body, "reason", &q->reason, e) != 0 ||
		       json_optional_integer(body, "expect_number", 0, UINT32_MAX, &q->expect_number, e) != 0 ||
		       json_optional_boolean(body, "dry_run", &q->dry_run, e) != 0
		   ? -1
		   : 0;
}

static int apply(const struct policy_request *q, struct policy *p, struct err *e)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, q->unset)
	{
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "field `unset` must be a list of names of settings");
		if (policy_unset(p, item->valuestring, e) != 0)
			return -1;
	}
	cJSON_ArrayForEach(item, q->set)
	{
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "setting `%.60s` must be a text", item->string);
		if (policy_set(p, item->string, item->valuestring, e) != 0)
			return -1;
	}
	return 0;
}

/* What no transaction looks at: who may, and whether the words make a policy that can hold here. */
static int prepare(struct server *s, const struct policy_request *q, const struct actor *actor, struct policy *p,
		   struct err *e)
{
	if (check_may_set(actor, q->model, p, e) != 0)
		return -1;
	return apply(q, p, e) != 0 || policy_check(p, e) != 0 || check_reachable(s, p, e) != 0 ? -1 : 0;
}

static int change_policy(struct server *s, const struct policy_request *q, const struct actor *actor,
			 struct policy *before, struct policy_record *record, struct err *e)
{
	int result = -1;
	/* Each reads what it changes: two at a time that name other settings both hold. */
	for (int i = 0; i < ATTEMPTS; i++) {
		if (registry_policy(s->registry, q->model, record, e) != 0)
			return -1;
		*before = record->policy;
		if (prepare(s, q, actor, &record->policy, e) != 0) {
			if (!q->dry_run)
				registry_audit(s->registry, actor, "policy", q->model, 0, err_name(e->code), q->reason,
					       e->text, NULL);
			return -1;
		}
		bool named = q->expect_number >= 0;
		int64_t expect = named ? q->expect_number : record->number;
		const struct policy wanted = record->policy;
		result = q->dry_run
			     ? registry_try_policy(s->registry, q->model, &wanted, expect, e)
			     : router_set_policy(s->router, q->model, &wanted, expect, q->reason, actor, record, e);
		if (result == 0 || named || e->code != ERR_CONFLICT || memcmp(before, &wanted, sizeof wanted) == 0)
			break;
	}
	return result;
}

void control_post_policy(void *context, const struct http_request *request, const struct http_segments *segments,
			 struct http_response *response)
{
	struct server *s = context;
	struct policy_request q = {.model = segments->values[0]};
	struct policy_record record;
	struct policy before;
	struct actor actor;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body == NULL || read_request(body, &q, &e) != 0 || change_policy(s, &q, &actor, &before, &record, &e) != 0)
		control_refuse(response, &e);
	else
		answer_policy(s, response, q.model, &record, &before, q.dry_run);
	cJSON_Delete(body);
}

/* --- approving --- */

static int check_may_approve(struct server *s, const char *model, uint32_t version, const char *reason,
			     const struct actor *actor, struct err *e)
{
	struct policy_record record;
	if (registry_policy(s->registry, model, &record, e) != 0)
		return -1;
	if (policy_may_promote(&record.policy, actor->uid, actor->name))
		return 0;
	err_set(e, ERR_DENIED, "%s may not approve versions of %s; %.120s may", actor->name, model,
		record.policy.promoters);
	registry_audit(s->registry, actor, "approve", model, version, err_name(e->code), reason, e->text, NULL);
	return -1;
}

void control_post_approve(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	struct server *s = context;
	const char *model = segments->values[0], *reason = "";
	struct approval approval;
	struct actor actor;
	uint32_t version = 0;
	struct err e;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body == NULL || json_uint32(body, "version", 1, VERSIONS_MAX, &version, &e) != 0 ||
	    json_optional_text(body, "reason", &reason, &e) != 0 ||
	    check_may_approve(s, model, version, reason, &actor, &e) != 0 ||
	    registry_approve(s->registry, model, version, reason, &actor, &approval, &e) != 0) {
		control_refuse(response, &e);
	} else {
		cJSON *json = cJSON_CreateObject();
		cJSON_AddItemToObject(json, "approval", approval_json(&approval));
		control_answer(response, json);
	}
	cJSON_Delete(body);
}
