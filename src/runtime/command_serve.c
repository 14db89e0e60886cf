/*
 * mldeck serve: the runtime, in the foreground, until SIGTERM.
 */
#include "core/command.h"
#include "runtime/engine/ort.h"
#include "runtime/server.h"

#include <stdio.h>
#include <string.h>

extern const struct command command_serve;

/* Options that are settings of the file by another name. */
static const struct {
	const char *option, *section, *key;
} shortcuts[] = {
    {"listen", "server", "listen"},
    {"name", "server", "name"},
    {"threads", "server", "threads"},
    {"onnxruntime", "onnx", "library"},
};

static int apply_shortcuts(const struct arguments *a, struct config *config, struct err *e)
{
	for (size_t i = 0; i < sizeof shortcuts / sizeof *shortcuts; i++) {
		struct err fault;
		const char *value = arguments_value(a, shortcuts[i].option);
		if (value != NULL && config_set(config, shortcuts[i].section, shortcuts[i].key, value, &fault) != 0)
			return err_set(e, ERR_USAGE, "--%s: %s", shortcuts[i].option, fault.text);
	}
	return 0;
}

/* --set section.key=value, any number of times. */
static int apply_settings(const struct arguments *a, struct config *config, struct err *e)
{
	const char *text;
	for (size_t i = 0; (text = arguments_value_at(a, "set", i)) != NULL; i++) {
		struct err fault;
		char section[32], key[32];
		int end = 0;
		if (sscanf(text, "%31[^.=].%31[^=]=%n", section, key, &end) != 2 || end == 0)
			return err_set(e, ERR_USAGE, "--set takes section.key=value, not `%.80s`", text);
		if (config_set(config, section, key, text + end, &fault) != 0)
			return err_set(e, ERR_USAGE, "--set: %s", fault.text);
	}
	return 0;
}

static int run(const struct arguments *a)
{
	char state[256], socket[256];
	struct err e;
	struct server_options options = {.socket = socket, .state = state};

	/* While there is one thread: it writes to the environment. */
	ort_silence();
	config_init(&options.config);
	if (arguments_state(a, state, sizeof state, &e) != 0 || arguments_socket(a, socket, sizeof socket, &e) != 0 ||
	    config_load(&options.config, arguments_value(a, "config"), state, &e) != 0 ||
	    apply_settings(a, &options.config, &e) != 0 || apply_shortcuts(a, &options.config, &e) != 0 ||
	    server_run(&options, &e) != 0)
		return command_fail(&command_serve, &e);
	return 0;
}

const struct command command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "serve predictions until SIGTERM",
    .details = "Runs the runtime in the foreground: predictions over HTTP (the Open Inference Protocol) on "
	       "--listen, control on a Unix socket that you, root and the group of [control] can open. SIGTERM drains: "
	       "no accepted "
	       "request is dropped. One process holds a state directory. Settings come from --config, "
	       "else $MLDECK_CONFIG, else mldeck.ini in the state directory; options win over them.",
    .options =
	(const struct option_spec[]){
	    {"listen", "ADDRESS:PORT", "where predictions are served (127.0.0.1:8080)"},
	    OPTION_SOCKET,
	    OPTION_STATE,
	    {"config", "FILE", "settings (mldeck.ini in the state directory)"},
	    {"set", "KEY=VALUE", "one setting, such as server.body_max=16M; may be repeated"},
	    {"name", "NAME", "what consoles call this runtime (the host's name)"},
	    {"threads", "N", "data plane threads (one a core)"},
	    {"onnxruntime", "PATH", "libonnxruntime.so (searched)"},
	    OPTION_END,
	},
    .run = run,
};
