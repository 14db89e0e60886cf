/*
 * demo: the processes behind `mldeck demo`: a runtime with the sample models and the replayed traffic.
 *
 * Owner: the command, main thread only. A runtime that serves the state directory already is attached to, and
 * only what this process started is stopped again.
 */
#ifndef UI_DEMO_H
#define UI_DEMO_H

#include "core/client.h"
#include "core/err.h"
#include "core/paths.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* <state>/replay.lock holds "URL PID\n" of the replay that has the lock. */
#define DEMO_LOCK_SIZE 384

struct demo {
	char examples[PATH_MAX]; /* the folder with replay.csv, baseline.csv and one folder a model */
	char state[PATHS_SIZE], socket_path[PATHS_SIZE];
	char url[128];
	const char *listen; /* ADDRESS:PORT of a runtime to start; NULL: of 127.0.0.1 */
	bool usual_port;    /* without listen: 8080 when it is free, not any port */
	double speed, rate_rps;
	struct client *client;
	pid_t runtime, replay; /* 0: not started by us */
};

extern const char *const demo_models[]; /* ends with NULL */

/* given: --examples, or NULL to look beside the executable, here and where it was installed. */
int demo_examples(const char *given, char *path, size_t size, struct err *e);
/* given: --state, or NULL for $XDG_STATE_HOME/mldeck-demo or ~/.local/state/mldeck-demo. Makes it. */
int demo_state(const char *given, char *path, size_t size, struct err *e);
/* Attaches to the runtime of d->state or starts it, deploys what is missing, starts the traffic. After an
 * error, demo_stop() all the same. */
int demo_start(struct demo *d, struct err *e);
/* Ends what demo_start() started and waits for it; -1 when some answer of the replay was not 200. */
int demo_stop(struct demo *d, struct err *e);
/* The monotonic clock. */
void demo_release(struct demo *d);

#endif
