#include "ui/command/output.h"

extern const struct command command_approve;

static int approval_print(const struct arguments *a, const cJSON *answer, struct err *e)
{
	const cJSON *approval = cJSON_GetObjectItemCaseSensitive(answer, "approval");
	double against = json_find_number(approval, "against");

	output_text(arguments_at(a, 0));
	printf(": v%.0f is approved by ", json_find_number(approval, "version"));
	output_text(json_find_text(approval, "who"));
	if (against > 0)
		printf(" to replace v%.0f.\n", against);
	else
		puts("; nothing is live.");
	return output_end(e);
}

static cJSON *body_make(const struct arguments *a, struct err *e)
{
	const char *reason = arguments_value(a, "reason");
	uint32_t version;
	cJSON *body;

	if (output_model(arguments_at(a, 0), e) != 0 || output_version(arguments_at(a, 1), &version, e) != 0 ||
	    output_reason(a, "an approval needs --reason TEXT, which the audit keeps: what you looked at", e) != 0)
		return NULL;
	body = cJSON_CreateObject();
	if (cJSON_AddNumberToObject(body, "version", version) && cJSON_AddStringToObject(body, "reason", reason))
		return body;
	cJSON_Delete(body);
	err_set(e, ERR_MEMORY, "memory is out");
	return NULL;
}

static int approve(const struct arguments *a, struct err *e)
{
	cJSON *body = body_make(a, e);
	char path[128];

	if (!body)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/models/%s/approve", arguments_at(a, 0));
	return output_post(a, "approve", path, body, CLIENT_TIMEOUT_MS, approval_print, e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return approve(a, &e) == 0 ? 0 : command_fail(&command_approve, &e);
}

static const struct option_spec options[] = {OPTION_REASON, OPTION_JSON, OPTION_SOCKET, OPTION_STATE, OPTION_END};

const struct command command_approve = {
    .name = "approve",
    .arguments = "MODEL VERSION",
    .summary = "confirm as a second person that a version may replace the live one",
    .details = "Where a model's policy has second_person, a version gets traffic only when somebody else than who asks "
	       "for it approved it, against the version that is live, and not too long ago.",
    .options = options,
    .run = run,
};
