#include "ui/command/output.h"
#include "ui/command/table.h"

extern const struct command command_history;

static int history_print(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {">REVISION", "TIME", "ACTION", "ROUTE", "WHO", "REASON", NULL};
	const cJSON *revision;
	struct table *t = table_new(headers);
	char time[32];
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(revision, cJSON_GetObjectItemCaseSensitive(answer, "revisions"))
	{
		output_time(time, sizeof(time), json_find_number(revision, "at_ms"));
		table_row(t);
		table_cell(t, "%.0f", json_find_number(revision, "revision"));
		table_cell(t, "%s", time);
		bool forced = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(revision, "forced"));
		table_cell(t, "%s%s", json_find_text(revision, "action"), forced ? " FORCED" : "");
		table_cell(t, "%s", json_find_text(revision, "text"));
		table_cell(t, "%s", json_find_text(revision, "who"));
		table_cell(t, "%s", json_find_text(revision, "reason"));
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

static int history(const struct arguments *a, struct err *e)
{
	char path[160];
	struct client *client = NULL;
	cJSON *answer = NULL;
	long long limit;
	int result = -1;

	if (output_model(arguments_at(a, 0), e) != 0 || output_number(a, "limit", 1, 1000, 50, &limit, e) != 0 ||
	    output_client(a, "history", &client, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/models/%s/history?limit=%lld", arguments_at(a, 0), limit);
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e) : history_print(answer, e);
	cJSON_Delete(answer);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return history(a, &e) == 0 ? 0 : command_fail(&command_history, &e);
}

static const struct option_spec options[] = {
    {"limit", "N", "at most so many revisions (default 50, at most 1000)"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_history = {
    .name = "history",
    .arguments = "MODEL",
    .summary = "list the revisions of a model's route, newest first",
    .options = options,
    .run = run,
};
