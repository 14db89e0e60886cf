/*
 * server: the runtime as a whole: registry, router, scheduler, jobs, data plane, control plane; start to drain.
 *
 * Owner: command_serve. The planes see it through struct server, constant but for its atomics.
 */
#ifndef RUNTIME_SERVER_H
#define RUNTIME_SERVER_H

#include "core/config.h"
#include "core/err.h"
#include "core/registry/registry.h"
#include "runtime/alerts.h"
#include "runtime/experiment/experiments.h"
#include "runtime/http/http.h"
#include "runtime/job/jobs.h"
#include "runtime/rollout/rollouts.h"
#include "runtime/router/router.h"
#include "runtime/shadow/shadows.h"
#include "runtime/router/workers.h"
#include "runtime/scheduler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SERVER_ARTIFACT_MAX ((size_t)1 << 30) /* of a model file */
#define SERVER_DRAIN_MS 30000

struct server_options {
	const char *socket; /* path of the control socket */
	const char *state;  /* directory */
	struct config config;
};

struct server {
	const char *socket, *state; /* as in the options */
	struct config config;
	char name[64];
	char listen[64];    /* with the port in use */
	int64_t started_ms; /* monotonic */
	int64_t started_unix_ms;
	struct registry *registry;
	struct router *router;
	struct alerts *alerts;
	struct rollouts *rollouts;
	struct experiments *experiments;
	struct scheduler *scheduler;
	struct jobs *jobs;
	struct workers *workers; /* of predictions */
	struct shadows *shadows;
	/* Of loads and unloads: these wait for predictions, so they must not stand in their way. */
	struct workers *changers;
	struct workers *feedback; /* of outcomes, which wait for the disk */
	struct http_server *data, *control;
	bool has_group;         /* [control] group is set */
	uint32_t control_group; /* whose members are let in on the control socket */
	int stop_fd;            /* an eventfd: writing to it ends server_run() */
	atomic_bool draining;
	atomic_bool cutting; /* a drain's deadline has passed: what waits is refused */
};

/* Runs until SIGTERM, SIGINT or a stop over the control socket, then drains. Prints what it does to stderr.
 * 0, or -1 when it could not start. */
int server_run(const struct server_options *options, struct err *e);

/* --- the planes --- */

/* Handlers for http_options; context is the struct server. */
void data_plane_handle(void *context, const struct http_request *request, struct http_response *response);
void data_plane_refuse(struct http_response *response, const struct err *e);
void control_handle(void *context, const struct http_request *request, struct http_response *response);
void control_refuse(struct http_response *response, const struct err *e);
int control_open_sink(void *context, const struct http_request *request, struct http_sink *sink, struct err *e);

/* Everything that a console sees, now; of one model when model is not NULL. NULL when memory is out. */
struct snapshot *picture_take(struct server *s, const char *model, uint32_t window_s);
/* Adds the newest audit records, at most limit; 0: none. */
int picture_add_audits(struct snapshot *picture, struct server *s, size_t limit, struct err *e);
/* Adds the newest revisions of a model, at most SNAPSHOT_REVISIONS_MAX; nothing for NULL or one not in the picture. */
int picture_add_revisions(struct snapshot *picture, struct server *s, const char *model, struct err *e);
/* Adds the newest results of tests, at most limit; of one model when model is not NULL. */
int picture_add_tests(struct snapshot *picture, struct server *s, size_t limit, const char *model, struct err *e);
/* Adds the A/B tests: all, as a list, or one of a model in full; none when neither is asked for. */
int picture_add_experiments(struct snapshot *picture, struct server *s, bool all, const char *name, const char *model,
			    struct err *e);
/* Adds a test in full, and with it another one; with 0: the one before it of the same kind, model and versions, if
 * there is one. test 0: none. One that is not there is added as missing. */
int picture_add_reports(struct snapshot *picture, struct server *s, int64_t test, int64_t with, struct err *e);

#endif
