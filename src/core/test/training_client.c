#include "core/test/training_client.h"

#include "core/json.h"
#include "core/registry/registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE_TESTS 100

static int get_versions(struct client *client, const char *model, cJSON **answer, struct err *e)
{
	char path[128];

	snprintf(path, sizeof path, "/control/v1/models/%s/versions", model);
	return client_get(client, path, CLIENT_TIMEOUT_MS, answer, e);
}

/* The newest version of the answer that has the file. */
static uint32_t version_of(const cJSON *answer, const char *sha256)
{
	const cJSON *item;
	uint32_t version = 0;

	if (sha256[0] == '\0')
		return 0;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "versions"))
	{
		const cJSON *manifest = cJSON_GetObjectItemCaseSensitive(item, "manifest");
		uint32_t number = (uint32_t)json_find_number(item, "version");
		if (strcmp(json_find_text(manifest, "sha256"), sha256) == 0 && number > version)
			version = number;
	}
	return version;
}

int training_client_version(struct client *client, const char *model, const char *sha256, uint32_t *version,
			    struct err *e)
{
	cJSON *answer = NULL;

	*version = 0;
	if (get_versions(client, model, &answer, e) != 0)
		return -1;
	*version = version_of(answer, sha256);
	cJSON_Delete(answer);
	return 0;
}

static int get_run(struct client *client, const char *model, int64_t id, struct training_run *run, struct err *e)
{
	cJSON *test = NULL;
	char path[160];

	snprintf(path, sizeof path, "/control/v1/models/%s/tests/%" PRId64, model, id);
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &test, e) != 0)
		return -1;
	int result = training_from_test(test, run, e);
	cJSON_Delete(test);
	return result;
}

static int get_tests(struct client *client, const char *model, int64_t before, cJSON **answer, struct err *e)
{
	char path[200];

	snprintf(path, sizeof path, "/control/v1/models/%s/tests?kind=training&limit=%d&before=%" PRId64, model,
		 PAGE_TESTS, before);
	return client_get(client, path, CLIENT_TIMEOUT_MS, answer, e);
}

/* The runs of one answer: what `bench --training`, `mldeck tested` or a pipeline said of a training has no figures.
 * The id that the next answer ends before; 0: there is none. */
static int64_t take_runs(struct client *client, const char *model, const cJSON *answer,
			 struct training_run runs[TRAINING_RUNS_MAX], size_t *count)
{
	int64_t id = 0, tests = 0;
	const cJSON *item;
	struct err fault;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "tests"))
	{
		tests++;
		id = (int64_t)json_find_number(item, "id");
		if (*count < TRAINING_RUNS_MAX && get_run(client, model, id, &runs[*count], &fault) == 0)
			++*count;
	}
	return tests == PAGE_TESTS ? id : 0;
}

int training_client_runs(struct client *client, const char *model, struct training_run runs[TRAINING_RUNS_MAX],
			 size_t *count, struct err *e)
{
	cJSON *answer = NULL, *versions = NULL;
	int64_t before = 0;
	int result;

	*count = 0;
	/* A model of which nothing is deployed has runs, and no versions. */
	if (get_versions(client, model, &versions, e) != 0 && e->code != ERR_NOT_FOUND)
		return -1;
	do {
		cJSON_Delete(answer);
		answer = NULL;
		result = get_tests(client, model, before, &answer, e);
		before = result == 0 ? take_runs(client, model, answer, runs, count) : 0;
	} while (before > 0 && *count < TRAINING_RUNS_MAX);
	for (size_t i = 0; i < *count; i++) {
		uint32_t version = version_of(versions, runs[i].sha256);
		if (version > 0)
			runs[i].version = version;
	}
	cJSON_Delete(versions);
	cJSON_Delete(answer);
	return result;
}
