#include "ui/command/output.h"

#include "core/clock.h"

#define STOP_MS 35000 /* longer than a runtime drains */
#define POLL_MS 50

extern const struct command command_stop;

/* Until nothing takes a connection on the socket; while it drains, it still answers or is slow to. */
static int end_wait(struct client *client, struct err *e)
{
	int64_t deadline = clock_ms() + STOP_MS;
	struct err ending;
	cJSON *json;

	while (clock_ms() < deadline) {
		int64_t start = clock_ms();

		if (client_get(client, "/control/v1/snapshot", CLIENT_TIMEOUT_MS, &json, &ending) == 0)
			cJSON_Delete(json);
		else if (ending.code == ERR_UNREACHABLE && clock_ms() - start < CLIENT_TIMEOUT_MS)
			return 0;
		clock_pause_ms(POLL_MS);
	}
	return err_set(e, ERR_SYSTEM, "the runtime was told to stop but still answers after %d s", STOP_MS / 1000);
}

static int stop_send(const struct arguments *a, struct client *client, cJSON **answer, struct err *e)
{
	const char *reason = arguments_value(a, "reason");
	cJSON *body = cJSON_CreateObject();
	int result;

	*answer = NULL;
	if (!body || (reason && !cJSON_AddStringToObject(body, "reason", reason)))
		result = err_set(e, ERR_MEMORY, "memory is out");
	else
		result = client_post(client, "/control/v1/stop", body, CLIENT_TIMEOUT_MS, answer, e);
	cJSON_Delete(body);
	return result;
}

static int stop(const struct arguments *a, struct err *e)
{
	struct client *client;
	cJSON *answer = NULL;
	int result;

	if (output_client(a, "stop", &client, e) != 0)
		return -1;
	result = stop_send(a, client, &answer, e);
	if (result == 0)
		result = end_wait(client, e);
	if (result == 0 && arguments_flag(a, "json")) {
		result = output_json(answer, e);
	} else if (result == 0) {
		puts("The runtime has stopped.");
		result = output_end(e);
	}
	cJSON_Delete(answer);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return stop(a, &e) == 0 ? 0 : command_fail(&command_stop, &e);
}

static const struct option_spec options[] = {
    OPTION_REASON, OPTION_JSON, OPTION_SOCKET, OPTION_STATE, OPTION_END,
};

const struct command command_stop = {
    .name = "stop",
    .arguments = "",
    .summary = "let the runtime finish its requests and end",
    .details = "Waits until it is gone. A demo that was left serving has a state directory of its own:\n"
	       "mldeck stop --state ~/.local/state/mldeck-demo",
    .options = options,
    .run = run,
};
