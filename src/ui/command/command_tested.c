#include "ui/command/output.h"

extern const struct command command_tested;

static int body_fill(const struct arguments *a, cJSON *body, struct err *e)
{
	const char *reason = arguments_value(a, "reason"), *against = arguments_value(a, "against");
	bool passed = arguments_flag(a, "passed");
	uint32_t version, other = 0;

	if (output_model(arguments_at(a, 0), e) != 0 || output_version(arguments_at(a, 1), &version, e) != 0 ||
	    (against && output_version(against, &other, e) != 0))
		return -1;
	if (passed == arguments_flag(a, "failed"))
		return err_set(e, ERR_USAGE, "a test passed or failed: give --passed or --failed");
	if (output_reason(a, "a result needs --reason TEXT: what was seen, or where to read it", e) != 0)
		return -1;
	if (cJSON_AddNumberToObject(body, "version", version) &&
	    cJSON_AddStringToObject(body, "kind", arguments_at(a, 2)) &&
	    (!against || cJSON_AddNumberToObject(body, "against", other)) &&
	    cJSON_AddBoolToObject(body, "passed", passed) && cJSON_AddStringToObject(body, "summary", reason))
		return 0;
	return err_set(e, ERR_MEMORY, "memory is out");
}

static int result_print(const cJSON *answer, struct err *e)
{
	output_text(json_find_text(answer, "model"));
	fputs(": the ", stdout);
	output_text(json_find_text(answer, "kind"));
	printf(" test of v%.0f", json_find_number(answer, "version"));
	if (json_find_number(answer, "against") > 0)
		printf(" against v%.0f", json_find_number(answer, "against"));
	printf(" %s.\n", cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "passed")) ? "passed" : "failed");
	return output_end(e);
}

static int tested(const struct arguments *a, struct err *e)
{
	struct client *client = NULL;
	cJSON *body = cJSON_CreateObject(), *answer = NULL;
	char path[128];
	int result = -1;

	if (body_fill(a, body, e) != 0 || output_client(a, "tested", &client, e) != 0)
		goto out;
	snprintf(path, sizeof(path), "/control/v1/models/%s/tests", arguments_at(a, 0));
	if (client_post(client, path, body, CLIENT_TIMEOUT_MS, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e) : result_print(answer, e);
out:
	cJSON_Delete(answer);
	client_free(client);
	cJSON_Delete(body);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return tested(a, &e) == 0 ? 0 : command_fail(&command_tested, &e);
}

static const struct option_spec options[] = {
    {"passed", NULL, "it passed"},
    {"failed", NULL, "it failed"},
    {"against", "VERSION", "the version that it was compared with (the live one)"},
    OPTION_REASON,
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_tested = {
    .name = "tested",
    .arguments = "MODEL VERSION KIND",
    .summary = "record what a test of a version gave that ran elsewhere",
    .details = "For pipelines with tests of their own. KIND is differential, benchmark, training or stress. Where a "
	       "model's policy "
	       "has tests, the newest result of each kind for a version and the live one decides.",
    .options = options,
    .run = run,
};
