#include "ui/command/output.h"

extern const struct command command_tested;

static cJSON *body_make(const struct arguments *a, struct err *e)
{
	const char *reason = arguments_value(a, "reason"), *against = arguments_value(a, "against");
	bool passed = arguments_flag(a, "passed");
	uint32_t version, other = 0;
	cJSON *body;

	if (output_model(arguments_at(a, 0), e) != 0 || output_version(arguments_at(a, 1), &version, e) != 0 ||
	    (against && output_version(against, &other, e) != 0))
		return NULL;
	if (passed == arguments_flag(a, "failed")) {
		err_set(e, ERR_USAGE, "a test passed or failed: give --passed or --failed");
		return NULL;
	}
	if (output_reason(a, "a result needs --reason TEXT: what was seen, or where to read it", e) != 0)
		return NULL;
	body = cJSON_CreateObject();
	if (cJSON_AddNumberToObject(body, "version", version) &&
	    cJSON_AddStringToObject(body, "kind", arguments_at(a, 2)) &&
	    (!against || cJSON_AddNumberToObject(body, "against", other)) &&
	    cJSON_AddBoolToObject(body, "passed", passed) && cJSON_AddStringToObject(body, "summary", reason))
		return body;
	cJSON_Delete(body);
	err_set(e, ERR_MEMORY, "memory is out");
	return NULL;
}

static int result_print(const struct arguments *a, const cJSON *answer, struct err *e)
{
	(void)a;
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
	cJSON *body = body_make(a, e);
	char path[128];

	if (!body)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/models/%s/tests", arguments_at(a, 0));
	return output_post(a, "tested", path, body, CLIENT_TIMEOUT_MS, result_print, e);
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
