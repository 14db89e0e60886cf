#include "core/version_client.h"

#include "core/json.h"
#include "core/registry/registry.h"
#include "core/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int find_live(struct client *c, const char *model, uint32_t *live, struct err *e)
{
	char path[128];
	cJSON *json = NULL;
	struct snapshot *s = NULL;
	int result = -1;

	snprintf(path, sizeof path, "/control/v1/snapshot?window_s=1&model=%s", model);
	if (client_get(c, path, CLIENT_TIMEOUT_MS, &json, e) != 0 || snapshot_from_json(json, &s, e) != 0)
		goto out;
	const struct snapshot_model *m = snapshot_find(s, model);
	if (m == NULL) {
		err_set(e, ERR_NOT_FOUND, "there is no model %s", model);
		goto out;
	}
	*live = m->live;
	result = 0;
out:
	snapshot_free(s);
	cJSON_Delete(json);
	return result;
}

static const cJSON *find_version(const cJSON *json, const char *model, uint32_t version, struct err *e)
{
	const cJSON *list = json_array(json, "versions", VERSIONS_MAX, e), *item;

	if (list == NULL)
		return NULL;
	cJSON_ArrayForEach(item, list)
	{
		uint32_t number;
		if (json_uint32(item, "version", 1, VERSIONS_MAX, &number, e) != 0)
			return NULL;
		if (number == version)
			return item;
	}
	err_set(e, ERR_NOT_FOUND, "%s has no version %u; `mldeck versions %s` lists them", model, (unsigned)version,
		model);
	return NULL;
}

static int read_version(const cJSON *json, const char *model, uint32_t version, struct manifest *manifest,
			struct err *e)
{
	const cJSON *found = find_version(json, model, version, e);
	char state[32];

	if (found == NULL || json_string(found, "state", state, sizeof state, e) != 0)
		return -1;
	if (strcmp(state, "ready") != 0)
		return err_set(e, ERR_CONFLICT, "v%u of %s cannot serve: it is %s", (unsigned)version, model, state);
	const cJSON *described = json_object(found, "manifest", e);
	return described == NULL ? -1 : manifest_from_json(manifest, described, e);
}

int version_client_find(struct client *c, const char *model, uint32_t *version, uint32_t *live,
			struct manifest *manifest, struct err *e)
{
	char path[128];
	cJSON *json = NULL;
	int result = -1;

	manifest_init(manifest);
	if (find_live(c, model, live, e) != 0)
		return -1;
	if (*version == 0)
		*version = *live;
	if (*version == 0)
		return err_set(e, ERR_CONFLICT, "%s has no live version; name one with --version N", model);
	snprintf(path, sizeof path, "/control/v1/models/%s/versions", model);
	if (client_get(c, path, CLIENT_TIMEOUT_MS, &json, e) == 0)
		result = read_version(json, model, *version, manifest, e);
	cJSON_Delete(json);
	return result;
}

int version_client_live(struct client *c, const char *model, uint32_t *live, struct err *e)
{
	return find_live(c, model, live, e);
}

#define LOAD_TIMEOUT_MS 600000 /* a large model from a slow disk */

static int get_record(struct client *c, const char *model, uint32_t version, cJSON **record, struct err *e)
{
	char path[128];
	cJSON *json = NULL;
	int result = -1;

	snprintf(path, sizeof path, "/control/v1/models/%s/versions", model);
	if (client_get(c, path, CLIENT_TIMEOUT_MS, &json, e) == 0) {
		const cJSON *found = find_version(json, model, version, e);
		*record = found != NULL ? cJSON_Duplicate(found, true) : NULL;
		result = *record != NULL ? 0 : found != NULL ? err_set(e, ERR_MEMORY, "memory is out") : -1;
	}
	cJSON_Delete(json);
	return result;
}

static int load(struct client *c, const char *model, uint32_t version, struct err *e)
{
	char path[160];
	cJSON *body = cJSON_CreateObject(), *answer = NULL;

	snprintf(path, sizeof path, "/control/v1/models/%s/versions/%" PRIu32 "/load", model, version);
	cJSON_AddStringToObject(body, "reason", "to be tested");
	int result = client_post(c, path, body, LOAD_TIMEOUT_MS, &answer, e);
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return result;
}

int version_client_load(struct client *c, const char *model, uint32_t version, struct manifest *manifest,
			cJSON **record, struct err *e)
{
	manifest_init(manifest);
	*record = NULL;
	if (get_record(c, model, version, record, e) != 0)
		return -1;
	if (strcmp(json_find_text(*record, "state"), "unloaded") == 0) {
		cJSON_Delete(*record);
		*record = NULL;
		if (load(c, model, version, e) != 0 || get_record(c, model, version, record, e) != 0)
			return -1;
	}
	const char *state = json_find_text(*record, "state");
	if (strcmp(state, "ready") != 0)
		return err_set(e, ERR_CONFLICT, "v%u of %s cannot serve: it is %.20s", (unsigned)version, model, state);
	const cJSON *described = json_object(*record, "manifest", e);
	return described == NULL ? -1 : manifest_from_json(manifest, described, e);
}
