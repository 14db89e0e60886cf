/* export: asks the runtime for models and their versions, and writes the artifacts. */
#include "ui/command/export.h"

#include "core/csv.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/models_file.h"
#include "ui/command/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSIONS_TIMEOUT_MS 60000

int export_begin(struct export_state *x, struct err *e)
{
	buf_init(&x->text);
	return output_snapshot(x->client, 1, &x->snapshot, e);
}

void export_release(struct export_state *x)
{
	snapshot_free(x->snapshot);
	buf_release(&x->text);
	free(x->prefix);
}

/* --- the folder --- */

/* The folder of a file that may not be there yet, absolute; malloc'd. */
static char *folder_of(const char *output, struct err *e)
{
	const char *slash = output ? strrchr(output, '/') : NULL;
	char *name = slash ? strndup(output, (size_t)(slash - output) + 1) : strdup(".");
	char *whole = name ? realpath(name, NULL) : NULL;

	if (!whole)
		err_errno(e, errno, "the folder %s cannot be opened", name ? name : "");
	free(name);
	return whole;
}

/* "artifacts/" where the models file is above it, else the absolute name. */
static int prefix_make(struct export_state *x, const char *own, const char *artifacts, struct err *e)
{
	size_t size = strcmp(own, "/") == 0 ? 0 : strlen(own);
	const char *rest = artifacts;

	if (strncmp(artifacts, own, size) == 0 && (artifacts[size] == '/' || artifacts[size] == '\0'))
		rest = artifacts[size] ? artifacts + size + 1 : "";
	if (asprintf(&x->prefix, "%s%s", rest, *rest ? "/" : "") < 0) {
		x->prefix = NULL;
		return err_set(e, ERR_MEMORY, "memory is out");
	}
	if (*rest && (!export_plain(rest) || strlen(rest) > MODELS_LINE_MAX - DIGEST_SIZE - 24))
		return err_set(
		    e, ERR_INPUT,
		    "a models file cannot name %s: keep the artifacts in a folder beside it, of a short and plain "
		    "name",
		    rest);
	return 0;
}

int export_folder(struct export_state *x, const char *folder, const char *output, struct err *e)
{
	char *artifacts = NULL, *own = NULL;
	int result = -1;

	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return err_errno(e, errno, "the folder %s cannot be made", folder);
	artifacts = realpath(folder, NULL);
	if (!artifacts)
		err_errno(e, errno, "the folder %s cannot be opened", folder);
	else if ((own = folder_of(output, e)) != NULL)
		result = prefix_make(x, own, artifacts, e);
	x->folder = folder;
	free(own);
	free(artifacts);
	return result;
}

/* --- artifacts --- */

/* Whether the file is there and holds what its name says: an earlier export's. */
static bool is_there(const char *path, const char *sha256)
{
	FILE *file = fopen(path, "rbe");
	struct digest *digest = file ? digest_new(NULL) : NULL;
	char chunk[65536], now[DIGEST_SIZE] = "";
	bool whole = digest != NULL;
	size_t got;

	while (whole && (got = fread(chunk, 1, sizeof(chunk), file)) > 0)
		whole = digest_add(digest, chunk, got, NULL) == 0;
	whole = whole && !ferror(file) && digest_end(digest, now, NULL) == 0 && strcmp(now, sha256) == 0;
	digest_free(digest);
	if (file)
		fclose(file);
	return whole;
}

/* Of the runtime; or of text, when that is not NULL. */
static int fill(struct export_state *x, FILE *file, const char *sha256, const struct buf *text, struct err *e)
{
	if (!text)
		return client_download(x->client, sha256, file, e);
	if (fwrite(text->data, 1, text->size, file) != text->size || fflush(file) != 0)
		return err_errno(e, errno, "%s cannot be written", x->folder);
	return 0;
}

/* DIR/SHA256, under another name until it is whole. */
static int artifact_write_file(struct export_state *x, const char *sha256, const struct buf *text, struct err *e)
{
	char *path = NULL, *temporary = NULL;
	FILE *file = NULL;
	int result = -1;

	if (asprintf(&path, "%s/%s", x->folder, sha256) < 0)
		path = NULL;
	if (asprintf(&temporary, "%s/.%s.%ld", x->folder, sha256, (long)getpid()) < 0)
		temporary = NULL;
	if (!path || !temporary) {
		err_set(e, ERR_MEMORY, "memory is out");
		goto out;
	}
	if (is_there(path, sha256)) {
		result = 0;
		goto out;
	}
	file = fopen(temporary, "wbe");
	if (!file) {
		err_errno(e, errno, "%s cannot be written", temporary);
		goto out;
	}
	result = fill(x, file, sha256, text, e);
	if (fclose(file) != 0 && result == 0)
		result = err_errno(e, errno, "%s cannot be written", temporary);
	if (result == 0 && rename(temporary, path) != 0)
		result = err_errno(e, errno, "%s cannot be written", path);
	if (result != 0)
		unlink(temporary);
	else
		x->artifact_count++;
out:
	free(temporary);
	free(path);
	return result;
}

/* "baseline.2 = artifacts/HEX", and that file. */
static int option_write(struct export_state *x, const char *name, uint32_t version, const struct buf *text,
			struct err *e)
{
	char sha256[DIGEST_SIZE];

	if (text->failed)
		return err_set(e, ERR_MEMORY, "memory is out");
	if (digest_of(text->data, text->size, sha256, e) != 0 || artifact_write_file(x, sha256, text, e) != 0)
		return -1;
	buf_format(&x->text, "%s.%u = %s%s\n", name, version, x->prefix, sha256);
	return 0;
}

static int features_write(struct export_state *x, uint32_t version, const cJSON *manifest, struct err *e)
{
	const cJSON *names = cJSON_GetObjectItemCaseSensitive(manifest, "feature_names"), *name;
	struct buf text;
	int result;

	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(manifest, "features_given")))
		return 0;
	buf_init(&text);
	cJSON_ArrayForEach(name, names)
	{
		if (text.size > 0)
			buf_add_char(&text, ',');
		if (cJSON_IsString(name))
			csv_write(&text, name->valuestring, strlen(name->valuestring));
	}
	buf_add_char(&text, '\n');
	result = option_write(x, models_option_name(MODELS_FEATURES), version, &text, e);
	buf_release(&text);
	return result;
}

/* One that was learned from live predictions is no part of what was deployed. */
static int baseline_write(struct export_state *x, uint32_t version, const cJSON *baseline, struct err *e)
{
	char *printed;
	struct buf text;
	int result;

	if (!cJSON_IsObject(baseline) || strcmp(json_find_text(baseline, "source"), "rows") != 0)
		return 0;
	printed = cJSON_PrintUnformatted(baseline);
	if (!printed)
		return err_set(e, ERR_MEMORY, "memory is out");
	buf_init(&text);
	buf_format(&text, "%s\n", printed);
	cJSON_free(printed);
	result = option_write(x, models_option_name(MODELS_BASELINE), version, &text, e);
	buf_release(&text);
	return result;
}

/* What the version is warmed up with: given at its deploy, or the first rows of its baseline. */
static int samples_write(struct export_state *x, const char *model, uint32_t version, struct err *e)
{
	char path[128];
	cJSON *answer;
	struct buf text;
	int result = 0;

	snprintf(path, sizeof(path), "/control/v1/models/%s/versions/%u/samples", model, version);
	if (client_get(x->client, path, CLIENT_TIMEOUT_MS, &answer, e) != 0)
		return -1;
	buf_init(&text);
	buf_add_string(&text, json_find_text(answer, "csv"));
	if (text.size > 0)
		result = option_write(x, models_option_name(MODELS_SAMPLES), version, &text, e);
	buf_release(&text);
	cJSON_Delete(answer);
	return result;
}

/* --- a model --- */

static int version_write(struct export_state *x, const char *model, const cJSON *version, struct err *e)
{
	const cJSON *manifest = cJSON_GetObjectItemCaseSensitive(version, "manifest");
	const char *sha256 = json_find_text(manifest, "sha256"), *name = json_find_text(manifest, "file_name");
	uint32_t number = (uint32_t)json_find_number(version, "version");

	if (number == 0 || !digest_valid(sha256))
		return err_set(e, ERR_SYSTEM, "the runtime's list of versions has one without number or digest");
	x->version_count++;
	if (!x->folder) {
		buf_format(&x->text, "version.%u = sha256:%s\n", number, sha256);
		return 0;
	}
	buf_format(&x->text, "version.%u = %s%s\n", number, x->prefix, sha256);
	if (export_plain(name))
		buf_format(&x->text, "%s.%u = %s\n", models_option_name(MODELS_NAME), number, name);
	if (artifact_write_file(x, sha256, NULL, e) != 0 || features_write(x, number, manifest, e) != 0 ||
	    samples_write(x, model, number, e) != 0)
		return -1;
	return baseline_write(x, number, cJSON_GetObjectItemCaseSensitive(version, "baseline"), e);
}

static int versions_write(struct export_state *x, const char *model, struct err *e)
{
	char path[128];
	cJSON *answer;
	const cJSON *version;
	int result = 0;

	snprintf(path, sizeof(path), "/control/v1/models/%s/versions", model);
	if (client_get(x->client, path, VERSIONS_TIMEOUT_MS, &answer, e) != 0)
		return -1;
	cJSON_ArrayForEach(version, cJSON_GetObjectItemCaseSensitive(answer, "versions"))
	{
		if (result == 0)
			result = version_write(x, model, version, e);
	}
	cJSON_Delete(answer);
	return result;
}

int export_model(struct export_state *x, struct snapshot_model *m, struct err *e)
{
	buf_format(&x->text, "%s[model %s]\n", x->text.size > 0 ? "\n" : "", m->name);
	if (versions_write(x, m->name, e) != 0)
		return -1;
	export_route(&x->text, m);
	if (m->policy_set)
		export_policy(&x->text, &m->policy);
	x->model_count++;
	return x->text.failed ? err_set(e, ERR_MEMORY, "memory is out") : 0;
}
