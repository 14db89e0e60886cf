#include "ui/command/change.h"
#include "ui/command/output.h"

extern const struct command command_rollback;

static int rollback(const struct arguments *a, struct err *e)
{
	long long revision;
	cJSON *body;

	if (output_number(a, "to", 1, UINT32_MAX, 0, &revision, e) != 0)
		return -1;
	body = cJSON_CreateObject();
	if (!body || (revision && !cJSON_AddNumberToObject(body, "to_revision", (double)revision))) {
		cJSON_Delete(body);
		return err_set(e, ERR_MEMORY, "memory is out");
	}
	return change_send(a, "rollback", body, e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return rollback(a, &e) == 0 ? 0 : command_fail(&command_rollback, &e);
}

static const struct option_spec options[] = {
    {"to", "REVISION", "the revision to restore (default: the one before the present)"},
    CHANGE_OPTIONS,
    OPTION_END,
};

const struct command command_rollback = {
    .name = "rollback",
    .arguments = "MODEL",
    .summary = "restore an earlier revision of a model's route",
    .details = "A rollback is a new revision: history is never rewritten. `mldeck history MODEL` lists them.",
    .options = options,
    .run = run,
};
