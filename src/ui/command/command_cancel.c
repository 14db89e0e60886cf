#include "ui/command/output.h"

#include "core/text.h"

extern const struct command command_cancel;

static int cancel_print(const struct arguments *a, const cJSON *answer, struct err *e)
{
	(void)answer;
	printf("Job %s is asked to stop; what it has done is kept.\n", arguments_at(a, 0));
	return output_end(e);
}

static int cancel(const struct arguments *a, struct err *e)
{
	const char *text = arguments_at(a, 0);
	char path[160];
	long long id;

	if (!text_integer(text, 1, INT64_MAX, &id))
		return err_set(e, ERR_INPUT, "%s is no number of a job; mldeck jobs lists them", *text ? text : "\"\"");
	snprintf(path, sizeof(path), "/control/v1/jobs/%lld/cancel", id);
	return output_post(a, "cancel", path, output_body("reason", arguments_value(a, "reason")), CLIENT_TIMEOUT_MS,
			   cancel_print, e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return cancel(a, &e) == 0 ? 0 : command_fail(&command_cancel, &e);
}

static const struct option_spec options[] = {
    OPTION_REASON, OPTION_JSON, OPTION_SOCKET, OPTION_STATE, OPTION_END,
};

const struct command command_cancel = {
    .name = "cancel",
    .arguments = "ID",
    .summary = "ask a job to stop",
    .details = "The same command goes on where it stopped. A job that does not stop within ten seconds is killed, "
	       "unless it runs in a shell.",
    .options = options,
    .run = run,
};
