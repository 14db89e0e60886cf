#include "ui/command/demo.h"

#include "core/clock.h"
#include "core/process.h"
#include "core/snapshot.h"
#include "ui/command/deploy.h"
#include "ui/command/output.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glob.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 10000
#define STOP_MS 15000
#define DRAIN_MS 35000        /* longer than a runtime drains */
#define REPLAY_START_MS 20000 /* longer than a replay waits for an older one */
#define POLL_MS 20
#define RETRY_MS 250
#define USUAL_PORT 8080
#define SOCKET_PATH_MAX 107 /* bytes of a Unix socket's address */

const char *const demo_models[] = {"flight-delay", "arrival-delay", NULL};

static bool examples_in(const char *folder, const char *below, char *path, size_t size)
{
	char file[PATH_MAX + 16];
	int n = snprintf(path, size, "%s%s", folder, below);

	if (n < 0 || (size_t)n >= size)
		return false;
	snprintf(file, sizeof(file), "%s/replay.csv", path);
	return access(file, R_OK) == 0;
}

int demo_examples(const char *given, char *path, size_t size, struct err *e)
{
	/* From build/VARIANT, from the top of the tree, and from PREFIX/bin. */
	static const char *const below[] = {"/../../examples/flights", "/examples/flights",
					    "/../share/mldeck/examples/flights"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (given) {
		if (examples_in(given, "", path, size) || examples_in(given, "/flights", path, size))
			return 0;
		return err_set(e, ERR_NOT_FOUND,
			       "%s holds no replay.csv; name the folder of the flights "
			       "example",
			       given);
	}
	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++)
		if (examples_in(self, below[i], path, size))
			return 0;
	if (examples_in(".", "/examples/flights", path, size))
		return 0;
	return err_set(e, ERR_NOT_FOUND,
		       "the sample models are not beside this executable; name their "
		       "folder with --examples DIR");
}

static int directory_make(const char *path, struct err *e)
{
	char part[PATHS_SIZE];

	for (const char *c = path + 1; *c; c++) {
		if (*c != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)(c - path), path);
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return err_errno(e, errno, "%s cannot be made", part);
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_errno(e, errno, "%s cannot be made", path);
	return 0;
}

int demo_state(const char *given, char *path, size_t size, struct err *e)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (given && *given)
		n = snprintf(path, size, "%s", given);
	else if (state && *state == '/')
		n = snprintf(path, size, "%s/mldeck-demo", state);
	else if (home && *home == '/')
		n = snprintf(path, size, "%s/.local/state/mldeck-demo", home);
	else
		return err_set(e, ERR_INPUT, "HOME is not set; name a directory with --state DIR");
	if (n < 0 || (size_t)n >= size)
		return err_set(e, ERR_INPUT, "the name of the state directory is longer than %zu bytes", size - 1);
	return directory_make(path, e);
}

/* Starts this executable with argv in a session of its own, so that it outlives the terminal; what it prints
 * goes into <state>/<log>. */
static int start(const struct demo *d, const char *const *argv, const char *log, pid_t *pid, struct err *e)
{
	char path[PATHS_SIZE + 32];
	const struct process_start start = {.program = PROCESS_SELF, .argv = argv, .log = path, .session = true};

	snprintf(path, sizeof(path), "%s/%s", d->state, log);
	int error = process_start(&start, pid);

	if (error == 0)
		return 0;
	*pid = 0;
	return err_errno(e, error, "a process could not be started (its log: %s)", path);
}

static bool usual_port_free(void)
{
	const struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(USUAL_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	bool is_free = false;

	if (s < 0)
		return false;
	/* As the runtime does: connections of one that just ended are no hindrance. */
	if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0)
		is_free = bind(s, (const struct sockaddr *)&address, sizeof(address)) == 0;
	close(s);
	return is_free;
}

static int serve_start(struct demo *d, struct err *e)
{
	char listen[128];
	const char *const argv[] = {"mldeck",   "serve",        "--listen", listen, "--state", d->state,
				    "--socket", d->socket_path, "--name",   "demo", NULL};
	int port = d->usual_port && !d->listen && usual_port_free() ? USUAL_PORT : 0;

	if (!d->listen)
		snprintf(listen, sizeof(listen), "127.0.0.1:%d", port);
	else if (strlen(d->listen) < sizeof(listen))
		snprintf(listen, sizeof(listen), "%s", d->listen);
	else
		return err_set(e, ERR_INPUT, "the address of --listen is longer than %zu bytes", sizeof(listen) - 1);
	return start(d, argv, "serve.log", &d->runtime, e);
}

/* A runtime that ends holds the state directory until it is gone: then a new one is tried again. */
static int runtime_start(struct demo *d, struct snapshot **s, struct err *e)
{
	int64_t deadline = clock_ms() + START_MS;
	bool conflict = false;
	int status;

	if (serve_start(d, e) != 0)
		return -1;
	while (clock_ms() < deadline) {
		if (output_snapshot(d->client, 60, s, e) == 0 && !(*s)->server.draining)
			return 0;
		snapshot_free(*s);
		*s = NULL;
		if (waitpid(d->runtime, &status, WNOHANG) == d->runtime) {
			d->runtime = 0;
			conflict = WIFEXITED(status) && WEXITSTATUS(status) == err_exit(ERR_CONFLICT);
			if (!conflict)
				return err_set(e, ERR_SYSTEM,
					       "the runtime ended at once; "
					       "%s/serve.log says why",
					       d->state);
			clock_pause_ms(RETRY_MS);
			if (serve_start(d, e) != 0)
				return -1;
		}
		clock_pause_ms(POLL_MS);
	}
	if (conflict)
		return err_set(e, ERR_CONFLICT,
			       "the runtime could not start: its address or its state "
			       "directory is in use; %s/serve.log says which",
			       d->state);
	return err_set(e, ERR_UNREACHABLE, "the runtime did not answer in %d s; %s/serve.log says why", START_MS / 1000,
		       d->state);
}

/* The one file of <examples>/<model>/v<version>.*; ERR_NOT_FOUND past the last version. */
static int version_file(const struct demo *d, const char *model, uint32_t version, char *path, size_t size,
			struct err *e)
{
	char pattern[PATH_MAX + 128];
	glob_t found;
	int result = -1;

	snprintf(pattern, sizeof(pattern), "%s/%s/v%u.*", d->examples, model, version);
	if (glob(pattern, 0, NULL, &found) == 0 && strlen(found.gl_pathv[0]) < size) {
		snprintf(path, size, "%s", found.gl_pathv[0]);
		result = 0;
	}
	globfree(&found);
	return result == 0 ? 0 : err_set(e, ERR_NOT_FOUND, "there is no file %s", pattern);
}

static int model_deploy(struct demo *d, const struct snapshot *s, const char *model, struct err *e)
{
	const struct snapshot_model *m = snapshot_find(s, model);
	char file[PATH_MAX + 128], baseline[PATH_MAX + 32];
	uint32_t version = m ? (uint32_t)m->version_count : 0;
	struct err none;

	snprintf(baseline, sizeof(baseline), "%s/baseline.csv", d->examples);
	while (version_file(d, model, ++version, file, sizeof(file), &none) == 0) {
		const struct deploy_request request = {
		    .model = model,
		    .file_path = file,
		    .baseline_path = baseline,
		    .reason = "demo",
		    .no_live = version > 1,
		};
		cJSON *answer;

		if (deploy_send(d->client, &request, &answer, e) != 0)
			return -1;
		cJSON_Delete(answer);
	}
	if (version == 1)
		return err_set(e, ERR_NOT_FOUND, "%s has no model files for %s", d->examples, model);
	return 0;
}

/* Two versions share flight-delay from the start; a route that somebody changed stays as it is. */
static int split_first(struct demo *d, struct err *e)
{
	static const char text[] = "{\"action\":\"split\",\"reason\":\"demo\",\"expect_revision\":1,"
				   "\"weights\":[{\"version\":2,\"weight_bp\":8000},"
				   "{\"version\":3,\"weight_bp\":2000}]}";
	struct snapshot *s;
	const struct snapshot_model *m;
	cJSON *body, *answer = NULL;
	bool fresh;
	int result;

	if (output_snapshot(d->client, 60, &s, e) != 0)
		return -1;
	if (s->server.draining) {
		snapshot_free(s);
		return err_set(e, ERR_UNREACHABLE, "the demo's runtime is ending");
	}
	m = snapshot_find(s, demo_models[0]);
	fresh = m && m->revision == 1 && m->version_count >= 3;
	snapshot_free(s);
	if (!fresh)
		return 0;
	body = cJSON_Parse(text);
	if (!body)
		return err_set(e, ERR_MEMORY, "memory is out");
	result = client_post(d->client, "/control/v1/models/flight-delay/route", body, CLIENT_TIMEOUT_MS, &answer, e);
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return result;
}

/* Whether the lock names our replay, or any one of the same runtime when that was running before us. */
static bool replay_runs(const struct demo *d)
{
	char path[PATHS_SIZE + 32], text[DEMO_LOCK_SIZE] = "", ours[DEMO_LOCK_SIZE];
	FILE *file;

	snprintf(path, sizeof(path), "%s/replay.lock", d->state);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	if (d->runtime > 0)
		snprintf(ours, sizeof(ours), "%s %ld\n", d->url, (long)d->replay);
	else
		snprintf(ours, sizeof(ours), "%s ", d->url);
	return strncmp(text, ours, strlen(ours)) == 0;
}

static int replay_wait(struct demo *d, struct err *e)
{
	int64_t deadline = clock_ms() + REPLAY_START_MS;
	int status = 0;

	while (clock_ms() < deadline) {
		if (waitpid(d->replay, &status, WNOHANG) == d->replay) {
			d->replay = 0;
			/* Another replay feeds this runtime already. */
			if (WIFEXITED(status) && WEXITSTATUS(status) == err_exit(ERR_CONFLICT))
				return 0;
			return err_set(e, ERR_SYSTEM, "the replay ended at once; %s/replay.log says why", d->state);
		}
		if (replay_runs(d))
			return 0;
		clock_pause_ms(POLL_MS);
	}
	return err_set(e, ERR_SYSTEM, "the replay did not start in %d s; %s/replay.log says why",
		       REPLAY_START_MS / 1000, d->state);
}

/* The replay holds a lock in the state directory: a second one for the same runtime ends by itself. */
static int replay_start(struct demo *d, struct err *e)
{
	char speed[32], rate[32];
	const char *const argv[] = {"mldeck",  "demo",   "--replay-only", d->url, "--examples", d->examples,
				    "--state", d->state, "--speed",       speed,  "--rate",     rate,
				    NULL};

	snprintf(speed, sizeof(speed), "%.17g", d->speed);
	snprintf(rate, sizeof(rate), "%.17g", d->rate_rps);
	if (start(d, argv, "replay.log", &d->replay, e) != 0)
		return -1;
	return replay_wait(d, e);
}

static int socket_path_set(struct demo *d, struct err *e)
{
	int n = snprintf(d->socket_path, sizeof(d->socket_path), "%s/control/mldeck.sock", d->state);

	if (n < 0 || n > SOCKET_PATH_MAX)
		return err_set(e, ERR_INPUT, "%s is too long for a socket in it; name another with --state DIR",
			       d->state);
	return 0;
}

/* The running runtime's snapshot, or that of a new one; one that is ending is waited for. */
static int runtime_find(struct demo *d, struct snapshot **s, struct err *e)
{
	int64_t deadline = clock_ms() + DRAIN_MS;

	while (output_snapshot(d->client, 60, s, e) == 0) {
		if (!(*s)->server.draining)
			return 0;
		snapshot_free(*s);
		*s = NULL;
		if (clock_ms() > deadline)
			return err_set(e, ERR_CONFLICT, "the demo's earlier runtime does not end");
		clock_pause_ms(POLL_MS);
	}
	return e->code == ERR_UNREACHABLE ? runtime_start(d, s, e) : -1;
}

static int models_start(struct demo *d, struct err *e)
{
	struct snapshot *s = NULL;
	int result = 0;

	if (runtime_find(d, &s, e) != 0)
		return -1;
	snprintf(d->url, sizeof(d->url), "http://%s", s->server.listen);
	for (size_t i = 0; result == 0 && demo_models[i]; i++)
		result = model_deploy(d, s, demo_models[i], e);
	snapshot_free(s);
	return result == 0 ? split_first(d, e) : -1;
}

int demo_start(struct demo *d, struct err *e)
{
	/* Not $MLDECK_SOCKET: the demo must never deploy into another runtime. */
	if (socket_path_set(d, e) != 0)
		return -1;
	d->client = client_new(d->socket_path, "demo");
	if (!d->client)
		return err_set(e, ERR_MEMORY, "memory is out");
	/* A runtime that was just told to end may still have looked alive: then once more. */
	if (models_start(d, e) != 0 && (d->runtime != 0 || e->code != ERR_UNREACHABLE || models_start(d, e) != 0))
		return -1;
	return replay_start(d, e);
}

/* Asks a child to end and waits; the exit status, or -1 when it had to be killed. */
static int process_stop(pid_t pid)
{
	int64_t deadline = clock_ms() + STOP_MS;
	int status = 0;

	kill(pid, SIGTERM);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_ms() > deadline) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		clock_pause_ms(POLL_MS);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int demo_stop(struct demo *d, struct err *e)
{
	int result = 0, status;

	if (d->replay > 0) {
		status = process_stop(d->replay);
		if (status != 0 && status != err_exit(ERR_CONFLICT))
			result = err_set(e, ERR_SYSTEM,
					 "the replay failed (exit code %d); %s/replay.log says "
					 "why",
					 status, d->state);
		d->replay = 0;
	}
	if (d->runtime > 0) {
		status = process_stop(d->runtime);
		if (status != 0 && result == 0)
			result = err_set(e, ERR_SYSTEM, "the runtime ended with code %d; %s/serve.log says why", status,
					 d->state);
		d->runtime = 0;
	}
	return result;
}

void demo_release(struct demo *d)
{
	client_free(d->client);
	d->client = NULL;
}
