#include "ui/command/output.h"

#include "core/text.h"

extern const struct command command_cancel;

static int cancel(const struct arguments *a, struct err *e)
{
	const char *text = arguments_at(a, 0), *reason = arguments_value(a, "reason");
	struct client *client = NULL;
	cJSON *body, *answer = NULL;
	char path[160];
	long long id;
	int result = -1;

	if (!text_integer(text, 1, INT64_MAX, &id))
		return err_set(e, ERR_INPUT, "%s is no number of a job; mldeck jobs lists them", *text ? text : "\"\"");
	if (output_client(a, "cancel", &client, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/jobs/%lld/cancel", id);
	body = cJSON_CreateObject();
	if (!body || (reason && !cJSON_AddStringToObject(body, "reason", reason)))
		err_set(e, ERR_MEMORY, "memory is out");
	else
		result = client_post(client, path, body, CLIENT_TIMEOUT_MS, &answer, e);
	if (result == 0 && arguments_flag(a, "json")) {
		result = output_json(answer, e);
	} else if (result == 0) {
		printf("Job %lld is asked to stop; what it has done is kept.\n", id);
		result = output_end(e);
	}
	cJSON_Delete(body);
	cJSON_Delete(answer);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return cancel(a, &e) == 0 ? 0 : command_fail(&command_cancel, &e);
}

static const struct option_spec options[] = {
    OPTION_REASON, OPTION_JSON, OPTION_SOCKET, OPTION_STATE, OPTION_END,
};

const struct command command_cancel = {
    .name = "cancel",
    .arguments = "ID",
    .summary = "ask a job to stop",
    .details = "The same command goes on where it stopped. A job that does not stop within ten seconds is killed, "
	       "unless it runs in a shell.",
    .options = options,
    .run = run,
};
