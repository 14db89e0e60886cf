/*
 * mldeck serve: the runtime, in the foreground, until SIGTERM.
 */
#include "core/command.h"
#include "core/text.h"
#include "runtime/server.h"

#include <string.h>

extern const struct command command_serve;

static int run(const struct arguments *a)
{
	char state[256], socket[256];
	struct err e;
	long long threads = 0;
	struct server_options options = {
		.listen = arguments_value(a, "listen"),
		.socket = socket,
		.state = state,
		.name = arguments_value(a, "name"),
	};
	const char *thread_text = arguments_value(a, "threads");

	if (options.listen == NULL)
		options.listen = "127.0.0.1:8080";
	if (thread_text != NULL && !text_integer(thread_text, 1, 256, &threads)) {
		err_set(&e, ERR_USAGE, "--threads takes a whole number from 1 to 256, not `%s`", thread_text);
		return command_fail(&command_serve, &e);
	}
	options.threads = (unsigned)threads;
	if (arguments_state(a, state, sizeof state, &e) != 0 ||
	    arguments_socket(a, socket, sizeof socket, &e) != 0 || server_run(&options, &e) != 0)
		return command_fail(&command_serve, &e);
	return 0;
}

const struct command command_serve = {
	.name = "serve",
	.arguments = "",
	.summary = "serve predictions until SIGTERM",
	.details = "Runs the runtime in the foreground: predictions over HTTP (the Open Inference Protocol) on "
		   "--listen, control on a Unix socket that only you can open. SIGTERM drains: no accepted "
		   "request is dropped. One process holds a state directory.",
	.options =
		(const struct option_spec[]){
			{"listen", "ADDRESS:PORT", "where predictions are served (127.0.0.1:8080)"},
			OPTION_SOCKET,
			OPTION_STATE,
			{"name", "NAME", "what consoles call this runtime (the host's name)"},
			{"threads", "N", "data plane threads (one a core)"},
			OPTION_END,
		},
	.run = run,
};
