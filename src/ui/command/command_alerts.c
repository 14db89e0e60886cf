#include "core/alert.h"
#include "ui/command/output.h"
#include "ui/command/table.h"

#include <inttypes.h>
#include <math.h>

extern const struct command command_alerts;

static void alert_row(struct table *t, const struct alert *alert)
{
	char since[32];

	output_time(since, sizeof(since), (double)alert->since_ms);
	table_row(t);
	table_cell(t, "%" PRId64, alert->id);
	table_cell(t, "%s", alert_state_name(alert->state));
	table_cell(t, "%s", since);
	table_cell(t, "%s", alert->rule);
	table_cell(t, alert->version ? "%s v%u" : "%s", alert->model, alert->version);
	table_cell(t, "%s%s%s", alert->who, alert->note[0] ? ": " : "", alert->note);
	table_cell(t, "%s", alert->text);
}

static int alerts_print(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {">ALERT", "STATE",        "SINCE", "RULE",
					      "MODEL",  "ACKNOWLEDGED", "WHAT",  NULL};
	const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(answer, "alerts");
	struct alert alert;
	struct table *t;
	int result = 0;

	if (cJSON_GetArraySize(list) == 0) {
		puts("There are no alerts.");
		return output_end(e);
	}
	t = table_new(headers);
	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(item, list)
	{
		result = alert_from_json(item, &alert, e);
		if (result != 0)
			break;
		alert_row(t, &alert);
	}
	if (result == 0)
		result = table_print(t, e);
	table_free(t);
	return result;
}

static int alerts(const struct arguments *a, struct err *e)
{
	struct client *client = NULL;
	cJSON *answer = NULL;
	char path[64];
	long long limit;
	int result = -1;

	if (output_number(a, "limit", 1, 1000, 50, &limit, e) != 0 || output_client(a, "alerts", &client, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/alerts?limit=%lld", limit);
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e) : alerts_print(answer, e);
	cJSON_Delete(answer);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return alerts(a, &e) == 0 ? 0 : command_fail(&command_alerts, &e);
}

static const struct option_spec options[] = {
    {"limit", "N", "at most so many alerts (default 50, at most 1000)"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_alerts = {
    .name = "alerts",
    .arguments = "",
    .summary = "list what is wrong, and what was: firing alerts, acknowledged ones, then those that are over",
    .details = "`mldeck ack ID` says that somebody looks at one.",
    .options = options,
    .run = run,
};
