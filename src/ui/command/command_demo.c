#include "core/replay.h"
#include "core/clock.h"
#include "core/snapshot.h"
#include "ui/console/console.h"
#include "ui/command/demo.h"
#include "ui/command/output.h"
#include "ui/view/picture.h"
#include "ui/view/render.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define RATE_RPS 200
#define SECONDS 10
#define WATCH_MS 1000
/* So long a replay waits for an older one to end, and this long when that one has the same runtime: an older
 * replay that lost its runtime ends sooner. */
#define LOCK_MS 15000
#define LOCK_STEP_MS 20
#define SAME_MS 2500

extern const struct command command_demo;

static volatile sig_atomic_t stop;

static void stop_on(int signal)
{
	stop = signal;
}

static void signals_catch(void)
{
	struct sigaction action = {.sa_handler = stop_on};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static int positive(const struct arguments *a, const char *option, double otherwise, double *number, struct err *e)
{
	const char *text = arguments_value(a, option);
	char *end;

	*number = otherwise;
	if (!text)
		return 0;
	*number = strtod(text, &end);
	if (end != text && *end == '\0' && isfinite(*number) && *number >= 0 && (*number > 0 || otherwise <= 0))
		return 0;
	return err_set(e, ERR_INPUT, "--%s takes a number above 0, not %s", option, *text ? text : "\"\"");
}

/* Whether the lock's holder replays to url. */
static bool lock_names(int lock, const char *url)
{
	char text[DEMO_LOCK_SIZE];
	ssize_t n = pread(lock, text, sizeof(text) - 1, 0);
	size_t length = strlen(url);

	text[n > 0 ? n : 0] = '\0';
	return strncmp(text, url, length) == 0 && text[length] == ' ';
}

static int lock_take(int lock, const char *url, struct err *e)
{
	int64_t start_ms = clock_ms();

	while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		int64_t waited_ms = clock_ms() - start_ms;

		if (stop)
			return -1;
		if (waited_ms > LOCK_MS || (waited_ms > SAME_MS && lock_names(lock, url)))
			return err_set(e, ERR_CONFLICT, "another replay for this state directory runs already");
		clock_pause_ms(LOCK_STEP_MS);
	}
	return 0;
}

/* One replay a state directory; the lock ends with the process. A holder whose runtime is gone is about to
 * end, so it is waited for. The file says what is replayed to, and by which process. */
static int replay_lock(const char *state, const char *url, struct err *e)
{
	char path[PATHS_SIZE + 32], text[DEMO_LOCK_SIZE];
	int lock, n = snprintf(text, sizeof(text), "%s %ld\n", url, (long)getpid());

	if (n < 0 || (size_t)n >= sizeof(text))
		return err_set(e, ERR_INPUT, "the URL is too long");
	snprintf(path, sizeof(path), "%s/replay.lock", state);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0)
		return err_errno(e, errno, "%s cannot be opened", path);
	if (lock_take(lock, url, e) == 0) {
		if (ftruncate(lock, 0) == 0 && pwrite(lock, text, (size_t)n, 0) == n)
			return lock;
		err_errno(e, errno, "%s cannot be written", path);
	}
	close(lock);
	return -1;
}

static int replay_only(const struct arguments *a, struct demo *d, struct err *e)
{
	struct replay_options options = {
	    .url = arguments_value(a, "replay-only"), .speed = d->speed, .rate_rps = d->rate_rps, .stop = &stop};
	struct replay_result result = {0};
	struct replay *r = NULL;
	char path[PATH_MAX + 32];
	int lock = -1, status = -1;

	signals_catch();
	while (demo_models[options.model_count]) {
		options.models[options.model_count] = demo_models[options.model_count];
		options.model_count++;
	}
	snprintf(path, sizeof(path), "%s/replay.csv", d->examples);
	if (replay_read(path, &r, e) == 0)
		lock = replay_lock(d->state, options.url, e);
	if (lock >= 0)
		status = replay_run(r, &options, &result, e);
	else if (r && stop)
		status = 0; /* told to end before it was its turn */
	if (status == 0 && result.failed > 0)
		status =
		    err_set(e, ERR_SYSTEM, "%llu of %llu requests failed, the first with %s",
			    (unsigned long long)result.failed, (unsigned long long)result.sent, result.first_failure);
	replay_free(r);
	if (lock >= 0)
		close(lock);
	return status;
}

static int snapshot_fetch(struct demo *d, cJSON **json, struct snapshot **s, struct err *e)
{
	*json = NULL;
	*s = NULL;
	if (client_get(d->client, "/control/v1/snapshot", CLIENT_TIMEOUT_MS, json, e) != 0)
		return -1;
	return snapshot_from_json(*json, s, e);
}

static int picture_print(const struct snapshot *s, struct err *e)
{
	const struct picture p = {.view = "models",
				  .columns = 80,
				  .rows = 24,
				  .demo = true,
				  .charset = output_ascii() ? CHARSET_ASCII : CHARSET_BRAILLE};
	struct canvas *c = picture_draw(&p, s);
	struct buf b;
	int result = -1;

	buf_init(&b);
	if (c)
		render_text(c, &b);
	if (!c || b.failed) {
		err_set(e, ERR_MEMORY, "memory is out");
	} else {
		fwrite(b.data, 1, b.size, stdout);
		putchar('\n');
		result = output_end(e);
	}
	buf_release(&b);
	canvas_free(c);
	return result;
}

/* Traffic must have flowed to every live model, and every answer been a prediction. */
static int traffic_check(const struct snapshot *s, struct err *e)
{
	size_t live = 0;

	for (size_t i = 0; i < s->model_count; i++) {
		const struct snapshot_model *m = &s->models[i];

		if (m->live == 0)
			continue;
		live++;
		if (m->stats.requests == 0)
			return err_set(e, ERR_SYSTEM, "no request reached %s", m->name);
		if (m->stats.errors > 0)
			return err_set(e, ERR_SYSTEM, "%llu of %llu requests to %s failed",
				       (unsigned long long)m->stats.errors, (unsigned long long)m->stats.requests,
				       m->name);
	}
	return live ? 0 : err_set(e, ERR_SYSTEM, "no model is live");
}

static int watch_plain(const struct arguments *a, struct demo *d, long long seconds, struct err *e)
{
	struct snapshot *s;
	cJSON *json;
	int result = 0;

	for (long long i = 0; result == 0 && i < seconds && !stop; i++) {
		clock_pause_ms(WATCH_MS);
		result = snapshot_fetch(d, &json, &s, e);
		if (result == 0 && arguments_flag(a, "json"))
			result = i + 1 == seconds ? output_json(json, e) : 0;
		else if (result == 0)
			result = picture_print(s, e);
		if (result == 0 && (i + 1 == seconds || stop))
			result = traffic_check(s, e);
		snapshot_free(s);
		cJSON_Delete(json);
	}
	return result;
}

static void stop_tell(const struct demo *d)
{
	printf("The demo goes on serving on %s. End it: mldeck stop --state '%s'\n", d->url, d->state);
}

/* Only what this process started is asked about; no answer leaves nothing behind. */
static bool leave_ask(const struct demo *d)
{
	char answer[16];
	bool leave;

	if (d->runtime == 0) {
		stop_tell(d);
		return true;
	}
	printf("Leave the demo serving on %s? `mldeck demo` attaches to it again. [y/N] ", d->url);
	fflush(stdout);
	leave = fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
	if (leave)
		stop_tell(d);
	return leave;
}

static int watch_console(struct demo *d, bool *leave, struct err *e)
{
	const struct console_options options = {.state = d->state, .socket = d->socket_path, .demo = true};

	if (console_run(&options) != 0)
		return err_set(e, ERR_SYSTEM, "the console could not go on, so the demo was ended");
	*leave = leave_ask(d);
	return 0;
}

static int demo_play(const struct arguments *a, struct demo *d, struct err *e)
{
	struct err stopping = {0};
	bool leave = false, screen;
	long long seconds;
	int result;

	if (output_number(a, "seconds", 1, 86400, SECONDS, &seconds, e) != 0)
		return -1;
	screen = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !arguments_flag(a, "json") &&
		 !arguments_value(a, "seconds");
	d->listen = arguments_value(a, "listen");
	d->usual_port = screen;
	result = demo_start(d, e);
	if (result == 0 && screen) {
		result = watch_console(d, &leave, e);
	} else if (result == 0) {
		signals_catch();
		result = watch_plain(a, d, seconds, e);
	}
	if (!leave && demo_stop(d, &stopping) != 0 && result == 0) {
		*e = stopping;
		result = -1;
	}
	demo_release(d);
	return result;
}

static int demo(const struct arguments *a, struct err *e)
{
	struct demo d = {0};

	if (positive(a, "speed", 0, &d.speed, e) != 0 || positive(a, "rate", RATE_RPS, &d.rate_rps, e) != 0 ||
	    demo_examples(arguments_value(a, "examples"), d.examples, sizeof(d.examples), e) != 0 ||
	    demo_state(arguments_value(a, "state"), d.state, sizeof(d.state), e) != 0)
		return -1;
	return arguments_value(a, "replay-only") ? replay_only(a, &d, e) : demo_play(a, &d, e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return demo(a, &e) == 0 ? 0 : command_fail(&command_demo, &e);
}

static const struct option_spec options[] = {
    {"speed", "N", "recorded seconds that pass in one (default: from --rate)"},
    {"rate", "N", "mean requests a second (default 200)"},
    {"seconds", "N", "print plain text so long and end (off a terminal: 10)"},
    {"listen", "ADDRESS:PORT", "of the runtime (default: 127.0.0.1:8080 in the console, or any free port)"},
    {"examples", "DIR", "the folder of the sample models and flights"},
    {"replay-only", "URL", "only send the traffic, to the runtime there"},
    OPTION_STATE,
    OPTION_JSON,
    OPTION_END,
};

const struct command command_demo = {
    .name = "demo",
    .arguments = "",
    .summary = "sample models under replayed real traffic, in the console",
    .details = "Starts a runtime on a state directory of its own (kept between runs), deploys the sample\n"
	       "models and replays recorded flights. A demo that was left serving is attached to;\n"
	       "`mldeck stop --state DIR` ends it, by default with $XDG_STATE_HOME/mldeck-demo or\n"
	       "~/.local/state/mldeck-demo.",
    .options = options,
    .run = run,
};
