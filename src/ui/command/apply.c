/* apply: asks, plans, and makes the changes; what is printed of them is in apply_print.c. */
#include "ui/command/apply.h"

#include "core/remote.h"
#include "ui/command/deploy.h"
#include "ui/command/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A change of a route may load a large version first. */
#define CHANGE_TIMEOUT_MS 120000

/* --- before anything is changed --- */

static bool artifact_known(const struct snapshot *s, const char *sha256)
{
	for (size_t i = 0; i < s->model_count; i++)
		for (size_t k = 0; k < s->models[i].version_count; k++)
			if (strcmp(s->models[i].versions[k].sha256, sha256) == 0)
				return true;
	return false;
}

static int artifact_check(struct apply *a, const struct models_version *v, struct err *e)
{
	int has;

	if (v->kind != MODELS_SHA256 || artifact_known(a->snapshot, v->sha256))
		return 0;
	has = client_has_artifact(a->client, v->sha256, e);
	if (has == 0)
		err_set(e, ERR_NOT_FOUND, "the runtime has no artifact %s; name a file", v->sha256);
	return has == 1 ? 0 : models_file_refuse(&a->file, v->line, e);
}

/* A file that an option names, from where the models file is; "" is kept where it is none. The caller frees it. */
static int option_path(const struct apply *a, const struct models_version *v, enum models_option option, char **path,
		       struct err *e)
{
	*path = NULL;
	if (!v->options[option])
		return 0;
	*path = models_file_path(&a->file, v->options[option]);
	return *path ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

static int rows_check(struct apply *a, const struct models_version *v, enum models_option option, struct err *e)
{
	char *path;
	int result = option_path(a, v, option, &path, e);

	if (result == 0 && path && access(path, R_OK) != 0) {
		err_errno(e, errno, "%s cannot be opened", path);
		result = models_file_refuse(&a->file, v->option_lines[option], e);
	}
	free(path);
	return result;
}

/* The number of the policy that a change replaces, which must still be the one that was planned on. */
static int policy_number(struct apply *a, const struct models_change *c, uint32_t *number, struct err *e)
{
	struct policy planned, now;
	char path[128];
	cJSON *answer;
	int result = -1;

	if (!c->now)
		return 0;
	snprintf(path, sizeof(path), "/control/v1/models/%s/policy", c->model->name);
	if (client_get(a->client, path, CLIENT_TIMEOUT_MS, &answer, e) != 0)
		return -1;
	models_change_policy(c, &planned);
	if (json_uint32(answer, "number", 0, UINT32_MAX, number, e) == 0 &&
	    policy_from_json(json_object(answer, "policy", e), &now, e) == 0)
		result = models_policy_same(&planned, &now)
			     ? 0
			     : err_set(e, ERR_CONFLICT,
				       "the policy of %s was changed just now; look at the difference again",
				       c->model->name);
	cJSON_Delete(answer);
	return result;
}

/* All that the changes need but the runtime's consent. */
static int needs_check(struct apply *a, struct err *e)
{
	for (size_t i = 0; i < a->plan->change_count; i++) {
		const struct models_change *c = &a->plan->changes[i];

		if (c->kind == MODELS_DEPLOY &&
		    (artifact_check(a, c->version, e) != 0 || rows_check(a, c->version, MODELS_BASELINE, e) != 0 ||
		     rows_check(a, c->version, MODELS_SAMPLES, e) != 0))
			return -1;
		if (c->kind == MODELS_POLICY && policy_number(a, c, &a->outcomes[i].based_on, e) != 0)
			return -1;
	}
	return 0;
}

int apply_prepare(struct apply *a, const char *path, struct err *e)
{
	if (models_file_read(&a->file, path, e) != 0 || models_file_resolve(&a->file, e) != 0 ||
	    output_snapshot(a->client, 1, &a->snapshot, e) != 0 ||
	    models_plan_make(&a->file, a->snapshot, &a->plan, e) != 0)
		return -1;
	a->outcomes = calloc(a->plan->change_count + 1, sizeof(*a->outcomes));
	return a->outcomes ? needs_check(a, e) : err_set(e, ERR_MEMORY, "memory is out");
}

void apply_release(struct apply *a)
{
	models_plan_free(a->plan);
	snapshot_free(a->snapshot);
	models_file_release(&a->file);
	free(a->outcomes);
}

/* --- the changes --- */

/* Whether a version has this file already, so that it need not be sent again. */
static bool artifact_there(const struct apply *a, const char *sha256)
{
	for (size_t i = 0; i < a->done_count; i++) {
		const struct models_change *c = &a->plan->changes[i];
		if (c->kind == MODELS_DEPLOY && strcmp(c->version->sha256, sha256) == 0)
			return true;
	}
	return artifact_known(a->snapshot, sha256);
}

static int deploy(struct apply *a, const struct models_change *c, uint32_t *number, struct err *e)
{
	const struct models_version *v = c->version;
	char *baseline = NULL, *samples = NULL, *features = NULL;
	struct remote remote;
	cJSON *answer = NULL;
	int result = -1;

	remote_init(&remote);
	if (option_path(a, v, MODELS_BASELINE, &baseline, e) != 0 ||
	    option_path(a, v, MODELS_SAMPLES, &samples, e) != 0 ||
	    option_path(a, v, MODELS_FEATURES, &features, e) != 0 ||
	    (v->kind == MODELS_URL && remote_url_read(v->source, remote.url, e) != 0))
		goto out;
	struct deploy_request request = {
	    .model = c->model->name,
	    .file_path = v->kind == MODELS_FILE ? v->path : v->source,
	    .remote = v->kind == MODELS_URL ? &remote : NULL,
	    .baseline_path = baseline,
	    .samples_path = samples,
	    /* Names, unless there is such a file. */
	    .features = features && access(features, F_OK) == 0 ? features : v->options[MODELS_FEATURES],
	    .reason = a->reason,
	    .no_live = !c->goes_live,
	    .sha256 = v->kind == MODELS_SHA256 || artifact_there(a, v->sha256) ? v->sha256 : NULL,
	    .file_digest = v->sha256,
	    .file_name = v->options[MODELS_NAME],
	    .expect_version = v->version,
	};
	result = deploy_send(a->client, &request, &answer, e);
	*number = v->version;
out:
	cJSON_Delete(answer);
	remote_release(&remote);
	free(features);
	free(samples);
	free(baseline);
	return result;
}

/* What a policy's change sets, and what it gives its default again. */
static bool policy_body(const struct models_change *c, uint32_t based_on, cJSON *body)
{
	cJSON *set = cJSON_AddObjectToObject(body, "set"), *unset = cJSON_AddArrayToObject(body, "unset");
	char value[POLICY_NAMES_SIZE], was[POLICY_NAMES_SIZE];
	const char *name, *help;
	struct policy before;
	bool whole = set && unset;

	models_change_policy(c, &before);
	for (size_t i = 0; whole && policy_row(&c->model->policy, i, &name, value, &help); i++) {
		policy_row(&before, i, &name, was, &help);
		if (strcmp(value, was) == 0)
			continue;
		whole = policy_is_default(&c->model->policy, i) ? cJSON_AddItemToArray(unset, cJSON_CreateString(name))
								: cJSON_AddStringToObject(set, name, value) != NULL;
	}
	return whole && cJSON_AddNumberToObject(body, "expect_number", based_on);
}

static bool route_body(const struct apply *a, const struct models_change *c, cJSON *body)
{
	bool whole = cJSON_AddStringToObject(body, "action", "apply") &&
		     cJSON_AddNumberToObject(body, "expect_revision", models_change_revision(c)) &&
		     (!a->force || cJSON_AddTrueToObject(body, "force"));
	cJSON *entries = whole ? cJSON_AddArrayToObject(body, "entries") : NULL;

	for (size_t i = 0; entries && i < c->entry_count; i++) {
		cJSON *entry = cJSON_CreateObject();
		if (!cJSON_AddItemToArray(entries, entry) ||
		    !cJSON_AddNumberToObject(entry, "version", c->entries[i].version) ||
		    !cJSON_AddStringToObject(entry, "role", route_role_name(c->entries[i].role)) ||
		    !cJSON_AddNumberToObject(entry, "weight_bp", c->entries[i].weight_bp))
			return false;
	}
	return entries != NULL;
}

/* A policy or a route. */
static int post(struct apply *a, const struct models_change *c, bool dry_run, struct apply_outcome *outcome,
		struct err *e)
{
	bool route = c->kind == MODELS_ROUTE;
	cJSON *body = cJSON_CreateObject(), *answer = NULL;
	char path[128];
	int result = -1;

	snprintf(path, sizeof(path), "/control/v1/models/%s/%s", c->model->name, route ? "route" : "policy");
	if (!(route ? route_body(a, c, body) : policy_body(c, outcome->based_on, body)) ||
	    (a->reason && !cJSON_AddStringToObject(body, "reason", a->reason)) ||
	    (dry_run && !cJSON_AddTrueToObject(body, "dry_run")))
		err_set(e, ERR_MEMORY, "memory is out");
	else
		result = client_post(a->client, path, body, CHANGE_TIMEOUT_MS, &answer, e);
	if (result == 0)
		outcome->number = (uint32_t)json_find_number(answer, route ? "revision" : "number");
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return result;
}

static int stop(struct apply *a, const struct models_change *c, struct err *e)
{
	char name[32];

	a->fault = *e;
	apply_change_name(c, name, sizeof(name));
	if (a->done_count == 0)
		return err_set(e, e->code, "%s, %s: %s; nothing was changed", c->model->name, name, a->fault.text);
	return err_set(e, e->code, "%s, %s: %s; %zu of %zu changes were made, and the same command goes on",
		       c->model->name, name, a->fault.text, a->done_count, a->plan->change_count);
}

/* Whether it is the only change of its model, so that what the runtime says of it now will hold then. */
static bool stands_alone(const struct models_plan *p, size_t i)
{
	const struct models_change *c = p->changes;

	return (i == 0 || c[i - 1].model != c[i].model) && (i + 1 == p->change_count || c[i + 1].model != c[i].model);
}

int apply_rehearse(struct apply *a, struct err *e)
{
	struct apply_outcome none;

	for (size_t i = 0; i < a->plan->change_count; i++) {
		const struct models_change *c = &a->plan->changes[i];

		none.based_on = a->outcomes[i].based_on;
		if (c->kind != MODELS_DEPLOY && stands_alone(a->plan, i) && post(a, c, true, &none, e) != 0)
			return stop(a, c, e);
	}
	return 0;
}

int apply_run(struct apply *a, struct err *e)
{

	for (size_t i = 0; i < a->plan->change_count; i++) {
		const struct models_change *c = &a->plan->changes[i];
		struct apply_outcome *outcome = &a->outcomes[i];
		int result =
		    c->kind == MODELS_DEPLOY ? deploy(a, c, &outcome->number, e) : post(a, c, false, outcome, e);

		if (result != 0)
			return stop(a, c, e);
		outcome->done = true;
		a->done_count++;
		if (!a->json)
			apply_print_change(a, i);
	}
	return 0;
}
