#include "ui/command/output.h"

extern const struct command command_version;

static int version(const struct arguments *a, struct err *e)
{
	if (arguments_flag(a, "json"))
		puts("{\"name\":\"mldeck\",\"version\":\"" MLDECK_VERSION "\"}");
	else
		puts("mldeck " MLDECK_VERSION);
	return output_end(e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return version(a, &e) == 0 ? 0 : command_fail(&command_version, &e);
}

static const struct option_spec options[] = {OPTION_JSON, OPTION_END};

const struct command command_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version of mldeck",
    .options = options,
    .run = run,
};
