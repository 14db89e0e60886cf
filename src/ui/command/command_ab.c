#include "ui/command/ab_plan.h"
#include "ui/command/ab_print.h"
#include "ui/command/output.h"

#include <string.h>

#define CHANGE_TIMEOUT_MS 120000 /* a start loads and warms up what its arms name */

extern const struct command command_ab;

/* The sentence follows on stderr; a failure to print must not hide it. */
static void refusal_print(const struct arguments *a, const cJSON *refusal)
{
	struct err e = {0};

	if (!cJSON_GetObjectItemCaseSensitive(refusal, "gates"))
		return;
	if (arguments_flag(a, "json"))
		output_json(refusal, &e);
	else if (ab_print_gates(refusal, &e) == 0)
		output_end(&e);
}

/* What every change may have; body is the caller's. */
static int change_fill(const struct arguments *a, cJSON *body, struct err *e)
{
	const char *reason = arguments_value(a, "reason");
	long long expected;

	if (output_reason(a, arguments_flag(a, "dry-run") ? NULL : OUTPUT_REASON_NEEDED, e) != 0 ||
	    output_number(a, "expect-revision", 0, UINT32_MAX, -1, &expected, e) != 0)
		return -1;
	if ((reason && !cJSON_AddStringToObject(body, "reason", reason)) ||
	    (expected >= 0 && !cJSON_AddNumberToObject(body, "expect_revision", (double)expected)) ||
	    (arguments_flag(a, "dry-run") && !cJSON_AddTrueToObject(body, "dry_run")) ||
	    (arguments_flag(a, "force") && !cJSON_AddTrueToObject(body, "force")))
		return err_set(e, ERR_MEMORY, "memory is out");
	return 0;
}

/* The control call that does what a dry run told. */
static int call_print(const char *path, cJSON *body, struct err *e)
{
	char *text;

	cJSON_DeleteItemFromObjectCaseSensitive(body, "dry_run");
	text = cJSON_PrintUnformatted(body);
	printf("\nThe call: POST %s\n", path);
	output_text(text ? text : "");
	putchar('\n');
	cJSON_free(text);
	return output_end(e);
}

/* Body is taken. */
static int change_send(const struct arguments *a, const char *path, cJSON *body, bool is_start, struct err *e)
{
	struct client *client = NULL;
	cJSON *answer = NULL;
	int result = -1;

	if (body && change_fill(a, body, e) == 0 && output_client(a, "ab", &client, e) == 0) {
		if (client_post(client, path, body, CHANGE_TIMEOUT_MS, &answer, e) == 0)
			result =
			    arguments_flag(a, "json") ? output_json(answer, e) : ab_print_change(answer, is_start, e);
		else
			refusal_print(a, client_refusal(client));
	}
	if (result == 0 && arguments_flag(a, "dry-run") && !arguments_flag(a, "json"))
		result = call_print(path, body, e);
	cJSON_Delete(answer);
	client_free(client);
	cJSON_Delete(body);
	return result;
}

/* --- the verbs --- */

static int ab_start(const struct arguments *a, struct client *client, bool *passes, struct err *e)
{
	char path[160];

	(void)client;
	(void)passes;
	if (arguments_count(a) > 2)
		return err_set(e, ERR_USAGE, "the name of a new test is given with --name, or in --plan");
	snprintf(path, sizeof(path), "/control/v1/models/%s/experiments", arguments_at(a, 1));
	return change_send(a, path, ab_plan_body(a, e), true, e);
}

static cJSON *list_get(struct client *client, struct err *e)
{
	cJSON *answer = NULL;

	return client_get(client, "/control/v1/experiments?limit=1000", CLIENT_TIMEOUT_MS, &answer, e) == 0 ? answer
													    : NULL;
}

/* The test that is named, else the model's running one, else its latest. */
static int name_find(const struct arguments *a, struct client *client, char name[TEXT_NAME_MAX + 1], struct err *e)
{
	const char *model = arguments_at(a, 1), *named = arguments_at(a, 2);
	const cJSON *item;
	cJSON *answer;

	if (named) {
		snprintf(name, TEXT_NAME_MAX + 1, "%s", named);
		return text_name_valid(named) ? 0 : err_set(e, ERR_INPUT, "%s is no name of an A/B test", named);
	}
	answer = list_get(client, e);
	if (!answer)
		return -1;
	name[0] = '\0';
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "experiments"))
	{
		if (strcmp(json_find_text(item, "model"), model) != 0)
			continue;
		snprintf(name, TEXT_NAME_MAX + 1, "%s", json_find_text(item, "name"));
		break;
	}
	cJSON_Delete(answer);
	return text_name_valid(name) ? 0 : err_set(e, ERR_NOT_FOUND, "%s has no A/B test", model);
}

static int ab_stop(const struct arguments *a, struct client *client, bool *passes, struct err *e)
{
	char path[256], name[TEXT_NAME_MAX + 1];
	const char *promote = arguments_value(a, "promote");
	uint32_t version = 0;
	cJSON *body;

	(void)passes;
	if (promote && arguments_flag(a, "keep"))
		return err_set(e, ERR_USAGE, "--keep and --promote exclude each other");
	if (arguments_value(a, "expect-revision"))
		return err_set(e, ERR_USAGE,
			       "ab stop goes back whatever the revision is: it takes no --expect-revision");
	if ((promote && output_version(promote, &version, e) != 0) || name_find(a, client, name, e) != 0)
		return -1;
	body = cJSON_CreateObject();
	if (promote)
		cJSON_AddNumberToObject(body, "promote", version);
	if (arguments_flag(a, "keep"))
		cJSON_AddTrueToObject(body, "keep");
	snprintf(path, sizeof(path), "/control/v1/models/%s/experiments/%s/stop", arguments_at(a, 1), name);
	return change_send(a, path, body, false, e);
}

static int ab_status(const struct arguments *a, struct client *client, bool *passes, struct err *e)
{
	char path[256], name[TEXT_NAME_MAX + 1];
	cJSON *answer = NULL;
	long long looks;
	int result = -1;

	if (output_number(a, "log", 0, SNAPSHOT_LOOKS_MAX, 20, &looks, e) != 0 || name_find(a, client, name, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/models/%s/experiments/%s?log=%lld", arguments_at(a, 1), name, looks);
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &answer, e) != 0)
		return -1;
	if (arguments_flag(a, "json")) {
		const char *verdict = json_find_text(answer, "verdict");

		*passes = strcmp(verdict, "WORSE") != 0 && strcmp(verdict, "INVALID") != 0;
		result = output_json(answer, e);
	} else {
		result = ab_print_status(answer, passes, e);
	}
	cJSON_Delete(answer);
	return result;
}

/* Of one model, or of all. */
static int ab_list(const struct arguments *a, struct client *client, bool *passes, struct err *e)
{
	const char *model = arguments_at(a, 1);
	cJSON *answer = list_get(client, e), *list = cJSON_GetObjectItemCaseSensitive(answer, "experiments");
	int result;

	(void)passes;
	if (!answer)
		return -1;
	for (int i = cJSON_GetArraySize(list); model && i-- > 0;)
		if (strcmp(json_find_text(cJSON_GetArrayItem(list, i), "model"), model) != 0)
			cJSON_DeleteItemFromArray(list, i);
	result = arguments_flag(a, "json") ? output_json(answer, e) : ab_print_list(answer, e);
	cJSON_Delete(answer);
	return result;
}

static const struct {
	const char *name;
	int (*run)(const struct arguments *a, struct client *client, bool *passes, struct err *e);
	bool model_needed;
} verbs[] = {{"start", ab_start, true}, {"status", ab_status, true}, {"stop", ab_stop, true}, {"list", ab_list, false}};

static int ab(const struct arguments *a, bool *passes, struct err *e)
{
	struct client *client = NULL;
	size_t i = 0, count = sizeof(verbs) / sizeof(verbs[0]);
	int result = -1;

	while (i < count && strcmp(arguments_at(a, 0), verbs[i].name) != 0)
		i++;
	if (i == count)
		return err_set(e, ERR_USAGE, "ab is followed by start, status, stop or list, not %s",
			       arguments_at(a, 0));
	if (verbs[i].model_needed && !arguments_at(a, 1))
		return err_set(e, ERR_USAGE, "ab %s needs a MODEL", verbs[i].name);
	if (arguments_at(a, 1) && output_model(arguments_at(a, 1), e) != 0)
		return -1;
	if (output_client(a, "ab", &client, e) == 0)
		result = verbs[i].run(a, client, passes, e);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};
	bool passes = true;

	if (ab(a, &passes, &e) != 0)
		return command_fail(&command_ab, &e);
	return passes ? 0 : 1;
}

static const struct option_spec options[] = {
    AB_PLAN_OPTIONS,
    {"keep", NULL, "stop: the route stays as it is"},
    {"promote", "VERSION", "stop: this version gets all requests"},
    {"log", "N", "status: so many of the newest looks with --json (default 20, at most 80)"},
    OPTION_FORCE,
    OPTION_REASON,
    OPTION_EXPECT,
    OPTION_DRY_RUN,
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_ab = {
    .name = "ab",
    .arguments = "WHAT [MODEL] [NAME]",
    .summary = "start, look at, and end A/B tests on live requests",
    .details =
	"WHAT is start, status, stop or list. start takes a plan from --plan, from options, or both; with --dry-run it "
	"says how many units each metric "
	"needs, and how long that takes at the traffic of the last minute. status looks, which is logged, and ends "
	"with exit code 1 when the verdict is WORSE or INVALID. Without a NAME the model's running test is meant, "
	"else its latest. stop brings the route of before back, unless --keep or --promote say otherwise.",
    .options = options,
    .run = run,
};
