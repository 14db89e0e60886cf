#include "ui/output.h"
#include "ui/table.h"

extern const struct command command_audit;

static int audit_print(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {">ID",     "TIME",   "WHO",    "ACTION", "MODEL", ">REVISION",
					      "OUTCOME", "CLIENT", "REASON", "DETAIL", NULL};
	const cJSON *record;
	struct table *t = table_new(headers);
	char time[32];
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(record, cJSON_GetObjectItemCaseSensitive(answer, "records"))
	{
		double revision = json_find_number(record, "revision");

		output_time(time, sizeof(time), json_find_number(record, "at_ms"));
		table_row(t);
		table_cell(t, "%.0f", json_find_number(record, "id"));
		table_cell(t, "%s", time);
		table_cell(t, "%s", json_find_text(record, "who"));
		table_cell(t, "%s", json_find_text(record, "action"));
		table_cell(t, "%s", json_find_text(record, "model"));
		if (revision > 0)
			table_cell(t, "%.0f", revision);
		else
			table_cell(t, "-");
		table_cell(t, "%s", json_find_text(record, "outcome"));
		table_cell(t, "%s", json_find_text(record, "client"));
		table_cell(t, "%s", json_find_text(record, "reason"));
		table_cell(t, "%s", json_find_text(record, "detail"));
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

static int audit(const struct arguments *a, struct err *e)
{
	const char *model = arguments_at(a, 0);
	char path[192];
	struct client *client = NULL;
	cJSON *answer = NULL;
	long long limit;
	int result = -1;

	if ((model && output_model(model, e) != 0) || output_number(a, "limit", 1, 1000, 100, &limit, e) != 0 ||
	    output_client(a, "audit", &client, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/audit?limit=%lld%s%s", limit, model ? "&model=" : "",
		 model ? model : "");
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e) : audit_print(answer, e);
	cJSON_Delete(answer);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return audit(a, &e) == 0 ? 0 : command_fail(&command_audit, &e);
}

static const struct option_spec options[] = {
    {"limit", "N", "at most so many records (default 100, at most 1000)"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_audit = {
    .name = "audit",
    .arguments = "[MODEL]",
    .summary = "list who changed what, when and why, newest first",
    .options = options,
    .run = run,
};
