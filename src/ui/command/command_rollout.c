#include "core/clock.h"
#include "core/rollout.h"
#include "ui/command/change.h"
#include "ui/command/finding_table.h"
#include "ui/command/output.h"
#include "ui/command/rollout_text.h"

#include <string.h>

/* A version may have to be loaded and warmed up before it gets its first share. */
#define START_TIMEOUT_MS 120000
#define WATCH_MS 500

extern const struct command command_rollout;

static const char *const verbs[] = {"pause", "resume", "abort", "skip"};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

/* The verb that was given, NULL when none was. */
static int verb_find(const struct arguments *a, const char **verb, struct err *e)
{
	*verb = NULL;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (!arguments_flag(a, verbs[i]))
			continue;
		if (*verb)
			return err_set(e, ERR_USAGE, "--%s and --%s are two changes; give one", *verb, verbs[i]);
		*verb = verbs[i];
	}
	return 0;
}

static int reason_add(const struct arguments *a, cJSON *body, struct err *e)
{
	const char *reason = arguments_value(a, "reason");

	if (output_reason(a, arguments_flag(a, "dry-run") ? NULL : OUTPUT_REASON_NEEDED, e) != 0)
		return -1;
	return !reason || cJSON_AddStringToObject(body, "reason", reason) ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

/* --- starting --- */

/* --threshold NAME=VALUE, as often as it is given. */
static int thresholds_add(const struct arguments *a, cJSON *body, struct err *e)
{
	const char *text;
	cJSON *thresholds = cJSON_AddObjectToObject(body, "thresholds");

	for (size_t i = 0; thresholds && (text = arguments_value_at(a, "threshold", i)); i++) {
		const char *equals = strchr(text, '=');
		char name[64];

		if (!equals || equals == text || (size_t)(equals - text) >= sizeof(name))
			return err_set(e, ERR_INPUT, "%s is no threshold: write NAME=VALUE, as in p99_ratio_max=2",
				       text);
		memcpy(name, text, (size_t)(equals - text));
		name[equals - text] = '\0';
		cJSON_DeleteItemFromObjectCaseSensitive(thresholds, name);
		if (!cJSON_AddStringToObject(thresholds, name, equals + 1))
			thresholds = NULL;
	}
	return thresholds ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

static int start_fill(const struct arguments *a, cJSON *body, struct err *e)
{
	const char *steps = arguments_value(a, "steps"), *hold = arguments_value(a, "hold");
	struct rollout plan;
	uint32_t version;
	long long expected = 0;

	if (!steps || !hold)
		return err_set(e, ERR_USAGE,
			       "a rollout is started with --steps and --hold, as in --steps 1,5,25 --hold 5m");
	if (output_version(arguments_at(a, 1), &version, e) != 0 || rollout_plan(&plan, steps, hold, e) != 0 ||
	    output_number(a, "expect-revision", 0, UINT32_MAX, -1, &expected, e) != 0 || reason_add(a, body, e) != 0 ||
	    thresholds_add(a, body, e) != 0)
		return -1;
	if (cJSON_AddNumberToObject(body, "version", version) && cJSON_AddStringToObject(body, "steps", steps) &&
	    cJSON_AddStringToObject(body, "hold", hold) &&
	    cJSON_AddBoolToObject(body, "dry_run", arguments_flag(a, "dry-run")) &&
	    cJSON_AddBoolToObject(body, "force", arguments_flag(a, "force")) &&
	    (expected < 0 || cJSON_AddNumberToObject(body, "expect_revision", (double)expected)))
		return 0;
	return err_set(e, ERR_MEMORY, "memory is out");
}

static int gates_print(const cJSON *answer, struct err *e)
{
	struct finding gates[FINDINGS_MAX];
	size_t count;

	if (findings_from_json(cJSON_GetObjectItemCaseSensitive(answer, "gates"), gates, &count, e) != 0)
		return -1;
	if (count > 0)
		putchar('\n');
	return finding_table_print("GATE", gates, count, e);
}

static int start_print(const struct arguments *a, const cJSON *answer, struct err *e)
{
	bool dry = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "dry_run"));
	struct rollout r;
	char line[512];

	if (rollout_from_json(cJSON_GetObjectItemCaseSensitive(answer, "rollout"), &r, e) != 0)
		return -1;
	if (dry) {
		output_text(r.model);
		fputs(": the rollout would begin with ", stdout);
		output_text(json_find_text(answer, "after"));
		printf(" (now revision %.0f, ", json_find_number(answer, "based_on"));
		output_text(json_find_text(answer, "before"));
		puts("). Nothing was changed.\n");
		if (rollout_print(&r, e) != 0)
			return -1;
	} else {
		rollout_line(&r, line, sizeof(line));
		output_text(line);
		printf(" (revision %u).\n", r.revision);
	}
	if (gates_print(answer, e) != 0)
		return -1;
	if (dry)
		change_command_print(a, "rollout", answer);
	return output_end(e);
}

/* What the gates found, where they refuse. The sentence follows on stderr; a failure to print must not hide it. */
static void refusal_print(const struct arguments *a, const cJSON *refusal)
{
	struct err e = {0};

	if (!cJSON_GetObjectItemCaseSensitive(refusal, "gates"))
		return;
	if (arguments_flag(a, "json")) {
		output_json(refusal, &e);
		return;
	}
	output_text(arguments_at(a, 0));
	puts(": rollout is refused. Nothing was changed.");
	gates_print(refusal, &e);
}

/* --- changing --- */

static int verb_print(const cJSON *answer, struct err *e)
{
	struct rollout r;
	char line[512];

	if (rollout_from_json(cJSON_GetObjectItemCaseSensitive(answer, "rollout"), &r, e) != 0)
		return -1;
	rollout_line(&r, line, sizeof(line));
	output_text(line);
	printf(" (revision %u).\n", r.revision);
	return output_end(e);
}

static int post(const struct arguments *a, struct client *client, const char *verb, struct err *e)
{
	cJSON *body = cJSON_CreateObject(), *answer = NULL;
	char path[160];
	int result;

	if (!body)
		return err_set(e, ERR_MEMORY, "memory is out");
	snprintf(path, sizeof(path), "/control/v1/models/%s/rollout%s%s", arguments_at(a, 0), verb ? "/" : "",
		 verb ? verb : "");
	result = verb ? reason_add(a, body, e) : start_fill(a, body, e);
	if (result == 0 && (result = client_post(client, path, body, START_TIMEOUT_MS, &answer, e)) != 0)
		refusal_print(a, client_refusal(client));
	if (result == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e)
			 : verb                    ? verb_print(answer, e)
						   : start_print(a, answer, e);
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return result;
}

/* --- looking --- */

/* The model's latest rollout; *found is false when it has had none. */
static int fetch(const struct arguments *a, struct client *client, struct rollout *r, bool *found, struct err *e)
{
	cJSON *answer = NULL;
	char path[160];

	snprintf(path, sizeof(path), "/control/v1/models/%s/rollouts?limit=1", arguments_at(a, 0));
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &answer, e) != 0)
		return -1;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "rollouts");
	*found = cJSON_GetArraySize(list) > 0;
	int result = *found ? rollout_from_json(cJSON_GetArrayItem(list, 0), r, e) : 0;
	cJSON_Delete(answer);
	return result;
}

static int show(const struct arguments *a, const struct rollout *r, struct err *e)
{
	cJSON *json;
	int result;

	if (!arguments_flag(a, "json"))
		return rollout_print(r, e) == 0 ? output_end(e) : -1;
	json = rollout_to_json(r);
	result = json ? output_json(json, e) : err_set(e, ERR_MEMORY, "memory is out");
	cJSON_Delete(json);
	return result;
}

static int none(const struct arguments *a, struct err *e)
{
	if (arguments_flag(a, "json")) {
		puts("null");
	} else {
		output_text(arguments_at(a, 0));
		puts(" has had no rollout yet: mldeck rollout MODEL VERSION --steps 1,5,25 --hold 5m --reason TEXT");
	}
	return output_end(e);
}

/* A line whenever the state, the step or the note changes, until it ends. */
static int watch(const struct arguments *a, struct client *client, struct rollout *r, struct err *e)
{
	char last[2 * REASON_SIZE] = "", now[2 * REASON_SIZE], line[512];
	bool found = true;

	while (!rollout_ended(r)) {
		snprintf(now, sizeof(now), "%u %s %s", r->step, rollout_state_name(r->state), r->note);
		if (strcmp(now, last) != 0 && !arguments_flag(a, "json")) {
			rollout_line(r, line, sizeof(line));
			output_text(line);
			if (r->note[0]) {
				fputs("; ", stdout);
				output_text(r->note);
			}
			putchar('\n');
			if (output_end(e) != 0)
				return -1;
		}
		memcpy(last, now, sizeof(last));
		clock_pause_ms(WATCH_MS);
		if (fetch(a, client, r, &found, e) != 0)
			return -1;
	}
	return 0;
}

/* Exit code 1 tells a pipeline that a rollout that it watched, or asks about, did not get through. */
static int look(const struct arguments *a, struct client *client, int *exit_code, struct err *e)
{
	struct rollout r;
	bool found, watching = arguments_flag(a, "watch");

	if (fetch(a, client, &r, &found, e) != 0)
		return -1;
	if (!found)
		return none(a, e);
	if (watching && watch(a, client, &r, e) != 0)
		return -1;
	if (watching && r.state != ROLLOUT_DONE)
		*exit_code = err_exit(ERR_GATE);
	return show(a, &r, e);
}

static int check_usage(const struct arguments *a, const char *verb, struct err *e)
{
	static const char *const of_start[] = {"steps", "hold", "threshold", "force", "dry-run", "expect-revision"};
	bool starting = arguments_at(a, 1) != NULL;

	if (output_model(arguments_at(a, 0), e) != 0)
		return -1;
	if (starting && verb)
		return err_set(e, ERR_USAGE, "--%s is for the rollout under way: leave VERSION out", verb);
	for (size_t i = 0; !starting && i < sizeof(of_start) / sizeof(of_start[0]); i++)
		if (arguments_flag(a, of_start[i]) || arguments_value(a, of_start[i]))
			return err_set(e, ERR_USAGE, "--%s is for starting a rollout: name the VERSION", of_start[i]);
	if (!starting && !verb && arguments_value(a, "reason"))
		return err_set(e, ERR_USAGE,
			       "--reason is for a change: name a VERSION, or --pause, --resume, --abort or "
			       "--skip");
	return 0;
}

static int rollout(const struct arguments *a, int *exit_code, struct err *e)
{
	struct client *client = NULL;
	const char *verb;
	int result = -1;

	if (verb_find(a, &verb, e) != 0 || check_usage(a, verb, e) != 0 || output_client(a, "rollout", &client, e) != 0)
		return -1;
	bool changing = verb || arguments_at(a, 1);
	result = changing ? post(a, client, verb, e) : 0;
	if (result == 0 && (!changing || (arguments_flag(a, "watch") && !arguments_flag(a, "dry-run"))))
		result = look(a, client, exit_code, e);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};
	int exit_code = 0;

	return rollout(a, &exit_code, &e) == 0 ? exit_code : command_fail(&command_rollout, &e);
}

static const struct option_spec options[] = {
    {"steps", "LIST", "the version's shares in percent, ascending, as in 1,5,25,100; a start needs it"},
    {"hold", "TIME", "how long each is held, as in 5m; or one time a step, as in 1m,5m,10m; a start needs it"},
    {"threshold", "NAME=VALUE",
     "error_margin, p99_ratio_max, p99_margin, drift_max, analysis_requests or analysis_alpha, "
     "instead of the policy's; may be repeated"},
    {"force", NULL, "override gates that do not pass; marked in the audit for ever"},
    {"pause", NULL, "stay at this step; it is still watched"},
    {"resume", NULL, "go on"},
    {"abort", NULL, "end it, with the route of before"},
    {"skip", NULL, "take the next step now"},
    {"watch", NULL, "wait until it ends: exit code 0 when it is done, 1 when it was aborted or rolled back"},
    OPTION_REASON,
    OPTION_EXPECT,
    OPTION_DRY_RUN,
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_rollout = {
    .name = "rollout",
    .arguments = "MODEL [VERSION]",
    .summary = "give a version more and more of the requests while it does well; without VERSION show how far it is",
    .details =
	"Each step is held, and left when the hold is over and the analyses pass: errors, p99 latency and "
	"predictions of the version against those of the live one. Not enough traffic waits. An analysis that fails "
	"gives the route of before back at once, and fires an alert.",
    .options = options,
    .run = run,
};
