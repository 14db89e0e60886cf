#include "core/alert.h"
#include "core/text.h"
#include "ui/command/output.h"

#include <inttypes.h>

extern const struct command command_ack;

static int acknowledge(const struct arguments *a, struct err *e)
{
	const char *text = arguments_at(a, 0), *note = arguments_value(a, "note");
	struct client *client = NULL;
	cJSON *body, *answer = NULL;
	struct alert alert;
	char path[64];
	long long id;
	int result = -1;

	if (!text_integer(text, 1, INT64_MAX, &id))
		return err_set(e, ERR_INPUT, "%s is no number of an alert; mldeck alerts lists them",
			       *text ? text : "\"\"");
	if (output_client(a, "ack", &client, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/alerts/%lld/acknowledge", id);
	body = cJSON_CreateObject();
	if (!body || (note && !cJSON_AddStringToObject(body, "note", note)))
		err_set(e, ERR_MEMORY, "memory is out");
	else
		result = client_post(client, path, body, CLIENT_TIMEOUT_MS, &answer, e);
	if (result == 0 && arguments_flag(a, "json")) {
		result = output_json(answer, e);
	} else if (result == 0) {
		result = alert_from_json(cJSON_GetObjectItemCaseSensitive(answer, "alert"), &alert, e);
		if (result == 0) {
			printf("Alert %" PRId64 " is acknowledged: ", alert.id);
			output_text(alert.text);
			putchar('\n');
			result = output_end(e);
		}
	}
	cJSON_Delete(body);
	cJSON_Delete(answer);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return acknowledge(a, &e) == 0 ? 0 : command_fail(&command_ack, &e);
}

static const struct option_spec options[] = {
    {"note", "TEXT", "what is known or done about it; kept in the audit"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_ack = {
    .name = "ack",
    .arguments = "ID",
    .summary = "acknowledge an alert: somebody looks at it",
    .details = "It stays until what it is about is over; `mldeck alerts` lists them.",
    .options = options,
    .run = run,
};
