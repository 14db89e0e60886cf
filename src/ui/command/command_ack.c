#include "core/alert.h"
#include "core/text.h"
#include "ui/command/output.h"

#include <inttypes.h>

extern const struct command command_ack;

/* Whose it was: nobody takes over an alert without seeing it. */
static int before_print(const cJSON *json, struct err *e)
{
	struct alert before;
	char time[32];

	if (alert_from_json(json, &before, e) != 0)
		return -1;
	output_time(time, sizeof(time), (double)before.acknowledged_ms);
	fputs("It was acknowledged before by ", stdout);
	output_text(before.who);
	printf(" at %s", time);
	if (*before.note) {
		fputs(": ", stdout);
		output_text(before.note);
	}
	putchar('\n');
	return 0;
}

static int alert_print(const struct arguments *a, const cJSON *answer, struct err *e)
{
	struct alert alert;

	(void)a;
	if (alert_from_json(cJSON_GetObjectItemCaseSensitive(answer, "alert"), &alert, e) != 0)
		return -1;
	printf("Alert %" PRId64 " is acknowledged: ", alert.id);
	output_text(alert.text);
	putchar('\n');
	if (json_has(answer, "before") && before_print(cJSON_GetObjectItemCaseSensitive(answer, "before"), e) != 0)
		return -1;
	return output_end(e);
}

static int acknowledge(const struct arguments *a, struct err *e)
{
	const char *text = arguments_at(a, 0);
	char path[64];
	long long id;

	if (!text_integer(text, 1, INT64_MAX, &id))
		return err_set(e, ERR_INPUT, "%s is no number of an alert; mldeck alerts lists them",
			       *text ? text : "\"\"");
	snprintf(path, sizeof(path), "/control/v1/alerts/%lld/acknowledge", id);
	return output_post(a, "ack", path, output_body("note", arguments_value(a, "note")), CLIENT_TIMEOUT_MS,
			   alert_print, e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return acknowledge(a, &e) == 0 ? 0 : command_fail(&command_ack, &e);
}

static const struct option_spec options[] = {
    {"note", "TEXT", "what is known or done about it; kept in the audit"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_ack = {
    .name = "ack",
    .arguments = "ID",
    .summary = "acknowledge an alert: somebody looks at it",
    .details = "It stays until what it is about is over; `mldeck alerts` lists them.",
    .options = options,
    .run = run,
};
