#include "core/test/bench_subject.h"

#include "core/json.h"
#include "core/policy.h"
#include "core/registry/registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int write_file(const char *path, const char *data, size_t size, struct err *e)
{
	FILE *file = fopen(path, "wbe");
	bool whole = file != NULL && fwrite(data, 1, size, file) == size;

	if (file != NULL && fclose(file) != 0)
		whole = false;
	return whole ? 0 : err_errno(e, errno, "%s cannot be written", path);
}

/* The version's object in the answer, borrowed. */
static const cJSON *find_version(const cJSON *answer, const char *model, uint32_t version, struct err *e)
{
	const cJSON *list = json_array(answer, "versions", VERSIONS_MAX, e), *item;
	int64_t number;

	cJSON_ArrayForEach(item, list)
	{
		if (json_integer(item, "version", 1, VERSIONS_MAX, &number, e) == 0 && number == version)
			return item;
	}
	err_set(e, ERR_NOT_FOUND, "%s has no version %u; `mldeck versions %s` lists them", model, (unsigned)version,
		model);
	return NULL;
}

static int get_versions(struct client *client, const char *model, cJSON **answer, struct err *e)
{
	char path[128];

	snprintf(path, sizeof path, "/control/v1/models/%s/versions", model);
	return client_get(client, path, CLIENT_TIMEOUT_MS, answer, e);
}

static int store(struct client *client, const cJSON *manifest, const struct bench_side *side, struct err *e)
{
	char sha256[65];
	char *text = cJSON_PrintUnformatted(manifest);
	int result;

	if (text == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	result = write_file(side->manifest_path, text, strlen(text), e);
	cJSON_free(text);
	if (result != 0 || json_string(manifest, "sha256", sha256, sizeof sha256, e) != 0)
		return -1;
	FILE *file = fopen(side->model_path, "wbe");
	if (file == NULL)
		return err_errno(e, errno, "%s cannot be written", side->model_path);
	result = client_download(client, sha256, file, e);
	if (fclose(file) != 0 && result == 0)
		result = err_errno(e, errno, "%s cannot be written", side->model_path);
	return result;
}

int bench_subject_fetch(struct client *client, const char *model, uint32_t version, const char *folder,
			const char *role, struct bench_side *side, struct err *e)
{
	cJSON *answer = NULL;
	const cJSON *found, *manifest;
	int result = -1;

	snprintf(side->name, sizeof side->name, "v%u", (unsigned)version);
	snprintf(side->model_path, sizeof side->model_path, "%s/%s", folder, role);
	snprintf(side->manifest_path, sizeof side->manifest_path, "%s/%s.json", folder, role);
	if (get_versions(client, model, &answer, e) == 0 && (found = find_version(answer, model, version, e)) != NULL &&
	    (manifest = json_object(found, "manifest", e)) != NULL)
		result = store(client, manifest, side, e);
	cJSON_Delete(answer);
	return result;
}

/* --- rows --- */

/* The version's sample rows, *csv NULL when it has none; *answer owns them. */
static int get_samples(struct client *client, const char *model, uint32_t version, cJSON **answer, const char **csv,
		       struct err *e)
{
	char path[160];
	const cJSON *item;

	*csv = NULL;
	snprintf(path, sizeof path, "/control/v1/models/%s/versions/%u/samples", model, (unsigned)version);
	if (client_get(client, path, CLIENT_TIMEOUT_MS, answer, e) != 0)
		return -1;
	item = cJSON_GetObjectItemCaseSensitive(*answer, "csv");
	if (cJSON_IsString(item) && item->valuestring[0] != '\0')
		*csv = item->valuestring;
	return 0;
}

/* The version's signature; to be released whatever comes back. */
static int get_manifest(struct client *client, const char *model, uint32_t version, struct manifest *manifest,
			struct err *e)
{
	cJSON *answer = NULL;
	const cJSON *found, *described;
	int result = -1;

	manifest_init(manifest);
	if (get_versions(client, model, &answer, e) == 0 && (found = find_version(answer, model, version, e)) != NULL &&
	    (described = json_object(found, "manifest", e)) != NULL)
		result = manifest_from_json(manifest, described, e);
	cJSON_Delete(answer);
	return result;
}

/* Whether both versions take the rows. */
static int check_rows(struct client *client, const char *model, uint32_t new_version, uint32_t old_version,
		      const char *text, size_t size, struct err *e)
{
	const uint32_t versions[] = {new_version, old_version};
	struct manifest manifest;
	int result = 0;

	for (size_t i = 0; i < 2 && result == 0; i++) {
		result = get_manifest(client, model, versions[i], &manifest, e);
		if (result == 0)
			result = bench_rows_check(&manifest, model, text, size, e);
		manifest_release(&manifest);
	}
	return result;
}

static int from_signature(struct client *client, const char *model, uint32_t version, uint64_t seed,
			  struct bench_rows *rows, struct err *e)
{
	struct manifest manifest;
	int result = get_manifest(client, model, version, &manifest, e);

	if (result == 0)
		result = bench_rows_from_signature(&manifest, model, seed, rows, e);
	manifest_release(&manifest);
	return result;
}

static void describe(struct bench_source *s, const struct bench_rows *rows, const char *origin, const char *whose)
{
	snprintf(s->origin, sizeof s->origin, "%s", origin);
	s->made = rows->origin != BENCH_ROWS_GIVEN;
	s->source_count = rows->source_count;
	if (rows->origin == BENCH_ROWS_MADE_UP)
		snprintf(s->text, sizeof s->text, "%d rows made up from the signature of %.60s", BENCH_ROWS, whose);
	else if (s->made)
		snprintf(s->text, sizeof s->text, "%d rows: the %zu of %.160s, and others made between their values",
			 BENCH_ROWS, s->source_count, whose);
	else
		snprintf(s->text, sizeof s->text, "%d rows drawn from the %zu different ones of %.160s", BENCH_ROWS,
			 s->source_count, whose);
}

static int from_samples(struct client *client, const char *model, uint32_t new_version, uint32_t old_version,
			uint64_t seed, struct bench_rows *rows, struct bench_source *source, struct err *e)
{
	const uint32_t versions[] = {new_version, old_version};
	const char *csv = NULL;
	char whose[64];
	int result = 0;

	for (size_t i = 0; i < 2; i++) {
		cJSON *answer = NULL;
		result = get_samples(client, model, versions[i], &answer, &csv, e);
		if (result == 0 && csv != NULL)
			result = bench_rows_from_csv(csv, strlen(csv), seed, rows, e);
		cJSON_Delete(answer);
		snprintf(whose, sizeof whose, "v%u's sample rows", (unsigned)versions[i]);
		if (result != 0 || csv != NULL)
			break;
	}
	if (result == 0 && csv != NULL) {
		describe(source, rows, "samples", whose);
	} else if (result == 0) {
		snprintf(whose, sizeof whose, "v%u", (unsigned)new_version);
		result = from_signature(client, model, new_version, seed, rows, e);
		describe(source, rows, "signature", whose);
	}
	return result;
}

int bench_subject_rows(struct client *client, const char *model, uint32_t new_version, uint32_t old_version,
		       const char *path, const char *origin, const char *name, const char *data, size_t size,
		       uint64_t seed, struct bench_source *source, struct err *e)
{
	struct bench_rows rows = {0};
	int result;

	*source = (struct bench_source){0};
	if (data != NULL) {
		result = check_rows(client, model, new_version, old_version, data, size, e);
		if (result == 0)
			result = bench_rows_from_csv(data, size, seed, &rows, e);
		if (result != 0)
			err_set(e, e->code, "%s: %s", name, e->text);
		describe(source, &rows, origin, name);
	} else {
		result = from_samples(client, model, new_version, old_version, seed, &rows, source, e);
	}
	if (result == 0)
		result = write_file(path, rows.csv.data, rows.csv.size, e);
	bench_rows_release(&rows);
	return result;
}

int bench_subject_limits(struct client *client, const char *model, double *ratio_max, double *memory_max, struct err *e)
{
	struct policy policy;
	cJSON *answer = NULL;
	const cJSON *object;
	char path[128];
	int result = -1;

	snprintf(path, sizeof path, "/control/v1/models/%s/policy", model);
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &answer, e) == 0 &&
	    (object = json_object(answer, "policy", e)) != NULL && policy_from_json(object, &policy, e) == 0) {
		*ratio_max = policy.bench_ratio_max;
		*memory_max = policy.bench_memory_max;
		result = 0;
	}
	cJSON_Delete(answer);
	return result;
}
