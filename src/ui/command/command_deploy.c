#include "ui/command/deploy.h"
#include "ui/command/output.h"

#include <errno.h>
#include <unistd.h>

extern const struct command command_deploy;

static int deploy_print(const cJSON *answer, bool baseline, struct err *e)
{
	const cJSON *created = cJSON_GetObjectItemCaseSensitive(answer, "created");
	double version = json_find_number(answer, "version");
	double live = json_find_number(answer, "live");

	output_text(json_find_text(answer, "model"));
	printf(": v%.0f %s", version, cJSON_IsFalse(created) ? "holds this file already" : "is registered");
	if (live == version)
		printf(" and is live (revision %.0f).\n", json_find_number(answer, "revision"));
	else if (live > 0)
		printf("; v%.0f stays live.\n", live);
	else
		puts("; nothing is live.");
	if (baseline && cJSON_IsFalse(created))
		puts("Its baseline stays as it was: a version is never changed.");
	if (live != version) {
		fputs("Make it live: mldeck promote ", stdout);
		output_text(json_find_text(answer, "model"));
		printf(" %.0f --reason TEXT\n", version);
	}
	return output_end(e);
}

static int input_check(const struct arguments *a, bool url, struct err *e)
{
	if (output_model(arguments_at(a, 0), e) != 0 || output_reason(a, NULL, e) != 0)
		return -1;
	if (!url && access(arguments_at(a, 1), R_OK) != 0)
		return err_errno(e, errno, "%s cannot be opened", arguments_at(a, 1));
	return 0;
}

static int deploy(const struct arguments *a, struct err *e)
{
	struct deploy_request request = {
	    .model = arguments_at(a, 0),
	    .file_path = arguments_at(a, 1),
	    .baseline_path = arguments_value(a, "baseline"),
	    .samples_path = arguments_value(a, "samples"),
	    .features = arguments_value(a, "features"),
	    .reason = arguments_value(a, "reason"),
	    .no_live = arguments_flag(a, "no-live"),
	};
	struct client *client = NULL;
	struct remote remote;
	cJSON *answer = NULL;
	int result = -1;
	bool url;

	if (deploy_read_remote(a, &remote, &url, e) != 0)
		return -1;
	request.remote = url ? &remote : NULL;
	if (input_check(a, url, e) == 0 && output_client(a, "deploy", &client, e) == 0 &&
	    deploy_send(client, &request, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e)
						   : deploy_print(answer, request.baseline_path != NULL, e);
	cJSON_Delete(answer);
	client_free(client);
	remote_release(&remote);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return deploy(a, &e) == 0 ? 0 : command_fail(&command_deploy, &e);
}

static const struct option_spec options[] = {
    {"no-live", NULL, "do not make it live, even when nothing is"},
    {"baseline", "ROWS.CSV", "rows whose predictions are the reference distribution"},
    {"samples", "ROWS.CSV", "rows it must answer before it gets traffic; else the first 64 of the baseline"},
    {"features", "NAMES|ROWS.CSV", "names of the features of a model whose file has none"},
    OPTIONS_REMOTE,
    OPTION_REASON,
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_deploy = {
    .name = "deploy",
    .arguments = "MODEL FILE",
    .summary = "register a model file, or a model on another server, as the next version",
    .details = "The first version of a model becomes live; later ones wait for `mldeck promote` or "
	       "`mldeck split`.\n\n"
	       "FILE may be the URL of a model on a V2 server (Triton, MLServer, KServe, OpenVINO Model "
	       "Server, mldeck): http://host/v2/models/NAME, and /versions/VERSION behind it. The runtime "
	       "asks that server for the model's inputs and outputs, and then for every prediction.",
    .options = options,
    .run = run,
};
