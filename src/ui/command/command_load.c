#include "ui/command/output.h"

#include <string.h>

extern const struct command command_load;

/* Loading a large model and asking it its sample rows takes a while. */
#define LOAD_TIMEOUT_MS 120000

static int load_print(const struct arguments *a, const cJSON *answer, struct err *e)
{
	const char *state = json_find_text(answer, "state");

	(void)a;
	output_text(json_find_text(answer, "model"));
	printf(": v%.0f is ", json_find_number(answer, "version"));
	output_text(strcmp(state, "ready") == 0 ? "loaded and has answered its sample rows" : state);
	puts(".");
	return output_end(e);
}

static int load(const struct arguments *a, struct err *e)
{
	char path[160];
	uint32_t version;

	if (output_model(arguments_at(a, 0), e) != 0 || output_version(arguments_at(a, 1), &version, e) != 0 ||
	    output_reason(a, NULL, e) != 0)
		return -1;
	snprintf(path, sizeof(path), "/control/v1/models/%s/versions/%u/load", arguments_at(a, 0), (unsigned)version);
	return output_post(a, "load", path, output_body("reason", arguments_value(a, "reason")), LOAD_TIMEOUT_MS,
			   load_print, e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return load(a, &e) == 0 ? 0 : command_fail(&command_load, &e);
}

static const struct option_spec options[] = {OPTION_REASON, OPTION_JSON, OPTION_SOCKET, OPTION_STATE, OPTION_END};

const struct command command_load = {
    .name = "load",
    .arguments = "MODEL VERSION",
    .summary = "load a version that is in no route, and ask it its sample rows",
    .details = "A version that a route names is loaded by that change; this does it beforehand, or to ask a version by "
	       "its number. It is unloaded again when nothing has asked it for some time (`idle_unload` below [routes] "
	       "in the configuration).",
    .options = options,
    .run = run,
};
