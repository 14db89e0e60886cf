#include "core/buf.h"
#include "core/registry.h"
#include "ui/output.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Rows for a baseline travel inside a JSON body. */
#define BASELINE_FILE_MAX ((size_t)32 << 20)
/* Loading a large forest and running its baseline rows takes a while. */
#define DEPLOY_TIMEOUT_MS 120000

extern const struct command command_deploy;

static int file_read(const char *path, struct buf *b, struct err *e)
{
	FILE *file = fopen(path, "rbe");
	char chunk[65536];
	size_t got;
	int result = 0;

	if (!file)
		return err_errno(e, errno, "%s cannot be opened", path);
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0 && b->size <= BASELINE_FILE_MAX)
		buf_add(b, chunk, got);
	if (ferror(file))
		result = err_errno(e, errno, "%s cannot be read", path);
	else if (b->size > BASELINE_FILE_MAX)
		result = err_set(e, ERR_TOO_LARGE, "%s is larger than %zu MiB; fewer rows give as good a "
				 "baseline", path, BASELINE_FILE_MAX >> 20);
	else if (b->failed)
		result = err_set(e, ERR_MEMORY, "memory is out");
	else if (b->size == 0 || memchr(b->data, '\0', b->size))
		result = err_set(e, ERR_INPUT, "%s is no CSV text", path);
	fclose(file);
	return result;
}

static cJSON *body_make(const struct arguments *a, const char *sha256, const struct buf *baseline)
{
	const char *slash = strrchr(arguments_at(a, 1), '/');
	const char *reason = arguments_value(a, "reason");
	cJSON *body = cJSON_CreateObject();
	bool whole = cJSON_AddStringToObject(body, "sha256", sha256) &&
		     cJSON_AddStringToObject(body, "file_name", slash ? slash + 1 : arguments_at(a, 1)) &&
		     cJSON_AddBoolToObject(body, "no_live", arguments_flag(a, "no-live"));

	if (whole && reason)
		whole = cJSON_AddStringToObject(body, "reason", reason) != NULL;
	if (whole && baseline->size > 0)
		whole = cJSON_AddStringToObject(body, "baseline_csv", baseline->data) != NULL;
	if (whole)
		return body;
	cJSON_Delete(body);
	return NULL;
}

static int deploy_print(const cJSON *answer, struct err *e)
{
	const cJSON *created = cJSON_GetObjectItemCaseSensitive(answer, "created");
	double version = output_value(answer, "version");
	double live = output_value(answer, "live");

	output_text(output_string(answer, "model"));
	printf(": v%.0f %s", version,
	       cJSON_IsFalse(created) ? "holds this file already; nothing was registered"
				      : "is registered");
	if (live == version)
		printf(" and live (revision %.0f).\n", output_value(answer, "revision"));
	else if (live > 0)
		printf("; v%.0f stays live.\n", live);
	else
		puts("; nothing is live.");
	if (live != version) {
		fputs("Make it live: mldeck promote ", stdout);
		output_text(output_string(answer, "model"));
		printf(" %.0f --reason TEXT\n", version);
	}
	return output_end(e);
}

static int input_check(const struct arguments *a, struct err *e)
{
	const char *reason = arguments_value(a, "reason");

	if (output_model(arguments_at(a, 0), e) != 0)
		return -1;
	if (reason && strlen(reason) >= REASON_SIZE)
		return err_set(e, ERR_INPUT, "--reason is %zu bytes long; at most %d are kept",
			       strlen(reason), REASON_SIZE - 1);
	if (access(arguments_at(a, 1), R_OK) != 0)
		return err_errno(e, errno, "%s cannot be opened", arguments_at(a, 1));
	return 0;
}

static int deploy(const struct arguments *a, struct err *e)
{
	const char *baseline_path = arguments_value(a, "baseline");
	struct client *client = NULL;
	cJSON *artifact = NULL, *body = NULL, *answer = NULL;
	struct buf baseline;
	char path[128];
	int result = -1;

	buf_init(&baseline);
	if (input_check(a, e) != 0 || (baseline_path && file_read(baseline_path, &baseline, e) != 0) ||
	    output_client(a, "deploy", &client, e) != 0 ||
	    client_upload(client, "/control/v1/artifacts", arguments_at(a, 1), &artifact, e) != 0)
		goto out;
	body = body_make(a, output_string(artifact, "sha256"), &baseline);
	if (!body) {
		err_set(e, ERR_MEMORY, "memory is out");
		goto out;
	}
	snprintf(path, sizeof(path), "/control/v1/models/%s/deploy", arguments_at(a, 0));
	if (client_post(client, path, body, DEPLOY_TIMEOUT_MS, &answer, e) != 0)
		goto out;
	result = arguments_flag(a, "json") ? output_json(answer, e) : deploy_print(answer, e);
out:
	cJSON_Delete(answer);
	cJSON_Delete(body);
	cJSON_Delete(artifact);
	client_free(client);
	buf_release(&baseline);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return deploy(a, &e) == 0 ? 0 : command_fail(&command_deploy, &e);
}

static const struct option_spec options[] = {
	{"no-live", NULL, "do not make it live, even when nothing is"},
	{"baseline", "ROWS.CSV", "rows whose predictions are the reference distribution"},
	OPTION_REASON,
	OPTION_JSON,
	OPTION_SOCKET,
	OPTION_STATE,
	OPTION_END,
};

const struct command command_deploy = {
	.name = "deploy",
	.arguments = "MODEL FILE",
	.summary = "register a model file as the next version",
	.details = "The first version of a model becomes live; later ones wait for `mldeck promote` or "
		   "`mldeck split`.",
	.options = options,
	.run = run,
};
