#include "ui/command/change.h"
#include "ui/command/output.h"

extern const struct command command_promote;

static int promote(const struct arguments *a, struct err *e)
{
	uint32_t version;
	cJSON *body;

	if (output_version(arguments_at(a, 1), &version, e) != 0)
		return -1;
	body = cJSON_CreateObject();
	if (!body || !cJSON_AddNumberToObject(body, "version", version)) {
		cJSON_Delete(body);
		return err_set(e, ERR_MEMORY, "memory is out");
	}
	return change_send(a, "promote", body, e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return promote(a, &e) == 0 ? 0 : command_fail(&command_promote, &e);
}

static const struct option_spec options[] = {CHANGE_OPTIONS, OPTION_FORCE, OPTION_END};

const struct command command_promote = {
    .name = "promote",
    .arguments = "MODEL VERSION",
    .summary = "give all requests of a model to one version",
    .details = "VERSION is 3 or v3. The change is a new revision of the route; `mldeck rollback` goes back.",
    .options = options,
    .run = run,
};
