#include "ui/command/output.h"
#include "ui/command/table.h"

extern const struct command command_versions;

static int versions_print(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {"VERSION", "STATE", "FORMAT", ">BYTES", "SHA-256", "CREATED", "BY", NULL};
	const cJSON *version;
	struct table *t = table_new(headers);
	char time[32];
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(version, cJSON_GetObjectItemCaseSensitive(answer, "versions"))
	{
		const cJSON *manifest = cJSON_GetObjectItemCaseSensitive(version, "manifest");

		output_time(time, sizeof(time), json_find_number(version, "created_ms"));
		table_row(t);
		table_cell(t, "v%.0f", json_find_number(version, "version"));
		table_cell(t, "%s", json_find_text(version, "state"));
		table_cell(t, "%s", json_find_text(manifest, "format"));
		table_cell(t, "%.0f", json_find_number(manifest, "size_bytes"));
		table_cell(t, "%.12s", json_find_text(manifest, "sha256"));
		table_cell(t, "%s", time);
		table_cell(t, "%s", json_find_text(version, "created_by"));
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

static int versions(const struct arguments *a, struct err *e)
{
	char path[128];
	struct client *client = NULL;
	cJSON *answer = NULL;
	int result = -1;

	if (output_model(arguments_at(a, 0), e) != 0 || output_client(a, "versions", &client, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/models/%s/versions", arguments_at(a, 0));
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e) : versions_print(answer, e);
	cJSON_Delete(answer);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return versions(a, &e) == 0 ? 0 : command_fail(&command_versions, &e);
}

static const struct option_spec options[] = {OPTION_JSON, OPTION_SOCKET, OPTION_STATE, OPTION_END};

const struct command command_versions = {
    .name = "versions",
    .arguments = "MODEL",
    .summary = "list the versions of a model",
    .options = options,
    .run = run,
};
