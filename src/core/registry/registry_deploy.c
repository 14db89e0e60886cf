/* Registering versions, and freezing their baselines. */
#include "core/clock.h"
#include "core/digest.h"
#include "core/fault.h"
#include "core/registry/registry_internal.h"
#include "core/registry/registry_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One deploy on its way through the checks and the transaction. */
struct deploy {
	const char *model;
	const struct manifest *manifest;
	const struct baseline *baseline;
	const struct sample_rows *samples;
	bool no_live;
	const struct actor *actor;
	char reason[REASON_SIZE];
	char *manifest_json, *baseline_json;
	char *data; /* of the audit record, when the version goes live */
	int64_t model_id;
	struct deploy_result result;
};

/* Strings of a model file reach terminals: what is kept of them has no control characters. */
static bool clean_strings(cJSON *json)
{
	cJSON *item;
	cJSON_ArrayForEach(item, json)
	{
		if (!cJSON_IsString(item)) {
			if (!clean_strings(item))
				return false;
			continue;
		}
		size_t size = strlen(item->valuestring) * 4 + 1;
		char *clean = malloc(size);
		if (clean == NULL)
			return false;
		text_clean(clean, size, item->valuestring);
		bool kept = strcmp(clean, item->valuestring) == 0 || cJSON_SetValuestring(item, clean) != NULL;
		free(clean);
		if (!kept)
			return false;
	}
	return true;
}

static int print_json(cJSON *json, char **text, struct err *e)
{
	*text = json != NULL && clean_strings(json) ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	if (*text == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while deploying");
	if (strlen(*text) > MANIFEST_JSON_MAX)
		return err_set(e, ERR_TOO_LARGE,
			       "the names and training facts in the model file take %zu bytes, more than %u",
			       strlen(*text), MANIFEST_JSON_MAX);
	return 0;
}

static int reread_manifest(const cJSON *json, struct err *e)
{
	struct manifest again;
	if (manifest_from_json(&again, json, e) != 0)
		return -1;
	manifest_release(&again);
	return 0;
}

static int reread_baseline(const cJSON *json, struct err *e)
{
	struct baseline again;
	return baseline_from_json(&again, json, e);
}

/* What is kept must be readable: a name that cleaning made too long is refused now, not at the next
 * start. */
static int check_text(const char *text, int (*reread)(const cJSON *, struct err *), struct err *e)
{
	cJSON *json = cJSON_Parse(text);
	if (json == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while deploying");
	int result = reread(json, e);
	cJSON_Delete(json);
	return result;
}

static int prepare(struct deploy *d, const char *reason, struct err *e)
{
	if (d->model == NULL || !text_name_valid(d->model))
		return err_set(e, ERR_INPUT, "a model's name has the form [a-z0-9][a-z0-9._-]{0,63}, got \"%.80s\"",
			       d->model != NULL ? d->model : "");
	if (!digest_valid(d->manifest->sha256))
		return err_set(e, ERR_INPUT, "a SHA-256 is 64 lower-case hexadecimal digits, got \"%s\"",
			       d->manifest->sha256);
	if (d->samples != NULL && strlen(d->samples->csv) > SAMPLE_CSV_MAX)
		return err_set(e, ERR_TOO_LARGE, "the %d sample rows have %zu bytes, more than %zu MiB",
			       SAMPLE_ROWS_MAX, strlen(d->samples->csv), SAMPLE_CSV_MAX >> 20);
	if (registry_clean_reason(reason, d->reason, e) != 0 ||
	    print_json(manifest_to_json(d->manifest), &d->manifest_json, e) != 0 ||
	    check_text(d->manifest_json, reread_manifest, e) != 0)
		return -1;
	if (d->baseline == NULL || d->baseline->bin_count == 0)
		return 0;
	if (print_json(baseline_to_json(d->baseline), &d->baseline_json, e) != 0)
		return -1;
	return check_text(d->baseline_json, reread_baseline, e);
}

int registry_make_name(struct registry *r, const char *model, int64_t *id, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "INSERT INTO model (name, created_ms) VALUES (?1, ?2)"
					 " ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
					 e);
	if (s == NULL)
		return -1;
	db_bind_text(s, 1, model);
	db_bind_integer(s, 2, clock_unix_ms());
	int row = db_step(s, e);
	if (row == 1) {
		*id = db_integer(s, 0);
		row = db_step(s, e);
	}
	db_end(s);
	return row;
}

static int insert_version(struct registry *r, const struct deploy *d, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "INSERT INTO version (model_id, version, sha256, created_ms,"
					 " created_by, manifest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
					 e);
	if (s == NULL)
		return -1;
	char who[WHO_SIZE];
	text_clean(who, sizeof who, d->actor->name);
	db_bind_integer(s, 1, d->model_id);
	db_bind_integer(s, 2, d->result.version);
	db_bind_text(s, 3, d->manifest->sha256);
	db_bind_integer(s, 4, clock_unix_ms());
	db_bind_text(s, 5, who);
	db_bind_text(s, 6, d->manifest_json);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

static int insert_baseline(struct registry *r, int64_t model_id, uint32_t version, const char *json, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "INSERT INTO baseline (model_id, version, at_ms, baseline)"
					 " VALUES (?1, ?2, ?3, ?4)",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_integer(s, 2, version);
	db_bind_integer(s, 3, clock_unix_ms());
	db_bind_text(s, 4, json);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

/* The version that this very artifact already is, 0 when it is none. */
static int find_artifact(struct registry *r, const struct deploy *d, uint32_t *version, struct err *e)
{
	struct statement *s = db_prepare(r->db, "SELECT version FROM version WHERE model_id = ?1 AND sha256 = ?2", e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, d->model_id);
	db_bind_text(s, 2, d->manifest->sha256);
	int row = db_step(s, e);
	*version = row == 1 ? (uint32_t)db_integer(s, 0) : 0;
	db_end(s);
	return row < 0 ? -1 : 0;
}

/* What the audit keeps of the file: a version that got another one later does not agree with it. */
static void name_file(const struct deploy *d, char members[96])
{
	snprintf(members, 96, "\"sha256\":\"%.64s\"", d->manifest->sha256);
}

static int go_live(struct registry *r, struct deploy *d, struct audit_record *audit, struct err *e)
{
	struct revision_record first = {.revision = 1};
	const struct revision_place place = {.position = 1};
	char members[96];
	name_file(d, members);
	route_single(&first.route, d->result.version);
	if (registry_insert_revision(r, d->model_id, &first, place, audit, members, &d->data, e) != 0)
		return -1;
	d->result.live = true;
	d->result.revision = 1;
	snprintf(audit->detail, sizeof audit->detail, "v%u 100%%", d->result.version);
	return 0;
}

static int add_version(struct registry *r, struct deploy *d, struct audit_record *audit, struct err *e)
{
	uint32_t count = 0;
	bool new_model = d->model_id == 0;
	if (new_model && registry_make_name(r, d->model, &d->model_id, e) != 0)
		return -1;
	if (!new_model && registry_version_count(r, d->model_id, &count, e) != 0)
		return -1;
	if (count >= VERSIONS_MAX)
		return err_set(e, ERR_TOO_LARGE, "%s has %u versions, which is the most a model can have", d->model,
			       count);
	d->result.version = count + 1;
	d->result.created = true;
	if (insert_version(r, d, e) != 0)
		return -1;
	FAULT_POINT(deploy_version);
	if (d->baseline_json != NULL && insert_baseline(r, d->model_id, d->result.version, d->baseline_json, e) != 0)
		return -1;
	if (new_model && !d->no_live)
		return go_live(r, d, audit, e);
	snprintf(audit->detail, sizeof audit->detail, "v%u waits for its promotion", d->result.version);
	return 0;
}

static int write_deploy(struct registry *r, struct deploy *d, struct err *e)
{
	struct audit_record audit;
	registry_audit_init(&audit, d->actor, "deploy", d->model, "done", d->reason);
	uint32_t same = 0;
	if (registry_model_id(r, d->model, &d->model_id, e) != 0 ||
	    (d->model_id != 0 && find_artifact(r, d, &same, e) != 0))
		return -1;
	if (same != 0) {
		d->result.version = same;
		snprintf(audit.detail, sizeof audit.detail, "this file already is v%u", same);
	} else if (add_version(r, d, &audit, e) != 0) {
		return -1;
	}
	if (d->samples != NULL && registry_insert_samples(r, d->model_id, d->result.version, d->samples, e) != 0)
		return -1;
	if (!d->result.live) {
		struct revision_record current;
		if (registry_revision(r, d->model_id, 0, &current, NULL, e) != 0)
			return -1;
		d->result.revision = current.revision;
	}
	audit.version = d->result.version;
	char members[96], data[100];
	name_file(d, members);
	snprintf(data, sizeof data, "{%s}", members);
	if (audit.data == NULL)
		audit.data = data;
	if (registry_insert_audit(r, &audit, e) != 0)
		return -1;
	FAULT_POINT(deploy_audit);
	return 0;
}

static int transact(struct registry *r, struct deploy *d, struct err *e)
{
	/* Under the mutex, so that no refused deploy of the same file discards it in between. */
	if (!artifact_present(r, d->manifest->sha256))
		return err_set(e, ERR_NOT_FOUND, "there is no uploaded file with the SHA-256 %s", d->manifest->sha256);
	if (db_begin(r->db, e) != 0)
		return -1;
	FAULT_POINT(deploy_begun);
	if (write_deploy(r, d, e) == 0 && db_commit(r->db, e) == 0) {
		FAULT_POINT(deploy_committed);
		return 0;
	}
	db_rollback(r->db);
	return -1;
}

int registry_deploy(struct registry *r, const char *model, const struct manifest *manifest,
		    const struct baseline *baseline, const struct sample_rows *samples, bool no_live,
		    const char *reason, const struct actor *actor, struct deploy_result *result, struct err *e)
{
	struct deploy d = {.model = model,
			   .manifest = manifest,
			   .baseline = baseline,
			   .samples = samples,
			   .no_live = no_live,
			   .actor = actor};
	int done = prepare(&d, reason, e);
	if (done == 0) {
		registry_lock(r);
		done = transact(r, &d, e);
		registry_unlock(r);
	}
	/* cJSON's own allocator is malloc. */
	free(d.manifest_json);
	free(d.baseline_json);
	free(d.data);
	if (done == 0)
		*result = d.result;
	return done;
}

static int freeze(struct registry *r, const char *model, uint32_t version, const char *json, struct err *e)
{
	int64_t id;
	if (registry_find_model(r, model, &id, e) != 0 || registry_check_version(r, model, id, version, e) != 0)
		return -1;
	struct statement *s = db_prepare(r->db, "SELECT 1 FROM baseline WHERE model_id = ?1 AND version = ?2", e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, id);
	db_bind_integer(s, 2, version);
	int row = db_step(s, e);
	db_end(s);
	if (row == 1)
		return err_set(e, ERR_CONFLICT, "v%u of %s already has its baseline", version, model);
	/* One statement is a transaction of its own. */
	return row < 0 ? -1 : insert_baseline(r, id, version, json, e);
}

int registry_set_baseline(struct registry *r, const char *model, uint32_t version, const struct baseline *baseline,
			  struct err *e)
{
	if (baseline->bin_count == 0)
		return err_set(e, ERR_INPUT, "a baseline without bins cannot be frozen");
	char *json;
	int result = print_json(baseline_to_json(baseline), &json, e);
	if (result == 0)
		result = check_text(json, reread_baseline, e);
	if (result == 0) {
		registry_lock(r);
		result = freeze(r, model, version, json, e);
		registry_unlock(r);
	}
	free(json);
	return result;
}
