#include "ui/command/output.h"
#include "ui/command/table.h"

#include <string.h>

extern const struct command command_policy;

/* --- printing --- */

static int rows_print(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {"SETTING", "VALUE", "DEFAULT", "WHAT IT DEMANDS", NULL};
	const cJSON *row;
	struct table *t = table_new(headers);
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(answer, "rows"))
	{
		const char *value = json_find_text(row, "value"), *standard = json_find_text(row, "default");

		table_row(t);
		table_cell(t, "%s", json_find_text(row, "name"));
		table_cell(t, "%s", *value ? value : "-");
		table_cell(t, "%s", strcmp(value, standard) == 0 ? "" : *standard ? standard : "-");
		table_cell(t, "%s", json_find_text(row, "help"));
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

static int approvals_print(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {"APPROVED", "TO REPLACE", "WHO", "TIME", "REASON", NULL};
	const cJSON *approval, *list = cJSON_GetObjectItemCaseSensitive(answer, "approvals");
	struct table *t;
	char time[32];
	int result;

	if (cJSON_GetArraySize(list) == 0)
		return 0;
	t = table_new(headers);
	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(approval, list)
	{
		double against = json_find_number(approval, "against");

		output_time(time, sizeof(time), json_find_number(approval, "at_ms"));
		table_row(t);
		table_cell(t, "v%.0f", json_find_number(approval, "version"));
		if (against > 0)
			table_cell(t, "v%.0f", against);
		else
			table_cell(t, "-");
		table_cell(t, "%s", json_find_text(approval, "who"));
		table_cell(t, "%s", time);
		table_cell(t, "%s", json_find_text(approval, "reason"));
	}
	putchar('\n');
	result = table_print(t, e);
	table_free(t);
	return result;
}

static void line_print(const char *before, const char *text, const char *after)
{
	fputs(before, stdout);
	output_text(text);
	fputs(after, stdout);
}

static int policy_print(const cJSON *answer, struct err *e)
{
	char time[32];
	double number = json_find_number(answer, "number");

	line_print("Policy of ", json_find_text(answer, "model"), "");
	if (number > 0) {
		output_time(time, sizeof(time), json_find_number(answer, "at_ms"));
		printf(", number %.0f, set ", number);
		line_print("", time, "");
		line_print(" by ", json_find_text(answer, "who"), "");
		line_print(": ", json_find_text(answer, "reason"), "\n\n");
	} else {
		puts(": nobody set one; these are the defaults.\n");
	}
	if (rows_print(answer, e) != 0 || approvals_print(answer, e) != 0)
		return -1;
	return output_end(e);
}

static int change_print(const cJSON *answer, struct err *e)
{
	const cJSON *before = cJSON_GetObjectItemCaseSensitive(answer, "before");
	const cJSON *after = cJSON_GetObjectItemCaseSensitive(answer, "policy"), *setting;

	line_print("", json_find_text(answer, "model"), ": ");
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "dry_run")))
		puts("the policy would change so. Nothing was changed.");
	else
		printf("the policy is number %.0f.\n", json_find_number(answer, "number"));
	cJSON_ArrayForEach(setting, after)
	{
		const char *old = json_find_text(before, setting->string),
			   *new = json_find_text(after, setting->string);

		if (strcmp(old, new) == 0)
			continue;
		line_print("  ", setting->string, " = ");
		line_print("", *new ? new : "-", "  (was ");
		line_print("", *old ? old : "-", ")\n");
	}
	return output_end(e);
}

/* --- asking --- */

static bool is_change(const struct arguments *a)
{
	return arguments_count(a) > 1 || arguments_value(a, "unset") != NULL;
}

static int set_add(const struct arguments *a, cJSON *set, struct err *e)
{
	for (size_t i = 1; i < arguments_count(a); i++) {
		const char *word = arguments_at(a, i), *equals = strchr(word, '=');
		char name[64];

		if (!equals || equals == word || (size_t)(equals - word) >= sizeof(name))
			return err_set(e, ERR_INPUT, "`%.80s` is no setting: write NAME=VALUE, as in min_age=1h", word);
		memcpy(name, word, (size_t)(equals - word));
		name[equals - word] = '\0';
		if (cJSON_GetObjectItemCaseSensitive(set, name))
			return err_set(e, ERR_INPUT, "%s is there twice; give it one value", name);
		if (!cJSON_AddStringToObject(set, name, equals + 1))
			return err_set(e, ERR_MEMORY, "memory is out");
	}
	return 0;
}

static int body_fill(const struct arguments *a, cJSON *body, struct err *e)
{
	const char *reason = arguments_value(a, "reason"), *name;
	bool dry_run = arguments_flag(a, "dry-run");
	long long expected = 0;
	cJSON *set = cJSON_AddObjectToObject(body, "set"), *unset = cJSON_AddArrayToObject(body, "unset");

	if (output_reason(a, dry_run ? NULL : OUTPUT_REASON_NEEDED, e) != 0)
		return -1;
	if (output_number(a, "expect-number", 0, UINT32_MAX, -1, &expected, e) != 0 || set_add(a, set, e) != 0)
		return -1;
	for (size_t i = 0; (name = arguments_value_at(a, "unset", i)) != NULL; i++)
		cJSON_AddItemToArray(unset, cJSON_CreateString(name));
	if (!set || !unset || !cJSON_AddStringToObject(body, "reason", reason ? reason : "") ||
	    !cJSON_AddBoolToObject(body, "dry_run", dry_run) ||
	    (expected >= 0 && !cJSON_AddNumberToObject(body, "expect_number", (double)expected)))
		return err_set(e, ERR_MEMORY, "memory is out");
	return 0;
}

static int ask(const struct arguments *a, struct client *client, cJSON **answer, struct err *e)
{
	char path[128];
	cJSON *body;
	int result;

	snprintf(path, sizeof(path), "/control/v1/models/%s/policy", arguments_at(a, 0));
	if (!is_change(a))
		return client_get(client, path, CLIENT_TIMEOUT_MS, answer, e);
	body = cJSON_CreateObject();
	result = body_fill(a, body, e);
	if (result == 0)
		result = client_post(client, path, body, CLIENT_TIMEOUT_MS, answer, e);
	cJSON_Delete(body);
	return result;
}

static int policy(const struct arguments *a, struct err *e)
{
	struct client *client = NULL;
	cJSON *answer = NULL;
	int result = -1;

	if (output_model(arguments_at(a, 0), e) != 0 || output_client(a, "policy", &client, e) != 0)
		return -1;
	if (ask(a, client, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e)
			 : is_change(a)            ? change_print(answer, e)
						   : policy_print(answer, e);
	cJSON_Delete(answer);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return policy(a, &e) == 0 ? 0 : command_fail(&command_policy, &e);
}

static const struct option_spec options[] = {
    {"unset", "NAME", "give a setting its default again; may be repeated"},
    {"expect-number", "N", "refuse if the policy is no longer number N"},
    OPTION_REASON,
    OPTION_DRY_RUN,
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_policy = {
    .name = "policy",
    .arguments = "MODEL [NAME=VALUE...]",
    .summary = "show or set what a version must pass before it gets traffic",
    .details = "Without NAME=VALUE it lists the settings, and who approved which version. A policy that can never hold "
	       "is refused. Thresholds are those of the gates and of a rollout's analyses: mldeck policy churn "
	       "min_age=1h second_person=yes --reason TEXT.",
    .options = options,
    .run = run,
};
