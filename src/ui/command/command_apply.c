#include "ui/command/apply.h"
#include "ui/command/output.h"

extern const struct command command_apply;

static int usage_check(const struct arguments *a, struct err *e)
{
	if (!arguments_value(a, "file"))
		return err_set(e, ERR_USAGE, "-f FILE is missing: the models file, or - for standard input");
	if (arguments_flag(a, "exit-code") && !arguments_flag(a, "dry-run"))
		return err_set(e, ERR_USAGE,
			       "--exit-code is for --dry-run, which alone can find a difference and leave it");
	return output_reason(a, arguments_flag(a, "dry-run") ? NULL : OUTPUT_REASON_NEEDED, e);
}

static int json_print(const struct apply *apply, bool dry_run, struct err *e)
{
	cJSON *json = apply_json(apply, dry_run);
	int result = json ? output_json(json, e) : err_set(e, ERR_MEMORY, "memory is out");

	cJSON_Delete(json);
	return result;
}

/* 0, or -1; *differs: whether there was something to change. */
static int apply(const struct arguments *a, struct apply *apply, bool *differs, struct err *e)
{
	bool dry_run = arguments_flag(a, "dry-run");
	struct err printing;
	int result;

	if (usage_check(a, e) != 0 || output_client(a, "apply", &apply->client, e) != 0 ||
	    apply_prepare(apply, arguments_value(a, "file"), e) != 0)
		return -1;
	*differs = apply->plan->change_count > 0;
	if (!apply->json)
		apply_print_plan(apply, arguments_flag(a, "verbose"));
	result = apply_rehearse(apply, e);
	if (result == 0 && !dry_run)
		result = apply_run(apply, e);
	if (apply->json)
		return json_print(apply, dry_run, result == 0 ? e : &printing) != 0 ? -1 : result;
	if (result != 0)
		apply_print_rest(apply);
	else if (dry_run && *differs)
		puts("Nothing was changed.");
	return output_end(result == 0 ? e : &printing) != 0 ? -1 : result;
}

static int run(const struct arguments *a)
{
	struct apply state = {.reason = arguments_value(a, "reason"),
			      .force = arguments_flag(a, "force"),
			      .json = arguments_flag(a, "json")};
	struct err e = {0};
	bool differs = false;
	int code = apply(a, &state, &differs, &e) == 0 ? 0 : command_fail(&command_apply, &e);

	apply_release(&state);
	client_free(state.client);
	return code == 0 && differs && arguments_flag(a, "exit-code") ? err_exit(ERR_GATE) : code;
}

static const struct option_spec options[] = {
    {"file", "FILE", "the models file; - for standard input"},
    {"exit-code", NULL, "with --dry-run: exit code 1 when something would be changed"},
    {"verbose", NULL, "also name the models that are left alone"},
    {"force", NULL, "override gates that do not pass; marked in the audit for ever"},
    OPTION_REASON,
    OPTION_DRY_RUN,
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_apply = {
    .name = "apply",
    .arguments = "",
    .summary = "bring models, versions, policies and routes to the state that a file says",
    .details = "The file is checked whole and the difference is shown before anything is changed; then each change "
	       "is made in order, up to the first that is refused. Running it again goes on, and where nothing "
	       "differs does nothing. What the file does not name is left alone. docs/APPLY.md has its form, and "
	       "`mldeck export` writes one.\n\n"
	       "[model churn]\n"
	       "version.1 = models/churn-1.txt\n"
	       "version.2 = models/churn-2.txt\n"
	       "route = 1=90 2=10",
    .options = options,
    .run = run,
    .letters = "f=file",
};
